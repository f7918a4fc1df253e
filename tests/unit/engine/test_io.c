/* the same contract for both implementations; socket pairs stand in for TUN
 * devices (they keep packet boundaries, and need no privilege) */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/io.h"
#include "stack/engine/vnet.h"
#include "tests/lib/fake.h"

static enum io_backend want;
static struct io *io;
static unsigned skipped;

struct rec {
	struct io_op op;
	unsigned calls;
	int res[64];
	unsigned flags;
	struct io_op *then_cancel;
};

static void done(struct io_op *op, int res, unsigned flags)
{
	struct rec *r = container_of(op, struct rec, op);

	assert_true(r->calls < 64);
	r->res[r->calls++] = res;
	r->flags = flags;
	if (r->then_cancel) {
		io_cancel(io, r->then_cancel);
	}
}

static struct instant in(nanos d)
{
	return instant_add(io_now(), d);
}

/* turns until r was called n times in all, 2 s at most */
static void until(const struct rec *r, unsigned n)
{
	struct instant end = in(2 * NANOS_S);

	while (r->calls < n && instant_before(io_now(), end)) {
		io_turn(io, end);
	}
	assert_int_equal(r->calls, n);
}

static void idle(nanos d)
{
	struct instant end = in(d);

	while (instant_before(io_now(), end)) {
		io_turn(io, end);
	}
}

static int setup(void **state)
{
	(void)state;
	io = io_new(want);
	if (!io && want == IO_URING) {
		if (getenv("STRICT") && *getenv("STRICT") == '1') {
			return -1;
		}
		skipped++;
		return 0;
	}
	return io ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	io_free(io);
	io = NULL;
	return 0;
}

#define NEED_IO()               \
	do {                    \
		(void)state;    \
		if (!io) {      \
			skip(); \
		}               \
	} while (0)

static void pair(int sv[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
			 0);
}

static void test_recv_send(void **state)
{
	struct rec rx = { .op.done = done }, tx = { .op.done = done };
	char a[64] = "", b[64] = "";
	struct iovec v[2] = { { (char[]){ 'h', 'e' }, 2 },
			      { (char[]){ 'y' }, 1 } };
	struct iovec two[2] = { { b, 1 }, { b + 10, 20 } };
	int sv[2];

	NEED_IO();
	pair(sv);
	assert_int_equal(write(sv[1], "x", 1), 1);
	io_recv(io, &rx.op, sv[0], a, sizeof(a));
	/* never inline, though it could have been */
	assert_int_equal(rx.calls, 0);
	assert_true(io_pending(&rx.op));
	until(&rx, 1);
	assert_false(io_pending(&rx.op));
	assert_int_equal(rx.res[0], 1);
	io_recvv(io, &rx.op, sv[0], two, 2);
	idle(20 * NANOS_MS);
	assert_int_equal(rx.calls, 1);
	io_sendv(io, &tx.op, sv[1], v, 2);
	until(&tx, 1);
	assert_int_equal(tx.res[0], 3);
	until(&rx, 2);
	assert_int_equal(rx.res[1], 3);
	assert_int_equal(b[0], 'h');
	assert_memory_equal(b + 10, "ey", 2);
	/* the other end goes: end of file, then EPIPE without a signal */
	close(sv[1]);
	io_recv(io, &rx.op, sv[0], a, sizeof(a));
	until(&rx, 3);
	assert_int_equal(rx.res[2], 0);
	io_sendv(io, &tx.op, sv[0], v, 1);
	until(&tx, 2);
	assert_int_equal(tx.res[1], -EPIPE);
	close(sv[0]);
}

static void test_send_waits_for_room(void **state)
{
	static char big[1 << 20];
	struct rec tx = { .op.done = done };
	struct iovec v = { big, sizeof(big) };
	static char sink[65536];
	int sv[2];
	ssize_t n;

	NEED_IO();
	pair(sv);
	io_sendv(io, &tx.op, sv[0], &v, 1);
	until(&tx, 1);
	assert_true(tx.res[0] > 0 && tx.res[0] < (int)sizeof(big));
	io_sendv(io, &tx.op, sv[0], &v, 1);
	idle(20 * NANOS_MS);
	assert_int_equal(tx.calls, 1);
	do {
		n = recv(sv[1], sink, sizeof(sink), MSG_DONTWAIT);
	} while (n > 0);
	until(&tx, 2);
	assert_true(tx.res[1] > 0);
	close(sv[0]);
	close(sv[1]);
}

