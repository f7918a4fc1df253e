/* What the layer above does with a connection: how much may leave, what there is
 * to send, and its end. */
#include "stack/base/check.h"
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_keep.h"

/* Octets that congestion control leaves for new data: what is lost and what
 * was pushed before go first. */
static uint32_t send_cwnd_room(const struct tcb *tcb)
{
	uint32_t most = tcp_recover_room(&tcb->rec);
	uint32_t first = tcp_recover_due(&tcb->rec) + tcb_unsent(tcb);
	uint32_t room = most > first ? most - first : 0;

	if (tcb->snd.probe && !tcb_unsent(tcb)) {
		/* RFC 8985 7.3: new data, where there is some */
		return max_u32(room, tcb_mss(tcb));
	}
	if (tcb->rec.mtup.gathers) {
		return room; /* nothing leaves before there is enough */
	}
	return min_u32(room, tcp_pace_room(&tcb->pace, first, tcb_mss(tcb)));
}

uint32_t tcp_room(const struct tcb *tcb)
{
	uint32_t mss, before, wnd, room;

	if (tcb->dead || tcb->snd.fin || !tcp_fsm_synced(&tcb->fsm) ||
	    !tcp_fsm_can_send(&tcb->fsm)) {
		return 0;
	}
	mss = tcb_mss(tcb);
	before = tcb->snd.end - tcb->rec.sent.una;
	wnd = tcb->snd.wnd > before ? tcb->snd.wnd - before : 0;
	room = min_u32(wnd, send_cwnd_room(tcb));
	if (room >= mss) {
		return room - room % mss;
	}
	/* RFC 9293 3.8.6.2.1: no pieces of a segment, unless the peer never
	 * has more room or nothing else is on its way */
	return before == 0 || (room == wnd && wnd >= tcb->snd.max_wnd / 2) ?
		       room :
		       0;
}

void tcp_push(struct tcb *tcb, struct instant now, uint32_t n, bool psh)
{
	(void)now;
	if (tcb->dead || tcb->snd.fin) {
		return;
	}
	tcb->snd.end += n;
	if (psh) {
		tcb->snd.psh = tcb->snd.end;
		tcb->snd.has_psh = true;
	}
	tcb_ready(tcb);
}

void tcp_push_mark(struct tcb *tcb)
{
	tcb->snd.mark = tcb->snd.end;
	tcb->snd.has_mark = true;
}

uint32_t tcp_push_ssn(const struct tcb *tcb)
{
	return tcb_ssn(tcb, tcb->snd.end);
}

void tcp_blocked(struct tcb *tcb, struct instant now, bool blocked)
{
	(void)now;
	if (tcb->dead || tcb->snd.blocked == blocked) {
		return;
	}
	tcb->snd.blocked = blocked;
	tcb_ready(tcb);
}

void tcp_shutdown(struct tcb *tcb, struct instant now)
{
	(void)now;
	if (tcb->dead || tcb->snd.fin) {
		return;
	}
	tcb->snd.fin = true;
	/* before the handshake is over the FIN waits for it */
	if (tcp_fsm_synced(&tcb->fsm)) {
		tcp_fsm_event(&tcb->fsm, TCP_EV_CLOSE);
		tcb_account(tcb);
	}
	tcb_ready(tcb);
}

void tcp_ack_now(struct tcb *tcb)
{
	if (!tcb->dead && tcp_fsm_synced(&tcb->fsm)) {
		tcb->owe |= TCP_OWE_FORCED;
		tcb_ready(tcb);
	}
}

void tcp_ack_due(struct tcb *tcb)
{
	if (!tcb->dead && tcp_fsm_synced(&tcb->fsm)) {
		tcb->owe |= TCP_OWE_ACK;
		tcb_ready(tcb);
	}
}

void tcp_trim(struct tcb *tcb)
{
	tcp_sent_trim(&tcb->rec.sent);
	tcp_reasm_trim(&tcb->reasm);
}

void tcp_window_opened(struct tcb *tcb, struct instant now)
{
	(void)now;
	if (!tcb->dead && tcp_fsm_can_receive(&tcb->fsm) &&
	    tcp_wnd_update_due(&tcb->wnd, tcb->rcv.nxt,
			       tcb->upper->window(tcb->up), tcb->mss.ours)) {
		tcb->owe |= TCP_OWE_ACK;
		tcb_ready(tcb);
	}
}

void tcp_urgent(struct tcb *tcb)
{
	tcb->snd.has_urg = true;
	tcb->snd.urg = tcb->snd.end;
}

void tcp_abort(struct tcb *tcb, struct instant now)
{
	if (tcb->dead) {
		return;
	}
	tcb_enter(tcb);
	tcb_send_rst(tcb, now);
	tcb_orphan(tcb);
	tcb_end(tcb, now, TCP_END_ABORTED);
	tcb_leave(tcb);
}

void tcp_detach(struct tcb *tcb, struct instant now)
{
	if (tcb->dead) {
		return;
	}
	/* octets that nobody can provide any more, or a handshake that nobody
	 * waits for */
	if (!tcp_fsm_synced(&tcb->fsm) || tcb_unsent(tcb)) {
		tcp_abort(tcb, now);
		return;
	}
	/* tcp_max_orphans: closing as fast as peers can be made not to answer
	 * must not fill the memory */
	if (tcb->tcp->n_owing >= TCP_ORPHANS_MAX) {
		tcb_count(tcb, TCP_ABORT_ORPHANS);
		tcp_abort(tcb, now);
		return;
	}
	tcb_orphan(tcb);
	tcb->snd.blocked = false;
	tcp_shutdown(tcb, now);
	tcb_account(tcb);
	if (tcb->fsm.state == TCP_FIN_WAIT_2) {
		tcp_keep_orphan(tcb, now);
	}
	tcb_ready(tcb);
}
