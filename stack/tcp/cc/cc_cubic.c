/* cc_cubic.c - CUBIC (RFC 9438), slow start by HyStart++ (RFC 9406)
 *
 *   W_cubic(t) = C (t - K)^3 + W_max,  C = 0.4 segments/s^3, beta = 0.7
 *
 * Windows are octets, times nanoseconds; the cube is taken of microseconds in
 * 128 bits, so that nothing overflows and every machine gets the same window.
 */
#include "stack/base/check.h"
#include "stack/tcp/cc.h"
#include "stack/tcp/cc/cc_hystart.h"

__extension__ typedef unsigned __int128 u128;

#define BETA_NUM 7u
#define BETA_DEN 10u
/* alpha = 3 (1 - beta) / (1 + beta) = 9/17 (RFC 9438 4.3) */
#define ALPHA_NUM 9u
#define ALPHA_DEN 17u
#define T_MAX_US  ((uint64_t)1000000000) /* 1000 s: past any window */

struct cubic_epoch {
	struct instant start; /* NEVER: none runs */
	int64_t k_us;
	uint32_t origin;  /* W_max of the curve */
	uint32_t w_max;   /* of the last congestion event, 0: none */
	uint32_t w_prior; /* cwnd_prior */
	uint32_t w_est;
};

struct cubic {
	struct cubic_epoch ep, undo_ep;
	uint64_t est_rest, rest;           /* fractions of w_est and cwnd */
	uint32_t undo_cwnd, undo_ssthresh; /* cwnd 0: nothing to undo */
	struct instant last_ack;
	struct cc_hystart hs;
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct cc *)0)->priv),
	       "private state fits");

static struct cubic *cubic_of(struct cc *cc)
{
	return (struct cubic *)cc->priv;
}

static void cubic_init(struct cc *cc, struct instant now)
{
	struct cubic *c = cubic_of(cc);

	*c = (struct cubic){ .last_ack = now };
	c->ep.start = INSTANT_NEVER;
	cc_hystart_init(&c->hs);
}

/* largest r with r^3 <= v */
static uint64_t cube_root(u128 v)
{
	uint64_t r = 0;

	for (uint64_t bit = (uint64_t)1 << 41; bit > 0; bit >>= 1) {
		u128 t = r | bit;

		if (t * t * t <= v) {
			r |= bit;
		}
	}
	return r;
}

/* K = cbrt((W_max - cwnd) / C) (RFC 9438 4.2, figure 2), in us: with C = 2/5
 * segment per s^3 it is cbrt(octets * 5/2 / mss * 10^18). */
static int64_t cubic_k(uint32_t mss, uint32_t octets)
{
	const u128 e18 = (u128)1000000000 * 1000000000;

	return (int64_t)cube_root(e18 * 5 * octets / ((u128)2 * mss));
}

/* C * |d|^3 in octets, d in us */
static uint64_t cubic_rise(uint32_t mss, uint64_t d)
{
	const u128 e18 = (u128)1000000000 * 1000000000;

	d = min_u64(d, T_MAX_US);
	return (uint64_t)((u128)d * d * d * 2 * mss / (5 * e18));
}

/* W_cubic(t_us) */
static uint64_t w_cubic(const struct cc *cc, const struct cubic_epoch *ep,
			int64_t t_us)
{
	int64_t d = t_us - ep->k_us;
	uint64_t v;

	if (d >= 0) {
		return ep->origin + cubic_rise(cc->mss, (uint64_t)d);
	}
	v = cubic_rise(cc->mss, (uint64_t)-d);
	return v < ep->origin ? ep->origin - v : 0;
}

/* a congestion avoidance stage begins (RFC 9438 4.2, 4.8, 4.10) */
static void epoch_begin(struct cc *cc, struct instant now)
{
	struct cubic *c = cubic_of(cc);

	c->ep.start = now;
	c->ep.w_est = cc->cwnd;
	c->est_rest = 0;
	c->rest = 0;
	if (c->ep.w_max > cc->cwnd) {
		c->ep.origin = c->ep.w_max;
		c->ep.k_us = cubic_k(cc->mss, c->ep.w_max - cc->cwnd);
	} else {
		c->ep.origin = cc->cwnd;
		c->ep.k_us = 0;
	}
}

/* What Reno with beta 0.7 would have (RFC 9438 4.3). */
static void reno_friendly(struct cc *cc, uint32_t acked)
{
	struct cubic *c = cubic_of(cc);
	uint64_t num = c->ep.w_est < c->ep.w_prior ? ALPHA_NUM : ALPHA_DEN;
	uint64_t per = (uint64_t)ALPHA_DEN * cc->cwnd;
	uint64_t sum = c->est_rest + num * acked * cc->mss;

	c->ep.w_est = (uint32_t)min_u64(c->ep.w_est + sum / per, CC_INF / 2);
	c->est_rest = sum % per;
}

