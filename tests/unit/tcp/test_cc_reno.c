#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/cc.h"

#define MSS 1000u

static const struct instant t0 = { 0 };

static void ack(struct cc *cc, uint32_t n, bool limited, bool recovery)
{
	struct cc_ack a = { .acked = n,
			    .rtt = -1,
			    .cwnd_limited = limited,
			    .in_recovery = recovery };

	cc->ops->on_ack(cc, &a);
}

static void slow_start_then_linear(void **state)
{
	struct cc cc;
	uint32_t w;

	(void)state;
	cc_init(&cc, &cc_reno, MSS, t0);
	cc.ssthresh = 20 * MSS;
	for (int i = 0; i < 10; i++) {
		ack(&cc, MSS, true, false);
	}
	assert_int_equal(cc.cwnd, 20 * MSS); /* doubled in a round trip */
	for (int i = 0; i < 20; i++) {
		ack(&cc, MSS, true, false);
	}
	assert_int_equal(cc.cwnd, 21 * MSS);
	w = cc.cwnd;
	ack(&cc, 10 * MSS, false, false); /* not limited by the window */
	ack(&cc, 10 * MSS, true, true);   /* in recovery */
	assert_int_equal(cc.cwnd, w);
}

static void loss_timeout_undo(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, &cc_reno, MSS, t0);
	cc.cwnd = 40 * MSS;
	cc.ops->on_loss(&cc, t0, 40 * MSS);
	assert_int_equal(cc.ssthresh, 20 * MSS); /* RFC 5681 (4) */
	cc.cwnd = cc.ssthresh;
	cc.ops->on_recovered(&cc, t0);
	cc.ops->undo(&cc, t0);
	assert_int_equal(cc.cwnd, 40 * MSS);
	assert_int_equal(cc.ssthresh, CC_INF);
	cc.ops->on_rto(&cc, t0, 3 * MSS);
	assert_int_equal(cc.ssthresh, 2 * MSS);
	assert_int_equal(cc.cwnd, MSS);
	cc.ops->undo(&cc, t0);
	cc.ops->undo(&cc, t0); /* harmless */
	assert_int_equal(cc.cwnd, 40 * MSS);
	cc.ops->on_idle(&cc, t0);
	assert_int_equal(cc.cwnd, 10 * MSS);
	assert_int_equal(cc.ssthresh, CC_INF);
}

static void never_overflows(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, &cc_reno, 65535, t0);
	for (int i = 0; i < 100000; i++) {
		ack(&cc, UINT32_MAX, true, false);
		assert_true(cc.cwnd >= 2 * 65535u && cc.cwnd <= CC_INF / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_start_then_linear),
		cmocka_unit_test(loss_timeout_undo),
		cmocka_unit_test(never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
