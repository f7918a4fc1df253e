#include "stack/tcp/tcp_wait.h"

#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_txopt.h"

#define NOP 1
/* how far a new connection's numbers begin above the old one's (RFC 6191
 * needs above; Linux's margin) */
#define ISN_GAP 65537

void tcp_wait_free(struct tcp_wait *w)
{
	struct tcp *tcp = w->tcp;

	wheel_cancel(tcp->wheel, &w->timer);
	tcp_demux_del(&tcp->demux, &w->entry);
	list_del(&w->link);
	tcp->n_waits--;
	mem_free(tcp->env->mem, w, sizeof(*w));
}

static void wait_fire(struct wheel_timer *t, struct instant now)
{
	(void)now;
	tcp_wait_free(container_of(t, struct tcp_wait, timer));
}

static void wait_ack(struct tcp_wait *w, struct instant now)
{
	struct tcp_stray *s = tcp_rst_add(&w->tcp->rst);
	struct wr o;

	if (!s) {
		tcp_count(w->tcp, TCP_RST_SKIP);
		return; /* the peer's FIN comes again */
	}
	s->t = w->entry.t;
	s->path = w->path;
	s->ttl = w->ttl;
	s->tos = w->tos;
	s->flags = TCP_ACK;
	s->seq = w->snd_nxt;
	s->ack = w->rcv_nxt;
	s->wnd = w->wnd;
	if (!w->ts_ok) {
		return;
	}
	o = wr_make(s->opt, TCP_TXOPT_TS);
	wr_u8(&o, NOP);
	wr_u8(&o, NOP);
	tcp_hdr_emit_ts(&o, tcp_ts_val(&w->ts, now), w->ts.recent);
	s->opt_len = (uint8_t)wr_len(&o);
}

void tcp_wait_add(struct tcb *tcb, struct instant now)
{
	struct tcp *tcp = tcb->tcp;
	struct tcp_wait *w;

	if (tcp->n_waits >= TCP_WAIT_MAX) {
		tcb_count(tcb, TCP_TIMEWAIT_FULL);
		tcp_wait_free(container_of(list_first(&tcp->waits),
					   struct tcp_wait, link));
	}
	w = mem_zalloc(tcp->env->mem, sizeof(*w));
	if (!w) {
		tcb_count(tcb, TCP_DROP_NOMEM);
		return;
	}
	w->entry.t = tcb->entry.t;
	w->entry.timewait = true;
	w->tcp = tcp;
	w->ts = tcb->ts;
	w->ts_ok = tcb->ts_ok;
	w->snd_nxt = tcb_nxt(tcb);
	w->rcv_nxt = tcb->rcv.nxt;
	w->rcv_wnd = tcp_wnd_acceptable(&tcb->wnd, tcb->rcv.nxt);
	w->wnd = (uint16_t)(w->rcv_wnd >> tcb->wnd.shift);
	w->path = tcb->path;
	w->ttl = tcb->conf.ttl;
	w->tos = tcb->conf.tos & 0xfc;
	list_init(&w->link);
	wheel_timer_init(&w->timer, wait_fire);
	if (!tcp_demux_add(&tcp->demux, &w->entry)) {
		tcb_count(tcb, TCP_DROP_NOMEM);
		mem_free(tcp->env->mem, w, sizeof(*w));
		return;
	}
	tcp->n_waits++;
	list_push_back(&tcp->waits, &w->link);
	tcp->counter[TCP_TIMEWAIT]++;
	wheel_arm(tcp->wheel, &w->timer, instant_add(now, TCP_WAIT_TIME));
	if (tcb->owe & TCP_OWE_ACK) {
		wait_ack(w, now);
	}
}

/* RFC 6191 2: is this SYN surely newer than the connection that was? */
static bool wait_newer(const struct tcp_wait *w, struct instant now,
		       const struct tcp_seg *seg)
{
	if (w->ts_ok && seg->opts.has_ts && w->ts.has_recent) {
		if (seg->opts.ts_val != w->ts.recent) {
			return !tcp_ts_paws(&w->ts, now, seg->opts.ts_val);
		}
	}
	return seq_gt(seg->seq, w->rcv_nxt);
}

enum tcp_wait_verdict tcp_wait_input(struct tcp *tcp, struct instant now,
				     struct tcp_entry *e,
				     const struct tcp_seg *seg)
{
	struct tcp_wait *w = container_of(e, struct tcp_wait, entry);

	/* RFC 1337: a reset must not end TIME-WAIT */
	if (seg->flags & TCP_RST) {
		tcp->counter[TCP_DROP_RST]++;
		return TCP_WAIT_DONE;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_FIN)) == TCP_SYN &&
	    wait_newer(w, now, seg) &&
	    tcp_demux_bound(&tcp->demux, &seg->t)) {
		tcp->isn_floor = w->snd_nxt + ISN_GAP;
		tcp->has_isn_floor = true;
		tcp->counter[TCP_TIMEWAIT_REUSE]++;
		tcp_wait_free(w);
		return TCP_WAIT_OVER;
	}
	if (!(seg->flags & (TCP_SYN | TCP_ACK))) {
		/* RFC 9293 3.10.7.4, fifth: no ACK bit, no answer */
		tcp->counter[TCP_DROP_NO_ACK]++;
		return TCP_WAIT_DONE;
	}
	if (seg->flags & TCP_FIN && seg->seq + seg->len + 1 == w->rcv_nxt) {
		/* RFC 9293 3.10.7.4, eighth: the peer missed our ACK */
		wheel_arm(tcp->wheel, &w->timer,
			  instant_add(now, TCP_WAIT_TIME));
		list_del(&w->link);
		list_push_back(&tcp->waits, &w->link);
		if (w->ts_ok && seg->opts.has_ts) {
			tcp_ts_update(&w->ts, now, seg->opts.ts_val, seg->seq,
				      w->rcv_nxt);
		}
		wait_ack(w, now);
		return TCP_WAIT_DONE;
	}
	if (tcp_seg_len(seg) == 0 && seg->seq == w->rcv_nxt) {
		return TCP_WAIT_DONE;
	}
	tcp->counter[TCP_DROP_WINDOW]++;
	if (tcp_guard_allow(&w->guard, &tcp->challenges, now)) {
		wait_ack(w, now);
	}
	return TCP_WAIT_DONE;
}
