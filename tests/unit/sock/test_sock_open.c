#include "tests/unit/sock/two.h"

#include <errno.h>

static int bind_to(struct sock *sk, struct addr a, uint16_t port)
{
	struct endpoint e = endpoint_make(a, port);

	return sock_bind(sk, &e);
}

static void set(struct sock *sk, int level, int name, int v)
{
	assert_int_equal(sock_setopt(sk, two.now, level, name, &v, sizeof(v)),
			 0);
}

static void test_bind_errors(void **state)
{
	struct stack *s = two.end[0].stack;
	struct sock *a = sock_open(s, 4), *b = sock_open(s, 6);

	(void)state;
	assert_null(sock_open(s, 5));
	assert_int_equal(bind_to(a, two.end[0].addr6, 80), EAFNOSUPPORT);
	assert_int_equal(bind_to(a, addr_v4(9, 9, 9, 9), 80), EADDRNOTAVAIL);
	assert_int_equal(bind_to(a, two.end[0].addr, 80), 0);
	assert_int_equal(bind_to(a, two.end[0].addr, 81), EINVAL);
	assert_int_equal(bind_to(b, addr_any(6), 80), EADDRINUSE);
	set(b, 41, 26, 1); /* IPV6_V6ONLY: no conflict any more */
	assert_int_equal(bind_to(b, addr_map(two.end[0].addr), 82), EINVAL);
	assert_int_equal(bind_to(b, addr_any(6), 80), 0);
	sock_close(a, two.now, false);
	sock_close(b, two.now, false);
}

static void test_reuse_rules(void **state)
{
	struct stack *s = two.end[0].stack;
	struct sock *k[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		k[i] = sock_open(s, 4);
		set(k[i], 1, 2, 1); /* SO_REUSEADDR */
	}
	assert_int_equal(bind_to(k[0], addr_any(4), 80), 0);
	assert_int_equal(bind_to(k[1], addr_any(4), 80), 0);
	assert_int_equal(sock_listen(k[0], two.now, 1), 0);
	/* a listener stands in the way, reuse or not */
	assert_int_equal(bind_to(k[2], addr_any(4), 80), EADDRINUSE);
	assert_int_equal(sock_listen(k[1], two.now, 1), EADDRINUSE);
	sock_close(k[0], two.now, false);
	assert_int_equal(bind_to(k[2], addr_any(4), 80), 0);
	for (unsigned i = 1; i < 4; i++) {
		sock_close(k[i], two.now, false);
	}
}

/* SO_REUSEPORT: the listeners share what comes, by the four-tuple; and one takes
 * over what came to another */
static void test_reuseport_shares(void **state)
{
	struct endpoint e = endpoint_make(addr_any(4), 80);
	struct sock *l[2], *c[40], *a;
	unsigned got[2] = { 0, 0 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		l[i] = sock_open(two.end[1].stack, 4);
		set(l[i], 1, 15, 1); /* SO_REUSEPORT */
		assert_int_equal(sock_bind(l[i], &e), 0);
		assert_int_equal(sock_listen(l[i], two.now, 50), 0);
	}
	for (unsigned i = 0; i < 40; i++) {
		c[i] = two_connect(80);
	}
	two_run(50 * NANOS_MS);
	for (unsigned i = 0; i < 40; i++) {
		two_write(c[i], 1);
	}
	two_run(50 * NANOS_MS);
	a = sock_accept(l[0], two.now);
	assert_non_null(a);
	sock_pass_on(l[1], a);
	for (unsigned i = 0; i < 2; i++) {
		while ((a = sock_accept(l[i], two.now)) != NULL) {
			got[i]++;
			sock_close(a, two.now, true);
		}
		sock_close(l[i], two.now, true);
	}
	assert_int_equal(got[0] + got[1], 40);
	assert_true(got[0] >= 8 && got[1] >= 8);
	for (unsigned i = 0; i < 40; i++) {
		sock_close(c[i], two.now, true);
	}
	two_run(NANOS_S);
}

/* IP_LOCAL_PORT_RANGE: for bind to port 0 and for connect; and no more than it
 * has */
