/* mp_join.c - further subflows: MP_JOIN, both roles (RFC 8684 3.2)
 *
 * "A" is the side that sends the SYN of this join, whichever side opened the
 * connection; in every HMAC key and nonce of its sender come first.
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define THIRD_TRIES 6

static bool has_join(const struct mp_opts *o, uint8_t len)
{
	return o->have & MP_HAVE(MP_OPT_JOIN) && o->join.len == len;
}

static struct mp_sub *join_sub(struct mp_conn *c, struct instant now,
			       const struct tuple *t, unsigned path)
{
	struct mp_sub *s = mp_sub_new(c, now);
	const struct ip_path *p = ip_path(c->mp->ip, path);

	if (!s) {
		return NULL;
	}
	s->t = *t;
	s->path = (uint16_t)path;
	s->backup = p && p->backup;
	s->local_id = mp_addr_local_id(c, &t->local.addr);
	s->join.nonce_local = entropy_u32(&c->mp->env->entropy);
	return s;
}

static struct tcp_open open_of(struct mp_sub *s)
{
	return (struct tcp_open){ .t = s->t, .path = s->path,
				  .upper = &mp_sub_upper, .up = s,
				  .shared_wnd = true,
				  .conf = mp_sub_conf(s) };
}

bool mp_join_open(struct mp_conn *c, struct instant now, unsigned path,
		  const struct endpoint *remote, uint8_t remote_id)
{
	const struct addr *src = ip_source(c->mp->ip, path, &remote->addr);
	struct tuple t = { .remote = *remote };
	struct tcp_open open;
	struct mp_sub *s;
	int err;

	if (!src || c->mode != MP_MODE_MPTCP ||
	    (c->conf->only_path && c->conf->only_path != path + 1) ||
	    c->n_subs >= c->mp->cfg.subflows_max || !mp_crypt_may_join(c)) {
		return false;
	}
	t.local.addr = *src;
	s = join_sub(c, now, &t, path);
	if (!s) {
		return false;
	}
	s->remote_id = remote_id;
	open = open_of(s);
	s->tcb = tcp_connect(c->mp->tcp, now, &open, &err);
	if (!s->tcb) {
		mp_sub_drop(s);
		return false;
	}
	s->t = *tcp_tuple(s->tcb);
	return true;
}

static enum tcp_verdict refuse(struct mp_sub *s, enum mp_reason why,
			       uint8_t rst)
{
	mp_count(s->c->mp, why);
	mp_sub_reset_why(s, rst, false);
	mp_count(s->c->mp, MP_RST_TX);
	return TCP_UP_RESET;
}

/* our SYN is answered */
enum tcp_verdict mp_join_synack(struct mp_sub *s, struct instant now,
				const struct tcp_seg *seg)
{
	struct mp_conn *c = s->c;
	const struct mp_opt_join *j = &seg->opts.mp.join;
	uint8_t mac[32];

	(void)now;
	s->irs = seg->seq;
	if (!(seg->flags & TCP_ACK) || !has_join(&seg->opts.mp, 16)) {
		return refuse(s, MP_JOIN_STRIPPED, MP_RST_MIDDLEBOX);
	}
	mp_count(c->mp, MP_JOIN_SYNACK_RX);
	s->join.nonce_remote = j->nonce;
	if (!mp_crypt_join_mac(s, false, mac) || !prim_equal(mac, j->mac, 8)) {
		return refuse(s, MP_JOIN_SYNACK_MAC, MP_RST_MPTCP);
	}
	s->remote_id = j->addr_id;
	s->peer_backup = j->backup;
	return TCP_UP_OK;
}

/* the third segment at the side that was joined */
enum tcp_verdict mp_join_third(struct mp_sub *s, struct instant now,
			       const struct tcp_seg *seg)
{
	struct mp_conn *c = s->c;
	uint8_t mac[32];

	(void)now;
	if (c->mode != MP_MODE_MPTCP) {
		return refuse(s, MP_JOIN_PROHIBITED, MP_RST_PROHIBITED);
	}
	if (!has_join(&seg->opts.mp, 24)) {
		return refuse(s, MP_JOIN_STRIPPED, MP_RST_MPTCP);
	}
	if (!mp_crypt_join_mac(s, false, mac) ||
	    !prim_equal(mac, seg->opts.mp.join.mac, 20)) {
		return refuse(s, MP_JOIN_ACK_MAC, MP_RST_MPTCP);
	}
	return TCP_UP_OK;
}

static nanos third_wait(const struct mp_sub *s)
{
	return tcp_rto(s->tcb) << s->join.tries;
}

void mp_join_established(struct mp_sub *s, struct instant now)
{
	if (s->passive) {
		mp_count(s->c->mp, MP_JOIN_ACK_RX);
		mp_sub_open(s, now);
		tcp_ack_now(s->tcb);
		return;
	}
	s->state = MP_SUB_PRE; /* TCP's ACK of the SYN/ACK carries the HMAC */
	s->c->joined = true; /* from there on the peer may send data on it */
	mp_timer_set(&s->timers, MP_T_JOIN, instant_add(now, third_wait(s)));
}

