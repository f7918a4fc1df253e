/* mp_close.c - the end of a connection: DATA_FIN, FASTCLOSE, and the subflows'
 * own ends (RFC 8684 3.3.3, 3.5, Appendix D)
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/mptcp/mp.h"

#define PEER_FIN_WAIT (250 * NANOS_MS) /* RFC 8041 3.6 */
#define LINGER        (5 * NANOS_S)
#define ORPHAN_WAIT   (60 * NANOS_S) /* FIN-WAIT-2 without an owner */
#define ORPHAN_STUCK  (300 * NANOS_S) /* no octet acknowledged, no owner */
#define ORPHAN_TIGHT  (15 * NANOS_S)  /* .. while memory is scarce */

void mp_shutdown(struct mp_conn *c, struct instant now)
{
	(void)now;
	if (c->snd.shut) {
		return;
	}
	c->snd.shut = true;
	mp_conn_event(c, MP_EV_CLOSE);
	mp_dirty(c);
}

void mp_discard(struct mp_conn *c, struct instant now)
{
	c->rcv.discard = true;
	if (c->rcv.q_len) {
		mp_read_done(c, now, c->rcv.q_len);
	}
}

void mp_close(struct mp_conn *c, struct instant now, bool abort)
{
	bool unread = c->rcv.q_len > 0 && !c->rcv.discard;

	mp_conn_disown(c);
	if (c->fsm.state == MP_ST_CLOSED) {
		mp_conn_maybe_gone(c, now);
		return;
	}
	if (c->mp->n_owing > MP_ORPHANS_MAX && c->established && !c->over &&
	    !abort) {
		tcp_count(c->mp->tcp, TCP_ABORT_ORPHANS);
		abort = true;
	}
	if ((!c->established && !c->told) ||
	    ((abort || unread) && !c->over)) {
		if (c->established && c->mode == MP_MODE_MPTCP) {
			mp_close_fast(c, now);
		} else {
			mp_conn_fail(c, now, ECONNABORTED);
		}
		return;
	}
	mp_shutdown(c, now);
	mp_dirty(c);
}

/* --- DATA_FIN -------------------------------------------------------- */

/* A DATA_FIN without data is a bare ACK, which TCP does not repeat: a path that
 * has died meanwhile stays unnoticed.  So the first goes where it is fastest,
 * a repetition everywhere. */
void mp_close_fin_due(struct mp_conn *c)
{
	struct mp_sub *best = mp_sub_best(c);

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s == best || (c->snd.backoff && s->state == MP_SUB_OPEN)) {
			s->sig.fin = true;
			tcp_ack_now(s->tcb);
		}
	}
}

/* RFC 8684 3.3.3: only when all data is on its way, so that the DATA_FIN
 * never arrives at a peer that could not know what it ends. */
static void send_fin(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;

	/* sealed: FINp is on its way, too; without it DATA_FIN is nothing */
	if (!d->shut || d->fin_sent || mp_tx_waiting(c) || !c->n_open) {
		return;
	}
	d->fin_sent = true;
	mp_count(c->mp, MP_DATA_FIN_TX);
	if (!d->fin_mapped) {
		mp_close_fin_due(c);
	}
	mp_ack_arm(c, now, false);
}

static void shut_sub(struct mp_sub *s, struct instant now)
{
	if (s->state == MP_SUB_OPEN && !s->fin_out) {
		s->fin_out = true;
		tcp_shutdown(s->tcb, now);
	}
}

static void shut_all(struct mp_conn *c, struct instant now)
{
	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && !s->stale) {
			shut_sub(s, now);
		} else {
			/* nothing is owed any more, least of all on a path
			 * that does not answer */
			mp_sub_reset_why(s, MP_RST_UNSPECIFIED, false);
			mp_sub_abort(s, now);
		}
	}
	mp_timer_set(&c->timers, MP_T_LINGER, instant_add(now, LINGER));
}

static bool open_subs_have_fin(const struct mp_conn *c)
{
	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && !s->fin_in) {
			return false;
		}
	}
	return true;
}

static void ended(struct mp_conn *c, struct instant now)
{
	mp_conn_event(c, MP_EV_END);
	mp_timer_stop_all(&c->timers);
	mp_token_del(&c->mp->tokens, &c->token);
	mp_conn_over(c, now, 0);
	mp_conn_maybe_gone(c, now);
}

