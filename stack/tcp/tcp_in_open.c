#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_ack.h"
#include "stack/tcp/tcp_in.h"
#include "stack/tcp/tcp_mtu.h"

/* Round trip of the handshake, -1 when a SYN went out twice (Karn's rule), or
 * when nobody remembers when (SYN cookies).
 * Timestamps do not tell the copies apart: a SYN-ACK that was lost and sent
 * again echoes a SYN of long ago, and would leave an RTO of three times that
 * to a side that then only receives. */
static nanos open_rtt(const struct tcb *tcb, struct instant now)
{
	return tcb->syns == 1 && !tcb->restored ?
		       instant_since(now, tcb->snd.last) :
		       -1;
}

/* both SYNs are acknowledged */
static void open_done(struct tcb *tcb, struct instant now)
{
	bool held = tcp_defer_held(&tcb->defer);
	nanos rtt = held ? tcp_defer_rtt(&tcb->defer) : open_rtt(tcb, now);
	bool lost = held ? rtt < 0 && !tcb->restored : tcb->syns > 1;

	tcb->snd.syn_acked = true;
	tcp_fsm_event(&tcb->fsm, TCP_EV_OPEN);
	tcp_mtu_update(tcb, now);
	tcp_recover_start(&tcb->rec, now, (uint16_t)tcb_mss(tcb), tcb->sack_ok,
			  rtt, lost);
	tcb->owe &= (uint8_t)~TCP_OWE_SYN;
	tcb->upper->established(tcb->up, now);
	if (!tcb->dead && tcb->snd.fin) {
		tcp_fsm_event(&tcb->fsm, TCP_EV_CLOSE);
		tcb_account(tcb);
	}
}

/* RFC 9293 3.10.7.3, first and second.  True: go on. */
static bool open_check(struct tcb *tcb, struct instant now,
		       const struct tcp_seg *seg)
{
	bool ack = seg->flags & TCP_ACK;

	if (ack && !(tcb->snd.syn_sent && tcp_tfo_acceptable(tcb, seg->ack))) {
		tcb_count(tcb, TCP_DROP_ACK);
		tcp_reset_seg(tcb->tcp, seg, NULL, 0);
		return false;
	}
	if (seg->flags & TCP_RST) {
		if (!ack) {
			tcb_count(tcb, TCP_DROP_RST);
			return false;
		}
		tcb_count(tcb, TCP_ATTEMPT_FAILS);
		tcb->upper->segment(tcb->up, now, seg, seg->wnd);
		tcb_end(tcb, now, TCP_END_REFUSED);
		return false;
	}
	if (!(seg->flags & TCP_SYN) || seg->flags & TCP_FIN) {
		tcb_count(tcb, TCP_DROP_FLAGS);
		return false;
	}
	return true;
}

/* Who will write at once, as TCP_QUICKACK 0 or TCP_DEFER_ACCEPT say, needs no
 * ACK of its own. */
static void open_answer(struct tcb *tcb, struct instant now)
{
	if (tcb->delack.pingpong || tcb->conf.defer_accept) {
		tcp_delack_first(&tcb->delack, now);
	} else {
		tcb->owe |= TCP_OWE_ACK;
	}
}

void tcp_in_open_syn_sent(struct tcb *tcb, struct instant now,
			  const struct tcp_seg *seg)
{
	/* Payload in a SYN is not taken: it will come again. */
	if (!open_check(tcb, now, seg)) {
		return;
	}
	tcb_peer_syn(tcb, now, seg);
	tcp_wnd_start(&tcb->wnd, tcb->rcv.nxt);
	if (!tcp_in_upper(tcb, now, seg)) {
		return;
	}
	if (seg->flags & TCP_ACK) {
		tcb->snd.wl2 = seg->ack;
		open_answer(tcb, now);
		open_done(tcb, now);
		if (tcb->tfo && !tcb->dead) {
			tcp_tfo_synack(tcb, now, seg);
		}
		tcp_ack_room(tcb, now);
		return;
	}
	tcb_count(tcb, TCP_SIMULTANEOUS);
	tcp_fsm_event(&tcb->fsm, TCP_EV_SYN);
	tcb->owe |= TCP_OWE_SYN;
}

/* RFC 9293 3.10.7.4, fifth, SYN-RECEIVED */
bool tcp_in_open_ack(struct tcb *tcb, struct instant now,
		     const struct tcp_seg *seg)
{
	bool bare;

	if (!tcb->snd.syn_sent || !tcp_tfo_acceptable(tcb, seg->ack)) {
		tcb_count(tcb, TCP_DROP_ACK);
		tcp_reset_seg(tcb->tcp, seg, NULL, 0);
		return false;
	}
	bare = tcp_defer_bare(tcb, seg);
	/* the first is heard by the upper: its options may not come again */
	if (!(bare && tcp_defer_held(&tcb->defer)) &&
	    !tcp_in_upper(tcb, now, seg)) {
		return false;
	}
	if (bare) {
		tcp_defer_hold(tcb, open_rtt(tcb, now));
		return false;
	}
	tcb->snd.wnd = tcp_ack_window(tcb, seg);
	tcb->snd.max_wnd = max_u32(tcb->snd.max_wnd, tcb->snd.wnd);
	tcb->snd.wl1 = seg->seq;
	tcb->snd.wl2 = seg->ack;
	open_done(tcb, now);
	if (tcb->tfo && !tcb->dead) {
		tcp_tfo_synack(tcb, now, seg);
	}
	return !tcb->dead;
}

void tcp_in_open_early(struct tcb *tcb, struct instant now)
{
	open_done(tcb, now);
	if (!tcb->dead) {
		tcb->owe |= TCP_OWE_SYN;
	}
}
