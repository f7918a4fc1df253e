/* mp_tx.c - from the send ring to the subflows
 *
 * The scheduler picks a subflow, the subflow says how much may leave now, and
 * that much becomes one mapping: a burst.  Bursts are whole segments, except
 * the last before the ring is empty; whether that one may leave is Nagle's
 * and cork's decision, made here because only here it is known whether more
 * follows.
 *
 * On a sealed connection a burst is sealed into the ring when it can leave,
 * and is mapped as it was sealed: never a part of a frame.  What could then not
 * be mapped stays in the ring for the next attempt.
 */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define CORK_WAIT (200 * NANOS_MS)
#define MEM_WAIT  (200 * NANOS_MS)

uint32_t mp_tx_room(const struct mp_sub *s)
{
	return s->tx.n < s->tx.max ? tcp_room(s->tcb) : 0;
}

bool mp_tx_waiting(const struct mp_conn *c)
{
	return c->snd.nxt < c->snd.ring.tail ||
	       (mp_sealed(c) && mp_seal_unfinished(c));
}

bool mp_tx_held_up(const struct mp_conn *c)
{
	return c->snd.nxt < c->snd.ring.tail ||
	       (mp_sealed(c) && mp_seal_ready(c));
}

/* Octets of stream that window and ring leave to a sealed connection. */
static uint64_t seal_room(const struct mp_conn *c)
{
	const struct mp_snd *d = &c->snd;
	uint64_t open = d->edge > d->nxt ? d->edge - d->nxt : 0;

	if (c->mode != MP_MODE_MPTCP) {
		open = UINT64_MAX; /* TCP's own window is all there is */
	}
	return min_u64(open, ring_free(&d->ring));
}

bool mp_tx_shut_out(const struct mp_conn *c)
{
	if (!mp_sealed(c)) {
		return c->snd.edge <= c->snd.nxt;
	}
	return seal_room(c) < min_u64(mp_seal_need(c), mp_seal_waiting(c, 1));
}

/* Payload of a full segment.  TCP knows what our options cost in the last
 * segment with data; the next may carry a longer DATA_ACK. */
static uint32_t seg_size(const struct mp_sub *s)
{
	const struct mp_conn *c = s->c;
	struct mp_opt_dss d = { .ack = true, .ack8 = c->ack8, .map = true,
				.dsn8 = true, .has_csum = c->checksum };
	uint32_t mss = tcp_mss(s->tcb);
	uint32_t next = (mp_opt_dss_len(&d) + 3) & ~3u;

	if (c->mode != MP_MODE_MPTCP || mss + s->opt_len <= 2 * next) {
		return mss ? mss : 1;
	}
	return mss + s->opt_len - next;
}

/* Nagle as Minshall has it (only one small segment at a time), and cork */
static bool tail_may_leave(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;

	if (d->shut || (mp_sealed(c) && mp_seal_due(c))) {
		return true;
	}
	if (c->conf.cork) {
		if (d->cork_due) {
			return true;
		}
		if (!mp_timer_on(&c->timers, MP_T_CORK)) {
			mp_timer_set(&c->timers, MP_T_CORK,
				     instant_add(now, CORK_WAIT));
		}
		return false;
	}
	return c->conf.nodelay || d->small_end <= d->una;
}

/* Octets of the avail ones that leave as one burst; 0: wait.  last: nothing
 * follows them in the ring. */
static uint32_t burst_len(struct mp_sub *s, struct instant now,
			  uint64_t avail, bool last)
{
	uint32_t seg = seg_size(s);
	uint32_t most = MP_BURST_MAX < seg ? seg :
					     MP_BURST_MAX / seg * seg;
	uint32_t room = mp_tx_room(s);
	uint32_t n;

	if (s->c->mode == MP_MODE_MPTCP && tcp_push_ssn(s->tcb) == 1) {
		most = seg; /* MP_CAPABLE with data: in one segment only */
	}
	n = (uint32_t)min_u64(avail, min_u32(room, most));
	if (n == avail && last) {
		if (n % seg && !tail_may_leave(s->c, now)) {
			n -= n % seg;
		}
		return n;
	}
	if (n >= seg) {
		return n - n % seg;
	}
	/* RFC 9293 3.8.6.2.1: a part of a segment only when nothing on its
	 * way will make room for more */
	return s->una == tcp_push_ssn(s->tcb) ? n : 0;
}

