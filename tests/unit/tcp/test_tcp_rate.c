/* Single rules; then bursts of the real sent map over a modelled link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/tcp/tcp_recover.h"
#include "tests/lib/fake.h"

#define MS  NANOS_MS
#define MSS 1000u
#define Q   0xfffffff0u

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static struct tcp_rate_sample take(struct tcp_rate *r, nanos now, nanos sent,
				   nanos acked, uint64_t octets, bool limited)
{
	struct tcp_rate_in in = {
		.now = at(now),
		.delivered = 100000 + octets,
		.prior_delivered = 100000,
		.prior_at = at(now - acked),
		.tx = at(now - 10 * MS),
		.from = at(now - 10 * MS - sent),
		.app_limited = limited,
		.min_rtt = 10 * MS,
	};
	struct tcp_rate_sample s;

	tcp_rate_ack(r, &in, &s);
	return s;
}

/* draft 3.1.3: the longer of both times, so neither bunched ACKs nor a burst
 * looks like a fast path */
static void longer_time(void **state)
{
	struct tcp_rate r;
	struct tcp_rate_sample s;

	(void)state;
	tcp_rate_init(&r, at(0));
	s = take(&r, NANOS_S, 20 * MS, 10 * MS, 20000, false);
	assert_int_equal(s.interval, 20 * MS);
	assert_int_equal(s.bw, 1000000);
	s = take(&r, NANOS_S, 10 * MS, 40 * MS, 20000, false);
	assert_int_equal(s.bw, 500000);
	assert_int_equal(r.bw, 500000);
	assert_int_equal(r.from.ns, NANOS_S - 10 * MS);
}

/* less than a round trip cannot be: the clock or the ACK lies */
static void too_short(void **state)
{
	struct tcp_rate r;

	(void)state;
	tcp_rate_init(&r, at(0));
	assert_int_equal(take(&r, NANOS_S, 1 * MS, 9 * MS, 20000, false).bw, 0);
	assert_int_equal(take(&r, NANOS_S, 0, 0, 20000, false).bw, 0);
	assert_int_equal(take(&r, NANOS_S, 0, 20 * MS, 0, false).bw, 0);
	assert_int_equal(r.bw, 0);
}

/* what an application's pauses measure is shown only where it is more */
static void marked_samples(void **state)
{
	struct tcp_rate r;

	(void)state;
	tcp_rate_init(&r, at(0));
	take(&r, NANOS_S, 0, 10 * MS, 10000, false);
	assert_true(take(&r, NANOS_S, 0, 10 * MS, 5000, true).app_limited);
	assert_int_equal(r.bw, 1000000);
	assert_false(r.bw_app_limited);
	take(&r, NANOS_S, 0, 10 * MS, 30000, true);
	assert_int_equal(r.bw, 3000000);
	assert_true(r.bw_app_limited);
}

/* draft 3.4: until all that was in flight then is delivered */
static void bubble(void **state)
{
	struct tcp_rate r;

	(void)state;
	tcp_rate_init(&r, at(0));
	assert_true(tcp_rate_limited(&r)); /* nothing was sent so far */
	take(&r, NANOS_S, 0, 10 * MS, 1, false);
	assert_false(tcp_rate_limited(&r));
	tcp_rate_idle(&r, 100000, 5000);
	assert_true(tcp_rate_limited(&r));
	take(&r, NANOS_S, 0, 10 * MS, 5000, false);
	assert_true(tcp_rate_limited(&r));
	take(&r, NANOS_S, 0, 10 * MS, 5001, false);
	assert_false(tcp_rate_limited(&r));
}

static void long_samples_fit(void **state)
{
	struct tcp_rate r;
	struct tcp_rate_sample s;

	(void)state;
	tcp_rate_init(&r, at(0));
	s = take(&r, 1000 * NANOS_S, 0, 100 * NANOS_S, 1ull << 40, false);
	assert_true(s.bw > 0);
}

/* --- bursts over a link ------------------------------------------------- */

static struct fake fake;
static struct tcp_recover r;
static uint64_t most, least, samples;
static uint64_t seen;

static void ack(nanos now, uint32_t upto, uint32_t lo, uint32_t hi)
{
	struct range32 b = { Q + lo, Q + hi };
	struct tcp_recover_ack in = { .now = at(now),
				      .ack = Q + upto,
				      .sack = &b,
				      .n_sack = lo < hi,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };

	tcp_recover_ack(&r, &in);
}

static void spy_init(struct cc *cc, struct instant now)
{
	(void)cc;
	(void)now;
}

static void spy_ack(struct cc *cc, const struct cc_ack *a)
{
	(void)cc;
	if (a->bw == 0 || a->app_limited) {
		return;
	}
	samples++;
	most = max_u64(most, a->bw);
	least = min_u64(least, a->bw);
	assert_true(a->prior_delivered < a->delivered);
	assert_true(a->delivered > seen);
	seen = a->delivered;
}

