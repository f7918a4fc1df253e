/* The functions of tcp.h that are not at home in a smaller module. */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/reasons.h"
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_info.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_keep.h"
#include "stack/tcp/tcp_listen.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_out.h"
#include "stack/tcp/tcp_timer.h"
#include "stack/tcp/tcp_wait.h"

static const struct reason reasons[] = { TCP_REASONS(REASON) };

const char *tcp_reason_name(enum tcp_reason r)
{
	check(r < TCP_REASON_N);
	return reasons[r].name;
}

const char *tcp_reason_text(enum tcp_reason r)
{
	check(r < TCP_REASON_N);
	return reasons[r].text;
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

	*err = EHOSTUNREACH;
	if (!tcp_listen_near(tcp, syn, &open.conf)) {
		return NULL;
	}
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
	if (!tcb_enlist(tcb)) { /* more than the table takes, or no memory */
		tcp_count(tcp, TCP_DROP_NOMEM);
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

bool tcp_tuple_free(const struct tcp *tcp, const struct tuple *t)
{
	return tcp_demux_free(&tcp->demux, t);
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

/* --- options ---------------------------------------------------------------- */

void tcp_set_conf(struct tcb *tcb, const struct tcp_conf *c, struct instant now)
{
	struct tcp_conf was = tcb->conf;

	tcb->conf = *c;
	tcb_conf(&tcb->conf);
	if (tcb->conf.cc != was.cc) {
		tcp_recover_set_cc(&tcb->rec, tcb->conf.cc, now);
	}
	if (tcb->conf.mss_clamp != was.mss_clamp ||
	    tcb->conf.ignore_pmtu != was.ignore_pmtu) {
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
