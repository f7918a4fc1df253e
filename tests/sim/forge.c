/* An attacker on the path: sees a packet go by and sends something beside it.
 * Nothing here may end a connection or alter its data, except where the
 * scenario says so (F_FORGED_RST, F_FORGED_ICMP during a handshake).
 */
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "tests/sim/edit.h"
#include "tests/sim/sim.h"

static void send(struct box *b, const struct edit *e, bool out)
{
	box_forward(b, edit_make(b->w, e), out);
}

/* --- below TCP ------------------------------------------------------------ */

static struct pkt *copy_of(struct box *b, const struct pkt *p)
{
	return world_pkt(b->w, p->data, p->len);
}

static void fix4(struct pkt *p)
{
	if (p->data[0] >> 4 == 4) {
		be16_put(p->data + 10, 0);
		be16_put(p->data + 10, cksum_finish(cksum_add(0, p->data, 20)));
	}
}

/* with a route to take, which nobody may say any more (RFC 7126 3.4) */
static struct pkt *source_route(struct box *b, struct pkt *p)
{
	struct pkt *q = world_pkt(b->w, NULL, p->len + 4);

	memcpy(q->data, p->data, 20);
	memcpy(q->data + 20, (const uint8_t[]){ 131, 3, 4, 0 }, 4);
	memcpy(q->data + 24, p->data + 20, p->len - 20);
	q->data[0] = 0x46;
	be16_put(q->data + 2, (uint16_t)q->len);
	be16_put(q->data + 10, 0);
	be16_put(q->data + 10, cksum_finish(cksum_add(0, q->data, 24)));
	pkt_put(p);
	return q;
}

static void forge_ip(struct box *b, const struct pkt *orig, bool out)
{
	struct pkt *p = copy_of(b, orig);
	bool v4 = p->data[0] >> 4 == 4;

	switch (world_below(b->w, 9)) {
	case 0: /* neither version */
		p->data[0] = 0x75;
		break;
	case 1: /* header length below five words */
		if (v4) {
			p->data[0] = 0x43;
		} else { /* payload length beyond the packet */
			be16_put(p->data + 4, (uint16_t)(p->len + 9));
		}
		break;
	case 2: /* total length shorter than the header */
		if (v4) {
			be16_put(p->data + 2, 12);
		}
		fix4(p);
		break;
	case 3: /* fragment */
		if (v4) {
			be16_put(p->data + 6, 0x2000);
		} else {
			p->data[6] = 44;
		}
		fix4(p);
		break;
	case 4: /* another protocol */
		p->data[v4 ? 9 : 6] = 17;
		fix4(p);
		break;
	case 5: /* an extension header that nobody knows */
		if (v4 && p->len % 4 == 0) {
			p = source_route(b, p);
		} else if (v4) {
			p->data[10] ^= 0x10;
		} else {
			p->data[6] = 135;
		}
		break;
	case 6: /* the receiver itself as the source */
		memcpy(p->data + (v4 ? 12 : 8), p->data + (v4 ? 16 : 24),
		       v4 ? 4 : 16);
		fix4(p);
		break;
	case 7: /* ICMP by its number only */
		p->data[v4 ? 9 : 6] = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6;
		fix4(p);
		break;
	default: /* a few octets */
		p->len = (uint32_t)world_below(b->w, 20);
		break;
	}
	world_fault(b->w, F_FORGED_IP);
	/* the core routes by destination: straight to the other end */
	if (out) {
		net_route(b->w, b, p);
	} else {
		link_send(&b->host->path[b->path].down, p);
	}
}

/* a packet for this host's other address, as a wrong router would send it */
static void misroute(struct box *b, const struct edit *e, bool out)
{
	struct edit f = *e;

	if (out) {
		return;
	}
	f.ip.dst.b[addr_len(&f.ip.dst) - 1] ^= 0x77;
	f.len = 0;
	world_fault(b->w, F_FORGED_IP);
	link_send(&b->host->path[b->path].down, edit_make(b->w, &f));
}

/* --- ICMP ----------------------------------------------------------------- */

/* a router's address, in nobody's net */
static struct addr router(uint8_t family)
{
	struct addr a;

	if (family == 4) {
		return addr_v4(192, 0, 2, 1);
	}
	check(addr_parse("2001:db8:ffff::1", &a));
	return a;
}

