#include "stack/tcp/tcp_listen.h"

#include <errno.h>

#include "stack/base/check.h"
#include "stack/tcp/tcb.h"

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
	if (!tcp_demux_bind(&tcp->demux, &l->bound)) {
		mem_free(tcp->env->mem, l, sizeof(*l));
		*err = EADDRINUSE;
		return NULL;
	}
	list_push_back(&tcp->listeners, &l->link);
	return l;
}

void tcp_unlisten(struct tcp *tcp, struct tcp_listener *l)
{
	tcp_demux_unbind(&tcp->demux, &l->bound);
	list_del(&l->link);
	mem_free(tcp->env->mem, l, sizeof(*l));
}

void tcp_listen_input(struct tcp *tcp, struct instant now,
		      const struct tcp_seg *seg,
		      bool (*join)(void *ctx, struct instant now,
				   const struct tcp_seg *syn),
		      void *join_ctx)
{
	struct tcp_bound *b;
	struct tcp_listener *l;

	if (seg->flags & TCP_RST) {
		return;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		/* SYN with FIN is nobody's connection request */
		if (seg->flags & TCP_FIN) {
			tcp_count(tcp, TCP_DROP_FLAGS);
			return;
		}
		if (join && join(join_ctx, now, seg)) {
			return;
		}
		b = tcp_demux_bound(&tcp->demux, &seg->t);
		if (b) {
			l = container_of(b, struct tcp_listener, bound);
			l->ops->on_syn(l->lctx, now, seg);
			return;
		}
	}
	tcp_count(tcp, TCP_DROP_NO_CONN);
	tcp_reset_seg(tcp, seg, NULL, 0);
}
