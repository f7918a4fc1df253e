#include "stack/tcp/tcp_undo.h"

#include "stack/base/seq.h"

#define LONG_AGO (1u << 30) /* octets */

void tcp_undo_init(struct tcp_undo *u, uint32_t seq)
{
	*u = (struct tcp_undo){ .una = seq,
				.first_rtx = INSTANT_NEVER,
				.rtx_end = seq,
				.hi = seq };
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
	u->hi = u->rtx_end;
}

static void account(struct tcp_undo *u, struct range32 d)
{
	bool again = d.lo == u->heard.lo && d.hi == u->heard.hi;

	u->heard = d;
	if (!again && seq_geq(d.lo, u->una) && seq_leq(d.hi, u->hi)) {
		u->resent -= (int64_t)(d.hi - d.lo);
	}
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

	if (seq_gt(una, u->hi + LONG_AGO)) {
		u->ok = false; /* before the numbers come round again */
	}
	if (o->dsack && u->ok) {
		account(u, o->dsack_range);
	}
	yes = spurious(u, o, echo_before, recovering);
	u->rtx_end = seq_max(u->rtx_end, una);
	return yes;
}
