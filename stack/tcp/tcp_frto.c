#include "stack/tcp/tcp_frto.h"

#include "stack/base/seq.h"

void tcp_frto_sent(struct tcp_frto *f)
{
	if (f->state == TCP_FRTO_NEW) {
		f->state = TCP_FRTO_SENT;
	}
}

void tcp_frto_no_new(struct tcp_frto *f)
{
	if (f->state == TCP_FRTO_NEW) {
		f->state = TCP_FRTO_OFF;
	}
}

/* Step 2.  SACKs alone change nothing: what they report may have been on its
 * way behind a segment that is lost indeed. */
static void retransmission_acked(struct tcp_frto *f,
				 const struct tcp_sent_out *o, uint32_t una,
				 uint32_t nxt, uint32_t *point)
{
	if (o->acked == 0) {
		return;
	}
	if (seq_geq(una, *point)) {
		f->state = TCP_FRTO_OFF; /* 2a */
		return;
	}
	f->state = TCP_FRTO_NEW;
	*point = nxt;
}

bool tcp_frto_ack(struct tcp_frto *f, const struct tcp_sent_out *o,
		  uint32_t una, uint32_t nxt, uint32_t *point, bool dup)
{
	switch (f->state) {
	case TCP_FRTO_WAIT:
		retransmission_acked(f, o, una, nxt, point);
		return false;
	case TCP_FRTO_NEW:
	case TCP_FRTO_SENT:
		break;
	default:
		return false;
	}
	if (o->delivered == 0 && !dup) {
		return false; /* nothing of step 3 */
	}
	f->state = TCP_FRTO_OFF;
	/* 3b: only octets that left before the timeout, and once */
	return o->delivered > 0 && seq_leq(o->hi, *point) && !o->rtx_delivered;
}
