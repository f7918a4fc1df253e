/* BBR by itself, against a path that is two numbers: a rate and a delay.
 * Segments leave by cwnd and pacing rate, queue, and are acknowledged one by
 * one; the samples are made by tcp_rate.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/tcp/cc.h"
#include "stack/tcp/tcp_rate.h"

#define MS    NANOS_MS
#define MSS   1000u
#define RATE  5000000u /* octets per second */
#define RTT   (40 * MS)
#define BDP   200000u
#define SLOTS 65536u

struct seg {
	nanos tx, back;
	uint64_t delivered;
	nanos delivered_at, from;
	bool limited;
};

static struct {
	struct cc cc;
	struct tcp_rate rate;
	struct seg seg[SLOTS];
	uint64_t sent, got; /* segments */
	nanos now, next, busy, delivered_at, rtt, srtt, min_rtt;
	uint64_t bw;
	uint32_t lost; /* octets to report with the next ACK */
	uint32_t flight_max;
	bool app;      /* the application gives what can be sent */
	uint64_t peak; /* highest pacing rate */
} w;

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static uint32_t flight(void)
{
	return (uint32_t)(w.sent - w.got) * MSS;
}

static void begin(uint32_t seed)
{
	w.sent = w.got = 0;
	w.now = w.next = w.busy = w.delivered_at = NANOS_S;
	w.bw = RATE;
	w.rtt = RTT;
	w.srtt = RTT;
	w.min_rtt = RTT;
	w.lost = 0;
	w.app = true;
	w.peak = 0;
	tcp_rate_init(&w.rate, at(w.now));
	cc_init(&w.cc, &cc_bbr, MSS, at(w.now));
	w.cc.seed = seed;
}

static void send_one(void)
{
	struct seg *s = &w.seg[w.sent++ % SLOTS];
	uint64_t rate = w.cc.pacing_rate;

	if (flight() == MSS) { /* nothing else is on its way */
		w.delivered_at = w.now;
		tcp_rate_restart(&w.rate, at(w.now));
	}
	w.busy = nanos_max(w.busy, w.now) +
		 (nanos)(MSS * (uint64_t)NANOS_S / w.bw);
	*s = (struct seg){ .tx = w.now,
			   .back = w.busy + w.rtt,
			   .delivered = w.got * MSS,
			   .delivered_at = w.delivered_at,
			   .from = w.rate.from.ns,
			   .limited = tcp_rate_limited(&w.rate) };
	if (rate == 0) {
		rate = (uint64_t)((nanos)w.cc.cwnd * 289 / 100 * NANOS_S /
				  w.rtt);
	}
	w.next = nanos_max(w.next, w.now) +
		 (nanos)(MSS * (uint64_t)NANOS_S / rate);
	w.flight_max = max_u32(w.flight_max, flight());
}

static void ack_one(void)
{
	const struct seg *s = &w.seg[w.got % SLOTS];
	struct tcp_rate_in in = { .prior_delivered = s->delivered,
				  .prior_at = at(s->delivered_at),
				  .tx = at(s->tx),
				  .from = at(s->from),
				  .app_limited = s->limited,
				  .min_rtt = w.min_rtt };
	struct tcp_rate_sample sample;
	struct cc_ack a = { .acked = MSS, .in_flight = flight() };

	w.got++;
	w.delivered_at = w.now;
	in.now = at(w.now);
	in.delivered = w.got * MSS;
	w.min_rtt = nanos_min(w.min_rtt, w.now - s->tx);
	w.srtt += (w.now - s->tx - w.srtt) / 8;
	tcp_rate_ack(&w.rate, &in, &sample);
	a.now = at(w.now);
	a.rtt = w.now - s->tx;
	a.srtt = w.srtt;
	a.min_rtt = w.min_rtt;
	a.flight = flight();
	a.lost = w.lost;
	a.delivered = in.delivered;
	a.prior_delivered = s->delivered;
	a.bw = sample.bw;
	a.app_limited = sample.app_limited;
	w.lost = 0;
	w.cc.ops->on_ack(&w.cc, &a);
	if (w.cc.below_path) {
		tcp_rate_idle(&w.rate, w.got * MSS, flight());
		w.cc.below_path = false;
	}
}

/* until then, or until done() */
static bool run(nanos until, bool (*done)(void))
{
	while (w.now < until) {
		bool can = w.app && flight() + MSS <= w.cc.cwnd;
		nanos ack =
			w.sent > w.got ? w.seg[w.got % SLOTS].back : INT64_MAX;
		nanos send = can ? nanos_max(w.next, w.now) : INT64_MAX;

		if (nanos_min(ack, send) >= until) {
			w.now = until;
			break;
		}
		w.now = nanos_max(w.now, nanos_min(ack, send));
		if (ack <= send) {
			ack_one();
		} else {
			send_one();
		}
		w.peak = max_u64(w.peak, w.cc.pacing_rate);
		if (done && done()) {
			return true;
		}
	}
	return false;
}

static double gain(void)
{
	return (double)w.cc.pacing_rate / (0.99 * RATE);
}

