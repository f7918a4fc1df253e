/* mp_tx.c - from the send ring to the subflows
 *
 * The scheduler picks a subflow, the subflow says how much may leave now, and
 * that much becomes one mapping: a burst.  Bursts are whole segments, except
 * the last before the ring is empty; whether that one may leave is Nagle's
 * and cork's decision, made here because only here it is known whether more
 * follows.
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
	return c->snd.nxt < c->snd.ring.tail;
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

	if (d->shut) {
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

/* gives [off, off+n) to s */
bool mp_tx_push(struct mp_sub *s, struct instant now, uint64_t off,
		uint32_t n, bool again)
{
	struct mp_conn *c = s->c;
	uint32_t ssn = tcp_push_ssn(s->tcb);
	struct mp_map *m;

	m = mp_map_push(&s->tx, ssn, n, off,
			ssn == 1 + s->first_len ? 0 : MP_BURST_MAX);
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
	tcp_push(s->tcb, now, n, off + n == c->snd.ring.tail);
	return true;
}

static void advance(struct mp_conn *c, struct mp_sub *s, uint32_t n)
{
	struct mp_snd *d = &c->snd;

	d->nxt += n;
	d->total += n;
	if (d->nxt == d->ring.tail) {
		d->cork_due = false;
		mp_timer_stop(&c->timers, MP_T_CORK);
		if (n % seg_size(s)) {
			d->small_end = d->nxt;
		}
	}
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
		n = burst_len(s, now, r.hi - r.lo, true);
		if (!n) {
			n = (uint32_t)min_u64(r.hi - r.lo, mp_tx_room(s));
		}
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
		advance(c, s, n);
	}
}

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
		advance(c, s, n);
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
	bool waits = mp_tx_waiting(c) || c->snd.again.n;

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
	if (c->mode == MP_MODE_TCP) {
		run_plain(c, now);
		set_blocked(c, now);
		return;
	}
	ask_signals(c);
	if (!c->n_open) {
		return;
	}
	mp_reinject_suspects(c, now);
	run_again(c, now);
	run_new(c, now);
	mp_reinject_blocked(c, now);
	set_blocked(c, now);
	mp_ack_arm(c, now, false);
}

void mp_tx_run(struct mp_conn *c, struct instant now)
{
	if (!c->established || c->fsm.state == MP_ST_CLOSED) {
		return;
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
