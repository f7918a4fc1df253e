#include "stack/tcp/tcp_pace.h"

#include "stack/base/check.h"

/* percent of a window per round trip; the last one is 2/ln 2, with which a
 * model of the path begins before it knows a rate */
#define RATIO_SLOW_START 200u
#define RATIO_AVOIDANCE  120u
#define RATIO_MODEL      289u

void tcp_pace_init(struct tcp_pace *p)
{
	*p = (struct tcp_pace){ .quantum = CC_INF, .left = CC_INF };
}

static uint64_t window_rate(const struct cc *cc, nanos srtt, uint32_t percent)
{
	return (uint64_t)cc->cwnd * percent * (uint64_t)(NANOS_S / 100) /
	       (uint64_t)srtt;
}

/* Is the window worth spreading?  The initial one leaves at once (RFC 6928
 * 2) and so does the next, and what a few ticks would hold anyhow. */
static bool spreads(const struct cc *cc, nanos min_rtt)
{
	return min_rtt >= TCP_PACE_RTT_LEAST &&
	       cc->cwnd > 2 * cc_initial_window(cc->mss);
}

static uint64_t wanted(const struct cc *cc, nanos srtt, nanos min_rtt)
{
	uint64_t rate = cc->pacing_rate;

	if (rate == 0 && srtt > 0) {
		if (cc->ops->model) {
			rate = window_rate(cc, srtt, RATIO_MODEL);
		} else if (spreads(cc, min_rtt)) {
			/* slow start until the window is near ssthresh */
			rate = window_rate(cc, srtt,
					   cc->cwnd < cc->ssthresh / 2
						   ? RATIO_SLOW_START
						   : RATIO_AVOIDANCE);
		}
	}
	return rate >= TCP_PACE_FASTEST ? 0 : rate;
}

void tcp_pace_update(struct tcp_pace *p, const struct cc *cc, nanos srtt,
		     nanos min_rtt, uint64_t max, uint32_t mss)
{
	uint64_t rate = wanted(cc, srtt, min_rtt);

	if (max > 0 && (rate == 0 || rate > max)) {
		rate = max;
	}
	if (rate == 0) {
		bool offered = p->offered || p->rate > 0;

		tcp_pace_init(p);
		p->offered = offered;
		return;
	}
	p->rate = rate;
	p->quantum = cc_quantum(rate, mss);
	p->left = min_u32(p->left, p->quantum);
}

/* what is left is not worth a burst: a quantum is spent */
static bool spent(const struct tcp_pace *p, uint32_t mss)
{
	return p->left < max_u32(mss, p->quantum / 8);
}

static nanos time_of(const struct tcp_pace *p, uint32_t octets)
{
	return (nanos)((uint64_t)octets * (uint64_t)NANOS_S / p->rate);
}

/* What was sent at a lower rate is not waited for at that rate. */
static void forgive(struct tcp_pace *p, struct instant now)
{
	p->next = instant_min(p->next,
			      instant_add(now, time_of(p, 2 * p->quantum)));
}

void tcp_pace_due(struct tcp_pace *p, struct instant now)
{
	struct instant least = instant_add(now, -TCP_PACE_CREDIT);

	if (!p->held || !instant_due(p->next, now)) {
		return;
	}
	p->held = false;
	p->late = true;
	p->left = p->quantum;
	if (instant_before(p->next, least)) {
		p->next = least;
	}
}

uint32_t tcp_pace_quota(struct tcp_pace *p, struct instant now, uint32_t mss)
{
	if (p->rate == 0) {
		return CC_INF;
	}
	tcp_pace_due(p, now);
	if (instant_due(p->next, now) && (!p->late || spent(p, mss))) {
		p->left = p->quantum;
	}
	forgive(p, now);
	p->held = spent(p, mss);
	p->late = p->late && !p->held;
	return p->held ? 0 : p->left;
}

void tcp_pace_sent(struct tcp_pace *p, struct instant now, uint32_t len)
{
	if (p->rate == 0) {
		return;
	}
	if (!p->late && instant_due(p->next, now)) {
		p->next = now; /* nobody waited: nothing to make up for */
	}
	p->offered = true;
	p->left -= min_u32(p->left, len);
	p->next = instant_add(p->next, time_of(p, len));
}

void tcp_pace_release(struct tcp_pace *p)
{
	p->held = false;
	p->late = false;
}

bool tcp_pace_ask(struct tcp_pace *p)
{
	bool offered = p->offered;

	p->offered = false;
	return offered;
}

uint32_t tcp_pace_room(const struct tcp_pace *p, uint32_t waiting, uint32_t mss)
{
	if (p->rate == 0) {
		return CC_INF;
	}
	waiting -= waiting % max_u32(mss, 1);
	return p->held || waiting >= p->quantum ? 0 : p->quantum - waiting;
}
