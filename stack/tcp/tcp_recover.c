/* Theory of operation
 *
 * An ACK goes through four steps: the sent map says what was delivered, RACK
 * (or the count of duplicate ACKs) says what is lost, the state moves, and
 * congestion control hears of it.  Whatever the state, what may be sent is one
 * number: PRR's quota in RECOVERY, else cwnd less what is in flight.
 *
 * A reduction that proves needless is taken back (tcp_undo, tcp_frto).  A mark
 * of a router (ECN) reduces without a state of its own: `marked` says for how
 * long it is answered.
 *
 * Timers: RTO runs while anything is outstanding and restarts when una moves.
 * The probe timer replaces nothing: it fires before the RTO, in OPEN and
 * without SACKs only.  The reordering timer runs when RACK says so.
 */
#include "stack/tcp/tcp_recover.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"

void tcp_recover_init(struct tcp_recover *r, struct mem *mem,
		      const struct cc_ops *cc, uint16_t mss, uint32_t seq,
		      struct instant now)
{
	memset(r, 0, sizeof(*r));
	tcp_rtt_init(&r->rtt);
	tcp_sent_init(&r->sent, mem, seq, now);
	tcp_rack_init(&r->rack);
	tcp_rate_init(&r->rate, now);
	cc_init(&r->cc, cc, mss, now);
	r->cc.seed = seq;
	r->point = seq - 1;
	r->marked = seq - 1;
	r->round_end = seq;
	tcp_undo_init(&r->undo, seq);
	r->rto_at = INSTANT_NEVER;
	r->reo_at = INSTANT_NEVER;
	r->probe_at = INSTANT_NEVER;
	r->last_sent = now;
}

void tcp_recover_fini(struct tcp_recover *r)
{
	tcp_sent_fini(&r->sent);
	r->rto_at = INSTANT_NEVER;
	r->reo_at = INSTANT_NEVER;
	r->probe_at = INSTANT_NEVER;
}

void tcp_recover_start(struct tcp_recover *r, struct instant now, uint16_t mss,
		       bool sack, nanos syn_rtt, bool syn_lost)
{
	r->sack_ok = sack;
	if (r->cc.mss != mss) {
		uint32_t seed = r->cc.seed;

		cc_init(&r->cc, r->cc.ops, mss, now);
		r->cc.seed = seed;
	}
	tcp_rtt_sample(&r->rtt, now, syn_rtt);
	tcp_rtt_min_sample(&r->rtt, now, syn_rtt);
	if (syn_lost) { /* RFC 5681 3.1: one segment; RFC 6298 5.7 */
		tcp_rtt_syn_lost(&r->rtt);
		r->cc.cwnd = r->cc.mss;
	}
	tcp_rtt_progress(&r->rtt);
	r->last_sent = now;
}

static bool recovering(const struct tcp_recover *r)
{
	return r->state == TCP_RECOVER_RECOVERY ||
	       r->state == TCP_RECOVER_LOSS;
}

/* The window was reduced, and the peer cannot know it yet: only what follows
 * `marked` tells it (CWR). */
static bool answered(const struct tcp_recover *r)
{
	return seq_leq(r->sent.una, r->marked);
}

/* --- what may be sent ----------------------------------------------------- */

static uint32_t flight(const struct tcp_recover *r)
{
	return r->sent.in_flight - min_u32(r->reno, r->sent.in_flight);
}

static uint32_t quota(const struct tcp_recover *r)
{
	uint32_t out = flight(r), room;

	if (r->state == TCP_RECOVER_RECOVERY && !r->cc.ops->model) {
		room = r->prr.quota;
	} else {
		room = r->cc.cwnd > out ? r->cc.cwnd - out : 0;
	}
	if (out == 0) { /* no ACK will come to open it */
		room = max_u32(room, r->cc.mss);
	}
	return room < r->cc.mss ? 0 : room;
}

uint32_t tcp_recover_room(const struct tcp_recover *r)
{
	return quota(r);
}

