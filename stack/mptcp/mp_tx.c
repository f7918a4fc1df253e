/* mp_tx.c - from the send ring to the subflows
 *
 * The scheduler picks a subflow, mp_burst.c says how much may leave now, and
 * that much becomes one mapping.
 *
 * On a sealed connection a burst is sealed into the ring when it can leave,
 * and is mapped as it was sealed: never a part of a frame.  What could then not
 * be mapped stays in the ring for the next attempt.
 */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_burst.h"

#define MEM_WAIT (200 * NANOS_MS)

/* [.., off) goes to TCP: PSH at the end of all there is to send.  Init messages
 * have theirs whatever is pushed behind them (RFC 8548 4.1). */
static void push(struct mp_sub *s, struct instant now, uint64_t off, uint32_t n)
{
	const struct mp_conn *c = s->c;
	bool sealed = mp_sealed(c);

	tcp_push(s->tcb, now, n,
		 off == c->snd.ring.tail &&
			 !(sealed && ring_len(&c->seal->stage)));
	if (sealed && off == c->seal->init_end) {
		tcp_push_mark(s->tcb);
	}
}

/* gives [off, off+n) to s */
bool mp_tx_push(struct mp_sub *s, struct instant now, uint64_t off,
		uint32_t n, bool again)
{
	struct mp_conn *c = s->c;
	uint32_t ssn = tcp_push_ssn(s->tcb);
	struct mp_map *m;

	/* what stands at ssn 1, also an Init message, is alone */
	m = mp_map_push(&s->tx, ssn, n, off,
			ssn == 1 + s->first_len ? 0 : MP_BURST_MAX);
	if (!m) {
		mp_count(c->mp, MP_NOMEM);
		c->snd.refused = true;
		return false;
	}
	if (ssn == 1) {
		s->first_len = n;
	} else if (mp_sealed(c) && c->seal->fin && off + n == c->snd.ring.tail) {
		/* smtcp(7), FINp and DATA_FIN: both in one mapping.  At ssn 1
		 * it may be an MP_CAPABLE, which has no F. */
		m->fin = true;
		c->snd.fin_mapped = true;
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
	push(s, now, off + n, n);
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
		if (n % mp_burst_seg(s) && prog) {
			d->small_end = d->nxt;
		}
	}
}

/* The only subflow, and its last segments had no options: the peer may be plain
 * TCP by now, and would take what is repeated for more.  The connection's timer
 * finds out. */
static bool perhaps_plain(const struct mp_conn *c, const struct mp_sub *s)
{
	return s->acks_bare && c->n_subs == 1 && !mp_sealed(c);
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
		if (r.lo >= r.hi || perhaps_plain(c, s)) {
			ranges_fini(&d->again);
			break;
		}
		n = mp_burst_again(s, now, &r);
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
		n = mp_burst_len(s, now, min_u64(avail, open), avail <= open);
		if (!n || !mp_tx_push(s, now, d->nxt, n, false)) {
			break;
		}
		advance(c, s, n, true);
	}
}

/* --- sealed ---------------------------------------------------------- */

/* smtcp(7), Init messages: until the side that opened has heard of the other
 * one, it sends no more than one mapping, which brings the keys */
static bool awaits_answer(const struct mp_sub *s)
{
	return s->first && !s->c->passive && !s->dss_seen &&
	       tcp_push_ssn(s->tcb) != 1;
}

static void run_sealed(struct mp_conn *c, struct instant now)
{
	while (mp_tx_held_up(c)) {
		uint64_t written = c->seal->stage.head;
		struct mp_sub *s = c->mp->sched->pick(c, NULL);
		uint32_t n;

		if (!s || awaits_answer(s)) {
			break;
		}
		n = mp_burst_sealed(s, now);
		if (!n || !mp_tx_push(s, now, c->snd.nxt, n, false)) {
			break;
		}
		advance(c, s, n, c->seal->stage.head != written);
	}
}

static void run_sealed_plain(struct mp_conn *c, struct instant now)
{
	struct mp_sub *s = c->first;
	struct tcp_info_core i;

	if (s && s->state == MP_SUB_OPEN &&
	    c->seal->quarter < MP_SEAL_FRAME_MAX) {
		tcp_info(s->tcb, &i);
		mp_seal_window(c, i.snd_wnd);
	}
	while (s && mp_tx_held_up(c) && s->state == MP_SUB_OPEN &&
	       !s->fin_out) {
		uint64_t written = c->seal->stage.head;
		uint32_t n = mp_burst_sealed(s, now);

		if (!n) {
			break;
		}
		s->sent += n;
		push(s, now, c->snd.nxt + n, n);
		advance(c, s, n, c->seal->stage.head != written);
	}
}

/* --- not sealed ------------------------------------------------------ */

/* TCP's urgent pointer is behind what it was given last.  With mappings there is
 * none: what was urgent before a fallback is not announced any more. */
static void push_marked(struct mp_sub *s, struct instant now, uint32_t n)
{
	struct mp_snd *d = &s->c->snd;
	uint64_t end = d->nxt + n;

	if (d->urgent && d->urgent >= d->nxt && d->urgent <= end) {
		n = (uint32_t)(end - d->urgent);
		if (d->urgent > d->nxt) {
			push(s, now, d->urgent, (uint32_t)(d->urgent - d->nxt));
		}
		tcp_urgent(s->tcb);
		d->urgent = 0;
	}
	if (n) {
		push(s, now, end, n);
	}
}

/* one identity mapping, no scheduler: TCP cuts by itself */
static void run_plain(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;
	struct mp_sub *s = c->first;

	while (s && mp_tx_waiting(c) && s->state == MP_SUB_OPEN &&
	       !s->fin_out) {
		uint32_t n = mp_burst_len(s, now, d->ring.tail - d->nxt, true);

		if (!n) {
			break;
		}
		s->sent += n;
		push_marked(s, now, n);
		advance(c, s, n, true);
	}
	if (s && s->state == MP_SUB_OPEN) {
		push_marked(s, now, 0); /* marked when it had been pushed */
	}
}

/* RFC 7413 4.2.1: the SYN takes along what is there */
static void run_held(struct mp_conn *c, struct instant now)
{
	struct mp_sub *s = c->first;
	struct mp_snd *d = &c->snd;
	uint32_t n = (uint32_t)min_u64(d->ring.tail - d->nxt,
				       tcp_tfo_most(s->tcb));

	if (n) {
		s->sent += n;
		push(s, now, d->nxt + n, n);
		advance(c, s, n, true);
	}
	if (n || d->shut) {
		tcp_tfo_go(s->tcb);
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
	if (mp_connect_held(c) && c->fsm.state != MP_ST_CLOSED) {
		run_held(c, now);
	}
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
