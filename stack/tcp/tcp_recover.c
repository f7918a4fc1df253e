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
 * What leaves is in tcp_recover_send.c, what timers do in tcp_recover_fire.c.
 */
#include "stack/tcp/tcp_recover_part.h"

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
	tcp_round_init(&r->round, seq);
	tcp_undo_init(&r->undo, seq);
	tcp_alarm_init(&r->alarm);
	r->last_sent = now;
}

void tcp_recover_fini(struct tcp_recover *r)
{
	tcp_sent_fini(&r->sent);
	tcp_alarm_init(&r->alarm);
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

/* The window was reduced, and the peer cannot know it yet: only what follows
 * `marked` tells it (CWR). */
static bool answered(const struct tcp_recover *r)
{
	return seq_leq(r->sent.una, r->marked);
}

void tcp_recover_prr(struct tcp_recover *r, uint32_t delivered, bool moved)
{
	uint32_t pipe = tcp_recover_flight(r);

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
	r->alarm.probe = INSTANT_NEVER;
}

static void settle(struct tcp_recover *r)
{
	bool odd = r->sent.n_sacked > 0 || r->newreno.dupacks > 0;

	r->state = odd ? TCP_RECOVER_DISORDER : TCP_RECOVER_OPEN;
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
	tcp_newreno_reset(&r->newreno);
	tcp_rack_recovered(&r->rack);
	settle(r);
}

static unsigned undo(struct tcp_recover *r, struct instant now)
{
	/* a timeout is no sign of another order: it was delay */
	r->rack.reordering |= r->state != TCP_RECOVER_LOSS;
	if (tcp_recover_recovering(r)) {
		/* PRR had moved cwnd down to what is in flight */
		leave_recovery(r, now);
	}
	r->cc.ops->undo(&r->cc, now);
	cc_set_mss(&r->cc, r->cc.mss); /* segments may have grown since */
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
			 tcp_recover_recovering(r))) {
		return undo(r, a->now);
	}
	frto = tcp_frto_ack(&r->frto, o, r->sent.una, r->sent.nxt, &r->point,
			    dup);
	return frto && r->undo.ok ? undo(r, a->now) | TCP_RECOVER_EV_FRTO : 0;
}

/* --- an acknowledgement ----------------------------------------------------- */

/* Without SACK.  Returns the octets newly delivered. */
static uint32_t count_newreno(struct tcp_recover *r,
			      const struct tcp_recover_ack *a, uint32_t acked)
{
	uint32_t left = tcp_sent_outstanding(&r->sent);

	if (acked > 0) {
		return tcp_newreno_acked(&r->newreno, acked, left, r->cc.mss);
	}
	/* after a timeout duplicates answer what is sent again */
	if (a->has_data || a->wnd_changed || a->n_sack > 0 || left == 0 ||
	    r->state == TCP_RECOVER_LOSS) {
		return 0;
	}
	return tcp_newreno_dup(&r->newreno, left, r->cc.mss);
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
static uint32_t find_lost(struct tcp_recover *r, struct instant now,
			  bool advanced, unsigned *ev)
{
	bool in = tcp_recover_recovering(r), rtx = false, may;
	uint32_t n;

	if (r->sack_ok) {
		bool waiting =
			in || r->sent.sacked_segs >= TCP_RACK_DUPTHRESH;
		nanos reo = tcp_rack_reo_wnd(&r->rack, waiting,
					     tcp_rtt_min(&r->rtt), r->rtt.srtt);

		n = tcp_rack_detect(&r->rack, &r->sent, now, reo, &rtx,
				    &r->alarm.reo);
		*ev |= rtx ? TCP_RECOVER_EV_LOST_RTX : 0;
		return n;
	}
	may = r->state != TCP_RECOVER_LOSS && seq_gt(r->sent.una, r->point);
	return tcp_newreno_detect(&r->newreno, &r->sent, (uint16_t)r->cc.mss,
				  r->state == TCP_RECOVER_RECOVERY, advanced,
				  may);
}

uint32_t tcp_recover_detect(struct tcp_recover *r, struct instant now,
			    bool advanced, unsigned *ev)
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
	c->flight = tcp_recover_flight(r);
	c->lost = r->rate.lost;
}

