#include "stack/tcp/tcp_rate.h"

#include "stack/base/check.h"

void tcp_rate_init(struct tcp_rate *r, struct instant now)
{
	*r = (struct tcp_rate){ .from = now, .app_until = 1 };
}

void tcp_rate_restart(struct tcp_rate *r, struct instant now)
{
	r->from = now;
}

void tcp_rate_idle(struct tcp_rate *r, uint64_t delivered, uint32_t in_flight)
{
	r->app_until = max_u64(delivered + in_flight, 1);
}

/* octets per second; the product fits for 18 GB in one sample */
static uint64_t per_second(uint64_t octets, nanos interval)
{
	if (octets > UINT64_MAX / (uint64_t)NANOS_S) {
		return UINT64_MAX / (uint64_t)interval;
	}
	return octets * (uint64_t)NANOS_S / (uint64_t)interval;
}

void tcp_rate_ack(struct tcp_rate *r, const struct tcp_rate_in *in,
		  struct tcp_rate_sample *out)
{
	nanos sent = instant_since(in->tx, in->from);
	nanos acked = instant_since(in->now, in->prior_at);

	*out = (struct tcp_rate_sample){ .app_limited = in->app_limited };
	if (r->app_until > 0 && in->delivered > r->app_until) {
		r->app_until = 0;
	}
	r->from = in->tx;
	out->interval = nanos_max(sent, acked);
	if (out->interval <= 0 || out->interval < in->min_rtt ||
	    in->delivered <= in->prior_delivered) {
		return;
	}
	out->bw =
		per_second(in->delivered - in->prior_delivered, out->interval);
	if (!out->app_limited || out->bw >= r->bw) {
		r->bw = out->bw;
		r->bw_app_limited = out->app_limited;
	}
}
