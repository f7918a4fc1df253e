#include "stack/tcp/tcp_listen.h"

#include <errno.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_cookie.h"
#include "stack/tcp/tcp_out.h"

struct tcp_listener *tcp_listen(struct tcp *tcp, const struct endpoint *local,
				bool dual, bool reuseport,
				const struct tcp_listener_ops *ops, void *lctx,
				int *err)
{
	struct tcp_listener *l = mem_zalloc(tcp->env->mem, sizeof(*l));

	if (!l) {
		*err = ENOBUFS;
		return NULL;
	}
	l->bound.local = *local;
	l->bound.dual = dual && local->addr.family == 6 &&
			addr_is_any(&local->addr);
	l->bound.reuseport = reuseport;
	l->ops = ops;
	l->lctx = lctx;
	l->cookies_until = (struct instant){ INT64_MIN };
	list_init(&l->tfo);
	if (!tcp_demux_bind(&tcp->demux, &l->bound)) {
		mem_free(tcp->env->mem, l, sizeof(*l));
		*err = EADDRINUSE;
		return NULL;
	}
	list_push_back(&tcp->listeners, &l->link);
	return l;
}

void tcp_listen_tfo_keys(struct tcp_listener *l, const uint8_t *keys,
			 unsigned n)
{
	tcp_tfo_keys_set(&l->tfo_keys, keys, n);
}

void tcp_unlisten(struct tcp *tcp, struct tcp_listener *l)
{
	tcp_tfo_unlisten(l);
	tcp_demux_unbind(&tcp->demux, &l->bound);
	list_del(&l->link);
	mem_free(tcp->env->mem, l, sizeof(*l));
}

bool tcp_listen_near(struct tcp *tcp, const struct tcp_seg *syn,
		     const struct tcp_conf *c)
{
	if (syn->ttl >= c->min_ttl) {
		return true;
	}
	tcp_count(tcp, TCP_DROP_TTL);
	return false;
}

/* --- SYN cookies ----------------------------------------------------------- */

void tcp_cookie_syn(struct tcp *tcp, struct instant now,
		    const struct tcp_seg *syn, struct tcp_seg *out,
		    uint64_t *tag)
{
	struct tcp_cookie c;

	*out = *syn;
	tcp_cookie_reduce(out);
	tcp_cookie_begin(&tcp->jar, now, &tcp->env->entropy, out, &c);
	*tag = c.tag;
}

static bool queue_synack(struct tcp *tcp, struct tcb *tcb, struct instant now)
{
	struct tcp_stray *s = tcp_rst_add(&tcp->rst);
	struct tcp_seg_desc d;

	if (!s) {
		tcp_count(tcp, TCP_RST_SKIP);
		return false;
	}
	tcp_out_next(tcb, now, &d);
	tcp->counter[TCP_OUT_SEGS]--; /* counted when it leaves */
	s->t = tcb->entry.t;
	s->path = d.path;
	s->ttl = d.ttl;
	s->tos = d.tos;
	s->flags = d.flags;
	s->wnd = d.wnd;
	s->seq = d.seq;
	s->ack = d.ack;
	tcp_rst_options(s, d.opt, d.opt_len);
	return true;
}

/* A connection is made as for any SYN, says its SYN-ACK, and is forgotten:
 * whatever that SYN-ACK holds, it is what a connection that is kept would have
 * said. */
bool tcp_answer(struct tcp *tcp, struct instant now, struct tcp_listener *l,
		const struct tcp_seg *syn, const struct tcp_open *o,
		uint8_t upper)
{
	struct tcp_open open = *o;
	struct tcp_cookie c;
	struct tcb *tcb;
	uint32_t val;
	bool sent;

	if (!tcp_listen_near(tcp, syn, &o->conf)) {
		return false;
	}
	tcp_cookie_begin(&tcp->jar, now, &tcp->env->entropy, syn, &c);
	c.upper = syn->opts.has_ts ? upper : 0;
	tcp_cookie_make(&tcp->jar, syn, &c);
	/* RFC 6191: not where the number must be above another */
	if (tcp->has_isn_floor && seq_lt(c.isn, tcp->isn_floor)) {
		tcp_count(tcp, TCP_DROP_BACKLOG);
		return false;
	}
	open.t = syn->t;
	tcp->isn_exact = &c.isn;
	tcb = tcb_new(tcp, &open, now);
	tcp->isn_exact = NULL;
	if (!tcb) {
		tcp_count(tcp, TCP_DROP_NOMEM);
		return false;
	}
	tcb_accept(tcb, now, syn);
	val = tcp_ts_val(&tcb->ts, now);
	tcb->ts.offset += tcp_cookie_tsval(syn, &c, val) - val;
	sent = queue_synack(tcp, tcb, now);
	tcb_discard(tcb);
	if (sent) {
		tcp_count(tcp, TCP_COOKIE_SENT);
		l->cookies_until = instant_add(now, TCP_COOKIE_LIFE);
	}
	return sent;
}

