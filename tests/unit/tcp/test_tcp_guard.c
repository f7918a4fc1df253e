#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcp_guard.h"

/* RFC 5961 3.2 */
static void test_rst(void **state)
{
	(void)state;
	assert_int_equal(tcp_guard_rst(1000, 1000, 500), TCP_GUARD_RESET);
	assert_int_equal(tcp_guard_rst(1000, 1000, 0), TCP_GUARD_RESET);
	assert_int_equal(tcp_guard_rst(1001, 1000, 500), TCP_GUARD_CHALLENGE);
	assert_int_equal(tcp_guard_rst(1499, 1000, 500), TCP_GUARD_CHALLENGE);
	assert_int_equal(tcp_guard_rst(1500, 1000, 500), TCP_GUARD_DROP);
	assert_int_equal(tcp_guard_rst(999, 1000, 500), TCP_GUARD_DROP);
	/* across the wrap */
	assert_int_equal(tcp_guard_rst(10, 0xfffffff0, 500),
			 TCP_GUARD_CHALLENGE);
}

/* RFC 5961 5.2 */
static void test_ack(void **state)
{
	(void)state;
	assert_true(tcp_guard_ack(1000, 1000, 2000, 300));
	assert_true(tcp_guard_ack(2000, 1000, 2000, 300));
	assert_true(tcp_guard_ack(700, 1000, 2000, 300));
	assert_false(tcp_guard_ack(699, 1000, 2000, 300));
	assert_false(tcp_guard_ack(2001, 1000, 2000, 300));
	assert_true(tcp_guard_ack(0xffffff00, 10, 2000, 0x110));
}

/* RFC 9293 3.10.7.4, table 6 */
static void test_seq(void **state)
{
	(void)state;
	/* no length */
	assert_true(tcp_guard_seq(1000, 0, 1000, 0));
	assert_false(tcp_guard_seq(1001, 0, 1000, 0));
	assert_false(tcp_guard_seq(999, 0, 1000, 0));
	assert_true(tcp_guard_seq(1499, 0, 1000, 500));
	assert_false(tcp_guard_seq(999, 0, 1000, 500));
	assert_false(tcp_guard_seq(1501, 0, 1000, 500));
	/* with length */
	assert_false(tcp_guard_seq(1000, 1, 1000, 0));
	assert_true(tcp_guard_seq(1499, 100, 1000, 500));
	assert_true(tcp_guard_seq(900, 101, 1000, 500));
	assert_false(tcp_guard_seq(900, 100, 1000, 500));
	assert_false(tcp_guard_seq(1500, 100, 1000, 500));
	/* wider than the window at both ends */
	assert_true(tcp_guard_seq(900, 1000, 1000, 500));
}

/* RFC 5961 7 */
static void test_throttle(void **state)
{
	struct instant t = { 100 * NANOS_S };
	struct siphash_key key = { 1, 2 };
	struct tcp_guard_rate all;
	struct tcp_guard one = { 0 };
	unsigned n = 0, most;

	(void)state;
	tcp_guard_rate_init(&all, t, &key);
	most = all.left;
	assert_in_range(most, TCP_GUARD_PER_S / 2, TCP_GUARD_PER_S * 3 / 2);
	assert_true(tcp_guard_allow(&one, &all, t));
	assert_false(tcp_guard_allow(&one, &all, t));
	assert_false(tcp_guard_allow(
		&one, &all, instant_add(t, TCP_GUARD_SPACING - 1)));
	assert_true(tcp_guard_allow(&one, &all,
				    instant_add(t, TCP_GUARD_SPACING)));
	/* all connections together */
	for (unsigned i = 0; i < 2 * TCP_GUARD_PER_S; i++) {
		struct tcp_guard g = { 0 };

		n += tcp_guard_allow(&g, &all, t);
	}
	assert_int_equal(n, most - 2);
	one.any = false;
	assert_true(tcp_guard_allow(&one, &all, instant_add(t, NANOS_S)));
	/* the bound is another in the next second */
	assert_int_not_equal(all.left, most - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rst),
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_seq),
		cmocka_unit_test(test_throttle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
