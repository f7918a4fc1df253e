/* mp_rx.c - from a subflow's octets to the connection's (RFC 8684 3.3.1)
 *
 * TCP hands up a subflow's payload in order.  It is held until its mapping is
 * known and, with checksums or sealed, until the whole mapping is here and
 * right.  What happens then is mp_rx_data.c's.
 */
#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_cksum.h"

#define UNMAPPED_WAIT (2 * NANOS_S)
#define HELD_MAX      512 /* pieces without a mapping */

/* --- mappings -------------------------------------------------------- */

/* smtcp(7), FINp and DATA_FIN: anybody can forge a DATA_FIN, so it counts only
 * where the stream ends anyway.  That may be known later. */
static void note_fin_sealed(struct mp_conn *c, struct instant now,
			    uint64_t off)
{
	struct mp_rcv *r = &c->rcv;
	struct mp_unseal *o = c->open;

	if (o->fin && off == o->fin_end && mp_unseal_end(c, off)) {
		r->fin_known = true;
		r->fin_off = off;
		mp_rx_fin(c, now);
	} else if (!o->fin && off > r->nxt && off <= mp_rx_limit(c)) {
		o->fin_hint = true;
		o->fin_hint_off = off;
	} else {
		mp_count(c->mp, MP_CRYPT_FIN_EARLY);
	}
}

/* RFC 8684 3.3.3: the DATA_FIN is the last octet of its mapping */
static void note_fin(struct mp_sub *s, struct instant now, uint64_t off)
{
	struct mp_conn *c = s->c;
	struct mp_rcv *r = &c->rcv;

	if (r->fin_known) {
		if (r->fin_in) {
			tcp_ack_now(s->tcb); /* ours got lost */
		}
		return;
	}
	if (mp_sealed(c)) {
		note_fin_sealed(c, now, off);
		return;
	}
	if (off < r->nxt || off > mp_rx_limit(c)) {
		mp_count(c->mp, MP_DSS_WINDOW);
		return;
	}
	r->fin_known = true;
	r->fin_off = off;
	mp_rx_fin(c, now);
}

/* first subflow sequence number that is neither handed on nor lost */
uint32_t mp_rx_consumed(const struct mp_sub *s)
{
	if (!list_empty(&s->held)) {
		return (uint32_t)list_entry(s->held.next, struct slice, node)
			->seq;
	}
	return s->rx_nxt;
}

/* The mapping MUST apply to some or all of its own segment. */
static bool covers_segment(const struct mp_sub *s, const struct tcp_seg *seg,
			   const struct mp_map *m)
{
	uint32_t at = seg->seq - s->irs;

	return seg->len && seq_lt(m->ssn, at + seg->len) &&
	       seq_lt(at, m->ssn + m->len);
}

static enum tcp_verdict add_map(struct mp_sub *s, struct instant now,
				struct mp_map *m)
{
	uint32_t done = mp_rx_consumed(s);
	struct mp *mp = s->c->mp;

	if (seq_leq(m->ssn + m->len, done)) {
		return TCP_UP_OK; /* a retransmission's */
	}
	if (seq_lt(m->ssn, done)) {
		uint32_t k = done - m->ssn;

		if (m->whole) { /* what it covers is not here any more */
			mp_count(mp, MP_DSS_NOT_MATCHING);
			return TCP_UP_OK;
		}
		m->ssn += k;
		m->off += k;
		m->len -= k;
	}
	switch (mp_map_insert(&s->rx, m)) {
	case MP_MAP_ADDED:
		if (!list_empty(&s->held)) {
			mp_rx_pump(s, now);
		}
		break;
	case MP_MAP_KNOWN:
		break;
	case MP_MAP_CONFLICT:
		mp_count(mp, MP_DSS_NOT_MATCHING);
		break;
	case MP_MAP_FULL:
		mp_count(mp, MP_DSS_MAP_LIMIT);
		return TCP_UP_DROP;
	}
	return TCP_UP_OK;
}

static enum tcp_verdict dss_reset(struct mp_sub *s, enum mp_reason why,
				  uint8_t rst)
{
	mp_count(s->c->mp, why);
	mp_count(s->c->mp, MP_RST_TX);
	mp_sub_reset_why(s, rst, false);
	return TCP_UP_RESET;
}

