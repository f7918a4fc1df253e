#include "stack/tcp/tcp_rst.h"

#include <string.h>

#define TTL 64

struct tcp_stray *tcp_rst_add(struct tcp_rst *r)
{
	struct tcp_stray *s;

	if (r->n == TCP_RST_QUEUE) {
		return NULL;
	}
	s = &r->q[(r->head + r->n++) % TCP_RST_QUEUE];
	s->ttl = TTL;
	s->tos = 0;
	s->wnd = 0;
	s->opt_len = 0;
	return s;
}

/* RFC 9293 3.5.2 group 1: the reset takes its number from the ACK field if
 * there is one; otherwise it is 0 and acknowledges the whole segment. */
bool tcp_rst_answer(struct tcp_stray *s, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_RST) {
		return false;
	}
	s->t = seg->t;
	s->path = seg->dev;
	if (seg->flags & TCP_ACK) {
		s->flags = TCP_RST;
		s->seq = seg->ack;
		s->ack = 0;
	} else {
		s->flags = TCP_RST | TCP_ACK;
		s->seq = 0;
		s->ack = seg->seq + tcp_seg_len(seg);
	}
	return true;
}

void tcp_rst_options(struct tcp_stray *s, const uint8_t *opt, unsigned len)
{
	struct wr w = wr_make(s->opt, sizeof(s->opt));

	wr_copy(&w, opt, len);
	if (!w.ok) {
		return;
	}
	tcp_hdr_pad(&w);
	s->opt_len = (uint8_t)wr_len(&w);
}

bool tcp_rst_take(struct tcp_rst *r, struct tcp_seg_desc *d)
{
	struct tcp_stray *s;

	if (r->n == 0) {
		return false;
	}
	s = &r->q[r->head];
	r->head = (r->head + 1) % TCP_RST_QUEUE;
	r->n--;
	memset(d, 0, sizeof(*d));
	d->t = &s->t;
	d->path = s->path;
	d->ttl = s->ttl;
	d->tos = s->tos;
	d->flags = s->flags;
	d->seq = s->seq;
	d->ack = s->ack;
	d->wnd = s->wnd;
	d->opt_len = s->opt_len;
	memcpy(d->opt, s->opt, s->opt_len);
	return true;
}
