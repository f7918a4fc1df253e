/* mp_sub.c - a subflow: what TCP's hooks mean to the connection
 *
 * The hooks are thin: each says what happened to the file that owns it.
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define JOIN_SYN_RETRIES 3

struct mp_sub *mp_sub_new(struct mp_conn *c, struct instant now)
{
	struct mem *mem = c->mp->env->mem;
	struct mp_sub *s = mem_zalloc(mem, sizeof(*s));

	if (!s) {
		mp_count(c->mp, MP_NOMEM);
		return NULL;
	}
	s->c = c;
	s->nr = c->next_nr;
	if (c->next_nr < UINT8_MAX) {
		c->next_nr++;
	}
	s->una = 1;
	s->rx_nxt = 1;
	s->born = now;
	mp_map_init(&s->tx, mem, MP_TX_MAPS_MAX);
	mp_map_init(&s->rx, mem, MP_RX_MAPS_MAX);
	list_init(&s->held);
	list_init(&s->half);
	mp_timer_init(&s->timers, c->mp->wheel, s->due, MP_T_JOIN, MP_T_SUB_N,
		      mp_timer_sub);
	list_push_back(&c->subs, &s->node);
	c->n_subs++;
	return s;
}

struct tcp_conf mp_sub_conf(const struct mp_sub *s)
{
	const struct mp_conn *c = s->c;
	struct tcp_conf v = c->conf->tcp;

	if (!s->first) {
		v.syn_retries = JOIN_SYN_RETRIES;
	} else if (s->state != MP_SUB_SYN ||
		   (c->mode == MP_MODE_TCP && !c->crypt.k)) {
		return v;
	} else if (!c->passive) {
		/* its ACK has something to say */
		v.defer_accept = v.quickack_nth = 0;
	} else if (c->crypt.k) {
		/* the key exchange is no data, and goes before it */
		v.defer_accept = 0;
	}
	return v;
}

void mp_sub_free(struct mp_sub *s)
{
	struct mem *mem = s->c->mp->env->mem;

	mp_timer_stop_all(&s->timers);
	slice_free_all(mem, &s->held);
	mp_map_fini(&s->tx);
	mp_map_fini(&s->rx);
	mp_reinject_unstash(s);
	if (s->c->first == s) {
		s->c->first = NULL;
	}
	mem_free(mem, s, sizeof(*s));
}

void mp_sub_drop(struct mp_sub *s)
{
	list_del(&s->node);
	s->c->n_subs--;
	mp_sub_free(s);
}

void mp_sub_reset_why(struct mp_sub *s, uint8_t reason, bool transient)
{
	s->rst.with_reason = true;
	s->rst.reason = reason;
	s->rst.transient = transient;
}

/* RFC 8684 3.2: half-open joins are counted until verified */
static void leave_state(struct mp_sub *s)
{
	struct mp_conn *c = s->c;

	if (s->state == MP_SUB_OPEN) {
		c->n_open--;
	} else if (s->state == MP_SUB_SYN && s->passive && !s->first) {
		c->n_joining--;
		c->mp->n_half_open--;
	}
	list_del(&s->half);
}

void mp_sub_open(struct mp_sub *s, struct instant now)
{
	leave_state(s);
	s->state = MP_SUB_OPEN;
	s->c->n_open++;
	s->c->joined = s->c->joined || !s->first;
	mp_timer_stop(&s->timers, MP_T_JOIN);
	mp_timer_stop(&s->c->timers, MP_T_ALONE);
	if (s->c->mode == MP_MODE_MPTCP) {
		/* what was waited for on dead paths does not wait longer */
		s->c->snd.backoff = 0;
		mp_ack_arm(s->c, now, true);
	}
	mp_dirty(s->c);
}

void mp_sub_dead(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;

	if (s->state == MP_SUB_DEAD) {
		return;
	}
	mp_info_keep(s);
	leave_state(s);
	s->state = MP_SUB_DEAD;
	s->tcb = NULL;
	c->n_subs--;
	list_del(&s->node);
	list_push_back(&c->graves, &s->node);
	mp_timer_stop_all(&s->timers);
	mp_reinject_sub(s, now);
	slice_free_all(c->mp->env->mem, &s->held);
	s->held_len = 0;
	s->held_n = 0;
	s->hint = NULL;
	mp_ack_release(c, now);
	mp_dirty(c);
}

