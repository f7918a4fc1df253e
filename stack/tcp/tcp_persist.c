#include "stack/tcp/tcp_persist.h"

#include "stack/tcp/tcb.h"

#define BACKOFF_MAX     10
#define UNANSWERED_MAX  15 /* as tcp_retries2 */

bool tcp_persist_wanted(const struct tcb *tcb)
{
	bool held = tcb_unsent(tcb) || (tcb->snd.fin && !tcb->snd.fin_sent);

	if (!tcp_fsm_can_send(&tcb->fsm) || !tcp_sent_empty(&tcb->rec.sent)) {
		return false;
	}
	return held || (tcb->snd.blocked && tcb->snd.wnd == 0);
}

/* RFC 5482: a shut window keeps data from being acknowledged as well as a
 * silent peer does.  Counted from the first probe on, as Linux does. */
static struct instant patience(const struct tcb *tcb)
{
	if (!tcb->conf.user_timeout || !tcb->persist.backoff) {
		return INSTANT_NEVER;
	}
	return instant_add(tcb->persist.since, tcb->conf.user_timeout);
}

struct instant tcp_persist_next(const struct tcb *tcb, struct instant now)
{
	nanos wait = tcp_rtt_rto(&tcb->rec.rtt) << tcb->persist.backoff;

	return instant_min(instant_add(now, nanos_min(wait, TCP_RTO_MAX)),
			   patience(tcb));
}

void tcp_persist_fire(struct tcb *tcb, struct instant now)
{
	struct tcp_persist *p = &tcb->persist;

	if (!tcp_persist_wanted(tcb)) {
		return;
	}
	if (tcb->snd.wnd > 0) {
		/* RFC 9293 3.8.6.2.1 (4): the override timeout */
		tcb->snd.override = true;
		return;
	}
	if (p->backoff == 0) {
		p->since = now;
	}
	/* a peer that answers may keep its window shut for ever, but not an
	 * orphan's FIN, nor for longer than the program wants to wait */
	if (p->unanswered > UNANSWERED_MAX ||
	    (tcb->detached && p->backoff == BACKOFF_MAX) ||
	    instant_due(patience(tcb), now)) {
		tcb_count(tcb, TCP_ABORT_TIMEOUT);
		tcb_end(tcb, now, tcb_timed_out(tcb));
		return;
	}
	p->unanswered++;
	if (p->backoff < BACKOFF_MAX) {
		p->backoff++;
	}
	tcb_count(tcb, TCP_PROBE);
	tcb->owe |= TCP_OWE_PROBE;
}

/* RFC 9293 3.8.6.1: a peer that answers may keep its window shut for ever. */
void tcp_persist_heard(struct tcb *tcb, bool moved)
{
	tcb->persist.unanswered = 0;
	if (moved) {
		tcb->persist.backoff = 0;
	}
}
