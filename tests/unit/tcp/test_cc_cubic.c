/* The witness is RFC 9438's text again, in double and in segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/cc.h"

#define MSS 1000u
#define MS  NANOS_MS

static const struct instant t0 = { 0 };

static void ack(struct cc *cc, nanos now, nanos rtt, uint32_t n, bool limited)
{
	struct cc_ack a = { .now = { now },
			    .acked = n,
			    .rtt = rtt,
			    .srtt = rtt,
			    .cwnd_limited = limited };

	cc->ops->on_ack(cc, &a);
}

/* one round trip that begins at now: an ACK per segment, spread evenly */
static void round_trip(struct cc *cc, nanos now, nanos rtt)
{
	uint32_t n = cc->cwnd / MSS;

	for (uint32_t i = 0; i < n; i++) {
		ack(cc, now + rtt * (nanos)i / (nanos)n, rtt, MSS, true);
	}
}

static double cube(double v)
{
	return v * v * v;
}

static void reduce(struct cc *cc, uint32_t segments)
{
	cc_init(cc, &cc_cubic, MSS, t0);
	cc->cwnd = segments * MSS;
	cc->ops->on_loss(cc, t0, segments * MSS);
	cc->cwnd = cc->ssthresh;
	cc->ops->on_recovered(cc, t0);
}

static double segs(const struct cc *cc)
{
	return (double)cc->cwnd / MSS;
}

/* W_max 100, beta 0.7: K = cbrt(30 / 0.4) = 4.217 s */
static void curve(void **state)
{
	const nanos rtt = 100 * MS;
	struct cc cc;

	(void)state;
	reduce(&cc, 100);
	assert_int_equal(cc.ssthresh, 70 * MSS);
	for (int i = 0; i < 100; i++) {
		double t = (i + 1) * 0.1, w;

		round_trip(&cc, i * rtt, rtt);
		/* the target is one round trip ahead, reached within one */
		w = 0.4 * cube(t - 4.21716) + 100;
		assert_true(segs(&cc) < w + 1 + 0.05 * w);
		w = 0.4 * cube(t - 0.2 - 4.21716) + 100;
		assert_true(segs(&cc) > w - 1);
	}
}

/* a short round trip: Reno-friendly, 9/17 segment per round trip up to the old
 * window, then one */
static void reno_friendly(void **state)
{
	const nanos rtt = 10 * MS;
	struct cc cc;
	double w = 70;

	(void)state;
	reduce(&cc, 100);
	for (int i = 0; i < 150; i++) {
		round_trip(&cc, i * rtt, rtt);
		w += w < 100 ? 9.0 / 17 : 1;
		assert_true(segs(&cc) > 0.97 * w - 1);
		assert_true(segs(&cc) < 1.03 * w + 1);
	}
	assert_true(segs(&cc) > 180);
}

static void target_is_bounded(void **state)
{
	struct cc cc;

	(void)state;
	reduce(&cc, 10);
	/* a round trip of 100 s: at most half more per window */
	ack(&cc, 0, 100 * NANOS_S, MSS, true);
	for (int i = 0; i < 20; i++) {
		uint32_t w = cc.cwnd;

		ack(&cc, 50 * NANOS_S * i, 100 * NANOS_S, w, true);
		assert_true(cc.cwnd <= w + w / 2 + MSS);
	}
}

static void fast_convergence(void **state)
{
	struct cc cc;

	(void)state;
	reduce(&cc, 100);
	/* a second loss below W_max: the plateau is 0.85 of it */
	cc.cwnd = 80 * MSS;
	cc.ops->on_loss(&cc, t0, 80 * MSS);
	assert_int_equal(cc.ssthresh, 56 * MSS);
	cc.cwnd = cc.ssthresh;
	cc.ops->on_recovered(&cc, t0);
	/* K = cbrt((68 - 56) / 0.4) = 3.107 s */
	for (int i = 0; i < 32; i++) {
		round_trip(&cc, i * 100 * MS, 100 * MS);
	}
	assert_true(segs(&cc) > 66 && segs(&cc) < 74);
}

