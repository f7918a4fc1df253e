/* mp_rx_data.c - the connection's stream as it comes together (RFC 8684 3.3.1)
 *
 * A data offset decides: in order, out of order, or seen before.  Sealed, what
 * comes here was verified, is new, and whole frames (smtcp(7), Receiver); it
 * keeps its offsets until it is in order, then the frames around the data go.
 */
#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/mptcp/mp.h"

uint64_t mp_rx_data_ack(const struct mp_conn *c)
{
	return c->keys.idsn_remote + 1 + c->rcv.nxt + c->rcv.fin_in;
}

/* a peer may believe in a little more than was promised: TCP's windows are
 * rounded, and each subflow's edge keeps its place */
uint64_t mp_rx_limit(const struct mp_conn *c)
{
	const struct mp_rcv *r = &c->rcv;
	uint64_t limit = r->wnd.edge + max_u32(r->wnd.conf.max, r->wnd.floor);

	/* sealed: what is behind the end is looked at, and breaks a rule */
	return r->fin_known && !mp_sealed(c) ? min_u64(limit, r->fin_off) :
					       limit;
}

void mp_rx_fin(struct mp_conn *c, struct instant now)
{
	struct mp_rcv *r = &c->rcv;
	struct mp_sub *best;

	if (r->fin_in || !r->fin_known || r->nxt != r->fin_off) {
		return;
	}
	r->fin_in = true;
	mp_watch_release(c);
	mp_conn_event(c, MP_EV_FIN);
	if (c->mode == MP_MODE_MPTCP) {
		mp_count(c->mp, MP_DATA_FIN_RX);
		best = mp_sub_best(c);
		if (best) {
			tcp_ack_due(best->tcb);
		}
	}
	mp_conn_readable(c, now);
	mp_dirty(c);
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
	if (!mp_watch_queued(c, now)) {
		return;
	}
	if (r->discard) {
		mp_read_done(c, now, r->q_len);
	} else if (mp_read_len(c)) {
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

void mp_rx_data(struct mp_sub *s, struct instant now, struct slice *sl)
{
	struct mp_conn *c = s->c;
	struct mp_rcv *r = &c->rcv;
	struct mem *mem = c->mp->env->mem;
	uint64_t limit = mp_rx_limit(c);

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

/* --- data, sealed ---------------------------------------------------- */

void mp_rx_init_done(struct mp_conn *c, uint32_t n)
{
	c->rcv.nxt += n;
	c->rcv.total += n;
	mp_wnd_gone(&c->rcv.wnd, n);
}

/* A DATA_FIN that came early: has its time come, or will it never? */
static void fin_hinted(struct mp_conn *c)
{
	struct mp_unseal *o = c->open;
	struct mp_rcv *r = &c->rcv;

	if (!o->fin_hint || r->fin_known ||
	    (!o->fin && r->nxt < o->fin_hint_off)) {
		return;
	}
	o->fin_hint = false;
	if (o->fin && o->fin_hint_off == o->fin_end) {
		r->fin_known = true;
		r->fin_off = o->fin_end;
	} else {
		mp_count(c->mp, MP_CRYPT_FIN_EARLY);
	}
}

/* rcv.nxt has moved, over this many octets of data */
static void moved(struct mp_conn *c, struct instant now, uint64_t data)
{
	struct mp_unseal *o = c->open;
	struct mp_rcv *r = &c->rcv;
	bool news = data > 0;

	crypt_received(c->crypt.k, r->nxt);
	mp_dirty(c); /* which may allow, or ask for, a frame of ours */
	if (data && nobody_reads(c, now)) {
		return;
	}
	if (o->fin && !o->eof && r->nxt == o->fin_end) {
		o->eof = true;
		news = true;
		if (c->mode == MP_MODE_TCP) {
			r->fin_known = true;
			r->fin_off = r->nxt;
		}
	}
	fin_hinted(c);
	if (r->discard) {
		mp_read_done(c, now, r->q_len);
	} else if (news) {
		mp_conn_readable(c, now);
	}
	mp_rx_fin(c, now);
}

/* the slices that continue the first one of ready go out of order, all or
 * none: a frame is never held in part */
static void verified_ooo(struct mp_sub *s, struct list *ready)
{
	struct mp_conn *c = s->c;
	struct mem *mem = c->mp->env->mem;
	uint64_t charge = 0, end = list_entry(ready->next, struct slice,
					      node)->seq;
	bool room;
	struct list *n, *stop;

	for (stop = ready->next; stop != ready; stop = stop->next) {
		const struct slice *sl = list_entry(stop, struct slice, node);

		if (sl->seq != end) {
			break;
		}
		end += sl->len;
		charge += sl->charge;
	}
	room = mp_reasm_room(&c->rcv.ooo, charge);
	while ((n = ready->next) != stop) {
		struct slice *sl = list_entry(n, struct slice, node);

		list_del(n);
		if (!room) {
			slice_free(mem, sl);
		} else if (mp_reasm_add(&c->rcv.ooo, sl, &s->hint) ==
			   MP_REASM_LIMIT) {
			room = false; /* the first one, if any */
		} else {
			mp_count(c->mp, MP_OFO);
		}
	}
	if (!room) {
		mp_count(c->mp, MP_OFO_PRUNED);
	}
}

void mp_rx_verified(struct mp_sub *s, struct instant now, struct list *ready)
{
	struct mp_conn *c = s->c;
	struct mem *mem = c->mp->env->mem;
	struct mp_rcv *r = &c->rcv;
	uint64_t from = r->nxt, data = 0;
	struct list more, *n;

	list_init(&more);
	while (!list_empty(ready)) {
		struct slice *sl = list_entry(ready->next, struct slice, node);

		if (sl->seq != r->nxt) {
			verified_ooo(s, ready);
			continue;
		}
		r->nxt += sl->len;
		data += mp_strip(&c->open->strip, mem, sl, &r->q);
	}
	if (r->nxt == from) {
		return;
	}
	mp_reasm_take(&r->ooo, &r->nxt, &more);
	while ((n = list_pop_front(&more)) != NULL) {
		data += mp_strip(&c->open->strip, mem,
				 list_entry(n, struct slice, node), &r->q);
	}
	r->q_len += data;
	r->total += r->nxt - from;
	mp_urg_frame(c, c->open->strip.mark);
	mp_wnd_gone(&r->wnd, r->nxt - from - data);
	moved(c, now, data);
}

/* --- data, plain ------------------------------------------------------ */

/* Plain TCP: the next octets are the next octets. */
void mp_rx_data_plain(struct mp_sub *s, struct instant now, struct slice *sl)
{
	struct mp_conn *c = s->c;

	if (mp_sealed(c)) {
		mp_unseal_single(s, now, sl);
		return;
	}
	sl->seq = c->rcv.nxt;
	if (c->rcv.fin_in || nobody_reads(c, now)) {
		slice_free(c->mp->env->mem, sl);
		return;
	}
	in_order(c, now, sl);
}

/* --- windows and ends -------------------------------------------------- */

uint32_t mp_rx_window(struct mp_conn *c)
{
	struct mp_rcv *r = &c->rcv;
	uint32_t wnd, ahead = 0;

	if (mp_sealed(c)) {
		r->wnd.floor = MP_UNSEAL_WINDOW;
		/* TCP counts from what it has; a frame may be incomplete */
		ahead = c->open->single.opened + c->open->single.left;
	}
	wnd = mp_wnd_offer(&r->wnd, r->nxt, r->q_len);
	return wnd > ahead ? wnd - ahead : 0;
}

bool mp_rx_eof(const struct mp_conn *c)
{
	return (c->rcv.fin_in || (c->open && c->open->eof)) && !c->rcv.q_len;
}

void mp_rx_sub_fin(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	struct mp_rcv *r = &c->rcv;

	if (c->mode == MP_MODE_MPTCP) {
		if (s->first && !s->dss_seen && !mp_sealed(c)) {
			/* never confirmed: the end of the stream of a peer
			 * that is plain TCP by now (RFC 8684 3.7) */
			mp_fall(c, now, MP_FALLBACK_NO_DSS);
		}
		return;
	}
	if (c->mode != MP_MODE_TCP) {
		return;
	}
	if (mp_sealed(c) && (!mp_unseal_end(c, r->nxt) || !c->open->eof)) {
		/* RFC 8548 3.7: not an end of file */
		mp_crypt_abort(c, now, MP_CRYPT_TRUNCATED);
		return;
	}
	r->fin_known = true;
	r->fin_off = r->nxt;
	mp_rx_fin(c, now);
}
