#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_in.h"
#include "stack/tcp/tcp_keep.h"

/* what of a segment lies in the window and before a FIN seen earlier */
struct in_part {
	uint32_t seq, len;
	const uint8_t *data;
	bool fin; /* the segment's FIN is inside, too */
};

static struct in_part in_trim(const struct tcb *tcb, const struct tcp_seg *seg)
{
	uint32_t wnd = tcp_wnd_acceptable(&tcb->wnd, tcb->rcv.nxt);
	struct in_part p = { seg->seq, seg->len, seg->data,
			     seg->flags & TCP_FIN };
	uint32_t right = tcb->rcv.nxt + wnd;
	uint32_t end = seg->seq + seg->len;

	if (tcb->rcv.has_fin) {
		right = seq_min(right, tcb->rcv.fin_seq);
	}
	if (seq_gt(end, right)) {
		uint32_t cut = end - right;

		p.len = cut < p.len ? p.len - cut : 0;
		p.fin = false;
	}
	return p;
}

static void in_deliver(struct tcb *tcb, struct instant now, struct slice *s)
{
	tcb->rcv.nxt += s->len;
	tcb->stats.bytes_received += s->len;
	s->seq = (uint32_t)s->seq - tcb->rcv.irs;
	tcb->upper->deliver(tcb->up, now, s);
}

/* what was waiting behind it */
static void in_drain(struct tcb *tcb, struct instant now)
{
	while (!tcb->dead && !tcp_reasm_empty(&tcb->reasm)) {
		struct slice *s = tcp_reasm_pop(&tcb->reasm, tcb->rcv.nxt);

		if (!s) {
			break;
		}
		in_deliver(tcb, now, s);
	}
}

static void in_queue(struct tcb *tcb, struct slice *s)
{
	switch (tcp_reasm_insert(&tcb->reasm, tcb->rcv.nxt, s)) {
	case TCP_REASM_OK:
		tcb_count(tcb, TCP_OOO);
		tcb->stats.ooo_in++;
		break;
	case TCP_REASM_DUP:
		tcb_count(tcb, TCP_DUP);
		break;
	case TCP_REASM_FULL:
		tcb_count(tcb, TCP_DROP_OOO);
		break;
	case TCP_REASM_NOMEM:
		tcb_count(tcb, TCP_DROP_NOMEM);
		break;
	}
}

static void in_round_trip(struct tcb *tcb, struct instant now,
			  const struct tcp_seg *seg)
{
	if (tcb->ts_ok && seg->opts.has_ts) {
		tcp_rcvrtt_echo(&tcb->rcvrtt, seg->opts.ts_ecr,
				tcp_ts_rtt(&tcb->ts, now, seg->opts.ts_ecr));
	} else {
		tcp_rcvrtt_window(&tcb->rcvrtt, now, tcb->rcv.nxt,
				  tcp_wnd_acceptable(&tcb->wnd, tcb->rcv.nxt));
	}
}

static void in_payload(struct tcb *tcb, struct instant now,
		       const struct tcp_seg *seg, const struct in_part *p)
{
	bool in_order = p->seq == tcb->rcv.nxt;
	bool gap = !tcp_reasm_empty(&tcb->reasm);
	unsigned flags = (seg->flags & TCP_PSH ? TCP_DELACK_PSH : 0) |
			 (in_order ? 0 : TCP_DELACK_OOO) |
			 (gap ? TCP_DELACK_GAP : 0);
	struct slice *s = slice_make(tcb->tcp->env->mem, seg->pkt, p->data,
				     p->len);

	tcp_delack_data(&tcb->delack, now, p->len, seg->pkt->gso_size, flags,
			tcb->rec.rtt.srtt, tcp_rtt_rto(&tcb->rec.rtt));
	if (!s) {
		tcb_count(tcb, TCP_DROP_NOMEM);
		return;
	}
	s->seq = p->seq;
	if (in_order && !gap) {
		in_round_trip(tcb, now, seg);
		in_deliver(tcb, now, s);
		return;
	}
	if (seq_lt(p->seq, tcb->rcv.nxt)) {
		tcp_reasm_dup(&tcb->reasm, p->seq, tcb->rcv.nxt);
	}
	in_queue(tcb, s);
	in_drain(tcb, now);
}

