#include "tests/unit/sock/two.h"

#include <errno.h>

static int bind_to(struct sock *sk, struct addr a, uint16_t port)
{
	struct endpoint e = endpoint_make(a, port);

	return sock_bind(sk, &e);
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
	two_set(b, 41, 26, 1); /* IPV6_V6ONLY: no conflict any more */
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
		two_set(k[i], 1, 2, 1); /* SO_REUSEADDR */
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

/* IP_LOCAL_PORT_RANGE: for bind to port 0 and for connect; and no more than it
 * has */
static void test_port_range(void **state)
{
	struct endpoint to = endpoint_make(two.end[1].addr, 80), e;
	struct sock *k[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		k[i] = sock_open(two.end[0].stack, 4);
		two_set(k[i], 0, 51, (int)(40000u | 40002u << 16));
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

/* ..to one destination: a port that a connection has, and nobody is bound to,
 * leads to others, too */
static void test_port_range_shared(void **state)
{
	struct sock *k[4];
	struct endpoint e;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct endpoint to = endpoint_make(two.end[1].addr,
						   (uint16_t)(80 + i % 3));

		k[i] = sock_open(two.end[0].stack, 4);
		two_set(k[i], 0, 51, (int)(40000u | 40000u << 16));
		if (i == 3) { /* port 80 again */
			assert_int_equal(sock_connect(k[i], two.now, &to),
					 EADDRNOTAVAIL);
			break;
		}
		assert_int_equal(sock_connect(k[i], two.now, &to),
				 EINPROGRESS);
		assert_true(sock_local(k[i], &e));
		assert_int_equal(e.port, 40000);
	}
	assert_int_equal(bind_to(k[3], addr_any(4), 0), EADDRINUSE);
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
	two_set(k, 0, 15, 1);
	assert_int_equal(bind_to(k, none, 80), 0);
	assert_int_equal(sock_listen(k, two.now, 1), 0);
	sock_close(k, two.now, true);
}

/* Ports in use one behind the other, far more of them than any search tries one
 * by one: there are others, and the next bind has one. */
static void test_port_zero_beyond_a_run(void **state)
{
	static struct sock *k[3000];
	struct stack *s = two.end[0].stack;
	unsigned n = 0;
	struct endpoint e;

	(void)state;
	k[n] = sock_open(s, 4);
	assert_int_equal(bind_to(k[n], addr_any(4), 0), 0);
	assert_true(sock_local(k[n++], &e));
	while (n < ARRAY_SIZE(k)) {
		e.port = e.port == 60999 ? 32768 : (uint16_t)(e.port + 1);
		k[n] = sock_open(s, 4);
		assert_int_equal(bind_to(k[n++], addr_any(4), e.port), 0);
	}
	for (unsigned i = 0; i < 200; i++) {
		struct sock *b = sock_open(s, 4);

		assert_int_equal(bind_to(b, addr_any(4), 0), 0);
		sock_close(b, two.now, false);
	}
	for (unsigned i = 0; i < n; i++) {
		sock_close(k[i], two.now, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_bind_errors),
		TWO_TEST(test_reuse_rules),
		TWO_TEST(test_port_zero_picks),
		TWO_TEST(test_port_range),
		TWO_TEST(test_port_range_shared),
		TWO_TEST(test_freebind),
		TWO_TEST(test_port_zero_beyond_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
