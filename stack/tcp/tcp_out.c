/*
 * Order of what leaves: SYN, options that were asked for, a tail loss probe,
 * what was lost, new data and FIN, window and keep-alive probes, and last a
 * bare ACK, which everything before carries along.
 *
 * New data leaves as bursts of up to 64 KiB that the device cuts into
 * segments; a burst is one entry of the sent map and, through burst(), within
 * one mapping of the upper layer.  A retransmission is an entry or a part of
 * it, cut by burst() again.
 */
#include "stack/tcp/tcp_out.h"

#include "stack/base/check.h"
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_ack.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_out_seg.h"

/* --- data ----------------------------------------------------------------- */

/* the part of an entry's octets that is payload: the FIN is behind snd.end */
static void out_of_entry(const struct tcb *tcb, const struct tcp_sent_entry *e,
			 struct tcp_out_range *r)
{
	bool fin = tcb->snd.fin_sent && e->seq + e->len == tcb->snd.end + 1;

	r->seq = e->seq;
	r->len = e->len - fin;
	r->room = 0;
	r->fin = fin;
	r->retransmit = true;
}

/* The most that one packet takes from seq on.  A device that cuts it leaves the
 * urgent pointer as it is, so what is urgent leaves segment by segment. */
static uint32_t out_most(const struct tcb *tcb, uint32_t seq)
{
	bool urgent = tcb->snd.has_urg && seq_gt(tcb->snd.urg, seq);

	return urgent ? tcb_mss(tcb) : max_u32(TCP_SEG_BURST, tcb_mss(tcb));
}

