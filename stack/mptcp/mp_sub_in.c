/* mp_sub_in.c - the options of a received segment, in the order in which they
 * matter: what ends, what opens, what carries data, what manages paths
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

static bool have(const struct mp_opts *o, enum mp_opt_subtype t)
{
	return o->have & MP_HAVE(t);
}

/* RFC 8684 3.5, 3.6: what comes with the peer's RST.  TCP ends the subflow
 * after this. */
static enum tcp_verdict in_rst(struct mp_sub *s, struct instant now,
			       const struct mp_opts *o)
{
	struct mp_conn *c = s->c;
	uint64_t key;

	if (have(o, MP_OPT_TCPRST)) {
		s->rst_in = true;
		s->rst_in_transient = o->rst_transient;
		s->rst_in_reason = o->rst_reason;
		mp_count(c->mp, MP_RST_RX);
	}
	if (c->mode != MP_MODE_MPTCP) {
		return TCP_UP_OK;
	}
	if (have(o, MP_OPT_FAIL)) {
		mp_count(c->mp, MP_FAIL_RX);
	}
	if (!have(o, MP_OPT_FASTCLOSE)) {
		return TCP_UP_OK;
	}
	if (!mp_crypt_close_key(c, false, &key) || o->fastclose_key != key) {
		mp_count(c->mp, MP_FASTCLOSE_KEY);
		return TCP_UP_OK;
	}
	mp_count(c->mp, MP_FASTCLOSE_RX);
	mp_sub_dead(s, now); /* nothing to answer on this one */
	mp_conn_fail(c, now, ECONNRESET);
	return TCP_UP_OK;
}

/* RFC 8684 3.7: the peer found a checksum wrong */
static enum tcp_verdict in_fail(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;

	mp_count(c->mp, MP_FAIL_RX);
	s->sig.fail_dsn = c->keys.idsn_remote + 1 + c->rcv.nxt;
	if (!mp_fall(c, now, MP_FALLBACK_CSUM)) {
		s->rst.fail = true;
		return TCP_UP_RESET;
	}
	if (s->tcb) { /* what was held back may have ended it all */
		/* ... whose receiver MUST also respond with an MP_FAIL */
		s->sig.fail = true;
		tcp_ack_now(s->tcb);
	}
	return TCP_UP_OK;
}

/* options come through, the keys are known on both sides */
static void confirm(struct mp_conn *c)
{
	if (!c->confirmed) {
		c->confirmed = true;
		c->confirm_due = true;
		mp_dirty(c);
	}
}

/* RFC 8684 3.1: new subflows only once a DSS has come; MP_CAPABLE with data
 * parameters is enough to announce addresses, not for this */
static void first_dss(struct mp_conn *c)
{
	if (!c->dss_in) {
		c->dss_in = true;
		c->pm.due = true;
		mp_dirty(c);
	}
}

/* RFC 8684 3.1: MP_CAPABLE with data parameters is a mapping of SSN 1 */
static enum tcp_verdict in_capable(struct mp_sub *s, struct instant now,
				   const struct tcp_seg *seg,
				   const struct mp_opt_capable *o)
{
	struct mp_conn *c = s->c;
	struct mp_opt_dss d = { .map = true, .dsn8 = true,
				.dsn = c->keys.idsn_remote + 1, .ssn = 1,
				.data_len = o->data_len,
				.has_csum = o->len == 24 && !mp_sealed(c),
				.csum = o->csum };

	if (!s->first || !c->passive || o->len < 20) {
		return TCP_UP_OK;
	}
	s->seg_dss = true; /* options come through */
	if (o->key_snd != c->keys.remote || o->key_rcv != c->keys.local ||
	    o->len < 22 || !d.data_len || !seg->len) {
		return TCP_UP_OK;
	}
	confirm(c); /* its parameters are those of a DSS */
	return mp_rx_dss(s, now, seg, &d);
}

static enum tcp_verdict in_dss(struct mp_sub *s, struct instant now,
			       const struct tcp_seg *seg, uint32_t wnd)
{
	struct mp_conn *c = s->c;
	struct mp_opt_dss dss = seg->opts.mp.dss, *d = &dss;

	if (d->ack) {
		uint64_t base = c->keys.idsn_local + 1;
		uint64_t dsn = d->data_ack;

		if (!d->ack8) {
			dsn = mp_opt_extend((uint32_t)dsn, base + c->snd.una);
		}
		s->seg_dss = true;
		s->seg_dack = true;
		s->acks_bare = false;
		s->acks_odd = false;
		confirm(c);
		first_dss(c);
		s->dss_seen = true;
		mp_ack_data(c, now, dsn - base, wnd);
	}
	if (mp_sealed(c)) {
		d->has_csum = false; /* smtcp(7): not looked at */
	}
	return d->map ? mp_rx_dss(s, now, seg, d) : TCP_UP_OK;
}

