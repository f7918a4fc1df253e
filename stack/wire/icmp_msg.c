#include "stack/wire/icmp_msg.h"

#include "stack/base/check.h"
#include "stack/wire/cksum.h"

#define ICMP_HDR_LEN 8

static enum icmp_kind unreach_v4(uint8_t code)
{
	switch (code) {
	case 0:
	case 6:
	case 11:
		return ICMP_NET_UNREACH;
	case 1:
	case 7:
	case 8:
	case 12:
		return ICMP_HOST_UNREACH;
	case 2:
		return ICMP_PROTO_UNREACH;
	case 3:
		return ICMP_PORT_UNREACH;
	case 4:
		return ICMP_TOO_BIG;
	case 9:
	case 10:
	case 13:
		return ICMP_PROHIBITED;
	default:
		return ICMP_OTHER;
	}
}

static enum icmp_kind unreach_v6(uint8_t code)
{
	switch (code) {
	case 0:
	case 2:
		return ICMP_NET_UNREACH;
	case 1:
	case 5:
	case 6:
		return ICMP_PROHIBITED;
	case 3:
		return ICMP_HOST_UNREACH;
	case 4:
		return ICMP_PORT_UNREACH;
	default:
		return ICMP_OTHER;
	}
}

static enum icmp_kind kind_v4(uint8_t type, uint8_t code)
{
	switch (type) {
	case 0:
		return ICMP_ECHO_REPLY;
	case 3:
		return unreach_v4(code);
	case 8:
		return ICMP_ECHO_REQUEST;
	case 11:
		return ICMP_TIME_EXCEEDED;
	case 12:
		return ICMP_PARAM;
	default:
		return ICMP_OTHER;
	}
}

static enum icmp_kind kind_v6(uint8_t type, uint8_t code)
{
	switch (type) {
	case 1:
		return unreach_v6(code);
	case 2:
		return ICMP_TOO_BIG;
	case 3:
		return ICMP_TIME_EXCEEDED;
	case 4:
		return code == 1 ? ICMP_PROTO_UNREACH : ICMP_PARAM;
	case 128:
		return ICMP_ECHO_REQUEST;
	case 129:
		return ICMP_ECHO_REPLY;
	default:
		/* RFC 4443 2.4 (a): unknown errors are the upper layer's */
		return type < 128 ? ICMP_PARAM : ICMP_OTHER;
	}
}

/* the sum of what precedes the message: ICMPv6 alone has a pseudo-header */
static uint64_t sum_before(const struct ip_hdr *ip, uint32_t len)
{
	return ip->src.family == 6
		       ? cksum_pseudo(&ip->src, &ip->dst, IP_PROTO_ICMPV6, len)
		       : 0;
}

bool icmp_msg_parse(const struct ip_hdr *ip, struct icmp_msg *out)
{
	const uint8_t *p = ip->body;
	bool v6 = ip->src.family == 6;
	uint64_t sum;

	if (ip->proto != (v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP) ||
	    ip->body_len < ICMP_HDR_LEN) {
		return false;
	}
	sum = cksum_add(sum_before(ip, ip->body_len), p, ip->body_len);
	if (cksum_finish(sum) != 0) {
		return false;
	}
	*out = (struct icmp_msg){
		.kind = v6 ? kind_v6(p[0], p[1]) : kind_v4(p[0], p[1]),
		.type = p[0],
		.code = p[1],
		.rest = be32_get(p + 4),
		.body = p + ICMP_HDR_LEN,
		.body_len = ip->body_len - ICMP_HDR_LEN,
	};
	if (out->kind == ICMP_TOO_BIG) {
		/* RFC 1191 4: 16 bits; RFC 4443 3.2: 32 */
		out->mtu = v6 ? out->rest : out->rest & 0xffff;
	}
	return true;
}

bool icmp_msg_emit(struct wr *w, const struct ip_hdr *ip,
		   const struct icmp_msg *m)
{
	uint32_t len = ICMP_HDR_LEN + m->body_len;
	uint8_t *p = w->p;

	if (!w->ok || wr_left(w) < len) {
		return false;
	}
	if (m->kind == ICMP_ECHO_REPLY) {
		wr_u8(w, ip->src.family == 6 ? 129 : 0);
		wr_u8(w, 0);
	} else {
		wr_u8(w, m->type);
		wr_u8(w, m->code);
	}
	wr_u16(w, 0);
	wr_u32(w, m->rest);
	wr_copy(w, m->body, m->body_len);
	be16_put(p + 2, cksum_finish(cksum_add(sum_before(ip, len), p, len)));
	return true;
}
