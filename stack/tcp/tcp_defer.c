#include "stack/tcp/tcp_defer.h"

#include "stack/base/check.h"
#include "stack/tcp/tcb.h"

#define UNKNOWN UINT32_MAX

/* a mapping without payload is a DATA_FIN (RFC 8684 3.3.3) */
static bool ends_stream(const struct tcp_seg *seg)
{
	return seg->flags & TCP_FIN ||
	       (seg->opts.mp.have & MP_HAVE(MP_OPT_DSS) &&
		seg->opts.mp.dss.map);
}

bool tcp_defer_bare(const struct tcb *tcb, const struct tcp_seg *seg)
{
	return tcb->passive && !seg->len && !ends_stream(seg) &&
	       tcb->rec.rtt.timeouts < tcb->conf.defer_accept;
}

void tcp_defer_hold(struct tcb *tcb, nanos rtt)
{
	struct tcp_defer *d = &tcb->defer;

	tcb_count(tcb, TCP_DEFER_DROP);
	if (!tcp_defer_held(d)) {
		d->rtt_us = rtt < 0 ? UNKNOWN
				    : (uint32_t)min_u64(
					      max_u64((uint64_t)(rtt / NANOS_US),
						      1),
					      UNKNOWN - 1);
	}
}

nanos tcp_defer_rtt(const struct tcp_defer *d)
{
	return d->rtt_us == UNKNOWN ? -1 : d->rtt_us * NANOS_US;
}

bool tcp_defer_resend(const struct tcb *tcb, unsigned n)
{
	return !tcp_defer_held(&tcb->defer) ||
	       n + 1 >= tcb->conf.defer_accept;
}

bool tcp_defer_goes_on(const struct tcb *tcb, unsigned n)
{
	return tcp_defer_held(&tcb->defer) && n < tcb->conf.defer_accept;
}
