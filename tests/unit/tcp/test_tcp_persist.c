/* Shut windows (RFC 9293 3.8.6.1) */
#include "tests/unit/tcp/pair_one.h"

static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.end[1].conn.rcv_max = 100000;
	p.end[1].conf.rcv_wnd_max = 100000;
	p.end[1].conn.hold = true;
	open_it();
	return 0;
}

/* the sender fills the window, probes with growing distance, and goes on when
 * it opens; nothing is sent beyond the edge */
static void test_probe(void **state)
{
	const struct tcp_seg *s;
	uint64_t sent;

	(void)state;
	pair_write(&p.end[0].conn, 300000, true);
	pair_run(&p, 2 * NANOS_S, NULL);
	assert_in_range(p.end[1].conn.in_len, 98000, 100002);
	assert_int_equal(p.end[0].conn.tcb->snd.wnd, 0);
	assert_int_equal(count(1, TCP_DROP_WINDOW), 0);
	pair_run(&p, 60 * NANOS_S, NULL);
	assert_in_range(count(0, TCP_PROBE), 5, 9);
	s = pair_sent(&p, 0, 0); /* Linux's probe: one below, no data */
	assert_int_equal(s->len, 0);
	assert_int_equal(s->seq, p.end[0].conn.tcb->rec.sent.una - 1);
	assert_int_equal(count(0, TCP_RETRANS_SEGS), 0);
	/* it keeps probing for as long as there are answers */
	pair_run(&p, 3600 * NANOS_S, NULL);
	assert_false(p.end[0].conn.closed);
	sent = p.sent[0];
	pair_run(&p, 3600 * NANOS_S, NULL);
	assert_in_range(p.sent[0] - sent, 29, 31); /* every 120 s */
	p.end[1].conn.hold = false;
	pair_read_all(&p.end[1].conn);
	assert_true(pair_run(&p, NANOS_S, pair_all_arrived));
}

static struct pair_fate lose_updates(void *ctx, const struct pair_pkt *k)
{
	const bool *on = ctx;

	return (struct pair_fate){ .drop = *on && k->from == 1 };
}

/* the update that opens it is lost: the probe finds out */
static void test_lost_update(void **state)
{
	bool lose = false;

	(void)state;
	p.fate = lose_updates;
	p.fate_ctx = &lose;
	pair_write(&p.end[0].conn, 300000, true);
	pair_run(&p, 2 * NANOS_S, NULL);
	lose = true;
	p.end[1].conn.hold = false;
	pair_read_all(&p.end[1].conn);
	pair_run(&p, 20 * NANOS_MS, NULL);
	lose = false;
	assert_true(pair_run(&p, 10 * NANOS_S, pair_all_arrived));
}

/* nobody answers the probes: it ends */
static void test_no_answer(void **state)
{
	bool lose = false;

	(void)state;
	p.fate = lose_updates;
	p.fate_ctx = &lose;
	pair_write(&p.end[0].conn, 300000, true);
	pair_run(&p, 2 * NANOS_S, NULL);
	lose = true;
	pair_run(&p, 3600 * NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_TIMEOUT);
	assert_int_equal(count(0, TCP_ABORT_TIMEOUT), 1);
}

/* the upper holds its data back itself and says so */
static void test_blocked(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 100000, false);
	pair_run(&p, 2 * NANOS_S, NULL);
	assert_int_equal(p.end[0].conn.tcb->snd.wnd, 0);
	assert_int_equal(count(0, TCP_PROBE), 0);
	tcp_blocked(p.end[0].conn.tcb, p.now, true);
	pair_run(&p, 2 * NANOS_S, NULL);
	assert_true(count(0, TCP_PROBE) > 1);
	tcp_blocked(p.end[0].conn.tcb, p.now, false);
	uint64_t n = count(0, TCP_PROBE);
	pair_run(&p, 20 * NANOS_S, NULL);
	assert_int_equal(count(0, TCP_PROBE), n);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_probe),
		T(test_lost_update),
		T(test_no_answer),
		T(test_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
