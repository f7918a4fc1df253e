/* kernel_call.c - the program's side with real sockets */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "tests/pkt/kernel.h"
#include "tests/pkt/pkt.h"

struct real {
	char name[16];
	int fd; /* -1: closed */
	int err; /* what SO_ERROR gave */
	bool held; /* TCP_FASTOPEN_CONNECT: the SYN waits for data */
	uint64_t wrote, read;
};

static struct real socks[PKT_SOCKS];
static unsigned n_socks;

static struct real *find(const char *name)
{
	for (unsigned i = n_socks; i-- > 0;) {
		if (strcmp(socks[i].name, name) == 0 && socks[i].fd >= 0) {
			return &socks[i];
		}
	}
	return NULL;
}

static struct real *get(struct run *r, struct words *w)
{
	const char *name = words_next(r, w);
	struct real *s = find(name);

	if (!s) {
		pkt_fail(r, "no socket \"%s\"", name);
	}
	return s;
}

static struct real *add(struct run *r, const char *name, int fd)
{
	const char *cc = r->cfg.congestion ? r->cfg.congestion : "cubic";
	struct real *s = &socks[n_socks++];
	int one = 1, much = 4 << 20;

	check(n_socks < PKT_SOCKS && fd >= 0);
	/* as it always is with us (RFC 6093) */
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	if (setsockopt(fd, IPPROTO_TCP, LX_TCP_CONGESTION, cc,
		       (socklen_t)strlen(cc))) {
		kernel_skip("congestion control %s: it has none", cc);
	}
	/* what a script writes is to be taken */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof(much));
	*s = (struct real){ .fd = fd };
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

/* --- making sockets ------------------------------------------------------------- */

static struct real *open_for(struct run *r, const char *name, uint8_t family)
{
	struct real *s = find(name);

	return s ? s
		 : add(r, name, socket(family == 6 ? AF_INET6 : AF_INET,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0));
}