static void timeout_and_undo(void **state)
{
	struct cc cc, before;

	(void)state;
	reduce(&cc, 100);
	round_trip(&cc, 0, 100 * MS);
	before = cc;
	cc.ops->on_rto(&cc, t0, 70 * MSS);
	assert_int_equal(cc.cwnd, MSS);
	assert_int_equal(cc.ssthresh, 49 * MSS);
	cc.ops->undo(&cc, t0);
	assert_int_equal(cc.cwnd, before.cwnd);
	assert_int_equal(cc.ssthresh, before.ssthresh);
	/* it goes on along the same curve */
	for (int i = 1; i < 30; i++) {
		round_trip(&cc, i * 100 * MS, 100 * MS);
		round_trip(&before, i * 100 * MS, 100 * MS);
		assert_int_equal(cc.cwnd, before.cwnd);
	}
	cc.ops->undo(&cc, t0);
	assert_int_equal(cc.cwnd, before.cwnd);
	/* after a timeout: slow start to ssthresh, then K = 0 from there */
	cc.ops->on_rto(&cc, t0, 20 * MSS);
	for (int i = 0; i < 5; i++) {
		round_trip(&cc, i * 100 * MS, 100 * MS);
	}
	assert_true(segs(&cc) >= 14 && segs(&cc) < 17);
}

/* RFC 9438 5.8: the curve stands still while the window is not used */
static void idle_time_does_not_count(void **state)
{
	struct cc cc, twin;

	(void)state;
	reduce(&cc, 100);
	reduce(&twin, 100);
	for (int i = 0; i < 10; i++) {
		round_trip(&cc, i * 100 * MS, 100 * MS);
		round_trip(&twin, i * 100 * MS, 100 * MS);
	}
	for (int i = 10; i < 200; i++) {
		ack(&cc, i * 100 * MS, 100 * MS, MSS, false);
	}
	ack(&twin, 1000 * MS, 100 * MS, MSS, false);
	for (int i = 0; i < 30; i++) {
		round_trip(&cc, (200 + i) * 100 * MS, 100 * MS);
		round_trip(&twin, (11 + i) * 100 * MS, 100 * MS);
	}
	assert_true(segs(&cc) > segs(&twin) - 2 && segs(&cc) < segs(&twin) + 2);
}

static void hystart_ends_the_first_slow_start(void **state)
{
	struct cc cc;
	nanos rtt = 40 * MS;

	(void)state;
	cc_init(&cc, &cc_cubic, MSS, t0);
	for (int i = 0; i < 15 && cc.ssthresh == CC_INF; i++) {
		uint32_t n = cc.cwnd / MSS;

		for (uint32_t k = 0; k < n; k++) {
			struct cc_ack a = { .now = { i * 100 * MS },
					    .acked = MSS,
					    .rtt = rtt,
					    .srtt = rtt,
					    .cwnd_limited = true,
					    .round_start = k == 0 };

			cc.ops->on_ack(&cc, &a);
		}
		rtt += 10 * MS; /* the queue grows */
	}
	assert_true(cc.ssthresh != CC_INF);
	assert_true(cc.ssthresh < 200 * MSS);
}

static void never_overflows(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, &cc_cubic, 65535, t0);
	for (int i = 0; i < 100000; i++) {
		ack(&cc, i * NANOS_S, 1000 * NANOS_S, UINT32_MAX, true);
		assert_true(cc.cwnd >= 65535u && cc.cwnd <= CC_INF / 2);
		if (i % 1000 == 999) {
			cc.ops->on_loss(&cc, (struct instant){ i * NANOS_S },
					cc.cwnd);
			cc.cwnd = cc.ssthresh;
			cc.ops->on_recovered(&cc,
					     (struct instant){ i * NANOS_S });
		}
	}
	/* now running over one octet as a segment */
	cc_init(&cc, &cc_cubic, 1, t0);
	cc.cwnd = CC_INF / 2;
	cc.ops->on_loss(&cc, t0, 1);
	cc.cwnd = cc.ssthresh;
	for (int i = 0; i < 1000; i++) {
		ack(&cc, i * NANOS_S, NANOS_S, 100, true);
	}
	assert_true(cc.cwnd > 2 && cc.cwnd <= CC_INF / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curve),
		cmocka_unit_test(reno_friendly),
		cmocka_unit_test(target_is_bounded),
		cmocka_unit_test(fast_convergence),
		cmocka_unit_test(timeout_and_undo),
		cmocka_unit_test(idle_time_does_not_count),
		cmocka_unit_test(hystart_ends_the_first_slow_start),
		cmocka_unit_test(never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
