/* TCP_DEFER_ACCEPT: what is bare, for how long it is held, and the round trip
 * that is known afterwards; the whole is in tests/pkt/tcp/defer_*.pkt */
#include "tests/unit/tcp/pair_one.h"

static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.end[1].conf.defer_accept = 2;
	pair_start(&p);
	pair_connect(&p);
	return 0;
}

static void test_data_opens(void **state)
{
	(void)state;
	pair_run(&p, NANOS_S / 2, NULL);
	assert_true(p.end[0].conn.established);
	assert_false(p.end[1].conn.established);
	assert_int_equal(count(1, TCP_DEFER_DROP), 1);
	pair_write(&p.end[0].conn, 100, false);
	assert_true(pair_run(&p, NANOS_S / 2, pair_all_arrived));
	assert_true(p.end[1].conn.established);
	/* that of the handshake, not of the wait */
	assert_true(tcp_srtt(p.end[1].conn.tcb) < 4 * p.delay + NANOS_MS);
}

static void test_fin_opens(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 0, true);
	pair_run(&p, NANOS_S / 2, NULL);
	assert_true(p.end[1].conn.fin);
}

/* 1 s, 3 s: the second is the last chance, and is taken */
static void test_time_opens(void **state)
{
	(void)state;
	pair_run(&p, 2900 * NANOS_MS, NULL);
	assert_false(p.end[1].conn.established);
	assert_int_equal(count(1, TCP_SYN_RETRANS), 0);
	pair_run(&p, 300 * NANOS_MS, NULL);
	assert_true(p.end[1].conn.established);
	assert_int_equal(count(1, TCP_SYN_RETRANS), 1);
	/* nothing was lost: no smaller window (RFC 5681 3.1) */
	assert_true(tcp_cwnd(p.end[1].conn.tcb) > 2 * 1460);
	assert_int_equal(p.end[1].conn.tcb->rec.rtt.timeouts, 0);
}

static void test_bare(void **state)
{
	struct tcp_seg seg = { .flags = TCP_ACK };
	struct tcb tcb = { .passive = true };

	(void)state;
	assert_false(tcp_defer_bare(&tcb, &seg)); /* nobody asked for it */
	tcb.conf.defer_accept = 1;
	assert_true(tcp_defer_bare(&tcb, &seg));
	seg.opts.mp.have = MP_HAVE(MP_OPT_DSS);
	assert_true(tcp_defer_bare(&tcb, &seg));
	seg.opts.mp.dss.map = true; /* DATA_FIN */
	assert_false(tcp_defer_bare(&tcb, &seg));
	seg.opts.mp.have = 0;
	seg.len = 1;
	assert_false(tcp_defer_bare(&tcb, &seg));
	seg.len = 0;
	tcb.rec.rtt.timeouts = 1;
	assert_false(tcp_defer_bare(&tcb, &seg));
	tcb.rec.rtt.timeouts = 0;
	tcb.passive = false; /* a simultaneous open */
	assert_false(tcp_defer_bare(&tcb, &seg));
	pair_run(&p, NANOS_S / 2, NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_data_opens),
		T(test_fin_opens),
		T(test_time_opens),
		T(test_bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
