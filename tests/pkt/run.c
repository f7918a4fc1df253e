/* run.c - a script's lines one after the other */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "tests/pkt/pkt.h"

static void must_be_quiet(struct run *r)
{
	if (r->n_q) {
		pkt_fail(r, "unexpected packet before this line");
	}
}

/* --- lines --------------------------------------------------------------------- */

struct flow *run_flow(struct run *r, const char *name)
{
	for (unsigned i = 0; i < r->n_flows; i++) {
		if (strcmp(r->flow[i].name, name) == 0) {
			return &r->flow[i];
		}
	}
	return NULL;
}

static bool on_off(struct run *r, struct words *w)
{
	const char *t = words_next(r, w);

	if (strcmp(t, "on") != 0 && strcmp(t, "off") != 0) {
		pkt_fail(r, "on or off");
	}
	return t[1] == 'n';
}

/* crypt off|prefer|require-any|require [WORDS of the peer's] */
static void config_crypt(struct run *r, struct words *w)
{
	static const char *const names[] = {
		[MP_CRYPT_OFF] = "off",
		[MP_CRYPT_PREFER] = "prefer",
		[MP_CRYPT_REQUIRE_ANY] = "require-any",
		[MP_CRYPT_REQUIRE] = "require",
	};
	const char *t = words_next(r, w);
	bool known = false;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], t) == 0) {
			r->cfg.mp.crypt_policy = (enum mp_crypt_policy)i;
			known = true;
			r->secret = i >= MP_CRYPT_REQUIRE_ANY;
		}
	}
	if (!known) {
		pkt_fail(r, "unknown policy \"%s\"", t);
	}
	while (peer_conf_word(r, &r->cfg.mp.crypt_conf, w)) {
	}
}

/* memory warn|enforce: what destinations had before */
static void config_memory(struct run *r, struct words *w)
{
	const char *t = words_next(r, w);

	if (strcmp(t, "warn") != 0 && strcmp(t, "enforce") != 0) {
		pkt_fail(r, "warn or enforce");
	}
	check(crypt_memo_init(&r->memo, &r->fake.env, 16));
	r->cfg.mp.memo = &r->memo;
	r->cfg.mp.memo_mode = t[0] == 'w' ? MP_MEMO_WARN : MP_MEMO_ENFORCE;
}

/* config NAME VALUE .. */
static void line_config(struct run *r, struct words *w)
{
	static char cc[16];

	if (r->running) {
		pkt_fail(r, "too late: the stack runs");
	}
	while (words_peek(w)) {
		const char *t = words_next(r, w);

		if (strcmp(t, "mptcp") == 0) {
			const char *v = words_next(r, w);

			r->cfg.mp.policy = v[0] == 'o'   ? MP_OFF
					   : v[0] == 'p' ? MP_PREFER
							 : MP_REQUIRE;
		} else if (strcmp(t, "crypt") == 0) {
			config_crypt(r, w);
		} else if (strcmp(t, "memory") == 0) {
			config_memory(r, w);
		} else if (strcmp(t, "cookies") == 0) {
			r->cfg.cookies = strcmp(words_next(r, w), "always") == 0
						 ? STACK_COOKIES_ALWAYS
						 : STACK_COOKIES_NEVER;
		} else if (strcmp(t, "checksum") == 0) {
			r->cfg.mp.checksum = on_off(r, w);
		} else if (strcmp(t, "server_joins") == 0) {
			r->cfg.mp.server_joins = on_off(r, w);
		} else if (strcmp(t, "announce") == 0) {
			r->cfg.mp.announce = on_off(r, w);
		} else if (strcmp(t, "subflows") == 0) {
			r->cfg.mp.subflows_max = (uint8_t)words_num(r, w);
		} else if (strcmp(t, "close_timeout") == 0) {
			r->cfg.mp.close_timeout = words_num(r, w) * NANOS_S;
		} else if (strcmp(t, "rcvbuf") == 0) {
			r->cfg.rcvbuf = (uint32_t)words_num(r, w);
		} else if (strcmp(t, "sndbuf") == 0) {
			r->cfg.sndbuf = (uint32_t)words_num(r, w);
		} else if (strcmp(t, "fragments") == 0) {
			r->cfg.drop_fragments = words_next(r, w)[0] == 'd';
		} else if (strcmp(t, "mtuprobing") == 0) {
			const char *v = words_next(r, w);

			r->cfg.mtu_probing = v[1] == 'f' ? TCP_MTUP_OFF
					     : v[1] == 'n' ? TCP_MTUP_ON
						   : TCP_MTUP_BLACKHOLE;
		} else if (strcmp(t, "ecn") == 0) {
			const char *v = words_next(r, w);

			r->cfg.ecn = strcmp(v, "on") == 0    ? TCP_ECN_ON
				     : strcmp(v, "off") == 0 ? TCP_ECN_OFF
							     : TCP_ECN_PASSIVE;
		} else if (strcmp(t, "cc") == 0) {
			snprintf(cc, sizeof(cc), "%s", words_next(r, w));
			r->cfg.congestion = cc;
		} else {
			pkt_fail(r, "\"%s\" is not understood", t);
		}
	}
}