uint32_t tcp_recover_quota(struct tcp_recover *r, struct instant now)
{
	if (tcp_sent_empty(&r->sent) && r->rtt.srtt > 0 &&
	    (instant_since(now, r->last_sent) > tcp_rtt_rto(&r->rtt) ||
	     (r->cc.ops->model && tcp_rate_limited(&r->rate)))) {
		r->cc.ops->on_idle(&r->cc, now);
		r->last_sent = now; /* once per idle time */
	}
	return quota(r);
}

/* moved: una advanced and nothing more was lost */
static void prr(struct tcp_recover *r, uint32_t delivered, bool moved)
{
	uint32_t pipe = flight(r);

	if (r->cc.ops->model) {
		return;
	}
	tcp_prr_ack(&r->prr, delivered, pipe, r->cc.ssthresh, r->cc.mss,
		    moved);
	r->cc.cwnd = (uint32_t)min_u64((uint64_t)pipe + r->prr.quota,
				       CC_INF / 2);
	r->cc.cwnd = max_u32(r->cc.cwnd, r->cc.mss);
}

/* --- entering and leaving -------------------------------------------------- */

/* outstanding: octets not acknowledged before the ACK that showed the loss */
static void enter_recovery(struct tcp_recover *r, struct instant now,
			   uint32_t outstanding)
{
	uint32_t size = max_u32(min_u32(outstanding, r->cc.cwnd), 1);

	if (answered(r)) {
		/* a mark came in the same window: reduced already, and rightly
		 * (RFC 3168 6.1.2) */
		tcp_undo_cancel(&r->undo);
	} else {
		r->cc.ops->on_loss(&r->cc, now, size);
		tcp_undo_arm(&r->undo, r->sent.una);
	}
	r->state = TCP_RECOVER_RECOVERY;
	r->point = r->sent.nxt;
	tcp_prr_begin(&r->prr, outstanding);
	tcp_rack_probe_cancel(&r->rack);
	r->probe_at = INSTANT_NEVER;
}

static void settle(struct tcp_recover *r)
{
	r->state = r->sent.n_sacked > 0 || r->dupacks > 0 ? TCP_RECOVER_DISORDER
							  : TCP_RECOVER_OPEN;
}

static void leave_recovery(struct tcp_recover *r, struct instant now)
{
	tcp_frto_stop(&r->frto);
	if (r->cc.ops->model) {
		r->cc.ops->on_recovered(&r->cc, now);
	} else if (r->state == TCP_RECOVER_RECOVERY) {
		r->cc.cwnd = r->cc.ssthresh;
		r->cc.ops->on_recovered(&r->cc, now);
	}
	r->dupacks = 0;
	r->reno = 0;
	tcp_rack_recovered(&r->rack);
	settle(r);
}

static unsigned undo(struct tcp_recover *r, struct instant now)
{
	/* a timeout is no sign of another order: it was delay */
	r->rack.reordering |= r->state != TCP_RECOVER_LOSS;
	if (recovering(r)) {
		/* PRR had moved cwnd down to what is in flight */
		leave_recovery(r, now);
	}
	r->cc.ops->undo(&r->cc, now);
	tcp_sent_unmark_lost(&r->sent);
	tcp_undo_cancel(&r->undo);
	return TCP_RECOVER_EV_UNDO;
}

/* Was what is being recovered from no loss at all? */
static unsigned check_undo(struct tcp_recover *r,
			   const struct tcp_recover_ack *a,
			   const struct tcp_sent_out *o)
{
	bool dup = o->acked == 0 && !a->has_data && !a->wnd_changed;
	bool frto;

	if (tcp_undo_ack(&r->undo, o, r->sent.una, a->echo_before,
			 recovering(r))) {
		return undo(r, a->now);
	}
	frto = tcp_frto_ack(&r->frto, o, r->sent.una, r->sent.nxt, &r->point,
			    dup);
	return frto && r->undo.ok ? undo(r, a->now) | TCP_RECOVER_EV_FRTO : 0;
}

/* --- an acknowledgement ----------------------------------------------------- */

/* Without SACK a duplicate ACK says that one segment has left the path; a
 * cumulative ACK then covers segments counted before (RFC 6582 3.2).  Returns
 * the octets newly delivered. */
