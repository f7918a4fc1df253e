#include "stack/tcp/tcp_rcvrtt.h"

#include "stack/base/seq.h"

void tcp_rcvrtt_echo(struct tcp_rcvrtt *r, uint32_t ecr, nanos rtt)
{
	if (rtt < 0 || (r->rtt && ecr == r->last_ecr)) {
		return; /* a burst tells no more than its first segment */
	}
	r->last_ecr = ecr;
	/* a peer that had nothing to send echoes late: down at once, up slowly */
	r->rtt = !r->rtt || rtt < r->rtt ? rtt : r->rtt + (rtt - r->rtt) / 8;
}

void tcp_rcvrtt_window(struct tcp_rcvrtt *r, struct instant now, uint32_t nxt,
		       uint32_t wnd)
{
	nanos took;

	if (r->at.ns && seq_lt(nxt, r->edge)) {
		return;
	}
	if (r->at.ns) {
		took = instant_since(now, r->at);
		r->rtt = !r->rtt || took < r->rtt ? took : r->rtt;
	}
	r->at = now;
	r->edge = nxt + wnd;
}