static socklen_t address(const struct endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (e->addr.family == 6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(e->port);
		memcpy(&v6->sin6_addr, e->addr.b, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(e->port);
	memcpy(&v4->sin_addr, e->addr.b, 4);
	return sizeof(*v4);
}

static int bind_to(const struct real *s, const struct endpoint *e)
{
	struct sockaddr_storage a;
	socklen_t n = address(e, &a);

	return bind(s->fd, (struct sockaddr *)&a, n) ? errno : 0;
}

static void make_socket(struct run *r, const char *name, struct words *w)
{
	open_for(r, name, words_take(w, "6") ? 6 : 4);
}

static void make_connect(struct run *r, const char *name, struct words *w)
{
	struct endpoint to, from;
	struct sockaddr_storage a;
	const char *want = "EINPROGRESS";
	struct real *s;
	int err = 0;
	socklen_t n;

	words_endpoint(r, words_next(r, w), &to);
	s = open_for(r, name, to.addr.family);
	if (words_take(w, "from")) {
		words_endpoint(r, words_next(r, w), &from);
		err = bind_to(s, &from);
	}
	if (words_take(w, "error")) {
		want = words_next(r, w);
	}
	n = address(&to, &a);
	if (!err && connect(s->fd, (struct sockaddr *)&a, n)) {
		err = errno;
	}
	if (err == 0 && strcmp(want, "EINPROGRESS") == 0) {
		s->held = true;
		return;
	}
	opts_errno_want(r, want, err);
}

static void make_listen(struct run *r, const char *name, struct words *w)
{
	unsigned port = (unsigned)words_num(r, w), backlog = 16;
	uint8_t family = words_take(w, "6") ? 6 : 4;
	struct endpoint e = endpoint_make(addr_any(family), (uint16_t)port);
	struct real *s = open_for(r, name, family);

	if (words_take(w, "backlog")) {
		backlog = (unsigned)words_num(r, w);
	}
	opts_errno_want(r, "0", bind_to(s, &e));
	opts_errno_want(r, "0", listen(s->fd, (int)backlog) ? errno : 0);
}

static void make_accept(struct run *r, const char *name, struct words *w)
{
	int fd = accept4(get(r, w)->fd, NULL, NULL,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		pkt_fail(r, "nothing to accept: %s", strerror(errno));
	}
	add(r, name, fd);
}

static void call_noaccept(struct run *r, struct words *w)
{
	if (accept(get(r, w)->fd, NULL, NULL) >= 0) {
		pkt_fail(r, "a connection could be accepted");
	}
}

/* --- data -------------------------------------------------------------------------- */

static void call_write(struct run *r, struct words *w)
{
	static uint8_t buf[1 << 20];
	struct real *s = get(r, w);
	size_t n = (size_t)words_num(r, w), want = n, done = 0;

	check(n <= sizeof(buf));
	if (words_take(w, "got")) {
		want = (size_t)words_num(r, w);
	}
	for (size_t i = 0; i < n; i++) {
		buf[i] = value_octet(s->wrote + i);
	}
	while (done < n) {
		ssize_t k = send(s->fd, buf + done, n - done, MSG_NOSIGNAL);

		if (k <= 0) {
			break;
		}
		done += (size_t)k;
	}
	s->wrote += done;
	if (done != want) {
		pkt_fail(r, "%zu octets were taken", done);
	}
}

static void call_read(struct run *r, struct words *w)
{
	static uint8_t buf[1 << 20];
	struct real *s = get(r, w);
	size_t n = (size_t)words_num(r, w), done = 0;

	check(n <= sizeof(buf));
	while (done < n) {
		ssize_t k = recv(s->fd, buf + done, n - done, 0);

		if (k <= 0) {
			pkt_fail(r, "only %zu octets to read", done);
		}
		done += (size_t)k;
	}
	for (size_t i = 0; i < n; i++) {
		if (buf[i] != value_octet(s->read++)) {
			pkt_fail(r, "octet %llu is wrong",
				 (unsigned long long)s->read - 1);
		}
	}
}

static void number(struct run *r, struct words *w, int got)
{
	int64_t want;
	bool least = words_take(w, ">="), below = words_take(w, "<");

	want = words_num(r, w);
	if (least ? got < want : below ? got >= want : got != want) {
		pkt_fail(r, "got %d", got);
	}
}

static void call_readable(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	int n = 0;

	ioctl(s->fd, SIOCINQ, &n);
	number(r, w, n);
}

static void call_outq(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	int n = 0;

	ioctl(s->fd, SIOCOUTQ, &n);
	number(r, w, n);
}

static bool at_end(struct run *r, struct words *w)
{
	char c;

	return recv(get(r, w)->fd, &c, 1, MSG_PEEK) == 0;
}

static void call_eof(struct run *r, struct words *w)
{
	if (!at_end(r, w)) {
		pkt_fail(r, "no end of file yet");
	}
}

static void call_noeof(struct run *r, struct words *w)
{
	if (at_end(r, w)) {
		pkt_fail(r, "end of file already");
	}
}

/* --- ending --------------------------------------------------------------------------- */

static void call_shutdown(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	int how = words_take(w, "read") ? SHUT_RD : SHUT_WR;

	opts_errno_want(r, "0", shutdown(s->fd, how) ? errno : 0);
}

static void call_close(struct run *r, struct words *w)
{
	struct real *s = get(r, w);

	close(s->fd);
	s->fd = -1;
}

static void call_abort(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	struct linger now = { .l_onoff = 1 };

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(s->fd);
	s->fd = -1;
}

static void call_error(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	int err = 0;
	socklen_t n = sizeof(err);

	/* asking clears it; the script asks again */
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n);
	s->err = err ? err : s->err;
	opts_errno_want(r, words_next(r, w), s->err);
}

enum {
	LINUX_SYN_SENT = 2,
	LINUX_SYN_RECV = 3,
	LINUX_CLOSE = 7,
};

static bool is_connected(struct run *r, struct words *w)
{
	uint8_t state = LINUX_CLOSE; /* tcpi_state, the first octet */
	socklen_t n = sizeof(state);
	struct real *s = get(r, w);

	getsockopt(s->fd, IPPROTO_TCP, LX_TCP_INFO, &state, &n);
	return (s->held && !s->wrote) ||
	       (state != LINUX_SYN_SENT && state != LINUX_SYN_RECV &&
		state != LINUX_CLOSE);
}

static void call_connected(struct run *r, struct words *w)
{
	if (!is_connected(r, w)) {
		pkt_fail(r, "not connected");
	}
}

static void call_noconnected(struct run *r, struct words *w)
{
	if (is_connected(r, w)) {
		pkt_fail(r, "connected");
	}
}

static void call_setopt(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	const struct opt_name *o = opts_find(r, words_next(r, w));
	uint8_t v[OPTS_VALUE_MAX];
	uint32_t n = opts_value(r, w, v);
	const char *want = words_take(w, "error") ? words_next(r, w) : "0";

	opts_errno_want(r, want,
			setsockopt(s->fd, o->level, o->v, v, n) ? errno : 0);
}

static void call_getopt(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	const struct opt_name *o = opts_find(r, words_next(r, w));
	socklen_t n = sizeof(int);
	int v = -1;

	if (getsockopt(s->fd, o->level, o->v, &v, &n)) {
		pkt_fail(r, "error: %s", opts_errno(errno));
	}
	number(r, w, v);
}

static void call_linger(struct run *r, struct words *w)
{
	struct real *s = get(r, w);
	struct linger v = { .l_onoff = !words_take(w, "off") };

	v.l_linger = v.l_onoff ? (int)words_num(r, w) : 0;
	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &v, sizeof(v));
}