static uint32_t out_round_up(uint32_t n, uint32_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* Sends e again, as much of it as one packet and the upper allow; the rest
 * stays lost. */
static bool out_resend(struct tcb *tcb, struct instant now,
		       struct tcp_sent_entry *e, bool probe,
		       struct tcp_seg_desc *d)
{
	struct tcp_out_range r;
	uint32_t n;

	out_of_entry(tcb, e, &r);
	n = out_most(tcb, r.seq);
	if (r.len > n) {
		/* it could not be cut: no memory, or too many pieces; or it
		 * became urgent since */
		r.len = n;
		r.fin = false;
	}
	if (r.len) {
		n = tcb->upper->burst(tcb->up, tcb_ssn(tcb, r.seq), r.len);
		r.fin = r.fin && n == r.len;
		r.len = n;
	}
	if (!tcp_out_range(tcb, now, &r, d)) {
		return false;
	}
	if (!probe && r.len + r.fin < e->len) {
		e = tcp_recover_next(&tcb->rec, r.len + r.fin);
	}
	tcp_recover_resent(&tcb->rec, now, e, (uint16_t)d->mss);
	n = tcp_seg_count(r.len, d->mss);
	tcb->stats.retrans += n;
	tcb->stats.bytes_retrans += r.len;
	tcb->tcp->counter[TCP_RETRANS_SEGS] += n;
	return true;
}

/* how much of what is pushed may leave as one packet; 0: wait.  most: by
 * congestion control, whole segments of which count */
static uint32_t out_new_len(const struct tcb *tcb, uint32_t most)
{
	uint32_t mss = tcb_mss(tcb);
	uint32_t unsent = tcb_unsent(tcb);
	uint32_t flight = tcb->rec.sent.nxt - tcb->rec.sent.una;
	uint32_t usable = tcb->snd.wnd > flight ? tcb->snd.wnd - flight : 0;
	/* CWR belongs to one segment */
	uint32_t cap = tcp_out_gso(tcb) && !tcb->ecn.cwr ?
			       out_most(tcb, tcb->rec.sent.nxt) :
			       mss;
	uint32_t n;
	bool whole;

	n = min_u32(min_u32(unsent, usable),
		    min_u32(out_round_up(most, mss), cap));
	/* a rest at the end of the window waits for what will follow */
	whole = n == unsent && !(tcb->snd.blocked && usable - n < mss);
	if (n >= mss) {
		return whole ? n : n - n % mss;
	}
	if (n < usable && whole) {
		return n;
	}
	/* RFC 9293 3.8.6.2.1: a piece that the window's end cuts off leaves
	 * only when it is half of all the peer ever offered, or by the
	 * override timer (tcp_persist). */
	return n >= tcb->snd.max_wnd / 2 || tcb->snd.override ? n : 0;
}

/* may a FIN leave that begins at seq? */
static bool out_fin_fits(const struct tcb *tcb, uint32_t seq)
{
	return tcb->snd.fin && !tcb->snd.fin_sent && seq == tcb->snd.end &&
	       seq_lt(seq, tcb->rec.sent.una + tcb->snd.wnd);
}

static bool out_new(struct tcb *tcb, struct instant now, uint32_t most,
		    struct tcp_seg_desc *d)
{
	struct tcp_out_range r = { .seq = tcb->rec.sent.nxt };

	r.len = out_new_len(tcb, most);
	if (r.len) {
		r.len = tcb->upper->burst(tcb->up, tcb_ssn(tcb, r.seq), r.len);
	}
	r.fin = out_fin_fits(tcb, r.seq + r.len);
	if ((!r.len && !r.fin) || !tcp_sent_can_add(&tcb->rec.sent)) {
		return false;
	}
	if (!tcp_out_range(tcb, now, &r, d)) {
		return false;
	}
	if (r.fin) {
		tcb->snd.fin_sent = true;
	}
	tcb->snd.override = false;
	tcp_recover_sent(&tcb->rec, now, r.len + r.fin, (uint16_t)d->mss,
			 false);
	return true;
}

/* RFC 8985 7.3: new data if there is some and the window lets it, else the
 * last segment again */
static bool out_probe(struct tcb *tcb, struct instant now,
		      struct tcp_seg_desc *d)
{
	struct tcp_sent_entry *e;

	tcb->snd.probe = false;
	if (out_new(tcb, now, 1, d)) {
		tcb_count(tcb, TCP_TLP);
		tcp_recover_probed(&tcb->rec, now, true, false);
		return true;
	}
	e = tcp_recover_probe(&tcb->rec);
	if (e && out_resend(tcb, now, e, true, d)) {
		tcb_count(tcb, TCP_TLP);
		tcp_recover_probed(&tcb->rec, now, true, true);
		return true;
	}
	if (!tcb->dead) {
		tcp_recover_probed(&tcb->rec, now, false, false);
	}
	return false;
}

/* octets that window and rate let go now */
static uint32_t out_quota(struct tcb *tcb, struct instant now)
{
	const struct tcp_rtt *rtt = &tcb->rec.rtt;
	uint32_t most = tcp_recover_quota(&tcb->rec, now);
	uint32_t mss = tcb_mss(tcb);

	if (most == 0) {
		tcp_pace_release(&tcb->pace);
		return 0;
	}
	tcp_pace_update(&tcb->pace, &tcb->rec.cc, rtt->srtt, tcp_rtt_min(rtt),
			tcb->conf.max_pacing_rate, mss);
	return min_u32(most, tcp_pace_quota(&tcb->pace, now, mss));
}

/* Nothing left although it might: if the upper had room for more, that is its
 * doing, and rates measured now are its rates. */
static void out_idle(struct tcb *tcb, struct instant now)
{
	const struct tcp_sent *s = &tcb->rec.sent;

	if (tcb->dead || tcb_unsent(tcb) > 0 || s->n_lost > 0 ||
	    tcp_room(tcb) == 0) {
		return;
	}
	if (tcp_pace_ask(&tcb->pace)) {
		/* it was given a quantum, perhaps of a rate that is no more,
		 * and no timer will tell it that there is room */
		tcp_ack_room(tcb, now);
	} else {
		tcp_rate_idle(&tcb->rec.rate, s->delivered, s->in_flight);
	}
}

/* RFC 4821 7: one segment of new data, larger than the others */
static bool out_mtu_probe(struct tcb *tcb, struct instant now,
			  struct tcp_seg_desc *d)
{
	struct tcp_out_range r = { .seq = tcb->rec.sent.nxt };

	r.room = tcp_mtu_probe(tcb, now);
	if (r.room == 0) {
		return false;
	}
	r.len = r.room - tcb->mss.opt;
	if (!tcp_sent_can_add(&tcb->rec.sent) ||
	    tcb->upper->burst(tcb->up, tcb_ssn(tcb, r.seq), r.len) < r.len ||
	    !tcp_out_range(tcb, now, &r, d)) {
		return false;
	}
	tcp_mtu_probed(tcb, r.seq, r.len, r.room);
	tcp_recover_sent(&tcb->rec, now, r.len, (uint16_t)d->mss, false);
	return true;
}

static bool out_data(struct tcb *tcb, struct instant now,
		     struct tcp_seg_desc *d)
{
	uint32_t quota, mss = tcb_mss(tcb);
	bool any;
	struct tcp_sent_entry *e;

	if (tcb->snd.probe && out_probe(tcb, now, d)) {
		tcp_pace_sent(&tcb->pace, now, d->len);
		return true;
	}
	quota = tcb->dead ? 0 : out_quota(tcb, now);
	if (quota == 0) {
		return false;
	}
	if (tcp_frto_holds(&tcb->rec.frto)) {
		if (out_new(tcb, now, quota, d)) {
			tcp_pace_sent(&tcb->pace, now, d->len);
			return true;
		}
		if (tcb->dead) {
			return false;
		}
		tcp_recover_no_new(&tcb->rec);
	}
	e = tcp_recover_next(&tcb->rec,
			     min_u32(out_round_up(quota, mss),
				     tcp_out_gso(tcb) && mss < TCP_SEG_BURST ?
					     TCP_SEG_BURST / mss * mss :
					     mss));
	any = e ? out_resend(tcb, now, e, false, d) :
		  out_mtu_probe(tcb, now, d) ||
		  (!tcb->rec.mtup.gathers && !tcb->dead &&
		   out_new(tcb, now, quota, d));
	if (any) {
		tcp_pace_sent(&tcb->pace, now, d->len);
	} else {
		tcp_pace_release(&tcb->pace);
		out_idle(tcb, now);
	}
	return any;
}

/* --- deciding -------------------------------------------------------------- */

bool tcp_out_next(struct tcb *tcb, struct instant now, struct tcp_seg_desc *d)
{
	tcp_mtu_fresh(tcb, now);
	if (tcb->owe & TCP_OWE_SYN) {
		tcp_out_syn(tcb, now, d);
		return true;
	}
	if (!tcp_fsm_synced(&tcb->fsm)) {
		if (tcb->fsm.state != TCP_SYN_RECEIVED ||
		    !(tcb->owe & TCP_OWE_ACK)) {
			return false;
		}
		tcp_out_pure(tcb, now, d, false, false);
		return true;
	}
	if (tcb->owe & TCP_OWE_FORCED) {
		tcb->owe &= (uint8_t)~TCP_OWE_FORCED;
		tcp_out_pure(tcb, now, d, false, true);
		return true;
	}
	if (tcp_fsm_can_send(&tcb->fsm) && !tcp_tfo_alone(tcb) &&
	    out_data(tcb, now, d)) {
		return true;
	}
	if (tcb->dead) {
		return false;
	}
	if (tcb->owe & TCP_OWE_PROBE) {
		tcb->owe &= (uint8_t)~TCP_OWE_PROBE;
		tcp_out_pure(tcb, now, d, true, false);
		return true;
	}
	if (tcb->owe & TCP_OWE_ACK || tcp_delack_now(&tcb->delack)) {
		tcp_out_pure(tcb, now, d, false, false);
		return true;
	}
	return false;
}