static void icmp(struct world *w, struct box *to, bool to_host,
		 const struct addr *dst, uint8_t type, uint8_t code,
		 uint32_t rest, const uint8_t *body, uint32_t n)
{
	struct ip_hdr h = { .src = router(dst->family),
			    .dst = *dst,
			    .ttl = 60,
			    .proto = dst->family == 4 ? IP_PROTO_ICMP
						      : IP_PROTO_ICMPV6 };
	struct pkt *p = world_pkt(w, NULL, 60 + 8 + n);
	struct wr o = wr_make(p->data, p->len);
	unsigned ip_len = ip_hdr_emit(&o, &h, 8 + n);
	uint64_t sum = 0;

	wr_u8(&o, type);
	wr_u8(&o, code);
	wr_u16(&o, 0);
	wr_u32(&o, rest);
	wr_copy(&o, body, n);
	p->len = (uint32_t)wr_len(&o);
	if (dst->family == 6) {
		sum = cksum_pseudo(&h.src, &h.dst, IP_PROTO_ICMPV6, 8 + n);
	}
	sum = cksum_add(sum, p->data + ip_len, 8 + n);
	be16_put(p->data + ip_len + 2, cksum_finish(sum));
	if (to_host) {
		link_send(&to->host->path[to->path].down, p);
	} else {
		net_route(w, to, p);
	}
}

void forge_too_big(struct box *b, const struct pkt *p, bool out, uint16_t mtu)
{
	struct ip_hdr h;
	uint32_t n = min_u32(p->len, 128);

	if (ip_hdr_parse(p->data, p->len, &h) != IP_HDR_OK) {
		return;
	}
	/* back to whence it came: our host when it was on its way out */
	icmp(b->w, b, out, &h.src, h.src.family == 4 ? 3 : 2,
	     h.src.family == 4 ? 4 : 0, mtu, p->data, n);
}

/* about p, to its sender; harmless kinds on an open connection (RFC 5927) */
static void forge_icmp(struct box *b, const struct edit *e, const struct pkt *p,
		       bool out)
{
	uint32_t n = min_u32(p->len, 60 + (uint32_t)world_below(b->w, 60));
	struct pkt *q = copy_of(b, p);
	bool v4 = e->ip.src.family == 4;
	unsigned hdr = v4 ? 20 : 40;
	uint8_t type = v4 ? 3 : 1, code = (uint8_t)world_below(b->w, 2);
	uint32_t rest = 0;

	switch (world_below(b->w, 6)) {
	case 0: /* a sequence number that was never sent */
		be32_put(q->data + hdr + 4,
			 be32_get(q->data + hdr + 4) + 0x40000000);
		break;
	case 1: /* a connection that does not exist */
		be16_put(q->data + hdr, 9);
		break;
	case 2: /* lies about the MTU */
		type = v4 ? 3 : 2;
		code = v4 ? 4 : 0;
		rest = (uint32_t)world_below(b->w, 1500);
		break;
	case 3: /* time exceeded */
		type = v4 ? 11 : 3;
		code = 0;
		break;
	case 4: /* a message that nobody asked for */
		type = v4 ? 14 : 134;
		break;
	default:
		code = v4 ? (uint8_t)(1 + world_below(b->w, 3)) : 3;
		break;
	}
	world_fault(b->w, F_FORGED_ICMP);
	icmp(b->w, b, out, &e->ip.src, type, code, rest, q->data, n);
	pkt_put(q);
}

void forge_refusal(struct box *b, const struct pkt *p, bool out)
{
	struct edit e;
	bool v4;

	if (!edit_open(&e, p)) {
		return;
	}
	v4 = e.ip.src.family == 4;
	world_fault(b->w, F_FORGED_HARD);
	icmp(b->w, b, out, &e.ip.src, v4 ? 3 : 1,
	     (uint8_t)(v4 ? 2 + world_below(b->w, 2) : 4), 0, p->data,
	     min_u32(p->len, 68));
}

static void forge_echo(struct box *b, const struct edit *e, bool out)
{
	static const uint8_t body[32] = { 1, 2, 3 };
	bool v4 = e->ip.dst.family == 4;
	unsigned n = world_chance(b->w, 0.1) ? 130 : 1;

	world_fault(b->w, F_ECHO);
	while (n-- > 0) {
		icmp(b->w, b, !out, &e->ip.dst, v4 ? 8 : 128, 0, 7, body,
		     sizeof(body));
	}
}