enum restored { NOT_OURS, IGNORED, RESTORED };

static enum restored restore(struct tcp *tcp, struct instant now,
			     const struct tcp_seg *ack, struct tcp_listener *l,
			     struct tcp_entry **e)
{
	struct tcp_seg_desc d;
	struct tcp_cookie c;
	struct tcp_seg syn;
	struct tcb *tcb;

	/* a flood of ACKs must not find it worth guessing */
	if (!l->ops->restore || !instant_before(now, l->cookies_until)) {
		return NOT_OURS;
	}
	if (!tcp_cookie_check(&tcp->jar, now, &tcp->env->entropy, ack, &syn,
			      &c)) {
		tcp_count(tcp, TCP_COOKIE_FAILED);
		return NOT_OURS;
	}
	tcp->isn_exact = &c.isn;
	l->ops->restore(l->lctx, now, &syn, ack, &c);
	tcp->isn_exact = NULL;
	*e = tcp_demux_find(&tcp->demux, &ack->t);
	if (!*e) {
		return IGNORED;
	}
	tcp_count(tcp, TCP_COOKIE_RECV);
	tcb = container_of(*e, struct tcb, entry);
	tcb->restored = true;
	/* its SYN-ACK was sent: everybody here is to be where that left them */
	tcb_enter(tcb);
	tcp_out_next(tcb, now, &d);
	tcp->counter[TCP_OUT_SEGS]--;
	return tcb_leave(tcb) ? RESTORED : IGNORED;
}

/* RFC 7413 4.2.2: with its data the connection may be open at once */
static void ask(struct tcp *tcp, struct instant now, struct tcp_listener *l,
		const struct tcp_seg *syn)
{
	struct tcp_entry *e;

	tcp->asked = l;
	l->ops->on_syn(l->lctx, now, syn);
	tcp->asked = NULL;
	e = l->n_tfo && syn->len ? tcp_demux_find(&tcp->demux, &syn->t) : NULL;
	if (e && !e->timewait) {
		tcp_tfo_start(container_of(e, struct tcb, entry), now, syn);
	}
}

/* --- segments without a connection ------------------------------------------ */

struct tcp_entry *tcp_listen_input(struct tcp *tcp, struct instant now,
				   const struct tcp_seg *seg,
				   bool (*join)(void *ctx, struct instant now,
						const struct tcp_seg *syn),
				   void *join_ctx)
{
	struct tcp_entry *e = NULL;
	struct tcp_listener *l;
	struct tcp_bound *b;
	uint8_t kind = seg->flags & (TCP_SYN | TCP_ACK);

	if (seg->flags & TCP_RST) {
		tcp_count(tcp, TCP_DROP_RST);
		return NULL;
	}
	b = tcp_demux_bound(&tcp->demux, &seg->t);
	/* SYN with FIN is nobody's connection request, and what has neither
	 * SYN nor ACK is not for a listener (RFC 9293 3.10.7.2, fourth) */
	if (b && (kind == 0 || (kind == TCP_SYN && seg->flags & TCP_FIN))) {
		tcp_count(tcp, TCP_DROP_FLAGS);
		return NULL;
	}
	if (kind == TCP_SYN && join && join(join_ctx, now, seg)) {
		return NULL;
	}
	b = kind == (TCP_SYN | TCP_ACK) ? NULL : b;
	l = b ? container_of(b, struct tcp_listener, bound) : NULL;
	if (l && kind == TCP_SYN) {
		ask(tcp, now, l, seg);
		return NULL;
	}
	if (l && restore(tcp, now, seg, l, &e) != NOT_OURS) {
		return e;
	}
	tcp_count(tcp, TCP_DROP_NO_CONN);
	tcp_reset_seg(tcp, seg, NULL, 0);
	return NULL;
}
