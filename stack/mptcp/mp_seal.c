#include "stack/mptcp/mp_seal.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define HOLD (5 * NANOS_MS)

bool mp_seal_new(struct mp_conn *c)
{
	c->seal = mem_zalloc(c->mp->env->mem, sizeof(*c->seal));
	return c->seal != NULL;
}

void mp_seal_start(struct mp_conn *c)
{
	struct mp_seal *e = c->seal;
	struct mem *mem = c->mp->env->mem;

	*e = (struct mp_seal){ .stage = c->snd.ring };
	ring_init(&c->snd.ring, mem, c->conf->sndbuf, 0);
	mp_frames_init(&e->frames, mem);
	if (c->mode == MP_MODE_MPTCP && c->snd.edge > c->snd.nxt) {
		mp_seal_window(c, (uint32_t)min_u64(c->snd.edge - c->snd.nxt,
						    UINT32_MAX));
	}
}

void mp_seal_hold(struct mp_conn *c, struct instant now)
{
	c->seal->held = true;
	mp_timer_set(&c->timers, MP_T_FIRST, instant_add(now, HOLD));
}

void mp_seal_fini(struct mp_conn *c)
{
	struct mp_seal *e = c->seal;

	if (e && e->stage.mem) {
		ring_fini(&e->stage);
		mp_frames_fini(&e->frames);
	}
	mem_free(c->mp->env->mem, e, sizeof(*e));
	c->seal = NULL;
}

/* --- the program's side ------------------------------------------------- */

/* Both rings together stay within the send buffer, but for what sealing adds
 * to small frames; each by itself always does. */
uint32_t mp_seal_room(const struct mp_conn *c)
{
	uint32_t all = c->snd.size - c->snd.size / 256 - MP_SEAL_ROOM_MIN;
	uint64_t used = ring_len(&c->seal->stage) + ring_len(&c->snd.ring);

	return used < all ? all - (uint32_t)used : 0;
}

unsigned mp_seal_space(struct mp_conn *c, uint32_t want, struct iov_mut v[2])
{
	struct ring *r = &c->seal->stage;

	/* the send buffer may have grown; the ring's own bound only rises, for
	 * the sake of what it holds */
	r->max = max_u32(r->max, c->conf->sndbuf);
	return ring_space(r, min_u32(want, mp_seal_room(c)), v);
}

void mp_seal_written(struct mp_conn *c, uint32_t n)
{
	if (!c->seal->fin) {
		ring_commit(&c->seal->stage, n);
	}
}

/* An octet that is sealed already cannot be marked any more. */
void mp_seal_urgent(struct mp_conn *c)
{
	struct mp_seal *e = c->seal;

	if (ring_len(&e->stage)) {
		e->urgent = true;
		e->urgent_at = e->stage.tail;
	}
}

uint64_t mp_seal_pending(const struct mp_conn *c)
{
	return ring_len(&c->seal->stage) + c->seal->frames.data;
}

/* --- what waits ---------------------------------------------------------- */

void mp_seal_window(struct mp_conn *c, uint32_t wnd)
{
	c->seal->quarter = max_u32(c->seal->quarter, wnd / 4);
}

/* smtcp(7), Key confirmation: the first frame goes at once */
static bool first_due(const struct mp_conn *c)
{
	return c->crypt.smtcp && c->snd.ring.tail == c->seal->init_end;
}

bool mp_seal_ready(const struct mp_conn *c)
{
	const struct mp_seal *e = c->seal;
	size_t n;

	if (e->fin || !mp_crypt_keyed(c) || crypt_confused(c->crypt.k) ||
	    (!e->init_in && crypt_init_out(c->crypt.k, &n))) {
		return false;
	}
	return ring_len(&e->stage) || mp_seal_due(c);
}

bool mp_seal_due(const struct mp_conn *c)
{
	if (c->seal->fin || !mp_crypt_keyed(c)) {
		return false;
	}
	return c->snd.shut ||
	       (!c->seal->held && (first_due(c) || crypt_due(c->crypt.k)));
}

