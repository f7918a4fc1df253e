#include "stack/wire/ip_hdr.h"

#include "stack/base/check.h"
#include "stack/wire/cksum.h"

#define EXT_HOP_BY_HOP 0
#define EXT_ROUTING    43
#define EXT_FRAGMENT   44
#define EXT_ESP        50
#define EXT_AUTH       51
#define EXT_DEST       60
#define EXT_MOBILITY   135
#define EXT_HIP        139
#define EXT_SHIM6      140

#define FRAG4_DF       0x4000
#define FRAG4_MF       0x2000
#define FRAG4_OFFSET   0x1fff
#define FRAG6_OFFSET   0xfff8
#define FRAG6_MORE     0x0001

static enum ip_hdr_status parse_v4(const uint8_t *p, uint32_t n, bool quoted,
				   struct ip_hdr *out)
{
	uint32_t hdr, total;
	uint16_t frag;

	if (n < IP4_HDR_LEN) {
		return IP_HDR_SHORT;
	}
	hdr = (p[0] & 0x0fu) * 4;
	total = be16_get(p + 2);
	if (hdr < IP4_HDR_LEN || total < hdr) {
		return IP_HDR_LENGTH;
	}
	if (n < hdr || (n < total && !quoted)) {
		return IP_HDR_SHORT;
	}
	if (!quoted && cksum_finish(cksum_add(0, p, hdr)) != 0) {
		return IP_HDR_CKSUM;
	}
	frag = be16_get(p + 6);
	/* a quoted first fragment has the ports that are looked for */
	if (frag & (quoted ? FRAG4_OFFSET : FRAG4_OFFSET | FRAG4_MF)) {
		return IP_HDR_FRAGMENT;
	}
	*out = (struct ip_hdr){
		.src = addr_from(4, p + 12),
		.dst = addr_from(4, p + 16),
		.proto = p[9],
		.ttl = p[8],
		.tos = p[1],
		.df = (frag & FRAG4_DF) != 0,
		.id = be16_get(p + 4),
		.body = p + hdr,
		.body_len = min_u32(n, total) - hdr,
	};
	return IP_HDR_OK;
}

/* RFC 8200 4.2: an unknown option is skipped only if its type says so */
static bool options_ok(struct rd r)
{
	while (rd_left(&r) > 0) {
		uint8_t type = rd_u8(&r);

		if (type == 0) { /* Pad1 has no length */
			continue;
		}
		if (type & 0xc0) {
			return false;
		}
		rd_take(&r, rd_u8(&r));
		if (!r.ok) {
			return false;
		}
	}
	return true;
}

/* headers that this stack cannot look behind */
static bool ext_unknown(uint8_t proto)
{
	return proto == EXT_HOP_BY_HOP || proto == EXT_ESP ||
	       proto == EXT_AUTH || proto == EXT_MOBILITY || proto == EXT_HIP ||
	       proto == EXT_SHIM6;
}

/* one extension header; *proto is its type and becomes that of the next */
static enum ip_hdr_status parse_ext(struct rd *r, bool quoted, uint8_t *proto)
{
	const uint8_t *fixed = rd_take(r, 8), *rest;
	uint8_t type = *proto;
	uint32_t len;

	if (!fixed) {
		return IP_HDR_SHORT;
	}
	*proto = fixed[0];
	if (type == EXT_FRAGMENT) {
		uint16_t frag = be16_get(fixed + 2);
		bool later = (frag & FRAG6_OFFSET) != 0;
		bool more = (frag & FRAG6_MORE) != 0;

		/* neither: an atomic fragment, a whole packet (RFC 6946) */
		return later || (more && !quoted) ? IP_HDR_FRAGMENT : IP_HDR_OK;
	}
	len = fixed[1] * 8u;
	rest = rd_take(r, len);
	if (!rest) {
		return IP_HDR_SHORT;
	}
	if (type == EXT_ROUTING) {
		/* segments left: we are not its destination */
		return fixed[3] && !quoted ? IP_HDR_EXT : IP_HDR_OK;
	}
	return quoted || options_ok(rd_make(fixed + 2, len + 6)) ? IP_HDR_OK
								 : IP_HDR_EXT;
}

