/*
 * The timers of a connection:
 *
 * send, for one purpose at a time:
 *   SYN      a SYN or SYN-ACK is out: the RTO of RFC 6298, doubled each time;
 *            after conf.syn_retries the attempt has failed.
 *   RECOVER  data or FIN is out: the earliest of RACK's reordering window, the
 *            tail loss probe and the RTO, all kept by tcp_recover, and of
 *            pacing; or PACE when nothing is out.
 *   PERSIST  nothing is out, something waits, and the peer's window is shut:
 *            a window probe after one RTO, doubled up to 120 s.
 * ack        a delayed acknowledgement, at most 200 ms.
 * idle       the earliest of keep-alive, the probes of tcp_probe_alive(), and
 *            the end of an orphan in FIN-WAIT-2.
 */
#include "stack/tcp/tcp_timer.h"

#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_ack.h"
#include "stack/tcp/tcp_info.h"
#include "stack/tcp/tcp_keep.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_persist.h"

#define RETRIES2       15 /* tcp_retries2 */
#define ORPHAN_RETRIES 8  /* tcp_orphan_retries */

/* RFC 5482, TCP_USER_TIMEOUT: until when the peer may be silent, once it did not
 * answer in time; tcb->rcv.last is the beginning as long as nothing has come.
 * Whoever asked for more time may not be there any more. */
static struct instant timer_patience(const struct tcb *tcb)
{
	const struct tcp_sent *s = &tcb->rec.sent;
	unsigned tries = tcb->rec.rtt.timeouts;

	if (!tcb->conf.user_timeout || !tries ||
	    (tcb->detached && tries > ORPHAN_RETRIES)) {
		return INSTANT_NEVER;
	}
	return instant_add(tcp_sent_empty(s) ? tcb->rcv.last
					     : tcp_sent_at(s, 0)->first_tx,
			   tcb->conf.user_timeout);
}

static void timer_syn(struct tcb *tcb, struct instant now)
{
	unsigned n = tcb->rec.rtt.timeouts;

	/* answers to a SYN that the peer repeats do not count */
	if ((n >= tcb->conf.syn_retries && !tcp_defer_goes_on(tcb, n)) ||
	    instant_due(timer_patience(tcb), now)) {
		tcb_count(tcb, TCP_RTO);
		tcb_count(tcb, TCP_ABORT_TIMEOUT);
		tcb_count(tcb, TCP_ATTEMPT_FAILS);
		tcb_end(tcb, now, tcb_timed_out(tcb));
		return;
	}
	tcp_rtt_backoff(&tcb->rec.rtt);
	if (!tcp_defer_resend(tcb, n)) {
		tcb->snd.last = now; /* from where the next one counts */
		return;
	}
	tcb_count(tcb, TCP_RTO);
	tcp_label_change(tcb);
	tcb->owe |= TCP_OWE_SYN;
	if (tcb->tfo) {
		tcp_tfo_timeout(tcb);
	}
	tcb->upper->timeout(tcb->up, now, tcb->rec.rtt.timeouts);
}

/* RFC 9293 3.8.6 (SHLD-17): the peer took its window back with data on their
 * way, and still answers.  What is sent again is its probe. */
static bool timer_shut_out(const struct tcb *tcb, struct instant now)
{
	return tcb->snd.wnd == 0 && !tcb->detached &&
	       instant_since(now, tcb->rcv.last) < 2 * TCP_RTO_MAX;
}

/* RFC 9293 3.8.3, RFC 5482: has the peer been silent for too long? */
static bool timer_gave_up(struct tcb *tcb, struct instant now)
{
	unsigned most = tcb->detached ? ORPHAN_RETRIES : RETRIES2;
	struct instant until = timer_patience(tcb);

	if (!instant_never(until)) {
		return instant_due(until, now);
	}
	return tcb->rec.rtt.timeouts > most && !timer_shut_out(tcb, now);
}

static void timer_recover(struct tcb *tcb, struct instant now)
{
	unsigned ev = 0;

	if (instant_due(timer_patience(tcb), now)) {
		tcb_count(tcb, TCP_ABORT_TIMEOUT);
		tcb_end(tcb, now, TCP_END_TIMEOUT);
		return;
	}
	switch (tcp_recover_fire(&tcb->rec, now, &ev)) {
	case TCP_ALARM_NONE:
		break;
	case TCP_ALARM_REO:
		/* before it is sent again: an MTU probe may be lost */
		tcp_mtu_check(tcb, now);
		break;
	case TCP_ALARM_PROBE:
		tcb->snd.probe = true;
		tcp_ack_room(tcb, now);
		break;
	case TCP_ALARM_RTO:
		tcb_count(tcb, TCP_RTO);
		tcb->stats.rtos++;
		if (timer_gave_up(tcb, now)) {
			tcb_count(tcb, TCP_ABORT_TIMEOUT);
			tcb_end(tcb, now, tcb_timed_out(tcb));
			return;
		}
		if (tcb->tfo && tcb->tfo->wait) {
			tcb->owe |= TCP_OWE_SYN; /* it may be what was lost */
		}
		tcp_delack_quick(&tcb->delack);
		tcp_ecn_reduced(&tcb->ecn);
		tcp_mtu_timeout(tcb, now);
		tcp_label_change(tcb);
		tcb->upper->timeout(tcb->up, now, tcb->rec.rtt.timeouts);
		break;
	}
	if (ev & TCP_RECOVER_EV_FAST) {
		tcb_count(tcb, TCP_FAST_RTX);
		tcp_ecn_reduced(&tcb->ecn);
	}
	if (ev & TCP_RECOVER_EV_LOST_RTX) {
		tcb_count(tcb, TCP_LOST_RTX);
	}
}

