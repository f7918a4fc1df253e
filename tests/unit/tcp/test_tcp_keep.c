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
	p.end[0].conf.keepalive = true;
	p.end[0].conf.keep_idle = 100 * NANOS_S;
	p.end[0].conf.keep_intvl = 10 * NANOS_S;
	p.end[0].conf.keep_cnt = 4;
	open_it();
	return 0;
}

/* RFC 9293 3.8.4: answered probes, one per idle time */
static void test_alive(void **state)
{
	(void)state;
	pair_run(&p, 1005 * NANOS_S, NULL);
	assert_int_equal(count(0, TCP_KEEPALIVE), 10);
	assert_int_equal(pair_sent(&p, 0, 0)->len, 0);
	assert_false(p.end[0].conn.closed);
	assert_int_equal(count(1, TCP_KEEPALIVE), 0);
}

/* traffic restarts the idle time */
static void test_traffic(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		pair_write(&p.end[0].conn, 10, false);
		pair_run(&p, 90 * NANOS_S, NULL);
	}
	assert_int_equal(count(0, TCP_KEEPALIVE), 0);
}

static void test_dead(void **state)
{
	(void)state;
	cut = true;
	pair_run(&p, 139 * NANOS_S, NULL);
	assert_false(p.end[0].conn.closed);
	assert_int_equal(count(0, TCP_KEEPALIVE), 4);
	pair_run(&p, 3 * NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_TIMEOUT);
	assert_int_equal(count(0, TCP_ABORT_KEEPALIVE), 1);
}

/* tcp_probe_alive(): an answer stops it */
static void test_probe_answered(void **state)
{
	(void)state;
	tcp_probe_alive(p.end[1].conn.tcb, p.now, 3);
	pair_run(&p, 5 * NANOS_S, NULL);
	assert_int_equal(count(1, TCP_KEEPALIVE), 1);
	assert_false(p.end[1].conn.closed);
}

static void test_probe_unanswered(void **state)
{
	(void)state;
	cut = true;
	tcp_probe_alive(p.end[1].conn.tcb, p.now, 3);
	pair_run(&p, 5 * NANOS_S, NULL);
	assert_int_equal(count(1, TCP_KEEPALIVE), 3);
	assert_true(p.end[1].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_TIMEOUT);
}

/* too many that still owe something: the next is reset, as tcp_max_orphans */
static void test_too_many_orphans(void **state)
{
	struct pair_conn *c = &p.end[0].conn;
	struct tcp *tcp = p.end[0].tcp;

	(void)state;
	tcp->n_owing = TCP_ORPHANS_MAX;
	tcp_detach(c->tcb, p.now);
	c->tcb = NULL;
	tcp->n_owing = 0;
	assert_int_equal(tcp_counter(tcp, TCP_ABORT_ORPHANS), 1);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(tcp_count_conns(tcp), 0);
	assert_true(p.end[1].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_RESET);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_alive),		T(test_traffic),
		T(test_dead),		T(test_probe_answered),
		T(test_probe_unanswered), T(test_too_many_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
