/* mp_fall.c - fallback to plain TCP: whether it can be, and doing it
 * (RFC 8684 3.7)
 *
 * Plain TCP is the identity mapping: from a known pair of subflow and data
 * sequence number on, both run in step.  That holds when one subflow is left
 * and everything not yet acknowledged travels on it in order.  Then the peer
 * is told by an infinite mapping with the next data, in case it has not
 * noticed; before anything was sent, its own view of the handshake does.
 *
 * A sealed connection never becomes plain: it goes on as a single sealed
 * stream, whose octets have the offsets they would have had (smtcp(7)).
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/mptcp/mp.h"

#define ASKED 2 /* data-level timeouts, before a peer has fallen back */

static struct mp_sub *only_open(struct mp_conn *c)
{
	struct mp_sub *only = NULL;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state != MP_SUB_OPEN && !s->first) {
			continue; /* a join under way ends with the fallback */
		}
		if (only) {
			return NULL;
		}
		only = s;
	}
	return only;
}

/* Everything that came in on the subflow went up, in order and once: the next
 * octet there is the next octet of the stream. */
static bool rx_in_step(const struct mp_conn *c, const struct mp_sub *s)
{
	return mp_rx_consumed(s) - 1 == (uint32_t)c->rcv.nxt;
}

/* A mapping that is here already says that what follows lies elsewhere: the
 * peer has repeated something.  All its later mappings are out of step then, the
 * last one with them.  One whose checksum is wrong says nothing. */
static bool rx_leaps(const struct mp_conn *c, const struct mp_sub *s,
		     enum mp_reason why)
{
	const struct mp_map *m = mp_map_last(&s->rx);
	uint32_t at = mp_rx_consumed(s);

	if (!m || seq_leq(m->ssn + m->len, at) ||
	    (why == MP_FALLBACK_CSUM && seq_leq(m->ssn, at))) {
		return false;
	}
	return m->ssn - at != (uint32_t)(m->off - c->rcv.nxt);
}

/* The peer's side is known to be in step when it says so, or when it never
 * had a second subflow to move data between. */
static bool in_step(const struct mp_conn *c, const struct mp_sub *s,
		    enum mp_reason why)
{
	const struct mp_snd *d = &c->snd;

	/* the peer says nothing: what was dropped here is missing */
	if ((why == MP_FALLBACK_NO_DSS || why == MP_FALLBACK_NO_DATA_ACK) &&
	    !rx_in_step(c, s)) {
		return false;
	}
	if (why != MP_FALLBACK_INFINITE_RX && rx_leaps(c, s, why)) {
		return false;
	}
	return d->una >= d->mixed_end && mp_reasm_empty(&c->rcv.ooo) &&
	       !d->again.n && !s->fin_out &&
	       (!c->joined || why == MP_FALLBACK_INFINITE_RX);
}

bool mp_fall_early(const struct mp_sub *s)
{
	return s->first && !s->c->joined && s->c->snd.una <= s->first_len;
}

/* smtcp(7), Fallback: what anybody could bring about by leaving out an option
 * must not cost the other paths, nor move octets from their places. */
static bool sealed_may(const struct mp_conn *c, const struct mp_sub *s,
		       enum mp_reason why)
{
	if (c->mode != MP_MODE_MPTCP) {
		return true; /* the handshake's decision */
	}
	if (!s->first || c->joined || !rx_in_step(c, s)) {
		return false;
	}
	if (why == MP_FALLBACK_NO_DATA_ACK) {
		/* or the timer has asked in vain; not later, when a peer would
		 * end the subflow for data without mapping */
		return s->acks_bare &&
		       (!c->dss_in ||
			(c->snd.backoff > ASKED && mp_fall_early(s)));
	}
	if (why == MP_FALLBACK_NO_DSS) {
		return !c->dss_in && !c->dss_any;
	}
	return why == MP_FALLBACK_INFINITE_RX;
}

/* the subflow that it can go on with; NULL: none */
static struct mp_sub *can_fall(struct mp_conn *c, enum mp_reason why)
{
	struct mp_sub *s = only_open(c);

	return s && in_step(c, s, why) &&
			       (!mp_sealed(c) || sealed_may(c, s, why)) ?
		       s :
		       NULL;
}

static void end_joins(struct mp_conn *c, struct instant now,
		      const struct mp_sub *keep)
{
	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s != keep) {
			mp_sub_reset_why(s, MP_RST_PROHIBITED, false);
			mp_sub_abort(s, now);
		}
	}
}

