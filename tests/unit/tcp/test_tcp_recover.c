/* What an ACK does to the states of recovery.  Timeouts are in
 * test_tcp_recover_fire.c, whole transfers in test_tcp_recover_path.c. */
#include "tests/unit/tcp/recover_one.h"

static void fast_recovery(void **state)
{
	unsigned ev;
	uint32_t sent = 1;

	(void)state;
	send(0, 10);
	assert_int_equal(tcp_recover_quota(&r, at(0)), 0);
	ack(50 * MS, 0, 1, 2, -1);
	assert_int_equal(r.state, TCP_RECOVER_DISORDER);
	ack(50 * MS, 0, 1, 3, -1);
	ev = ack(50 * MS, 0, 1, 4, -1); /* three segments SACKed */
	assert_int_equal(ev & TCP_RECOVER_EV_FAST, TCP_RECOVER_EV_FAST);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_true(tcp_recover_quota(&r, at(50 * MS)) >= MSS);
	assert_int_equal(resend(50 * MS), 0);
	/* PRR: about one segment out for two delivered */
	for (uint32_t i = 5; i <= 10; i++) {
		ack((50 + i) * MS, 0, 1, i, -1);
		while (tcp_recover_quota(&r, at(60 * MS)) >= MSS) {
			send((50 + i) * MS, 1);
			sent++;
		}
	}
	assert_in_range(sent, 4, 5);
	assert_true(r.sent.in_flight <= 5 * MSS);
	ev = ack(100 * MS, 10, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_DONE);
	assert_int_equal(r.cc.cwnd, 5 * MSS + 0);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
}

static void reno_without_sack(void **state)
{
	unsigned ev = 0;

	(void)state;
	send(0, 10);
	ack(50 * MS, 0, 0, 0, -1);
	ack(50 * MS, 0, 0, 0, -1);
	/* limited transmit (RFC 3042): one new segment per duplicate */
	send(50 * MS, 2);
	assert_int_equal(tcp_recover_quota(&r, at(50 * MS)), 0);
	ev = ack(50 * MS, 0, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_FAST);
	assert_int_equal(resend(50 * MS), 0);
	assert_null(tcp_recover_next(&r, MSS));
	for (int i = 0; i < 6; i++) {
		ack(51 * MS, 0, 0, 0, -1);
	}
	/* a partial ACK: the next hole (RFC 6582) */
	ev = ack(100 * MS, 4, 0, 0, -1);
	assert_false(ev & TCP_RECOVER_EV_DONE);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	assert_true(tcp_recover_quota(&r, at(100 * MS)) >= MSS);
	assert_int_equal(resend(100 * MS), 4);
	ev = ack(150 * MS, 12, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_DONE);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	/* duplicates that data or windows explain are none */
	send(200 * MS, 5);
	for (int i = 0; i < 5; i++) {
		struct tcp_recover_ack in = { .now = at(210 * MS),
					      .ack = Q + 12 * MSS,
					      .has_data = i % 2,
					      .wnd_changed = i % 2 == 0,
					      .echo_before = INSTANT_NEVER,
					      .echo_rtt = -1 };

		assert_int_equal(tcp_recover_ack(&r, &in), 0);
	}
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
}