static uint32_t count_reno(struct tcp_recover *r,
			   const struct tcp_recover_ack *a,
			   const struct tcp_sent_out *o)
{
	uint32_t mss = r->cc.mss, n;

	if (o->acked > 0) {
		n = min_u32(r->reno, o->acked > mss ? o->acked - mss : 0);
		r->reno = tcp_sent_empty(&r->sent) ? 0 : r->reno - n;
		r->dupacks = 0;
		return o->acked - n;
	}
	/* after a timeout duplicates answer what is sent again */
	if (a->has_data || a->wnd_changed || a->n_sack > 0 ||
	    tcp_sent_empty(&r->sent) || r->state == TCP_RECOVER_LOSS) {
		return 0;
	}
	r->dupacks++;
	/* the head is what is missing: it has not left */
	n = tcp_sent_outstanding(&r->sent);
	if (n < mss || r->reno > n - mss || n - mss - r->reno < mss) {
		return 0;
	}
	r->reno += mss;
	return mss;
}

static void take_rtt(struct tcp_recover *r, const struct tcp_recover_ack *a,
		     const struct tcp_sent_out *o)
{
	if (o->rtt >= 0) {
		tcp_rtt_sample(&r->rtt, a->now, o->rtt);
	} else if (o->acked > 0 && !o->dsack) {
		/* answering a duplicate, the peer echoes what it had before:
		 * the ACK of then was lost, and its age is no round trip */
		tcp_rtt_sample(&r->rtt, a->now, a->echo_rtt);
	}
	tcp_rtt_min_sample(&r->rtt, a->now, o->rtt_newest);
}

/* octets newly marked lost */
static uint32_t find_lost(struct tcp_recover *r, struct instant now, bool advanced,
		       unsigned *ev)
{
	bool in = recovering(r);
	uint32_t n, mss = r->cc.mss;
	bool rtx = false;

	if (r->sack_ok) {
		bool waiting =
			in || r->sent.sacked_segs >= TCP_RACK_DUPTHRESH;
		nanos reo = tcp_rack_reo_wnd(&r->rack, waiting,
					     tcp_rtt_min(&r->rtt), r->rtt.srtt);

		n = tcp_rack_detect(&r->rack, &r->sent, now, reo, &rtx,
				    &r->reo_at);
		*ev |= rtx ? TCP_RECOVER_EV_LOST_RTX : 0;
		return n;
	}
	if (r->state == TCP_RECOVER_RECOVERY) {
		/* a partial ACK: the next hole is lost too (RFC 6582 3.2) */
		return advanced ? tcp_sent_mark_head_lost(&r->sent,
							  (uint16_t)mss)
				: 0;
	}
	if (r->state != TCP_RECOVER_LOSS && r->dupacks == TCP_RACK_DUPTHRESH &&
	    seq_gt(r->sent.una, r->point)) {
		return tcp_sent_mark_head_lost(&r->sent, (uint16_t)mss);
	}
	return 0;
}

static uint32_t detect(struct tcp_recover *r, struct instant now, bool advanced,
		       unsigned *ev)
{
	uint32_t n = find_lost(r, now, advanced, ev);

	r->rate.lost += n;
	return n;
}

/* what the ACK says about the path's rate */
static void take_rate(struct tcp_recover *r, const struct tcp_sent_out *o,
		      struct cc_ack *c)
{
	const struct tcp_rate_in in = {
		.now = c->now,
		.delivered = r->sent.delivered,
		.prior_delivered = o->prior_delivered,
		.prior_at = o->prior_delivered_at,
		.tx = o->rack_tx,
		.from = o->rate_from,
		.app_limited = o->app_limited,
		.min_rtt = c->min_rtt,
	};
	struct tcp_rate_sample s = { 0 };

	c->delivered = r->sent.delivered;
	c->prior_delivered = r->sent.delivered;
	if (o->rack) { /* it is known which transmission arrived */
		tcp_rate_ack(&r->rate, &in, &s);
		c->prior_delivered = o->prior_delivered;
	}
	c->bw = s.bw;
	c->app_limited = s.app_limited;
	c->flight = flight(r);
	c->lost = r->rate.lost;
}

