/* The functions of tcp.h that are not at home in a smaller module. */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_info.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_keep.h"
#include "stack/tcp/tcp_listen.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_out.h"
#include "stack/tcp/tcp_timer.h"
#include "stack/tcp/tcp_wait.h"

static const char *const reason_names[] = {
#define X(id, name, text) name,
	TCP_REASONS(X)
#undef X
};

static const char *const reason_texts[] = {
#define X(id, name, text) text,
	TCP_REASONS(X)
#undef X
};

const char *tcp_reason_name(enum tcp_reason r)
{
	check(r < TCP_REASON_N);
	return reason_names[r];
}

const char *tcp_reason_text(enum tcp_reason r)
{
	check(r < TCP_REASON_N);
	return reason_texts[r];
}

void tcp_count(struct tcp *tcp, enum tcp_reason r)
{
	tcp->counter[r]++;
}

uint64_t tcp_counter(const struct tcp *tcp, enum tcp_reason r)
{
	return tcp->counter[r];
}

uint32_t tcp_count_conns(const struct tcp *tcp)
{
	return tcp->n_conns;
}

uint32_t tcp_count_owing(const struct tcp *tcp)
{
	return tcp->n_owing;
}

uint32_t tcp_count_timewait(const struct tcp *tcp)
{
	return tcp->n_waits;
}

/* --- the whole ------------------------------------------------------------ */

struct tcp *tcp_new(const struct env *env, struct ip *ip, struct wheel *wheel,
		    struct instant now)
{
	struct tcp *tcp = mem_zalloc(env->mem, sizeof(*tcp));
	struct siphash_key key;

	if (!tcp) {
		return NULL;
	}
	tcp->env = env;
	tcp->ip = ip;
	tcp->wheel = wheel;
	list_init(&tcp->ready);
	list_init(&tcp->waits);
	list_init(&tcp->listeners);
	tcp_tfo_init(&tcp->tfo);
	env->entropy.fill(env->entropy.ctx, &tcp->isn_key,
			  sizeof(tcp->isn_key));
	env->entropy.fill(env->entropy.ctx, &key, sizeof(key));
	tcp_guard_rate_init(&tcp->challenges, now, &tcp->isn_key);
	if (!tcp_demux_init(&tcp->demux, env->mem, &key)) {
		mem_free(env->mem, tcp, sizeof(*tcp));
		return NULL;
	}
	return tcp;
}

void tcp_free(struct tcp *tcp)
{
	struct instant now = { 0 };
	struct tcp_entry *e;
	uint32_t port = 0;

	while ((e = tcp_entry_of(ports_from(&tcp->demux.local, &port)))) {
		if (e->timewait) {
			tcp_wait_free(container_of(e, struct tcp_wait, entry));
		} else {
			struct tcb *tcb = container_of(e, struct tcb, entry);

			tcb_orphan(tcb);
			tcb_end(tcb, now, TCP_END_ABORTED);
		}
	}
	list_each_safe(pos, &tcp->listeners) {
		tcp_unlisten(tcp, list_entry(pos, struct tcp_listener, link));
	}
	tcp_demux_fini(&tcp->demux);
	tcp_tfo_fini(&tcp->tfo, tcp->env->mem);
	mem_free(tcp->env->mem, tcp, sizeof(*tcp));
}

/* --- opening -------------------------------------------------------------- */

static int api_local(struct tcp *tcp, struct tcp_open *o)
{
	const struct addr *src;

	if (addr_is_any(&o->t.local.addr)) {
		src = ip_source(tcp->ip, o->path, &o->t.remote.addr);
		if (!src) {
			return EADDRNOTAVAIL;
		}
		o->t.local.addr = *src;
	}
	if (o->t.local.port == 0) {
		o->t.local.port = tcp_demux_ephemeral(&tcp->demux, &o->t);
		return o->t.local.port ? 0 : EADDRNOTAVAIL;
	}
	return tcp_demux_find(&tcp->demux, &o->t) ? EADDRINUSE : 0;
}

struct tcb *tcp_connect(struct tcp *tcp, struct instant now,
			const struct tcp_open *o, int *err)
{
	struct tcp_open open = *o;
	struct tcb *tcb;

	*err = api_local(tcp, &open);
	if (*err) {
		return NULL;
	}
	*err = ENOBUFS;
	tcb = tcb_new(tcp, &open, now);
	if (!tcb) {
		tcp_count(tcp, TCP_DROP_NOMEM);
		return NULL;
	}
	if (!tcb_enlist(tcb)) {
		return NULL;
	}
	tcp_fsm_event(&tcb->fsm, TCP_EV_ACTIVE);
	tcp_count(tcp, TCP_ACTIVE_OPENS);
	tcb->owe = TCP_OWE_SYN;
	if (o->fastopen) {
		tcp_tfo_open(tcb, now);
	}
	tcb_ready(tcb);
	*err = 0;
	return tcb;
}