void mp_join_timer(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;

	if (s->state != MP_SUB_PRE) {
		return;
	}
	if (++s->join.tries >= THIRD_TRIES) {
		mp_count(c->mp, MP_JOIN_TIMEOUT);
		mp_sub_reset_why(s, MP_RST_MIDDLEBOX, false);
		mp_sub_abort(s, now);
		c->mp->pm->failed(c, now, s, false);
		if (!c->n_subs) {
			mp_close_no_subflow(c, now);
		}
		return;
	}
	tcp_ack_now(s->tcb);
	mp_timer_set(&s->timers, MP_T_JOIN, instant_add(now, third_wait(s)));
}

/* --- being joined ---------------------------------------------------- */

static void refuse_syn(struct mp *mp, const struct tcp_seg *syn,
		       enum mp_reason why, uint8_t reason)
{
	uint8_t opt[4];
	struct wr w = wr_make(opt, sizeof(opt));

	mp_count(mp, why);
	mp_count(mp, MP_RST_TX);
	mp_opt_emit_rst(&w, false, reason);
	tcp_reset_seg(mp->tcp, syn, opt, (unsigned)wr_len(&w));
}

static void accept_syn(struct mp_conn *c, struct instant now,
		       const struct tcp_seg *syn)
{
	const struct mp_opt_join *j = &syn->opts.mp.join;
	struct mp_sub *s = join_sub(c, now, &syn->t, syn->dev);
	struct tcp_open open;
	int err;

	if (!s) {
		refuse_syn(c->mp, syn, MP_NOMEM, MP_RST_RESOURCES);
		return;
	}
	s->passive = true;
	s->irs = syn->seq;
	s->remote_id = j->addr_id;
	s->peer_backup = j->backup;
	s->join.nonce_remote = j->nonce;
	open = open_of(s);
	s->tcb = tcp_accept(c->mp->tcp, now, syn, &open, &err);
	if (!s->tcb) {
		mp_sub_drop(s);
		refuse_syn(c->mp, syn, MP_NOMEM, MP_RST_RESOURCES);
		return;
	}
	c->n_joining++;
	c->mp->n_half_open++;
	list_push_back(&c->mp->half, &s->half);
}

/* The third ACK of a join has neither token nor nonce of its SYN, so a join
 * cannot be answered without keeping them.  Instead the oldest half-open one
 * makes room for the next: a flood delays who means it by no more than it fills
 * the places within a round trip.  Who meant it, too, hears that he may try
 * again.  to: whose join needs the place, one of its own if mine. */
static void evict(struct mp_conn *to, struct instant now, bool mine)
{
	list_each(n, &to->mp->half) {
		struct mp_sub *s = list_entry(n, struct mp_sub, half);
		struct mp_conn *of = s->c;

		if (mine && of != to) {
			continue;
		}
		mp_count(to->mp, MP_JOIN_EVICTED);
		mp_sub_reset_why(s, MP_RST_RESOURCES, true);
		mp_sub_abort(s, now);
		if (of != to && !of->n_subs && of->fsm.state != MP_ST_CLOSED) {
			mp_close_no_subflow(of, now);
		}
		return;
	}
}

static void make_room(struct mp_conn *c, struct instant now)
{
	bool mine = c->n_joining >= MP_HALF_OPEN_MAX ||
		    c->n_subs >= c->mp->cfg.subflows_max;

	if (mine || c->mp->n_half_open >= MP_HALF_OPEN_TOTAL) {
		evict(c, now, mine);
	}
}

bool mp_join_syn(void *ctx, struct instant now, const struct tcp_seg *syn)
{
	struct mp *mp = ctx;
	struct mp_token *t;
	struct mp_conn *c;

	if (!has_join(&syn->opts.mp, 12)) {
		return false;
	}
	mp_count(mp, MP_JOIN_SYN_RX);
	t = mp_token_find(&mp->tokens, syn->opts.mp.join.token);
	c = t ? container_of(t, struct mp_conn, token) : NULL;
	if (!c) {
		refuse_syn(mp, syn, MP_JOIN_NO_TOKEN, MP_RST_MPTCP);
	} else if (mp_crypt_early(c)) {
		/* smtcp(7), Joins: its retransmission will be in time */
		mp_count(mp, MP_CRYPT_EARLY);
	} else if (c->mode != MP_MODE_MPTCP || !c->keys.have_remote ||
		   !c->established || c->fsm.state >= MP_ST_TIME_WAIT) {
		refuse_syn(mp, syn, MP_JOIN_PROHIBITED, MP_RST_PROHIBITED);
	} else if (c->n_subs - c->n_joining >= mp->cfg.subflows_max) {
		refuse_syn(mp, syn, MP_JOIN_LIMIT, MP_RST_RESOURCES);
	} else {
		make_room(c, now);
		accept_syn(c, now, syn);
	}
	return true;
}