/* --- TCP ------------------------------------------------------------------ */

static void old_timestamp(struct edit *f)
{
	struct edit_opt *ts = edit_find(f, 8, -1);

	if (ts) {
		be32_put(ts->b + 2, be32_get(ts->b + 2) - 100000);
	}
}

static void bare(struct edit *f)
{
	f->len = 0;
	f->seg.flags = TCP_ACK;
	edit_strip(f, MP_OPT_KIND, -1);
}

/* the header itself is wrong: made by hand, checksum right */
static void forge_header(struct box *b, const struct edit *e, bool out)
{
	struct edit f = *e;
	struct pkt *p;
	unsigned ip_len = e->ip.src.family == 4 ? 20 : 40;
	uint64_t sum;

	bare(&f);
	p = edit_make(b->w, &f);
	if (world_chance(b->w, 0.5)) {
		p->data[ip_len + 12] = 0x30; /* data offset 3 */
	} else {
		p->data[ip_len + 12] = 0xf0; /* beyond the segment */
	}
	be16_put(p->data + ip_len + 16, 0);
	sum = cksum_pseudo(&f.ip.src, &f.ip.dst, IP_PROTO_TCP, p->len - ip_len);
	sum = cksum_add(sum, p->data + ip_len, p->len - ip_len);
	be16_put(p->data + ip_len + 16, cksum_finish(sum));
	box_forward(b, p, out);
}

/* Fast Open: the server's data may be here before its SYN-ACK, and for who has
 * sent a SYN another's is a simultaneous open */
static bool some_open_fast(const struct world *w)
{
	for (unsigned i = 0; i < w->n_conns; i++) {
		const struct conn *c = &w->conn[i];

		if (c->started && c->opt.fast && c->side[0].rx == 0) {
			return true;
		}
	}
	return false;
}

static void forge_tcp(struct box *b, const struct edit *e, bool out)
{
	struct edit f = *e;
	unsigned n = 1;

	world_fault(b->w, F_FORGED_TCP);
	bare(&f);
	if ((e->seg.seq & 3) == 0) { /* from further away */
		f.ip.ttl = 33;
	}
	switch (world_below(b->w, 12)) {
	case 0: /* beyond the window */
		f.seg.seq += 0x40000000;
		f.len = min_u32(e->len, 100);
		break;
	case 1: /* acknowledges what was never sent */
		f.seg.ack += 0x20000000;
		break;
	case 2: /* ... or long ago */
		f.seg.ack -= 0x20000000;
		break;
	case 3: /* SYN on an open connection, many: challenge ACKs */
		f.seg.flags = TCP_SYN;
		n = 1 + (unsigned)world_below(b->w, 30);
		n = some_open_fast(b->w) ? 0 : n;
		break;
	case 4: /* reset in the window but not at its edge (RFC 5961 3) */
		f.seg.flags = TCP_RST;
		f.seg.seq = e->seg.seq + e->len + 1000;
		break;
	case 5: /* blind reset */
		f.seg.flags = TCP_RST;
		f.seg.seq += 0x50000000;
		break;
	case 6: /* no ACK bit */
		f.seg.flags = TCP_PSH;
		break;
	case 7: /* what no segment may have */
		f.seg.flags = TCP_SYN | TCP_FIN | TCP_RST;
		f.seg.seq += 77; /* not where a reset would be obeyed */
		break;
	case 8: /* PAWS; without timestamps it would be taken for real */
		old_timestamp(&f);
		f.seg.seq += 1;
		f.seg.ack += edit_find(&f, 8, -1) ? 0 : 0x20000000;
		break;
	case 9:
		forge_header(b, e, out);
		return;
	case 10: /* to a listener, neither SYN nor ACK nor RST */
		f.seg.t.local.port = SIM_PORT;
		f.seg.t.remote.port = 7;
		f.seg.flags =
			world_chance(b->w, 0.5) ? TCP_FIN : TCP_SYN | TCP_FIN;
		break;
	default: /* to a port where nobody is */
		f.seg.t.local.port = 9;
		f.seg.flags = world_chance(b->w, 0.5) ? TCP_SYN : TCP_ACK;
		break;
	}
	while (n-- > 0) {
		send(b, &f, out);
	}
}

