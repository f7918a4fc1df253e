/* what is this implementation's own: parking, registering again, handlers that
 * cancel each other, numbers that come back.  The contract that it shares with
 * io_uring is in test_io.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/io.h"

static struct io *io;
static int pair[2];

struct rec {
	struct io_op op;
	unsigned calls;
	int res;
	unsigned flags;
	struct rec *cancel; /* by the handler */
	bool again;         /* started once more by the handler */
	int fd;
	char buf[64];
};

static void done(struct io_op *op, int res, unsigned flags)
{
	struct rec *r = container_of(op, struct rec, op);

	r->calls++;
	r->res = res;
	r->flags = flags;
	if (r->cancel) {
		io_cancel(io, &r->cancel->op);
	}
	if (r->again && !flags) {
		r->again = false;
		io_recv(io, op, r->fd, r->buf, sizeof(r->buf));
	}
}

static int setup(void **state)
{
	(void)state;
	io = io_new(IO_EPOLL);
	return io ? socketpair(AF_UNIX, SOCK_STREAM, 0, pair) : -1;
}

static int teardown(void **state)
{
	(void)state;
	io_free(io);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void turns(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		io_turn(io, instant_add(io_now(), 5 * NANOS_MS));
	}
}

static void recv_on(struct rec *r, int fd)
{
	r->op.done = done;
	r->fd = fd;
	io_recv(io, &r->op, fd, r->buf, sizeof(r->buf));
}

static void poll_on(struct rec *r, int fd, uint32_t events, bool multi)
{
	r->op.done = done;
	r->fd = fd;
	io_poll(io, &r->op, fd, events, multi);
}

static void test_kind(void **state)
{
	(void)state;
	assert_int_equal(io_backend(io), IO_EPOLL);
	assert_int_equal(io_seal(io), 0);
}

/* reading and writing wait on one descriptor: neither drops the other */
static void test_both_parked(void **state)
{
	struct rec in = { 0 }, out = { 0 };
	static char big[1 << 16];
	struct iovec v = { big, sizeof(big) };
	char b[100];

	(void)state;
	while (send(pair[0], big, sizeof(big), MSG_DONTWAIT) > 0) {
	}
	out.op.done = done;
	recv_on(&in, pair[0]);
	io_sendv(io, &out.op, pair[0], &v, 1);
	turns(3);
	assert_int_equal(in.calls + out.calls, 0);
	assert_true(io_pending(&in.op) && io_pending(&out.op));
	assert_int_equal(write(pair[1], "abc", 3), 3);
	turns(2);
	assert_int_equal(in.calls, 1);
	assert_int_equal(in.res, 3);
	assert_int_equal(out.calls, 0);
	while (recv(pair[1], big, sizeof(big), MSG_DONTWAIT) > 0) {
	}
	turns(3);
	assert_int_equal(out.calls, 1);
	assert_true(out.res > 0);
	recv_on(&in, pair[0]);
	turns(2);
	assert_int_equal(write(pair[1], "d", 1), 1);
	turns(2);
	assert_int_equal(in.calls, 2);
	assert_int_equal(recv(pair[0], b, sizeof(b), MSG_DONTWAIT), -1);
}

/* what came between two readings is not lost, though epoll tells edges only */
static void test_edges(void **state)
{
	struct rec r = { 0 };

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		recv_on(&r, pair[0]);
		if (i % 3) {
			turns(1);
			assert_int_equal(r.calls, i);
		}
		assert_int_equal(write(pair[1], "x", 1), 1);
		turns(2);
		assert_int_equal(r.calls, i + 1);
		assert_int_equal(r.res, 1);
		assert_int_equal(r.flags, 0);
		assert_false(io_pending(&r.op));
	}
}

/* a number that was closed and comes again: epoll forgot it */
static void test_number_comes_back(void **state)
{
	struct rec r = { 0 };

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		int p[2], fd = 700;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
		assert_int_equal(dup2(p[0], fd), fd);
		close(p[0]);
		r.calls = 0;
		recv_on(&r, fd);
		turns(1);
		assert_int_equal(r.calls, 0);
		if (i % 2) {
			io_cancel(io, &r.op);
			close(fd); /* allowed at once */
			turns(1);
			assert_int_equal(r.calls, 1);
			assert_int_equal(r.res, -ECANCELED);
		} else {
			assert_int_equal(write(p[1], "x", 1), 1);
			turns(2);
			assert_int_equal(r.calls, 1);
			assert_int_equal(r.res, 1);
			close(fd);
		}
		close(p[1]);
	}
}

/* one event wakes several; the first one's handler cancels the others */
static void test_cancelled_by_a_neighbour(void **state)
{
	struct rec a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	a.cancel = &b;
	poll_on(&a, pair[0], POLLIN, false);
	poll_on(&b, pair[0], POLLIN, false);
	recv_on(&c, pair[0]);
	turns(2);
	assert_int_equal(a.calls + b.calls + c.calls, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	turns(3);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1); /* exactly once, either way */
	assert_int_equal(c.calls, 1);
	assert_int_equal(a.res & POLLIN, POLLIN);
	assert_int_equal(b.res, -ECANCELED);
	assert_int_equal(c.res, 1);
}

