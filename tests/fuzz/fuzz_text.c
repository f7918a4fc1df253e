/* fuzz_text.c - what programs and files say: names and requests of the shim,
 * options and their environment, the file of known destinations, executables
 *
 * The first octet chooses what the rest is.
 */
#include <stdint.h>

#include "stack/chan/chan_addr.h"
#include "stack/chan/chan_msg.h"
#include "stack/chan/conf.h"
#include "stack/chan/elf.h"
#include "stack/engine/known.h"
#include "tests/fuzz/fuzz.h"

#define ARGS 24

static const struct chan_run run = { .id = 7, .secret = { 1, 2, 3 } };

/* as it is, and with the tag that only who knows the secret can make */
static void name(const uint8_t *p, size_t n)
{
	uint8_t sa[CHAN_ADDR_MAX], again[CHAN_NAME_LEN];
	uint8_t *exact = dup_bytes(p, n); /* its end is watched */
	struct chan_name a = { 0 }, b;
	struct endpoint e;
	uint32_t scope;

	chan_name_decode(&run, exact, (unsigned)n, &a);
	if (chan_addr_get(exact, n, &e, &scope)) {
		must(e.addr.family == 4 || e.addr.family == 6);
		must(chan_addr_put(&e, e.addr.family, scope, sa) >= 16);
	}
	chan_addr_un_get(&run, exact, n, &a);
	free(exact);
	memset(&a, 0, sizeof(a));
	a.kind = n > 0 && p[0] & 1 ? CHAN_KIND_CONN : CHAN_KIND_SOCK;
	a.family = 6;
	a.id = n;
	if (n > 34 && a.kind == CHAN_KIND_CONN) {
		a.local.addr = addr_from(6, p + 2);
		a.remote.addr = addr_from(6, p + 18);
		a.local.port = p[34];
	}
	chan_name_encode(&run, &a, again);
	must(chan_name_decode(&run, again, sizeof(again), &b));
	must(a.kind == b.kind && a.id == b.id && a.local.port == b.local.port);
}

static void request(const uint8_t *p, size_t n)
{
	static struct chan_req q;
	static struct chan_rep r;
	size_t got = min_size(n, sizeof(q));

	memset(&q, 0xa5, sizeof(q));
	memcpy(&q, p, got);
	if (got > 32 && p[0] & 1) { /* from who knows the secret */
		q.magic = CHAN_MSG_MAGIC;
		q.version = CHAN_MSG_VERSION;
		memcpy(q.secret, run.secret, sizeof(q.secret));
	}
	if (chan_req_check(&q, got, &run) == CHAN_GOOD) {
		must(chan_req_size(&q) <= sizeof(q));
		must(q.len <= sizeof(q.val) || q.op == CHAN_OP_GETSOCKOPT ||
		     (q.op == CHAN_OP_BEGIN && q.len <= CHAN_STUFF_MAX));
		chan_op_name(q.op);
	}
	memset(&r, 0x5a, sizeof(r));
	got = min_size(n, sizeof(r));
	memcpy(&r, p, got);
	if (chan_rep_ok(&r, got)) {
		must(r.n_opt <= CHAN_OPT_REPLAY);
		must(chan_rep_size(&r) <= sizeof(r));
	}
}

struct words {
	char *w[ARGS + 1];
	unsigned n;
};

static void split(struct words *w, char *text, size_t n)
{
	char *p = text;

	w->n = 0;
	while (w->n < ARGS && p < text + n) {
		w->w[w->n++] = p;
		p += strlen(p) + 1;
	}
	w->w[w->n] = NULL;
}

static const char *lookup(void *ctx, const char *name)
{
	const struct words *w = ctx;
	size_t n = strlen(name);

	for (unsigned i = 0; i < w->n; i++) {
		if (!strncmp(w->w[i], name, n) && w->w[i][n] == '=') {
			return w->w[i] + n + 1;
		}
	}
	return NULL;
}

/* arguments that are taken lead a second time to the same */
static void options(const uint8_t *p, size_t n, unsigned who)
{
	static char buf[CONF_ARGS_TEXT];
	char *text = (char *)dup_bytes(p, n + 1), *argv[CONF_ARGS_MAX + 1];
	char err[CONF_ERR_MAX] = "";
	struct run_conf c, d;
	struct words w;
	int rest, argc;

	text[n] = 0;
	split(&w, text, n);
	conf_init(&c);
	if (conf_args(&c, who, (int)w.n, w.w, &rest, err) == CONF_OK &&
	    conf_env(&c, who, lookup, &w, err) && conf_check(&c, err)) {
		argc = conf_argv(&c, "x", argv, buf, sizeof(buf));
		must(argc > 0);
		conf_init(&d);
		must(conf_args(&d, CONF_STACKD, argc, argv, &rest, err) ==
		     CONF_OK);
		must(conf_check(&d, err));
		must(c.n_tun == d.n_tun && c.mptcp == d.mptcp &&
		     c.n_exclude == d.n_exclude &&
		     c.crypt.policy == d.crypt.policy &&
		     c.crypt.rekey_octets == d.crypt.rekey_octets);
	} else {
		must(strlen(err) < sizeof(err) && !strchr(err, '\n'));
	}
	free(text);
}

static void lines(const uint8_t *p, size_t n)
{
	char *text = (char *)dup_bytes(p, n + 1), again[KNOWN_LINE];
	struct known_entry e, f;
	struct chan_run r;

	text[n] = 0;
	if (known_parse(text, &e)) {
		known_text(&e, again);
		must(known_parse(again, &f));
		must(endpoint_eq(&e.to, &f.to) && e.mode == f.mode &&
		     e.first == f.first && e.last == f.last);
	}
	chan_run_parse(text, &r);
	free(text);
}

static struct input file; /* "/x", the only one that there is */

static bool file_open(const char *path, struct elf_file *f)
{
	*f = (struct elf_file){ .mode = 0100700 };
	return strcmp(path, "/x") == 0;
}

static long file_read(int fd, void *buf, size_t n, uint64_t off)
{
	size_t left = off < file.n ? file.n - (size_t)off : 0;

	(void)fd;
	n = n < left ? n : left;
	if (n) {
		memcpy(buf, file.p + off, n);
	}
	return (long)n;
}

static void file_close(int fd)
{
	(void)fd;
}

static void executable(const uint8_t *p, size_t n)
{
	static const struct elf_sys sys = { file_open, file_read, file_close };
	char why[ELF_WHY_MAX];
	int rc;

	file = (struct input){ p, n };
	rc = elf_reach(&sys, "/x", why, sizeof(why));
	must(rc == 0 || strlen(why) < sizeof(why));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	unsigned what = in_u8(&in);
	uint8_t *p;

	n = in.n;
	p = in_bytes(&in, &n);
	p = realloc(p, n + 1);
	must(p);
	p[n] = 0;
	switch (what % 6) {
	case 0:
		name(p, n);
		break;
	case 1:
		request(p, n);
		break;
	case 2:
		options(p, n, CONF_RUN);
		break;
	case 3:
		options(p, n, CONF_STACKD);
		break;
	case 4:
		lines(p, n);
		break;
	default:
		executable(p, n);
		break;
	}
	free(p);
	return 0;
}