/* before: octets in flight before the ACK; loss: it came after a timeout */
static void tell_cc(struct tcp_recover *r, const struct tcp_recover_ack *a,
		    const struct tcp_sent_out *o, uint32_t delivered,
		    uint32_t before, bool loss)
{
	struct cc_ack c = {
		.now = a->now,
		.acked = delivered,
		.in_flight = before,
		.rtt = o->rtt_newest,
		.srtt = r->rtt.srtt,
		.min_rtt = tcp_rtt_min(&r->rtt),
	};

	/* A duplicate ACK may be the first sign of a loss: no growth (RFC
	 * 5681 3.2), unless the path is known to reorder. */
	c.in_recovery = r->state == TCP_RECOVER_RECOVERY ||
			answered(r) ||
			(o->acked == 0 && !r->rack.reordering);
	c.round_start = o->acked > 0 &&
			tcp_round_ack(&r->round, r->sent.una, r->sent.nxt,
				      r->sent.in_flight);
	c.cwnd_limited =
		tcp_round_limited(&r->round, r->cc.cwnd, r->cc.ssthresh);
	if (delivered == 0) {
		return;
	}
	if (loss && !r->cc.ops->model) {
		/* what left before the timeout does not tell how much may leave
		 * now (RFC 5682 3.1 step 2a, RFC 3465 2.3) */
		c.acked -= min_u32(o->late, c.acked);
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
	if (tcp_recover_recovering(r) || answered(r) || outstanding == 0) {
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

static void timers(struct tcp_recover *r, struct instant now, bool advanced)
{
	if (advanced) {
		tcp_recover_arm_rto(r, now); /* RFC 6298 5.2, 5.3 */
		tcp_recover_arm_probe(r, now);
	} else if (r->state != TCP_RECOVER_OPEN) {
		r->alarm.probe = INSTANT_NEVER;
	}
	if (tcp_sent_empty(&r->sent)) {
		r->alarm.reo = INSTANT_NEVER;
	}
}

unsigned tcp_recover_advance(struct tcp_recover *r, struct instant now,
			     uint32_t outstanding)
{
	unsigned ev = 0;

	if (tcp_recover_recovering(r) && seq_geq(r->sent.una, r->point)) {
		leave_recovery(r, now);
		ev |= TCP_RECOVER_EV_DONE;
	}
	if (tcp_recover_recovering(r)) {
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
	uint32_t before = tcp_recover_flight(r), delivered, lost;
	uint32_t outstanding = tcp_sent_outstanding(&r->sent);
	bool was = r->state == TCP_RECOVER_RECOVERY, dup, loss;
	unsigned ev = 0;

	if (a->ack - r->sent.una > outstanding) {
		return 0;
	}
	dup = a->ack == r->sent.una && !a->has_data && !a->wnd_changed &&
	      a->n_sack == 0;
	tcp_sent_ack(&r->sent, &in, &o);
	delivered = r->sack_ok ? o.delivered : count_newreno(r, a, o.acked);
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
	loss = r->state == TCP_RECOVER_LOSS;
	lost = tcp_recover_detect(r, a->now, o.acked > 0, &ev);
	ev |= tcp_recover_advance(r, a->now, outstanding);
	if (a->marked && reduce(r, a->now, outstanding)) {
		ev |= TCP_RECOVER_EV_MARKED;
	}
	if (r->state == TCP_RECOVER_RECOVERY) {
		tcp_recover_prr(r, delivered, was && o.acked > 0 && lost == 0);
	}
	tell_cc(r, a, &o, delivered, before, loss);
	timers(r, a->now, o.acked > 0);
	return ev;
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
	tcp_mtup_resent(&r->mtup);
	if (tcp_recover_recovering(r)) {
		leave_recovery(r, now);
	}
	r->state = TCP_RECOVER_LOSS;
	r->point = r->sent.nxt;
	tcp_newreno_reset(&r->newreno);
	tcp_undo_cancel(&r->undo);
	tcp_rack_probe_cancel(&r->rack);
	tcp_alarm_rto_only(&r->alarm, now, tcp_rtt_rto(&r->rtt));
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
	if (was_model) {
		r->marked = r->sent.una - 1; /* no ssthresh came of it */
	}
	if (was_model && !cc->model && tcp_recover_recovering(r)) {
		/* the recovery goes on with PRR, which needs an ssthresh */
		cc->on_loss(&r->cc, now,
			    max_u32(min_u32(tcp_sent_outstanding(&r->sent),
					    r->cc.cwnd), 1));
	}
}