static void test_multi_cancels_itself(void **state)
{
	struct rec r = { 0 };
	char b;

	(void)state;
	poll_on(&r, pair[0], POLLIN, true);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(write(pair[1], "x", 1), 1);
		turns(2);
		assert_int_equal(r.calls, i);
		assert_int_equal(r.flags, IO_MORE);
		assert_int_equal(read(pair[0], &b, 1), 1);
	}
	r.cancel = &r;
	assert_int_equal(write(pair[1], "x", 1), 1);
	turns(3);
	assert_int_equal(r.calls, 5); /* the event, then the end */
	assert_int_equal(r.res, -ECANCELED);
	assert_int_equal(r.flags, 0);
	assert_false(io_pending(&r.op));
}

/* started again from its own handler: no second call in that turn's first
 * half, no endless loop */
static void test_started_by_its_handler(void **state)
{
	struct rec r = { .again = true };

	(void)state;
	recv_on(&r, pair[0]);
	assert_int_equal(write(pair[1], "x", 1), 1);
	turns(1);
	assert_int_equal(r.calls, 1);
	assert_true(io_pending(&r.op));
	assert_int_equal(write(pair[1], "yz", 2), 2);
	turns(2);
	assert_int_equal(r.calls, 2);
	assert_int_equal(r.res, 2);
}

static void test_hang_up_wakes(void **state)
{
	struct rec in = { 0 }, p = { 0 };

	(void)state;
	recv_on(&in, pair[0]);
	poll_on(&p, pair[0], POLLRDHUP, false);
	turns(1);
	close(pair[1]);
	pair[1] = -1;
	turns(2);
	assert_int_equal(in.calls, 1);
	assert_int_equal(in.res, 0);
	assert_int_equal(p.calls, 1);
	assert_true(p.res & POLLHUP);
}

static void test_errors(void **state)
{
	struct rec r = { 0 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), p[2];

	(void)state;
	poll_on(&r, -1, POLLIN, false);
	turns(2);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.res, -EBADF);
	recv_on(&r, fd); /* no socket */
	turns(2);
	assert_int_equal(r.calls, 2);
	assert_int_equal(r.res, -ENOTSOCK);
	close(fd);
	poll_on(&r, fd, POLLIN, false);
	turns(2);
	assert_int_equal(r.calls, 3);
	assert_int_equal(r.res, -EBADF);
	/* a file is always ready and cannot be waited for */
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	poll_on(&r, fd, POLLIN, true);
	turns(2);
	assert_int_equal(r.calls, 4);
	assert_int_equal(r.res, -EPERM);
	close(fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	close(p[1]);
	signal(SIGPIPE, SIG_DFL);
	io_sendv(io, &r.op, p[0], &(struct iovec){ r.buf, 4 }, 1);
	turns(2);
	assert_int_equal(r.res, -EPIPE); /* and no signal */
	close(p[0]);
}

static void test_accept_is_fair(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct rec l = { 0 }, r = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c[100];
	socklen_t n = sizeof(un);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&un, 2), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&un, &n), 0);
	assert_int_equal(listen(fd, 200), 0);
	for (unsigned i = 0; i < 100; i++) {
		c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(c[i], (struct sockaddr *)&un, n), 0);
	}
	l.op.done = done;
	io_accept(io, &l.op, fd);
	recv_on(&r, pair[0]);
	assert_int_equal(write(pair[1], "x", 1), 1);
	io_turn(io, io_now());
	/* a crowd at the door keeps nobody else waiting */
	assert_int_equal(r.calls, 1);
	turns(3);
	assert_int_equal(l.calls, 100);
	assert_int_equal(l.flags, IO_MORE);
	assert_true(io_pending(&l.op));
	assert_int_equal(fcntl(l.res, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(l.res, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	io_cancel(io, &l.op);
	turns(1);
	assert_int_equal(l.calls, 101);
	assert_int_equal(l.res, -ECANCELED);
	for (unsigned i = 0; i < 100; i++) {
		close(c[i]);
	}
	for (int i = fd + 1; i < fd + 250; i++) {
		close(i); /* the accepted ones */
	}
	close(fd);
}

/* never early, and not a millisecond spun away */
static void test_deadline_is_rounded_up(void **state)
{
	(void)state;
	for (nanos d = 100 * NANOS_US; d < 9 * NANOS_MS;
	     d += 1300 * NANOS_US) {
		struct instant end = instant_add(io_now(), d);
		uint64_t calls = io_stats(io)->syscalls;

		io_turn(io, end);
		assert_false(instant_before(io_now(), end));
		assert_true(io_stats(io)->syscalls - calls <= 2);
		assert_false(instant_before(io_time(io), end));
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kind),
		T(test_both_parked),
		T(test_edges),
		T(test_number_comes_back),
		T(test_cancelled_by_a_neighbour),
		T(test_multi_cancels_itself),
		T(test_started_by_its_handler),
		T(test_hang_up_wakes),
		T(test_errors),
		T(test_accept_is_fair),
		T(test_deadline_is_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
