/* mp_rx.c - from a subflow's octets to the connection's (RFC 8684 3.3.1)
 *
 * TCP hands up a subflow's payload in order.  It is held until its mapping is
 * known and, with checksums, until the whole mapping is here and right.  Then
 * its data offset decides: in order, out of order, or seen before.
 */
#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_cksum.h"

#define UNMAPPED_WAIT (2 * NANOS_S)
#define HELD_MAX      512 /* pieces without a mapping */

uint64_t mp_rx_data_ack(const struct mp_conn *c)
{
	return c->keys.idsn_remote + 1 + c->rcv.nxt + c->rcv.fin_in;
}

/* a peer may believe in a little more than was promised: TCP's windows are
 * rounded, and each subflow's edge keeps its place */
static uint64_t limit_of(const struct mp_conn *c)
{
	const struct mp_rcv *r = &c->rcv;
	uint64_t limit = r->wnd.edge + r->wnd.max;

	return r->fin_known ? min_u64(limit, r->fin_off) : limit;
}

void mp_rx_fin(struct mp_conn *c, struct instant now)
{
	struct mp_rcv *r = &c->rcv;
	struct mp_sub *best;

	if (r->fin_in || !r->fin_known || r->nxt != r->fin_off) {
		return;
	}
	r->fin_in = true;
	mp_conn_event(c, MP_EV_FIN);
	if (c->mode == MP_MODE_MPTCP) {
		mp_count(c->mp, MP_DATA_FIN_RX);
		best = mp_sub_best(c);
		if (best) {
			tcp_ack_now(best->tcb);
		}
	}
	mp_conn_readable(c, now);
	mp_dirty(c);
}