void mp_sub_abort(struct mp_sub *s, struct instant now)
{
	struct tcb *tcb = s->tcb;

	if (s->state == MP_SUB_DEAD) {
		return;
	}
	if (s->rst.with_reason) {
		mp_count(s->c->mp, MP_RST_TX);
	}
	mp_sub_dead(s, now);
	tcp_abort(tcb, now);
}

/* smtcp(7), Bad frames: nobody can join before the keys are confirmed */
static bool lost_unconfirmed(const struct mp_conn *c)
{
	return !c->n_subs && c->fsm.state != MP_ST_CLOSED && mp_crypt_early(c);
}

void mp_sub_broken(struct mp_sub *s, struct instant now, uint8_t reason)
{
	struct mp_conn *c = s->c;

	mp_sub_reset_why(s, reason, false);
	mp_sub_abort(s, now);
	mp_count(c->mp, MP_SUBFLOW_LOST);
	if (c->err && !c->over) {
		mp_conn_fail(c, now, c->err);
		return;
	}
	if (lost_unconfirmed(c)) {
		mp_conn_fail(c, now, ECONNABORTED);
		return;
	}
	/* this pair of addresses does not carry what we need */
	if (c->fsm.state < MP_ST_TIME_WAIT && !s->passive) {
		c->mp->pm->failed(c, now, s, false);
	}
	if (!c->n_subs && c->fsm.state != MP_ST_CLOSED) {
		mp_close_no_subflow(c, now);
	}
}

bool mp_sub_usable(const struct mp_sub *s)
{
	const struct ip_path *p;

	if (s->state != MP_SUB_OPEN || s->fin_out) {
		return false;
	}
	p = ip_path(s->c->mp->ip, s->path);
	return p && p->up;
}

struct mp_sub *mp_sub_best(struct mp_conn *c)
{
	struct mp_sub *best = NULL;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state != MP_SUB_OPEN) {
			continue;
		}
		if (!best || (best->stale && !s->stale) ||
		    (best->stale == s->stale &&
		     mp_sub_usable(s) > mp_sub_usable(best)) ||
		    (best->stale == s->stale &&
		     mp_sub_usable(s) == mp_sub_usable(best) &&
		     tcp_srtt(s->tcb) < tcp_srtt(best->tcb))) {
			best = s;
		}
	}
	return best;
}

/* --- hooks ----------------------------------------------------------- */

static void sub_established(void *up, struct instant now)
{
	struct mp_sub *s = up;
	struct mp_conn *c = s->c;

	if (s->state != MP_SUB_SYN) {
		return;
	}
	if (!s->first) {
		mp_join_established(s, now);
		return;
	}
	mp_sub_open(s, now);
	if (c->rcv.fin_in) {
		tcp_ack_now(s->tcb); /* it came with the third ACK */
	}
	if (mp_crypt_established(c, now)) {
		mp_conn_established(c, now);
	}
}

static void sub_deliver(void *up, struct instant now, struct slice *sl)
{
	struct mp_sub *s = up;

	s->received += sl->len;
	mp_rx_deliver(s, now, sl);
}

static void sub_urgent(void *up, uint32_t ssn)
{
	mp_urg_header(up, ssn);
}

static void sub_fin(void *up, struct instant now)
{
	struct mp_sub *s = up;

	s->fin_in = true;
	mp_rx_sub_fin(s, now);
	mp_dirty(s->c);
}

static void sub_acked(void *up, struct instant now, uint32_t una)
{
	mp_ack_sub(up, now, una);
}

static void sub_can_send(void *up, struct instant now)
{
	struct mp_sub *s = up;

	(void)now;
	mp_dirty(s->c);
}

static uint32_t sub_window(void *up)
{
	struct mp_sub *s = up;

	return mp_rx_window(s->c);
}

static unsigned sub_payload(void *up, uint32_t ssn, uint32_t len,
			    struct iov v[3])
{
	return mp_tx_payload(up, ssn, len, v);
}

static uint32_t sub_burst(void *up, uint32_t ssn, uint32_t len)
{
	return mp_tx_burst(up, ssn, len);
}

static void sub_timeout(void *up, struct instant now, unsigned n)
{
	mp_reinject_timeout(up, now, n);
}

