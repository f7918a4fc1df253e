/* mp_ack.c - acknowledgements of both levels, what they free, and the
 * connection-level retransmission timer (RFC 8684 3.3.2, 3.3.5, 3.3.6)
 */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define WAIT_MIN    (200 * NANOS_MS)
#define WAIT_MAX    (60 * NANOS_S)
#define BACKOFF_MAX 10
#define ASK_FIRST   2 /* timeouts that only ask for a DATA_ACK */
/* A peer answers segments that carry nothing and are out of place twice a
 * second at most (Linux: tcp_invalid_ratelimit): a question that comes sooner
 * after another is none.  A little more, for what the path adds. */
#define ASK_AGAIN   (600 * NANOS_MS)
#define FIN_PROBES  5

/* lowest data offset that the subflow may have to send again */
static uint64_t claim(const struct mp_sub *s)
{
	if (s->stash.p) {
		return mp_map_low(&s->tx, s->stash.ssn + s->stash.len);
	}
	return mp_map_low(&s->tx, s->una);
}

static uint64_t lowest_claim(struct mp_conn *c, bool stash,
			     struct instant now)
{
	uint64_t low = c->snd.una;

	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);
		uint64_t own = claim(s);

		if (own < c->snd.una && stash && s->stale &&
		    mp_reinject_stash(s, now)) {
			own = claim(s);
		}
		low = min_u64(low, own);
	}
	return low;
}

/* RFC 8684 3.3.2: freed is what has a DATA_ACK and is acknowledged by every
 * subflow it was sent on.  A subflow that does not answer would block the
 * ring: it gets a copy instead. */
void mp_ack_release(struct mp_conn *c, struct instant now)
{
	struct ring *r = &c->snd.ring;
	uint64_t low;

	if (c->mode != MP_MODE_MPTCP) {
		low = c->snd.una;
	} else {
		low = lowest_claim(c, ring_len(r) > c->snd.size / 2, now);
	}
	if (low > r->head) {
		ring_drop(r, low);
		mp_sndbuf_grow(c);
		mp_conn_writable(c, now);
	}
}

/* una has moved on a sealed connection */
static void seal_acked(struct mp_conn *c)
{
	mp_frames_drop(&c->seal->frames, c->snd.una);
	mp_crypt_acked(c, c->snd.una);
}

void mp_ack_data(struct mp_conn *c, struct instant now, uint64_t off,
		 uint32_t wnd)
{
	struct mp_snd *d = &c->snd;

	if (off > d->nxt + d->fin_sent || off + UINT32_MAX < d->una) {
		return; /* never sent, or nonsense */
	}
	if (off + wnd > d->edge) {
		d->edge = off + wnd;
		mp_dirty(c);
	}
	if (mp_sealed(c)) {
		/* nobody can have verified a part of a frame */
		off = mp_frames_floor(&c->seal->frames, off);
		mp_seal_window(c, wnd);
	}
	if (off <= d->una && !(d->fin_sent && off == d->nxt + 1)) {
		return;
	}
	if (d->fin_sent && off == d->nxt + 1 && !d->fin_acked) {
		d->fin_acked = true;
		mp_conn_event(c, MP_EV_FIN_ACKED);
	}
	d->una = min_u64(off, d->nxt);
	d->backoff = 0;
	ranges_drop_below(&d->again, d->una);
	mp_reinject_trust(c, now);
	if (mp_sealed(c)) {
		seal_acked(c);
	}
	mp_ack_release(c, now);
	mp_ack_arm(c, now, true);
	mp_dirty(c);
}

static void plain_acked(struct mp_conn *c, struct instant now, uint32_t una)
{
	const struct mp_fallen *f = &c->fall;
	uint64_t off = mp_plain_off(c, una);

	if (off > c->snd.una && off <= c->snd.nxt) {
		c->snd.una = off;
		if (mp_sealed(c)) {
			c->snd.backoff = 0;
			seal_acked(c);
		}
		mp_ack_release(c, now);
	}
	if (f->infinite && seq_gt(una, f->inf_at)) {
		c->fall.infinite = false;
	}
	mp_dirty(c);
}

/* RFC 8684 3.7: data was acknowledged, and no DATA_ACK ever came */
static void no_data_ack(struct mp_sub *s, struct instant now)
{
	if (mp_fall(s->c, now, MP_FALLBACK_NO_DATA_ACK)) {
		plain_acked(s->c, now, s->una);
		return;
	}
	mp_sub_broken(s, now, MP_RST_MIDDLEBOX);
}