/* --- the kernel's table of connections ------------------------------------------------- */

static const char *const state_names[] = {
	"",	      "ESTABLISHED", "SYN-SENT",  "SYN-RECEIVED",
	"FIN-WAIT-1", "FIN-WAIT-2",  "TIME-WAIT", "CLOSED",
	"CLOSE-WAIT", "LAST-ACK",    "LISTEN",	  "CLOSING",
};

/* an address as /proc/net/tcp writes it: words of this machine */
static void proc_text(const struct endpoint *e, char *out, size_t n)
{
	unsigned words = e->addr.family == 6 ? 4 : 1;
	size_t at = 0;

	for (unsigned i = 0; i < words; i++) {
		uint32_t v;

		memcpy(&v, e->addr.b + 4 * i, 4);
		at += (size_t)snprintf(out + at, n - at, "%08X", v);
	}
	snprintf(out + at, n - at, ":%04X", e->port);
}

static const char *state_of(const struct flow *f)
{
	bool v6 = f->t.local.addr.family == 6;
	FILE *in = fopen(v6 ? "/proc/net/tcp6" : "/proc/net/tcp", "r");
	char line[512], local[64], remote[64], port[8];
	const char *found = "CLOSED";

	check(in);
	proc_text(&f->t.local, local, sizeof(local));
	proc_text(&f->t.remote, remote, sizeof(remote));
	snprintf(port, sizeof(port), ":%04X", f->t.local.port);
	while (fgets(line, sizeof(line), in)) {
		char l[64], p[64];
		unsigned st;

		if (sscanf(line, " %*d: %63s %63s %x", l, p, &st) != 3 ||
		    st >= ARRAY_SIZE(state_names)) {
			continue;
		}
		if (strcmp(l, local) == 0 && strcmp(p, remote) == 0) {
			found = state_names[st];
			break;
		}
		if (strcmp(state_names[st], "LISTEN") == 0 &&
		    strstr(l, port)) {
			found = "LISTEN";
		}
	}
	fclose(in);
	return found;
}

static void call_state(struct run *r, struct words *w)
{
	const struct flow *f = run_flow(r, words_next(r, w));
	const char *want = words_next(r, w), *got;

	got = f ? state_of(f) : "";
	/* beside a listener CLOSED means the tuple alone */
	if (strcmp(want, got) != 0 &&
	    (strcmp(want, "CLOSED") != 0 || strcmp(got, "LISTEN") != 0)) {
		pkt_fail(r, "state: got %s", got);
	}
}

/* of our stack alone */
static void call_ours(struct run *r, struct words *w)
{
	while (words_peek(w)) {
		words_next(r, w);
	}
}

static const struct words_call calls[] = {
	{ "write", call_write },
	{ "read", call_read },
	{ "readable", call_readable },
	{ "eof", call_eof },
	{ "noeof", call_noeof },
	{ "outq", call_outq },
	{ "shutdown", call_shutdown },
	{ "close", call_close },
	{ "abort", call_abort },
	{ "error", call_error },
	{ "connected", call_connected },
	{ "noconnected", call_noconnected },
	{ "setopt", call_setopt },
	{ "getopt", call_getopt },
	{ "linger", call_linger },
	{ "noaccept", call_noaccept },
	{ "state", call_state },
	{ "icmp", build_icmp },
	{ "icmpsent", match_icmp },
	{ "counter", call_ours },
	{ "conns", call_ours },
	{ "timewait", call_ours },
	{ "mode", call_ours },
};

static const struct words_maker makers[] = {
	{ "socket", make_socket },
	{ "connect", make_connect },
	{ "listen", make_listen },
	{ "accept", make_accept },
};

void call_line(struct run *r, struct words *w)
{
	const char *name = words_call(r, w, calls, ARRAY_SIZE(calls), makers,
				      ARRAY_SIZE(makers));

	if (!name) {
		return;
	}
	kernel_skip("%s: of this stack alone", name);
}