static void forge_rst(struct box *b, const struct edit *e, bool out)
{
	struct edit f = *e;

	if (e->seg.flags & (TCP_SYN | TCP_RST)) {
		return;
	}
	bare(&f);
	f.seg.flags = TCP_RST;
	f.seg.seq = e->seg.seq;
	world_fault(b->w, F_FORGED_RST);
	send(b, &f, out);
}

/* --- MPTCP options on an acknowledgement ---------------------------------- */

static unsigned mp_option(struct box *b, const struct edit *e, uint8_t *buf)
{
	struct wr w = wr_make(buf, 40);
	struct mp_opt_add_addr a = { .id = 77,
				     .addr = router(e->ip.src.family) };
	uint8_t ids[2] = { 99, 98 };

	switch (world_below(b->w, 6)) {
	case 0:
		return mp_opt_emit_fastclose(&w, rng_u64(&b->w->rng));
	case 1:
		return mp_opt_emit_add_addr(&w, &a); /* HMAC of zeros */
	case 2:
		return mp_opt_emit_remove(&w, ids, 2);
	case 3:
		return mp_opt_emit_prio(&w, world_chance(b->w, 0.5));
	case 4: /* an impossible length */
		wr_u8(&w, MP_OPT_KIND);
		wr_u8(&w, 5);
		wr_u8(&w, MP_OPT_DSS << 4);
		wr_u16(&w, 0);
		return 5;
	default: /* a subtype that nobody knows */
		wr_u8(&w, MP_OPT_KIND);
		wr_u8(&w, 4);
		wr_u8(&w, 0xe0);
		wr_u8(&w, 0);
		return 4;
	}
}

static void forge_mp(struct box *b, const struct edit *e, bool out)
{
	uint8_t buf[40];
	struct edit f = *e;
	unsigned n;

	if ((e->seg.flags & (TCP_SYN | TCP_RST | TCP_FIN)) ||
	    !(e->seg.flags & TCP_ACK)) {
		return;
	}
	bare(&f);
	edit_strip(&f, 5, -1);
	n = mp_option(b, e, buf);
	edit_add(&f, buf, (uint8_t)n);
	world_fault(b->w, F_FORGED_MP);
	send(b, &f, out);
}

void forge_flood(struct world *w, struct host *victim, uint16_t port,
		 unsigned n)
{
	static const uint8_t fast[10] = { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct box *b = &victim->path[0].box;
	struct edit f;

	memset(&f, 0, sizeof(f));
	f.ip.ttl = 60;
	f.ip.proto = IP_PROTO_TCP;
	f.ip.dst = victim->path[0].cfg.addr[0];
	f.seg.t.local.port = port;
	f.seg.flags = TCP_SYN;
	f.seg.wnd = 65535;
	for (unsigned i = 0; i < n; i++) {
		f.ip.src = router(f.ip.dst.family);
		f.seg.t.remote.port = (uint16_t)(1024 + world_below(w, 60000));
		f.seg.seq = (uint32_t)rng_u64(&w->rng);
		f.n = 0;
		if (f.seg.seq & 1) { /* a cookie that nobody gave */
			edit_add(&f, fast, sizeof(fast));
		}
		world_fault(w, F_FLOOD);
		link_send(&b->host->path[0].down, edit_make(w, &f));
	}
}

void forge_beside(struct box *b, const struct pkt *p, bool out)
{
	struct edit e;

	if (!world_chance(b->w, b->forge) || !edit_open(&e, p)) {
		return;
	}
	switch (world_below(b->w, 7)) {
	case 0:
		forge_ip(b, p, out);
		break;
	case 1:
		misroute(b, &e, out);
		break;
	case 2:
		/* a handshake may be ended by an ICMP error */
		if (!(e.seg.flags & TCP_SYN)) {
			forge_icmp(b, &e, p, out);
		}
		break;
	case 3:
		forge_echo(b, &e, out);
		break;
	case 4:
		/* an answer to a SYN that acknowledges nonsense, or any RST,
		 * belongs to RFC 9293 3.10.7.3, not to this list */
		if (!(e.seg.flags & TCP_SYN)) {
			forge_tcp(b, &e, out);
		}
		break;
	case 5:
		forge_mp(b, &e, out);
		break;
	default:
		if (box_has(b, F_FORGED_RST)) {
			forge_rst(b, &e, out);
		}
		break;
	}
}
