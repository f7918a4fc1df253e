#include "stack/tcp/tcp_rtt.h"

#include <string.h>

#define G NANOS_MS /* clock granularity: that of the timestamp option */

void tcp_rtt_init(struct tcp_rtt *r)
{
	memset(r, 0, sizeof(*r));
	r->rto = TCP_RTO_INIT;
}

static nanos rto_min(const struct tcp_rtt *r)
{
	return r->min_us ? r->min_us * NANOS_US : TCP_RTO_MIN;
}

static nanos rto_max(const struct tcp_rtt *r)
{
	return r->max_ms ? r->max_ms * NANOS_MS : TCP_RTO_MAX;
}

static nanos clamp_rto(const struct tcp_rtt *r, nanos v)
{
	return nanos_min(nanos_max(v, rto_min(r)), rto_max(r));
}

static void set_rto(struct tcp_rtt *r)
{
	nanos var = nanos_max(nanos_max(G, 4 * r->rttvar), rto_min(r));

	r->rto = clamp_rto(r, r->srtt + var);
}

void tcp_rtt_bounds(struct tcp_rtt *r, uint32_t min_us, uint32_t max_ms)
{
	if (min_us == r->min_us && max_ms == r->max_ms) {
		return;
	}
	r->min_us = min_us;
	r->max_ms = max_ms;
	if (r->srtt) {
		set_rto(r);
	}
}

void tcp_rtt_sample(struct tcp_rtt *r, struct instant now, nanos rtt)
{
	nanos err;

	(void)now;
	if (rtt < 0) {
		return;
	}
	rtt = nanos_min(nanos_max(rtt, NANOS_US), TCP_RTO_MAX);
	r->latest = rtt;
	r->backoff = 0;
	if (r->srtt == 0) { /* RFC 6298 2.2 */
		r->srtt = rtt;
		r->rttvar = rtt / 2;
	} else { /* RFC 6298 2.3: RTTVAR first, with the old SRTT */
		err = rtt > r->srtt ? rtt - r->srtt : r->srtt - rtt;
		r->rttvar += (err - r->rttvar) / 4;
		r->srtt += (rtt - r->srtt) / 8;
	}
	set_rto(r);
}

/* Kathleen Nichols' windowed minimum: the least of the whole window, of its
 * later part, and of its latest part. */
void tcp_rtt_min_sample(struct tcp_rtt *r, struct instant now, nanos rtt)
{
	struct tcp_rtt_min s = { now, nanos_max(rtt, NANOS_US) };
	nanos age;

	if (rtt < 0) {
		return;
	}
	if (r->min[0].rtt == 0 || s.rtt <= r->min[0].rtt ||
	    instant_since(now, r->min[2].at) > TCP_RTT_WINDOW) {
		r->min[0] = r->min[1] = r->min[2] = s;
		return;
	}
	if (s.rtt <= r->min[1].rtt) {
		r->min[1] = r->min[2] = s;
	} else if (s.rtt <= r->min[2].rtt) {
		r->min[2] = s;
	}
	age = instant_since(now, r->min[0].at);
	if (age > TCP_RTT_WINDOW) { /* the least is too old: the next ones */
		r->min[0] = r->min[1];
		r->min[1] = r->min[2];
		r->min[2] = s;
		if (instant_since(now, r->min[0].at) > TCP_RTT_WINDOW) {
			r->min[0] = r->min[1];
			r->min[1] = s;
		}
	} else if (r->min[1].at.ns == r->min[0].at.ns &&
		   age > TCP_RTT_WINDOW / 4) {
		r->min[1] = r->min[2] = s;
	} else if (r->min[2].at.ns == r->min[1].at.ns &&
		   age > TCP_RTT_WINDOW / 2) {
		r->min[2] = s;
	}
}

nanos tcp_rtt_rto(const struct tcp_rtt *r)
{
	nanos v = r->rto;

	for (uint32_t i = 0; i < r->backoff && v < rto_max(r); i++) {
		v *= 2;
	}
	return clamp_rto(r, v);
}

void tcp_rtt_backoff(struct tcp_rtt *r)
{
	if (r->timeouts < UINT32_MAX) {
		r->timeouts++;
	}
	if (tcp_rtt_rto(r) < rto_max(r)) {
		r->backoff++;
	}
}

void tcp_rtt_backoff_thin(struct tcp_rtt *r)
{
	if (r->timeouts >= TCP_RTT_LINEAR) {
		tcp_rtt_backoff(r);
		return;
	}
	r->timeouts++;
	r->backoff = 0;
}

void tcp_rtt_progress(struct tcp_rtt *r)
{
	r->timeouts = 0;
}

void tcp_rtt_syn_lost(struct tcp_rtt *r)
{
	r->backoff = 0;
	r->timeouts = 0;
	if (r->srtt == 0) {
		r->rto = TCP_RTO_SYNLOST;
	}
}

nanos tcp_rtt_min(const struct tcp_rtt *r)
{
	return r->min[0].rtt;
}
