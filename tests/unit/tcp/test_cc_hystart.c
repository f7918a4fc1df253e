#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/cc/cc_hystart.h"

#define MSS 1000u
#define MS  NANOS_MS

static struct cc cc = { .mss = MSS, .cwnd = 100 * MSS, .ssthresh = CC_INF };

/* a round of n ACKs of one segment; octets of growth */
static uint32_t round_of(struct cc_hystart *h, nanos rtt, int n, bool *exit)
{
	uint32_t sum = 0;

	for (int i = 0; i < n; i++) {
		struct cc_ack a = { .acked = MSS,
				    .rtt = rtt,
				    .round_start = i == 0 };
		bool e;

		sum += cc_hystart_ack(h, &cc, &a, &e);
		*exit |= e;
	}
	return sum;
}

static void steady_rtt_stays(void **state)
{
	struct cc_hystart h;
	bool exit = false;

	(void)state;
	cc_hystart_init(&h);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(round_of(&h, 40 * MS + i % 2 * MS, 20, &exit),
				 20 * MSS);
	}
	assert_false(exit || h.css);
}

/* RFC 9406 4.2: eta = min(max(4 ms, rtt / 8), 16 ms) */
static void threshold(void **state)
{
	static const struct {
		nanos base, no, yes;
	} c[] = { { 8 * MS, 11 * MS, 12 * MS },
		  { 80 * MS, 89 * MS, 90 * MS },
		  { 800 * MS, 815 * MS, 816 * MS } };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct cc_hystart h;
		bool exit = false;

		cc_hystart_init(&h);
		round_of(&h, c[i].base, 10, &exit);
		round_of(&h, c[i].no, 10, &exit);
		assert_false(h.css);
		cc_hystart_init(&h);
		round_of(&h, c[i].base, 10, &exit);
		round_of(&h, c[i].yes, 7, &exit);
		assert_false(h.css); /* eight samples are needed */
		round_of(&h, c[i].base, 10, &exit);
		round_of(&h, c[i].yes, 8, &exit);
		assert_true(h.css);
	}
}

static void conservative_rounds_then_exit(void **state)
{
	struct cc_hystart h;
	bool exit = false;

	(void)state;
	cc_hystart_init(&h);
	round_of(&h, 40 * MS, 10, &exit);
	round_of(&h, 50 * MS, 10, &exit);
	assert_true(h.css);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(round_of(&h, 50 * MS, 20, &exit), 5 * MSS);
		assert_false(exit);
	}
	round_of(&h, 50 * MS, 1, &exit);
	assert_true(exit);
}

static void jitter_resumes(void **state)
{
	struct cc_hystart h;
	bool exit = false;

	(void)state;
	cc_hystart_init(&h);
	round_of(&h, 40 * MS, 10, &exit);
	round_of(&h, 50 * MS, 10, &exit);
	assert_true(h.css);
	round_of(&h, 41 * MS, 10, &exit);
	assert_false(h.css || exit);
	assert_int_equal(round_of(&h, 41 * MS, 20, &exit), 20 * MSS);
}

static void one_burst_per_ack(void **state)
{
	(void)state;
	assert_int_equal(cc_slow_start(&cc, 500), 500);
	assert_int_equal(cc_slow_start(&cc, 1000000), 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady_rtt_stays),
		cmocka_unit_test(threshold),
		cmocka_unit_test(conservative_rounds_then_exit),
		cmocka_unit_test(jitter_resumes),
		cmocka_unit_test(one_burst_per_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
