#include "stack/tcp/tcb.h"

#include "stack/base/check.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_timer.h"
#include "stack/tcp/tcp_txopt.h"
#include "stack/tcp/tcp_wait.h"

#define RCV_WND_MAX (6u << 20) /* Linux's tcp_rmem[2] */
#define CHARGE_MIN  (256u << 10)

/* --- the upper layer of a connection that was let go -------------------- */

static unsigned orphan_options(void *up, const struct tcp_tx *tx, uint8_t *buf,
			       unsigned room)
{
	(void)up;
	(void)tx;
	(void)buf;
	(void)room;
	return 0;
}

static enum tcp_verdict orphan_segment(void *up, struct instant now,
				       const struct tcp_seg *seg, uint32_t wnd)
{
	(void)up;
	(void)now;
	(void)seg;
	(void)wnd;
	return TCP_UP_OK;
}

static void orphan_event(void *up, struct instant now)
{
	(void)up;
	(void)now;
}

static void orphan_deliver(void *up, struct instant now, struct slice *s)
{
	struct tcb *tcb = up;

	(void)now;
	slice_free(tcb->tcp->env->mem, s);
}

static void orphan_acked(void *up, struct instant now, uint32_t una)
{
	(void)up;
	(void)now;
	(void)una;
}

static uint32_t orphan_window(void *up)
{
	(void)up;
	return UINT16_MAX;
}

static unsigned orphan_payload(void *up, uint32_t ssn, uint32_t len,
			       struct iov v[3])
{
	(void)up;
	(void)ssn;
	(void)len;
	(void)v;
	return 0;
}

static uint32_t orphan_burst(void *up, uint32_t ssn, uint32_t len)
{
	(void)up;
	(void)ssn;
	return len;
}

static void orphan_timeout(void *up, struct instant now, unsigned n)
{
	(void)up;
	(void)now;
	(void)n;
}

static void orphan_closed(void *up, struct instant now, enum tcp_end end)
{
	(void)up;
	(void)now;
	(void)end;
}

static const struct tcp_upper orphan_upper = {
	.options = orphan_options,
	.segment = orphan_segment,
	.established = orphan_event,
	.deliver = orphan_deliver,
	.fin = orphan_event,
	.acked = orphan_acked,
	.can_send = orphan_event,
	.window = orphan_window,
	.payload = orphan_payload,
	.burst = orphan_burst,
	.timeout = orphan_timeout,
	.closed = orphan_closed,
};

void tcb_orphan(struct tcb *tcb)
{
	tcb->upper = &orphan_upper;
	tcb->up = tcb;
	tcb->detached = true;
}

/* --- birth --------------------------------------------------------------- */

void tcb_conf(struct tcp_conf *c)
{
	c->cc = c->cc ? c->cc : &cc_cubic;
	c->ttl = c->ttl ? c->ttl : 64;
	c->syn_retries = c->syn_retries ? c->syn_retries : 6;
	c->keep_idle = c->keep_idle ? c->keep_idle : 7200 * NANOS_S;
	c->keep_intvl = c->keep_intvl ? c->keep_intvl : 75 * NANOS_S;
	c->keep_cnt = c->keep_cnt ? c->keep_cnt : 9;
	c->rcv_wnd_max = c->rcv_wnd_max ? c->rcv_wnd_max : RCV_WND_MAX;
	c->rcv_wnd_limit = max_u32(c->rcv_wnd_limit, c->rcv_wnd_max);
	c->linger2 = c->linger2 ? c->linger2 : 60 * NANOS_S;
}

/* One offset per pair of hosts: a later connection's timestamps are above an
 * earlier one's, so that a SYN can take over a TIME-WAIT (RFC 6191 2). */
static uint32_t tcb_ts_offset(const struct tcb *tcb)
{
	struct addr pair[2] = { tcb->entry.t.local.addr,
				tcb->entry.t.remote.addr };

	return (uint32_t)siphash24(&tcb->tcp->isn_key, pair, sizeof(pair));
}

void tcb_timing(struct tcb *tcb)
{
	const struct tcp_conf *c = &tcb->conf;

	tcp_rtt_bounds(&tcb->rec.rtt, c->rto_min_us, c->rto_max_ms);
	tcb->rec.thin_linear = c->thin_linear;
	tcb->delack.max_us = c->delack_max_us;
}