static bool near(double a, double b)
{
	return a > b * 0.97 && a < b * 1.03;
}

static bool draining(void)
{
	return w.peak > 2 * RATE && near(gain(), 0.348);
}

static bool probing(void)
{
	return near(gain(), 1) || near(gain(), 1.25);
}

static bool low(void)
{
	return w.cc.cwnd == 4 * MSS;
}

static bool high(void)
{
	return w.cc.cwnd > 4 * MSS;
}

/* draft 4.3.2: doubles each round, at 2/ln 2 */
static void startup(void **state)
{
	uint64_t before;

	(void)state;
	begin(1);
	assert_int_equal(w.cc.cwnd, 10 * MSS);
	run(w.now + RTT + 30 * MS, NULL);
	/* 10 segments a round trip, and 2.89 of that */
	assert_true(w.cc.pacing_rate > (uint64_t)(2.8 * 10 * MSS / 0.041));
	before = w.cc.pacing_rate;
	run(w.now + 3 * RTT + 6 * MS, NULL);
	assert_true(w.cc.pacing_rate > 5 * before);
	assert_true(w.cc.pacing_rate < 12 * before);
}

/* draft 4.3.2.2, 4.3.3: three rounds without a quarter more, then the queue
 * drains at the inverse */
static void full_and_drain(void **state)
{
	nanos from;

	(void)state;
	begin(1);
	w.flight_max = 0;
	assert_true(run(w.now + 2 * NANOS_S, draining));
	/* seven doublings of 10 segments, and three rounds */
	assert_in_range(w.now, NANOS_S + 8 * RTT, NANOS_S + 18 * RTT);
	assert_true(w.flight_max <= BDP * 3 + 40 * MSS);
	assert_true(flight() > BDP * 2);
	from = w.now;
	assert_true(run(w.now + NANOS_S, probing));
	assert_true(flight() <= BDP + 20 * MSS);
	assert_true(w.now - from < 6 * RTT);
	assert_true(w.cc.cwnd >= 2 * BDP && w.cc.cwnd < 2 * BDP + 60 * MSS);
}

/* draft 4.3.4: 5/4, 3/4, and six even phases, a least round trip each */
static void gain_cycle(void **state)
{
	nanos slow = 0, fast = 0, even = 0;

	(void)state;
	begin(1);
	run(w.now + NANOS_S, NULL);
	assert_true(run(w.now + NANOS_S, NULL) == false);
	for (int i = 0; i < 3200; i++) {
		run(w.now + MS, NULL);
		fast += near(gain(), 1.25);
		slow += near(gain(), 0.75);
		even += near(gain(), 1);
	}
	assert_true(fast + slow + even > 3150);
	assert_in_range(fast, 380, 600); /* until there is a queue.. */
	assert_in_range(slow, 200, 480); /* ..and until it is gone */
	assert_true(even > 2200);
}

static bool phase_known(void)
{
	return !draining() && gain() < 1.5;
}

/* flows do not probe at once, and a replay is the same */
static void random_phase(void **state)
{
	unsigned faster = 0, slower = 0;

	(void)state;
	for (uint32_t seed = 0; seed < 64; seed++) {
		uint64_t rate;

		begin(seed * 0x9e3779b9u);
		assert_true(run(w.now + 2 * NANOS_S, draining));
		assert_true(run(w.now + NANOS_S, phase_known));
		faster += near(gain(), 1.25);
		slower += near(gain(), 0.75);
		run(w.now + 333 * MS, NULL);
		rate = w.cc.pacing_rate;
		begin(seed * 0x9e3779b9u);
		assert_true(run(w.now + 2 * NANOS_S, draining));
		assert_true(run(w.now + NANOS_S, phase_known));
		run(w.now + 333 * MS, NULL);
		assert_int_equal(rate, w.cc.pacing_rate);
	}
	assert_int_equal(slower, 0);
	assert_in_range(faster, 3, 20); /* one in seven */
}

/* draft 4.3.5: ten seconds without a new least round trip: four segments for
 * 200 ms and a round, then the window of before */
static void probe_rtt(void **state)
{
	uint32_t before;
	nanos from;

	(void)state;
	begin(1);
	run(w.now + NANOS_S, NULL);
	w.rtt = RTT + 3 * MS; /* the path grew: nothing renews the least */
	run(w.now + 8 * NANOS_S, NULL);
	before = w.cc.cwnd;
	from = w.now;
	assert_true(run(w.now + 2 * NANOS_S, low));
	assert_in_range(w.now, 11 * NANOS_S, 11 * NANOS_S + 3 * RTT);
	from = w.now;
	assert_true(run(w.now + 2 * NANOS_S, high));
	assert_in_range(w.now - from, 200 * MS, 200 * MS + 4 * RTT);
	assert_true(w.cc.cwnd >= before - 4 * MSS);
	assert_true(tcp_rate_limited(&w.rate)); /* it kept the path empty */
	/* the new least is known: the next ten seconds have none of it */
	run(w.now + NANOS_S, NULL);
	assert_false(tcp_rate_limited(&w.rate));
	assert_false(run(w.now + 8 * NANOS_S, low));
	assert_true(run(w.now + 3 * NANOS_S, low));
}

