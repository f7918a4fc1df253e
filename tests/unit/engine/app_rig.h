/* app_rig.h - app.c in a process of its own making: the loop, the core and the
 * programs are all in this test, stepped by hand
 */
#ifndef TESTS_UNIT_ENGINE_APP_RIG_H
#define TESTS_UNIT_ENGINE_APP_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/un.h>

#include "stack/chan/chan_addr.h"
#include "stack/engine/app.h"
#include "stack/engine/heap.h"
#include "tests/lib/fake.h"

struct rig {
	struct fake fake;
	struct heap heap;
	struct engine e;
	unsigned sent; /* packets that the core sent */
	struct fake far_fake;
	struct stack *far; /* at the other end of the path; NULL: nobody */
};

/* used by some of the tests that include this */
#define MAYBE __attribute__((unused))

static struct rig rig;
/* of the next stack that is made; off by default */
static enum mp_crypt_policy rig_crypt;
static bool rig_remembers;

/* engine.c's, for a test that has no keeper and no lifetime */
void engine_log(const struct engine *e, int level, const char *fmt, ...)
{
	(void)e;
	(void)level;
	(void)fmt;
}

void engine_force_buf(struct engine *e, int fd, int sndbuf, int rcvbuf)
{
	(void)e;
	(void)fd;
	(void)sndbuf;
	(void)rcvbuf;
}

void engine_watch_pid(struct engine *e, int pid)
{
	(void)e;
	assert_int_equal(pid, getpid());
}

/* --- the stack process ------------------------------------------------------ */

static void pkt_release(struct pkt *p)
{
	free(p->data);
	free(p);
}

static void deliver(struct stack *to, const struct pkt_out *o)
{
	struct pkt *p = calloc(1, sizeof(*p));
	uint32_t at = o->hdr_len;

	p->data = malloc(o->len);
	p->len = o->len;
	p->truesize = o->len;
	p->refs = 1;
	p->release = pkt_release;
	memcpy(p->data, o->hdr, o->hdr_len);
	for (unsigned i = 0; i < o->n_iov; i++) {
		memcpy(p->data + at, o->iov[i].p, o->iov[i].n);
		at += (uint32_t)o->iov[i].n;
	}
	stack_input(to, rig.e.now, p);
}

static unsigned carry(struct stack *from, struct stack *to)
{
	struct pkt_out out[16];
	unsigned got, total = 0;

	do {
		got = stack_output(from, rig.e.now, out, 16);
		for (unsigned i = 0; to && i < got; i++) {
			deliver(to, &out[i]);
		}
		total += got;
	} while (got == 16);
	return total;
}

static void turn(unsigned n)
{
	while (n-- > 0) {
		io_turn(rig.e.io, instant_add(io_now(), NANOS_MS));
		rig.e.now = io_time(rig.e.io);
		stack_tick(rig.e.stack, rig.e.now);
		app_turn(&rig.e);
		rig.sent += carry(rig.e.stack, rig.far);
		if (rig.far) {
			stack_tick(rig.far, rig.e.now);
			carry(rig.far, rig.e.stack);
			app_turn(&rig.e);
		}
		io_flush(rig.e.io);
	}
}

static struct stack *stack_at(struct fake *f, uint64_t seed, struct addr addr)
{
	struct stack_cfg cfg = {
		.mp = { .policy = MP_PREFER,
			.subflows_max = 4,
			.scheduler = "minrtt",
			.close_timeout = 60 * NANOS_S },
	};
	struct ip_path path = { .up = true, .mtu = 1500, .n_addr = 1 };
	struct stack *s;

	cfg.mp.crypt_policy = rig_crypt;
	cfg.mp.memo_mode = rig_remembers ? MP_MEMO_WARN : MP_MEMO_OFF;
	crypt_conf_init(&cfg.mp.crypt_conf);

	fake_init(f, seed);
	s = stack_new(&f->env, &cfg, rig.e.now);
	assert_non_null(s);
	path.addr[0] = addr;
	path.bits[0] = 24;
	assert_int_equal(stack_path_add(s, rig.e.now, &path), 0);
	return s;
}

static int rig_up(void **st)
{
	(void)st;
	memset(&rig, 0, sizeof(rig));
	heap_init(&rig.heap);
	rig.e.heap = &rig.heap;
	rig.e.keeper_fd = -1;
	rig.e.run = (struct chan_run){ (uint64_t)getpid(), { 1, 2, 3 } };
	rig.e.io = io_new(IO_AUTO);
	assert_non_null(rig.e.io);
	rig.e.now = io_now();
	rig.e.stack = stack_at(&rig.fake, 1, addr_v4(10, 9, 0, 2));
	assert_int_equal(app_start(&rig.e), 0);
	turn(1);
	return 0;
}

MAYBE static int rig_down(void **st)
{
	(void)st;
	app_stop(&rig.e);
	stack_free(rig.e.stack);
	io_free(rig.e.io);
	fake_fini(&rig.fake);
	heap_fini(&rig.heap);
	assert_int_equal(rig.heap.slab.n_blocks, 0);
	if (rig.far) {
		stack_free(rig.far);
		fake_fini(&rig.far_fake);
	}
	return 0;
}