static void test_port_range(void **state)
{
	struct endpoint to = endpoint_make(two.end[1].addr, 80), e;
	struct sock *k[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		k[i] = sock_open(two.end[0].stack, 4);
		set(k[i], 0, 51, (int)(40000u | 40002u << 16));
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bind_to(k[i], addr_any(4), 0), 0);
		assert_true(sock_local(k[i], &e));
		assert_in_range(e.port, 40000, 40002);
	}
	assert_int_equal(sock_connect(k[2], two.now, &to), EINPROGRESS);
	assert_true(sock_local(k[2], &e));
	assert_in_range(e.port, 40000, 40002);
	assert_int_equal(bind_to(k[3], addr_any(4), 0), EADDRINUSE);
	assert_int_equal(sock_connect(k[3], two.now, &to), EADDRNOTAVAIL);
	for (unsigned i = 0; i < 4; i++) {
		sock_close(k[i], two.now, true);
	}
}

/* IP_FREEBIND: an address that is not there yet */
static void test_freebind(void **state)
{
	struct sock *k = sock_open(two.end[0].stack, 4);
	struct addr none = addr_v4(192, 0, 2, 77);

	(void)state;
	assert_int_equal(bind_to(k, none, 80), EADDRNOTAVAIL);
	set(k, 0, 15, 1);
	assert_int_equal(bind_to(k, none, 80), 0);
	assert_int_equal(sock_listen(k, two.now, 1), 0);
	sock_close(k, two.now, true);
}

static void test_port_zero_picks(void **state)
{
	struct sock *a = sock_open(two.end[0].stack, 4);
	struct sock *b = sock_open(two.end[0].stack, 4);
	struct endpoint ea, eb;

	(void)state;
	assert_false(sock_local(a, &ea));
	assert_int_equal(bind_to(a, addr_any(4), 0), 0);
	assert_int_equal(bind_to(b, addr_any(4), 0), 0);
	assert_true(sock_local(a, &ea) && sock_local(b, &eb));
	assert_true(ea.port >= 32768 && ea.port != eb.port);
	sock_close(a, two.now, false);
	sock_close(b, two.now, false);
}

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
	set(c6, 41, 26, 1);
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

static void test_backlog(void **state)
{
	struct sock *l = two_listen(80, 1), *c[6], *a;
	unsigned done = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		c[i] = two_connect(80);
		two_run(50 * NANOS_MS);
		if (sock_connected(c[i])) {
			two_write(c[i], 1);
			two_run(50 * NANOS_MS);
			done++;
		}
	}
	assert_int_equal(done, 2); /* backlog + 1 */
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_unaccept(l, a);
	assert_ptr_equal(sock_accept(l, two.now), a); /* in front again */
	two_run(10 * NANOS_S); /* a SYN sent again gets the free place */
	done = 0;
	for (unsigned i = 0; i < 6; i++) {
		done += sock_connected(c[i]);
		sock_close(c[i], two.now, true);
	}
	assert_true(done >= 3);
	sock_close(a, two.now, true);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

static void test_listener_closes_with_a_queue(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80);

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	sock_close(l, two.now, false);
	two_run(50 * NANOS_MS);
	assert_false(sock_connected(c));
	assert_int_equal(sock_error(c), ECONNRESET);
	sock_close(c, two.now, false);
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

static void test_defer_accept(void **state)
{
	struct sock *l = two_listen(80, 5), *c, *a;

	(void)state;
	set(l, 6, 9, 3); /* TCP_DEFER_ACCEPT */
	c = two_connect(80);
	two_run(200 * NANOS_MS);
	assert_null(sock_accept(l, two.now));
	two_write(c, 1);
	two_run(100 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_close(a, two.now, true);
	sock_close(c, two.now, true);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
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
		TWO_TEST(test_bind_errors),
		TWO_TEST(test_reuse_rules),
		TWO_TEST(test_reuseport_shares),
		TWO_TEST(test_port_zero_picks),
		TWO_TEST(test_port_range),
		TWO_TEST(test_freebind),
		TWO_TEST(test_connect_errors),
		TWO_TEST(test_connect_accept_and_names),
		TWO_TEST(test_refused_then_again),
		TWO_TEST(test_error_fetched_then_aborted),
		TWO_TEST(test_backlog),
		TWO_TEST(test_listener_closes_with_a_queue),
		TWO_TEST(test_unread_data_resets),
		TWO_TEST(test_orphan_delivers_and_is_gone),
		TWO_TEST(test_defer_accept),
		TWO_TEST(test_socket_limit),
		TWO_TEST(test_unknown_congestion_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