static void avoid(struct cc *cc, const struct cc_ack *a, uint32_t acked)
{
	struct cubic *c = cubic_of(cc);
	int64_t t;
	uint64_t target, sum;

	if (instant_never(c->ep.start)) {
		epoch_begin(cc, a->now);
	}
	acked = min_u32(acked, cc->cwnd);
	reno_friendly(cc, acked);
	t = instant_since(a->now, c->ep.start) / NANOS_US;
	if (w_cubic(cc, &c->ep, t) < c->ep.w_est) {
		cc->cwnd = max_u32(cc->cwnd, c->ep.w_est);
		c->rest = 0;
		return;
	}
	target = w_cubic(cc, &c->ep, t + a->srtt / NANOS_US);
	target = min_u64(target, (uint64_t)cc->cwnd + cc->cwnd / 2);
	target = min_u64(target, CC_INF / 2);
	if (target <= cc->cwnd) {
		return;
	}
	sum = c->rest + (target - cc->cwnd) * acked;
	c->rest = sum % cc->cwnd;
	cc->cwnd += (uint32_t)(sum / cc->cwnd);
}

/* octets of this ACK that slow start used up; those left are for avoid() */
static uint32_t slow_start(struct cc *cc, const struct cc_ack *a)
{
	bool exit = false;
	uint32_t n;

	if (cc->ssthresh == CC_INF) {
		n = cc_hystart_ack(&cubic_of(cc)->hs, cc, a, &exit);
	} else {
		n = min_u32(cc_slow_start(cc, a->acked),
			    cc->ssthresh - cc->cwnd);
	}
	if (a->cwnd_limited) {
		cc->cwnd =
			(uint32_t)min_u64((uint64_t)cc->cwnd + n, CC_INF / 2);
	}
	if (exit) {
		cc->ssthresh = cc->cwnd;
	}
	return cc->cwnd < cc->ssthresh ? a->acked : min_u32(n, a->acked);
}

/* Time in which the window was not used does not count (RFC 9438 5.8). */
static void skip_time(struct cubic *c, struct instant now, nanos gap)
{
	if (!instant_never(c->ep.start)) {
		c->ep.start = instant_min(instant_add(c->ep.start, gap), now);
	}
}

static void cubic_on_ack(struct cc *cc, const struct cc_ack *a)
{
	struct cubic *c = cubic_of(cc);
	nanos gap = instant_since(a->now, c->last_ack);
	uint32_t acked = a->acked;

	c->last_ack = a->now;
	if (a->in_recovery) {
		return;
	}
	if (cc->cwnd < cc->ssthresh) {
		acked -= slow_start(cc, a);
	}
	if (!a->cwnd_limited) {
		skip_time(c, a->now, gap);
		return;
	}
	if (cc->cwnd >= cc->ssthresh && acked > 0) {
		avoid(cc, a, acked);
	}
}

/* RFC 9438 4.6, 4.7 */
static void reduce(struct cc *cc, uint32_t in_flight)
{
	struct cubic *c = cubic_of(cc);
	uint64_t next = (uint64_t)in_flight * BETA_NUM / BETA_DEN;

	c->undo_ep = c->ep;
	c->undo_cwnd = cc->cwnd;
	c->undo_ssthresh = cc->ssthresh;
	c->ep.w_prior = cc->cwnd;
	c->ep.w_max = cc->cwnd;
	if (cc->cwnd < c->undo_ep.w_max) { /* fast convergence */
		c->ep.w_max =
			(uint32_t)((uint64_t)cc->cwnd * (BETA_DEN + BETA_NUM) /
				   (2 * BETA_DEN));
	}
	c->ep.start = INSTANT_NEVER;
	cc->ssthresh = max_u32((uint32_t)next, 2 * cc->mss);
}

static void cubic_on_loss(struct cc *cc, struct instant now, uint32_t in_flight)
{
	(void)now;
	reduce(cc, in_flight);
}

static void cubic_on_recovered(struct cc *cc, struct instant now)
{
	struct cubic *c = cubic_of(cc);

	c->ep.start = INSTANT_NEVER;
	c->last_ack = now;
}

static void cubic_on_rto(struct cc *cc, struct instant now, uint32_t in_flight)
{
	(void)now;
	reduce(cc, in_flight);
	/* RFC 9438 4.8: after a timeout the curve starts flat where
	 * congestion avoidance starts. */
	cubic_of(cc)->ep.w_max = 0;
	cc->cwnd = cc->mss;
}

/* RFC 9438 4.9.2 */
static void cubic_undo(struct cc *cc, struct instant now)
{
	struct cubic *c = cubic_of(cc);

	(void)now;
	if (c->undo_cwnd == 0) {
		return;
	}
	cc->cwnd = max_u32(cc->cwnd, c->undo_cwnd);
	cc->ssthresh = c->undo_ssthresh;
	c->ep = c->undo_ep;
	c->undo_cwnd = 0;
}

static void cubic_on_idle(struct cc *cc, struct instant now)
{
	uint32_t rw = cc_initial_window(cc->mss);

	if (cc->cwnd > rw) {
		cc->ssthresh = max_u32(cc->ssthresh, cc->cwnd / 4 * 3);
		cc->cwnd = rw;
	}
	cubic_of(cc)->ep.start = INSTANT_NEVER;
	cubic_of(cc)->last_ack = now;
}

const struct cc_ops cc_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_loss = cubic_on_loss,
	.on_recovered = cubic_on_recovered,
	.on_rto = cubic_on_rto,
	.undo = cubic_undo,
	.on_idle = cubic_on_idle,
};