/* Octets that an existing mapping may have after off was added to it.  An Init
 * message is alone in its mapping, and so is what stands at ssn 1. */
static uint32_t merge_max(const struct mp_sub *s, uint32_t ssn, uint64_t off)
{
	const struct mp_conn *c = s->c;

	if (ssn == 1 + s->first_len ||
	    (mp_sealed(c) && c->seal.init_end && off <= c->seal.init_end)) {
		return 0;
	}
	return MP_BURST_MAX;
}

/* off is the end of what there is to send, or of an Init message: PSH */
static bool ends_all(const struct mp_conn *c, uint64_t off)
{
	if (off != c->snd.ring.tail) {
		return false;
	}
	return !mp_sealed(c) || off == c->seal.init_end ||
	       !ring_len(&c->seal.stage);
}

/* gives [off, off+n) to s */
bool mp_tx_push(struct mp_sub *s, struct instant now, uint64_t off,
		uint32_t n, bool again)
{
	struct mp_conn *c = s->c;
	uint32_t ssn = tcp_push_ssn(s->tcb);
	struct mp_map *m;

	m = mp_map_push(&s->tx, ssn, n, off, merge_max(s, ssn, off));
	if (!m) {
		mp_count(c->mp, MP_NOMEM);
		c->snd.refused = true;
		return false;
	}
	if (ssn == 1) {
		s->first_len = n;
	}
	if (c->n_open > 1 || again) {
		c->snd.mixed_end = max_u64(c->snd.mixed_end, off + n);
	}
	s->sent += n;
	if (again) {
		s->reinjected += n;
		c->snd.again_total += n;
		mp_count(c->mp, MP_REINJECT);
	}
	tcp_push(s->tcb, now, n, ends_all(c, off + n));
	return true;
}

/* prog: the program's octets are among the n */
static void advance(struct mp_conn *c, struct mp_sub *s, uint32_t n, bool prog)
{
	struct mp_snd *d = &c->snd;

	d->nxt += n;
	d->total += n;
	if (!mp_tx_waiting(c)) {
		d->cork_due = false;
		mp_timer_stop(&c->timers, MP_T_CORK);
		if (n % seg_size(s) && prog) {
			d->small_end = d->nxt;
		}
	}
}

/* How much of the range that s is to repeat: whole frames of a sealed stream,
 * one of them even when there is less room, and Init messages alone. */
static uint32_t again_len(struct mp_sub *s, struct instant now,
			  const struct range *r)
{
	struct mp_conn *c = s->c;
	uint32_t room = mp_tx_room(s), n;

	if (mp_sealed(c)) {
		if (r->lo < c->seal.init_end) {
			return (uint32_t)(c->seal.init_end - r->lo);
		}
		room = min_u32(room, MP_BURST_MAX);
		return (uint32_t)(mp_frames_fit(&c->seal.frames, r->lo,
						min_u64(r->hi, r->lo + room)) -
				  r->lo);
	}
	n = burst_len(s, now, r->hi - r->lo, true);
	return n ? n : (uint32_t)min_u64(r->hi - r->lo, room);
}

/* what another subflow failed to bring across goes first */
static void run_again(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;

	ranges_drop_below(&d->again, d->una);
	while (d->again.n) {
		struct range r = d->again.r[0];
		struct mp_sub *s = c->mp->sched->pick(c, NULL);
		uint32_t n;

		if (!s) {
			break;
		}
		r.hi = min_u64(r.hi, d->nxt);
		if (r.lo >= r.hi) {
			ranges_init(&d->again);
			break;
		}
		n = again_len(s, now, &r);
		if (!n || !mp_tx_push(s, now, r.lo, n, true)) {
			break;
		}
		ranges_drop_below(&d->again, r.lo + n);
	}
}

static void run_new(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;

	while (mp_tx_waiting(c)) {
		uint64_t open = d->edge > d->nxt ? d->edge - d->nxt : 0;
		uint64_t avail = d->ring.tail - d->nxt;
		struct mp_sub *s;
		uint32_t n;

		if (!open) {
			break;
		}
		s = c->mp->sched->pick(c, NULL);
		if (!s) {
			break;
		}
		n = burst_len(s, now, min_u64(avail, open), avail <= open);
		if (!n || !mp_tx_push(s, now, d->nxt, n, false)) {
			break;
		}
		advance(c, s, n, true);
	}
}

