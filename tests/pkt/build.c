/* build.c - packets that a script sends to the stack */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "tests/pkt/pkt.h"

struct attrs {
	uint8_t flags;
	uint32_t seq, ack, len;
	bool has_ack, bad_csum, has_data, junk;
	uint8_t ecn; /* of the IP header */
	uint16_t win, urg;
	uint64_t data; /* stream offset of the payload */
	int path;      /* -1: that of the flow */
	struct build_ip ip;
};

static uint8_t parse_flags(struct run *r, const char *text)
{
	static const char names[] = "FSRP.UEW";
	uint8_t flags = 0;

	for (; *text; text++) {
		const char *at = strchr(names, *text);

		if (*text == '-') {
			continue; /* no flag at all */
		}
		if (!at) {
			pkt_fail(r, "unknown flag '%c'", *text);
		}
		flags |= (uint8_t)(1 << (at - names));
	}
	return flags;
}

/* N, or edge, edge+N, edge-N: from the right edge of the stack's window */
static uint32_t seq_num(struct run *r, struct words *w, const struct flow *f)
{
	const char *t = words_peek(w);

	if (!t || strncmp(t, "edge", 4) != 0) {
		return (uint32_t)words_num(r, w);
	}
	words_next(r, w);
	return f->edge - f->isn_peer + (uint32_t)atoi(t + 4);
}

static void parse_attrs(struct run *r, struct words *w, const struct flow *f,
			struct attrs *a)
{
	*a = (struct attrs){ .win = 65535, .path = -1 };
	a->flags = parse_flags(r, words_next(r, w));
	while (words_peek(w)) {
		if (words_take(w, "seq")) {
			a->seq = seq_num(r, w, f);
		} else if (words_take(w, "ack")) {
			a->ack = (uint32_t)words_num(r, w);
			a->has_ack = true;
		} else if (words_take(w, "win")) {
			a->win = (uint16_t)words_num(r, w);
		} else if (words_take(w, "len")) {
			a->len = (uint32_t)words_num(r, w);
		} else if (words_take(w, "urg")) {
			a->urg = (uint16_t)words_num(r, w);
			a->flags |= TCP_URG;
		} else if (words_take(w, "data")) {
			a->data = (uint64_t)words_num(r, w) - 1;
			a->has_data = true;
		} else if (words_take(w, "on")) {
			a->path = atoi(words_next(r, w) + 1);
		} else if (words_take(w, "badcsum")) {
			a->bad_csum = true;
		} else if (words_take(w, "junk")) {
			a->junk = true;
		} else if (build_ip_word(r, w, &a->ip)) {
			/* done */
		} else if (words_take(w, "ecn")) {
			a->ecn = (uint8_t)words_num(r, w);
		} else {
			words_end(r, w);
		}
	}
}

/* the octets that belong at this place of the stream */
static uint64_t data_off(const struct build_ctx *x, const struct attrs *a)
{
	uint32_t ssn = a->seq + ((a->flags & TCP_SYN) != 0);
	const struct flow *f = x->f;

	if (a->has_data) {
		return a->data;
	}
	if (x->has_map) {
		return x->map.dsn - 1 + (ssn - x->map.ssn);
	}
	if (f->has_in) {
		return f->in.dsn - 1 + (ssn - f->in.ssn);
	}
	return ssn - 1;
}

static unsigned emit_ip(struct wr *w, const struct flow *f, uint8_t proto,
			uint8_t tos, uint32_t body_len)
{
	struct ip_hdr h = { .src = f->t.remote.addr,
			    .dst = f->t.local.addr,
			    .proto = proto,
			    .ttl = 64,
			    .tos = tos,
			    .df = true };

	return ip_hdr_emit(w, &h, body_len);
}

static void send_built(struct run *r, struct flow *f, const struct attrs *a,
		       const uint8_t *opt, unsigned opt_len, uint64_t off)
{
	static uint8_t buf[66000];
	struct wr w = wr_make(buf, sizeof(buf));
	unsigned tcp_len = TCP_HDR_LEN + opt_len;
	unsigned ip_len = emit_ip(&w, f, IP_PROTO_TCP, a->ecn,
				  tcp_len + a->len);
	struct tcp_hdr h = { .sport = f->t.remote.port,
			     .dport = f->t.local.port,
			     .seq = f->isn_peer + a->seq,
			     .ack = a->has_ack ? f->isn_local + a->ack : 0,
			     .flags = a->flags,
			     .wnd = a->win,
			     .urg = a->urg };
	uint8_t *tcp = w.p;
	uint64_t sum;

	tcp_hdr_emit(&w, &h, opt_len);
	wr_copy(&w, opt, opt_len);
	for (uint32_t i = 0; i < a->len; i++) {
		wr_u8(&w, a->junk ? (uint8_t)(0xee + i * 3)
			  : f->conn->peer.k
				  ? peer_octet(r, &f->conn->peer, off + i)
				  : value_octet(off + i));
	}
	sum = cksum_pseudo(&f->t.remote.addr, &f->t.local.addr, IP_PROTO_TCP,
			   tcp_len + a->len);
	sum = cksum_add(sum, tcp, tcp_len + a->len);
	be16_put(tcp + 16, (uint16_t)(cksum_finish(sum) ^ a->bad_csum));
	check(w.ok);
	build_ip_send(r, a->path >= 0 ? (unsigned)a->path : f->path, buf,
		      ip_len + tcp_len + a->len, &a->ip);
}