static void in_addresses(struct mp_sub *s, struct instant now,
			 const struct mp_opts *o)
{
	struct mp_conn *c = s->c;

	if (have(o, MP_OPT_ADD_ADDR)) {
		mp_addr_rx_add(s, now, &o->add_addr);
	}
	if (have(o, MP_OPT_REMOVE_ADDR)) {
		mp_addr_rx_remove(c, now, o->remove_id, o->remove_n);
	}
	if (have(o, MP_OPT_PRIO)) {
		mp_count(c->mp, MP_PRIO_RX);
		s->peer_backup = o->prio_backup;
		mp_dirty(c);
	}
}

static enum tcp_verdict in_open(struct mp_sub *s, struct instant now,
				const struct tcp_seg *seg, uint32_t wnd)
{
	if (s->first) {
		return s->c->passive ? mp_open_third(s, now, seg, wnd) :
				       mp_open_synack(s, now, seg, wnd);
	}
	return s->passive ? mp_join_third(s, now, seg) :
			    mp_join_synack(s, now, seg);
}

static enum tcp_verdict in_mptcp(struct mp_sub *s, struct instant now,
				 const struct tcp_seg *seg, uint32_t wnd)
{
	const struct mp_opts *o = &seg->opts.mp;
	struct mp_conn *c = s->c;
	enum tcp_verdict v;

	if (s->state == MP_SUB_PRE) {
		/* whatever the peer sends now proves that it has our HMAC */
		mp_count(c->mp, MP_JOIN_DONE);
		mp_sub_open(s, now);
	} else if (have(o, MP_OPT_JOIN) && s->passive && o->join.len == 24) {
		tcp_ack_now(s->tcb); /* it waits for our answer */
	}
	if (have(o, MP_OPT_FASTCLOSE)) {
		v = mp_close_fast_rx(s, now, o->fastclose_key);
		if (v != TCP_UP_OK) {
			return v;
		}
	}
	if (have(o, MP_OPT_FAIL)) {
		if (!mp_sealed(c)) {
			return in_fail(s, now);
		}
		/* nothing that anybody can forge ends a sealed subflow */
		mp_count(c->mp, MP_FAIL_RX);
		mp_count(c->mp, MP_CRYPT_SIGNAL);
	}
	if (have(o, MP_OPT_CAPABLE)) {
		v = in_capable(s, now, seg, &o->capable);
		if (v != TCP_UP_OK || s->state == MP_SUB_DEAD) {
			return v;
		}
	}
	if (have(o, MP_OPT_DSS)) {
		v = in_dss(s, now, seg, wnd);
		if (v != TCP_UP_OK || s->state == MP_SUB_DEAD) {
			return v;
		}
	}
	in_addresses(s, now, o);
	return TCP_UP_OK;
}

enum tcp_verdict mp_sub_segment(void *up, struct instant now,
				const struct tcp_seg *seg, uint32_t wnd)
{
	struct mp_sub *s = up;
	enum tcp_verdict v = TCP_UP_OK;

	if (s->state == MP_SUB_DEAD) {
		return TCP_UP_OK;
	}
	if (seg->flags & TCP_RST) {
		return in_rst(s, now, &seg->opts.mp);
	}
	/* any option proves that they come through, also one that nobody here
	 * knows; a DATA_ACK may have had to give way to a longer one */
	if (s->passive && seg->flags & TCP_SYN) {
		return mp_crypt_segment(s, now, seg); /* its own again */
	}
	s->seg_dack = false;
	s->seg_dss = (seg->opts.mp.have | seg->opts.mp.bad) != 0 &&
		     !(seg->flags & TCP_SYN);
	if (s->state == MP_SUB_SYN) {
		v = in_open(s, now, seg, wnd);
	}
	if (v == TCP_UP_OK) {
		v = mp_crypt_segment(s, now, seg);
	}
	if (v != TCP_UP_OK || seg->flags & TCP_SYN) {
		return v;
	}
	if (s->c->mode != MP_MODE_MPTCP) {
		return mp_fall_in(s, seg);
	}
	if (!s->seg_dss && s->state == MP_SUB_OPEN) {
		s->acks_bare = true; /* whatever it acknowledges */
	}
	return in_mptcp(s, now, seg, wnd);
}