/* --- sealed ---------------------------------------------------------- */

/* Acknowledgements that come one by one make room for two segments each, and
 * frames that small would be costly.  A longer one is made and left with TCP,
 * which sends it as room comes: a fraction of what is on its way anyhow.
 * Octets, whole segments. */
static uint32_t ahead_max(const struct mp_sub *s, uint64_t avail, uint32_t seg)
{
	struct tcp_info_core i;
	uint32_t wnd, most;

	tcp_info(s->tcb, &i);
	wnd = i.snd_wnd > i.unacked ? i.snd_wnd - i.unacked : 0;
	most = min_u32(min_u32(i.cwnd / 4, wnd), MP_SEAL_FRAME_MAX);
	most = (uint32_t)min_u64(most, avail);
	return most - most % seg;
}

static uint32_t seal_burst(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	uint64_t open = seal_room(c), avail;
	uint32_t seg = seg_size(s), n;

	avail = mp_seal_waiting(c, seg);
	n = burst_len(s, now, min_u64(avail, open), avail <= open);
	if (n >= seg && n < avail && tcp_push_ssn(s->tcb) != 1) {
		n = max_u32(n, ahead_max(s, min_u64(avail, open), seg));
	}
	if (!n && mp_seal_due(c)) {
		/* at once, even as a part of a segment */
		n = (uint32_t)min_u64(min_u64(avail, open), mp_tx_room(s));
	}
	return n ? mp_seal_fill(c, now, n, seg) : 0;
}

/* The next octets for s: what was sealed and could not be mapped, or a burst
 * made now.  0: nothing, or it has to wait; or the connection has ended. */
static uint32_t next_sealed(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	struct mp_snd *d = &c->snd;

	if (d->nxt < c->seal.init_end) {
		return (uint32_t)(c->seal.init_end - d->nxt);
	}
	if (d->nxt < d->ring.tail) {
		return (uint32_t)(mp_frames_fit(&c->seal.frames, d->nxt,
						d->nxt + MP_BURST_MAX) -
				  d->nxt);
	}
	return seal_burst(s, now);
}

/* smtcp(7), Init messages: until the side that opened has heard of the other
 * one, it sends no more than one mapping, which brings the keys */
bool mp_tx_awaits_answer(const struct mp_sub *s)
{
	return s->first && !s->c->passive && !s->dss_seen &&
	       tcp_push_ssn(s->tcb) != 1;
}

static void run_sealed(struct mp_conn *c, struct instant now)
{
	while (mp_tx_held_up(c)) {
		uint64_t written = c->seal.stage.head;
		struct mp_sub *s = c->mp->sched->pick(c, NULL);
		uint32_t n;

		if (!s || mp_tx_awaits_answer(s)) {
			break;
		}
		n = next_sealed(s, now);
		if (!n || !mp_tx_push(s, now, c->snd.nxt, n, false)) {
			break;
		}
		advance(c, s, n, c->seal.stage.head != written);
	}
}

static void run_sealed_plain(struct mp_conn *c, struct instant now)
{
	struct mp_sub *s = c->first;
	struct tcp_info_core i;

	if (s && s->state == MP_SUB_OPEN &&
	    c->seal.quarter < MP_SEAL_FRAME_MAX) {
		tcp_info(s->tcb, &i);
		mp_seal_window(c, i.snd_wnd);
	}
	while (s && mp_tx_held_up(c) && s->state == MP_SUB_OPEN &&
	       !s->fin_out) {
		uint64_t written = c->seal.stage.head;
		uint32_t n = next_sealed(s, now);

		if (!n) {
			break;
		}
		s->sent += n;
		tcp_push(s->tcb, now, n, ends_all(c, c->snd.nxt + n));
		advance(c, s, n, c->seal.stage.head != written);
	}
}

/* --- not sealed ------------------------------------------------------ */

/* one identity mapping, no scheduler: TCP cuts by itself */
static void run_plain(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;
	struct mp_sub *s = c->first;

	while (s && mp_tx_waiting(c) && s->state == MP_SUB_OPEN &&
	       !s->fin_out) {
		uint32_t n = burst_len(s, now, d->ring.tail - d->nxt, true);

		if (!n) {
			break;
		}
		s->sent += n;
		tcp_push(s->tcb, now, n, d->nxt + n == d->ring.tail);
		advance(c, s, n, true);
	}
	if (s && d->urgent && !mp_tx_waiting(c) && s->state == MP_SUB_OPEN) {
		tcp_urgent(s->tcb);
		d->urgent = false;
	}
}

