/* Segment arrival on a synchronized connection (RFC 9293 3.10.7.4, 5961,
 * 7323 5) */
#include "tests/unit/tcp/pair_one.h"

static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.end[1].conn.rcv_max = 60000;
	open_it();
	pair_write(&p.end[0].conn, 100, false);
	pair_write(&p.end[1].conn, 100, false);
	pair_run(&p, NANOS_S, NULL);
	assert_true(pair_all_arrived(&p));
	return 0;
}

/* how many segments `end` sends in answer to s from the other */
static uint64_t answers(unsigned end, const struct tcp_seg *s)
{
	uint64_t was = p.sent[end];

	pair_inject(&p, end, s);
	pair_run(&p, 0, NULL);
	return p.sent[end] - was;
}

static void wait_a_while(void)
{
	pair_run(&p, 2 * NANOS_S, NULL);
}

/* RFC 5961 3.2 */
static void test_rst(void **state)
{
	struct tcp_seg s = pair_forge(&p, 0);
	struct tcp_seg r = s;

	(void)state;
	r.flags = TCP_RST;
	r.seq = s.seq - 1; /* outside: dropped silently */
	assert_int_equal(answers(1, &r), 0);
	r.seq = s.seq + 70000;
	assert_int_equal(answers(1, &r), 0);
	assert_int_equal(count(1, TCP_DROP_RST), 2);
	assert_int_equal(count(1, TCP_CHALLENGE_ACK), 0);
	r.seq = s.seq + 1; /* in the window: challenge ACK */
	assert_int_equal(answers(1, &r), 1);
	assert_int_equal(count(1, TCP_CHALLENGE_ACK), 1);
	assert_int_equal(pair_sent(&p, 1, 0)->ack, s.seq);
	assert_int_equal(pair_sent(&p, 1, 0)->flags, TCP_ACK);
	assert_false(p.end[1].conn.closed);
	r.seq = s.seq; /* exactly: reset */
	assert_int_equal(answers(1, &r), 0);
	assert_true(p.end[1].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_RESET);
	assert_int_equal(count(1, TCP_ESTAB_RESETS), 1);
}

/* RFC 5961 4.2: SYN, whatever its number */
static void test_syn(void **state)
{
	static const uint32_t at[] = { 0, 1, 70000, 0x80000000u,
				       UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		struct tcp_seg s = pair_forge(&p, 0);

		s.flags = TCP_SYN | (i & 1 ? TCP_ACK : 0);
		s.seq += at[i];
		assert_int_equal(answers(1, &s), 1);
		assert_int_equal(count(1, TCP_DROP_SYN), i + 1);
		assert_int_equal(count(1, TCP_CHALLENGE_ACK), i + 1);
		assert_false(p.end[1].conn.closed);
		wait_a_while();
	}
}

/* RFC 5961 5.2 */
static void test_ack_range(void **state)
{
	struct tcp_seg s = pair_forge(&p, 0);
	struct tcp_seg a = s;

	(void)state;
	a.ack = s.ack + 1; /* never sent */
	assert_int_equal(answers(1, &a), 1);
	assert_int_equal(count(1, TCP_DROP_ACK), 1);
	wait_a_while();
	a.ack = s.ack - (1 << 21); /* too long ago */
	assert_int_equal(answers(1, &a), 1);
	assert_int_equal(count(1, TCP_DROP_ACK), 2);
	wait_a_while();
	a.ack = s.ack - 50; /* old but possible: no answer */
	assert_int_equal(answers(1, &a), 0);
	assert_int_equal(count(1, TCP_DROP_ACK), 2);
}

/* data behind a wrong ACK is not taken */
static void test_ack_range_data(void **state)
{
	static const uint8_t evil[10];
	struct tcp_seg s = pair_forge(&p, 0);

	(void)state;
	s.ack++;
	s.len = sizeof(evil);
	s.data = evil;
	answers(1, &s);
	assert_int_equal(p.end[1].conn.in_len, 100);
}

/* RFC 5961 7 */
static void test_throttle(void **state)
{
	struct tcp_seg s = pair_forge(&p, 0);

	(void)state;
	s.flags = TCP_RST;
	s.seq++;
	assert_int_equal(answers(1, &s), 1);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(answers(1, &s), 0);
	}
	assert_int_equal(count(1, TCP_CHALLENGE_SKIP), 20);
	wait_a_while();
	assert_int_equal(answers(1, &s), 1);
}

/* RFC 9293: a segment without ACK is dropped */
static void test_no_ack(void **state)
{
	static const uint8_t x[10];
	struct tcp_seg s = pair_forge(&p, 0);

	(void)state;
	s.flags = TCP_PSH;
	s.len = sizeof(x);
	s.data = x;
	assert_int_equal(answers(1, &s), 0);
	assert_int_equal(count(1, TCP_DROP_NO_ACK), 1);
	assert_int_equal(p.end[1].conn.in_len, 100);
}

