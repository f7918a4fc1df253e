/* When a connection is given up (RFC 9293 3.8.3, 5482) */
#include "tests/unit/tcp/pair_one.h"

static bool cut;

static struct pair_fate cut_all(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	(void)k;
	return (struct pair_fate){ .drop = cut };
}

static int open_pair(void **state)
{
	(void)state;
	cut = false;
	pair_defaults(&p, 1);
	p.fate = cut_all;
	open_it();
	return 0;
}

static void test_retries2(void **state)
{
	(void)state;
	cut = true;
	pair_write(&p.end[0].conn, 10, false);
	pair_run(&p, 600 * NANOS_S, NULL);
	assert_false(p.end[0].conn.closed);
	pair_run(&p, 1000 * NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_TIMEOUT);
	assert_int_equal(p.end[0].conn.timeouts, 15);
}

static void test_user_timeout(void **state)
{
	struct tcp_conf c = { .user_timeout = 20 * NANOS_S };

	(void)state;
	tcp_set_conf(p.end[0].conn.tcb, &c, p.now);
	cut = true;
	pair_write(&p.end[0].conn, 10, false);
	pair_run(&p, 19 * NANOS_S, NULL);
	assert_false(p.end[0].conn.closed);
	pair_run(&p, 20 * NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
}

/* a long silence that ends before is survived */
static void test_survives(void **state)
{
	(void)state;
	cut = true;
	pair_write(&p.end[0].conn, 100000, false);
	pair_run(&p, 300 * NANOS_S, NULL);
	cut = false;
	assert_true(pair_run(&p, 125 * NANOS_S, pair_all_arrived));
	assert_true(pair_prefix_ok(&p));
}

/* an orphan is given up earlier, and no timer is left behind */
static void test_orphan(void **state)
{
	(void)state;
	cut = true;
	tcp_detach(p.end[0].conn.tcb, p.now);
	p.end[0].conn.tcb = NULL;
	pair_run(&p, 400 * NANOS_S, NULL);
	assert_int_equal(tcp_count_conns(p.end[0].tcp), 0);
	assert_int_equal(tcp_count_owing(p.end[0].tcp), 0);
	assert_int_equal(p.end[0].wheel.n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_retries2),
		T(test_user_timeout),
		T(test_survives),
		T(test_orphan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
