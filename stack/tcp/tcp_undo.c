#include "stack/tcp/tcp_undo.h"

#include "stack/base/seq.h"

void tcp_undo_init(struct tcp_undo *u)
{
	*u = (struct tcp_undo){ .first_rtx = INSTANT_NEVER };
}

void tcp_undo_arm(struct tcp_undo *u, uint32_t una)
{
	*u = (struct tcp_undo){ .ok = true,
				.una = una,
				.first_rtx = INSTANT_NEVER };
}

void tcp_undo_cancel(struct tcp_undo *u)
{
	u->ok = false;
}

void tcp_undo_resent(struct tcp_undo *u, struct instant now, uint32_t len)
{
	if (u->ok) {
		u->resent += len;
		u->first_rtx = instant_min(u->first_rtx, now);
	}
}

bool tcp_undo_ack(struct tcp_undo *u, const struct tcp_sent_out *o,
		  struct instant echo_before, bool recovering)
{
	if (o->dsack && u->ok && seq_geq(o->dsack_range.lo, u->una)) {
		u->resent -= (int64_t)(o->dsack_range.hi - o->dsack_range.lo);
	}
	/* both signs need a retransmission of this very recovery */
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
