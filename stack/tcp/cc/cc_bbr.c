/* cc_bbr.c - BBR, version 1 (draft-cardwell-iccrg-bbr-congestion-control-00,
 * with the ACK aggregation of its later implementation)
 *
 * The path is two numbers: the bottleneck's rate (greatest delivery rate of ten
 * rounds) and the round trip without a queue (least of ten seconds).  Sending
 * is paced at a gain times that rate, with at most a gain times their product
 * in flight.
 *
 *   STARTUP    doubles each round, until the rate has not grown by a quarter
 *              in three rounds
 *   DRAIN      until the queue that this made is gone
 *   PROBE_BW   eight phases of a least round trip: one faster, one slower, six
 *              even; begins at a random one, so that flows do not probe at once
 *   PROBE_RTT  the least round trip was not seen for ten seconds: four segments
 *              in flight for 200 ms and a round trip
 *
 * Loss is no signal of the model.  What is lost leaves the window, the first
 * round of a recovery sends what is delivered and no more, and behind it the
 * window is what it was.
 *
 * Not here: the detection of policers by long-term samples, which the draft
 * does not have.
 */
#include "stack/base/check.h"
#include "stack/tcp/cc.h"
#include "stack/tcp/cc/cc_max.h"

__extension__ typedef unsigned __int128 u128;

/* gains are in 256ths */
#define ONE            256u
#define HIGH           739u /* 2/ln 2: doubles each round */
#define DRAINING       89u  /* its inverse */
#define FASTER         320u
#define SLOWER         192u
#define STEADY         512u /* of the window: ACKs may be late by a round trip */
#define PHASES         8u

#define BW_ROUNDS      10u
#define FULL_ROUNDS    3u
#define MIN_RTT_WINDOW (10 * NANOS_S)
#define PROBE_RTT_TIME (200 * NANOS_MS)
#define MIN_SEGS       4u
#define EXTRA_ROUNDS   5u /* a half of the window of ACK aggregation */
#define EXTRA_TIME     (100 * NANOS_MS)
#define EPOCH_MOST     (1u << 30)

enum mode {
	STARTUP,
	DRAIN,
	PROBE_BW,
	PROBE_RTT,
};

enum recovery {
	NONE,
	ENTERING, /* until the ACK that tells what is in flight */
	REPAIRING,
};

struct bbr {
	struct cc_max bw;   /* octets per second, by rounds */
	uint64_t round_end; /* delivered count that ends the round */
	uint64_t full_bw;   /* when it last grew by a quarter */
	nanos min_rtt;      /* INT64_MAX: none */
	struct instant min_at;
	struct instant probe_end; /* of PROBE_RTT, NEVER: not low yet */
	struct instant phase_at;
	struct instant epoch_at; /* ACK aggregation is measured from here */
	uint32_t epoch_acked;
	uint32_t extra[2]; /* most beyond the rate, this half window and last */
	uint32_t round;
	uint32_t prior_cwnd;
	uint8_t mode, phase, recovery;
	uint8_t full_rounds; /* without growth; FULL_ROUNDS: full */
	uint8_t extra_rounds;
	bool idle, probe_round, conserve;
};

_Static_assert(sizeof(struct bbr) <= sizeof(((struct cc *)0)->priv),
	       "private state fits");

static struct bbr *bbr_of(struct cc *cc)
{
	return (struct bbr *)cc->priv;
}

static bool is_full(const struct bbr *b)
{
	return b->full_rounds >= FULL_ROUNDS;
}

static void bbr_init(struct cc *cc, struct instant now)
{
	*bbr_of(cc) = (struct bbr){
		.min_rtt = INT64_MAX,
		.min_at = now,
		.probe_end = INSTANT_NEVER,
		.phase_at = now,
		.epoch_at = now,
		.idle = true,
	};
	cc->pacing_rate = 0;
}

/* --- the model ------------------------------------------------------------- */

static uint32_t gain_of_rate(const struct bbr *b)
{
	switch (b->mode) {
	case STARTUP:
		return HIGH;
	case DRAIN:
		return DRAINING;
	case PROBE_BW:
		return b->phase == 0 ? FASTER : b->phase == 1 ? SLOWER : ONE;
	default:
		return ONE;
	}
}

