#include "stack/tcp/tcp_in.h"

#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_ack.h"
#include "stack/tcp/tcp_keep.h"
#include "stack/tcp/tcp_listen.h"
#include "stack/tcp/tcp_timer.h"
#include "stack/tcp/tcp_wait.h"

void tcp_in_challenge(struct tcb *tcb, struct instant now)
{
	if (!tcp_guard_allow(&tcb->guard, &tcb->tcp->challenges, now)) {
		tcb_count(tcb, TCP_CHALLENGE_SKIP);
		return;
	}
	tcb_count(tcb, TCP_CHALLENGE_ACK);
	tcb->owe |= TCP_OWE_ACK;
}

bool tcp_in_upper(struct tcb *tcb, struct instant now,
		  const struct tcp_seg *seg)
{
	switch (tcb->upper->segment(tcb->up, now, seg,
				    tcp_ack_window(tcb, seg))) {
	case TCP_UP_OK:
		break;
	case TCP_UP_DROP:
		tcb_count(tcb, TCP_DROP_UPPER);
		return false;
	case TCP_UP_RESET:
		tcb_reset(tcb, now, TCP_END_ABORTED);
		break;
	}
	return !tcb->dead;
}

/* An ACK in answer to a segment out of place; to a bare ACK not each time, or
 * two ends that disagree would go on for ever. */
static void in_answer(struct tcb *tcb, struct instant now,
		      const struct tcp_seg *seg)
{
	if (tcp_seg_len(seg) || tcp_guard_spaced(&tcb->strange, now)) {
		tcb->owe |= TCP_OWE_ACK;
	} else {
		tcb_count(tcb, TCP_ACK_SKIP);
	}
}

/* First: sequence number (and before it PAWS, RFC 7323 5.3).  An unacceptable
 * segment is answered with an ACK unless it is a reset. */
static bool in_check_seq(struct tcb *tcb, struct instant now,
			 struct tcp_seg *seg)
{
	uint32_t wnd = tcp_wnd_acceptable(&tcb->wnd, tcb->rcv.nxt);
	bool rst = seg->flags & TCP_RST;

	if (tcb->ts_ok && seg->opts.has_ts && !rst &&
	    tcp_ts_paws(&tcb->ts, now, seg->opts.ts_val)) {
		tcb_count(tcb, TCP_DROP_PAWS);
		in_answer(tcb, now, seg);
		return false;
	}
	/* a reset's data are none of the stream, nor in the way of it */
	if (tcp_guard_seq(seg->seq, rst ? 0 : tcp_seg_len(seg), tcb->rcv.nxt,
			  wnd)) {
		return true;
	}
	if (rst) {
		tcb_count(tcb, TCP_DROP_RST);
		return false;
	}
	in_answer(tcb, now, seg);
	if (wnd == 0 && seg->seq == tcb->rcv.nxt) {
		/* RFC 9293 3.10.7.4: with a shut window a valid ACK is still
		 * taken */
		tcb_count(tcb, TCP_DROP_WINDOW);
		seg->len = 0;
		seg->flags &= (uint8_t)~(TCP_FIN | TCP_PSH | TCP_URG);
		return true;
	}
	if (seg->len && seq_leq(seg->seq + seg->len, tcb->rcv.nxt)) {
		/* our ACK was lost, or the peer's timer was early */
		tcb_count(tcb, TCP_DUP);
		tcp_reasm_dup(&tcb->reasm, seg->seq, seg->seq + seg->len);
		tcp_delack_quick(&tcb->delack);
		tcp_label_dup(tcb, seg);
	} else if (tcp_seg_len(seg)) {
		tcb_count(tcb, TCP_DROP_WINDOW);
	}
	return false;
}

/* Second: RST (RFC 5961 3.2). */
static void in_reset(struct tcb *tcb, struct instant now,
		     const struct tcp_seg *seg)
{
	uint32_t wnd = tcp_wnd_acceptable(&tcb->wnd, tcb->rcv.nxt);
	enum tcp_end end = TCP_END_RESET;

	switch (tcp_guard_rst(seg->seq, tcb->rcv.nxt, wnd)) {
	case TCP_GUARD_RESET:
		break;
	case TCP_GUARD_CHALLENGE:
		tcb_count(tcb, TCP_DROP_RST);
		tcp_in_challenge(tcb, now);
		return;
	case TCP_GUARD_DROP:
		tcb_count(tcb, TCP_DROP_RST);
		return;
	}
	if (tcb->fsm.state == TCP_SYN_RECEIVED) {
		tcb_count(tcb, TCP_ATTEMPT_FAILS);
		end = tcb->passive ? TCP_END_RESET : TCP_END_REFUSED;
	} else {
		/* options may say why; the verdict changes nothing */
		tcb->upper->segment(tcb->up, now, seg, tcb->snd.wnd);
	}
	tcb_end(tcb, now, end);
}

/* Fourth, but first of all: a SYN, whatever its number (RFC 5961 4.2).  In
 * SYN-RECEIVED it may be the peer's own again: our SYN-ACK got lost, or both
 * opened at once (RFC 9293 figure 8); the latter becomes a plain ACK.  True:
 * dealt with. */
