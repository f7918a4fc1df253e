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

void tcp_info_more(const struct tcb *tcb, struct tcp_info_core *out)
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
