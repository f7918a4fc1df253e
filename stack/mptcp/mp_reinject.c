/* mp_reinject.c - data that one subflow owes, sent by another (RFC 8684 3.3.6)
 *
 * A subflow whose retransmission timer fired has, by TCP's own judgement, lost
 * everything it had in flight: if another subflow works, all of that is given
 * to it at once.  After the second timeout in a row, or when the connection's
 * own timer finds it in the way, it is stale: nothing new goes there until it
 * answers.  It goes on retransmitting what it was given, so what it still
 * claims of the ring is copied when the ring gets short.
 */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define STALE_AFTER 2
#define DOUBT_MIN   NANOS_S
#define DOUBTS_MAX  6 /* 64 s */

void mp_reinject_range(struct mp_conn *c, uint64_t lo, uint64_t hi)
{
	struct ranges *rs = &c->snd.again;

	lo = max_u64(lo, c->snd.una);
	hi = min_u64(hi, c->snd.nxt);
	if (lo >= hi) {
		return;
	}
	if (mp_sealed(c)) {
		/* no mapping may hold a part of a frame */
		lo = mp_frames_floor(&c->seal->frames, lo);
		hi = mp_frames_ceil(&c->seal->frames, hi);
	}
	if (!ranges_add(rs, lo, hi)) {
		/* too many pieces: rather some of it twice */
		ranges_fini(rs);
		ranges_add(rs, c->snd.una, c->snd.nxt);
	}
	mp_dirty(c);
}

/* What no subflow has in its mappings: acknowledged where it was sent, not
 * verified by the peer, and forgotten there with the subflow. */
static void reinject_unheld(struct mp_conn *c)
{
	uint64_t at = c->snd.una;
	struct ranges held;

	ranges_init(&held, c->mp->env->mem);
	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		for (uint32_t i = 0; i < s->tx.n; i++) {
			const struct mp_map *m = mp_map_at(&s->tx, i);

			if (!ranges_add(&held, m->off, m->off + m->len)) {
				/* too many pieces: rather some of it twice */
				mp_reinject_range(c, at, c->snd.nxt);
				ranges_fini(&held);
				return;
			}
		}
	}
	for (uint32_t i = 0; i < held.n; i++) {
		mp_reinject_range(c, at, held.r[i].lo);
		at = max_u64(at, held.r[i].hi);
	}
	mp_reinject_range(c, at, c->snd.nxt);
	ranges_fini(&held);
}

void mp_reinject_sub(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	bool sealed = mp_sealed(c);

	(void)now;
	if (c->mode != MP_MODE_MPTCP || c->fsm.state == MP_ST_CLOSED) {
		return;
	}
	for (uint32_t i = 0; i < s->tx.n; i++) {
		const struct mp_map *m = mp_map_at(&s->tx, i);
		/* sealed: of a mapping that was not complete the peer has
		 * nothing, whatever the subflow acknowledged */
		uint32_t from = sealed ? m->ssn : seq_max(m->ssn, s->una);

		if (s->given_any) {
			from = seq_max(from, s->given);
		}
		if (seq_lt(from, m->ssn + m->len)) {
			mp_reinject_range(c, m->off + (from - m->ssn),
					  m->off + m->len);
		}
	}
	if (s->tx.n) {
		const struct mp_map *last = mp_map_last(&s->tx);

		s->given = last->ssn + last->len;
		s->given_any = true;
	}
	if (sealed && s->state == MP_SUB_DEAD) {
		reinject_unheld(c);
	}
}

static bool other_works(const struct mp_sub *not)
{
	list_each(n, &not->c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s != not && mp_sub_usable(s) && !s->stale &&
		    !s->suspect) {
			return true;
		}
	}
	return false;
}

void mp_reinject_timeout(struct mp_sub *s, struct instant now, unsigned n)
{
	struct mp_conn *c = s->c;

	if (s->state != MP_SUB_OPEN || c->mode != MP_MODE_MPTCP ||
	    s->una == tcp_push_ssn(s->tcb)) {
		return;
	}
	s->suspect = true;
	if (!other_works(s)) {
		return;
	}
	if (n >= STALE_AFTER && !s->stale) {
		s->stale = true;
		mp_count(c->mp, MP_SUBFLOW_STALE);
	}
	mp_reinject_sub(s, now);
	mp_ack_release(c, now);
	mp_dirty(c);
}

