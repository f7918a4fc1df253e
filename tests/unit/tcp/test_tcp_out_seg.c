/* One segment: sizes, options, pushes, what is urgent (RFC 9293 3.7.1) */
#include "tests/unit/tcp/out_one.h"

/* NOPs in each segment of end 0 */
static void with_options(uint8_t len)
{
	p.end[0].conn.opt_len = len;
	memset(p.end[0].conn.opt, 1, len);
}

/* MSS both ways, and the options count (RFC 6691) */
static void test_mss(void **state)
{
	(void)state;
	for (unsigned gso = 0; gso < 2; gso++) {
		begin(1);
		p.gso = gso;
		p.end[1].conf.mss_clamp = 700;
		open_it();
		pair_write(&p.end[1].conn, 100000, false);
		transfer(100000);
		assert_int_equal(w.max_len[0], 700); /* what end 1 asked for */
		assert_int_equal(w.max_len[1], 700); /* its clamp is for both */
		begin(2);
		p.gso = gso;
		open_it();
		with_options(17); /* not a multiple of 4 */
		transfer(300000);
		assert_int_equal(w.max_len[0], 1460);
	}
}

/* options that grow in the middle: no packet exceeds the MTU */
static void test_options_grow(void **state)
{
	(void)state;
	for (unsigned gso = 0; gso < 2; gso++) {
		begin(3);
		p.gso = gso;
		open_it();
		pair_write(&p.end[0].conn, 100000, false);
		pair_run(&p, 21 * NANOS_MS, NULL);
		with_options(28);
		transfer(100000);
		assert_int_equal(w.max_len[0], 1460);
	}
}

/* PSH at the end of a push only */
static void test_psh(void **state)
{
	(void)state;
	begin(50);
	p.gro = true;
	open_it();
	pair_write(&p.end[0].conn, 5000, false);
	tcp_push(p.end[0].conn.tcb, p.now, 0, false);
	pair_run(&p, 0, NULL);
	assert_int_equal(pair_sent(&p, 0, 0)->flags, TCP_PSH | TCP_ACK);
	assert_int_equal(pair_sent(&p, 0, 0)->len, 5000);
	pair_write(&p.end[0].conn, 50000, false);
	pair_run(&p, 0, NULL);
	assert_int_equal(pair_sent(&p, 0, 0)->flags, TCP_ACK);
	pair_run(&p, NANOS_S, NULL);
	transfer(0);
}

static bool losing;
static unsigned firsts, firsts_psh; /* segments with the first octet */

static struct pair_fate lose_all(void *ctx, const struct pair_pkt *k)
{
	static uint32_t first;

	(void)ctx;
	if (k->from == 0 && k->seg.len) {
		first = firsts ? first : k->seg.seq;
		firsts += k->seg.seq == first;
		firsts_psh += k->seg.seq == first && k->seg.flags & TCP_PSH;
	}
	return (struct pair_fate){ .drop = losing && k->from == 0 };
}

/* ... and at a place marked for good: when more is pushed, and again */
static void test_psh_marked(void **state)
{
	(void)state;
	for (unsigned mark = 0; mark < 2; mark++) {
		begin(51);
		p.gso = false;
		p.fate = lose_all;
		firsts = firsts_psh = 0;
		open_it();
		pair_write(&p.end[0].conn, 100, false);
		if (mark) {
			tcp_push_mark(p.end[0].conn.tcb);
		}
		pair_write(&p.end[0].conn, 2000, false);
		losing = true;
		pair_run(&p, 2 * NANOS_S, NULL);
		losing = false;
		pair_run(&p, 20 * NANOS_S, NULL);
		assert_true(firsts > 2);
		assert_int_equal(firsts_psh, mark ? firsts : 0);
		transfer(0);
	}
}

/* the urgent pointer is forgotten once its octets are there: the sequence
 * space comes round */
static void test_urgent(void **state)
{
	(void)state;
	begin(75);
	p.gso = p.gro = true;
	open_it();
	pair_write(&p.end[0].conn, 100, false);
	pair_run(&p, 0, NULL);
	tcp_urgent(p.end[0].conn.tcb);
	assert_true(p.end[0].conn.tcb->snd.has_urg);
	pair_run(&p, NANOS_S, NULL);
	assert_false(p.end[0].conn.tcb->snd.has_urg);
	/* what is urgent leaves segment by segment: the pointer of a packet
	 * that a device cuts would be the same in each piece */
	pair_write(&p.end[0].conn, 10000, false);
	tcp_urgent(p.end[0].conn.tcb);
	w.max_len[0] = 0;
	pair_run(&p, NANOS_S, NULL);
	assert_true(w.max_len[0] > 0 && w.max_len[0] <= 1460);
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, NANOS_S, NULL);
	assert_true(w.max_len[0] > 1460);
	transfer(0);
}

/* a peer's absurd MSS ends in small segments, not in none */
static void test_tiny_mss(void **state)
{
	(void)state;
	begin(70);
	p.end[1].conf.mss_clamp = 1;
	open_it();
	assert_int_equal(tcp_mss(p.end[0].conn.tcb), 36);
	transfer(5000);
	assert_int_equal(w.max_len[0], 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mss),
		cmocka_unit_test(test_options_grow),
		cmocka_unit_test(test_psh),
		cmocka_unit_test(test_psh_marked),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_tiny_mss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