struct tcb *tcb_new(struct tcp *tcp, const struct tcp_open *o,
		    struct instant now)
{
	struct tcb *tcb = mem_zalloc(tcp->env->mem, sizeof(*tcb));

	if (!tcb) {
		return NULL;
	}
	tcb->tcp = tcp;
	tcb->entry.t = o->t;
	tcb->path = o->path;
	tcb->upper = o->upper;
	tcb->up = o->up;
	tcb->conf = o->conf;
	tcb_conf(&tcb->conf);
	list_init(&tcb->ready);
	tcp_label_set(tcb);
	tcb->snd.iss = tcp_isn(&tcp->isn_key, &o->t, now);
	if (tcp->has_isn_floor) {
		tcb->snd.iss = seq_max(tcb->snd.iss, tcp->isn_floor);
	}
	if (tcp->isn_exact) {
		tcb->snd.iss = *tcp->isn_exact;
	}
	tcb->snd.end = tcb->snd.iss + 1;
	tcb->rcv.last = now;
	tcb->snd.last = now;
	tcp_wnd_init(&tcb->wnd, tcb->conf.rcv_wnd_limit);
	tcb->wnd.buffer = tcb->conf.rcv_wnd_max;
	tcb->wnd.shared = o->shared_wnd;
	tcb->no_ts = o->no_ts;
	tcp_mtu_first(tcb, now);
	tcp_recover_init(&tcb->rec, tcp->env->mem, tcb->conf.cc, tcb->mss.base,
			 tcb->snd.iss + 1, now);
	tcp_pace_init(&tcb->pace);
	tcp_reasm_init(&tcb->reasm, tcp->env->mem,
		       max_u32(CHARGE_MIN, 2 * tcb->conf.rcv_wnd_limit));
	tcp_mtu_start(tcb, now);
	tcp_delack_init(&tcb->delack, tcb->mss.ours);
	if (tcb->conf.quickack_nth) {
		tcp_delack_option(&tcb->delack, tcb->conf.quickack);
	}
	tcb_timing(tcb);
	tcp_ts_init(&tcb->ts, tcb_ts_offset(tcb));
	tcb->keep.fin2_at = INSTANT_NEVER;
	tcp_timer_init(tcb);
	return tcb;
}

void tcb_discard(struct tcb *tcb)
{
	tcb->dead = true;
	tcb_enter(tcb);
	tcb_leave(tcb);
}

bool tcb_enlist(struct tcb *tcb)
{
	if (!tcp_demux_add(&tcb->tcp->demux, &tcb->entry)) {
		tcb_discard(tcb);
		return false;
	}
	tcb->tcp->n_conns++;
	return true;
}

void tcb_peer_syn(struct tcb *tcb, struct instant now,
		  const struct tcp_seg *seg)
{
	const struct tcp_opts *o = &seg->opts;

	tcb->rcv.syn = true;
	tcb->rcv.irs = seg->seq;
	tcb->rcv.nxt = seg->seq + 1;
	tcb->rcv.last = now;
	tcb->snd.wl1 = seg->seq;
	tcb->snd.wl2 = tcb->snd.iss;
	/* RFC 7323 2.2: the window of a SYN is never scaled */
	tcb->snd.wnd = seg->wnd;
	tcb->snd.max_wnd = seg->wnd;
	if (o->has_mss) {
		tcb->mss.peer = o->mss;
	}
	tcp_mtu_update(tcb, now);
	tcb->sack_ok = o->sack_perm;
	/* RFC 7323 3.2: only what our SYN had can be answered */
	tcb->ts_ok = o->has_ts && !tcb->no_ts;
	tcb->ts.on = tcb->ts_ok;
	if (tcb->ts_ok) {
		tcp_ts_first(&tcb->ts, now, o->ts_val);
	}
	tcp_ecn_peer_syn(&tcb->ecn, tcb->conf.ecn, seg->flags, seg->tos,
			 tcb->snd.syn_sent);
	tcb->wscale_ok = o->has_wscale;
	if (o->has_wscale) {
		/* RFC 7323 2.3: above 14 means 14 */
		tcb->snd.shift = o->wscale > TCP_WND_SCALE_MAX ?
					 TCP_WND_SCALE_MAX :
					 o->wscale;
		tcb->wnd.shift = tcp_wnd_shift(tcb->wnd.most);
	}
	tcb->mss.opt = tcb->ts_ok ? TCP_TXOPT_TS : 0;
}

