/* call.c - the program's side: socket calls, and what it sees */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "tests/pkt/pkt.h"

static struct handle *handle(struct run *r, const char *name)
{
	for (unsigned i = r->n_socks; i-- > 0;) {
		if (strcmp(r->sock[i].name, name) == 0 && r->sock[i].sk) {
			return &r->sock[i];
		}
	}
	pkt_fail(r, "no socket \"%s\"", name);
}

static struct handle *handle_new(struct run *r, const char *name,
				 struct sock *sk)
{
	struct handle *h = &r->sock[r->n_socks];

	check(r->n_socks < PKT_SOCKS);
	r->n_socks++;
	*h = (struct handle){ .sk = sk };
	snprintf(h->name, sizeof(h->name), "%s", name);
	return h;
}

/* --- making sockets ---------------------------------------------------------- */

/* NAME = socket [6] */
static void call_socket(struct run *r, const char *name, struct words *w)
{
	uint8_t family = words_take(w, "6") ? 6 : 4;

	handle_new(r, name, sock_open(r->s, family));
}

/* the socket of that name made by `socket` before, else a new one */
static struct handle *handle_for(struct run *r, const char *name,
				 uint8_t family)
{
	for (unsigned i = r->n_socks; i-- > 0;) {
		if (strcmp(r->sock[i].name, name) == 0 && r->sock[i].sk) {
			return &r->sock[i];
		}
	}
	return handle_new(r, name, sock_open(r->s, family));
}

/* NAME = connect ADDR:PORT [from ADDR:PORT] [error NAME] */
static void call_connect(struct run *r, const char *name, struct words *w)
{
	struct endpoint to, from;
	const char *want = "EINPROGRESS";
	struct handle *h;
	int err = 0;

	words_endpoint(r, words_next(r, w), &to);
	h = handle_for(r, name, to.addr.family);
	if (words_take(w, "from")) {
		words_endpoint(r, words_next(r, w), &from);
		err = sock_bind(h->sk, &from);
	}
	if (words_take(w, "error")) {
		want = words_next(r, w);
	}
	if (!err) {
		err = sock_connect(h->sk, r->now, &to);
	}
	opts_errno_want(r, want, err);
}

/* NAME = listen PORT [6] [backlog N] */
static void call_listen(struct run *r, const char *name, struct words *w)
{
	unsigned port = (unsigned)words_num(r, w), backlog = 16;
	uint8_t family = words_take(w, "6") ? 6 : 4;
	struct endpoint e = endpoint_make(addr_any(family), (uint16_t)port);
	struct handle *h = handle_for(r, name, family);

	if (words_take(w, "backlog")) {
		backlog = (unsigned)words_num(r, w);
	}
	opts_errno_want(r, "0", sock_bind(h->sk, &e));
	opts_errno_want(r, "0", sock_listen(h->sk, r->now, backlog));
}

/* NAME = accept LISTENER */
static void call_accept(struct run *r, const char *name, struct words *w)
{
	struct handle *l = handle(r, words_next(r, w));
	struct sock *sk = sock_accept(l->sk, r->now);

	if (!sk) {
		pkt_fail(r, "nothing to accept");
	}
	handle_new(r, name, sk);
}

static void call_noaccept(struct run *r, struct words *w)
{
	if (sock_accept(handle(r, words_next(r, w))->sk, r->now)) {
		pkt_fail(r, "a connection could be accepted");
	}
}

/* --- data ----------------------------------------------------------------------- */

/* write NAME N [got M] */
static void call_write(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	uint64_t n = (uint64_t)words_num(r, w), want = n, done = 0;

	if (words_take(w, "got")) {
		want = (uint64_t)words_num(r, w);
	}
	while (done < n) {
		struct iov_mut v[2];
		uint32_t part = 0;
		unsigned k = sock_write_vec(h->sk, (uint32_t)(n - done), v);

		for (unsigned i = 0; i < k; i++) {
			for (size_t j = 0; j < v[i].n && done < n; j++) {
				v[i].p[j] = value_octet(h->wrote++);
				done++;
				part++;
			}
		}
		if (part == 0) {
			break;
		}
		sock_write_done(h->sk, r->now, part);
	}
	if (done != want) {
		pkt_fail(r, "%llu octets were taken", (unsigned long long)done);
	}
}

/* read NAME N */
static void call_read(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	uint64_t n = (uint64_t)words_num(r, w), done = 0;

	while (done < n) {
		struct iov v[8];
		unsigned k = sock_read_vec(h->sk, v, 8);
		uint64_t part = 0;

		for (unsigned i = 0; i < k; i++) {
			for (size_t j = 0; j < v[i].n && done < n; j++) {
				if (v[i].p[j] != value_octet(h->read)) {
					pkt_fail(r, "octet %llu is wrong",
						 (unsigned long long)h->read);
				}
				h->read++;
				done++;
				part++;
			}
		}
		if (part == 0) {
			pkt_fail(r, "only %llu octets to read",
				 (unsigned long long)done);
		}
		sock_read_done(h->sk, r->now, part);
	}
}