static bool ext_known(uint8_t proto, bool first)
{
	return proto == EXT_ROUTING || proto == EXT_FRAGMENT ||
	       proto == EXT_DEST || (proto == EXT_HOP_BY_HOP && first);
}

static enum ip_hdr_status parse_v6(const uint8_t *p, uint32_t n, bool quoted,
				   struct ip_hdr *out)
{
	enum ip_hdr_status status;
	uint32_t word, len;
	uint8_t proto;
	struct rd r;

	if (n < IP6_HDR_LEN) {
		return IP_HDR_SHORT;
	}
	len = be16_get(p + 4);
	if (n - IP6_HDR_LEN < len) {
		if (!quoted) {
			return IP_HDR_SHORT;
		}
		len = n - IP6_HDR_LEN;
	}
	proto = p[6];
	r = rd_make(p + IP6_HDR_LEN, len);
	for (unsigned i = 0; ext_known(proto, i == 0); i++) {
		if (i == IP_HDR_EXT_MAX) {
			return IP_HDR_EXT;
		}
		status = parse_ext(&r, quoted, &proto);
		if (status != IP_HDR_OK) {
			return status;
		}
	}
	if (ext_unknown(proto)) {
		return IP_HDR_EXT;
	}
	word = be32_get(p);
	*out = (struct ip_hdr){
		.src = addr_from(6, p + 8),
		.dst = addr_from(6, p + 24),
		.proto = proto,
		.ttl = p[7],
		.tos = (uint8_t)(word >> 20),
		.df = true,
		.flow = word & 0xfffff,
		.body = r.p,
		.body_len = (uint32_t)rd_left(&r),
	};
	return IP_HDR_OK;
}

static enum ip_hdr_status parse(const uint8_t *p, uint32_t n, bool quoted,
				struct ip_hdr *out)
{
	if (n == 0) {
		return IP_HDR_SHORT;
	}
	switch (p[0] >> 4) {
	case 4:
		return parse_v4(p, n, quoted, out);
	case 6:
		return parse_v6(p, n, quoted, out);
	default:
		return IP_HDR_VERSION;
	}
}

enum ip_hdr_status ip_hdr_parse(const uint8_t *p, uint32_t n,
				struct ip_hdr *out)
{
	return parse(p, n, false, out);
}

enum ip_hdr_status ip_hdr_parse_quoted(const uint8_t *p, uint32_t n,
				       struct ip_hdr *out)
{
	return parse(p, n, true, out);
}

static unsigned emit_v4(struct wr *w, const struct ip_hdr *h, uint32_t body_len)
{
	uint8_t *p;

	if (body_len > UINT16_MAX - IP4_HDR_LEN || !w->ok ||
	    wr_left(w) < IP4_HDR_LEN) {
		return 0;
	}
	p = w->p;
	wr_u8(w, 0x45);
	wr_u8(w, h->tos);
	wr_u16(w, (uint16_t)(IP4_HDR_LEN + body_len));
	wr_u16(w, h->id);
	wr_u16(w, h->df ? FRAG4_DF : 0);
	wr_u8(w, h->ttl);
	wr_u8(w, h->proto);
	wr_u16(w, 0);
	wr_copy(w, h->src.b, 4);
	wr_copy(w, h->dst.b, 4);
	be16_put(p + 10, cksum_finish(cksum_add(0, p, IP4_HDR_LEN)));
	return IP4_HDR_LEN;
}

static unsigned emit_v6(struct wr *w, const struct ip_hdr *h, uint32_t body_len)
{
	if (body_len > UINT16_MAX || !w->ok || wr_left(w) < IP6_HDR_LEN) {
		return 0;
	}
	wr_u32(w, 6u << 28 | (uint32_t)h->tos << 20 | (h->flow & 0xfffff));
	wr_u16(w, (uint16_t)body_len);
	wr_u8(w, h->proto);
	wr_u8(w, h->ttl);
	wr_copy(w, h->src.b, 16);
	wr_copy(w, h->dst.b, 16);
	return IP6_HDR_LEN;
}

unsigned ip_hdr_emit(struct wr *w, const struct ip_hdr *h, uint32_t body_len)
{
	return h->src.family == 6 ? emit_v6(w, h, body_len)
				  : emit_v4(w, h, body_len);
}
