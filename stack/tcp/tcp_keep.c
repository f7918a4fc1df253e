#include "stack/tcp/tcp_keep.h"

#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_timer.h"

static bool keep_on(const struct tcb *tcb)
{
	return tcb->conf.keepalive && tcp_fsm_synced(&tcb->fsm);
}

static struct instant keep_next(const struct tcb *tcb)
{
	const struct tcp_conf *c = &tcb->conf;

	struct instant from = instant_before(tcb->rcv.last, tcb->keep.since) ?
				      tcb->keep.since :
				      tcb->rcv.last;

	return instant_add(from,
			   c->keep_idle + c->keep_intvl * tcb->keep.sent);
}

/* To leave the timer alone while segments come and go, an armed one that is
 * early stays: tcp_keep_fire() looks again. */
struct instant tcp_keep_deadline(const struct tcb *tcb, struct instant now)
{
	struct instant at = tcb->keep.fin2_at;

	if (tcb->keep.alive) {
		at = instant_min(at, tcb->keep.alive_at);
	}
	if (keep_on(tcb)) {
		struct instant armed = tcb->timers.idle.when;
		struct instant next = keep_next(tcb);

		if (instant_before(now, armed) && instant_before(armed, next)) {
			next = armed;
		}
		at = instant_min(at, next);
	}
	return at;
}

static void keep_end(struct tcb *tcb, struct instant now)
{
	tcb_count(tcb, TCP_ABORT_KEEPALIVE);
	tcb_reset(tcb, now, tcb_timed_out(tcb));
}

static void keep_alive_fire(struct tcb *tcb, struct instant now)
{
	if (tcb->keep.alive_left == 0) {
		keep_end(tcb, now);
		return;
	}
	tcb->keep.alive_left--;
	tcb->keep.alive_at = instant_add(now, tcp_rtt_rto(&tcb->rec.rtt));
	tcb_count(tcb, TCP_KEEPALIVE);
	tcb->owe |= TCP_OWE_PROBE;
}

static void keep_idle_fire(struct tcb *tcb, struct instant now)
{
	/* outstanding data is a better probe */
	if (!tcp_sent_empty(&tcb->rec.sent) || tcb_unsent(tcb)) {
		tcb->keep.since = now;
		return;
	}
	if (tcb->conf.user_timeout ?
		    tcb->keep.sent && instant_since(now, tcb->rcv.last) >=
					      tcb->conf.user_timeout :
		    tcb->keep.sent >= tcb->conf.keep_cnt) {
		keep_end(tcb, now);
		return;
	}
	tcb->keep.sent++;
	tcb_count(tcb, TCP_KEEPALIVE);
	tcb->owe |= TCP_OWE_PROBE;
}

void tcp_keep_fire(struct tcb *tcb, struct instant now)
{
	if (instant_due(tcb->keep.fin2_at, now)) {
		tcb_end(tcb, now, TCP_END_NORMAL);
		return;
	}
	if (tcb->keep.alive && instant_due(tcb->keep.alive_at, now)) {
		keep_alive_fire(tcb, now);
	}
	if (!tcb->dead && keep_on(tcb) && instant_due(keep_next(tcb), now)) {
		keep_idle_fire(tcb, now);
	}
}

void tcp_keep_heard(struct tcb *tcb)
{
	tcb->keep.sent = 0;
	tcb->keep.alive = false;
}

void tcp_keep_orphan(struct tcb *tcb, struct instant now)
{
	tcb->keep.fin2_at = instant_add(now, tcb->conf.linger2);
}

void tcp_ask(struct tcb *tcb)
{
	if (!tcb->dead && tcp_fsm_synced(&tcb->fsm)) {
		tcb->owe |= TCP_OWE_PROBE;
		tcb_ready(tcb);
	}
}

void tcp_probe_alive(struct tcb *tcb, struct instant now, unsigned n)
{
	if (tcb->dead || n == 0 || !tcp_fsm_synced(&tcb->fsm)) {
		return;
	}
	tcb->keep.alive = true;
	tcb->keep.alive_left = (uint8_t)(n > UINT8_MAX ? UINT8_MAX : n);
	keep_alive_fire(tcb, now);
	tcb_ready(tcb);
	tcp_timer_update(tcb, now);
}