static uint32_t gain_of_window(const struct bbr *b)
{
	switch (b->mode) {
	case STARTUP:
	case DRAIN:
		return HIGH;
	case PROBE_BW:
		return STEADY;
	default:
		return ONE;
	}
}

static uint32_t octets(uint64_t bw, nanos d)
{
	u128 n = (u128)bw * (uint64_t)d / (uint64_t)NANOS_S;

	return n > CC_INF / 2 ? CC_INF / 2 : (uint32_t)n;
}

/* What is to be in flight at this gain: the product, and enough that bursts at
 * either end and delayed ACKs do not stop the flow. */
static uint32_t volume(struct cc *cc, uint32_t gain)
{
	struct bbr *b = bbr_of(cc);
	uint64_t bw = cc_max_get(&b->bw), n;

	if (b->min_rtt == INT64_MAX) {
		return cc_initial_window(cc->mss);
	}
	n = (uint64_t)octets(bw, b->min_rtt) * gain / ONE;
	n += 3 * (uint64_t)cc_quantum(cc->pacing_rate, cc->mss);
	n += 2 * (uint64_t)cc->mss - 1; /* an even number of segments */
	n -= n % (2 * (uint64_t)cc->mss);
	if (b->mode == PROBE_BW && b->phase == 0) {
		n += 2 * (uint64_t)cc->mss;
	}
	return (uint32_t)min_u64(n, CC_INF / 2);
}

/* returns whether a round begins */
static bool take_bw(struct bbr *b, const struct cc_ack *a)
{
	bool begins = false;

	if (a->bw == 0) {
		return false;
	}
	if (a->prior_delivered >= b->round_end) {
		b->round_end = a->delivered;
		b->round++;
		b->conserve = false;
		begins = true;
	}
	if (!a->app_limited || a->bw >= cc_max_get(&b->bw)) {
		cc_max_add(&b->bw, BW_ROUNDS, b->round, a->bw);
	}
	return begins;
}

/* How much more than the rate can explain is acknowledged at once: a window
 * without room for that would stand still between such ACKs. */
static void take_extra(struct cc *cc, const struct cc_ack *a, bool round)
{
	struct bbr *b = bbr_of(cc);
	uint32_t expected;

	if (a->bw == 0) {
		return;
	}
	if (round && ++b->extra_rounds >= EXTRA_ROUNDS) {
		b->extra_rounds = 0;
		b->extra[1] = b->extra[0];
		b->extra[0] = 0;
	}
	expected =
		octets(cc_max_get(&b->bw), instant_since(a->now, b->epoch_at));
	if (b->epoch_acked <= expected || b->epoch_acked >= EPOCH_MOST) {
		b->epoch_acked = 0;
		b->epoch_at = a->now;
		expected = 0;
	}
	b->epoch_acked += min_u32(a->acked, EPOCH_MOST);
	b->extra[0] = max_u32(b->extra[0],
			      min_u32(b->epoch_acked - expected, cc->cwnd));
}

static uint32_t bonus(const struct bbr *b)
{
	return is_full(b) ? min_u32(max_u32(b->extra[0], b->extra[1]),
				    octets(cc_max_get(&b->bw), EXTRA_TIME))
			  : 0;
}

/* --- states ------------------------------------------------------------------ */

static void next_phase(struct bbr *b, struct instant now)
{
	b->phase = (uint8_t)((b->phase + 1) % PHASES);
	b->phase_at = now;
}

/* any phase but the slow one, which has no queue to drain at first */
static void enter_probe_bw(struct cc *cc, struct instant now)
{
	struct bbr *b = bbr_of(cc);

	cc->seed = cc->seed * 1664525 + 1013904223;
	b->mode = PROBE_BW;
	b->phase = (uint8_t)(PHASES - 1 -
			     ((uint64_t)cc->seed * (PHASES - 1) >> 32));
	next_phase(b, now);
}