MAYBE static uint64_t count(enum app_reason r)
{
	return rig.e.app->count[r];
}

/* a network namespace of our own with loopback up */
static bool own_netns(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	int fd, rc;

	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		return false;
	}
	strcpy(ifr.ifr_name, "lo");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return rc == 0;
}

MAYBE static void without_netns(void **st)
{
	(void)st;
	print_message("no network namespace of our own\n");
	skip();
}

MAYBE static int skip_all(void)
{
	const struct CMUnitTest t[] = { cmocka_unit_test(without_netns) };

	return cmocka_run_group_tests(t, NULL, NULL);
}

/* all of the tests in a network namespace of our own, or none */
#define run_apart(tests) \
	(own_netns() ? cmocka_run_group_tests(tests, NULL, NULL) : skip_all())

/* --- a program ---------------------------------------------------------------- */

static struct chan_rep rep; /* the last answer */

static struct endpoint lo(uint16_t port)
{
	return endpoint_make(addr_v4(127, 0, 0, 1), port);
}

/* at the other end of the path */
MAYBE static struct endpoint far(uint16_t port)
{
	return endpoint_make(addr_v4(10, 9, 0, 1), port);
}

/* what socket() gives a program */
MAYBE static int prog_socket(struct chan_name *n)
{
	static uint64_t id = 1000;
	struct sockaddr_un un;
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*n = (struct chan_name){ .kind = CHAN_KIND_SOCK,
				 .family = 4,
				 .id = ++id };
	len = chan_addr_un(&rig.e.run, n, &un);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, len), 0);
	return fd;
}

/* to one of the two names of the stack process */
static void connect_name(int s, enum chan_kind kind)
{
	const struct chan_name n = { .kind = (uint8_t)kind };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&rig.e.run, &n, &un);

	assert_int_equal(connect(s, (struct sockaddr *)&un, len), 0);
}

/* sends len octets with descriptors; the connection */
static int raw_ask(const void *p, size_t len, const int *fd, unsigned n_fd)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(2 * sizeof(int))];
	} c;
	struct iovec v;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	uint8_t copy[sizeof(struct chan_req)];
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	memcpy(copy, p, len);
	v = (struct iovec){ copy, len };
	connect_name(s, CHAN_KIND_CTL);
	if (n_fd > 0) {
		m.msg_control = c.b;
		m.msg_controllen = CMSG_SPACE(n_fd * sizeof(int));
		c.h.cmsg_level = SOL_SOCKET;
		c.h.cmsg_type = SCM_RIGHTS;
		c.h.cmsg_len = CMSG_LEN(n_fd * sizeof(int));
		memcpy(CMSG_DATA(&c.h), fd, n_fd * sizeof(int));
	}
	assert_int_equal(sendmsg(s, &m, MSG_NOSIGNAL), len);
	return s;
}

/* the answer's err; -1: the connection was closed without one */
static int answer_of(int s)
{
	ssize_t n = -1;

	for (unsigned i = 0; i < 50 && n < 0; i++) {
		turn(1);
		n = recv(s, &rep, sizeof(rep), 0);
	}
	close(s);
	if (n <= 0) {
		return -1;
	}
	assert_true(chan_rep_ok(&rep, (size_t)n));
	return rep.err;
}

static int ask_fd(struct chan_req *q, const int *fd, unsigned n_fd)
{
	q->n_fd = (uint8_t)n_fd;
	return answer_of(raw_ask(q, chan_req_size(q), fd, n_fd));
}

MAYBE static int ask(enum chan_op op, const struct chan_name *n, int level)
{
	struct chan_req q;

	chan_req_init(&q, &rig.e.run, op, n);
	q.level = level;
	return ask_fd(&q, NULL, 0);
}

MAYBE static int int_of_rep(void)
{
	int v;

	memcpy(&v, rep.val, sizeof(v));
	return v;
}

/* setsockopt() of a program, or getsockopt() without a value */
MAYBE static struct chan_req opt_req(const struct chan_name *n, int level,
				     int name, const void *v, uint32_t len)
{
	struct chan_req q;

	chan_req_init(&q, &rig.e.run,
		      v ? CHAN_OP_SETSOCKOPT : CHAN_OP_GETSOCKOPT, n);
	q.level = level;
	q.name = name;
	q.len = len;
	if (v) {
		memcpy(q.val, v, len);
	}
	return q;
}

MAYBE static int set_opt(const struct chan_name *n, int level, int name,
			 const void *v, uint32_t len)
{
	struct chan_req q = opt_req(n, level, name, v, len);

	return ask_fd(&q, NULL, 0);
}

MAYBE static int set_int(const struct chan_name *n, int level, int name, int v)
{
	return set_opt(n, level, name, &v, sizeof(v));
}

/* the value is that of the answer */
MAYBE static int get_opt(const struct chan_name *n, int level, int name,
			 uint32_t len)
{
	struct chan_req q = opt_req(n, level, name, NULL, len);

	return ask_fd(&q, NULL, 0);
}