/* RFC 7323 5.3: an old timestamp; the answer is an ACK */
static void test_paws(void **state)
{
	static const uint8_t x[10];
	struct tcp_seg s = pair_forge(&p, 0);

	(void)state;
	s.opts.ts_val -= 5000;
	s.len = sizeof(x);
	s.data = x;
	assert_int_equal(answers(1, &s), 1);
	assert_int_equal(count(1, TCP_DROP_PAWS), 1);
	assert_int_equal(p.end[1].conn.in_len, 100);
	/* but a reset is not subject to it */
	s = pair_forge(&p, 0);
	s.opts.ts_val -= 5000;
	s.flags = TCP_RST;
	answers(1, &s);
	assert_true(p.end[1].conn.closed);
}

/* outside the window: an ACK, and nothing is taken; a bare ACK not each time */
static void test_window(void **state)
{
	static const uint8_t x[10];
	struct tcp_seg s = pair_forge(&p, 0);
	struct tcp_seg d = s;

	(void)state;
	d.len = sizeof(x);
	d.data = x;
	d.seq = s.seq + 70000;
	assert_int_equal(answers(1, &d), 1);
	assert_int_equal(count(1, TCP_DROP_WINDOW), 1);
	d.seq = s.seq - 10;
	assert_int_equal(answers(1, &d), 1);
	assert_int_equal(count(1, TCP_DUP), 1);
	d.len = 0;
	d.seq = s.seq - 1; /* a keep-alive */
	assert_int_equal(answers(1, &d), 1);
	assert_int_equal(answers(1, &d), 0);
	wait_a_while();
	assert_int_equal(answers(1, &d), 1);
	assert_int_equal(p.end[1].conn.in_len, 100);
}

/* the part inside the window is taken, the rest not */
static void test_trim(void **state)
{
	static uint8_t x[65000];
	struct tcp_seg s = pair_forge(&p, 0);

	(void)state;
	p.end[1].conn.hold = true;
	/* what the other end would really send there */
	pair_write(&p.end[0].conn, 65000, false);
	for (unsigned i = 0; i < sizeof(x); i++) {
		x[i] = p.end[0].conn.out[100 - 50 + i];
	}
	s.seq -= 50;
	s.len = sizeof(x);
	s.data = x;
	pair_inject(&p, 1, &s);
	/* rounded up to the scale */
	assert_in_range(p.end[1].conn.in_len, 59900, 60000 + 100 + 127);
	assert_true(pair_prefix_ok(&p));
}

static uint32_t near(struct rng *r, uint32_t at)
{
	static const uint32_t by[] = { 1, 2, 100, 3000, 70000, UINT32_MAX };
	uint32_t d = (uint32_t)rng_below(r, 1 + (uint64_t)by[rng_below(r, 6)]);

	return rng_u64(r) & 1 ? at + d : at - d;
}

/* anything that parses may arrive: no check() fails, nothing is left behind,
 * and the queues keep their bounds */
static void random_segment(struct rng *r, unsigned to)
{
	static const uint8_t x[3000];
	const struct tcb *tcb = p.end[to].conn.tcb;
	struct tcp_seg s = pair_forge(&p, !to);

	s.flags = (uint8_t)(rng_u64(r) & rng_u64(r));
	s.flags |= rng_below(r, 8) ? TCP_ACK : 0;
	s.flags &= (uint8_t)~(rng_below(r, 50) ? TCP_RST : 0);
	s.seq = near(r, tcb->rcv.nxt);
	s.ack = near(r, rng_u64(r) & 1 ? tcb_nxt(tcb) : tcb_una(tcb));
	s.wnd = (uint16_t)rng_u64(r);
	s.urg = (uint16_t)rng_u64(r);
	s.len = (uint32_t)(rng_u64(r) & 1 ? rng_below(r, sizeof(x)) : 0);
	s.data = x;
	s.opts.has_ts = rng_below(r, 8);
	s.opts.ts_val = near(r, s.opts.ts_val);
	s.opts.ts_ecr = near(r, s.opts.ts_ecr);
	s.opts.n_sack = (uint8_t)rng_below(r, 5);
	for (unsigned i = 0; i < s.opts.n_sack; i++) {
		s.opts.sack[i].lo = near(r, tcb_una(tcb));
		s.opts.sack[i].hi = near(r, tcb_nxt(tcb));
	}
	pair_inject(&p, to, &s);
}

static void test_random(void **state)
{
	unsigned ended = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct rng r;

		rng_seed(&r, seed);
		close_pair(state);
		open_pair(state);
		pair_write(&p.end[0].conn, 300000, seed & 1);
		pair_write(&p.end[1].conn, 300000, seed & 2);
		for (unsigned i = 0; i < 300; i++) {
			unsigned to = rng_u64(&r) & 1;

			if (!p.end[to].conn.tcb) {
				break;
			}
			random_segment(&r, to);
			pair_run(&p, (nanos)rng_below(&r, 2 * NANOS_MS),
				 NULL);
		}
		pair_run(&p, 100 * NANOS_S, NULL);
		ended += p.end[0].conn.closed;
		/* no storm of ACKs between two confused ends */
		assert_true(p.sent[0] + p.sent[1] < 5000);
		/* its content is not what was sent */
		p.end[0].conn.in_len = 0;
		p.end[1].conn.in_len = 0;
	}
	assert_in_range(ended, 50, 300);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_rst),      T(test_syn),    T(test_ack_range),
		T(test_ack_range_data),           T(test_throttle),
		T(test_no_ack),   T(test_paws),   T(test_window),
		T(test_trim),     T(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