static void num_want(struct run *r, const char *what, uint64_t got,
		     struct words *w)
{
	const char *op = words_take(w, ">=")  ? ">="
			 : words_take(w, "<") ? "<"
					      : "";
	uint64_t want = (uint64_t)words_num(r, w);
	bool ok = op[0] == '>'   ? got >= want
		  : op[0] == '<' ? got < want
				 : got == want;

	if (!ok) {
		pkt_fail(r, "%s: expected %s%llu, got %llu", what, op,
			 (unsigned long long)want, (unsigned long long)got);
	}
}

static void call_readable(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));

	num_want(r, "readable", sock_read_len(h->sk), w);
}

/* mark NAME N|none: octets before the peer's urgent one */
static void call_mark(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	uint64_t got = sock_read_mark(h->sk);

	if (words_take(w, "none")) {
		if (got != UINT64_MAX) {
			pkt_fail(r, "mark: %llu", (unsigned long long)got);
		}
		return;
	}
	num_want(r, "mark", got, w);
}

static void call_eof(struct run *r, struct words *w)
{
	if (!sock_read_eof(handle(r, words_next(r, w))->sk)) {
		pkt_fail(r, "no end of file yet");
	}
}

static void call_noeof(struct run *r, struct words *w)
{
	if (sock_read_eof(handle(r, words_next(r, w))->sk)) {
		pkt_fail(r, "end of file already");
	}
}

static void call_outq(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));

	num_want(r, "outq", sock_outq(h->sk), w);
}

static void call_urgent(struct run *r, struct words *w)
{
	sock_urgent(handle(r, words_next(r, w))->sk, r->now);
}

/* --- ending ----------------------------------------------------------------------- */

static void call_shutdown(struct run *r, struct words *w)
{
	struct sock *sk = handle(r, words_next(r, w))->sk;

	opts_errno_want(r, "0",
		   words_take(w, "read") ? sock_shutdown_read(sk, r->now)
					 : sock_shutdown_write(sk, r->now));
}

static void call_close(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));

	sock_close(h->sk, r->now, false);
	h->sk = NULL;
}

static void call_abort(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));

	sock_close(h->sk, r->now, true);
	h->sk = NULL;
}

static void call_error(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	int err = sock_error_peek(h->sk);

	opts_errno_want(r, words_next(r, w),
			err ? err : sock_soft_error(h->sk));
}

static void call_connected(struct run *r, struct words *w)
{
	if (!sock_connected(handle(r, words_next(r, w))->sk)) {
		pkt_fail(r, "not connected");
	}
}

static void call_noconnected(struct run *r, struct words *w)
{
	if (sock_connected(handle(r, words_next(r, w))->sk)) {
		pkt_fail(r, "connected");
	}
}

/* --- options -------------------------------------------------------------------------- */

/* setopt NAME OPTION VALUE|hex OCTETS [error E] */
static void call_setopt(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	const struct opt_name *o = opts_find(r, words_next(r, w));
	uint8_t v[OPTS_VALUE_MAX];
	uint32_t n = opts_value(r, w, v);
	const char *want = words_take(w, "error") ? words_next(r, w) : "0";

	opts_errno_want(r, want,
			sock_setopt(h->sk, r->now, o->level, o->v, v, n));
}

/* getopt NAME OPTION VALUE */
static void call_getopt(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	const struct opt_name *o = opts_find(r, words_next(r, w));
	uint32_t n = sizeof(int);
	int v = -1;

	opts_errno_want(r, "0",
			sock_getopt(h->sk, r->now, o->level, o->v, &v, &n));
	num_want(r, o->name, (uint64_t)(int64_t)v, w);
}

/* linger NAME SECONDS|off */
static void call_linger(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	int v[2] = { !words_take(w, "off"), 0 };

	v[1] = v[0] ? (int)words_num(r, w) : 0;
	opts_errno_want(r, "0",
			sock_setopt(h->sk, r->now, LX_SOL_SOCKET, LX_SO_LINGER,
				    v, sizeof(v)));
}

/* --- asking -------------------------------------------------------------------------- */

struct counter {
	const char *name;
	uint64_t v;
	bool found;
};

static void counter_fn(void *ctx, const char *name, const char *text,
		       uint64_t v)
{
	struct counter *c = ctx;

	(void)text;
	if (strcmp(c->name, name) == 0) {
		c->v = v;
		c->found = true;
	}
}