/* draft 4.1.1.5: the rate of an application is not the path's */
static void app_limited(void **state)
{
	uint64_t before;

	(void)state;
	begin(1);
	run(w.now + 2 * NANOS_S, NULL);
	before = w.cc.pacing_rate;
	for (int i = 0; i < 100; i++) { /* 2 ms of each 20 */
		w.app = false;
		tcp_rate_idle(&w.rate, w.got * MSS, flight());
		run(w.now + 18 * MS, NULL);
		w.app = true;
		run(w.now + 2 * MS, NULL);
	}
	assert_true(gain() > 0.7);
	run(w.now + NANOS_S, NULL);
	assert_true(w.cc.pacing_rate > before / 2);
}

/* a path that got slower is known ten rounds later */
static void slower_path(void **state)
{
	(void)state;
	begin(1);
	run(w.now + 2 * NANOS_S, NULL);
	w.bw = RATE / 2;
	run(w.now + 4 * NANOS_S, NULL);
	assert_true(gain() < 0.7);
	assert_true(w.cc.cwnd < BDP + 60 * MSS);
}

/* draft 4.2.3.4: what is lost leaves the window; the first round of recovery
 * sends what is delivered; behind it all is as before */
static void loss(void **state)
{
	uint32_t before, out;

	(void)state;
	begin(1);
	run(w.now + 2 * NANOS_S, NULL);
	before = w.cc.cwnd;
	out = flight();
	w.cc.ops->on_loss(&w.cc, at(w.now), out);
	w.lost = 3 * MSS;
	ack_one();
	assert_int_equal(w.cc.cwnd, flight() + MSS);
	assert_int_equal(flight(), out - MSS);
	for (int i = 0; i < 10; i++) {
		send_one();
		ack_one();
		assert_true(w.cc.cwnd <= flight() + MSS);
	}
	run(w.now + 2 * RTT, NULL); /* a round later it may grow again */
	assert_true(w.cc.cwnd > flight() + MSS);
	w.cc.ops->on_recovered(&w.cc, at(w.now));
	assert_true(w.cc.cwnd >= before);
	assert_true(gain() > 0.7);
	/* a loss by itself is no reduction of the rate */
	run(w.now + NANOS_S, NULL);
	assert_true(gain() > 0.7);
}

static void timeout(void **state)
{
	uint32_t before;
	uint64_t rate;

	(void)state;
	begin(1);
	run(w.now + 2 * NANOS_S, NULL);
	before = w.cc.cwnd;
	rate = w.cc.pacing_rate;
	w.cc.ops->on_rto(&w.cc, at(w.now), flight());
	assert_int_equal(w.cc.cwnd, MSS);
	assert_int_equal(w.cc.pacing_rate, rate);
	ack_one();
	assert_int_equal(w.cc.cwnd, 4 * MSS);
	w.cc.ops->on_recovered(&w.cc, at(w.now));
	assert_true(w.cc.cwnd >= before);
	w.cc.ops->undo(&w.cc, at(w.now)); /* harmless */
	assert_true(w.cc.cwnd >= before);
}

/* draft 4.3.4.4: after a pause at the path's rate, the window kept */
static void restart_from_idle(void **state)
{
	uint32_t before;

	(void)state;
	begin(1);
	run(w.now + 2 * NANOS_S, NULL);
	before = w.cc.cwnd;
	w.app = false;
	run(w.now + 3 * NANOS_S, NULL);
	assert_int_equal(flight(), 0);
	tcp_rate_idle(&w.rate, w.got * MSS, 0);
	w.cc.ops->on_idle(&w.cc, at(w.now));
	assert_true(near(gain(), 1));
	assert_true(w.cc.cwnd >= before);
	/* ten seconds of it are no reason to measure the round trip */
	w.now += 20 * NANOS_S;
	w.cc.ops->on_idle(&w.cc, at(w.now));
	w.app = true;
	run(w.now + RTT + MS, NULL);
	assert_true(high());
}

/* another algorithm's window is not touched; ours is not its */
static void takes_over(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, &cc_cubic, MSS, at(0));
	cc.cwnd = 77 * MSS;
	cc.ssthresh = 50 * MSS;
	cc.ops = &cc_bbr;
	cc.ops->init(&cc, at(5));
	assert_int_equal(cc.cwnd, 77 * MSS);
	assert_int_equal(cc.ssthresh, 50 * MSS);
	assert_int_equal(cc.pacing_rate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup),
		cmocka_unit_test(full_and_drain),
		cmocka_unit_test(gain_cycle),
		cmocka_unit_test(random_phase),
		cmocka_unit_test(probe_rtt),
		cmocka_unit_test(app_limited),
		cmocka_unit_test(slower_path),
		cmocka_unit_test(loss),
		cmocka_unit_test(timeout),
		cmocka_unit_test(restart_from_idle),
		cmocka_unit_test(takes_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
