#include "tests/unit/tcp/recover_one.h"

static void timeouts(void **state)
{
	enum tcp_alarm_kind which;
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 10);
	/* the probe first: 2 SRTT */
	d = tcp_alarm_next(&r.alarm, &which);
	assert_int_equal(which, TCP_ALARM_PROBE);
	assert_int_equal(d.ns, 100 * MS);
	assert_int_equal(tcp_recover_fire(&r, at(d.ns - 1), &ev),
			 TCP_ALARM_NONE);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_ALARM_PROBE);
	tcp_recover_probed(&r, d, false, false);
	d = tcp_alarm_next(&r.alarm, &which);
	assert_int_equal(which, TCP_ALARM_RTO);
	/* SRTT 50, RTTVAR 25: the floor makes it 250 */
	assert_int_equal(d.ns, 350 * MS);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_ALARM_RTO);
	assert_int_equal(r.rtt.timeouts, 1);
	assert_int_equal(r.cc.cwnd, MSS);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_int_equal(tcp_recover_quota(&r, d), MSS);
	assert_int_equal(resend(d.ns), 0);
	assert_int_equal(tcp_recover_quota(&r, d), 0);
	d = tcp_alarm_next(&r.alarm, &which);
	assert_int_equal(d.ns, (350 + 500) * MS);
	tcp_recover_fire(&r, d, &ev);
	assert_int_equal(r.rtt.timeouts, 2);
	assert_int_equal(r.cc.ssthresh, 5 * MSS); /* held: RFC 5681 3.1 */
	assert_int_equal(resend(d.ns), 0);
	/* slow start through the hole */
	ev = ack(d.ns + 50 * MS, 1, 0, 0, d.ns);
	assert_int_equal(ev & TCP_RECOVER_EV_UNDO, 0);
	assert_int_equal(r.cc.cwnd, 2 * MSS);
	assert_int_equal(r.rtt.timeouts, 0);
	tcp_recover_no_new(&r); /* F-RTO would rather send new data */
	assert_int_equal(resend(d.ns + 50 * MS), 1);
	assert_int_equal(resend(d.ns + 50 * MS), 2);
	assert_int_equal(tcp_recover_quota(&r, d), 0);
	ev = ack(d.ns + 100 * MS, 10, 0, 0, d.ns + 50 * MS);
	assert_true(ev & TCP_RECOVER_EV_DONE);
	assert_true(instant_never(tcp_alarm_next(&r.alarm, &which)));
	assert_int_equal(which, TCP_ALARM_NONE);
}

static void reneging(void **state)
{
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 6);
	ack(50 * MS, 0, 2, 4, -1);
	ack(60 * MS, 2, 0, 0, -1); /* and yet not [2, 4) */
	d = tcp_recover_deadline(&r);
	while (tcp_recover_fire(&r, d, &ev) != TCP_ALARM_RTO) {
		d = tcp_recover_deadline(&r);
	}
	assert_true(ev & TCP_RECOVER_EV_RENEGED);
	assert_int_equal(r.sent.n_lost, 4 * MSS);
	assert_int_equal(resend(d.ns), 2);
}

static void eifel_undo_of_a_timeout(void **state)
{
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 10);
	r.alarm.probe = INSTANT_NEVER;
	d = tcp_recover_deadline(&r);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_ALARM_RTO);
	resend(d.ns);
	/* the ACK of the first copy comes late */
	ev = ack(d.ns + 5 * MS, 1, 0, 0, 0);
	assert_true(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	assert_in_range(r.cc.cwnd, 10 * MSS, 11 * MSS);
	assert_int_equal(r.sent.n_lost, 0);
	assert_null(tcp_recover_next(&r, MSS));
}

/* ten segments, no ACK, and the first of them again: when that was */
static nanos ten_time_out(void)
{
	nanos t;

	send(0, 10);
	t = until_rto().ns;
	assert_int_equal(resend(t), 0);
	return t;
}