/* where an infinite mapping puts the octets that come next */
static uint64_t infinite_at(const struct mp_sub *s, uint32_t ssn, uint64_t off)
{
	uint32_t ahead = mp_rx_consumed(s) - ssn;

	return off + (uint64_t)(int64_t)(int32_t)ahead;
}

/* RFC 8684 3.7: from here on there are no mappings.  On a sealed connection
 * that is ignored unless it says what is so anyway (smtcp(7), Fallback). */
static enum tcp_verdict infinite(struct mp_sub *s, struct instant now,
				 uint32_t ssn, uint64_t off)
{
	struct mp_conn *c = s->c;
	uint64_t at = infinite_at(s, ssn, off);

	if (mp_sealed(c)) {
		if (ssn - 1 != (uint32_t)off ||
		    !mp_fall_if(c, now, MP_FALLBACK_INFINITE_RX)) {
			mp_count(c->mp, MP_CRYPT_SIGNAL);
		}
		return TCP_UP_OK;
	}
	if (at > c->rcv.wnd.edge) {
		/* nobody's; octets without a mapping, as if it were not there */
		mp_count(c->mp, MP_DSS_WINDOW);
		return TCP_UP_OK;
	}
	/* Not when a mapping that the path altered has taken some of them
	 * elsewhere: they are acknowledged and will not come again. */
	if (at == c->rcv.nxt && mp_fall(c, now, MP_FALLBACK_INFINITE_RX)) {
		return TCP_UP_OK;
	}
	return dss_reset(s, MP_DSS_NOT_MATCHING, MP_RST_MPTCP);
}

/* smtcp(7), DSS checksum: one that comes all the same is not looked at */
static bool checksummed(const struct mp_conn *c)
{
	return c->checksum && !mp_sealed(c);
}

enum tcp_verdict mp_rx_dss(struct mp_sub *s, struct instant now,
			   const struct tcp_seg *seg,
			   const struct mp_opt_dss *d)
{
	struct mp_conn *c = s->c;
	uint64_t base = c->keys.idsn_remote + 1;
	uint64_t dsn = d->dsn;
	bool csum = checksummed(c);
	struct mp_map m = { .ssn = d->ssn, .len = d->data_len,
			    .has_csum = csum, .csum = csum ? d->csum : 0,
			    .whole = csum || mp_sealed(c), .fin = d->fin };

	if (!d->dsn8) {
		dsn = mp_opt_extend((uint32_t)dsn, base + c->rcv.nxt);
	}
	m.off = dsn - base;
	if (d->infinite) {
		return infinite(s, now, d->ssn, m.off);
	}
	if (d->has_csum != c->checksum && !mp_sealed(c)) {
		return dss_reset(s, MP_DSS_CORRUPT, MP_RST_MPTCP);
	}
	c->ack8 = d->dsn8;
	c->dss_any |= (seg->opts.mp.have & MP_HAVE(MP_OPT_DSS)) != 0;
	m.len -= d->fin;
	if (!m.len) {
		if (!csum || d->csum == mp_cksum_fin(dsn)) {
			note_fin(s, now, m.off);
		} else {
			mp_count(c->mp, MP_CSUM_ERROR);
		}
		return TCP_UP_OK;
	}
	if (!covers_segment(s, seg, &m)) {
		mp_count(c->mp, MP_DSS_NOT_MATCHING);
		return TCP_UP_OK;
	}
	if (m.fin && !csum) { /* else it counts when that was right */
		note_fin(s, now, m.off + m.len);
	}
	return add_map(s, now, &m);
}

/* --- what is held -------------------------------------------------- */

/* cuts sl after n octets; what follows becomes a slice behind it */
static bool split(struct mp_sub *s, struct slice *sl, uint32_t n)
{
	struct slice *rest = slice_split(s->c->mp->env->mem, sl, n);

	if (!rest) {
		return false;
	}
	rest->seq = (uint32_t)rest->seq;
	list_push_front(&sl->node, &rest->node);
	s->held_n++;
	return true;
}

/* RFC 8684 3.7: everything from the failed mapping on is not trustworthy.
 * The subflow, or its mappings, are gone afterwards: m, too. */
