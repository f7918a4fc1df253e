#include "stack/tcp/tcp_out_seg.h"

#include "stack/base/check.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_txopt.h"

bool tcp_out_gso(const struct tcb *tcb)
{
	const struct ip_path *p = ip_path(tcb->tcp->ip, tcb->path);

	return p && p->gso;
}

static void out_start(struct tcb *tcb, struct tcp_seg_desc *d, uint32_t seq,
		      uint8_t flags)
{
	bool syn = flags & TCP_SYN;
	uint32_t room = tcb->upper->window(tcb->up);

	d->t = &tcb->entry.t;
	d->path = tcb->path;
	d->ttl = tcb->conf.ttl;
	d->tos = tcb->conf.tos & 0xfc;
	d->may_fragment = tcb->conf.may_fragment;
	d->flow = tcb->label.now;
	d->flags = flags;
	d->seq = seq;
	d->ack = flags & TCP_ACK ? tcb->rcv.nxt : 0;
	d->wnd = tcp_wnd_field(&tcb->wnd, tcb->rcv.nxt, room, tcb->mss.ours,
			       syn);
	d->urg = 0;
	d->len = 0;
	d->n_iov = 0;
	d->mss = tcb->mss.base;
}

static void out_done(struct tcb *tcb, struct instant now,
		     const struct tcp_seg_desc *d)
{
	uint32_t n = tcp_seg_count(d->len, d->mss);

	tcb->stats.segs_out += n;
	tcb->stats.data_segs_out += d->len ? n : 0;
	tcb->tcp->counter[TCP_OUT_SEGS] += n;
	if (d->flags & TCP_ACK) {
		tcb->owe &= (uint8_t)~TCP_OWE_ACK;
		tcb->rcv.last_ack = tcb->rcv.nxt;
		tcp_delack_sent(&tcb->delack, now, d->len > 0);
	}
}

void tcp_out_pure(struct tcb *tcb, struct instant now,
		     struct tcp_seg_desc *d, bool probe, bool forced)
{
	struct tcp_tx tx = { .kind = TCP_TX_ACK,
			     .probe = probe,
			     .forced = forced,
			     .ssn = tcb_ssn(tcb, tcb_nxt(tcb)),
			     .now = now };
	uint32_t seq = probe ? tcb_una(tcb) - 1 : tcb_bare_seq(tcb);

	out_start(tcb, d, seq, TCP_ACK | tcp_ecn_flags(&tcb->ecn, false));
	d->opt_len = tcp_txopt_write(tcb, &tx, true, d->opt);
	out_done(tcb, now, d);
}

/* A number for the urgent pointer counts from the segment's own (RFC 6093
 * leaves its meaning as it was: the octet behind the last urgent one). */
static void out_urgent(const struct tcb *tcb, struct tcp_seg_desc *d)
{
	uint32_t ahead = tcb->snd.urg - d->seq;

	if (tcb->snd.has_urg && seq_gt(tcb->snd.urg, d->seq) &&
	    ahead <= UINT16_MAX) {
		d->flags |= TCP_URG;
		d->urg = (uint16_t)ahead;
	}
}

/* Writes options for r, shortening it when they leave less room in a single
 * segment than thought. */
static void out_options(struct tcb *tcb, struct instant now,
			struct tcp_out_range *r, struct tcp_seg_desc *d, bool gso)
{
	for (;;) {
		struct tcp_tx tx = { .kind = r->len ? TCP_TX_DATA : TCP_TX_ACK,
				     .retransmit = r->retransmit,
				     .ssn = tcb_ssn(tcb, r->seq),
				     .len = r->len,
				     .now = now };
		uint32_t room;

		d->opt_len = tcp_txopt_write(tcb, &tx, true, d->opt);
		room = (r->room ? r->room : tcb->mss.base) - d->opt_len;
		d->mss = room;
		if ((gso && !r->room) || r->len <= room) {
			break;
		}
		r->len = room;
		r->fin = false;
	}
	if (r->len) {
		tcb->mss.opt = d->opt_len;
	}
}