/* The segment's DATA_ACK, if any, was looked at before. */
static void note_head(struct mp_sub *s, uint32_t una)
{
	uint64_t head = s->c->snd.una;
	const struct mp_map *m = mp_map_holding(&s->tx, head);

	if (m && seq_leq(m->ssn + m->len, una)) {
		s->took = head + 1;
	}
}

void mp_ack_sub(struct mp_sub *s, struct instant now, uint32_t una)
{
	struct mp_conn *c = s->c;

	if (s->state == MP_SUB_DEAD) {
		return;
	}
	s->una = una;
	if (c->mode != MP_MODE_MPTCP) {
		plain_acked(c, now, una);
		return;
	}
	if (!s->seg_dss) {
		s->acks_bare = true;
		if (!s->dss_seen) {
			no_data_ack(s, now);
			return;
		}
	} else if (!s->seg_dack) {
		/* only the DSS was removed, or there was no room for it */
		s->acks_odd = true;
	}
	note_head(s, una);
	mp_map_drop(&s->tx, una, false);
	mp_reinject_recovered(s, now);
	mp_ack_release(c, now);
	mp_dirty(c);
}

/* --- the timer ------------------------------------------------------- */

static nanos wait_of(struct mp_conn *c)
{
	nanos most = WAIT_MIN, wait;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		/* a subflow that does not answer backs off for ever */
		if (s->state == MP_SUB_OPEN && !s->stale && !s->suspect) {
			most = nanos_max(most, tcp_rto(s->tcb));
		}
	}
	wait = nanos_min(most << c->snd.backoff, WAIT_MAX);
	return c->snd.asked && c->snd.backoff ? nanos_max(wait, ASK_AGAIN) :
						wait;
}

/* Something waits and nothing is on its way that would bring news. */
static bool seal_stuck(const struct mp_conn *c)
{
	return mp_sealed(c) && c->snd.una == c->snd.nxt && mp_tx_held_up(c);
}

static bool timer_needed(const struct mp_conn *c)
{
	const struct mp_snd *d = &c->snd;

	if (!c->established || !c->n_open || c->mode != MP_MODE_MPTCP) {
		return c->mode == MP_MODE_TCP && c->n_open && seal_stuck(c);
	}
	return d->una < d->nxt || (d->fin_sent && !d->fin_acked) ||
	       (mp_tx_held_up(c) && mp_tx_shut_out(c)) || seal_stuck(c);
}

void mp_ack_arm(struct mp_conn *c, struct instant now, bool restart)
{
	bool need = timer_needed(c);

	if (!need || c->fsm.state == MP_ST_CLOSED) {
		mp_timer_stop(&c->timers, MP_T_DATA);
	} else if (restart || !mp_timer_on(&c->timers, MP_T_DATA)) {
		mp_timer_set(&c->timers, MP_T_DATA,
			     instant_add(now, wait_of(c)));
	}
}

/* who still has to bring the head across; a subflow that works first */
struct mp_sub *mp_ack_head_holder(struct mp_conn *c)
{
	struct mp_sub *found = NULL;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if ((!found || found->stale) &&
		    mp_map_holding(&s->tx, c->snd.una)) {
			found = s;
		}
	}
	return found;
}

static bool other_works(struct mp_conn *c, const struct mp_sub *not)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s != not && mp_sub_usable(s) && !s->stale) {
			return true;
		}
	}
	return false;
}

/* the peer says what it has, and what it offers */
static void ask_all(struct mp_conn *c)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN) {
			tcp_ask(s->tcb);
		}
	}
}

/* May that mean only that a DATA_ACK was lost, or, sealed, that the peer has
 * fallen back and had nothing to send with it? */
static bool worth_asking(const struct mp_sub *s)
{
	const struct mp_conn *c = s->c;

	if (c->snd.backoff > ASK_FIRST) {
		return false;
	}
	if (s->acks_bare) {
		return mp_sealed(c) && c->dss_in && mp_fall_early(s);
	}
	return s->acks_odd || mp_sealed(c);
}

/* The same data in another place of the only subflow would be no identity
 * mapping any more.  A peer that has lost it ends the subflow (smtcp(7),
 * Receiver); else it is the DATA_ACK that was lost.  When asking does not help,
 * another subflow has to bring it. */
static void only_sub_lost(struct mp_conn *c, struct instant now)
{
	struct mp_sub *s = mp_sub_best(c);

	if (!s || c->snd.backoff <= 2 * ASK_FIRST || !mp_crypt_may_join(c)) {
		ask_all(c);
		return;
	}
	mp_sub_reset_why(s, MP_RST_MIDDLEBOX, true);
	mp_sub_abort(s, now);
	mp_count(c->mp, MP_SUBFLOW_LOST);
	c->mp->pm->lost(c, now, s);
	if (!c->n_subs) {
		mp_close_no_subflow(c, now);
	}
}