static void test_both_ways_at_once(void **state)
{
	struct rec rx = { .op.done = done }, hup = { .op.done = done };
	char a[8];
	int sv[2];

	NEED_IO();
	pair(sv);
	io_recv(io, &rx.op, sv[0], a, sizeof(a));
	io_poll(io, &hup.op, sv[0], POLLHUP | POLLERR, true);
	idle(20 * NANOS_MS);
	assert_int_equal(write(sv[1], "abc", 3), 3);
	until(&rx, 1);
	assert_int_equal(rx.res[0], 3);
	close(sv[1]);
	until(&hup, 1);
	assert_true(hup.res[0] & POLLHUP);
	assert_int_equal(hup.flags, IO_MORE);
	io_cancel(io, &hup.op);
	idle(20 * NANOS_MS);
	assert_int_equal(hup.res[hup.calls - 1], -ECANCELED);
	assert_false(io_pending(&hup.op));
	close(sv[0]);
}

static void test_cancel(void **state)
{
	struct rec rx = { .op.done = done }, other = { .op.done = done };
	char a[8], b[8];
	int sv[2], again[2];

	NEED_IO();
	pair(sv);
	io_recv(io, &rx.op, sv[0], a, sizeof(a));
	idle(10 * NANOS_MS);
	io_cancel(io, &rx.op);
	io_cancel(io, &rx.op);
	assert_int_equal(rx.calls, 0);
	until(&rx, 1);
	assert_int_equal(rx.res[0], -ECANCELED);
	/* cancelled before it began: must not touch the number's next owner */
	io_recv(io, &rx.op, sv[0], a, sizeof(a));
	io_cancel(io, &rx.op);
	close(sv[0]);
	close(sv[1]);
	pair(again);
	assert_int_equal(again[0], sv[0]);
	assert_int_equal(write(again[1], "keep", 4), 4);
	until(&rx, 2);
	assert_int_equal(rx.res[1], -ECANCELED);
	io_recv(io, &other.op, again[0], b, sizeof(b));
	until(&other, 1);
	assert_int_equal(other.res[0], 4);
	/* a completion that cancels another one that is ready too */
	io_recv(io, &rx.op, again[0], a, sizeof(a));
	io_recv(io, &other.op, again[1], b, sizeof(b));
	rx.then_cancel = &other.op;
	assert_int_equal(write(again[1], "1", 1), 1);
	until(&rx, 3);
	until(&other, 2);
	assert_int_equal(other.res[1], -ECANCELED);
	close(again[0]);
	close(again[1]);
}

static void test_poll(void **state)
{
	struct rec p = { .op.done = done }, m = { .op.done = done };
	char a[8];
	int sv[2];

	NEED_IO();
	pair(sv);
	io_poll(io, &p.op, sv[0], POLLIN, false);
	io_poll(io, &m.op, sv[0], POLLIN, true);
	idle(10 * NANOS_MS);
	assert_int_equal(p.calls, 0);
	assert_int_equal(m.calls, 0);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(write(sv[1], "x", 1), 1);
		until(&m, i);
		assert_true(m.res[i - 1] & POLLIN);
		assert_int_equal(read(sv[0], a, sizeof(a)), 1);
	}
	assert_int_equal(p.calls, 1);
	assert_false(io_pending(&p.op));
	assert_true(p.res[0] & POLLIN);
	assert_true(io_pending(&m.op));
	io_poll(io, &p.op, sv[0], POLLOUT, false);
	until(&p, 2);
	assert_true(p.res[1] & POLLOUT);
	io_cancel(io, &m.op);
	idle(10 * NANOS_MS);
	assert_false(io_pending(&m.op));
	close(sv[0]);
	close(sv[1]);
}

static void test_accept(void **state)
{
	struct rec acc = { .op.done = done };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd, c;

	NEED_IO();
	len = (socklen_t)(sizeof(sa_family_t) + 1 +
			  (unsigned)snprintf(un.sun_path + 1, 40,
					     "mptcprun-test-%d-%d", getpid(),
					     (int)want));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	io_accept(io, &acc.op, fd);
	for (unsigned i = 1; i <= 5; i++) {
		c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(c, (struct sockaddr *)&un, len), 0);
		until(&acc, i);
		assert_true(acc.res[i - 1] >= 0);
		assert_int_equal(acc.flags, IO_MORE);
		close(acc.res[i - 1]);
		close(c);
	}
	io_cancel(io, &acc.op);
	until(&acc, 6);
	assert_int_equal(acc.res[5], -ECANCELED);
	assert_false(io_pending(&acc.op));
	close(fd);
}

