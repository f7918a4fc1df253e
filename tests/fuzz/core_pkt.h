/* core_pkt.h - of fuzz_core.c: packets of no connection, or about one: ICMP,
 * fragments and other segments of what is on its way, odd protocols, SYNs
 */
#ifndef TESTS_FUZZ_CORE_PKT_H
#define TESTS_FUZZ_CORE_PKT_H

#include "stack/wire/eno_opt.h"
#include "tests/unit/sock/hostile_run.h"

static void core_put(unsigned to, const struct ip_hdr *h, const uint8_t *body,
		     uint32_t n)
{
	static uint8_t buf[IP6_HDR_LEN + 4096];
	struct wr o = wr_make(buf, sizeof(buf));

	ip_hdr_emit(&o, h, n);
	wr_copy(&o, body, n);
	must(o.ok);
	input(to, wirepkt_make(buf, (uint32_t)wr_len(&o), 0));
}

static void core_icmp(void)
{
	static const uint8_t v4[][2] = { { 3, 0 }, { 3, 1 },  { 3, 2 },
					 { 3, 3 }, { 3, 4 },  { 3, 13 },
					 { 4, 0 }, { 11, 0 }, { 12, 0 },
					 { 3, 4 }, { 8, 0 } };
	static const uint8_t v6[][2] = { { 1, 0 }, { 1, 3 }, { 1, 4 },
					 { 2, 0 }, { 3, 0 }, { 4, 1 },
					 { 4, 0 }, { 2, 0 }, { 128, 0 },
					 { 1, 1 }, { 2, 0 } };
	uint8_t quoted[128], body[256];
	struct wr q = wr_make(quoted, sizeof(quoted));
	struct wr o = wr_make(body, sizeof(body));
	struct aim m = { 0 };
	unsigned k = (unsigned)rnd(ARRAY_SIZE(v4));
	struct icmp_msg i = { .kind = ICMP_OTHER, .body = quoted };
	const struct tuple *t;
	struct ip_hdr h;

	if (!forge_aim(&m)) {
		return;
	}
	t = &m.t->entry.t;
	h = (struct ip_hdr){ .src = t->local.addr,
			     .dst = t->remote.addr,
			     .proto = IP_PROTO_TCP,
			     .ttl = 60 };
	ip_hdr_emit(&q, &h, 1400);
	tcp_hdr_emit(
		&q,
		&(struct tcp_hdr){ .sport = t->local.port,
				   .dport = t->remote.port,
				   .seq = (uint32_t)near(tcb_una(m.t), 3000),
				   .flags = TCP_ACK },
		0);
	i.body_len = pct(90) ? (uint32_t)wr_len(&q) : (uint32_t)rnd(60);
	i.body_len = min_u32(i.body_len, (uint32_t)wr_len(&q));
	i.type = h.src.family == 6 ? v6[k][0] : v4[k][0];
	i.code = h.src.family == 6 ? v6[k][1] : v4[k][1];
	i.rest = pct(70) ? 1200 + (uint32_t)rnd(400) : (uint32_t)rnd(1200);
	h.dst = h.src;
	h.src = pct(50) ? t->remote.addr
		: h.dst.family == 6
			? addr_from(6, (uint8_t[16]){ 0x20, 1, [15] = 7 })
			: addr_v4(192, 0, 2, (uint8_t)rnd(255) | 1);
	h.proto = h.dst.family == 6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	if (icmp_msg_emit(&o, &h, &i)) {
		core_put(m.to, &h, body, (uint32_t)wr_len(&o));
	}
}