/* The upper was given no room while time held what there was. */
static void timer_pace(struct tcb *tcb, struct instant now)
{
	if (!tcb->dead && tcb->pace.held) {
		tcp_ack_room(tcb, now);
	}
}

static void timer_send_fire(struct wheel_timer *t, struct instant now)
{
	struct tcb *tcb = container_of(t, struct tcb, timers.send);
	enum tcp_timer_kind kind = tcb->timers.kind;

	tcb_enter(tcb);
	tcb->timers.kind = TCP_TIMER_NONE;
	switch (kind) {
	case TCP_TIMER_NONE:
	case TCP_TIMER_PACE:
		break;
	case TCP_TIMER_SYN:
		timer_syn(tcb, now);
		break;
	case TCP_TIMER_RECOVER:
		timer_recover(tcb, now);
		break;
	case TCP_TIMER_PERSIST:
		tcp_persist_fire(tcb, now);
		break;
	}
	timer_pace(tcb, now);
	if (!tcb->dead) {
		tcb_ready(tcb);
		tcp_timer_update(tcb, now);
	}
	tcb_leave(tcb);
}

static void timer_ack_fire(struct wheel_timer *t, struct instant now)
{
	struct tcb *tcb = container_of(t, struct tcb, timers.ack);

	if (tcp_delack_fire(&tcb->delack, now)) {
		tcb_count(tcb, TCP_DELACK);
		tcb->owe |= TCP_OWE_ACK;
		tcb_ready(tcb);
	}
	tcp_timer_update(tcb, now);
}

static void timer_idle_fire(struct wheel_timer *t, struct instant now)
{
	struct tcb *tcb = container_of(t, struct tcb, timers.idle);

	tcb_enter(tcb);
	tcp_keep_fire(tcb, now);
	if (!tcb->dead) {
		tcb_ready(tcb);
		tcp_timer_update(tcb, now);
	}
	tcb_leave(tcb);
}

void tcp_timer_init(struct tcb *tcb)
{
	wheel_timer_init(&tcb->timers.send, timer_send_fire);
	wheel_timer_init(&tcb->timers.ack, timer_ack_fire);
	wheel_timer_init(&tcb->timers.idle, timer_idle_fire);
	tcb->timers.kind = TCP_TIMER_NONE;
}

void tcp_timer_stop(struct tcb *tcb)
{
	struct wheel *w = tcb->tcp->wheel;

	wheel_cancel(w, &tcb->timers.send);
	wheel_cancel(w, &tcb->timers.ack);
	wheel_cancel(w, &tcb->timers.idle);
}

/* An unchanged instant is left alone: most calls change nothing. */
static void timer_set(struct wheel *w, struct wheel_timer *t,
		      struct instant when)
{
	if (t->when.ns == when.ns) {
		return;
	}
	if (instant_never(when)) {
		wheel_cancel(w, t);
	} else {
		wheel_arm(w, t, when);
	}
}

static void timer_update_send(struct tcb *tcb, struct instant now)
{
	struct instant when = INSTANT_NEVER;
	enum tcp_timer_kind kind = TCP_TIMER_NONE;

	if (!tcp_fsm_synced(&tcb->fsm) ||
	    (tcb->tfo && tcb->tfo->wait && tcp_sent_empty(&tcb->rec.sent))) {
		/* armed from the transmission on, not moved by input: what
		 * answers a SYN that the peer repeats is no attempt of ours */
		if (tcb->timers.kind == TCP_TIMER_SYN) {
			kind = TCP_TIMER_SYN;
			when = tcb->timers.send.when;
		} else if (tcb->owe & TCP_OWE_SYN) {
			kind = TCP_TIMER_NONE;
		} else if (tcb->syns) {
			kind = TCP_TIMER_SYN;
			when = instant_add(tcb->snd.last,
					   tcp_rtt_rto(&tcb->rec.rtt));
		}
	} else if (!tcp_sent_empty(&tcb->rec.sent)) {
		kind = TCP_TIMER_RECOVER;
		when = instant_min(tcp_recover_deadline(&tcb->rec),
				   tcp_pace_deadline(&tcb->pace));
	} else if (tcb->pace.held) {
		kind = TCP_TIMER_PACE;
		when = tcp_pace_deadline(&tcb->pace);
	} else if (tcp_persist_wanted(tcb)) {
		kind = TCP_TIMER_PERSIST;
		when = tcb->timers.kind == TCP_TIMER_PERSIST ?
			       tcb->timers.send.when :
			       tcp_persist_next(tcb, now);
	}
	if (kind == TCP_TIMER_SYN || kind == TCP_TIMER_RECOVER) {
		when = instant_min(when, timer_patience(tcb));
	}
	tcb->timers.kind = kind;
	timer_set(tcb->tcp->wheel, &tcb->timers.send, when);
}

void tcp_timer_update(struct tcb *tcb, struct instant now)
{
	if (tcb->dead) {
		return;
	}
	timer_update_send(tcb, now);
	tcp_info_note(tcb, now);
	timer_set(tcb->tcp->wheel, &tcb->timers.ack,
		  tcp_delack_deadline(&tcb->delack));
	timer_set(tcb->tcp->wheel, &tcb->timers.idle,
		  tcp_keep_deadline(tcb, now));
}