/* Both DATA_FINs are acknowledged.  The side that closed last waits a little
 * for the other's FINs: TIME-WAIT belongs to the one that closed first. */
static void finish(struct mp_conn *c, struct instant now)
{
	mp_conn_over(c, now, 0);
	if (!c->n_subs) {
		ended(c, now);
	} else if (c->shutting || open_subs_have_fin(c)) {
		if (!c->shutting) {
			c->shutting = true;
			shut_all(c, now);
		}
	} else if (!c->closed_last) {
		c->shutting = true;
		shut_all(c, now);
	} else if (!mp_timer_on(&c->timers, MP_T_LINGER)) {
		mp_timer_set(&c->timers, MP_T_LINGER,
			     instant_add(now, PEER_FIN_WAIT));
	}
}

/* our FIN on that subflow was acknowledged */
static bool fin_acked(const struct mp_sub *s)
{
	enum tcp_state st = tcp_state(s->tcb);

	return st == TCP_FIN_WAIT_2 || st == TCP_TIME_WAIT;
}

/* TCP goes on alone: FIN exchange, TIME-WAIT */
static void let_go(struct mp_sub *s, struct instant now)
{
	struct tcb *tcb = s->tcb;

	mp_sub_dead(s, now);
	tcp_detach(tcb, now);
}

static void linger_over(struct mp_conn *c, struct instant now)
{
	if (!c->shutting) {
		c->shutting = true;
		shut_all(c, now);
		return;
	}
	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && fin_acked(s)) {
			let_go(s, now);
		} else {
			mp_sub_reset_why(s, MP_RST_OUTSTANDING, false);
			mp_sub_abort(s, now);
		}
	}
	ended(c, now);
}

/* a single stream: nothing of ours is on its way any more */
static bool all_is_said(const struct mp_conn *c)
{
	return c->mode == MP_MODE_TCP && c->first && c->first->fin_out &&
	       c->snd.una == c->snd.nxt;
}

static void step_plain(struct mp_conn *c, struct instant now)
{
	struct mp_sub *s = c->first;

	if (!s || s->state != MP_SUB_OPEN) {
		return;
	}
	if (c->snd.shut && !mp_tx_waiting(c)) {
		shut_sub(s, now);
	}
	/* sealed, the peer's end is a frame: payload, which TCP alone would
	 * answer as what nobody reads */
	if (c->closed && all_is_said(c) &&
	    (!mp_sealed(c) || c->rcv.fin_in)) {
		let_go(s, now);
		ended(c, now);
	}
}

/* RFC 8684 3.3.3: a FIN closes its subflow only; ours follows unless it would
 * leave the connection without one. */
static void answer_fins(struct mp_conn *c, struct instant now)
{
	unsigned left = 0;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		left += s->state == MP_SUB_OPEN && !s->fin_out;
	}
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && s->fin_in && !s->fin_out &&
		    left > 1 && s->una == tcp_push_ssn(s->tcb)) {
			shut_sub(s, now);
			left--;
		}
	}
}

/* RFC 8684 3.3.3: every subflow has ended on the peer's side, and its data has
 * not: only a new subflow could bring the rest. */
static bool needs_revival(const struct mp_conn *c)
{
	return !c->rcv.fin_known && open_subs_have_fin(c);
}

static void await_revival(struct mp_conn *c, struct instant now)
{
	if (c->n_open && needs_revival(c) &&
	    !mp_timer_on(&c->timers, MP_T_ALONE)) {
		mp_timer_set(&c->timers, MP_T_ALONE,
			     instant_add(now, c->mp->cfg.close_timeout));
	}
}

/* The owner is gone: the peer may neither leave its own direction open for
 * ever nor keep ours waiting, window shut, for ever. */
static void watch_orphan(struct mp_conn *c, struct instant now)
{
	bool fin2 = c->fsm.state == MP_ST_FIN_WAIT_2 || all_is_said(c);
	nanos wait = mem_tight(c->mp->env->mem) ? ORPHAN_TIGHT : ORPHAN_STUCK;

	if (!c->closed || c->fsm.state >= MP_ST_TIME_WAIT ||
	    (mp_timer_on(&c->timers, MP_T_ORPHAN) && c->orphan.fin2 == fin2)) {
		return;
	}
	if (fin2) {
		wait = c->conf->tcp.linger2 > 0 ? c->conf->tcp.linger2 :
						 ORPHAN_WAIT;
	}
	c->orphan.fin2 = fin2;
	c->orphan.una = c->snd.una;
	mp_timer_set(&c->timers, MP_T_ORPHAN, instant_add(now, wait));
}

