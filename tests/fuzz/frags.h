/* frags.h - of fuzz_wire.c: fragments of a few datagrams in any order, with
 * headers of any length, memory that is refused, and time
 *
 * What a fragment carries depends on its offset alone, so that a whole packet
 * has to have the same octets whatever it was put together from.
 */
#ifndef TESTS_FUZZ_FRAGS_H
#define TESTS_FUZZ_FRAGS_H

#include "stack/ip/ip_state.h"
#include "stack/wire/cksum.h"
#include "tests/fuzz/fuzz.h"

#define FRAG_IDS   2
#define FRAG_START 48 /* octets of a datagram that the input gives */
#define FRAG_EXT   6  /* most extension headers in front of the fragment's */

struct frags {
	struct fake *f;
	struct ip *ip;
	struct instant now;
	uint8_t start[FRAG_IDS][FRAG_START];
	uint32_t end[2][FRAG_IDS]; /* by family: where the last one ended */
	bool wild; /* a header was altered: anything may be anywhere */
};

/* one that is being made */
struct frag {
	bool v6, more;
	uint8_t id, proto, tos;
	uint32_t off, len, hdr;
};

static uint8_t frag_octet(const struct frags *g, unsigned id, uint32_t at)
{
	return at < FRAG_START ? g->start[id][at]
			       : (uint8_t)(at * 7 + (at >> 8) + id);
}

static void frag_head4(const struct frag *x, struct input *in, uint8_t *p)
{
	static const uint8_t from_to[8] = { 10, 0, 0, 9, 10, 0, 0, 1 };
	bool any = x->hdr > IP4_HDR_LEN && in_u8(in) & 1;

	p[0] = (uint8_t)(0x40 | x->hdr / 4);
	p[1] = x->tos;
	be16_put(p + 2, (uint16_t)(x->hdr + x->len));
	be16_put(p + 4, x->id);
	be16_put(p + 6, (uint16_t)(x->off / 8 | (x->more ? 0x2000u : 0)));
	p[8] = 64;
	p[9] = x->proto;
	memcpy(p + 12, from_to, sizeof(from_to));
	for (uint32_t i = IP4_HDR_LEN; i < x->hdr; i++) {
		p[i] = any ? (uint8_t)in_u8(in) : 1;
	}
}

/* destination options that do nothing, then the fragment header */
static void frag_head6(const struct frag *x, uint8_t *p)
{
	static const uint8_t net[4] = { 0x20, 1, 0xd, 0xb8 };
	uint32_t ext = x->hdr - IP6_HDR_LEN - 8;
	uint8_t *q = p + IP6_HDR_LEN;

	p[0] = (uint8_t)(0x60 | x->tos >> 4);
	p[1] = (uint8_t)(x->tos << 4);
	be16_put(p + 4, (uint16_t)(x->hdr - IP6_HDR_LEN + x->len));
	p[6] = ext ? 60 : 44;
	p[7] = 64;
	memcpy(p + 8, net, sizeof(net));
	p[23] = 9;
	memcpy(p + 24, net, sizeof(net));
	p[39] = 1;
	for (; ext; ext -= 8, q += 8) { /* in each a PadN of four */
		q[0] = ext > 8 ? 60 : 44;
		q[2] = 1;
		q[3] = 4;
	}
	q[0] = x->proto;
	be16_put(q + 2, (uint16_t)(x->off | x->more));
	be32_put(q + 4, x->id);
}

static uint32_t frag_off(const struct frags *g, const struct frag *x,
			 struct input *in, unsigned how)
{
	switch (how & 3) {
	case 0:
		return g->end[x->v6][x->id] & 0xfff8;
	case 1:
		return 0;
	case 2:
		return in_u8(in) * 8;
	default:
		return in_u16(in) & 0xfff8;
	}
}

static uint32_t frag_len(const struct frag *x, struct input *in, unsigned how)
{
	uint32_t most = 65535 - x->hdr + (x->v6 ? IP6_HDR_LEN : 0u), less;

	switch (how & 3) {
	case 0:
		return in_u8(in);
	case 1:
		return in_u8(in) * 8;
	case 2:
		return min_u32(most, in_u8(in) * 256);
	default: /* as far as one may get, or a little less */
		less = x->off + in_u8(in);
		return most - min_u32(most, less);
	}
}

static void frag_choose(const struct frags *g, struct frag *x, struct input *in)
{
	static const uint8_t protos[4] = { IP_PROTO_TCP, IP_PROTO_ICMP,
					   IP_PROTO_ICMPV6, 44 };
	unsigned a = in_u8(in), b = in_u8(in), longer = b >> 4;

	x->v6 = a & 1;
	x->id = a >> 1 & 1;
	x->more = a & 4;
	x->hdr = x->v6 ? IP6_HDR_LEN + 8 + 8 * min_u32(longer, FRAG_EXT)
		       : IP4_HDR_LEN + 4 * min_u32(longer, 10);
	x->proto = protos[b & 3];
	if (x->v6 && x->proto == IP_PROTO_ICMP) {
		x->proto = 60;
	}
	x->tos = b & 8 ? 3 : b >> 2 & 1; /* ECN: marked, or able to be */
	x->off = frag_off(g, x, in, a >> 3);
	x->len = frag_len(x, in, a >> 5);
	if (x->more && !(a & 0x80)) {
		x->len &= ~7u;
	}
}