/* path ADDR/LEN.. [backup] [mtu N] [nogso] */
static void line_path(struct run *r, struct words *w)
{
	struct ip_path *p = &r->path[r->n_paths];

	if (r->running || r->n_paths == IP_PATHS_MAX) {
		pkt_fail(r, "no path can be added any more");
	}
	*p = (struct ip_path){ .used = true,
			       .up = true,
			       .csum_offload = true,
			       .gso = true,
			       .mtu = 1500 };
	snprintf(p->name, sizeof(p->name), "p%u", r->n_paths++);
	while (words_peek(w)) {
		unsigned bits;

		if (words_take(w, "backup")) {
			p->backup = true;
		} else if (words_take(w, "mtu")) {
			p->mtu = (uint16_t)words_num(r, w);
		} else if (words_take(w, "nogso")) {
			p->gso = p->csum_offload = false;
		} else if (p->n_addr < IP_PATH_ADDRS_MAX &&
			   addr_parse_net(words_next(r, w), &p->addr[p->n_addr],
					  &bits)) {
			p->bits[p->n_addr++] = (uint8_t)bits;
		} else {
			pkt_fail(r, "no path");
		}
	}
}

/* flow NAME pN PEER:PORT [to PORT] [local ADDR] [isn N] [conn cN] */
static void line_flow(struct run *r, struct words *w)
{
	struct flow *f = &r->flow[r->n_flows];
	const struct ip_path *p;

	if (r->n_flows == PKT_FLOWS) {
		pkt_fail(r, "too many flows");
	}
	*f = (struct flow){ .isn_peer = 0x10000000 * (r->n_flows + 1) - 100,
			    .conn = &r->conn[0] };
	snprintf(f->name, sizeof(f->name), "%s", words_next(r, w));
	if (run_flow(r, f->name)) {
		pkt_fail(r, "declared before");
	}
	f->path = (unsigned)atoi(words_next(r, w) + 1);
	if (f->path >= r->n_paths) {
		pkt_fail(r, "no such path");
	}
	p = &r->path[f->path];
	words_endpoint(r, words_next(r, w), &f->t.remote);
	for (unsigned i = 0; i < p->n_addr; i++) {
		if (p->addr[i].family == f->t.remote.addr.family) {
			f->t.local.addr = p->addr[i];
			break;
		}
	}
	while (words_peek(w)) {
		if (words_take(w, "to")) {
			f->t.local.port = (uint16_t)words_num(r, w);
		} else if (words_take(w, "local")) {
			check(addr_parse(words_next(r, w), &f->t.local.addr));
		} else if (words_take(w, "isn")) {
			f->isn_peer = (uint32_t)words_num(r, w);
		} else if (words_take(w, "conn")) {
			f->conn = &r->conn[atoi(words_next(r, w) + 1) %
					   PKT_CONNS];
		} else {
			words_end(r, w);
		}
	}
	r->n_flows++;
}

struct awaited {
	struct run *r;
	const char *attrs;
};

static bool awaited_came(void *ctx)
{
	const struct awaited *a = ctx;

	return match_find(a->r, a->attrs) >= 0;
}

struct when {
	bool given;
	nanos lo, hi;
};

/* how late a packet may be: the longer a timer, the coarser it may be */
static nanos late(const struct run *r, const struct when *t)
{
	return r->late + (r->coarse ? t->hi / r->coarse : 0);
}

