/* cc_reno.c - slow start and congestion avoidance of RFC 5681 */
#include "stack/base/check.h"
#include "stack/tcp/cc.h"
#include "stack/tcp/cc/cc_hystart.h"

struct reno {
	uint32_t acked; /* octets towards the next increase */
	uint32_t undo_cwnd, undo_ssthresh; /* cwnd 0: nothing to undo */
};

_Static_assert(sizeof(struct reno) <= sizeof(((struct cc *)0)->priv),
	       "private state fits");

static struct reno *reno_of(struct cc *cc)
{
	return (struct reno *)cc->priv;
}

static void reno_init(struct cc *cc, struct instant now)
{
	(void)now;
	*reno_of(cc) = (struct reno){ 0 };
}

static void grow(struct cc *cc, uint32_t n)
{
	cc->cwnd = n > CC_INF / 2 - cc->cwnd ? CC_INF / 2 : cc->cwnd + n;
}

static void reno_on_ack(struct cc *cc, const struct cc_ack *a)
{
	struct reno *r = reno_of(cc);
	uint32_t acked = a->acked, n;

	if (a->in_recovery || !a->cwnd_limited) {
		return;
	}
	if (cc->cwnd < cc->ssthresh) {
		n = min_u32(cc_slow_start(cc, acked), cc->ssthresh - cc->cwnd);
		grow(cc, n);
		acked -= n;
	}
	if (cc->cwnd < cc->ssthresh) {
		return;
	}
	r->acked += min_u32(acked, cc->cwnd);
	if (r->acked >= cc->cwnd) { /* one segment per window (RFC 5681 (3)) */
		r->acked -= cc->cwnd;
		grow(cc, cc->mss);
	}
}

/* RFC 5681 (4) */
static void reduce(struct cc *cc, uint32_t in_flight)
{
	struct reno *r = reno_of(cc);

	r->undo_cwnd = cc->cwnd;
	r->undo_ssthresh = cc->ssthresh;
	r->acked = 0;
	cc->ssthresh = max_u32(in_flight / 2, 2 * cc->mss);
}

static void reno_on_loss(struct cc *cc, struct instant now, uint32_t in_flight)
{
	(void)now;
	reduce(cc, in_flight);
}

static void reno_on_recovered(struct cc *cc, struct instant now)
{
	(void)now;
	reno_of(cc)->acked = 0;
}

static void reno_on_rto(struct cc *cc, struct instant now, uint32_t in_flight)
{
	(void)now;
	reduce(cc, in_flight);
	cc->cwnd = cc->mss;
}

static void reno_undo(struct cc *cc, struct instant now)
{
	struct reno *r = reno_of(cc);

	(void)now;
	if (r->undo_cwnd == 0) {
		return;
	}
	cc->cwnd = max_u32(cc->cwnd, r->undo_cwnd);
	cc->ssthresh = r->undo_ssthresh;
	r->undo_cwnd = 0;
}

/* RFC 5681 4.1; what was reached is remembered as ssthresh (RFC 7661) */
static void reno_on_idle(struct cc *cc, struct instant now)
{
	uint32_t rw = cc_initial_window(cc->mss);

	(void)now;
	if (cc->cwnd > rw) {
		cc->ssthresh = max_u32(cc->ssthresh, cc->cwnd / 4 * 3);
		cc->cwnd = rw;
	}
}

const struct cc_ops cc_reno = {
	.name = "reno",
	.init = reno_init,
	.on_ack = reno_on_ack,
	.on_loss = reno_on_loss,
	.on_recovered = reno_on_recovered,
	.on_rto = reno_on_rto,
	.undo = reno_undo,
	.on_idle = reno_on_idle,
};