static void tell_cc(struct tcp_recover *r, const struct tcp_recover_ack *a,
		    const struct tcp_sent_out *o, uint32_t delivered,
		    uint32_t before)
{
	struct cc_ack c = {
		.now = a->now,
		.acked = delivered,
		.in_flight = before,
		.rtt = o->rtt_newest,
		.srtt = r->rtt.srtt,
		.min_rtt = tcp_rtt_min(&r->rtt),
	};
	uint32_t most = max_u32(r->flight_max, r->flight_max_last);

	/* A duplicate ACK may be the first sign of a loss: no growth (RFC
	 * 5681 3.2), unless the path is known to reorder. */
	c.in_recovery = r->state == TCP_RECOVER_RECOVERY ||
			answered(r) ||
			(o->acked == 0 && !r->rack.reordering);
	if (o->acked > 0 && seq_geq(r->sent.una, r->round_end)) {
		c.round_start = true;
		r->round_end = r->sent.nxt;
		r->flight_max_last = r->flight_max;
		r->flight_max = r->sent.in_flight;
		r->limited_last = r->limited;
		r->limited = false;
	}
	/* In slow start the window doubles while we fill half of it. */
	c.cwnd_limited = r->cc.cwnd < r->cc.ssthresh
				 ? r->cc.cwnd / 2 < most
				 : r->limited || r->limited_last;
	if (delivered == 0) {
		return;
	}
	take_rate(r, o, &c);
	r->cc.ops->on_ack(&r->cc, &c);
	r->rate.lost = 0;
	if (r->cc.below_path) {
		tcp_rate_idle(&r->rate, r->sent.delivered, r->sent.in_flight);
		r->cc.below_path = false;
	}
}

/* Congestion without anything to repair: once per window of data (RFC 3168
 * 6.1.2), and no growth meanwhile. */
static bool reduce(struct tcp_recover *r, struct instant now,
		   uint32_t outstanding)
{
	if (recovering(r) || answered(r)) {
		return false;
	}
	r->cc.ops->on_loss(&r->cc, now,
			   max_u32(min_u32(outstanding, r->cc.cwnd), 1));
	if (!r->cc.ops->model) {
		r->cc.cwnd = r->cc.ssthresh;
	}
	r->cc.ops->on_recovered(&r->cc, now);
	tcp_undo_cancel(&r->undo);
	r->marked = r->sent.nxt;
	return true;
}

static void arm_probe(struct tcp_recover *r, struct instant now)
{
	nanos pto;

	r->probe_at = INSTANT_NEVER;
	if (!r->sack_ok || r->state != TCP_RECOVER_OPEN ||
	    tcp_sent_empty(&r->sent) || !tcp_rack_probe_ok(&r->rack)) {
		return;
	}
	pto = tcp_rack_pto(r->rtt.srtt, r->sent.in_flight <= r->cc.mss);
	r->probe_at = instant_min(instant_add(now, pto), r->rto_at);
}

static void arm_rto(struct tcp_recover *r, struct instant now)
{
	r->rto_at = tcp_sent_empty(&r->sent)
			    ? INSTANT_NEVER
			    : instant_add(now, tcp_rtt_rto(&r->rtt));
}

static void timers(struct tcp_recover *r, struct instant now, bool advanced)
{
	if (advanced) {
		arm_rto(r, now); /* RFC 6298 5.2, 5.3 */
		arm_probe(r, now);
	} else if (r->state != TCP_RECOVER_OPEN) {
		r->probe_at = INSTANT_NEVER;
	}
	if (tcp_sent_empty(&r->sent)) {
		r->reo_at = INSTANT_NEVER;
	}
}