static bool in_syn(struct tcb *tcb, struct instant now, struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_SYN) || seg->flags & TCP_RST) {
		return false;
	}
	if (tcb->tfo && tcb->tfo->wait && seg->seq == tcb->rcv.irs &&
	    !(seg->flags & TCP_ACK)) {
		/* RFC 7413 4.2.1: the peer has not heard our SYN-ACK, and
		 * leaves its data out */
		tcb->owe |= TCP_OWE_SYN;
		return true;
	}
	if (tcb->fsm.state != TCP_SYN_RECEIVED || seg->seq != tcb->rcv.irs) {
		tcb_count(tcb, TCP_DROP_SYN);
		tcp_in_challenge(tcb, now);
		return true;
	}
	if (!(seg->flags & TCP_ACK)) {
		if (tcb->passive && !tcp_in_upper(tcb, now, seg)) {
			return true;
		}
		tcb->owe |= TCP_OWE_SYN;
		tcp_label_change(tcb);
		tcp_ecn_syn_again(&tcb->ecn, seg->flags);
		if (tcb->ts_ok && seg->opts.has_ts) { /* echo this one */
			tcp_ts_update(&tcb->ts, now, seg->opts.ts_val,
				      seg->seq, seg->seq);
		}
		return true;
	}
	seg->flags &= (uint8_t)~TCP_SYN;
	seg->seq++;
	/* a SYN's window is not scaled; the next segment brings the real one */
	seg->wnd = (uint16_t)(seg->wnd >> tcb->snd.shift);
	return false;
}

/* Fifth, before its meaning: may this ACK be one? (RFC 5961 5.2) */
static bool in_check_ack(struct tcb *tcb, struct instant now,
			 const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_ACK)) {
		tcb_count(tcb, TCP_DROP_NO_ACK);
		return false;
	}
	if (tcb->fsm.state == TCP_SYN_RECEIVED) {
		return tcp_in_open_ack(tcb, now, seg);
	}
	if (!tcp_guard_ack(seg->ack, tcb->rec.sent.una, tcb->rec.sent.nxt,
			   tcb->snd.max_wnd)) {
		tcb_count(tcb, TCP_DROP_ACK);
		tcp_in_challenge(tcb, now);
		return false;
	}
	return tcp_in_upper(tcb, now, seg);
}

/* RFC 3168 6.1.3 */
static void in_marks(struct tcb *tcb, const struct tcp_seg *seg)
{
	if ((seg->tos & TCP_ECN_MASK) == TCP_ECN_CE && seg->len) {
		tcb_count(tcb, TCP_CE_IN);
	}
	switch (tcp_ecn_in(&tcb->ecn, seg->flags, seg->tos, seg->len)) {
	case TCP_ECN_NOTHING:
		break;
	case TCP_ECN_MARKED:
		tcp_delack_quick(&tcb->delack);
		break;
	case TCP_ECN_CALMED:
		/* its window may be too small to bring a second segment */
		tcb->owe |= TCP_OWE_ACK;
		break;
	}
}

static void in_segment(struct tcb *tcb, struct instant now,
		       const struct tcp_seg *in)
{
	struct tcp_seg copy, *seg = &copy;

	if (tcb->fsm.state == TCP_SYN_SENT) {
		tcp_in_open_syn_sent(tcb, now, in);
		return;
	}
	copy = *in;
	if (in_syn(tcb, now, seg) || !in_check_seq(tcb, now, seg)) {
		return;
	}
	if (seg->flags & TCP_RST) {
		in_reset(tcb, now, seg);
		return;
	}
	if (!in_check_ack(tcb, now, seg)) {
		return;
	}
	tcb->rcv.last = now;
	if (tcb->tfo) {
		tcp_tfo_heard(tcb);
	}
	tcp_keep_heard(tcb);
	if (tcb->ts_ok && seg->opts.has_ts) {
		tcp_ts_update(&tcb->ts, now, seg->opts.ts_val, seg->seq,
			      tcb->rcv.last_ack);
	}
	in_marks(tcb, seg);
	tcp_ack_segment(tcb, now, seg);
	if (!tcb->dead && (seg->len || seg->flags & (TCP_FIN | TCP_URG))) {
		tcp_in_data(tcb, now, seg);
	}
	tcp_ack_room(tcb, now);
}

void tcp_input(struct tcp *tcp, struct instant now, const struct tcp_seg *seg,
	       bool (*join)(void *ctx, struct instant now,
			    const struct tcp_seg *syn),
	       void *join_ctx)
{
	struct tcp_entry *e = tcp_demux_find(&tcp->demux, &seg->t);
	struct tcb *tcb;

	tcp->counter[TCP_IN_SEGS]++;
	if (e && e->timewait) {
		if (tcp_wait_input(tcp, now, e, seg) == TCP_WAIT_DONE) {
			return;
		}
		e = NULL;
	}
	if (!e) {
		e = tcp_listen_input(tcp, now, seg, join, join_ctx);
		tcp->has_isn_floor = false;
		if (!e) {
			return;
		}
	}
	tcb = container_of(e, struct tcb, entry);
	if (seg->ttl < tcb->conf.min_ttl) { /* RFC 5082 */
		tcb_count(tcb, TCP_DROP_TTL);
		return;
	}
	tcb_enter(tcb);
	tcb->stats.segs_in++;
	tcb->stats.data_segs_in += seg->len > 0;
	in_segment(tcb, now, seg);
	if (!tcb->dead) {
		tcb_ready(tcb);
		tcp_timer_update(tcb, now);
	}
	tcb_leave(tcb);
}