bool mp_seal_unfinished(const struct mp_conn *c)
{
	const struct mp_seal *e = c->seal;
	size_t n;

	if (e->fin) {
		return false;
	}
	return ring_len(&e->stage) || c->snd.shut || mp_seal_due(c) ||
	       (!e->init_in && crypt_init_out(c->crypt.k, &n));
}

/* smtcp(7), Sizes */
static uint32_t frame_max(const struct mp_conn *c, uint32_t seg)
{
	uint32_t most = max_u32(c->seal->quarter, seg);

	return min_u32(max_u32(most, MP_SEAL_ROOM_MIN), MP_SEAL_FRAME_MAX);
}

/* of each frame, at most */
static uint32_t overhead(const struct mp_conn *c)
{
	return MP_SEAL_OVERHEAD + (c->seal->urgent ? MP_SEAL_URGENT : 0);
}

struct plan {
	uint64_t data;
	uint32_t frames;
	bool all; /* nothing is left in stage */
};

static struct plan plan_all(const struct mp_conn *c, uint32_t seg)
{
	uint32_t per = frame_max(c, seg) - overhead(c);
	struct plan p = { .data = ring_len(&c->seal->stage), .all = true };

	p.frames = (uint32_t)max_u64(1, (p.data + per - 1) / per);
	return p;
}

static uint64_t plan_len(const struct mp_conn *c, const struct plan *p)
{
	return p->data + (uint64_t)p->frames * overhead(c);
}

uint64_t mp_seal_waiting(const struct mp_conn *c, uint32_t seg)
{
	struct plan p;

	if (!mp_seal_ready(c)) {
		return 0;
	}
	p = plan_all(c, seg);
	return plan_len(c, &p);
}

/* An answer to a rekeying waits for no more room than it needs (smtcp(7),
 * Rekeying, Sender). */
uint32_t mp_seal_need(const struct mp_conn *c)
{
	return mp_seal_due(c) ? overhead(c) : MP_SEAL_ROOM_MIN;
}

/* No frames: too little room. */
static struct plan plan_for(const struct mp_conn *c, uint32_t most,
			    uint32_t seg)
{
	uint32_t longest = frame_max(c, seg);
	struct plan p = plan_all(c, seg);

	if (plan_len(c, &p) <= most) {
		return p;
	}
	if (most < mp_seal_need(c)) {
		return (struct plan){ 0 };
	}
	p.all = false;
	p.frames = (most + longest - 1) / longest;
	p.data = most - (uint64_t)p.frames * overhead(c);
	return p;
}

/* --- sealing --------------------------------------------------------------- */

bool mp_seal_init(struct mp_conn *c)
{
	struct mp_seal *e = c->seal;
	struct ring *r = &c->snd.ring;
	const uint8_t *p;
	size_t n;

	if (e->init_in) {
		return true;
	}
	p = crypt_init_out(c->crypt.k, &n);
	if (!p) {
		return true;
	}
	/* the first octets of all: the ring takes them whole or not at all */
	if (n > ring_free(r) || !mp_frames_reserve(&e->frames) ||
	    ring_put(r, p, (uint32_t)n) < n) {
		mp_count(c->mp, MP_NOMEM);
		return false;
	}
	mp_frames_push(&e->frames, (uint16_t)n, 0);
	e->init_in = true;
	e->init_end = r->tail;
	crypt_init_sent(c->crypt.k);
	return true;
}

/* the first n octets of v[0] and v[1], which are taken away there */
static unsigned take(struct iov_mut v[2], size_t n, struct iov_mut out[2])
{
	unsigned k = 0;

	for (unsigned i = 0; i < 2 && n; i++) {
		size_t part = min_size(v[i].n, n);

		if (part) {
			out[k++] = (struct iov_mut){ v[i].p, part };
		}
		v[i].p += part;
		v[i].n -= part;
		n -= part;
	}
	return k;
}