static void test_deadline(void **state)
{
	struct instant t0, t1;

	NEED_IO();
	t0 = io_now();
	io_turn(io, instant_add(t0, 30 * NANOS_MS));
	t1 = io_time(io);
	assert_true(instant_since(t1, t0) >= 29 * NANOS_MS);
	assert_true(instant_since(t1, t0) < 500 * NANOS_MS);
	t0 = io_now();
	io_turn(io, t0);
	assert_true(instant_since(io_now(), t0) < 20 * NANOS_MS);
}

static void test_bad_descriptor(void **state)
{
	struct rec rx = { .op.done = done }, p = { .op.done = done };
	char a[8];

	NEED_IO();
	io_recv(io, &rx.op, 999, a, sizeof(a));
	io_poll(io, &p.op, 999, POLLIN, false);
	until(&rx, 1);
	until(&p, 1);
	assert_int_equal(rx.res[0], -EBADF);
	assert_int_equal(p.res[0], -EBADF);
}

/* many operations at once: more than one submission queue holds */
static void test_many(void **state)
{
	enum {
		N = 700
	};
	static struct rec rx[N];
	static char a[N];
	static int sv[N][2];

	NEED_IO();
	memset(rx, 0, sizeof(rx));
	for (unsigned i = 0; i < N; i++) {
		pair(sv[i]);
		rx[i].op.done = done;
		io_recv(io, &rx[i].op, sv[i][0], &a[i], 1);
	}
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(write(sv[i][1], "x", 1), 1);
	}
	for (unsigned i = 0; i < N; i++) {
		until(&rx[i], 1);
		assert_int_equal(rx[i].res[0], 1);
		close(sv[i][0]);
		close(sv[i][1]);
	}
}

/* --- TUN ------------------------------------------------------------------ */

static struct pkt *got[512];
static unsigned n_got;
static int died;

static void rx(void *ctx, struct pkt *p)
{
	(void)ctx;
	assert_true(n_got < 512);
	got[n_got++] = p;
}

static void dead(void *ctx, int err)
{
	(void)ctx;
	died = err;
}

static void tun_pair(int sv[2])
{
	int size = 1 << 20;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	for (int i = 0; i < 2; i++) {
		setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	n_got = 0;
	died = 0;
}

static void feed(int fd, uint8_t first, uint32_t len)
{
	static uint8_t frame[VNET_LEN + 65535];

	memset(frame, 0, VNET_LEN);
	memset(frame + VNET_LEN, first, len);
	assert_int_equal(write(fd, frame, VNET_LEN + len), VNET_LEN + len);
}

static void until_got(unsigned n)
{
	struct instant end = in(2 * NANOS_S);

	while (n_got < n && instant_before(io_now(), end)) {
		io_turn(io, end);
	}
	assert_int_equal(n_got, n);
}

static void drop_all(void)
{
	for (unsigned i = 0; i < n_got; i++) {
		pkt_put(got[i]);
	}
	n_got = 0;
}

static void test_tun_read(void **state)
{
	struct io_tun *t;
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	t = io_tun_start(io, sv[0], 3, rx, NULL, dead);
	assert_non_null(t);
	for (unsigned i = 0; i < 40; i++) {
		feed(sv[1], (uint8_t)i, 100 + i);
	}
	until_got(40);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(got[i]->len, 100 + i);
		assert_int_equal(got[i]->data[0], i);
		assert_int_equal(got[i]->dev, 3);
		assert_int_equal(got[i]->refs, 1);
		assert_false(got[i]->csum_ok);
		assert_true(got[i]->truesize >= got[i]->len);
		assert_int_equal((uintptr_t)got[i]->data % 16, 0);
	}
	drop_all();
	feed(sv[1], 9, 65535);
	until_got(1);
	assert_int_equal(got[0]->len, 65535);
	assert_int_equal(got[0]->data[65534], 9);
	/* held beyond the device's end */
	close(sv[1]);
	io_tun_stop(io, t);
	idle(10 * NANOS_MS);
	io_free(io);
	io = NULL;
	assert_int_equal(got[0]->data[65534], 9);
	drop_all();
	close(sv[0]);
}