static bool phase_is_over(struct cc *cc, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(cc);
	bool whole = instant_since(a->now, b->phase_at) > b->min_rtt;

	switch (b->phase) {
	case 0: /* until it has made a queue, or found the end of one */
		return whole &&
		       (a->lost > 0 || a->in_flight >= volume(cc, FASTER));
	case 1:
		return whole || a->in_flight <= volume(cc, ONE);
	default:
		return whole;
	}
}

static void check_full(struct bbr *b, const struct cc_ack *a, bool round)
{
	uint64_t bw = cc_max_get(&b->bw);

	if (is_full(b) || !round || a->app_limited) {
		return;
	}
	if (bw >= b->full_bw + b->full_bw / 4) {
		b->full_bw = bw;
		b->full_rounds = 0;
		return;
	}
	b->full_rounds++;
}

static void check_drain(struct cc *cc, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(cc);

	if (b->mode == STARTUP && is_full(b)) {
		b->mode = DRAIN;
	}
	if (b->mode == DRAIN && a->flight <= volume(cc, ONE)) {
		enter_probe_bw(cc, a->now);
	}
}

static void save_cwnd(struct cc *cc)
{
	struct bbr *b = bbr_of(cc);

	if (b->recovery == NONE && b->mode != PROBE_RTT) {
		b->prior_cwnd = cc->cwnd;
	} else {
		b->prior_cwnd = max_u32(b->prior_cwnd, cc->cwnd);
	}
}

static void leave_probe_rtt(struct cc *cc, struct instant now)
{
	struct bbr *b = bbr_of(cc);

	if (instant_never(b->probe_end) || !instant_due(b->probe_end, now)) {
		return;
	}
	b->min_at = now;
	cc->cwnd = max_u32(cc->cwnd, b->prior_cwnd);
	if (is_full(b)) {
		enter_probe_bw(cc, now);
	} else {
		b->mode = STARTUP;
	}
}

static void run_probe_rtt(struct cc *cc, const struct cc_ack *a, bool round)
{
	struct bbr *b = bbr_of(cc);

	cc->below_path = true;
	if (instant_never(b->probe_end)) {
		if (a->flight <= MIN_SEGS * cc->mss) {
			b->probe_end = instant_add(a->now, PROBE_RTT_TIME);
			b->probe_round = false;
			b->round_end = a->delivered;
		}
		return;
	}
	b->probe_round = b->probe_round || round;
	if (b->probe_round) {
		leave_probe_rtt(cc, a->now);
	}
}

static void take_rtt(struct cc *cc, const struct cc_ack *a, bool round)
{
	struct bbr *b = bbr_of(cc);
	bool old = instant_since(a->now, b->min_at) > MIN_RTT_WINDOW;

	if (a->rtt >= 0 && (a->rtt < b->min_rtt || old)) {
		b->min_rtt = a->rtt;
		b->min_at = a->now;
	}
	if (old && !b->idle && b->mode != PROBE_RTT) {
		save_cwnd(cc);
		b->mode = PROBE_RTT;
		b->probe_end = INSTANT_NEVER;
	}
	if (b->mode == PROBE_RTT) {
		run_probe_rtt(cc, a, round);
	}
	b->idle = false;
}

/* --- what comes of it --------------------------------------------------------- */

/* one percent below, so that a rate taken a little too high makes no queue */
static void set_rate(struct cc *cc, uint32_t gain)
{
	struct bbr *b = bbr_of(cc);
	u128 rate = (u128)cc_max_get(&b->bw) * gain * 99 / (ONE * 100);

	/* until the path is full a low sample only says that there is too
	 * little to send */
	if (rate > 0 && (is_full(b) || rate > cc->pacing_rate)) {
		cc->pacing_rate =
			rate > UINT32_MAX ? UINT32_MAX : (uint64_t)rate;
	}
}

static void first_rate(struct cc *cc, nanos srtt)
{
	if (cc->pacing_rate == 0 && srtt > 0) {
		cc->pacing_rate = (uint64_t)((u128)cc->cwnd * NANOS_S * HIGH /
					     ONE / (uint64_t)srtt);
	}
}