/* the octet before seq is one of r */
static bool out_within(const struct tcp_out_range *r, uint32_t seq)
{
	return seq_lt(r->seq, seq) && seq_leq(seq, r->seq + r->len);
}

bool tcp_out_range(struct tcb *tcb, struct instant now, struct tcp_out_range *r,
		      struct tcp_seg_desc *d)
{
	bool fresh = r->len && !r->retransmit;

	out_start(tcb, d, r->seq, TCP_ACK | tcp_ecn_flags(&tcb->ecn, fresh));
	d->tos |= tcp_ecn_codepoint(&tcb->ecn, fresh,
				    !tcb->rec.cc.ops->model);
	out_options(tcb, now, r, d, tcp_out_gso(tcb));
	d->len = r->len;
	if (r->len) {
		d->n_iov = tcb->upper->payload(tcb->up, tcb_ssn(tcb, r->seq),
					       r->len, d->iov);
		if (d->n_iov == 0) {
			tcb_reset(tcb, now, TCP_END_ABORTED);
			return false;
		}
	}
	if (r->fin) {
		d->flags |= TCP_FIN;
	}
	if (r->len && ((tcb->snd.has_psh && out_within(r, tcb->snd.psh)) ||
		       (tcb->snd.has_mark && out_within(r, tcb->snd.mark)))) {
		d->flags |= TCP_PSH;
	}
	out_urgent(tcb, d);
	out_done(tcb, now, d);
	if (r->len >= d->mss && !r->room) {
		tcp_mtu_full(tcb, r->seq + d->mss);
	}
	tcb->stats.bytes_sent += r->len;
	tcb->snd.last = now;
	return true;
}

/* RFC 7413 4.2.1: only the first one, and as much as is there */
static void out_syn_data(struct tcb *tcb, struct tcp_seg_desc *d)
{
	uint32_t n = min_u32(tcb_unsent(tcb), tcp_tfo_room(tcb, d->opt_len));

	if (!n || tcb->syns) {
		return;
	}
	d->n_iov = tcb->upper->payload(tcb->up, 1, n, d->iov);
	if (d->n_iov) {
		d->len = n;
		d->mss = n; /* one segment, whatever the MSS is yet */
		tcb->tfo->sent = (uint16_t)n;
		tcb->stats.bytes_sent += n;
	}
}

void tcp_out_syn(struct tcb *tcb, struct instant now,
		    struct tcp_seg_desc *d)
{
	bool reply = tcb->fsm.state != TCP_SYN_SENT;
	uint8_t ecn = reply ? tcp_ecn_synack(&tcb->ecn) :
			      tcp_ecn_syn(&tcb->ecn, tcb->conf.ecn,
					  tcb->syns > 0);
	struct tcp_tx tx = { .kind = reply ? TCP_TX_SYNACK : TCP_TX_SYN,
			     .retransmit = tcb->syns > 0,
			     .syns = tcb->syns,
			     .now = now };

	out_start(tcb, d, tcb->snd.iss,
		  (uint8_t)(TCP_SYN | (reply ? TCP_ACK : 0) | ecn));
	d->opt_len = tcp_txopt_write(tcb, &tx, false, d->opt);
	if (!reply && tcb->tfo) {
		out_syn_data(tcb, d);
	}
	out_done(tcb, now, d);
	if (tcb->syns) {
		tcb_count(tcb, TCP_SYN_RETRANS);
		tcb_count(tcb, TCP_RETRANS_SEGS);
		tcb->stats.retrans++;
	}
	if (tcb->syns < UINT8_MAX) {
		tcb->syns++;
	}
	tcb->snd.syn_sent = true;
	tcb->snd.last = now;
	tcb->owe &= (uint8_t)~(TCP_OWE_SYN | TCP_OWE_ACK);
}