static bool frag_same(const struct frags *g, unsigned id, const struct pkt *p,
		      uint32_t hdr)
{
	for (uint32_t i = hdr; i < p->len; i++) {
		if (p->data[i] != frag_octet(g, id, i - hdr)) {
			return false;
		}
	}
	return hdr <= p->len;
}

/* where the extension headers that were in front of the fragment's may end */
static void frags_same6(const struct frags *g, unsigned id, const struct pkt *p)
{
	uint32_t hdr = IP6_HDR_LEN;

	while (!frag_same(g, id, p, hdr)) {
		hdr += 8;
		must(hdr <= IP6_HDR_LEN + 8 * FRAG_EXT);
	}
}

/* its header says how long it all is, and can be read again */
static void frags_whole(const struct frags *g, const struct frag *x,
			const struct pkt *p)
{
	struct ip_hdr h;
	enum ip_hdr_status s = ip_hdr_parse(p->data, p->len, &h);

	must(p->refs == 1 && p->dev == 0);
	if (p->data[0] >> 4 == 4) {
		must(s == IP_HDR_OK && be16_get(p->data + 2) == p->len);
	} else {
		must(s == IP_HDR_OK || s == IP_HDR_EXT || s == IP_HDR_FRAGMENT);
		must(be16_get(p->data + 4) == p->len - IP6_HDR_LEN);
	}
	if (!g->wild && x->v6) {
		frags_same6(g, x->id, p);
	} else if (!g->wild) {
		must(frag_same(g, x->id, p, (p->data[0] & 15u) * 4));
	}
}

/* The fragment as it is taken, in memory of its own.  The whole that it makes
 * is the caller's. */
static struct pkt *frags_add(struct frags *g, const struct frag *x,
			     struct input *in, bool altered)
{
	uint32_t n = x->hdr + x->len;
	uint8_t *p = calloc(1, n), error[IP_ERROR_LEN];
	struct pkt pkt = { .data = p, .len = n, .truesize = n, .refs = 1 };
	struct pkt *whole = NULL;
	struct pkt_out out;
	struct ip_in got;
	bool refused = false;

	must(p);
	if (x->v6) {
		frag_head6(x, p);
	} else {
		frag_head4(x, in, p);
	}
	for (uint32_t i = 0; i < x->len; i++) {
		p[x->hdr + i] = frag_octet(g, x->id, x->off + i);
	}
	if (altered) {
		g->wild = true;
		p[in_u8(in) % x->hdr] ^= (uint8_t)in_u8(in);
	}
	if (!x->v6) {
		be16_put(p + 10, 0);
		be16_put(p + 10, cksum_finish(cksum_add(0, p, x->hdr)));
	}
	if (ip_input(g->ip, &pkt, &got) == IP_KIND_FRAGMENT) {
		whole = ip_reassemble(g->ip, g->now, &pkt, &got, &refused);
	}
	must(!(whole && refused));
	if (refused) {
		ip_refuse(g->ip, &pkt, &got, g->now, &out, error,
			  sizeof(error));
	}
	free(p);
	g->end[x->v6][x->id] = x->off + x->len;
	must(g->ip->frag.used <= IP_FRAG_MEM);
	must(g->ip->frag.n <= IP_FRAG_DATAGRAMS);
	return whole;
}

static void frags_later(struct frags *g, nanos d)
{
	uint8_t buf[IP_ERROR_LEN];
	struct pkt_out out;
	unsigned n = 0;

	g->now = instant_add(g->now, d);
	while (ip_expire(g->ip, g->now, &out, buf, sizeof(buf))) {
		must(out.len <= sizeof(buf) + PKT_HDR_MAX);
		must(++n <= IP_FRAG_DATAGRAMS);
	}
	must(!instant_due(ip_deadline(g->ip), g->now));
}

/* The next octets of the input: time, memory, or a fragment.  Not NULL: a whole
 * packet, the caller's. */
static struct pkt *frags_step(struct frags *g, struct input *in)
{
	unsigned what = in_u8(in) & 15;
	struct pkt *whole;
	struct frag x;

	if (what == 1) {
		frags_later(g, in_u8(in) * (NANOS_S / 2));
		return NULL;
	}
	if (what == 2) {
		g->f->fail_at = in_u8(in) & 7;
		return NULL;
	}
	frag_choose(g, &x, in);
	whole = frags_add(g, &x, in, what == 3);
	if (whole) {
		frags_whole(g, &x, whole);
	}
	return whole;
}

/* nothing is left when all have had their time */
static void frags_end(struct frags *g)
{
	g->f->fail_at = 0;
	frags_later(g, 2 * IP_FRAG_LIFE6);
	must(instant_never(ip_deadline(g->ip)));
	must(g->ip->frag.n == 0 && g->ip->frag.used == 0);
}

#endif