/* Timeouts came when no other subflow worked: now one does. */
void mp_reinject_suspects(struct mp_conn *c, struct instant now)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->suspect && s->state == MP_SUB_OPEN && s->tx.n &&
		    !(s->given_any && s->given == tcp_push_ssn(s->tcb)) &&
		    other_works(s)) {
			struct tcp_info_core i;

			tcp_info(s->tcb, &i);
			if (i.rto_count >= STALE_AFTER && !s->stale) {
				s->stale = true;
				mp_count(c->mp, MP_SUBFLOW_STALE);
			}
			mp_reinject_sub(s, now);
			mp_ack_release(c, now);
		}
	}
}

/* Behind a path that acknowledges for others, or at a peer without memory.
 * Such a subflow gets nothing while others work, so it could never show that it
 * works again: it is tried anew after a while, later each time it fails. */
void mp_reinject_doubt(struct mp_sub *s, struct instant now)
{
	nanos last = DOUBT_MIN << s->doubts;

	if (s->doubted) {
		return;
	}
	if (s->doubts && instant_since(now, s->trusted) > last) {
		s->doubts = 0; /* it went well for as long */
	}
	s->suspect = true;
	s->doubted = true;
	s->doubt_end = instant_add(now, DOUBT_MIN << s->doubts);
	if (s->doubts < DOUBTS_MAX) {
		s->doubts++;
	}
}

void mp_reinject_trust(struct mp_conn *c, struct instant now)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		/* with something out, TCP's own timer may be the reason */
		if (s->doubted && instant_due(s->doubt_end, now) &&
		    s->state == MP_SUB_OPEN &&
		    s->una == tcp_push_ssn(s->tcb)) {
			s->trusted = now;
			s->doubted = false;
			s->suspect = false;
		}
	}
}

void mp_reinject_recovered(struct mp_sub *s, struct instant now)
{
	(void)now;
	if (s->stale) {
		mp_count(s->c->mp, MP_SUBFLOW_RECOVER);
	}
	s->stale = false;
	s->suspect = s->doubted;
	if (s->stash.p &&
	    seq_geq(s->una, s->stash.ssn + s->stash.len)) {
		mp_reinject_unstash(s);
	}
	if (s->given_any && seq_geq(s->una, s->given)) {
		s->given_any = false;
	}
}

/* The window, or the ring, is full because the head travels on a slow
 * subflow, and a faster one is idle: it takes the head, once. */
void mp_reinject_blocked(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;
	bool full = mp_tx_held_up(c) ? mp_tx_shut_out(c) : mp_sndbuf_full(c);
	struct mp_sub *slow, *fast;
	struct mp_map *m;
	uint64_t hi;

	if (!full || c->n_open < 2 || d->una == d->nxt ||
	    d->una < d->opp_end) {
		return;
	}
	slow = mp_ack_head_holder(c);
	fast = slow ? c->mp->sched->pick(c, slow) : NULL;
	if (!fast || fast->stale || fast->suspect ||
	    tcp_srtt(fast->tcb) >= tcp_srtt(slow->tcb)) {
		return;
	}
	m = mp_map_holding(&slow->tx, d->una);
	if (!m) {
		return;
	}
	hi = min_u64(m->off + m->len, d->una + mp_tx_room(fast));
	if (mp_sealed(c)) {
		hi = mp_frames_fit(&c->seal->frames, d->una, hi);
	}
	if (hi > d->una &&
	    mp_tx_push(fast, now, d->una, (uint32_t)(hi - d->una), true)) {
		d->opp_end = hi;
	}
}

bool mp_reinject_stash(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	uint32_t end = tcp_push_ssn(s->tcb), at = s->una, n = end - at;
	uint8_t *p;

	(void)now;
	if (s->stash.p && s->stash.ssn + s->stash.len == end) {
		return false; /* has all of it */
	}
	p = n ? mem_alloc(c->mp->env->mem, n) : NULL;
	if (!p) {
		mp_count(c->mp, MP_NOMEM);
		return false;
	}
	for (uint32_t done = 0; done < n;) {
		uint32_t take = mp_tx_burst(s, at + done, n - done);
		struct iov v[3];
		unsigned k = mp_tx_payload(s, at + done, take, v);

		if (!k) {
			mem_free(c->mp->env->mem, p, n);
			return false;
		}
		for (unsigned i = 0; i < k; i++) {
			memcpy(p + done, v[i].p, v[i].n);
			done += (uint32_t)v[i].n;
		}
	}
	mp_reinject_unstash(s);
	s->stash.p = p;
	s->stash.ssn = at;
	s->stash.len = n;
	return true;
}

void mp_reinject_unstash(struct mp_sub *s)
{
	mem_free(s->c->mp->env->mem, s->stash.p, s->stash.len);
	s->stash.p = NULL;
	s->stash.ssn = 0;
	s->stash.len = 0;
}