/* > and ?> lines */
static void line_expect(struct run *r, const struct when *t, bool optional,
			const char *attrs, const char *opts)
{
	struct awaited a = { r, attrs };
	struct instant base = r->now;
	int i;

	run_advance(r, instant_add(base, t->hi + (t->given ? late(r, t) : 0)),
		    awaited_came, &a);
	i = match_find(r, attrs);
	if (i < 0 && optional) {
		return;
	}
	if (i < 0) {
		pkt_fail(r, "this packet did not come");
	}
	if (t->given && instant_since(r->q[i].at, base) < t->lo - r->early) {
		pkt_fail(r, "too early: after %.6f s",
			 (double)instant_since(r->q[i].at, base) / 1e9);
	}
	match_packet(r, (unsigned)i, attrs, opts);
	match_drop(r, (unsigned)i);
}

/* attributes and <options> apart; a '<' before a digit is a comparison */
static char *cut_opts(struct run *r, char *attrs)
{
	char *from = attrs, *to;

	do {
		from = strchr(from, '<');
	} while (from && from[1] >= '0' && from[1] <= '9' && from++);
	if (!from) {
		return NULL;
	}
	to = strrchr(from, '>');
	if (!to) {
		pkt_fail(r, "options without end");
	}
	*from = *to = 0;
	return from + 1;
}

static bool line_setup(struct run *r, struct words *w)
{
	if (words_take(w, "config")) {
		line_config(r, w);
	} else if (words_take(w, "path")) {
		line_path(r, w);
	} else if (words_take(w, "flow")) {
		line_flow(r, w);
	} else if (words_take(w, "key")) { /* key cN KEY: the peer's */
		unsigned n = (unsigned)atoi(words_next(r, w) + 1) % PKT_CONNS;

		r->conn[n].key_peer = (uint64_t)words_num(r, w);
	} else if (words_take(w, "hold")) {
		r->hold = true;
	} else if (words_take(w, "release")) {
		r->hold = false;
		run_pump(r);
	} else if (words_take(w, "gso")) {
		r->gso = on_off(r, w);
	} else if (words_take(w, "secret")) {
		r->secret = true;
	} else if (words_take(w, "sweep")) {
		/* sweep_read() has */
	} else {
		return false;
	}
	return true;
}

/* drain [FLOW] */
static void drain(struct run *r, const char *name)
{
	const struct flow *f = name ? run_flow(r, name) : NULL;

	for (unsigned i = r->n_q; i-- > 0;) {
		if (!name || r->q[i].f == f) {
			match_drop(r, i);
		}
	}
}

static void line_rest(struct run *r, const struct when *t, char *p)
{
	struct words w;
	bool optional = p[0] == '?';

	if (p[optional] == '>') {
		char *opts = cut_opts(r, p + optional + 1);

		line_expect(r, t, optional, p + optional + 1, opts);
		return;
	}
	run_advance(r, instant_add(r->now, t->hi), NULL, NULL);
	words_split(&w, p, " \t");
	if (words_take(&w, "drain")) {
		drain(r, words_peek(&w));
		return;
	}
	must_be_quiet(r);
	if (p[0] == '<') {
		char *opts = cut_opts(r, p + 1);

		build_packet(r, p + 1, opts);
	} else if (!words_take(&w, "nothing")) {
		call_line(r, &w);
		run_pump(r);
	}
}

/* if A <|=|> B LINE: whether LINE is for these values, and where it begins */
static bool line_if(struct run *r, char **p, struct words *w)
{
	int64_t a, b;
	char op;

	if (!words_take(w, "if")) {
		return true;
	}
	a = words_num(r, w);
	op = words_next(r, w)[0];
	b = words_num(r, w);
	for (unsigned i = 0; i < 4; i++) {
		*p += strspn(*p, " \t");
		*p += strcspn(*p, " \t");
	}
	words_split(w, *p, " \t");
	return op == '<' ? a < b : op == '>' ? a > b : a == b;
}

