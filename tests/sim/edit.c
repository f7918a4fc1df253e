#include "tests/sim/edit.h"

#include <string.h>

#include "stack/base/check.h"

bool edit_open(struct edit *e, const struct pkt *p)
{
	const uint8_t *o;
	unsigned hdr, at = 20;

	e->n = 0;
	if (ip_hdr_parse(p->data, p->len, &e->ip) != IP_HDR_OK ||
	    e->ip.proto != IP_PROTO_TCP ||
	    tcp_hdr_parse(&e->ip, false, &e->seg) != TCP_HDR_OK) {
		return false;
	}
	e->data = e->seg.data;
	e->len = e->seg.len;
	o = e->ip.body;
	hdr = (unsigned)(o[12] >> 4) * 4;
	while (at < hdr && o[at] != 0) {
		unsigned n = o[at] == 1 ? 1 : at + 1 < hdr ? o[at + 1] : 0;

		if (n == 0 || at + n > hdr || (o[at] != 1 && n < 2)) {
			break;
		}
		if (o[at] != 1) {
			edit_add(e, o + at, (uint8_t)n);
		}
		at += n;
	}
	return true;
}

static unsigned put_opts(const struct edit *e, uint8_t *buf)
{
	struct wr w = wr_make(buf, TCP_HDR_OPT_MAX);

	for (unsigned i = 0; i < e->n; i++) {
		if (e->opt[i].len && wr_left(&w) >= e->opt[i].len) {
			wr_copy(&w, e->opt[i].b, e->opt[i].len);
		}
	}
	while (wr_len(&w) % 4) {
		wr_u8(&w, 1);
	}
	return (unsigned)wr_len(&w);
}

struct pkt *edit_make(struct world *w, const struct edit *e)
{
	uint8_t opts[TCP_HDR_OPT_MAX];
	unsigned n = put_opts(e, opts), ip_len;
	struct tcp_hdr h = { .sport = e->seg.t.remote.port,
			     .dport = e->seg.t.local.port,
			     .seq = e->seg.seq,
			     .ack = e->seg.ack,
			     .flags = e->seg.flags,
			     .wnd = e->seg.wnd,
			     .urg = e->seg.urg };
	struct iov data = { e->data, e->len };
	struct pkt *p;
	struct wr out;

	p = world_pkt(w, NULL, 60 + 20 + n + e->len);
	out = wr_make(p->data, p->len);
	ip_len = ip_hdr_emit(&out, &e->ip, 20 + n + e->len);
	tcp_hdr_emit(&out, &h, n);
	wr_copy(&out, opts, n);
	wr_copy(&out, e->data, e->len);
	check(out.ok);
	p->len = (uint32_t)wr_len(&out);
	tcp_hdr_finish(p->data, ip_len, 20 + n, &data, 1, false);
	return p;
}

static bool is(const struct edit_opt *o, uint8_t kind, int subtype)
{
	return o->len && o->b[0] == kind &&
	       (kind != MP_OPT_KIND || subtype < 0 ||
		(o->len > 2 && o->b[2] >> 4 == subtype));
}

unsigned edit_count(const struct edit *e, uint8_t kind, int subtype)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->n; i++) {
		n += is(&e->opt[i], kind, subtype);
	}
	return n;
}

unsigned edit_strip(struct edit *e, uint8_t kind, int subtype)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->n; i++) {
		if (is(&e->opt[i], kind, subtype)) {
			e->opt[i].len = 0;
			n++;
		}
	}
	return n;
}

struct edit_opt *edit_find(struct edit *e, uint8_t kind, int subtype)
{
	for (unsigned i = 0; i < e->n; i++) {
		if (is(&e->opt[i], kind, subtype)) {
			return &e->opt[i];
		}
	}
	return NULL;
}

void edit_add(struct edit *e, const uint8_t *opt, uint8_t len)
{
	if (e->n < EDIT_OPTS_MAX && len <= sizeof(e->opt[0].b)) {
		e->opt[e->n].len = len;
		memcpy(e->opt[e->n].b, opt, len);
		e->n++;
	}
}