/* -1: an error */
MAYBE static int get_int(const struct chan_name *n, int level, int name)
{
	return get_opt(n, level, name, sizeof(int)) == 0 ? int_of_rep() : -1;
}

MAYBE static int outq(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, SIOCOUTQ, &n), 0);
	return n;
}

MAYBE static int kernel_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
}

/* connect() of a program; kernel sockets are made as asked */
MAYBE static int prog_connect(int fd, const struct chan_name *n,
			      struct endpoint to, bool blocking)
{
	struct chan_req q;
	int both[2] = { fd, -1 };
	int err;

	chan_req_init(&q, &rig.e.run, CHAN_OP_CONNECT, n);
	q.addr = to;
	q.flags = blocking ? 0 : CHAN_F_NONBLOCK;
	err = ask_fd(&q, both, 1);
	if (err == CHAN_NEED_KERNEL) {
		both[1] = kernel_socket();
		err = ask_fd(&q, both, 2);
		close(both[1]);
	}
	return err;
}

#define STUFF 33000u

/* what the shim does instead of asking: the socket connects to us, and its
 * first `sent` octets are the request and stuffing; 0: all of it */
MAYBE static void prog_begin_with(int fd, const struct chan_req *q, size_t sent)
{
	static uint8_t b[sizeof(struct chan_req) + STUFF];
	const size_t head = offsetof(struct chan_req, val);
	const int small = 16411;

	memset(b, 0, sizeof(b));
	memcpy(b, q, head);
	connect_name(fd, CHAN_KIND_DATA);
	if (sent > 0) {
		assert_int_equal(send(fd, b, sent, MSG_NOSIGNAL), sent);
		return;
	}
	assert_int_equal(send(fd, b, head + q->len - 1, MSG_NOSIGNAL),
			 head + q->len - 1);
	assert_int_equal(send(fd, b + head, 1, MSG_NOSIGNAL), 1);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

MAYBE static struct chan_req begin_req(const struct chan_name *n,
				       struct endpoint to)
{
	struct chan_req q;

	chan_req_init(&q, &rig.e.run, CHAN_OP_BEGIN, n);
	q.flags = CHAN_F_NONBLOCK;
	q.addr = to;
	q.len = STUFF;
	return q;
}

MAYBE static void prog_begin(int fd, const struct chan_name *n,
			     struct endpoint to)
{
	struct chan_req q = begin_req(n, to);

	prog_begin_with(fd, &q, 0);
}

/* a listening socket of a program on loopback; its port */
MAYBE static int prog_listen(struct chan_name *n, int backlog, uint16_t *port)
{
	int fd = prog_socket(n);
	struct sockaddr_storage ss;
	struct endpoint e = lo(0);
	socklen_t len = chan_addr_put(&e, 4, 0, &ss);
	struct chan_req q;
	int k = kernel_socket();

	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND, n);
	q.addr = e;
	assert_int_equal(ask_fd(&q, NULL, 0), CHAN_NEED_KERNEL);
	assert_int_equal(bind(k, (struct sockaddr *)&ss, len), 0);
	getsockname(k, (struct sockaddr *)&ss, &len);
	chan_addr_get(&ss, len, &q.addr, NULL);
	assert_int_equal(ask_fd(&q, &k, 1), 0);
	close(k);
	*port = q.addr.port;
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(ask(CHAN_OP_LISTEN, n, backlog), 0);
	return fd;
}

/* accept() of a program; -1 when there is none */
MAYBE static int prog_accept(int fd, struct chan_name *n)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	int c = -1;

	for (unsigned i = 0; i < 50 && c < 0; i++) {
		turn(1);
		c = accept4(fd, (struct sockaddr *)&un, &len, SOCK_NONBLOCK);
	}
	if (c >= 0) {
		assert_true(chan_addr_un_get(&rig.e.run, &un,
					     len, n));
		assert_int_equal(n->kind, CHAN_KIND_CONN);
	}
	return c;
}

/* a listener of the kernel's own, outside of the run */
MAYBE static int peer_listen(int backlog, uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);
	int s = kernel_socket();

	assert_int_equal(bind(s, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(s, backlog), 0);
	getsockname(s, (struct sockaddr *)&in, &len);
	*port = ntohs(in.sin_port);
	return s;
}

MAYBE static int peer_connect(uint16_t port, bool wait)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int s = kernel_socket();

	if (!wait) {
		fcntl(s, F_SETFL, O_NONBLOCK);
	}
	if (connect(s, (struct sockaddr *)&in, sizeof(in)) != 0 && wait) {
		close(s);
		return -1;
	}
	return s;
}

/* a program's socket, connected to a peer outside of the run */
MAYBE static int pair(struct chan_name *n, int *peer)
{
	uint16_t port;
	int l = peer_listen(1, &port);
	int fd = prog_socket(n);

	assert_int_equal(prog_connect(fd, n, lo(port), true), 0);
	*peer = accept(l, NULL, NULL);
	assert_true(*peer >= 0);
	close(l);
	return fd;
}

/* POLL* of fd after some turns */
MAYBE static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	turn(3);
	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

#define ALL_GONE (POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP)

MAYBE static void reset(int fd)
{
	const struct linger l = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

#endif