/* one of the packets that are on their way, cut; maybe not all of it arrives */
static void core_fragments(void)
{
	unsigned to = 0, step = 8u << rnd(8), lost = pct(20) ? 2 : 999;
	struct pkt *p = w.n_wire ? take((unsigned)rnd(w.n_wire), &to) : NULL;
	uint32_t hdr, off = 0, n;
	static uint8_t b[66000];

	if (!p) {
		return;
	}
	hdr = p->data[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	while (off < p->len - hdr) {
		bool more = step < p->len - hdr - off;
		uint32_t gap = hdr == IP6_HDR_LEN ? 8 : 0;

		n = more ? step : p->len - hdr - off;
		memcpy(b, p->data, hdr);
		memcpy(b + hdr + gap, p->data + hdr + off, n);
		if (gap) {
			memset(b + hdr, 0, 8);
			b[hdr] = b[6];
			b[6] = 44;
			be16_put(b + 4, (uint16_t)(n + 8));
			be16_put(b + hdr + 2, (uint16_t)(off | more));
			b[hdr + 7] = (uint8_t)rnd(3);
		} else {
			be16_put(b + 2, (uint16_t)(hdr + n));
			be16_put(b + 4, 77);
			be16_put(b + 6,
				 (uint16_t)(off / 8 | (more ? 0x2000u : 0)));
			be16_put(b + 10, 0);
			be16_put(b + 10, cksum_finish(cksum_add(0, b, hdr)));
		}
		if (lost--) {
			input(to, wirepkt_make(b, hdr + gap + n, 0));
		}
		off += n;
	}
	pkt_put(p);
}

/* octets [off, off+n) of a segment's payload, as one of its own */
static struct pkt *core_part(const struct pkt *p, uint32_t hdr, uint32_t ip,
			     uint32_t off, uint32_t n)
{
	struct pkt *k = wirepkt_make(p->data, hdr + n, 0);
	uint8_t *b = k->data;

	memcpy(b + hdr, p->data + hdr + off, n);
	be32_put(b + ip + 4, be32_get(b + ip + 4) + off);
	if (hdr + off + n < p->len) {
		b[ip + 13] &= (uint8_t)~TCP_FIN;
	}
	if (ip == IP6_HDR_LEN) {
		be16_put(b + 4, (uint16_t)(hdr + n - ip));
	} else {
		be16_put(b + 2, (uint16_t)(hdr + n));
		be16_put(b + 10, 0);
		be16_put(b + 10, cksum_finish(cksum_add(0, b, ip)));
	}
	return k;
}

/* A segment that is on its way arrives as several, which may overlap, from
 * the front or from the back; now and then one of them does not. */
static void core_resegment(void)
{
	unsigned to = 0, step = 1 + (unsigned)rnd(pct(50) ? 32 : 800);
	bool back = pct(30), lossy = pct(30);
	struct pkt *p = w.n_wire ? take((unsigned)rnd(w.n_wire), &to) : NULL;
	uint32_t ip, hdr, all, at;

	if (!p) {
		return;
	}
	ip = p->data[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	hdr = ip + (p->len > ip + 12 ? (p->data[ip + 12] >> 4) * 4u : 0);
	/* an altered one may be of any shape */
	all = hdr >= ip + TCP_HDR_LEN && hdr < p->len ? p->len - hdr : 0;
	for (uint32_t off = 0; off < all && off / step < 200; off += step) {
		uint32_t n = min_u32(step + (uint32_t)(lossy ? step / 3 : 0),
				     all - off);

		at = back ? all - off - n : off;
		if (!lossy || off / step % 7 != 5) {
			input(to, core_part(p, hdr, ip, at, n));
		}
	}
	pkt_put(p);
}

/* a protocol, a header or a length that nobody has */
static void core_odd(void)
{
	unsigned to = (unsigned)rnd(2), n = (unsigned)rnd(64);
	bool v6 = pct(50);
	struct end *us = &w.end[to], *them = &w.end[!to];
	struct ip_hdr h = { .src = v6 ? them->a6[0] : them->a[0],
			    .dst = v6 ? us->a6[0] : us->a[0],
			    .proto = (uint8_t)(pct(50) ? rnd(256) : 6),
			    .ttl = 1 };
	uint8_t body[64];

	for (unsigned i = 0; i < n; i++) {
		body[i] = (uint8_t)rnd(256);
	}
	core_put(to, &h, body, n);
}

/* --- SYNs, and what answers a SYN cookie ---------------------------------- */

static void core_syn_options(struct wr *o, unsigned to)
{
	const struct eno_opt_sub sub[] = {
		{ .tep = ENO_TEP_X25519 }, { .tep = (uint8_t)(0x20 + rnd(16)) }
	};
	struct mp_opt_capable c = { .version = 1,
				    .flags = MP_CAP_SHA256,
				    .len = 4 };
	static const uint8_t cookie[16] = { 1, 2, 3 };
	struct aim m = { .to = to };

	tcp_hdr_emit_mss(o, (uint16_t)(500 + rnd(1000)));
	if (pct(60)) {
		tcp_hdr_emit_ts(o, 1000, 0);
	}
	switch (rnd(6)) {
	case 0:
		mp_opt_emit_capable(o, &c);
		break;
	case 1:
		tcp_hdr_emit_tfo(o, cookie, (uint8_t)(2 * rnd(9)));
		break;
	case 2:
		eno_opt_emit(o, pct(50) ? 0 : -1, sub, 1 + pct(50));
		break;
	case 3:
		if (forge_aim(&m)) {
			opt_join(o, &m);
		}
		break;
	default:
		tcp_hdr_emit_sack_perm(o);
		tcp_hdr_emit_wscale(o, (uint8_t)rnd(16));
		break;
	}
	tcp_hdr_pad(o);
}

static void core_syn(void)
{
	unsigned to = (unsigned)rnd(2);
	bool v6 = pct(50), ack = pct(20);
	struct end *us = &w.end[to], *them = &w.end[!to];
	struct ip_hdr h = { .src = v6 ? them->a6[1] : them->a[1],
			    .dst = v6 ? us->a6[1] : us->a[1],
			    .proto = IP_PROTO_TCP,
			    .ttl = 9 };
	struct tcp_hdr tcp = { .dport = (uint16_t)(80 + to),
			       .seq = (uint32_t)rnd(3) - 1,
			       .ack = ack ? (uint32_t)rnd(65536) : 0,
			       .flags = ack ? TCP_ACK : TCP_SYN,
			       .wnd = 5000 };
	uint8_t opt[TCP_HDR_OPT_MAX], body[1024];
	struct wr q = wr_make(opt, sizeof(opt)),
		  o = wr_make(body, sizeof(body));

	tcp.sport = (uint16_t)(30000 + rnd(4));
	core_syn_options(&q, to);
	tcp_hdr_emit(&o, &tcp, (unsigned)wr_len(&q));
	wr_copy(&o, opt, wr_len(&q));
	for (unsigned n = pct(20) ? (unsigned)rnd(200) : 0; n; n--) {
		wr_u8(&o, 'z');
	}
	core_put(to, &h, body, (uint32_t)wr_len(&o));
}

#endif
