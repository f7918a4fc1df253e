/* Payload and FIN: every order of closing, out-of-order FIN, urgent data in
 * line, orphans (RFC 9293 3.6, 3.10.7.4 eighth) */
#include "tests/unit/tcp/pair_one.h"

static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	open_it();
	pair_run(&p, NANOS_S, NULL);
	return 0;
}

static enum tcp_state state_of(unsigned end)
{
	return p.end[end].conn.tcb ? tcp_state(p.end[end].conn.tcb) :
				     TCP_CLOSED;
}

/* one after the other: the first has TIME-WAIT, the second none */
static void test_half_close(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 1000, true);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(state_of(0), TCP_FIN_WAIT_2);
	assert_int_equal(state_of(1), TCP_CLOSE_WAIT);
	assert_true(p.end[1].conn.fin);
	/* the other direction goes on for as long as it likes */
	for (unsigned i = 0; i < 20; i++) {
		pair_write(&p.end[1].conn, 50000, false);
		pair_run(&p, 20 * NANOS_S, NULL);
	}
	assert_true(pair_all_arrived(&p));
	pair_write(&p.end[1].conn, 1, true);
	assert_true(pair_run(&p, NANOS_S, pair_both_closed));
	assert_int_equal(p.end[0].conn.end_why, TCP_END_NORMAL);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_NORMAL);
	assert_int_equal(tcp_count_timewait(p.end[0].tcp), 1);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 0);
}

/* FINs cross: CLOSING at both ends */
static void test_both_at_once(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 1000, true);
	pair_write(&p.end[1].conn, 1000, true);
	pair_run(&p, 6 * NANOS_MS, NULL);
	assert_int_equal(state_of(0), TCP_CLOSING);
	assert_int_equal(state_of(1), TCP_CLOSING);
	assert_true(pair_run(&p, NANOS_S, pair_both_closed));
	assert_int_equal(tcp_count_timewait(p.end[0].tcp), 1);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 1);
}

/* FIN together with the last data, with nothing, and with the ACK of the
 * other's FIN */
static void test_fin_with_data(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 100, true);
	pair_run(&p, 0, NULL);
	assert_int_equal(pair_sent(&p, 0, 0)->flags,
			 TCP_FIN | TCP_PSH | TCP_ACK);
	assert_int_equal(pair_sent(&p, 0, 0)->len, 100);
	pair_run(&p, 6 * NANOS_MS, NULL);
	pair_write(&p.end[1].conn, 0, true);
	pair_run(&p, 0, NULL);
	assert_int_equal(pair_sent(&p, 1, 0)->flags & TCP_FIN, TCP_FIN);
	assert_int_equal(state_of(1), TCP_LAST_ACK);
	assert_true(pair_run(&p, NANOS_S, pair_both_closed));
}

struct lose {
	unsigned from;
	bool data, fin;
	unsigned times;
};

static struct pair_fate lose(void *ctx, const struct pair_pkt *k)
{
	struct lose *l = ctx;
	bool hit = k->from == l->from && l->times &&
		   ((l->data && k->seg.len) ||
		    (l->fin && k->seg.flags & TCP_FIN && !k->seg.len));

	l->times -= hit;
	return (struct pair_fate){ .drop = hit };
}

/* the FIN overtakes the data before it */
static void test_fin_first(void **state)
{
	struct lose l = { .data = true, .times = 1 };

	(void)state;
	p.fate = lose;
	p.fate_ctx = &l;
	pair_write(&p.end[0].conn, 100, false);
	pair_run(&p, 0, NULL);
	pair_write(&p.end[0].conn, 0, true);
	pair_run(&p, 6 * NANOS_MS, NULL);
	assert_int_equal(pair_sent(&p, 0, 0)->flags & TCP_FIN, TCP_FIN);
	assert_false(p.end[1].conn.fin);
	pair_write(&p.end[1].conn, 10, true);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_both_closed));
	assert_true(pair_all_arrived(&p));
}

/* a lost FIN is sent again, also when it is all there is */
static void test_fin_lost(void **state)
{
	struct lose l = { .fin = true, .times = 3 };

	(void)state;
	p.fate = lose;
	p.fate_ctx = &l;
	pair_write(&p.end[0].conn, 0, true);
	pair_run(&p, 30 * NANOS_S, NULL);
	assert_int_equal(state_of(0), TCP_FIN_WAIT_2);
	l.from = 1;
	l.times = 2;
	pair_write(&p.end[1].conn, 0, true);
	assert_true(pair_run(&p, 30 * NANOS_S, pair_both_closed));
	assert_int_equal(l.times, 0);
}

