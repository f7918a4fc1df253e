#include "tests/unit/sock/two.h"

#include <errno.h>

static void test_connect_errors(void **state)
{
	struct sock *c = sock_open(two.end[0].stack, 4);
	struct sock *c6 = sock_open(two.end[0].stack, 6);
	struct endpoint e = endpoint_make(two.end[1].addr6, 80);

	(void)state;
	assert_int_equal(sock_connect(c, two.now, &e), EAFNOSUPPORT);
	e.addr = addr_v4(224, 0, 0, 1);
	assert_int_equal(sock_connect(c, two.now, &e), ENETUNREACH);
	e.addr = addr_map(two.end[1].addr);
	two_set(c6, 41, 26, 1);
	assert_int_equal(sock_connect(c6, two.now, &e), ENETUNREACH);
	stack_path_set_up(two.end[0].stack, two.now, 0, false);
	e.addr = two.end[1].addr;
	assert_int_equal(sock_connect(c, two.now, &e), ENETUNREACH);
	assert_int_equal(sock_shutdown_write(c, two.now), ENOTCONN);
	sock_close(c, two.now, false);
	sock_close(c6, two.now, false);
}

static void test_connect_accept_and_names(void **state)
{
	struct sock *l = two_listen(80, 5), *c, *a;
	struct endpoint x, y, e = endpoint_make(two.end[1].addr, 80);

	(void)state;
	two.end[1].watch = l;
	c = two_connect(80);
	two.end[0].watch = c;
	assert_int_equal(sock_connect(c, two.now, &e), EALREADY);
	assert_null(sock_accept(l, two.now));
	two_run(100 * NANOS_MS);
	assert_true(two.end[0].events & SOCK_EV_CONNECTED);
	assert_true(sock_connected(c));
	assert_int_equal(sock_connect(c, two.now, &e), EISCONN);
	two_write(c, 10);
	two_run(100 * NANOS_MS);
	assert_true(two.end[1].events & SOCK_EV_ACCEPT);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_true(sock_remote(a, &x) && sock_local(c, &y));
	assert_int_equal(x.addr.family, 6); /* a v6 socket: mapped */
	x.addr = addr_unmap(x.addr);
	assert_true(endpoint_eq(&x, &y));
	assert_int_equal(sock_read_len(a), 10);
	assert_ptr_equal(sock_find(two.end[1].stack, sock_id(a)), a);
	sock_close(c, two.now, false);
	sock_close(a, two.now, false);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

static void test_refused_then_again(void **state)
{
	struct sock *c = two_connect(81), *l;
	struct endpoint e = endpoint_make(two.end[1].addr, 81);

	(void)state;
	two.end[0].watch = c;
	two_run(100 * NANOS_MS);
	assert_true(two.end[0].events & SOCK_EV_CLOSED);
	assert_int_equal(sock_error_peek(c), ECONNREFUSED);
	/* Linux: the next call reports it, the one after that tries again */
	assert_int_equal(sock_connect(c, two.now, &e), ECONNREFUSED);
	l = two_listen(81, 5);
	assert_int_equal(sock_connect(c, two.now, &e), EINPROGRESS);
	two_run(100 * NANOS_MS);
	assert_true(sock_connected(c));
	sock_close(c, two.now, true);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

static void test_error_fetched_then_aborted(void **state)
{
	struct sock *c = two_connect(81);
	struct endpoint e = endpoint_make(two.end[1].addr, 81);

	(void)state;
	two_run(100 * NANOS_MS);
	assert_int_equal(sock_error(c), ECONNREFUSED);
	assert_int_equal(sock_error(c), 0);
	assert_int_equal(sock_connect(c, two.now, &e), ECONNABORTED);
	assert_int_equal(sock_connect(c, two.now, &e), EINPROGRESS);
	sock_close(c, two.now, true);
}

static void test_unread_data_resets(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80), *a;

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 100);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	sock_close(a, two.now, false);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_error(c), ECONNRESET);
	sock_close(c, two.now, false);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

static void test_orphan_delivers_and_is_gone(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80), *a;
	uint64_t id = sock_id(c);
	struct iov v[8];

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 5000);
	sock_close(c, two.now, false);
	assert_null(sock_find(two.end[0].stack, id));
	assert_true(stack_owing(two.end[0].stack) > 0);
	two_run(300 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_int_equal(sock_read_len(a), 5000);
	while (sock_read_len(a)) {
		unsigned n = sock_read_vec(a, v, 1);

		assert_int_equal(n, 1);
		sock_read_done(a, two.now, v[0].n);
	}
	assert_true(sock_read_eof(a));
	sock_close(a, two.now, false);
	two_run(NANOS_S);
	assert_int_equal(stack_owing(two.end[0].stack), 0);
	assert_int_equal(stack_owing(two.end[1].stack), 0);
	sock_close(l, two.now, false);
}

static void test_socket_limit(void **state)
{
	struct stack_cfg cfg = { .mp = { .subflows_max = 1,
					 .scheduler = "minrtt" },
				 .socks_max = 2 };
	struct fake f;
	struct stack *s;

	(void)state;
	fake_init(&f, 3);
	s = stack_new(&f.env, &cfg, two.now);
	assert_non_null(sock_open(s, 4));
	assert_non_null(sock_open(s, 4));
	assert_null(sock_open(s, 4));
	stack_free(s);
	fake_fini(&f);
}

static void test_unknown_congestion_control(void **state)
{
	struct stack_cfg cfg = { .mp = { .subflows_max = 1,
					 .scheduler = "minrtt" },
				 .congestion = "hybla" };
	struct fake f;

	(void)state;
	fake_init(&f, 3);
	assert_null(stack_new(&f.env, &cfg, two.now));
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_connect_errors),
		TWO_TEST(test_connect_accept_and_names),
		TWO_TEST(test_refused_then_again),
		TWO_TEST(test_error_fetched_then_aborted),
		TWO_TEST(test_unread_data_resets),
		TWO_TEST(test_orphan_delivers_and_is_gone),
		TWO_TEST(test_socket_limit),
		TWO_TEST(test_unknown_congestion_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
