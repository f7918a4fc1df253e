/* what may be read and written in which state; half-closes; room */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/sock/sock_state.h"

static struct sock *l, *c, *a;

static void join(void)
{
	l = two_listen(80, 5);
	c = two_connect(80);
	two.end[0].watch = c;
	two_run(50 * NANOS_MS);
	two_write(c, 3);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	two.end[1].watch = a;
	two.end[0].events = two.end[1].events = 0;
}

static void part(void)
{
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void nothing_works(struct sock *sk)
{
	struct iov_mut w[2];
	struct iov v[2];

	assert_int_equal(sock_write_vec(sk, 10, w), 0);
	sock_write_done(sk, two.now, 0);
	sock_urgent(sk, two.now);
	assert_int_equal(sock_read_vec(sk, v, 2), 0);
	assert_int_equal(sock_read_len(sk), 0);
	assert_false(sock_read_eof(sk));
}

static void test_states_without_data(void **state)
{
	struct sock *sk = sock_open(two.end[0].stack, 4);

	(void)state;
	nothing_works(sk);
	sock_read_done(sk, two.now, 0);
	sock_read_held(sk, two.now, 0);
	assert_int_equal(sock_outq(sk), 0);
	assert_int_equal(sock_shutdown_write(sk, two.now), ENOTCONN);
	assert_int_equal(sock_shutdown_read(sk, two.now), ENOTCONN);
	sock_close(sk, two.now, false);
	l = two_listen(80, 1);
	nothing_works(l);
	assert_int_equal(sock_outq(l), 0);
	c = two_connect(80);
	nothing_works(c);
	assert_int_equal(sock_shutdown_write(c, two.now), ENOTCONN);
	assert_int_equal(sock_shutdown_read(c, two.now), ENOTCONN);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_octets_and_outq(void **state)
{
	struct iov v[4];

	(void)state;
	join();
	assert_int_equal(sock_read_len(a), 3);
	assert_int_equal(sock_read_vec(a, v, 4), 1);
	assert_int_equal(v[0].n, 3);
	assert_memory_equal(v[0].p, "xxx", 3);
	sock_read_done(a, two.now, 1);
	assert_int_equal(sock_read_len(a), 2);
	sock_read_done(a, two.now, 2);
	assert_int_equal(sock_read_vec(a, v, 4), 0);
	assert_false(sock_read_eof(a));
	assert_int_equal(sock_outq(c), 0);
	two_write(c, 1234);
	assert_int_equal(sock_outq(c), 1234);
	two_run(500 * NANOS_MS);
	assert_int_equal(sock_outq(c), 0);
	assert_int_equal(sock_read_len(a), 1234);
	part();
}

/* octets handed on but still with the program do not open the window */
static void test_held_keeps_the_window_shut(void **state)
{
	uint32_t n = 0;

	(void)state;
	l = two_listen(80, 5);
	two_set(l, 1, 8, 20000); /* SO_RCVBUF */
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	two_write(c, 100000);
	two_run(2 * NANOS_S);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	n = (uint32_t)sock_read_len(a);
	assert_true(n > 10000 && n <= 40000);
	sock_read_held(a, two.now, n); /* passed on, not yet taken */
	sock_read_done(a, two.now, n);
	two_run(2 * NANOS_S);
	assert_true(sock_read_len(a) < 2000);
	sock_read_held(a, two.now, 0); /* the program took them */
	two_run(2 * NANOS_S);
	assert_true(sock_read_len(a) > 10000);
	part();
}

static void test_room_is_told_once(void **state)
{
	struct iov_mut w[2];
	unsigned k;

	(void)state;
	l = two_listen(80, 5);
	c = sock_open(two.end[0].stack, 4);
	two.end[0].watch = c;
	two_set(c, 1, 7, 10000); /* SO_SNDBUF */
	assert_int_equal(sock_connect(c, two.now,
				      &(struct endpoint){ two.end[1].addr, 80, 0 }),
			 EINPROGRESS);
	two_run(50 * NANOS_MS);
	two.end[0].events = 0;
	two.cut = true;
	while ((k = sock_write_vec(c, 4096, w)) > 0) {
		size_t n = w[0].n + (k > 1 ? w[1].n : 0);

		assert_true(n <= 4096);
		memset(w[0].p, 'y', w[0].n);
		if (k > 1) {
			memset(w[1].p, 'y', w[1].n);
		}
		sock_write_done(c, two.now, (uint32_t)n);
		assert_true(sock_outq(c) <= 20000);
	}
	assert_true(sock_outq(c) >= 10000);
	two_run(10 * NANOS_MS);
	assert_int_equal(two.end[0].events & SOCK_EV_WRITE, 0);
	two.cut = false;
	two_run(5 * NANOS_S);
	assert_int_equal(two.end[0].events & SOCK_EV_WRITE, SOCK_EV_WRITE);
	/* nobody was refused since: no further word of room */
	two.end[0].events = 0;
	sock_owner.writable(c, two.now);
	two_write(c, 1);
	two_run(NANOS_S);
	assert_int_equal(two.end[0].events & SOCK_EV_WRITE, 0);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_half_closes(void **state)
{
	struct iov_mut w[2];

	(void)state;
	join();
	sock_read_done(a, two.now, 3);
	assert_int_equal(sock_shutdown_write(c, two.now), 0);
	assert_int_equal(sock_shutdown_write(c, two.now), 0); /* again: no-op */
	assert_int_equal(sock_write_vec(c, 1, w), 0);
	assert_false(c->wait_room); /* there will never be room */
	two_run(100 * NANOS_MS);
	assert_true(sock_read_eof(a));
	assert_true(two.end[1].events & SOCK_EV_READ);
	assert_true(sock_connected(a));
	/* the other way is open still */
	two_write(a, 77);
	two_run(100 * NANOS_MS);
	assert_int_equal(sock_read_len(c), 77);
	sock_read_done(c, two.now, 77);
	assert_false(sock_read_eof(c));
	part();
}

static void test_shutdown_read(void **state)
{
	struct iov v[2];

	(void)state;
	join();
	two.end[1].events = 0;
	assert_int_equal(sock_shutdown_read(a, two.now), 0);
	two_run(NANOS_MS);
	assert_true(two.end[1].events & SOCK_EV_READ);
	assert_true(sock_read_eof(a));
	assert_int_equal(sock_read_len(a), 0);
	assert_int_equal(sock_read_vec(a, v, 2), 0);
	two.end[1].events = 0;
	assert_int_equal(sock_shutdown_read(a, two.now), 0);
	two_run(NANOS_MS);
	assert_int_equal(two.end[1].events & SOCK_EV_READ, 0);
	/* what comes is acknowledged and thrown away, as Linux does: more than
	 * any window holds */
	for (unsigned i = 0; i < 100; i++) {
		two_write(c, 100000);
		two_run(200 * NANOS_MS);
		assert_int_equal(sock_outq(c), 0);
	}
	assert_int_equal(sock_read_len(a), 0);
	two_write(a, 9); /* and it may still write */
	two_run(NANOS_S);
	assert_int_equal(sock_read_len(c), 9);
	part();
}

static void test_listener_shut(void **state)
{
	(void)state;
	l = two_listen(80, 5);
	assert_int_equal(sock_shutdown_write(l, two.now), 0);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	assert_true(sock_connected(c)); /* still listens */
	assert_int_equal(sock_shutdown_read(l, two.now), 0);
	sock_close(c, two.now, true);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_error(c), ECONNREFUSED);
	assert_int_equal(sock_listen(l, two.now, 1), 0); /* as Linux: again */
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* after the end: what came before it may still be read */
static void test_read_after_the_end(void **state)
{
	struct iov_mut w[2];

	(void)state;
	join();
	sock_read_done(a, two.now, 3);
	two_write(a, 50);
	sock_shutdown_write(a, two.now);
	sock_shutdown_write(c, two.now);
	two_run(NANOS_S);
	assert_true(two.end[0].events & SOCK_EV_CLOSED);
	assert_false(sock_connected(c));
	assert_int_equal(sock_read_len(c), 50);
	assert_false(sock_read_eof(c));
	assert_int_equal(sock_write_vec(c, 1, w), 0);
	assert_int_equal(sock_shutdown_read(c, two.now), ENOTCONN);
	sock_read_done(c, two.now, 50);
	assert_true(sock_read_eof(c));
	part();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_states_without_data),
		TWO_TEST(test_octets_and_outq),
		TWO_TEST(test_held_keeps_the_window_shut),
		TWO_TEST(test_room_is_told_once),
		TWO_TEST(test_half_closes),
		TWO_TEST(test_shutdown_read),
		TWO_TEST(test_listener_shut),
		TWO_TEST(test_read_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