static void dsack_undo_of_a_recovery(void **state)
{
	struct range32 b[2];
	struct tcp_recover_ack in = { .now = at(70 * MS),
				      .sack = b,
				      .n_sack = 2,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };
	unsigned ev;

	(void)state;
	send(0, 10);
	ack(50 * MS, 0, 1, 4, -1);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	resend(50 * MS);
	ack(55 * MS, 4, 0, 0, -1); /* reordering it was */
	in.ack = Q + 4 * MSS;
	b[0] = (struct range32){ Q, Q + MSS };
	b[1] = (struct range32){ Q + 5 * MSS, Q + 6 * MSS };
	ev = tcp_recover_ack(&r, &in);
	assert_true(ev & TCP_RECOVER_EV_UNDO);
	assert_in_range(r.cc.cwnd, 10 * MSS, 11 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
	assert_true(r.rack.reordering);
	assert_int_equal(r.rack.mult, 2);
}

/* an ACK with ECE */
static unsigned marked(nanos now, uint32_t a)
{
	struct tcp_recover_ack in = { .now = at(now),
				      .ack = Q + a * MSS,
				      .marked = true,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };

	return tcp_recover_ack(&r, &in);
}

/* RFC 3168 6.1.2 */
static void marks_reduce_once_per_window(void **state)
{
	uint32_t cwnd;

	(void)state;
	send(0, 10);
	assert_true(marked(50 * MS, 1) & TCP_RECOVER_EV_MARKED);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_int_equal(r.cc.cwnd, 5 * MSS);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	/* the rest of the window: no further reduction, and no growth */
	assert_false(marked(51 * MS, 5) & TCP_RECOVER_EV_MARKED);
	ack(52 * MS, 6, 0, 0, -1);
	assert_int_equal(r.cc.cwnd, 5 * MSS);
	/* a loss in it: the same congestion */
	send(52 * MS, 1);
	ack(53 * MS, 6, 7, 10, -1);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_false(marked(54 * MS, 6) & TCP_RECOVER_EV_MARKED);
	assert_int_equal(resend(54 * MS), 6);
	ack(104 * MS, 11, 0, 0, -1);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	cwnd = r.cc.cwnd;
	send(105 * MS, 4);
	assert_true(marked(155 * MS, 12) & TCP_RECOVER_EV_MARKED);
	assert_true(r.cc.cwnd < cwnd && r.cc.cwnd >= 2 * MSS);
}

/* an ACK of what the network sent twice, marked: nothing of ours is out */
static void a_mark_of_nothing(void **state)
{
	(void)state;
	send(0, 10);
	ack(50 * MS, 10, 0, 0, -1);
	assert_int_equal(r.cc.cwnd, 20 * MSS);
	assert_false(marked(51 * MS, 10) & TCP_RECOVER_EV_MARKED);
	assert_int_equal(r.cc.cwnd, 20 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
}

/* RFC 8985 6.2 step 4: RACK.segs_sacked counts segments, however small */
static void three_small_segments(void **state)
{
	struct range32 b = { Q + 100, Q + 300 };
	struct tcp_recover_ack in = { .now = at(50 * MS),
				      .ack = Q,
				      .sack = &b,
				      .n_sack = 1,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		assert_true(tcp_recover_sent(&r, at(0), 100, MSS, false));
	}
	tcp_recover_ack(&r, &in);
	assert_int_equal(r.sent.sacked_segs, 2);
	assert_int_equal(r.state, TCP_RECOVER_DISORDER);
	b.hi += 100;
	assert_true(tcp_recover_ack(&r, &in) & TCP_RECOVER_EV_FAST);
	assert_int_equal(r.sent.sacked_segs, 3);
	assert_int_equal(r.sent.n_lost, 100);
	in.ack = Q + 500;
	in.n_sack = 0;
	tcp_recover_ack(&r, &in);
	assert_int_equal(r.sent.sacked_segs, 0);
}

static void mtu_fell(void **state)
{
	struct tcp_sent_entry *e;

	(void)state;
	send(0, 10);
	tcp_mtup_sent(&r.mtup, Q + 9 * MSS, Q + 10 * MSS, MSS);
	tcp_recover_mss(&r, at(MS), 700);
	assert_int_equal(r.mtup.size, 0); /* its ACK will tell nothing */
	assert_int_equal(r.cc.cwnd, 10 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
	assert_int_equal(r.sent.n_lost, 10 * MSS);
	e = tcp_recover_next(&r, 700);
	assert_int_equal(e->len, 700);
	tcp_recover_resent(&r, at(MS), e, 700);
	assert_true(tcp_recover_quota(&r, at(MS)) > 8 * MSS);
}

static void switching_cc(void **state)
{
	(void)state;
	send(0, 10);
	ack(50 * MS, 10, 0, 0, -1);
	tcp_recover_set_cc(&r, &cc_cubic, at(50 * MS));
	assert_ptr_equal(r.cc.ops, &cc_cubic);
	assert_int_equal(r.cc.cwnd, 20 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(fast_recovery),
		cmocka_unit_test_setup_teardown(reno_without_sack, setup_nosack,
						teardown),
		T(dsack_undo_of_a_recovery),
		T(marks_reduce_once_per_window),
		T(a_mark_of_nothing),
		T(three_small_segments),
		T(mtu_fell),
		T(switching_cc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