/* packets that are held for long must not stop reading */
static void test_tun_pinned(void **state)
{
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	assert_non_null(io_tun_start(io, sv[0], 0, rx, NULL, dead));
	for (unsigned i = 0; i < 400; i++) {
		feed(sv[1], (uint8_t)i, 3000);
		until_got(i + 1);
	}
	assert_true(io_counter(io, IO_TUN_COPIED) >= 250);
	for (unsigned i = 0; i < 400; i++) {
		assert_int_equal(got[i]->len, 3000);
		assert_int_equal(got[i]->data[2999], (uint8_t)i);
	}
	assert_int_equal(got[0]->truesize / 65536, 1);
	assert_true(got[399]->truesize < 3300);
	drop_all();
	for (unsigned i = 0; i < 300; i++) {
		feed(sv[1], (uint8_t)i, 50);
		until_got(1);
		drop_all();
	}
	assert_true(io_counter(io, IO_TUN_COPIED) < 350);
	close(sv[0]);
	close(sv[1]);
}

/* ... nor have more memory than there is for packets */
static void test_tun_pinned_bounded(void **state)
{
	struct fake f;
	int sv[2];

	NEED_IO();
	fake_init(&f, 1);
	f.mem.limit = 30000;
	io_set_mem(io, &f.mem);
	tun_pair(sv);
	assert_non_null(io_tun_start(io, sv[0], 0, rx, NULL, dead));
	for (unsigned i = 0; io_counter(io, IO_TUN_COPIED) < 9; i++) {
		feed(sv[1], (uint8_t)i, 3000);
		until_got(i + 1);
	}
	assert_true(f.mem.used >= 9 * 3000);
	feed(sv[1], 0, 3000);
	feed(sv[1], 0, 3000);
	idle(20 * NANOS_MS);
	assert_int_equal(io_counter(io, IO_TUN_NOMEM), 2);
	drop_all();
	assert_int_equal(f.mem.used, 0);
	feed(sv[1], 0, 3000);
	until_got(1);
	drop_all();
	fake_fini(&f);
	close(sv[0]);
	close(sv[1]);
}

static void test_tun_bad_headers(void **state)
{
	uint8_t f[VNET_LEN + 40] = { 0 };
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	assert_non_null(io_tun_start(io, sv[0], 0, rx, NULL, dead));
	assert_int_equal(write(sv[1], f, 4), 4);
	assert_int_equal(write(sv[1], f, VNET_LEN), VNET_LEN);
	f[1] = 3; /* UDP fragmentation offload */
	assert_int_equal(write(sv[1], f, sizeof(f)), sizeof(f));
	f[1] = 0;
	f[0] = 1; /* NEEDS_CSUM beyond the end */
	f[6] = 39;
	assert_int_equal(write(sv[1], f, sizeof(f)), sizeof(f));
	feed(sv[1], 7, 60);
	until_got(1);
	assert_int_equal(got[0]->data[0], 7);
	assert_int_equal(io_counter(io, IO_TUN_SHORT), 2);
	assert_int_equal(io_counter(io, IO_TUN_GSO), 1);
	assert_int_equal(io_counter(io, IO_TUN_CSUM), 1);
	assert_string_equal(io_reason_name(IO_TUN_GSO), "TunDropGso");
	drop_all();
	close(sv[0]);
	close(sv[1]);
}

static void make_out(struct pkt_out *p, unsigned i, const uint8_t *payload)
{
	*p = (struct pkt_out){ .hdr_len = 40, .family = 4, .n_iov = 2 };
	memset(p->hdr, (int)i, 40);
	p->iov[0] = (struct iov){ payload, 10 };
	p->iov[1] = (struct iov){ payload + 10, 5 };
	p->len = 55;
	if (i % 2) {
		p->csum_start = 20;
		p->csum_offset = 16;
		p->gso_size = 1000;
		p->family = 6;
	}
}