/* counter NAME [>=] N */
static void call_counter(struct run *r, struct words *w)
{
	struct counter c = { words_next(r, w), 0, false };

	stack_counters(r->s, counter_fn, &c);
	if (!c.found) {
		pkt_fail(r, "no counter \"%s\"", c.name);
	}
	num_want(r, c.name, c.v, w);
}

/* mode NAME smtcp|tcpcrypt|mptcp|tcp|pending [COUNTER that says why] */
static void call_mode(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	const char *want = words_next(r, w);
	const char *got, *why;
	struct mp_info info;

	if (!sock_info(h->sk, &info)) {
		pkt_fail(r, "no connection");
	}
	got = mp_info_mode(&info);
	if (strcmp(got, want) != 0) {
		pkt_fail(r, "mode: got %s", got);
	}
	while (words_peek(w)) {
		/* MPTcpExt..: why no Multipath TCP; Crypt..: no encryption */
		want = words_next(r, w);
		why = strncmp(want, "Crypt", 5) == 0 ?
			      crypt_reason_name(info.why_clear) :
			      mp_reason_name(info.why_plain);
		if (strcmp(want, why) != 0) {
			pkt_fail(r, "why: got %s", why);
		}
	}
}

/* session NAME [cN]: as the peer has it; session NAME none */
static void call_session(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	struct mp_info info;

	if (!sock_info(h->sk, &info)) {
		pkt_fail(r, "no connection");
	}
	if (!words_take(w, "none")) {
		peer_session(r, &info, w);
	} else if (info.have_session_id) {
		pkt_fail(r, "there is a session id");
	}
}

/* is NAME WORD..: what was agreed, as the program is told; see peer_word() */
static void call_is(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	struct mp_info info;

	if (!sock_info(h->sk, &info)) {
		pkt_fail(r, "no connection");
	}
	while (words_peek(w)) {
		const char *t = words_next(r, w);
		bool ok = strcmp(t, "weaker") == 0   ? info.weaker
			  : strcmp(t, "sealed") == 0 ? info.sealed
			  : strcmp(t, "clear") == 0
				  ? !info.sealed
				  : peer_word(r, &info.crypt, t);

		if (!ok) {
			pkt_fail(r, "%s: it is not", t);
		}
	}
}

/* subflows NAME N: open ones */
static void call_subflows(struct run *r, struct words *w)
{
	struct handle *h = handle(r, words_next(r, w));
	struct mp_info info;
	unsigned n = 0;

	if (sock_info(h->sk, &info)) {
		for (unsigned i = 0; i < info.n_subs; i++) {
			n += info.sub[i].established && !info.sub[i].closed;
		}
	}
	num_want(r, "subflows", n, w);
}

static void call_conns(struct run *r, struct words *w)
{
	num_want(r, "conns", stack_conns(r->s), w);
}

static void call_timewait(struct run *r, struct words *w)
{
	num_want(r, "timewait", stack_timewait(r->s), w);
}

static unsigned path_of(struct run *r, struct words *w)
{
	const char *t = words_next(r, w);
	unsigned i = (unsigned)atoi(t + 1);

	if (t[0] != 'p' || i >= r->n_paths) {
		pkt_fail(r, "no path \"%s\"", t);
	}
	return i;
}

static void call_path(struct run *r, struct words *w)
{
	unsigned i = path_of(r, w);

	stack_path_set_up(r->s, r->now, i, strcmp(words_next(r, w), "up") == 0);
}

static const struct words_call calls[] = {
	{ "write", call_write },
	{ "read", call_read },
	{ "readable", call_readable },
	{ "mark", call_mark },
	{ "eof", call_eof },
	{ "noeof", call_noeof },
	{ "outq", call_outq },
	{ "urgent", call_urgent },
	{ "shutdown", call_shutdown },
	{ "close", call_close },
	{ "abort", call_abort },
	{ "error", call_error },
	{ "connected", call_connected },
	{ "noconnected", call_noconnected },
	{ "setopt", call_setopt },
	{ "getopt", call_getopt },
	{ "linger", call_linger },
	{ "counter", call_counter },
	{ "mode", call_mode },
	{ "session", call_session },
	{ "is", call_is },
	{ "subflows", call_subflows },
	{ "peer", peer_line },
	{ "conns", call_conns },
	{ "timewait", call_timewait },
	{ "state", state_call },
	{ "set", call_path },
	{ "noaccept", call_noaccept },
	{ "icmp", build_icmp },
	{ "icmpsent", match_icmp },
};

static const struct words_maker makers[] = {
	{ "socket", call_socket },
	{ "connect", call_connect },
	{ "listen", call_listen },
	{ "accept", call_accept },
};

void call_line(struct run *r, struct words *w)
{
	const char *name = words_call(r, w, calls, ARRAY_SIZE(calls), makers,
				      ARRAY_SIZE(makers));

	if (!name) {
		return;
	}
	pkt_fail(r, "\"%s\" is not understood", name);
}