void tcb_accept(struct tcb *tcb, struct instant now,
		const struct tcp_seg *syn)
{
	tcb->passive = true;
	tcb_peer_syn(tcb, now, syn);
	tcp_wnd_start(&tcb->wnd, tcb->rcv.nxt);
	tcp_fsm_event(&tcb->fsm, TCP_EV_PASSIVE);
	tcb->owe = TCP_OWE_SYN;
}

/* --- death --------------------------------------------------------------- */

bool tcb_leave(struct tcb *tcb)
{
	check(tcb->depth > 0);
	if (--tcb->depth || !tcb->dead) {
		return !tcb->dead;
	}
	tcp_tfo_end(tcb);
	tcp_saved_free(tcb->tcp->env->mem, &tcb->saved);
	tcp_recover_fini(&tcb->rec);
	tcp_reasm_fini(&tcb->reasm);
	mem_free(tcb->tcp->env->mem, tcb, sizeof(*tcb));
	return false;
}

void tcb_account(struct tcb *tcb)
{
	bool owes = tcb->detached && !tcb->dead &&
		    tcb->fsm.state != TCP_FIN_WAIT_2;

	if (owes != tcb->owing) {
		tcb->owing = owes;
		tcb->tcp->n_owing += owes ? 1 : UINT32_MAX;
	}
}

void tcb_end(struct tcb *tcb, struct instant now, enum tcp_end end)
{
	if (tcb->dead) {
		return;
	}
	tcb_enter(tcb);
	tcb->dead = true;
	tcb_account(tcb);
	if (tcb->fsm.state == TCP_ESTABLISHED ||
	    tcb->fsm.state == TCP_CLOSE_WAIT) { /* RFC 4022, as Linux counts */
		tcb_count(tcb, TCP_ESTAB_RESETS);
	}
	tcp_fsm_event(&tcb->fsm, TCP_EV_END);
	tcp_demux_del(&tcb->tcp->demux, &tcb->entry);
	tcb->tcp->n_conns--;
	list_del(&tcb->ready);
	tcp_timer_stop(tcb);
	if (tcb->tfo) {
		tcp_tfo_over(tcb, now, end);
	}
	tcb->upper->closed(tcb->up, now, end);
	tcb_orphan(tcb);
	tcb_leave(tcb);
}

uint32_t tcb_bare_seq(const struct tcb *tcb)
{
	uint32_t nxt = tcb_nxt(tcb);
	uint32_t edge = tcb_una(tcb) + tcb->snd.wnd;

	if (!tcp_fsm_synced(&tcb->fsm) || !tcb->rec.rtt.timeouts ||
	    seq_leq(nxt, edge) || nxt - edge < 1u << tcb->snd.shift) {
		return nxt;
	}
	return edge;
}

void tcb_send_rst(struct tcb *tcb, struct instant now)
{
	struct tcp_stray *s;
	struct tcp_tx tx = { .kind = TCP_TX_RST,
			     .ssn = tcb_ssn(tcb, tcb_nxt(tcb)),
			     .now = now };

	/* nobody to tell before the peer's SYN is here */
	if (tcb->fsm.state == TCP_CLOSED || !tcb->rcv.syn) {
		return;
	}
	s = tcp_rst_add(&tcb->tcp->rst);
	if (!s) {
		tcb_count(tcb, TCP_RST_SKIP);
		return;
	}
	s->t = tcb->entry.t;
	s->path = tcb->path;
	s->ttl = tcb->conf.ttl;
	s->flags = TCP_RST | TCP_ACK;
	s->seq = tcb_bare_seq(tcb);
	s->ack = tcb->rcv.nxt;
	s->opt_len = tcp_txopt_write(tcb, &tx, false, s->opt);
}

void tcb_reset(struct tcb *tcb, struct instant now, enum tcp_end end)
{
	if (!tcb->dead) {
		tcb_send_rst(tcb, now);
		tcb_end(tcb, now, end);
	}
}

void tcb_to_wait(struct tcb *tcb, struct instant now)
{
	tcb_enter(tcb);
	tcb_end(tcb, now, TCP_END_NORMAL);
	tcp_wait_add(tcb, now);
	tcb_leave(tcb);
}