static void spy_event(struct cc *cc, struct instant now, uint32_t n)
{
	(void)cc;
	(void)now;
	(void)n;
}

static const struct cc_ops spy = {
	.name = "spy",
	.model = true,
	.init = spy_init,
	.on_ack = spy_ack,
	.on_loss = spy_event,
	.on_recovered = spy_init,
	.on_rto = spy_event,
	.undo = spy_init,
	.on_idle = spy_init,
};

static void begin(uint32_t cwnd)
{
	fake_init(&fake, 1);
	tcp_recover_init(&r, &fake.mem, &spy, MSS, Q, at(0));
	tcp_recover_start(&r, at(0), MSS, true, 20 * MS, false);
	r.cc.cwnd = cwnd;
	most = 0;
	least = UINT64_MAX;
	samples = 0;
	seen = 0;
}

static void end(void)
{
	tcp_recover_fini(&r);
	fake_fini(&fake);
}

/* A link of 10 MB/s and 20 ms, kept full by a window of two products in bursts
 * of 60 segments; an ACK for each `every` segments. */
static void over_link(uint32_t every, uint32_t hole)
{
	const nanos per = MSS * NANOS_S / 10000000;
	uint32_t sent = 0, acked = 0, burst = 60;
	static nanos arrival[4096];
	nanos busy = 0;

	begin(400 * MSS);
	for (nanos now = 0; acked < 4000;) {
		while (sent - acked + burst <= 400 && sent + burst < 4096) {
			tcp_recover_sent(&r, at(now), burst * MSS, MSS, false);
			for (uint32_t i = 0; i < burst; i++) {
				busy = nanos_max(busy, now) + per;
				arrival[sent++] = busy + 20 * MS;
			}
		}
		acked = min_u32(acked + every, sent);
		now = arrival[acked - 1];
		if (hole && acked > hole && acked < hole + 50) {
			ack(now, hole * MSS, (hole + 1) * MSS, acked * MSS);
		} else {
			ack(now, acked * MSS, 0, 0);
		}
		if (acked == sent && sent + burst >= 4096) {
			break;
		}
	}
	assert_true(samples > 30);
	end();
}

/* Bursts of 60 segments, however they are acknowledged: the greatest sample is
 * the link's rate. */
static void bursts(void **state)
{
	static const uint32_t every[] = { 1, 2, 7, 60, 100 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(every); i++) {
		over_link(every[i], 0);
		assert_true(most <= 10100000);
		assert_true(most >= 9800000);
		/* a hole: SACKs deliver, the repair is no burst of its own */
		over_link(every[i], 1000);
		assert_true(most <= 10100000);
		assert_true(most >= 9800000);
	}
}

/* All ACKs of a window arrive at one instant: the time of sending counts. */
static void compressed(void **state)
{
	(void)state;
	begin(200 * MSS);
	for (uint32_t i = 0; i < 100; i++) { /* one segment each 0.1 ms */
		tcp_recover_sent(&r, at(i * MS / 10), MSS, MSS, false);
	}
	ack(40 * MS, 1 * MSS, 0, 0);
	for (uint32_t i = 100; i < 200; i++) {
		tcp_recover_sent(&r, at(40 * MS + (i - 100) * MS / 10), MSS,
				 MSS, false);
	}
	for (uint32_t i = 2; i <= 200; i++) {
		ack(90 * MS, i * MSS, 0, 0);
	}
	assert_true(samples > 50);
	assert_true(most <= 10200000);
	end();
}

/* a pause between two flights is nobody's rate */
static void idle_time_does_not_count(void **state)
{
	(void)state;
	begin(100 * MSS);
	tcp_recover_sent(&r, at(0), MSS, MSS, false); /* marked */
	ack(20 * MS, MSS, 0, 0);
	assert_int_equal(samples, 0);
	tcp_recover_sent(&r, at(30 * MS), 40 * MSS, MSS, false);
	ack(50 * MS, 41 * MSS, 0, 0);
	tcp_recover_sent(&r, at(9 * NANOS_S), 40 * MSS, MSS, false);
	ack(9 * NANOS_S + 20 * MS, 81 * MSS, 0, 0);
	assert_int_equal(samples, 2);
	assert_int_equal(least, 2000000);
	assert_int_equal(most, 2000000);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longer_time),
		cmocka_unit_test(too_short),
		cmocka_unit_test(marked_samples),
		cmocka_unit_test(bubble),
		cmocka_unit_test(long_samples_fit),
		cmocka_unit_test(bursts),
		cmocka_unit_test(compressed),
		cmocka_unit_test(idle_time_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