/* the state after the ACK was applied and losses were marked */
static unsigned advance(struct tcp_recover *r, struct instant now,
			uint32_t outstanding)
{
	unsigned ev = 0;

	if (recovering(r) && seq_geq(r->sent.una, r->point)) {
		leave_recovery(r, now);
		ev |= TCP_RECOVER_EV_DONE;
	}
	if (recovering(r)) {
		return ev;
	}
	/* point stays where a comparison with una makes sense */
	if (seq_gt(r->sent.una, r->point)) {
		r->point = r->sent.una - 1;
	}
	settle(r);
	if (r->sent.n_lost > tcp_mtup_excused(&r->mtup, &r->sent)) {
		enter_recovery(r, now, outstanding);
		ev |= TCP_RECOVER_EV_FAST;
	}
	return ev;
}

unsigned tcp_recover_ack(struct tcp_recover *r, const struct tcp_recover_ack *a)
{
	struct tcp_sent_in in = {
		.now = a->now,
		.ack = a->ack,
		.sack = a->sack,
		.n_sack = r->sack_ok ? a->n_sack : 0,
		.echo_before = a->echo_before,
		.min_rtt = tcp_rtt_min(&r->rtt),
	};
	struct tcp_sent_out o;
	uint32_t before = flight(r), delivered, lost;
	uint32_t outstanding = tcp_sent_outstanding(&r->sent);
	bool was = r->state == TCP_RECOVER_RECOVERY, dup;
	unsigned ev = 0;

	if (a->ack - r->sent.una > outstanding) {
		return 0;
	}
	dup = a->ack == r->sent.una && !a->has_data && !a->wnd_changed &&
	      a->n_sack == 0;
	tcp_sent_ack(&r->sent, &in, &o);
	delivered = r->sack_ok ? o.delivered : count_reno(r, a, &o);
	take_rtt(r, a, &o);
	if (o.acked > 0) {
		tcp_rtt_progress(&r->rtt);
		ev |= TCP_RECOVER_EV_PROGRESS;
	}
	ev |= o.dsack ? TCP_RECOVER_EV_DSACK : 0;
	tcp_rack_update(&r->rack, a->now, &o, r->sent.una, r->sent.nxt);
	r->marked = seq_max(r->marked, r->sent.una - 1);
	/* The tail loss probe brought the only lost segment: a loss that is
	 * over already (RFC 8985 7.4.2). */
	if (tcp_rack_probe_ack(&r->rack, a->ack, &o, dup) &&
	    reduce(r, a->now, outstanding)) {
		ev |= TCP_RECOVER_EV_REPAIRED;
	}
	ev |= check_undo(r, a, &o);
	lost = detect(r, a->now, o.acked > 0, &ev);
	ev |= advance(r, a->now, outstanding);
	if (a->marked && reduce(r, a->now, outstanding)) {
		ev |= TCP_RECOVER_EV_MARKED;
	}
	if (r->state == TCP_RECOVER_RECOVERY) {
		prr(r, delivered, was && o.acked > 0 && lost == 0);
	}
	tell_cc(r, a, &o, delivered, before);
	timers(r, a->now, o.acked > 0);
	return ev;
}

/* --- sending ----------------------------------------------------------------- */

static void spend(struct tcp_recover *r, uint32_t len)
{
	uint32_t few;

	if (r->state == TCP_RECOVER_RECOVERY) {
		tcp_prr_sent(&r->prr, len);
	}
	r->flight_max = max_u32(r->flight_max, r->sent.in_flight);
	/* less than a burst left: the sender may wait for more, and that is
	 * the window's doing too */
	few = max_u32(r->cc.mss, min_u32(r->cc.cwnd / 4, TCP_SENT_BURST));
	if (quota(r) < few) {
		r->limited = true;
	}
}

bool tcp_recover_sent(struct tcp_recover *r, struct instant now, uint32_t len,
		      uint16_t mss, bool app_limited)
{
	bool was_empty = tcp_sent_empty(&r->sent);

	if (!tcp_sent_add(&r->sent, now, len, mss,
			  app_limited || tcp_rate_limited(&r->rate))) {
		return false;
	}
	if (was_empty) {
		tcp_rate_restart(&r->rate, now);
	}
	tcp_sent_at(&r->sent, r->sent.n - 1)->rate_from = r->rate.from;
	r->last_sent = now;
	tcp_frto_sent(&r->frto);
	spend(r, len);
	if (was_empty || instant_never(r->rto_at)) {
		arm_rto(r, now); /* RFC 6298 5.1 */
	}
	arm_probe(r, now);
	return true;
}