struct tcb *tcp_accept(struct tcp *tcp, struct instant now,
		       const struct tcp_seg *syn, const struct tcp_open *o,
		       int *err)
{
	struct tcp_open open = *o;
	struct tcb *tcb;

	open.t = syn->t;
	if (!open.conf.syn_retries) {
		open.conf.syn_retries = TCP_SYNACK_RETRIES;
	}
	*err = ENOBUFS;
	tcb = tcb_new(tcp, &open, now);
	if (!tcb) {
		tcp_count(tcp, TCP_DROP_NOMEM);
		return NULL;
	}
	if (!tcb_enlist(tcb)) {
		*err = EADDRINUSE;
		return NULL;
	}
	tcb_accept(tcb, now, syn);
	if (o->conf.save_syn) {
		tcb->saved = tcp_saved_make(tcp->env->mem, syn);
	}
	if (o->fastopen && o->conf.tfo_queue && tcp->asked) {
		tcp_tfo_accept(tcb, now, tcp->asked, syn);
	}
	tcp_count(tcp, TCP_PASSIVE_OPENS);
	tcb_ready(tcb);
	*err = 0;
	return tcb;
}

struct tcp_saved *tcp_take_syn(struct tcb *tcb)
{
	struct tcp_saved *s = tcb->saved;

	tcb->saved = NULL;
	return s;
}

uint16_t tcp_port_get(struct tcp *tcp, const struct endpoint *want, bool reuse)
{
	return tcp_demux_port(&tcp->demux, want, reuse);
}

void tcp_reset_seg(struct tcp *tcp, const struct tcp_seg *seg,
		   const uint8_t *opt, unsigned opt_len)
{
	struct tcp_stray *s;

	if (seg->flags & TCP_RST) {
		return;
	}
	s = tcp_rst_add(&tcp->rst);
	if (!s) {
		tcp_count(tcp, TCP_RST_SKIP);
		return;
	}
	tcp_rst_answer(s, seg);
	tcp_rst_options(s, opt, opt_len);
}

/* --- sending -------------------------------------------------------------- */

/* Octets that congestion control leaves for new data: what is lost and what
 * was pushed before go first. */
static uint32_t api_cwnd_room(const struct tcb *tcb)
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
	room = min_u32(wnd, api_cwnd_room(tcb));
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

/* --- output --------------------------------------------------------------- */

static bool api_out_stray(struct tcp *tcp, struct pkt_out *out)
{
	struct tcp_seg_desc d;

	if (!tcp_rst_take(&tcp->rst, &d)) {
		return false;
	}
	tcp->counter[TCP_OUT_SEGS]++;
	tcp->counter[TCP_OUT_RSTS] += (d.flags & TCP_RST) != 0;
	d.flow = tcp_seg_label(&tcp->demux.key, d.t, 0);
	tcp_seg_write(ip_path(tcp->ip, d.path), &d, out);
	return true;
}

bool tcp_output(struct tcp *tcp, struct instant now, struct pkt_out *out)
{
	struct tcp_seg_desc d;
	struct list *first;

	if (api_out_stray(tcp, out)) {
		return true;
	}
	while ((first = list_pop_front(&tcp->ready)) != NULL) {
		struct tcb *tcb = container_of(first, struct tcb, ready);
		bool any;

		tcb_enter(tcb);
		any = tcp_out_next(tcb, now, &d);
		if (any) {
			tcp_seg_write(ip_path(tcp->ip, tcb->path), &d, out);
			tcb_ready(tcb); /* behind the others */
		}
		tcp_timer_update(tcb, now);
		tcb_leave(tcb);
		if (any) {
			return true;
		}
	}
	return api_out_stray(tcp, out);
}

bool tcp_wants_output(const struct tcp *tcp)
{
	return tcp->rst.n || !list_empty(&tcp->ready);
}

/* --- asking --------------------------------------------------------------- */

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
	tcp_info_more(tcb, out);
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

void tcp_set_conf(struct tcb *tcb, const struct tcp_conf *c, struct instant now)
{
	struct tcp_conf was = tcb->conf;

	tcb->conf = *c;
	tcb_conf(&tcb->conf);
	if (tcb->conf.cc != was.cc) {
		tcp_recover_set_cc(&tcb->rec, tcb->conf.cc, now);
	}
	if (tcb->conf.mss_clamp != was.mss_clamp) {
		tcp_mtu_apply(tcb, now);
	}
	if (tcb->conf.keepalive && !was.keepalive) {
		tcb->keep.since = now;
	}
	tcb_timing(tcb);
	tcp_label_set(tcb);
	if (tcb->conf.quickack_nth != was.quickack_nth) {
		tcp_delack_option(&tcb->delack, tcb->conf.quickack);
	}
	tcp_timer_update(tcb, now);
	tcb_ready(tcb);
}
