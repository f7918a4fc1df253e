/* mp_unseal.c - see mp_unseal.h */
#include "stack/mptcp/mp_unseal.h"

#include <errno.h>

#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/mptcp/mp.h"

#define PIECES_MAX 64 /* slices a frame is opened over without a copy */

bool mp_unseal_new(struct mp_conn *c)
{
	c->open = mem_zalloc(c->mp->env->mem, sizeof(*c->open));
	if (c->open) {
		mp_cut_init(&c->open->single);
	}
	return c->open != NULL;
}

void mp_unseal_fini(struct mp_conn *c)
{
	struct mem *mem = c->mp->env->mem;

	if (c->open) {
		mp_cut_fini(&c->open->single, mem);
		mem_free(mem, c->open, sizeof(*c->open));
		c->open = NULL;
	}
}

bool mp_unseal_end(struct mp_conn *c, uint64_t off)
{
	return crypt_end_in(c->crypt.k, off) == CRYPT_OK;
}

/* --- what becomes of it --------------------------------------------------- */

enum verdict {
	GOOD,
	BAD,    /* not the peer's, as it is */
	LACK,   /* of memory, here */
	BREACH, /* the peer's, and against the rules */
};

static enum verdict judge(enum crypt_reason why)
{
	if (why == CRYPT_OK) {
		return GOOD;
	}
	if (why == CRYPT_NOMEM || why == CRYPT_LIB) {
		return LACK;
	}
	return crypt_reason_faulty(why) ? BREACH : BAD;
}

/* smtcp(7), Receiver: octets acknowledged and dropped must come again */
static void lack(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;

	mp_count(c->mp, MP_NOMEM);
	if (c->mode != MP_MODE_MPTCP || !c->crypt.confirmed) {
		mp_conn_fail(c, now, ENOBUFS);
		return;
	}
	mp_sub_reset_why(s, MP_RST_RESOURCES, true);
	mp_sub_abort(s, now);
	mp_count(c->mp, MP_SUBFLOW_LOST);
	if (c->fsm.state < MP_ST_TIME_WAIT) {
		c->mp->pm->lost(c, now, s);
	}
	if (!c->n_subs) {
		mp_close_no_subflow(c, now);
	}
}

static bool gone(const struct mp_sub *s)
{
	return s->state == MP_SUB_DEAD || s->c->fsm.state == MP_ST_CLOSED;
}

/* ends what a verdict ends; false: it goes on */
static bool ended(struct mp_sub *s, struct instant now, enum verdict v,
		  enum crypt_reason why)
{
	if (v == GOOD) {
		return gone(s);
	}
	if (!gone(s)) {
		if (v == BAD) {
			mp_crypt_bad(s, now, why);
		} else if (v == LACK) {
			lack(s, now);
		} else {
			mp_crypt_abort(s->c, now, MP_CRYPT_ABORT);
		}
	}
	return true;
}

/* --- one frame ------------------------------------------------------------ */

/* The length of the next frame, 0: no frame can be so long.  false: not enough
 * octets to know. */
static bool frame_len(const struct mp_conn *c, struct mp_cut *x, uint32_t *len)
{
	uint8_t hdr[CRYPT_FRAME_HDR];

	if (!mp_cut_peek(x, hdr, CRYPT_FRAME_HDR)) {
		return false;
	}
	*len = (uint32_t)crypt_frame_len(hdr);
	if (*len > crypt_frame_max(c->crypt.k)) {
		*len = 0;
	}
	return true;
}

/* opens the next len octets, at stream offset off */
static enum crypt_reason open_frame(struct mp_conn *c, struct instant now,
				    struct mp_cut *x, uint64_t off,
				    uint32_t len)
{
	struct mp_unseal *o = c->open;
	struct iov_mut v[PIECES_MAX];
	unsigned n = mp_cut_pieces(x, len, v, PIECES_MAX);
	struct crypt_opened got;
	enum crypt_reason r;

	if (!n) {
		if (!mp_cut_join(x, c->mp->env->mem, len)) {
			return CRYPT_NOMEM;
		}
		n = mp_cut_pieces(x, len, v, PIECES_MAX);
	}
	r = crypt_open(c->crypt.k, now, off, v, n, len, &got);
	if (r != CRYPT_OK) {
		return r;
	}
	if (got.sig) {
		return CRYPT_BAD_SIG; /* nobody here has any */
	}
	mp_cut_opened(x, len);
	if (got.fin) {
		o->fin = true;
		o->fin_end = off + len;
	}
	return CRYPT_OK;
}

/* --- a mapping ------------------------------------------------------------ */

enum seen {
	SEEN_NOT,
	SEEN_PARTLY,
	SEEN_ALL,
	SEEN_BEYOND, /* of what was ever promised */
};

static enum seen seen(const struct mp_sub *s, uint64_t off, uint32_t len)
{
	const struct mp_rcv *r = &s->c->rcv;