struct tcp_sent_entry *tcp_recover_next(struct tcp_recover *r, uint32_t max)
{
	return tcp_frto_holds(&r->frto) ? NULL :
					  tcp_sent_next_lost(&r->sent, max);
}

void tcp_recover_no_new(struct tcp_recover *r)
{
	tcp_frto_no_new(&r->frto);
}

uint32_t tcp_recover_due(const struct tcp_recover *r)
{
	return tcp_frto_holds(&r->frto) ? 0 : r->sent.n_lost;
}

void tcp_recover_resent(struct tcp_recover *r, struct instant now,
			struct tcp_sent_entry *e, uint16_t mss)
{
	bool head = e->seq == r->sent.una;

	tcp_sent_resent(&r->sent, e, now, mss);
	e->rate_from = r->rate.from;
	e->app_limited = tcp_rate_limited(&r->rate);
	r->last_sent = now;
	tcp_undo_resent(&r->undo, now, e->seq, e->len);
	spend(r, e->len);
	/* the head gets its full time to be acknowledged again */
	if (head || instant_never(r->rto_at)) {
		arm_rto(r, now);
	}
}

/* --- timers ------------------------------------------------------------------- */

struct instant tcp_recover_deadline(const struct tcp_recover *r,
				    enum tcp_recover_timer *which)
{
	struct instant at = r->rto_at;
	enum tcp_recover_timer w = TCP_RECOVER_T_RTO;

	if (!instant_before(at, r->probe_at)) {
		at = r->probe_at;
		w = TCP_RECOVER_T_PROBE;
	}
	if (!instant_before(at, r->reo_at)) {
		at = r->reo_at;
		w = TCP_RECOVER_T_REO;
	}
	if (which) {
		*which = instant_never(at) ? TCP_RECOVER_T_NONE : w;
	}
	return at;
}

static bool fire_reo(struct tcp_recover *r, struct instant now, unsigned *ev)
{
	uint32_t outstanding = tcp_sent_outstanding(&r->sent);

	r->reo_at = INSTANT_NEVER;
	if (detect(r, now, false, ev) == 0) {
		return false;
	}
	*ev |= advance(r, now, outstanding);
	if (r->state == TCP_RECOVER_RECOVERY) {
		prr(r, 0, false);
	}
	return true;
}

/* RFC 8985 6.3: what left less than a round trip ago may still arrive */
static void mark_timeout(struct tcp_recover *r, struct instant now,
			 bool reneged)
{
	nanos reo = tcp_rack_reo_wnd(&r->rack, true, tcp_rtt_min(&r->rtt),
				     r->rtt.srtt);

	tcp_sent_mark_lost_by(&r->sent, instant_add(now, -r->rack.rtt - reo),
			      reneged);
}

/* RFC 5681 3.1: the first timeout reduces, the next for the same segment leave
 * ssthresh as it is.  Fast recovery has reduced already: another factor is
 * taken only where FlightSize asks for it.  Every one leaves one segment to be
 * sent. */
static void timeout_window(struct tcp_recover *r, struct instant now)
{
	uint32_t was = r->state == TCP_RECOVER_RECOVERY ? r->cc.ssthresh :
							  CC_INF;
	uint32_t out = tcp_sent_outstanding(&r->sent);

	if (r->rtt.timeouts == 1) {
		r->cc.ops->on_rto(&r->cc, now, max_u32(out, 1));
		r->cc.ssthresh = min_u32(r->cc.ssthresh, was);
		tcp_undo_arm(&r->undo, r->sent.una);
	} else {
		r->cc.cwnd = r->cc.mss;
	}
	/* besides what is thought to be on its way */
	r->cc.cwnd += r->sent.in_flight;
}

/* fewer than four segments out, and not in the first slow start (Linux) */
static bool thin(const struct tcp_recover *r)
{
	return r->thin_linear && r->cc.ssthresh != CC_INF &&
	       tcp_sent_outstanding(&r->sent) < 4 * (uint32_t)r->cc.mss;
}