static void run_line(struct run *r, char *p)
{
	struct when t = { 0 };
	struct words w;

	words_split(&w, p, " \t");
	if (!line_if(r, &p, &w) || w.n == 0 || line_setup(r, &w)) {
		return;
	}
	p += strspn(p, " \t");
	if (p[0] == '+') { /* +T or +T~T */
		char word[64], *tilde;

		snprintf(word, sizeof(word), "%s", w.w[0] + 1);
		p += strlen(w.w[0]);
		p += strspn(p, " \t");
		tilde = strchr(word, '~');
		if (tilde) {
			*tilde++ = 0;
		}
		t.given = true;
		t.lo = (nanos)(words_real(r, word) * 1e9);
		t.hi = tilde ? (nanos)(words_real(r, tilde) * 1e9) : t.lo;
	}
	line_rest(r, &t, p);
}

static void run_file(struct run *r, const char *file, unsigned depth)
{
	const char *outer = r->file;
	unsigned outer_line = r->line, n = 0;
	char line[PKT_LINE], inc[PKT_LINE + 16];
	FILE *in = fopen(file, "r");

	if (!in || depth > PKT_DEPTH) {
		pkt_fail(r, "cannot read %s", file);
	}
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "#\n")] = 0;
		r->file = file;
		r->line = ++n;
		sweep_expand(r, line);
		snprintf(r->text, sizeof(r->text), "%s", line);
		if (r->verbose && line[0]) {
			printf("%s:%u: %s\n", file, n, line);
		}
		if (sscanf(line, "include %400s", inc) == 1) {
			char path[2 * PKT_LINE + 32];

			snprintf(path, sizeof(path), "tests/pkt/inc/%s.pkt",
				 inc);
			run_file(r, path, depth + 1);
		} else {
			run_line(r, line);
		}
	}
	fclose(in);
	r->file = outer;
	r->line = outer_line;
}

static void run_script(struct run *r, const char *file)
{
	r->file = file;
	fake_init(&r->fake, 1);
	r->hash = hash_new();
	r->cfg.mp = (struct mp_cfg){ .policy = MP_PREFER,
				     .subflows_max = 8,
				     .scheduler = "minrtt",
				     .close_timeout = 60 * NANOS_S };
	crypt_conf_init(&r->cfg.mp.crypt_conf);
	for (unsigned i = 0; i < PKT_CONNS; i++) {
		r->conn[i].key_peer = 0xa0b1c2d3e4f50617 + i * 0x0101010101;
	}
	run_clock(r);
	run_file(r, file, 0);
	snprintf(r->text, sizeof(r->text), "(end of the script)");
	run_advance(r, r->now, NULL, NULL);
	must_be_quiet(r);
	run_end(r);
	crypt_memo_fini(&r->memo);
	peer_free_all(r);
	hash_free(r->hash);
	fake_fini(&r->fake);
}

/* file once for each value that it asks for, or for the value alone */
static void run_values(const char *file, const char *value, bool verbose)
{
	static struct run r;
	struct sweep w;

	r.file = file;
	sweep_read(&r, &w, file);
	for (bool again = false;; again = true) {
		if (again) { /* megabytes, that are zero to begin with */
			memset(&r, 0, sizeof(r));
		}
		r.verbose = verbose;
		r.sweep = w;
		if (value) {
			r.sweep.at = atol(value);
		}
		run_script(&r, file);
		if (value || !sweep_next(&w)) {
			break;
		}
	}
}

/* each in a process of its own: a script that fails ends its process */
static int run_many(char **files)
{
	unsigned passed = 0, failed = 0;

	for (; *files; files++) {
		pid_t pid = fork();
		int status = -1;

		if (pid == 0) {
			alarm(60);
			run_values(*files, NULL, false);
			exit(0);
		}
		if (pid > 0 && waitpid(pid, &status, 0) == pid && !status) {
			passed++;
		} else {
			failed++;
			printf("%s FAILED\n", *files);
			fflush(stdout);
		}
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 2 && strcmp(argv[1], "-v") == 0;

	argv += verbose;
	argc -= verbose;
	if (argc < 2) {
		fprintf(stderr, "usage: pkt-run [-v] SCRIPT [VALUE]\n"
				"       pkt-run -m SCRIPT..\n");
		return 2;
	}
	if (strcmp(argv[1], "-m") == 0) {
		return run_many(argv + 2);
	}
	run_values(argv[1], argc > 2 ? argv[2] : NULL, verbose);
	return 0;
}