/* --- mappings -------------------------------------------------------- */

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
	if (off < r->nxt || off > limit_of(c)) {
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

		if (m->has_csum) { /* what it covers is not here any more */
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

enum tcp_verdict mp_rx_dss(struct mp_sub *s, struct instant now,
			   const struct tcp_seg *seg,
			   const struct mp_opt_dss *d)
{
	struct mp_conn *c = s->c;
	uint64_t base = c->keys.idsn_remote + 1;
	uint64_t dsn = d->dsn;
	struct mp_map m = { .ssn = d->ssn, .len = d->data_len,
			    .has_csum = d->has_csum, .csum = d->csum,
			    .fin = d->fin };

	if (d->infinite) {
		return mp_fall(c, now, MP_FALLBACK_INFINITE_RX) ?
			       TCP_UP_OK :
			       dss_reset(s, MP_DSS_NOT_MATCHING,
					 MP_RST_MPTCP);
	}
	if (d->has_csum != c->checksum) {
		return dss_reset(s, MP_DSS_CORRUPT, MP_RST_MPTCP);
	}
	if (!d->dsn8) {
		dsn = mp_opt_extend((uint32_t)dsn, base + c->rcv.nxt);
	}
	c->ack8 = d->dsn8;
	m.off = dsn - base;
	m.len -= d->fin;
	if (!m.len) {
		if (!c->checksum || d->csum == mp_cksum_fin(dsn)) {
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
	if (m.fin) {
		note_fin(s, now, m.off + m.len);
	}
	return add_map(s, now, &m);
}

/* --- data ------------------------------------------------------------ */

static void in_order(struct mp_conn *c, struct instant now, struct slice *sl)
{
	struct mem *mem = c->mp->env->mem;
	struct mp_rcv *r = &c->rcv;
	uint64_t n = sl->len;
	struct list more, *p;

	slice_queue(mem, &r->q, sl);
	r->nxt += n;
	if (!mp_reasm_empty(&r->ooo)) {
		list_init(&more);
		n += mp_reasm_take(&r->ooo, &r->nxt, &more);
		while ((p = list_pop_front(&more)) != NULL) {
			slice_queue(mem, &r->q,
				    list_entry(p, struct slice, node));
		}
	}
	r->q_len += n;
	r->total += n;
	if (r->discard) {
		mp_read_done(c, now, r->q_len);
	} else {
		mp_conn_readable(c, now);
	}
	mp_rx_fin(c, now);
}

/* The owner is gone: what arrives now is lost, and the peer must learn that. */
static bool nobody_reads(struct mp_conn *c, struct instant now)
{
	if (!c->closed) {
		return false;
	}
	if (c->mode == MP_MODE_MPTCP) {
		mp_close_fast(c, now);
	} else {
		tcp_count(c->mp->tcp, TCP_DROP_AFTER_CLOSE);
		mp_conn_fail(c, now, 0);
	}
	return true;
}

static void data(struct mp_sub *s, struct instant now, struct slice *sl)
{
	struct mp_conn *c = s->c;
	struct mp_rcv *r = &c->rcv;
	struct mem *mem = c->mp->env->mem;
	uint64_t limit = limit_of(c);

	if (sl->seq < limit) {
		sl->len = (uint32_t)min_u64(sl->len, limit - sl->seq);
	}
	if (sl->seq + sl->len <= r->nxt) {
		c->mp->counter[MP_DUP_DATA] += sl->len;
		slice_free(mem, sl);
		return;
	}
	if (sl->seq >= limit) {
		mp_count(c->mp, MP_DSS_WINDOW);
		slice_free(mem, sl);
		return;
	}
	if (nobody_reads(c, now)) {
		slice_free(mem, sl);
		return;
	}
	if (sl->seq <= r->nxt) {
		uint64_t again = r->nxt - sl->seq;

		if (again) {
			c->mp->counter[MP_DUP_DATA] += again;
			slice_trim(sl, (uint32_t)again);
		}
		in_order(c, now, sl);
	} else {
		mp_count(c->mp, MP_OFO);
		if (mp_reasm_add(&r->ooo, sl, &s->hint) == MP_REASM_LIMIT) {
			mp_count(c->mp, MP_OFO_PRUNED);
		}
	}
	c->mp->counter[MP_DUP_DATA] += r->ooo.dup;
	r->ooo.dup = 0;
}

/* Plain TCP: the next octets are the next octets. */
static void data_plain(struct mp_conn *c, struct instant now,
		       struct slice *sl)
{
	sl->seq = c->rcv.nxt;
	if (c->rcv.fin_in || nobody_reads(c, now)) {
		slice_free(c->mp->env->mem, sl);
		return;
	}
	in_order(c, now, sl);
}

/* cuts sl after n octets; what follows becomes a slice behind it */
static bool split(struct mp_sub *s, struct slice *sl, uint32_t n)
{
	struct mem *mem = s->c->mp->env->mem;
	/* a slice of its own octets is copied: nothing can hold it twice */
	struct pkt copied = { .truesize = UINT32_MAX };
	struct slice *rest = slice_make(mem, sl->pkt ? sl->pkt : &copied,
					sl->p + n, sl->len - n);

	if (!rest) {
		return false;
	}
	rest->seq = (uint32_t)((uint32_t)sl->seq + n);
	list_push_front(&sl->node, &rest->node);
	s->held_n++;
	sl->len = n;
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

	if (!m->has_csum || m->verified) {
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

void mp_rx_pump(struct mp_sub *s, struct instant now)
{
	struct list *n = s->held.next;
	bool gone = false;

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
		list_del(&sl->node);
		s->held_len -= sl->len;
		s->held_n--;
		sl->seq = m->off + ((uint32_t)sl->seq - m->ssn);
		data(s, now, sl);
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
		data_plain(s->c, now, sl);
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
	if (mp_fall(c, now, MP_FALLBACK_NO_DSS)) {
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
	mp_sub_broken(s, now, MP_RST_MIDDLEBOX);
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
		data_plain(c, now, sl);
		return;
	}
	list_push_back(&s->held, &sl->node);
	s->held_len += sl->len;
	s->held_n++;
	mp_rx_pump(s, now);
	if (s->state != MP_SUB_DEAD && c->mode == MP_MODE_MPTCP &&
	    !list_empty(&s->held)) {
		unmapped(s, now);
	}
}