/* Acknowledged by a subflow, not by the connection: lost behind a middlebox
 * that acknowledges for others, dropped by the peer for want of memory, or
 * the options are being removed. */
static void head_lost(struct mp_conn *c, struct instant now)
{
	uint64_t hi = min_u64(c->snd.nxt, c->snd.una + MP_BURST_MAX);

	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		/* also while no DATA_ACK ever came: the peer may be plain
		 * TCP by now and take what is repeated for more */
		if (s->state != MP_SUB_OPEN ||
		    (!s->acks_bare && !s->acks_odd &&
		     !(s->first && !s->dss_seen))) {
			continue;
		}
		if (worth_asking(s)) {
			/* The DATA_ACK may only be lost.  To send the data
			 * again without knowing is wrong: a peer that gets it
			 * without a mapping takes it for more. */
			tcp_ask(s->tcb);
			c->snd.asked = true;
			return;
		}
		if (!mp_fall(c, now, MP_FALLBACK_NO_DATA_ACK)) {
			mp_sub_broken(s, now, MP_RST_MIDDLEBOX);
		} else {
			plain_acked(c, now, s->una);
		}
		return;
	}
	if (mp_sealed(c) && !c->joined) {
		only_sub_lost(c, now);
		return;
	}
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);
		uint64_t low = claim(s);

		if (low > c->snd.una) {
			hi = min_u64(hi, low);
		}
		/* more than once: not where the scheduler likes it best */
		if (s->took == c->snd.una + 1 && c->snd.backoff > 1 &&
		    other_works(c, s)) {
			mp_reinject_doubt(s, now);
		}
	}
	mp_reinject_range(c, c->snd.una, hi);
}

static void head_overdue(struct mp_conn *c, struct instant now)
{
	struct mp_sub *s = mp_ack_head_holder(c);

	if (!s || (s->stale && s->given_any)) {
		/* whoever has it besides has got it acknowledged */
		head_lost(c, now);
		return;
	}
	if (!other_works(c, s)) {
		return; /* TCP does what can be done */
	}
	if (!s->stale && (s->suspect || c->snd.backoff > 1)) {
		s->stale = true;
		mp_count(c->mp, MP_SUBFLOW_STALE);
	}
	s->suspect = true; /* or the scheduler gives it the same again */
	mp_reinject_sub(s, now);
}

/* A peer that fell back with nothing more to send cannot say so: it has no
 * data to put an infinite mapping on.  It is known by its bare segments, and
 * understands a FIN, not a DATA_FIN. */
static bool fin_to_plain(struct mp_conn *c, struct instant now)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state != MP_SUB_OPEN || !s->acks_bare) {
			continue;
		}
		if (c->snd.backoff <= ASK_FIRST) {
			/* or only one segment has lost its options */
			tcp_ask(s->tcb);
		} else if (mp_fall(c, now, MP_FALLBACK_NO_DATA_ACK)) {
			plain_acked(c, now, s->una);
			return true;
		}
	}
	return false;
}

/* A DATA_FIN travels on bare ACKs: TCP has nothing to retransmit and would
 * never find out that nobody is there any more. */
static void fin_overdue(struct mp_conn *c, struct instant now)
{
	if (fin_to_plain(c, now)) {
		return;
	}
	mp_close_fin_due(c);
	if (c->snd.backoff < BACKOFF_MAX) {
		return;
	}
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN) {
			tcp_probe_alive(s->tcb, now, FIN_PROBES);
		}
	}
}

void mp_ack_timer(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;

	if (!c->n_open || (c->mode != MP_MODE_MPTCP && !seal_stuck(c))) {
		return;
	}
	d->asked = false;
	if (d->backoff < BACKOFF_MAX) {
		d->backoff++;
	}
	if (d->una < d->nxt) {
		mp_count(c->mp, MP_DATA_RTX);
		head_overdue(c, now);
	} else if (d->fin_sent && !d->fin_acked) {
		mp_count(c->mp, MP_DATA_RTX);
		fin_overdue(c, now);
	} else if (mp_sealed(c)) {
		/* A frame needs more of the window than one octet: what was
		 * not sealed yet is no probe (smtcp(7), Sizes). */
		ask_all(c);
	} else if (mp_tx_waiting(c)) {
		/* the window update may be lost, and TCP asks only while its
		 * own window is shut: one octet beyond makes the peer answer */
		d->edge = max_u64(d->edge, d->nxt + 1);
	}
	mp_ack_arm(c, now, true);
	mp_dirty(c);
}