static void go_plain(struct mp_conn *c, struct instant now, struct mp_sub *s,
		     enum mp_reason why)
{
	struct mp_fallen *f = &c->fall;
	struct mp_snd *d = &c->snd;
	bool was_open = c->mode == MP_MODE_MPTCP;

	end_joins(c, now, s);
	mp_token_del(&c->mp->tokens, &c->token);
	c->first = s;
	f->tx_ssn = s->tcb ? tcp_push_ssn(s->tcb) : 1;
	f->tx_off = d->nxt;
	/* what the subflow acknowledged is acknowledged */
	f->inf_ssn = s->una;
	f->inf_off = d->nxt - (f->tx_ssn - s->una);
	f->inf_at = f->tx_ssn;
	/* sealed, also in answer: what says it was perhaps the path's */
	f->infinite = was_open && c->established &&
		      (why != MP_FALLBACK_INFINITE_RX || mp_sealed(c));
	c->mode = MP_MODE_TCP;
	if (was_open) {
		d->una = max_u64(d->una, f->inf_off);
		if (mp_sealed(c)) {
			mp_count(c->mp, MP_CRYPT_ALONE);
			mp_frames_drop(&c->seal->frames, d->una);
			mp_crypt_acked(c, d->una);
		}
		d->edge = UINT64_MAX;
		mp_map_fini(&s->tx);
		mp_reinject_unstash(s);
		s->stale = false;
		s->suspect = false;
		mp_ack_release(c, now);
	}
	mp_timer_stop(&c->timers, MP_T_DATA);
	mp_timer_stop(&c->timers, MP_T_ADDR);
	mp_timer_stop(&c->timers, MP_T_PM);
	mp_rx_flush(s, now);
	mp_map_fini(&s->rx);
	mp_dirty(c);
}

bool mp_fall_if(struct mp_conn *c, struct instant now, enum mp_reason why)
{
	struct mp_sub *s;

	if (c->mode == MP_MODE_TCP) {
		return true;
	}
	s = c->mp->cfg.policy == MP_REQUIRE ? NULL : can_fall(c, why);
	if (!s) {
		return false;
	}
	mp_count(c->mp, why);
	c->why_plain = why;
	go_plain(c, now, s, why);
	if (s->fin_in && !c->rcv.fin_known) {
		mp_rx_sub_fin(s, now);
	}
	mp_rx_fin(c, now);
	return true;
}

/* It fell back because nothing was said, and this says that the octets it carries
 * are not what follows: a repeat, under way or decided before the peer knew. */
static bool belied(const struct mp_sub *s, const struct tcp_seg *seg)
{
	const struct mp_opt_dss *d = &seg->opts.mp.dss;
	const struct mp_conn *c = s->c;
	uint32_t base = (uint32_t)c->keys.idsn_remote + 1;

	if ((c->why_plain != MP_FALLBACK_NO_DSS &&
	     c->why_plain != MP_FALLBACK_NO_DATA_ACK) ||
	    mp_sealed(c) || !seg->len ||
	    !(seg->opts.mp.have & MP_HAVE(MP_OPT_DSS))) {
		return false;
	}
	return d->map && !d->infinite && d->data_len > d->fin &&
	       seq_gt(d->ssn + d->data_len - d->fin, s->rx_nxt) &&
	       (uint32_t)d->dsn - base != d->ssn - 1;
}

enum tcp_verdict mp_fall_in(struct mp_sub *s, const struct tcp_seg *seg)
{
	if (!belied(s, seg)) {
		return TCP_UP_OK;
	}
	mp_count(s->c->mp, MP_DSS_NOT_MATCHING);
	mp_count(s->c->mp, MP_RST_TX);
	mp_sub_reset_why(s, MP_RST_MPTCP, false);
	return TCP_UP_RESET;
}

void mp_fall_refuse(struct mp_conn *c, enum mp_reason why)
{
	if (c->mp->cfg.policy == MP_REQUIRE && can_fall(c, why)) {
		mp_count(c->mp, MP_REQUIRE_REFUSED);
		c->err = EPROTO; /* ends with its subflow */
	}
}

bool mp_fall(struct mp_conn *c, struct instant now, enum mp_reason why)
{
	bool fell = mp_fall_if(c, now, why);

	if (!fell) {
		mp_fall_refuse(c, why);
	}
	return fell;
}