/* The stream ends at seq: not if octets behind it are held already, or it would
 * never be reached. */
static void in_note_fin(struct tcb *tcb, uint32_t seq)
{
	if (tcb->rcv.has_fin) {
		return;
	}
	if (seq_gt(tcp_reasm_end(&tcb->reasm, seq), seq)) {
		tcb_count(tcb, TCP_DROP_FIN);
		return;
	}
	tcb->rcv.has_fin = true;
	tcb->rcv.fin_seq = seq;
}

/* RFC 9293 3.10.7.4, eighth: the peer's FIN is next in order. */
static void in_fin(struct tcb *tcb, struct instant now)
{
	tcb->rcv.nxt++;
	tcb->rcv.fin = true;
	tcb->owe |= TCP_OWE_ACK;
	tcp_fsm_event(&tcb->fsm, TCP_EV_FIN);
	tcb->upper->fin(tcb->up, now);
	if (tcb->dead) {
		return;
	}
	tcb_account(tcb);
	if (tcb->fsm.state == TCP_TIME_WAIT) {
		/* the ACK is sent by the remainder */
		tcb_to_wait(tcb, now);
	}
}

/* An orphan has nobody to read (RFC 9293 3.6.1: "CLOSE ... and then receives
 * data": the peer must learn that it was lost). */
static bool in_orphan_data(struct tcb *tcb, struct instant now,
			   const struct in_part *p)
{
	if (!tcb->detached || !p->len ||
	    seq_leq(p->seq + p->len, tcb->rcv.nxt)) {
		return false;
	}
	tcb_count(tcb, TCP_DROP_AFTER_CLOSE);
	tcb_reset(tcb, now, TCP_END_ABORTED);
	return true;
}

/* RFC 9293 3.8.5: the pointer says where the last urgent octet is; here, as in
 * Linux and with everybody (RFC 6093 3.1), what is behind it. */
static void in_urgent(struct tcb *tcb, const struct tcp_seg *seg)
{
	uint32_t at = seg->seq + seg->urg - 1;

	tcb_count(tcb, TCP_URG_IN);
	if (seg->urg && tcb->upper->urgent && seq_geq(at, tcb->rcv.nxt) &&
	    !(tcb->rcv.has_fin && seq_geq(at, tcb->rcv.fin_seq))) {
		tcb->upper->urgent(tcb->up, at - tcb->rcv.irs);
	}
}

void tcp_in_data(struct tcb *tcb, struct instant now,
		 const struct tcp_seg *seg)
{
	struct in_part p;

	if (!tcp_fsm_can_receive(&tcb->fsm)) {
		/* after the peer's FIN: nothing new can be in it */
		if (seg->len) {
			tcb_count(tcb, TCP_DROP_FIN);
		}
		return;
	}
	p = in_trim(tcb, seg);
	if (in_orphan_data(tcb, now, &p)) {
		return;
	}
	if (seg->flags & TCP_URG) {
		in_urgent(tcb, seg);
	}
	if (p.fin) {
		in_note_fin(tcb, p.seq + p.len);
	}
	if (p.len) {
		tcp_label_data(tcb, seg);
		in_payload(tcb, now, seg, &p);
	} else if (seg->len || seg->flags & TCP_FIN) {
		tcb->owe |= TCP_OWE_ACK;
	}
	if (!tcb->dead && tcb->rcv.has_fin && !tcb->rcv.fin &&
	    tcb->rcv.nxt == tcb->rcv.fin_seq) {
		in_fin(tcb, now);
	}
}