static int end_errno(enum tcp_end end)
{
	switch (end) {
	case TCP_END_NORMAL:
		return 0;
	case TCP_END_ABORTED:
		return ECONNABORTED;
	case TCP_END_RESET:
		return ECONNRESET;
	case TCP_END_REFUSED:
	case TCP_END_PROHIBIT:
		return ECONNREFUSED;
	case TCP_END_TIMEOUT:
		return ETIMEDOUT;
	case TCP_END_UNREACH:
		return EHOSTUNREACH;
	case TCP_END_NET:
		return ENETUNREACH;
	case TCP_END_PROTO:
		return ENOPROTOOPT;
	case TCP_END_HEADER:
		return EPROTO;
	case TCP_END_ACCESS:
		return EACCES;
	case TCP_END_NOMEM:
		return ENOBUFS;
	}
	return ECONNABORTED;
}

int mp_soft_error(struct mp_conn *c)
{
	const struct mp_sub *s = c->n_subs == 1 ? list_entry(c->subs.next,
							     struct mp_sub,
							     node)
						: NULL;

	return s && s->tcb ? end_errno(tcp_soft_error(s->tcb)) : 0;
}

/* the only subflow of plain TCP, or the first before there is a connection */
static void closed_single(struct mp_conn *c, struct instant now,
			  enum tcp_end end)
{
	int err = c->err ? c->err : end_errno(end);

	if (end == TCP_END_RESET && c->rcv.fin_in && !c->snd.shut) {
		err = c->err ? c->err : EPIPE; /* CLOSE-WAIT, as in Linux */
	}
	if (end == TCP_END_NORMAL && c->rcv.fin_in) {
		mp_conn_event(c, MP_EV_END);
		mp_timer_stop_all(&c->timers);
		mp_conn_over(c, now, 0);
		mp_conn_maybe_gone(c, now);
		return;
	}
	mp_conn_fail(c, now, err ? err : ECONNRESET);
}

/* nobody answered, or ICMP says why nobody will */
static bool gave_up(enum tcp_end end)
{
	return end != TCP_END_NORMAL && end != TCP_END_ABORTED &&
	       end != TCP_END_RESET && end != TCP_END_REFUSED &&
	       end != TCP_END_NOMEM;
}

static void closed_join(struct mp_sub *s, struct instant now, bool was_open,
			enum tcp_end end)
{
	struct mp_conn *c = s->c;

	if (was_open) {
		if (s->probed && gave_up(end)) {
			mp_count(c->mp, MP_RM_SUBFLOW);
		}
		if (end != TCP_END_NORMAL) {
			mp_count(c->mp, MP_SUBFLOW_LOST);
		}
		if (c->fsm.state < MP_ST_TIME_WAIT && end != TCP_END_NORMAL) {
			c->mp->pm->lost(c, now, s);
		}
		return;
	}
	if (gave_up(end)) {
		mp_count(c->mp, MP_JOIN_TIMEOUT);
	}
	if (!s->passive) {
		c->mp->pm->failed(c, now, s,
				  s->rst_in && s->rst_in_transient);
	}
}

static void sub_closed(void *up, struct instant now, enum tcp_end end)
{
	struct mp_sub *s = up;
	struct mp_conn *c = s->c;
	bool was_open = s->state == MP_SUB_OPEN;
	int err;

	if (s->state == MP_SUB_DEAD) {
		return;
	}
	mp_sub_dead(s, now);
	if (c->fsm.state == MP_ST_CLOSED) {
		mp_conn_maybe_gone(c, now);
		return;
	}
	if (c->mode != MP_MODE_MPTCP || (s->first && !was_open)) {
		closed_single(c, now, end);
		return;
	}
	if (c->err && !c->over) {
		mp_conn_fail(c, now, c->err);
		return;
	}
	if (lost_unconfirmed(c)) {
		err = end_errno(end);
		mp_conn_fail(c, now, err ? err : ECONNABORTED);
		return;
	}
	closed_join(s, now, was_open, end);
	if (!c->n_subs && c->fsm.state != MP_ST_CLOSED) {
		/* RFC 8684 3.2: a token the peer does not know says that it
		 * has given up the connection */
		if (!was_open && s->rst_in &&
		    s->rst_in_reason == MP_RST_MPTCP) {
			mp_conn_fail(c, now, ECONNRESET);
			return;
		}
		mp_close_no_subflow(c, now);
	}
}

const struct tcp_upper mp_sub_upper = {
	.options = mp_sub_options,
	.segment = mp_sub_segment,
	.established = sub_established,
	.deliver = sub_deliver,
	.urgent = sub_urgent,
	.fin = sub_fin,
	.acked = sub_acked,
	.can_send = sub_can_send,
	.window = sub_window,
	.payload = sub_payload,
	.burst = sub_burst,
	.timeout = sub_timeout,
	.closed = sub_closed,
};