static void csum_failed(struct mp_sub *s, struct instant now,
			const struct mp_map *m)
{
	struct mp_conn *c = s->c;

	mp_count(c->mp, MP_CSUM_ERROR);
	s->sig.fail_dsn = c->keys.idsn_remote + 1 + m->off;
	/* the mapping may be what was altered: its place is known as well
	 * when all before it came in step */
	if ((m->off == c->rcv.nxt ||
	     mp_rx_consumed(s) - 1 == (uint32_t)c->rcv.nxt) &&
	    mp_fall(c, now, MP_FALLBACK_CSUM)) {
		if (s->tcb) { /* what was held back may have ended it all */
			s->sig.fail = true;
			tcp_ack_now(s->tcb);
		}
		return;
	}
	s->rst.fail = true;
	mp_count(c->mp, MP_FAIL_TX);
	mp_sub_broken(s, now, MP_RST_MIDDLEBOX);
}

/* is the mapping whole and right?  *gone: the subflow cannot go on here */
static bool verified(struct mp_sub *s, struct instant now, struct mp_map *m,
		     bool *gone)
{
	uint64_t dsn = s->c->keys.idsn_remote + 1 + m->off;

	if (!m->whole || m->verified) {
		return true;
	}
	if (seq_lt(s->rx_nxt, m->ssn + m->len)) {
		return false;
	}
	if (!mp_cksum_rx(&s->held, m, dsn)) {
		csum_failed(s, now, m);
		*gone = true;
		return false;
	}
	m->verified = true;
	return true;
}

/* the part of sl that one mapping covers, from its first octet on: cuts sl
 * there.  0: its first octet has no mapping, or one not verified. */
static struct mp_map *mapped(struct mp_sub *s, struct instant now,
			     struct slice *sl, bool *gone)
{
	uint32_t ssn = (uint32_t)sl->seq;
	struct mp_map *m = mp_map_find(&s->rx, ssn);
	uint32_t start;

	if (!m) {
		/* a mapping may begin in its middle */
		if (mp_map_next(&s->rx, ssn, &start) &&
		    start - ssn < sl->len) {
			split(s, sl, start - ssn);
		}
		return NULL;
	}
	if (!verified(s, now, m, gone)) {
		return NULL;
	}
	if (sl->len > m->ssn + m->len - ssn &&
	    !split(s, sl, m->ssn + m->len - ssn)) {
		mp_count(s->c->mp, MP_NOMEM);
		return NULL;
	}
	return m;
}

/* Nothing above is known to be the peer's: mappings are dealt with whole. */
static void pump_sealed(struct mp_sub *s, struct instant now)
{
	struct list *n = s->held.next;

	while (n != &s->held) {
		struct slice *sl = list_entry(n, struct slice, node);
		uint32_t ssn = (uint32_t)sl->seq, start;
		struct mp_map *m = mp_map_find(&s->rx, ssn);
		enum mp_unseal_status st;

		if (!m) {
			if (mp_map_next(&s->rx, ssn, &start) &&
			    start - ssn < sl->len) {
				split(s, sl, start - ssn);
			}
			n = n->next;
			continue;
		}
		if (seq_lt(s->rx_nxt, m->ssn + m->len)) {
			break; /* nothing behind it is whole, either */
		}
		st = mp_unseal_map(s, now, m);
		if (st == MP_UNSEAL_GONE || s->c->mode != MP_MODE_MPTCP) {
			return;
		}
		n = st == MP_UNSEAL_WAIT ? n->next : s->held.next;
	}
	mp_map_drop(&s->rx, mp_rx_consumed(s), false);
	if (list_empty(&s->held)) {
		mp_timer_stop(&s->timers, MP_T_UNMAP);
	}
}

/* hands on sl, the next octets of m, which may be gone afterwards */
static void hand_on(struct mp_sub *s, struct instant now, struct slice *sl,
		    const struct mp_map *m)
{
	uint64_t end = m->off + m->len;
	uint32_t ssn = (uint32_t)sl->seq;
	bool fin = m->has_csum && m->fin && ssn + sl->len == m->ssn + m->len;

	list_del(&sl->node);
	s->held_len -= sl->len;
	s->held_n--;
	sl->seq = m->off + (ssn - m->ssn);
	mp_rx_data(s, now, sl);
	if (fin && s->state != MP_SUB_DEAD) {
		note_fin(s, now, end);
	}
}