/* RFC 9293 3.8.6.1: somebody must ask for the window; everybody, because a
 * path that has nothing to retransmit may have died unnoticed */
static void set_blocked(struct mp_conn *c, struct instant now)
{
	bool waits = mp_tx_held_up(c) || c->snd.again.n;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && s->blocked != waits) {
			s->blocked = waits;
			tcp_blocked(s->tcb, now, waits);
		}
	}
}

static void ask_signals(struct mp_conn *c)
{
	struct mp_sub *best = mp_addr_due(c) ? mp_sub_best(c) : NULL;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && !mp_sub_opt_mute(s) &&
		    (s->sig.fin || s->sig.dss || s->sig.prio || s->sig.fail ||
		     s->sig.n_rm || s == best)) {
			tcp_ack_now(s->tcb);
		}
	}
}

static void run(struct mp_conn *c, struct instant now)
{
	bool sealed = mp_sealed(c);

	if (c->mode == MP_MODE_TCP) {
		(sealed ? run_sealed_plain : run_plain)(c, now);
		set_blocked(c, now);
		if (sealed) {
			mp_ack_arm(c, now, false);
		}
		return;
	}
	ask_signals(c);
	if (!c->n_open) {
		return;
	}
	mp_reinject_suspects(c, now);
	run_again(c, now);
	(sealed ? run_sealed : run_new)(c, now);
	mp_reinject_blocked(c, now);
	set_blocked(c, now);
	mp_ack_arm(c, now, false);
}

void mp_tx_run(struct mp_conn *c, struct instant now)
{
	if (!c->established || c->fsm.state == MP_ST_CLOSED) {
		return;
	}
	if (mp_sealed(c) && !mp_seal_init(c)) {
		c->snd.refused = true;
	}
	run(c, now);
	if (c->snd.refused && !mp_timer_on(&c->timers, MP_T_MEM)) {
		mp_timer_set(&c->timers, MP_T_MEM, instant_add(now, MEM_WAIT));
	}
}

/* --- what TCP asks --------------------------------------------------- */

static unsigned plain_slice(struct mp_conn *c, uint32_t ssn, uint32_t len,
			    struct iov v[3])
{
	uint64_t off = mp_plain_off(c, ssn);

	if (off < c->snd.ring.head || off + len > c->snd.ring.tail) {
		return 0;
	}
	return ring_slice(&c->snd.ring, off, len, v);
}

static bool in_stash(const struct mp_sub *s, uint32_t ssn)
{
	return s->stash.p && ssn - s->stash.ssn < s->stash.len;
}

uint32_t mp_tx_burst(struct mp_sub *s, uint32_t ssn, uint32_t len)
{
	const struct mp_map *m;

	if (s->c->mode != MP_MODE_MPTCP) {
		return len;
	}
	m = mp_map_find(&s->tx, ssn);
	if (m) {
		len = min_u32(len, m->ssn + m->len - ssn);
	}
	if (in_stash(s, ssn)) {
		len = min_u32(len, s->stash.ssn + s->stash.len - ssn);
	}
	return len;
}

unsigned mp_tx_payload(struct mp_sub *s, uint32_t ssn, uint32_t len,
		       struct iov v[3])
{
	struct mp_conn *c = s->c;
	const struct mp_map *m;
	uint64_t off;

	if (c->mode != MP_MODE_MPTCP) {
		return plain_slice(c, ssn, len, v);
	}
	if (in_stash(s, ssn)) {
		uint32_t at = ssn - s->stash.ssn;

		if (len > s->stash.len - at) {
			return 0;
		}
		v[0] = (struct iov){ s->stash.p + at, len };
		return 1;
	}
	m = mp_map_find(&s->tx, ssn);
	if (!m || len > m->ssn + m->len - ssn) {
		return 0;
	}
	off = m->off + (ssn - m->ssn);
	if (off < c->snd.ring.head || off + len > c->snd.ring.tail) {
		return 0;
	}
	return ring_slice(&c->snd.ring, off, len, v);
}