/* data beyond the FIN is not part of the stream */
static void test_data_after_fin(void **state)
{
	static const uint8_t x[10];
	struct tcp_seg s = pair_forge(&p, 0);

	(void)state;
	s.len = sizeof(x);
	s.data = x;
	s.flags |= TCP_FIN;
	s.seq += 100; /* out of order */
	pair_inject(&p, 1, &s);
	s.flags = TCP_ACK;
	s.seq += 10;
	pair_inject(&p, 1, &s);
	assert_int_equal(p.end[1].conn.tcb->rcv.fin_seq, s.seq);
	assert_int_equal(tcp_reasm_end(&p.end[1].conn.tcb->reasm, 0), s.seq);
	assert_false(p.end[1].conn.fin);
}

static void test_urgent_in_line(void **state)
{
	const struct tcp_seg *s;

	(void)state;
	pair_write(&p.end[0].conn, 500, false);
	tcp_urgent(p.end[0].conn.tcb);
	pair_run(&p, 0, NULL);
	s = pair_sent(&p, 0, 0);
	assert_int_equal(s->flags & TCP_URG, TCP_URG);
	assert_int_equal(s->urg, 500);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(p.end[1].conn.in_len, 500);
	assert_int_equal(count(1, TCP_URG_IN), 1);
	pair_write(&p.end[0].conn, 10, false);
	pair_run(&p, 0, NULL);
	assert_int_equal(pair_sent(&p, 0, 0)->flags & TCP_URG, 0);
}

/* an orphan finishes by itself */
static void test_detach(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 1000, false);
	pair_run(&p, NANOS_S, NULL);
	tcp_detach(p.end[0].conn.tcb, p.now);
	p.end[0].conn.tcb = NULL;
	assert_int_equal(tcp_count_owing(p.end[0].tcp), 1);
	pair_run(&p, NANOS_S, NULL);
	assert_true(p.end[1].conn.fin);
	assert_int_equal(tcp_count_owing(p.end[0].tcp), 0);
	assert_int_equal(tcp_count_conns(p.end[0].tcp), 1);
	pair_write(&p.end[1].conn, 0, true);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(tcp_count_conns(p.end[0].tcp), 0);
	assert_int_equal(tcp_count_timewait(p.end[0].tcp), 1);
	assert_true(p.end[1].conn.closed);
	assert_false(p.end[0].conn.closed);
}

/* ..does not wait for ever.. */
static void test_detach_fin_wait_2(void **state)
{
	(void)state;
	tcp_detach(p.end[0].conn.tcb, p.now);
	p.end[0].conn.tcb = NULL;
	pair_run(&p, 59 * NANOS_S, NULL);
	assert_int_equal(tcp_count_conns(p.end[0].tcp), 1);
	pair_run(&p, 2 * NANOS_S, NULL);
	assert_int_equal(tcp_count_conns(p.end[0].tcp), 0);
}

/* ..and tells a peer that still sends */
static void test_detach_data(void **state)
{
	(void)state;
	tcp_detach(p.end[0].conn.tcb, p.now);
	p.end[0].conn.tcb = NULL;
	pair_run(&p, NANOS_S, NULL);
	pair_write(&p.end[1].conn, 10, false);
	pair_run(&p, NANOS_S, NULL);
	assert_true(p.end[1].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_RESET);
	assert_int_equal(count(0, TCP_DROP_AFTER_CLOSE), 1);
	p.end[1].conn.out_len = 0;
}

static void test_abort(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 10, false);
	tcp_abort(p.end[0].conn.tcb, p.now);
	p.end[0].conn.tcb = NULL;
	pair_run(&p, NANOS_S, NULL);
	assert_false(p.end[0].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_RESET);
	assert_int_equal(count(0, TCP_OUT_RSTS), 1);
}

/* the upper's verdicts */
static void test_verdicts(void **state)
{
	(void)state;
	p.end[1].conn.verdict = TCP_UP_DROP;
	pair_write(&p.end[0].conn, 10, false);
	pair_run(&p, 6 * NANOS_MS, NULL);
	assert_int_equal(p.end[1].conn.in_len, 0);
	assert_int_equal(count(1, TCP_DROP_UPPER), 1);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(p.end[1].conn.in_len, 10);
	p.end[1].conn.verdict = TCP_UP_RESET;
	pair_write(&p.end[0].conn, 10, false);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_ABORTED);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_RESET);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_half_close),     T(test_both_at_once),
		T(test_fin_with_data),  T(test_fin_first),
		T(test_fin_lost),       T(test_data_after_fin),
		T(test_urgent_in_line), T(test_detach),
		T(test_detach_fin_wait_2),
		T(test_detach_data),    T(test_abort),
		T(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