/* True: the window is recovery's. */
static bool repair(struct cc *cc, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(cc);

	if (a->lost > 0) {
		cc->cwnd = cc->cwnd > a->lost ? cc->cwnd - a->lost : 0;
		cc->cwnd = max_u32(cc->cwnd, cc->mss);
	}
	if (b->recovery == ENTERING) {
		b->recovery = REPAIRING;
		b->conserve = true;
		b->round_end = a->delivered;
		cc->cwnd = a->flight + max_u32(a->acked, cc->mss);
	}
	if (b->conserve) {
		cc->cwnd = max_u32(cc->cwnd, a->flight + a->acked);
	}
	return b->conserve;
}

static void set_cwnd(struct cc *cc, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(cc);
	uint64_t want, next = (uint64_t)cc->cwnd + a->acked;

	if (!repair(cc, a)) {
		next = (uint64_t)cc->cwnd + a->acked;
		want = (uint64_t)volume(cc, gain_of_window(b)) + bonus(b);
		if (is_full(b)) {
			cc->cwnd = (uint32_t)min_u64(next, want);
		} else if (cc->cwnd < want ||
			   a->delivered < cc_initial_window(cc->mss)) {
			cc->cwnd = (uint32_t)min_u64(next, CC_INF / 2);
		}
		cc->cwnd = max_u32(cc->cwnd, MIN_SEGS * cc->mss);
	}
	if (b->mode == PROBE_RTT) {
		cc->cwnd = min_u32(cc->cwnd, MIN_SEGS * cc->mss);
	}
}

/* --- what happened ------------------------------------------------------------ */

static void bbr_on_ack(struct cc *cc, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(cc);
	bool round = take_bw(b, a);

	take_extra(cc, a, round);
	if (b->mode == PROBE_BW && phase_is_over(cc, a)) {
		next_phase(b, a->now);
	}
	check_full(b, a, round);
	check_drain(cc, a);
	take_rtt(cc, a, round);
	first_rate(cc, a->srtt);
	set_rate(cc, gain_of_rate(b));
	set_cwnd(cc, a);
}

static void bbr_on_loss(struct cc *cc, struct instant now, uint32_t in_flight)
{
	(void)now;
	(void)in_flight;
	save_cwnd(cc);
	bbr_of(cc)->recovery = ENTERING;
}

static void bbr_on_recovered(struct cc *cc, struct instant now)
{
	struct bbr *b = bbr_of(cc);

	(void)now;
	b->recovery = NONE;
	b->conserve = false;
	cc->cwnd = max_u32(cc->cwnd, b->prior_cwnd);
	if (b->mode == PROBE_RTT) {
		cc->cwnd = min_u32(cc->cwnd, MIN_SEGS * cc->mss);
	}
}

static void bbr_on_rto(struct cc *cc, struct instant now, uint32_t in_flight)
{
	struct bbr *b = bbr_of(cc);

	(void)now;
	(void)in_flight;
	save_cwnd(cc);
	b->recovery = REPAIRING;
	b->conserve = false;
	b->full_bw = 0;
	cc->cwnd = cc->mss;
}

/* It was no loss, and what slowed down looked like a full path. */
static void bbr_undo(struct cc *cc, struct instant now)
{
	struct bbr *b = bbr_of(cc);

	(void)now;
	b->full_bw = 0;
	if (!is_full(b)) {
		b->full_rounds = 0;
	}
}

/* The window stays; the first flight leaves at the path's rate. */
static void bbr_on_idle(struct cc *cc, struct instant now)
{
	struct bbr *b = bbr_of(cc);

	b->idle = true;
	b->epoch_at = now;
	b->epoch_acked = 0;
	if (b->mode == PROBE_BW) {
		set_rate(cc, ONE);
	} else if (b->mode == PROBE_RTT && b->probe_round) {
		leave_probe_rtt(cc, now);
	}
}

const struct cc_ops cc_bbr = {
	.name = "bbr",
	.model = true,
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.on_loss = bbr_on_loss,
	.on_recovered = bbr_on_recovered,
	.on_rto = bbr_on_rto,
	.undo = bbr_undo,
	.on_idle = bbr_on_idle,
};
