#include "stack/tcp/tcp_txopt.h"

#include "stack/tcp/tcb.h"

#define SACK_FIRST 12 /* NOP NOP, kind, length, one block */
#define SACK_MORE  8
#define NOP        1

/* RFC 9293 3.7.1, 7323 2.2 and 3.2, 2018 2.  A SYN-ACK repeats only what the
 * SYN had. */
static void txopt_syn(struct tcb *tcb, const struct tcp_tx *tx, struct wr *w)
{
	bool reply = tx->kind == TCP_TX_SYNACK;

	tcp_hdr_emit_mss(w, tcb->mss.ours);
	if (!reply || tcb->sack_ok) {
		tcp_hdr_emit_sack_perm(w);
	}
	if (reply ? tcb->ts_ok : !tcb->no_ts) {
		tcp_hdr_emit_ts(w, tcp_ts_val(&tcb->ts, tx->now),
				reply ? tcb->ts.recent : 0);
	}
	if (!reply || tcb->wscale_ok) {
		tcp_hdr_emit_wscale(w, tcp_wnd_shift(tcb->wnd.most));
	}
	tcp_tfo_option(tcb, tx, w);
	/* 19 octets become 20; the 9 without timestamps are left as they are,
	 * for whoever gave those up needs each octet */
	if (reply ? tcb->ts_ok : !tcb->no_ts) {
		tcp_hdr_pad(w);
	}
}

static void txopt_sack(struct tcb *tcb, struct wr *w)
{
	struct range32 b[TCP_HDR_SACK_MAX];
	unsigned n, room = (unsigned)wr_left(w);
	unsigned i = tcb->reasm.dsack; /* the first block is a duplicate */

	if (room < SACK_FIRST || !tcp_reasm_has_sack(&tcb->reasm)) {
		return;
	}
	n = tcp_reasm_sack(&tcb->reasm, b,
			   1 + (room - SACK_FIRST) / SACK_MORE);
	if (n == 0) {
		return;
	}
	/* a FIN that waits behind its data has a number, too: without it the
	 * peer would send it again */
	for (; i < n && tcb->rcv.has_fin && !tcb->rcv.fin; i++) {
		b[i].hi += b[i].hi == tcb->rcv.fin_seq;
	}
	wr_u8(w, NOP);
	wr_u8(w, NOP);
	tcp_hdr_emit_sack(w, b, n);
}

uint8_t tcp_txopt_write(struct tcb *tcb, const struct tcp_tx *tx, bool sack,
			uint8_t out[TCP_HDR_OPT_MAX])
{
	struct wr w = wr_make(out, TCP_HDR_OPT_MAX);
	unsigned n;

	if (tx->kind == TCP_TX_SYN || tx->kind == TCP_TX_SYNACK) {
		txopt_syn(tcb, tx, &w);
	} else if (tcb->ts_ok) {
		/* two NOPs in front keep the values aligned */
		wr_u8(&w, NOP);
		wr_u8(&w, NOP);
		tcp_hdr_emit_ts(&w, tcp_ts_val(&tcb->ts, tx->now),
				tcb->ts.recent);
	}
	n = tcb->upper->options(tcb->up, tx, w.p, (unsigned)wr_left(&w));
	wr_take(&w, n);
	tcp_hdr_pad(&w);
	if (sack && tcb->sack_ok) {
		txopt_sack(tcb, &w);
	}
	return (uint8_t)wr_len(&w);
}
