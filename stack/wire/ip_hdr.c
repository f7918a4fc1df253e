#include "stack/wire/ip_hdr.h"

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "stack/wire/ip_ext.h"

#define FRAG4_DF     0x4000
#define FRAG4_MF     0x2000
#define FRAG4_OFFSET 0x1fff

#define OPT4_END     0
#define OPT4_NOP     1
#define OPT4_LSRR    131
#define OPT4_SSRR    137

/* Options do nothing here (RFC 1122 3.2.1.8 asks for no more of a host that
 * forwards nothing); one that says where a packet is to go has no place in one
 * that has arrived (RFC 7126 4.3). */
static enum ip_hdr_status options_v4(const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n && p[i] != OPT4_END;) {
		if (p[i] == OPT4_NOP) {
			i++;
			continue;
		}
		if (n - i < 2 || p[i + 1] < 2 || p[i + 1] > n - i) {
			return IP_HDR_LENGTH;
		}
		if (p[i] == OPT4_LSRR || p[i] == OPT4_SSRR) {
			return IP_HDR_ROUTE;
		}
		i += p[i + 1];
	}
	return IP_HDR_OK;
}

static enum ip_hdr_status parse_v4(const uint8_t *p, uint32_t n, bool quoted,
				   struct ip_hdr *out)
{
	enum ip_hdr_status status = IP_HDR_OK;
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
	if (!quoted) {
		status = options_v4(p + IP4_HDR_LEN, hdr - IP4_HDR_LEN);
	}
	frag = be16_get(p + 6);
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
		.frag = { .id = be16_get(p + 4),
			  .off = (uint16_t)((frag & FRAG4_OFFSET) * 8),
			  .more = (frag & FRAG4_MF) != 0,
			  .at = (uint16_t)hdr },
	};
	/* a quoted first fragment has the ports that are looked for */
	if (status == IP_HDR_OK &&
	    (out->frag.off || (out->frag.more && !quoted))) {
		status = IP_HDR_FRAGMENT;
	}
	return status;
}

static enum ip_hdr_status parse_v6(const uint8_t *p, uint32_t n, bool quoted,
				   struct ip_hdr *out)
{
	uint32_t word, len;

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
	word = be32_get(p);
	*out = (struct ip_hdr){
		.src = addr_from(6, p + 8),
		.dst = addr_from(6, p + 24),
		.ttl = p[7],
		.tos = (uint8_t)(word >> 20),
		.df = true,
		.flow = word & 0xfffff,
	};
	return ip_ext_walk(p, IP6_HDR_LEN + len, quoted, out);
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
