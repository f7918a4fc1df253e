#include "stack/tcp/tcp_undo.h"

#include "stack/base/seq.h"

void tcp_undo_init(struct tcp_undo *u, uint32_t seq)
{
	*u = (struct tcp_undo){ .una = seq,
				.first_rtx = INSTANT_NEVER,
				.rtx_end = seq };
}

void tcp_undo_arm(struct tcp_undo *u, uint32_t una)
{
	if (u->rtx_end == una) {
		tcp_undo_init(u, una);
	}
	u->ok = true;
	u->una = una;
}

void tcp_undo_cancel(struct tcp_undo *u)
{
	u->ok = false;
}

void tcp_undo_resent(struct tcp_undo *u, struct instant now, uint32_t seq,
		     uint32_t len)
{
	u->resent += len;
	u->first_rtx = instant_min(u->first_rtx, now);
	u->rtx_end = seq_max(u->rtx_end, seq + len);
}

static bool spurious(const struct tcp_undo *u, const struct tcp_sent_out *o,
		     struct instant echo_before, bool recovering)
{
	/* both signs need a retransmission */
	if (!u->ok || instant_never(u->first_rtx)) {
		return false;
	}
	if (o->dsack) {
		/* A duplicate is answered with the echo of what came before
		 * it: no evidence about anything else that was sent again. */
		return u->resent <= 0;
	}
	return recovering && o->acked > 0 && o->rtx_delivered &&
	       !instant_never(echo_before) &&
	       !instant_before(u->first_rtx, echo_before);
}

bool tcp_undo_ack(struct tcp_undo *u, const struct tcp_sent_out *o,
		  uint32_t una, struct instant echo_before, bool recovering)
{
	bool yes;

	if (o->dsack && u->ok && seq_geq(o->dsack_range.lo, u->una)) {
		u->resent -= (int64_t)(o->dsack_range.hi - o->dsack_range.lo);
	}
	yes = spurious(u, o, echo_before, recovering);
	u->rtx_end = seq_max(u->rtx_end, una);
	return yes;
}