static void timeout(struct tcp_recover *r, struct instant now, unsigned *ev)
{
	bool reneged = tcp_sent_reneged(&r->sent);

	tcp_frto_timeout(&r->frto, r->sack_ok && !reneged &&
					   (!recovering(r) ||
					    tcp_frto_waits(&r->frto)));
	if (thin(r)) {
		tcp_rtt_backoff_thin(&r->rtt);
	} else {
		tcp_rtt_backoff(&r->rtt);
	}
	mark_timeout(r, now, reneged);
	*ev |= reneged ? TCP_RECOVER_EV_RENEGED : 0;
	timeout_window(r, now);
	r->state = TCP_RECOVER_LOSS;
	r->point = r->sent.nxt;
	r->dupacks = 0;
	r->reno = 0;
	tcp_rack_probe_cancel(&r->rack);
	r->reo_at = INSTANT_NEVER;
	r->probe_at = INSTANT_NEVER;
	arm_rto(r, now);
}

enum tcp_recover_timer tcp_recover_fire(struct tcp_recover *r,
					struct instant now, unsigned *ev)
{
	*ev = 0;
	if (instant_due(r->reo_at, now) && fire_reo(r, now, ev)) {
		return TCP_RECOVER_T_REO;
	}
	if (instant_due(r->probe_at, now)) {
		r->probe_at = INSTANT_NEVER;
		if (r->state == TCP_RECOVER_OPEN && !tcp_sent_empty(&r->sent) &&
		    tcp_rack_probe_ok(&r->rack)) {
			return TCP_RECOVER_T_PROBE;
		}
	}
	if (instant_due(r->rto_at, now)) {
		if (tcp_sent_empty(&r->sent)) {
			r->rto_at = INSTANT_NEVER;
			return TCP_RECOVER_T_NONE;
		}
		timeout(r, now, ev);
		return TCP_RECOVER_T_RTO;
	}
	return TCP_RECOVER_T_NONE;
}

struct tcp_sent_entry *tcp_recover_probe(struct tcp_recover *r)
{
	return tcp_sent_tail(&r->sent, r->cc.mss);
}

void tcp_recover_probed(struct tcp_recover *r, struct instant now, bool sent,
			bool rtx)
{
	if (sent) {
		tcp_rack_probe_sent(&r->rack, rtx, r->sent.nxt);
	}
	r->probe_at = INSTANT_NEVER;
	arm_rto(r, now);
}

/* --- changes from outside ------------------------------------------------------ */

void tcp_recover_mss(struct tcp_recover *r, struct instant now, uint16_t mss)
{
	bool lower = mss < r->cc.mss;

	cc_set_mss(&r->cc, mss);
	if (!lower || tcp_sent_empty(&r->sent)) {
		return;
	}
	tcp_sent_mark_all_lost(&r->sent, false);
	if (recovering(r)) {
		leave_recovery(r, now);
	}
	r->state = TCP_RECOVER_LOSS;
	r->point = r->sent.nxt;
	r->dupacks = 0;
	r->reno = 0;
	tcp_undo_cancel(&r->undo);
	tcp_rack_probe_cancel(&r->rack);
	r->reo_at = INSTANT_NEVER;
	r->probe_at = INSTANT_NEVER;
	arm_rto(r, now);
}

void tcp_recover_set_cc(struct tcp_recover *r, const struct cc_ops *cc,
			struct instant now)
{
	bool was_model = r->cc.ops->model;

	if (r->cc.ops == cc) {
		return;
	}
	r->cc.ops = cc;
	r->cc.pacing_rate = 0;
	memset(r->cc.priv, 0, sizeof(r->cc.priv));
	cc->init(&r->cc, now);
	if (was_model && !cc->model && recovering(r)) {
		/* the recovery goes on with PRR, which needs an ssthresh */
		cc->on_loss(&r->cc, now,
			    max_u32(min_u32(tcp_sent_outstanding(&r->sent),
					    r->cc.cwnd), 1));
	}
}