	if (off + len <= r->nxt) {
		return SEEN_ALL;
	}
	if (off + len > mp_rx_limit(s->c)) {
		return SEEN_BEYOND;
	}
	if (off < r->nxt) {
		return SEEN_PARTLY;
	}
	switch (mp_reasm_held(&r->ooo, off, off + len, s->hint)) {
	case MP_REASM_ALL:
		return SEEN_ALL;
	case MP_REASM_SOME:
		return SEEN_PARTLY;
	case MP_REASM_NONE:
		break;
	}
	return SEEN_NOT;
}

static bool drop_frame(struct mp_conn *c, struct mp_cut *x, enum seen how,
		       uint32_t len, struct list *ready)
{
	struct mem *mem = c->mp->env->mem;

	if (!mp_cut_take(x, mem, ready)) {
		return false;
	}
	if (how == SEEN_BEYOND) {
		mp_count(c->mp, MP_DSS_WINDOW);
	} else {
		c->mp->counter[MP_DUP_DATA] += len;
	}
	mp_cut_skip(x, mem, len);
	return true;
}

/* Cuts a mapping that begins at off into frames and opens those that are new.
 * *any: some were. */
static enum verdict open_frames(struct mp_sub *s, struct instant now,
				struct mp_cut *x, uint64_t off,
				struct list *ready, bool *any,
				enum crypt_reason *why)
{
	struct mp_conn *c = s->c;

	while (x->left) {
		enum verdict v;
		enum seen how;
		uint32_t len;

		if (!frame_len(c, x, &len) || !len || len > x->left) {
			*why = crypt_blame(c->crypt.k, CRYPT_BAD_LEN);
			return BAD;
		}
		how = seen(s, off, len);
		if (how == SEEN_ALL || how == SEEN_BEYOND) {
			if (!drop_frame(c, x, how, len, ready)) {
				return LACK;
			}
		} else {
			*why = open_frame(c, now, x, off, len);
			v = judge(*why);
			if (v != GOOD) {
				return v;
			}
			if (how == SEEN_PARTLY) {
				return BREACH; /* sealed twice */
			}
			*any = true;
		}
		off += len;
	}
	return GOOD;
}

static enum mp_unseal_status take_frames(struct mp_sub *s, struct instant now,
					 struct mp_cut *x, uint64_t off)
{
	struct mem *mem = s->c->mp->env->mem;
	enum crypt_reason why = CRYPT_OK;
	struct list ready;
	bool any = false;
	enum verdict v;

	list_init(&ready);
	v = open_frames(s, now, x, off, &ready, &any, &why);
	if (v == GOOD || v == BAD) {
		/* what was verified stays, whatever came behind it */
		v = mp_cut_take(x, mem, &ready) ? v : LACK;
	}
	mp_cut_fini(x, mem);
	if (v == BREACH) {
		slice_free_all(mem, &ready);
	} else if (any) {
		mp_crypt_verified(s->c, now);
	}
	mp_rx_verified(s, now, &ready);
	return ended(s, now, v, why) ? MP_UNSEAL_GONE : MP_UNSEAL_OK;
}

/* smtcp(7), Init messages: alone in a mapping of exactly its length */
static enum mp_unseal_status take_init(struct mp_sub *s, struct instant now,
				       struct mp_cut *x)
{
	struct mp_conn *c = s->c;
	struct mem *mem = c->mp->env->mem;
	uint32_t n = x->left;
	bool fits = true;

	while (x->left && fits) {
		const struct slice *sl = list_entry(x->q.next, struct slice,
						    node);
		size_t used;

		if (!mp_crypt_init_in(c, now, true, sl->p, sl->len, &used)) {
			mp_cut_fini(x, mem);
			return MP_UNSEAL_GONE;
		}
		fits = used == sl->len;
		mp_cut_skip(x, mem, (uint32_t)used);
	}
	mp_cut_fini(x, mem);
	if (!fits || !mp_crypt_keyed(c)) {
		mp_sub_reset_why(s, MP_RST_MPTCP, false);
		ended(s, now, BREACH, CRYPT_BAD_INIT);
		return MP_UNSEAL_GONE;
	}
	mp_rx_init_done(c, n);
	return gone(s) ? MP_UNSEAL_GONE : MP_UNSEAL_OK;
}

/* Moves the octets of m from what s holds to x, their seq being offsets from
 * now on.  false: no memory. */