static void test_tun_write(void **state)
{
	static const uint8_t payload[16] = "0123456789abcde";
	uint8_t in_buf[256];
	static struct pkt_out p[50];
	struct io_tun *t;
	unsigned flushes = 0;
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	t = io_tun_start(io, sv[0], 0, rx, NULL, dead);
	for (unsigned i = 0; i < 50; i++) {
		make_out(&p[i], i, payload);
		while (!io_tun_write(io, t, &p[i])) {
			io_flush(io);
			assert_true(++flushes < 3);
		}
	}
	io_flush(io);
	memset(p, 0xee, sizeof(p)); /* contents are free again */
	for (unsigned i = 0; i < 50; i++) {
		const struct pkt_out *o;
		struct pkt_out want_p;

		assert_int_equal(recv(sv[1], in_buf, sizeof(in_buf),
				      MSG_DONTWAIT),
				 VNET_LEN + 55);
		make_out(&want_p, i, payload);
		o = &want_p;
		assert_memory_equal(in_buf + VNET_LEN, o->hdr, 40);
		assert_memory_equal(in_buf + VNET_LEN + 40, payload, 15);
		assert_int_equal(in_buf[0], i % 2);
		assert_int_equal(in_buf[1], i % 2 ? 4 : 0);
	}
	/* without a flush the next turn writes, and then still waits */
	make_out(&p[0], 8, payload);
	assert_true(io_tun_write(io, t, &p[0]));
	io_turn(io, in(30 * NANOS_MS));
	assert_int_equal(recv(sv[1], in_buf, sizeof(in_buf), MSG_DONTWAIT),
			 VNET_LEN + 55);
	assert_int_equal(io_stats(io)->tun_out, 51);
	assert_int_equal(io_stats(io)->tun_out_errors, 0);
	close(sv[0]);
	close(sv[1]);
}

static void test_tun_more_than_a_batch(void **state)
{
	static const uint8_t payload[16];
	struct pkt_out p;
	struct io_tun *t;
	char b[128];
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	t = io_tun_start(io, sv[0], 0, rx, NULL, dead);
	for (unsigned i = 0; i < 1000; i++) {
		make_out(&p, i, payload);
		if (!io_tun_write(io, t, &p)) {
			io_flush(io);
			assert_true(io_tun_write(io, t, &p));
		}
		if (i % 50 == 49) {
			io_flush(io);
			for (unsigned k = 0; k < 50; k++) {
				assert_int_equal(recv(sv[1], b, sizeof(b),
						      MSG_DONTWAIT),
						 65);
			}
		}
	}
	assert_int_equal(io_stats(io)->tun_out, 1000);
	close(sv[0]);
	close(sv[1]);
}

static void test_tun_error_counted(void **state)
{
	static const uint8_t payload[16];
	struct io_tun *t;
	struct pkt_out p;
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	t = io_tun_start(io, sv[0], 0, rx, NULL, dead);
	io_turn(io, in(NANOS_MS));
	close(sv[1]);
	make_out(&p, 0, payload);
	io_tun_write(io, t, &p);
	io_flush(io);
	assert_int_equal(io_counter(io, IO_TUN_WRITE), 1);
	/* the end of what is read: this device is gone, said once */
	for (unsigned i = 0; i < 5; i++) {
		io_turn(io, in(5 * NANOS_MS));
	}
	assert_true(want == IO_EPOLL || died != 0);
	close(sv[0]);
}

/* sealed: what the loop needs goes on working */
static void test_sealed(void **state)
{
	struct io_tun *t;
	struct pkt_out p;
	int sv[2];

	NEED_IO();
	tun_pair(sv);
	t = io_tun_start(io, sv[0], 0, rx, NULL, dead);
	assert_int_equal(io_seal(io), 0);
	feed(sv[1], 5, 80);
	until_got(1);
	drop_all();
	make_out(&p, 0, (const uint8_t *)"0123456789abcde");
	assert_true(io_tun_write(io, t, &p));
	io_flush(io);
	assert_int_equal(io_counter(io, IO_TUN_WRITE), 0);
	io_tun_stop(io, t);
	close(sv[0]);
	close(sv[1]);
	test_recv_send(state);
	test_poll(state);
	test_accept(state);
	test_cancel(state);
}

static int run(enum io_backend b, const char *name)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_recv_send),
		T(test_send_waits_for_room),
		T(test_both_ways_at_once),
		T(test_cancel),
		T(test_poll),
		T(test_accept),
		T(test_deadline),
		T(test_bad_descriptor),
		T(test_many),
		T(test_tun_read),
		T(test_tun_pinned),
		T(test_tun_pinned_bounded),
		T(test_tun_bad_headers),
		T(test_tun_write),
		T(test_tun_more_than_a_batch),
		T(test_tun_error_counted),
		T(test_sealed),
	};

	want = b;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	return run(IO_EPOLL, "epoll") + run(IO_URING, "io_uring");
}
