/* TIME-WAIT (RFC 9293 3.6.1, 1337, 6191) */
#include "tests/unit/tcp/pair_one.h"

#include "stack/tcp/tcp_wait.h"

static struct tuple was; /* at the end in TIME-WAIT */
static struct tcp_seg last_fin;

static struct pair_fate note_fin(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	if (k->from == 0 && k->seg.flags & TCP_FIN) {
		static uint8_t copy[2000];

		last_fin = k->seg;
		memcpy(copy, k->seg.data, k->seg.len);
		last_fin.data = copy;
	}
	return (struct pair_fate){ 0 };
}

/* the server closes first and is in TIME-WAIT */
static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.fate = note_fin;
	open_it();
	was = *tcp_tuple(p.end[1].conn.tcb);
	pair_write(&p.end[1].conn, 1000, true);
	pair_run(&p, NANOS_S, NULL);
	pair_write(&p.end[0].conn, 1000, true);
	assert_true(pair_run(&p, NANOS_S, pair_both_closed));
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 1);
	pair_run(&p, NANOS_S, NULL);
	return 0;
}

static uint64_t answers(const struct tcp_seg *s)
{
	uint64_t n = p.sent[1];

	pair_inject(&p, 1, s);
	pair_run(&p, 0, NULL);
	return p.sent[1] - n;
}

static void test_sixty_seconds(void **state)
{
	(void)state;
	pair_run(&p, 57 * NANOS_S, NULL);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 1);
	pair_run(&p, 2 * NANOS_S, NULL);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 0);
}

/* the last ACK was lost: FIN again, ACK again, and the time starts anew */
static void test_fin_again(void **state)
{
	struct tcp_seg s = last_fin;

	(void)state;
	s.t = was;
	pair_run(&p, 30 * NANOS_S, NULL);
	s.len = 0;
	s.seq = last_fin.seq + last_fin.len;
	assert_int_equal(answers(&s), 1);
	assert_int_equal(pair_sent(&p, 1, 0)->flags, TCP_ACK);
	assert_int_equal(pair_sent(&p, 1, 0)->ack, s.seq + 1);
	assert_true(pair_sent(&p, 1, 0)->opts.has_ts);
	pair_run(&p, 59 * NANOS_S, NULL);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 1);
}

/* RFC 1337 */
static void test_no_assassination(void **state)
{
	struct tcp_seg s = last_fin;

	(void)state;
	s.t = was;
	s.flags = TCP_RST;
	s.seq = last_fin.seq + last_fin.len + 1;
	assert_int_equal(answers(&s), 0);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 1);
}

/* a bare ACK that fits is not answered (no loop), old data is, by rate */
static void test_strays(void **state)
{
	static const uint8_t x[10];
	struct tcp_seg s = last_fin;

	(void)state;
	s.t = was;
	s.len = 0;
	s.flags = TCP_ACK;
	s.seq = last_fin.seq + last_fin.len + 1;
	assert_int_equal(answers(&s), 0);
	s.seq -= 500;
	s.len = sizeof(x);
	s.data = x;
	/* RFC 9293 3.10.7.4, fifth: without ACK bit dropped */
	s.flags = TCP_FIN;
	assert_int_equal(answers(&s), 0);
	assert_int_equal(count(1, TCP_DROP_NO_ACK), 1);
	s.flags = TCP_ACK;
	assert_int_equal(answers(&s), 1);
	assert_int_equal(answers(&s), 0);
}

/* RFC 6191 2 */
static void test_reuse(void **state)
{
	struct tcp_seg s = last_fin;
	uint32_t old_seq = pair_sent(&p, 1, 0)->seq;

	(void)state;
	s.t = was;
	s.len = 0;
	s.flags = TCP_SYN;
	s.ack = 0;
	s.seq = last_fin.seq - 100000; /* lower, but the timestamp is newer */
	s.opts.ts_val = last_fin.opts.ts_val - 1;
	assert_int_equal(answers(&s), 1); /* old: an ACK */
	assert_int_equal(pair_sent(&p, 1, 0)->flags, TCP_ACK);
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 1);
	s.opts.ts_val = last_fin.opts.ts_val + 1000;
	assert_int_equal(answers(&s), 1);
	assert_int_equal(pair_sent(&p, 1, 0)->flags, TCP_SYN | TCP_ACK);
	assert_int_equal(pair_sent(&p, 1, 0)->ack, s.seq + 1);
	assert_true(seq_gt(pair_sent(&p, 1, 0)->seq, old_seq + 65535));
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), 0);
	assert_int_equal(count(1, TCP_TIMEWAIT_REUSE), 1);
}

/* the same client port again, soon, from the real other end */
static void test_reuse_whole(void **state)
{
	struct pair_conn *c = &p.end[0].conn, *d = &p.end[1].conn;

	(void)state;
	pair_again(&p, was.remote.port);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_established));
	pair_write(c, 100000, true);
	pair_write(d, 100000, true);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_both_closed));
	assert_int_equal(count(1, TCP_TIMEWAIT_REUSE), 1);
}

/* bounded: the oldest goes */
static void test_bound(void **state)
{
	(void)state;
	p.end[1].tcp->n_waits = TCP_WAIT_MAX - 1;
	pair_again(&p, 0);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_established));
	pair_write(&p.end[1].conn, 0, true);
	pair_run(&p, NANOS_S, NULL);
	pair_write(&p.end[0].conn, 0, true);
	assert_true(pair_run(&p, NANOS_S, pair_both_closed));
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), TCP_WAIT_MAX);
	pair_again(&p, 0);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_established));
	pair_write(&p.end[1].conn, 0, true);
	pair_run(&p, NANOS_S, NULL);
	pair_write(&p.end[0].conn, 0, true);
	assert_true(pair_run(&p, NANOS_S, pair_both_closed));
	assert_int_equal(tcp_count_timewait(p.end[1].tcp), TCP_WAIT_MAX);
	assert_int_equal(count(1, TCP_TIMEWAIT_FULL), 1);
	p.end[1].tcp->n_waits = 2;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_sixty_seconds), T(test_fin_again),
		T(test_no_assassination),
		T(test_strays),        T(test_reuse),
		T(test_reuse_whole),   T(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