static bool collect(struct mp_sub *s, const struct mp_map *m, struct mp_cut *x)
{
	struct mem *mem = s->c->mp->env->mem;

	list_each_safe(n, &s->held) {
		struct slice *sl = list_entry(n, struct slice, node), *rest;
		uint32_t ssn = (uint32_t)sl->seq;

		if (seq_leq(ssn + sl->len, m->ssn)) {
			continue;
		}
		if (seq_geq(ssn, m->ssn + m->len)) {
			break;
		}
		if (seq_lt(ssn, m->ssn)) {
			rest = slice_split(mem, sl, m->ssn - ssn);
			if (!rest) {
				return false;
			}
			list_push_front(&sl->node, &rest->node);
			s->held_n++;
			n_next = &rest->node;
			continue;
		}
		if (sl->len > m->ssn + m->len - ssn) {
			rest = slice_split(mem, sl, m->ssn + m->len - ssn);
			if (!rest) {
				return false;
			}
			list_push_front(&sl->node, &rest->node);
			s->held_n++;
		}
		list_del(&sl->node);
		s->held_len -= sl->len;
		s->held_n--;
		sl->seq = m->off + (ssn - m->ssn);
		mp_cut_add(x, mem, sl);
	}
	return true;
}

/* a mapping of which nothing can be used any more: not even opened */
static bool useless(struct mp_conn *c, const struct mp_map *m)
{
	if (m->off >= mp_rx_limit(c)) { /* in front: no sum wraps below */
		mp_count(c->mp, MP_DSS_WINDOW);
		return true;
	}
	if (m->off + m->len <= c->rcv.nxt) {
		c->mp->counter[MP_DUP_DATA] += m->len;
		return true;
	}
	return false;
}

enum mp_unseal_status mp_unseal_map(struct mp_sub *s, struct instant now,
				    struct mp_map *m)
{
	struct mp_conn *c = s->c;
	struct mp_cut x;
	uint64_t off = m->off;
	uint32_t len = m->len;
	bool drop, init = !mp_crypt_keyed(c);

	if (init && off) {
		return MP_UNSEAL_WAIT;
	}
	mp_cut_init(&x);
	if (!collect(s, m, &x)) {
		mp_cut_fini(&x, c->mp->env->mem);
		ended(s, now, LACK, CRYPT_NOMEM);
		return MP_UNSEAL_GONE;
	}
	drop = m->verified || useless(c, m);
	m->verified = true; /* m may be gone after what follows */
	if (!drop && x.left != len) {
		/* it was declared for octets that went elsewhere */
		mp_cut_fini(&x, c->mp->env->mem);
		ended(s, now, BAD, crypt_blame(c->crypt.k, CRYPT_BAD_LEN));
		return MP_UNSEAL_GONE;
	}
	if (drop) {
		mp_cut_fini(&x, c->mp->env->mem);
		return MP_UNSEAL_OK;
	}
	return init ? take_init(s, now, &x) : take_frames(s, now, &x, off);
}

/* --- a single TCP stream -------------------------------------------------- */

/* The Init message is first.  false: the connection was ended, or it is not
 * whole. */
static bool single_init(struct mp_conn *c, struct instant now)
{
	struct mp_cut *x = &c->open->single;

	while (!mp_crypt_keyed(c)) {
		const struct slice *sl;
		size_t used;

		if (!x->left) {
			return false;
		}
		sl = list_entry(x->q.next, struct slice, node);
		if (!mp_crypt_init_in(c, now, false, sl->p, sl->len, &used)) {
			return false;
		}
		if (used < sl->len && !mp_crypt_keyed(c)) {
			mp_crypt_abort(c, now, MP_CRYPT_ABORT);
			return false;
		}
		mp_cut_skip(x, c->mp->env->mem, (uint32_t)used);
		mp_rx_init_done(c, (uint32_t)used);
	}
	return true;
}

static enum verdict single_frames(struct mp_conn *c, struct instant now,
				  bool *any, enum crypt_reason *why)
{
	struct mp_cut *x = &c->open->single;
	uint32_t len;

	while (frame_len(c, x, &len)) {
		if (!len) {
			*why = crypt_blame(c->crypt.k, CRYPT_BAD_LEN);
			return BAD;
		}
		if (len > x->left) {
			break;
		}
		*why = open_frame(c, now, x, c->rcv.nxt + x->opened, len);
		if (*why != CRYPT_OK) {
			return judge(*why);
		}
		*any = true;
	}
	return GOOD;
}

void mp_unseal_single(struct mp_sub *s, struct instant now, struct slice *sl)
{
	struct mp_conn *c = s->c;
	struct mem *mem = c->mp->env->mem;
	struct mp_cut *x = &c->open->single;
	enum crypt_reason why = CRYPT_OK;
	struct list ready;
	bool any = false;
	enum verdict v;

	sl->seq = c->rcv.nxt + x->opened + x->left;
	mp_cut_add(x, mem, sl);
	if (gone(s) || !single_init(c, now)) {
		return;
	}
	v = single_frames(c, now, &any, &why);
	list_init(&ready);
	if ((v == GOOD || v == BAD) && !mp_cut_take(x, mem, &ready)) {
		/* The rest of that frame is on its way: then once more. */
		mp_count(c->mp, MP_NOMEM);
	}
	if (any && v != BREACH) {
		mp_crypt_verified(c, now);
	}
	mp_rx_verified(s, now, &ready);
	ended(s, now, v, why);
}