static void orphan_over(struct mp_conn *c, struct instant now)
{
	if (!c->closed || c->fsm.state >= MP_ST_TIME_WAIT) {
		return;
	}
	if (!c->orphan.fin2 && c->snd.una != c->orphan.una) {
		watch_orphan(c, now);
	} else if (c->mode == MP_MODE_MPTCP) {
		mp_close_fast(c, now);
	} else {
		mp_conn_fail(c, now, ETIMEDOUT);
	}
}

void mp_close_step(struct mp_conn *c, struct instant now)
{
	if (c->fsm.state == MP_ST_CLOSED) {
		mp_conn_maybe_gone(c, now);
		return;
	}
	if (!c->established) {
		return;
	}
	watch_orphan(c, now);
	if (c->mode == MP_MODE_TCP) {
		step_plain(c, now);
		return;
	}
	if (c->confirm_due && c->n_open) {
		c->confirm_due = false;
		c->mp->pm->confirmed(c, now);
	}
	send_fin(c, now);
	if (c->fsm.state == MP_ST_TIME_WAIT) {
		finish(c, now);
		return;
	}
	answer_fins(c, now);
	await_revival(c, now);
	if (c->pm.due) {
		c->pm.due = false;
		c->mp->pm->run(c, now);
	}
}

void mp_close_timer(struct mp_conn *c, enum mp_timer which,
		    struct instant now)
{
	if (which == MP_T_LINGER) {
		linger_over(c, now);
	} else if (which == MP_T_ALONE) {
		if (c->n_open && !needs_revival(c)) {
			return; /* the DATA_FIN came behind the FINs */
		}
		mp_count(c->mp, MP_NO_SUBFLOW_TIMEOUT);
		if (mp_sealed(c) && !c->crypt.confirmed) {
			/* a peer that never had the keys, whichever timer
			 * finds out */
			mp_crypt_abort(c, now, MP_CRYPT_UNCONFIRMED);
			return;
		}
		mp_conn_fail(c, now, ETIMEDOUT);
	} else if (which == MP_T_ORPHAN) {
		orphan_over(c, now);
	}
}

/* RFC 8684 3.3.3: break before make */
void mp_close_no_subflow(struct mp_conn *c, struct instant now)
{
	if (c->fsm.state == MP_ST_TIME_WAIT) {
		ended(c, now);
		return;
	}
	if (c->closed && c->snd.fin_acked) {
		/* nobody is left who could read what may still come */
		ended(c, now);
		return;
	}
	mp_count(c->mp, MP_NO_SUBFLOW);
	if (!c->confirmed && !c->passive) {
		/* RFC 8684 3.1: without a DSS there is no join: the end */
		mp_conn_fail(c, now, ECONNRESET);
		return;
	}
	mp_timer_stop(&c->timers, MP_T_DATA);
	if (!mp_timer_on(&c->timers, MP_T_ALONE)) {
		mp_timer_set(&c->timers, MP_T_ALONE,
			     instant_add(now, c->mp->cfg.close_timeout));
	}
	c->mp->pm->alone(c, now);
}

/* --- FASTCLOSE ------------------------------------------------------- */

void mp_close_fast(struct mp_conn *c, struct instant now)
{
	uint64_t key;
	bool keyed = mp_crypt_close_key(c, true, &key);

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && keyed) {
			s->rst.fastclose = true;
			mp_count(c->mp, MP_FASTCLOSE_TX);
		}
	}
	mp_conn_fail(c, now, ECONNABORTED);
}

/* the form on an ACK */
enum tcp_verdict mp_close_fast_rx(struct mp_sub *s, struct instant now,
				  uint64_t key)
{
	struct mp_conn *c = s->c;
	uint64_t own;

	if (!mp_crypt_close_key(c, false, &own) || key != own) {
		mp_count(c->mp, MP_FASTCLOSE_KEY);
		return TCP_UP_OK;
	}
	mp_count(c->mp, MP_FASTCLOSE_RX);
	mp_conn_fail(c, now, ECONNRESET);
	return TCP_UP_DROP;
}
