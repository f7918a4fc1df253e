#include "stack/tcp/tcp_ack.h"

#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_keep.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_persist.h"

uint32_t tcp_ack_window(const struct tcb *tcb, const struct tcp_seg *seg)
{
	return seg->flags & TCP_SYN ? seg->wnd :
				      (uint32_t)seg->wnd << tcb->snd.shift;
}

/* RFC 9293 3.10.7.4: only a segment newer than the last that set the window
 * may set it again.  One that acknowledges more than any before it is newer
 * whatever its number: it may fill a hole.  True: it changed. */
static bool ack_update_window(struct tcb *tcb, const struct tcp_seg *seg)
{
	struct tcp_snd *s = &tcb->snd;
	uint32_t wnd = tcp_ack_window(tcb, seg);
	bool changed;

	if (!seq_gt(seg->ack, tcb->rec.sent.una) &&
	    (seq_lt(seg->seq, s->wl1) ||
	     (seg->seq == s->wl1 && seq_lt(seg->ack, s->wl2)))) {
		return false;
	}
	changed = wnd != s->wnd;
	tcp_persist_heard(tcb, changed && wnd);
	s->wnd = wnd;
	s->wl1 = seg->seq;
	s->wl2 = seg->ack;
	s->max_wnd = max_u32(s->max_wnd, wnd);
	return changed;
}

static void ack_count(struct tcb *tcb, unsigned ev)
{
	if (ev & TCP_RECOVER_EV_FAST) {
		tcb_count(tcb, TCP_FAST_RTX);
		tcp_ecn_reduced(&tcb->ecn);
	}
	if (ev & (TCP_RECOVER_EV_REPAIRED | TCP_RECOVER_EV_MARKED)) {
		tcp_ecn_reduced(&tcb->ecn);
	}
	if (ev & TCP_RECOVER_EV_MARKED) {
		tcb_count(tcb, TCP_ECE_CUT);
	}
	if (ev & TCP_RECOVER_EV_LOST_RTX) {
		tcb_count(tcb, TCP_LOST_RTX);
	}
	if (ev & TCP_RECOVER_EV_FRTO) {
		tcb_count(tcb, TCP_SPURIOUS_RTO);
	}
	if (ev & TCP_RECOVER_EV_UNDO) {
		tcb_count(tcb, TCP_SPURIOUS);
	}
}

/* una moved from `from`: tells the upper, and the state machine when our FIN
 * is covered */
static void ack_progress(struct tcb *tcb, struct instant now, uint32_t from)
{
	uint32_t una = tcb->rec.sent.una;
	bool fin = tcb->snd.fin_sent && una == tcb->snd.end + 1;

	tcb->stats.bytes_acked += una - fin - from;
	if (tcb->snd.has_urg && seq_geq(una, tcb->snd.urg)) {
		tcb->snd.has_urg = false; /* or it comes back with the wrap */
	}
	if (una - fin != from) {
		tcb->upper->acked(tcb->up, now, tcb_ssn(tcb, una - fin));
	}
	if (tcb->dead || !fin) {
		return;
	}
	if (tcb->fsm.state == TCP_LAST_ACK) {
		tcb_end(tcb, now, TCP_END_NORMAL);
		return;
	}
	tcp_fsm_event(&tcb->fsm, TCP_EV_FIN_ACKED);
	if (tcb->fsm.state == TCP_TIME_WAIT) {
		tcb_to_wait(tcb, now);
		return;
	}
	if (tcb->detached) {
		tcb_account(tcb);
		tcp_keep_orphan(tcb, now);
	}
}

void tcp_ack_segment(struct tcb *tcb, struct instant now,
		     const struct tcp_seg *seg)
{
	const struct tcp_opts *o = &seg->opts;
	uint32_t from = tcb->rec.sent.una;
	bool ts = tcb->ts_ok && o->has_ts;
	struct tcp_recover_ack a = {
		.now = now,
		.ack = seg->ack,
		.sack = o->sack,
		.n_sack = tcb->sack_ok ? o->n_sack : 0,
		.has_data = tcp_seg_len(seg) > 0,
		.echo_before = INSTANT_NEVER,
		.echo_rtt = -1,
		.marked = tcp_ecn_asked(&tcb->ecn, seg->flags),
	};

	if (seq_lt(seg->ack, from)) {
		return; /* old: nothing it says is news */
	}
	tcb->soft = TCP_END_NORMAL; /* something gets through */
	a.wnd_changed = ack_update_window(tcb, seg);
	if (!tcp_recover_hears(&tcb->rec, a.n_sack)) {
		return; /* acknowledges nothing */
	}
	if (ts) {
		a.echo_before = tcp_ts_echo_before(&tcb->ts, now, o->ts_ecr);
		a.echo_rtt = tcp_ts_rtt(&tcb->ts, now, o->ts_ecr);
	}
	ack_count(tcb, tcp_recover_ack(&tcb->rec, &a));
	tcp_mtu_check(tcb, now);
	if (tcb->rec.sent.una != from) {
		ack_progress(tcb, now, from);
	}
}

void tcp_ack_room(struct tcb *tcb, struct instant now)
{
	tcp_pace_due(&tcb->pace, now);
	if (!tcb->dead && !tcb->detached && tcp_room(tcb) > 0) {
		tcb->upper->can_send(tcb->up, now);
	}
}
