/* What connections tell about themselves. */
#include "stack/tcp/tcp_info.h"

#include "stack/tcp/tcb.h"

static enum tcp_ca ca_of(enum tcp_recover_state s)
{
	switch (s) {
	case TCP_RECOVER_OPEN:
		break;
	case TCP_RECOVER_DISORDER:
		return TCP_CA_DISORDER;
	case TCP_RECOVER_RECOVERY:
		return TCP_CA_RECOVERY;
	case TCP_RECOVER_LOSS:
		return TCP_CA_LOSS;
	}
	return TCP_CA_OPEN;
}

static void info_more(const struct tcb *tcb, struct tcp_info_core *out)
{
	const struct tcp_recover *r = &tcb->rec;

	out->ca = ca_of(r->state);
	out->sacked = r->sent.n_sacked;
	out->lost = r->sent.n_lost;
	out->resent = r->sent.n_resent;
	out->advmss = tcb->mss.ours;
	out->rcv_mss = tcb->delack.rcv_mss;
	out->probes = tcb->persist.unanswered + tcb->keep.sent;
	out->ato = tcb->delack.ato;
	out->pingpong = tcb->delack.pingpong;
	out->rcv_rtt = tcb->rcvrtt.rtt;
	out->data_segs_out = tcb->stats.data_segs_out;
	out->data_segs_in = tcb->stats.data_segs_in;
	out->ooo_in = tcb->stats.ooo_in;
	out->rtos = tcb->stats.rtos;
	out->reordering = r->rack.reordering;
	out->ecn = tcb->ecn.ok;
	out->chrono = tcb->chrono;
}

/* data waits here or above, and the peer's window has no room for it */
static bool shut_out(const struct tcb *tcb)
{
	uint32_t out = tcb->rec.sent.nxt - tcb->rec.sent.una;

	return (tcb->snd.blocked || tcb_unsent(tcb)) &&
	       out + tcb->mss.base > tcb->snd.wnd;
}

void tcp_info_note(struct tcb *tcb, struct instant now)
{
	enum tcp_chrono_kind kind = TCP_CHRONO_REST;

	if (tcb->snd.syn_acked && shut_out(tcb)) {
		kind = TCP_CHRONO_WINDOW;
	} else if (!tcp_sent_empty(&tcb->rec.sent) || tcb_unsent(tcb)) {
		kind = TCP_CHRONO_BUSY;
	}
	tcp_chrono_set(&tcb->chrono, now, kind);
}

void tcp_info(const struct tcb *tcb, struct tcp_info_core *out)
{
	const struct tcp_recover *r = &tcb->rec;
	const struct tcp_stats *s = &tcb->stats;

	*out = (struct tcp_info_core){
		.state = tcb->fsm.state,
		.srtt = r->rtt.srtt,
		.rttvar = r->rtt.rttvar,
		.min_rtt = tcp_rtt_min(&r->rtt),
		.rto = tcp_rtt_rto(&r->rtt),
		.cwnd = r->cc.cwnd,
		.ssthresh = r->cc.ssthresh,
		.mss = tcb_mss(tcb),
		.in_flight = r->sent.in_flight,
		.unsent = tcb_unsent(tcb),
		.unacked = tcb->snd.end - seq_min(tcb->snd.end, r->sent.una),
		.snd_wnd = tcb->snd.wnd,
		.rcv_wnd = tcp_wnd_acceptable(&tcb->wnd, tcb->rcv.nxt),
		.rto_count = r->rtt.timeouts,
		.pacing_rate = tcb->pace.rate,
		.delivery_rate = r->rate.bw,
		.app_limited = r->rate.bw_app_limited,
		.delivered = r->sent.delivered,
		.bytes_sent = s->bytes_sent,
		.bytes_acked = s->bytes_acked,
		.bytes_received = s->bytes_received,
		.bytes_retrans = s->bytes_retrans,
		.segs_out = s->segs_out,
		.segs_in = s->segs_in,
		.retrans = s->retrans,
		.snd_wscale = tcb->snd.shift,
		.rcv_wscale = tcb->wnd.shift,
		.sack = tcb->sack_ok,
		.ts = tcb->ts_ok,
		.wscale_ok = tcb->wscale_ok,
		.peer_closed = tcb->rcv.fin,
		.cc = r->cc.ops->name,
		.last_sent = tcb->snd.last,
		.last_received = tcb->rcv.last,
	};
	info_more(tcb, out);
}

const struct tuple *tcp_tuple(const struct tcb *tcb)
{
	return &tcb->entry.t;
}

uint16_t tcp_path(const struct tcb *tcb)
{
	return tcb->path;
}

nanos tcp_srtt(const struct tcb *tcb)
{
	return tcb->rec.rtt.srtt;
}

nanos tcp_rcv_rtt(const struct tcb *tcb)
{
	return tcb->rcvrtt.rtt ? tcb->rcvrtt.rtt : tcb->rec.rtt.srtt;
}

uint32_t tcp_cwnd(const struct tcb *tcb)
{
	return tcb->rec.cc.cwnd;
}

nanos tcp_rto(const struct tcb *tcb)
{
	return tcp_rtt_rto(&tcb->rec.rtt);
}

uint32_t tcp_mss(const struct tcb *tcb)
{
	return tcb_mss(tcb);
}

enum tcp_state tcp_state(const struct tcb *tcb)
{
	return tcb->fsm.state;
}