static unsigned build_opts(struct run *r, struct build_ctx *x, const char *text,
			   uint8_t out[TCP_HDR_OPT_MAX])
{
	struct wr o = wr_make(out, TCP_HDR_OPT_MAX);
	struct words list, one;

	words_split(&list, text ? text : "", ",");
	while (words_peek(&list)) {
		words_split(&one, words_next(r, &list), " \t");
		build_opt(r, x, &one, &o);
	}
	while (wr_len(&o) % 4) {
		wr_u8(&o, 1);
	}
	if (!o.ok) {
		pkt_fail(r, "more than 40 octets of options");
	}
	return (unsigned)wr_len(&o);
}

void build_packet(struct run *r, const char *text, const char *opts)
{
	struct build_ctx x = { 0 };
	uint8_t opt[TCP_HDR_OPT_MAX];
	struct attrs a;
	struct words w;
	unsigned n;

	words_split(&w, text, " \t");
	x.f = run_flow(r, words_peek(&w) ? words_peek(&w) : "");
	if (x.f) {
		w.at++;
	} else {
		x.f = run_flow(r, "f0");
	}
	if (!x.f) {
		pkt_fail(r, "no flow is declared");
	}
	parse_attrs(r, &w, x.f, &a);
	x.flags = a.flags;
	x.seq = a.seq;
	x.len = a.len;
	n = build_opts(r, &x, opts, opt);
	if (x.f->t.local.port == 0) {
		pkt_fail(r, "the stack's port is not known yet");
	}
	send_built(r, x.f, &a, opt, n, data_off(&x, &a));
	if (x.has_map) {
		x.f->in = x.map;
		x.f->has_in = true;
	}
}

/* --- ICMP ------------------------------------------------------------------ */

struct icmp_name {
	const char *name;
	uint8_t type4, code4, type6, code6;
};

static const struct icmp_name icmp_names[] = {
	{ "net", 3, 0, 1, 0 },    { "host", 3, 1, 1, 3 },
	{ "proto", 3, 2, 4, 1 },  { "port", 3, 3, 1, 4 },
	{ "toobig", 3, 4, 2, 0 }, { "admin", 3, 13, 1, 1 },
	{ "ttl", 11, 0, 3, 0 },   { "quench", 4, 0, 200, 0 },
};

static const struct icmp_name *icmp_named(struct run *r, const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_names); i++) {
		if (strcmp(icmp_names[i].name, name) == 0) {
			return &icmp_names[i];
		}
	}
	pkt_fail(r, "unknown ICMP error \"%s\"", name);
}

/* icmp FLOW KIND [seq N] [mtu N]: quotes a packet of the flow */
void build_icmp(struct run *r, struct words *w)
{
	struct flow *f = run_flow(r, words_next(r, w)), q;
	const struct icmp_name *n = icmp_named(r, words_next(r, w));
	uint32_t seq = 0, mtu = 0, len;
	uint8_t buf[256], *msg;
	struct wr o = wr_make(buf, sizeof(buf));
	bool v6;
	uint64_t sum;

	if (!f) {
		pkt_fail(r, "no such flow");
	}
	while (words_peek(w)) {
		if (words_take(w, "seq")) {
			seq = (uint32_t)words_num(r, w);
		} else if (words_take(w, "mtu")) {
			mtu = (uint32_t)words_num(r, w);
		} else {
			words_end(r, w);
		}
	}
	v6 = f->t.local.addr.family == 6;
	len = 8 + (v6 ? 40u : 20u) + 8;
	emit_ip(&o, f, v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, 0, len);
	msg = o.p;
	wr_u8(&o, v6 ? n->type6 : n->type4);
	wr_u8(&o, v6 ? n->code6 : n->code4);
	wr_u16(&o, 0);
	wr_u32(&o, mtu);
	q = *f; /* what is quoted went the other way */
	q.t.local = f->t.remote;
	q.t.remote = f->t.local;
	emit_ip(&o, &q, IP_PROTO_TCP, 0, 1000);
	wr_u16(&o, f->t.local.port);
	wr_u16(&o, f->t.remote.port);
	wr_u32(&o, f->isn_local + seq);
	sum = v6 ? cksum_pseudo(&f->t.remote.addr, &f->t.local.addr,
				IP_PROTO_ICMPV6, len)
		 : 0;
	be16_put(msg + 2, cksum_finish(cksum_add(sum, msg, len)));
	check(o.ok);
	run_input(r, f->path, buf, (uint32_t)wr_len(&o));
}