/* RFC 5682: late ACKs of first copies, without timestamps */
static void frto_undo_of_a_timeout(void **state)
{
	nanos t = ten_time_out();
	unsigned ev;

	(void)state;
	ev = ack(t + 5 * MS, 1, 0, 0, -1);
	assert_false(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.sent.n_lost, 9 * MSS);
	/* new data before what is lost */
	assert_null(tcp_recover_next(&r, MSS));
	assert_int_equal(tcp_recover_due(&r), 0);
	assert_int_equal(tcp_recover_quota(&r, at(t + 5 * MS)), 2 * MSS);
	send(t + 5 * MS, 2);
	tcp_recover_no_new(&r); /* there is no more: it waits all the same */
	assert_null(tcp_recover_next(&r, MSS));
	ev = ack(t + 6 * MS, 2, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_FRTO);
	assert_true(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	assert_int_equal(r.sent.n_lost, 0);
	assert_true(r.cc.cwnd >= 10 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
	assert_false(r.rack.reordering); /* it was delay */
}

static void frto_finds_the_loss(void **state)
{
	nanos t = ten_time_out();
	unsigned ev;

	(void)state;
	ack(t + 50 * MS, 1, 0, 0, -1);
	send(t + 50 * MS, 2);
	/* the new data arrives, what was before it has not */
	ev = ack(t + 100 * MS, 1, 10, 11, -1);
	assert_false(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.state, TCP_RECOVER_LOSS);
	assert_int_equal(resend(t + 100 * MS), 1);
	/* in conventional recovery the timer does not begin it anew */
	t = until_rto().ns;
	assert_false(tcp_frto_waits(&r.frto));
}

/* RFC 8985 6.3: what left a moment ago is not lost because the head is */
static void a_timeout_spares_the_recent(void **state)
{
	nanos t;

	(void)state;
	send(0, 3);
	ack(50 * MS, 1, 0, 0, -1); /* RACK.rtt is known: 50 ms */
	r.alarm.probe = INSTANT_NEVER;
	send(280 * MS, 1);
	t = until_rto().ns;
	assert_in_range(t, 281 * MS, 329 * MS);
	assert_int_equal(r.sent.n_lost, 2 * MSS);
	assert_int_equal(r.sent.in_flight, MSS);
	assert_int_equal(tcp_recover_quota(&r, at(t)), MSS);
	assert_int_equal(resend(t), 1);
	assert_int_equal(tcp_recover_quota(&r, at(t)), 0);
}

/* A lost retransmission that only the timer finds: the window was reduced
 * already, and FlightSize has not shrunk since. */
static void timeout_in_recovery(void **state)
{
	nanos t;
	uint32_t ssthresh;

	(void)state;
	r.cc.cwnd = 20 * MSS;
	send(0, 20);
	ack(50 * MS, 0, 1, 20, -1);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	ssthresh = r.cc.ssthresh;
	assert_int_equal(resend(50 * MS), 0);
	t = until_rto().ns;
	assert_int_equal(r.cc.ssthresh, ssthresh);
	assert_int_equal(r.cc.cwnd, MSS);
	assert_int_equal(resend(t), 0);
}

/* the probe is due and sends again what begins there; when */
static struct instant probe(uint32_t seq)
{
	struct instant d = tcp_recover_deadline(&r);
	struct tcp_sent_entry *e;
	unsigned ev;

	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_ALARM_PROBE);
	e = tcp_recover_probe(&r);
	assert_int_equal(e->seq, seq);
	tcp_recover_resent(&r, d, e, MSS);
	tcp_recover_probed(&r, d, true, true);
	return d;
}

static void probe_repairs_the_tail(void **state)
{
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 4);
	ack(50 * MS, 3, 0, 0, -1);
	d = probe(Q + 3 * MSS);
	ack(d.ns + 50 * MS, 4, 0, 0, -1);
	send(d.ns + 60 * MS, 1);
	ev = ack(d.ns + 110 * MS, 5, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_REPAIRED);
	assert_true(r.cc.ssthresh < 10 * MSS);
	assert_in_range(r.cc.cwnd, r.cc.ssthresh, r.cc.ssthresh + MSS);
}

/* RFC 4821 7.6.2: two segments' worth, too large for the path */
static void probe_repairs_an_mtu_probe(void **state)
{
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 3);
	assert_true(tcp_recover_sent(&r, at(0), 2 * MSS, 2 * MSS, false));
	tcp_mtup_sent(&r.mtup, Q + 3 * MSS, Q + 5 * MSS, 2 * MSS);
	ack(50 * MS, 3, 0, 0, -1);
	d = probe(Q + 4 * MSS);
	ack(d.ns + 50 * MS, 3, 4, 5, -1);
	assert_int_equal(resend(d.ns + 50 * MS), 3);
	ack(d.ns + 120 * MS, 5, 0, 0, -1);
	send(d.ns + 120 * MS, 1);
	ev = ack(d.ns + 170 * MS, 6, 0, 0, -1);
	assert_false(ev & TCP_RECOVER_EV_REPAIRED);
	assert_int_equal(r.cc.ssthresh, CC_INF);
}

/* A part of an MTU probe is sent again first, and F-RTO would learn nothing. */
static void no_frto_with_an_mtu_probe(void **state)
{
	(void)state;
	assert_true(tcp_recover_sent(&r, at(0), 2 * MSS, 2 * MSS, false));
	tcp_mtup_sent(&r.mtup, Q, Q + 2 * MSS, 2 * MSS);
	send(0, 3);
	until_rto();
	assert_false(tcp_frto_waits(&r.frto));
}

/* RFC 5682 3.1 step 2a: the window is two segments, though all arrived */
static void late_acks_open_no_window(void **state)
{
	nanos t = ten_time_out();

	(void)state;
	ack(t + 50 * MS, 10, 0, 0, -1);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	assert_int_equal(r.cc.cwnd, 2 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(timeouts),
		T(reneging),
		T(eifel_undo_of_a_timeout),
		T(frto_undo_of_a_timeout),
		T(frto_finds_the_loss),
		T(a_timeout_spares_the_recent),
		T(timeout_in_recovery),
		T(probe_repairs_the_tail),
		T(probe_repairs_an_mtu_probe),
		T(no_frto_with_an_mtu_probe),
		T(late_acks_open_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