void mp_rx_pump(struct mp_sub *s, struct instant now)
{
	struct list *n = s->held.next;
	bool gone = false;

	if (mp_sealed(s->c)) {
		pump_sealed(s, now);
		return;
	}
	while (n != &s->held) {
		struct slice *sl = list_entry(n, struct slice, node);
		struct mp_map *m = mapped(s, now, sl, &gone);

		if (gone) {
			return;
		}
		n = n->next;
		if (!m && mp_map_find(&s->rx, (uint32_t)sl->seq)) {
			break; /* not whole yet: nothing behind it is, either */
		}
		if (!m) {
			continue;
		}
		hand_on(s, now, sl, m);
		if (s->state == MP_SUB_DEAD) {
			return;
		}
	}
	mp_map_drop(&s->rx, mp_rx_consumed(s), !s->c->checksum);
	if (list_empty(&s->held)) {
		mp_timer_stop(&s->timers, MP_T_UNMAP);
	}
}

void mp_rx_flush(struct mp_sub *s, struct instant now)
{
	struct list *n;

	mp_timer_stop(&s->timers, MP_T_UNMAP);
	while ((n = list_pop_front(&s->held)) != NULL) {
		struct slice *sl = list_entry(n, struct slice, node);

		s->held_len -= sl->len;
		s->held_n--;
		mp_rx_data_plain(s, now, sl);
	}
}

/* RFC 8684 3.7: payload came and no mapping for it */
static void unmapped(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	struct mp_map *m = mp_map_find(&s->rx, mp_rx_consumed(s));

	if (m) {
		return; /* only not complete yet */
	}
	/* at once: as long as the peer has repeated nothing, what comes is
	 * what follows */
	if (mp_fall_if(c, now, MP_FALLBACK_NO_DSS)) {
		return;
	}
	if (s->held_len > c->rcv.wnd.size || s->held_n > HELD_MAX) {
		mp_rx_unmapped_timer(s, now);
	} else if (!mp_timer_on(&s->timers, MP_T_UNMAP)) {
		mp_timer_set(&s->timers, MP_T_UNMAP,
			     instant_add(now, UNMAPPED_WAIT));
	}
}

/* Nothing came that says where it belongs. */
void mp_rx_unmapped_timer(struct mp_sub *s, struct instant now)
{
	if (s->state != MP_SUB_OPEN || list_empty(&s->held) ||
	    s->c->mode != MP_MODE_MPTCP ||
	    mp_map_find(&s->rx, mp_rx_consumed(s))) {
		return;
	}
	mp_count(s->c->mp, MP_DSS_NO_MAP);
	mp_fall_refuse(s->c, MP_FALLBACK_NO_DSS);
	mp_sub_broken(s, now, MP_RST_MIDDLEBOX);
}

/* hangs sl behind what is held */
static void hold(struct mp_sub *s, struct slice *sl)
{
	struct list *n = list_last(&s->held);
	const struct slice *last = n ? list_entry(n, struct slice, node) : NULL;

	s->held_len += sl->len;
	s->held_n++;
	/* small ones share memory: a mapping may come octet by octet */
	if ((mp_sealed(s->c) || s->c->checksum) && last &&
	    (uint32_t)last->seq + last->len == (uint32_t)sl->seq) {
		slice_queue(s->c->mp->env->mem, &s->held, sl);
		s->held_n -= list_last(&s->held) == n;
	} else {
		list_push_back(&s->held, &sl->node);
	}
}

/* Frames that came before their keys wait for them, but not without end. */
static bool too_early(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;

	if (!mp_sealed(c) || mp_crypt_keyed(c) ||
	    s->held_len <= max_u32(c->rcv.wnd.size, MP_UNSEAL_WINDOW)) {
		return false;
	}
	mp_crypt_abort(c, now, MP_CRYPT_ABORT);
	return true;
}

void mp_rx_deliver(struct mp_sub *s, struct instant now, struct slice *sl)
{
	struct mp_conn *c = s->c;

	if (s->state == MP_SUB_DEAD || c->fsm.state == MP_ST_CLOSED) {
		slice_free(c->mp->env->mem, sl);
		return;
	}
	s->rx_nxt += sl->len;
	if (c->mode != MP_MODE_MPTCP) {
		mp_rx_data_plain(s, now, sl);
		return;
	}
	hold(s, sl);
	mp_rx_pump(s, now);
	if (too_early(s, now)) {
		return;
	}
	if (s->state != MP_SUB_DEAD && c->mode == MP_MODE_MPTCP &&
	    !list_empty(&s->held)) {
		unmapped(s, now);
	}
}
