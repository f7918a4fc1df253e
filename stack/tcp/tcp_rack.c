#include "stack/tcp/tcp_rack.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"

/* entries that an ACK looks at without finding them lost: a peer that SACKs
 * every other segment makes thousands of them */
#define SCAN_MAX 64u

void tcp_rack_init(struct tcp_rack *r)
{
	memset(r, 0, sizeof(*r));
	r->mult = 1;
	r->tlp_rtt = true;
}

/* RFC 8985 6.2 step 2, the time replaced by the order of transmission */
static bool sent_after(uint64_t order1, uint32_t end1, uint64_t order2,
		       uint32_t end2)
{
	return order1 > order2 || (order1 == order2 && seq_gt(end1, end2));
}

void tcp_rack_update(struct tcp_rack *r, struct instant now,
		     const struct tcp_sent_out *a, uint32_t una, uint32_t nxt)
{
	if (a->rtt >= 0 || a->rack) {
		r->tlp_rtt = true;
	}
	if (a->rack) {
		r->rtt = instant_since(now, a->rack_tx);
		if (sent_after(a->rack_order, a->rack_end, r->order, r->end)) {
			r->order = a->rack_order;
			r->tx = a->rack_tx;
			r->end = a->rack_end;
		}
	}
	r->reordering |= a->reordered;
	if (r->dsack_round && seq_geq(una, r->dsack_end)) {
		r->dsack_round = false;
	}
	if (a->dsack && !r->dsack_round) {
		r->dsack_round = true;
		r->dsack_end = nxt;
		/* beyond SRTT it has no effect; 255 quarters is past any */
		r->mult = min_u32(r->mult + 1, 255);
		r->persist = TCP_RACK_PERSIST;
	}
}

void tcp_rack_recovered(struct tcp_rack *r)
{
	if (r->persist > 0 && --r->persist == 0) {
		r->mult = 1;
	}
}

nanos tcp_rack_reo_wnd(const struct tcp_rack *r, bool waiting, nanos min_rtt,
		       nanos srtt)
{
	if (!r->reordering && waiting) {
		return 0;
	}
	return nanos_min((nanos)r->mult * min_rtt / 4, srtt);
}

uint32_t tcp_rack_detect(struct tcp_rack *r, struct tcp_sent *s,
			 struct instant now, nanos reo_wnd, bool *rtx,
			 struct instant *again)
{
	nanos left, wait = 0;
	uint32_t marked = 0, waiting = 0;

	*rtx = false;
	*again = INSTANT_NEVER;
	list_each_safe (p, &s->flight) {
		struct tcp_sent_entry *e =
			list_entry(p, struct tcp_sent_entry, node);

		if (!sent_after(r->order, r->end, e->order, e->seq + e->len)) {
			break; /* the list is in that order */
		}
		left = instant_since(instant_add(e->tx, r->rtt + reo_wnd), now);
		if (left > 0) {
			/* those behind it left later still; the last one says
			 * when to look again, and none later than RACK.segment
			 * itself */
			wait = nanos_max(wait, left);
			if (++waiting == SCAN_MAX) {
				left = instant_since(instant_add(r->tx,
								 r->rtt +
									 reo_wnd),
						     now);
				wait = nanos_max(wait, left);
				break;
			}
			continue;
		}
		*rtx |= e->rtx > 0;
		marked += e->len;
		tcp_sent_mark_lost(s, e);
	}
	if (wait > 0) {
		*again = instant_add(now, wait);
	}
	return marked;
}

nanos tcp_rack_pto(nanos srtt, bool one)
{
	nanos pto = TCP_TLP_NO_RTT;

	if (srtt > 0) {
		pto = 2 * srtt;
		if (one) {
			pto += TCP_TLP_MAX_ACK_DELAY;
		}
	}
	return nanos_max(pto, TCP_TLP_MIN);
}

bool tcp_rack_probe_ok(const struct tcp_rack *r)
{
	return !r->tlp && r->tlp_rtt;
}

void tcp_rack_probe_sent(struct tcp_rack *r, bool rtx, uint32_t nxt)
{
	r->tlp = true;
	r->tlp_rtx = rtx;
	r->tlp_end = nxt;
	r->tlp_rtt = false;
}

bool tcp_rack_probe_ack(struct tcp_rack *r, uint32_t ack,
			const struct tcp_sent_out *a, bool dup)
{
	if (!r->tlp || seq_lt(ack, r->tlp_end)) {
		return false;
	}
	if (!r->tlp_rtx || (a->dsack && a->dsack_range.hi == r->tlp_end)) {
		r->tlp = false; /* new data arrived, or both copies did */
		return false;
	}
	if (seq_gt(ack, r->tlp_end)) {
		r->tlp = false;
		return true;
	}
	if (dup) {
		r->tlp = false; /* both copies, and a peer without D-SACK */
	}
	return false;
}

void tcp_rack_probe_cancel(struct tcp_rack *r)
{
	r->tlp = false;
}