/* The place of the last urgent octet counts from the frame's data; so far off
 * that it does not fit into the field, a later frame names it. */
static bool names_urgent(const struct mp_seal *e, uint64_t first)
{
	return e->urgent && e->urgent_at > first &&
	       e->urgent_at - 1 - first <= UINT16_MAX;
}

/* The place in the stream is spent, or no place is left: there is no way to go
 * on.  Only worn out keys come right, when the peer has seen the new ones. */
static void refused(struct mp_conn *c, struct instant now,
		    enum crypt_reason why)
{
	if (why != CRYPT_REFUSE_WORN) {
		mp_crypt_abort(c, now, MP_CRYPT_ABORT);
	}
}

/* One frame with the next n octets of stage into v; its length, 0: refused */
static uint32_t seal_one(struct mp_conn *c, struct instant now, uint32_t n,
			 bool fin, struct iov_mut v[2])
{
	struct mp_seal *e = c->seal;
	uint64_t first = e->stage.head;
	struct crypt_seal s = { .now = now, .offset = c->snd.ring.tail,
				.fin = fin, .urgent = names_urgent(e, first) };
	struct iov_mut out[2];
	struct iov in[2];
	size_t len = n + MP_SEAL_OVERHEAD;
	enum crypt_reason why;
	unsigned n_out;

	if (s.urgent) {
		s.urgent_at = (uint16_t)(e->urgent_at - 1 - first);
		len += MP_SEAL_URGENT;
	}
	s.n_in = ring_slice(&e->stage, first, n, in);
	s.in = in;
	n_out = take(v, len, out);
	why = crypt_seal(c->crypt.k, &s, out, n_out, &len);
	if (why != CRYPT_OK) {
		refused(c, now, why);
		return 0;
	}
	ring_commit(&c->snd.ring, (uint32_t)len);
	mp_frames_push(&e->frames, (uint16_t)len, (uint16_t)n);
	ring_drop(&e->stage, first + n);
	e->fin = fin;
	e->held = false;
	e->urgent = e->urgent && e->urgent_at > e->stage.head;
	return (uint32_t)len;
}

static uint32_t seal_plan(struct mp_conn *c, struct instant now,
			  const struct plan *p, struct iov_mut v[2])
{
	uint32_t each = (uint32_t)(p->data / p->frames);
	uint32_t more = (uint32_t)(p->data % p->frames); /* have one more */
	uint32_t made = 0;

	for (uint32_t i = 0; i < p->frames; i++) {
		bool last = p->all && i == p->frames - 1;
		uint32_t n;

		if (!mp_frames_reserve(&c->seal->frames)) {
			mp_count(c->mp, MP_NOMEM);
			c->snd.refused = true;
			break;
		}
		n = seal_one(c, now, each + (i < more), last && c->snd.shut, v);
		if (!n) {
			break;
		}
		made += n;
	}
	return c->fsm.state == MP_ST_CLOSED ? 0 : made;
}

uint32_t mp_seal_fill(struct mp_conn *c, struct instant now, uint32_t most,
		      uint32_t seg)
{
	struct ring *r = &c->snd.ring;
	struct iov_mut v[2] = { { 0 } };
	struct plan p;
	uint64_t want, got = 0;
	unsigned k;

	if (!mp_seal_ready(c)) {
		return 0;
	}
	p = plan_for(c, min_u32(most, ring_free(r)), seg);
	want = plan_len(c, &p);
	if (!p.frames) {
		return 0;
	}
	k = ring_space(r, (uint32_t)want, v);
	for (unsigned i = 0; i < k; i++) {
		got += v[i].n;
	}
	if (got < want) {
		mp_count(c->mp, MP_NOMEM);
		c->snd.refused = true;
		p = plan_for(c, (uint32_t)got, seg);
	}
	return p.frames ? seal_plan(c, now, &p, v) : 0;
}
