/* ICMP errors that we send: about headers that cannot be taken (RFC 8200 4,
 * RFC 4443 3.4, RFC 1122 3.2.2.1) and fragments that never became whole.  Never
 * about ICMP errors, never about a later fragment of IPv4, and by rate (RFC
 * 4443 2.4). */
#include "stack/base/check.h"
#include "stack/ip/ip_state.h"

#define ERROR4_LEN 576 /* RFC 1812 4.3.2.3: octets of the whole message */
#define ICMP_LEN   8

struct about {
	const uint8_t *p; /* the packet */
	uint32_t len;
	struct addr us, them;
	uint8_t type, code;
	uint32_t word;
};

/* Is the packet itself an ICMP error?  Where its headers cannot be walked,
 * nothing is said but that. */
static bool is_error(const struct about *a)
{
	struct icmp_msg m;
	struct ip_hdr q;

	if (ip_hdr_parse_quoted(a->p, a->len, &q) != IP_HDR_OK ||
	    q.body_len == 0) {
		return false;
	}
	if (q.proto == IP_PROTO_ICMPV6) {
		return q.body[0] < 128;
	}
	return q.proto == IP_PROTO_ICMP &&
	       (!icmp_msg_parse(&q, &m) || m.kind != ICMP_ECHO_REQUEST);
}

static bool error_make(struct ip *ip, const struct about *a, unsigned path,
		       struct instant now, struct pkt_out *out, uint8_t *buf,
		       uint32_t buf_len)
{
	bool v6 = a->us.family == 6;
	uint32_t hdr = v6 ? IP6_HDR_LEN : IP4_HDR_LEN;
	uint32_t most = (v6 ? IP_ERROR_LEN : ERROR4_LEN) - hdr - ICMP_LEN;
	struct ip_hdr h = { .src = a->us,
			    .dst = a->them,
			    .proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP,
			    .ttl = 64 };
	struct icmp_msg m = { .kind = ICMP_OTHER,
			      .type = a->type,
			      .code = a->code,
			      .rest = a->word,
			      .body = a->p,
			      .body_len = min_u32(a->len, most) };
	struct wr w = wr_make(buf, buf_len);

	if (is_error(a)) {
		return false;
	}
	if (!ip_icmp_token(ip, now)) {
		ip_count(ip, IP_ICMP_LIMIT);
		return false;
	}
	if (!icmp_msg_emit(&w, &h, &m) || !w.ok) {
		return false;
	}
	ip_icmp_out(out, path, &h, buf, (uint32_t)wr_len(&w));
	ip_count(ip, IP_ICMP_ERR_OUT);
	return true;
}

bool ip_refuse(struct ip *ip, const struct pkt *pkt, const struct ip_in *in,
	       struct instant now, struct pkt_out *out, uint8_t *buf,
	       uint32_t buf_len)
{
	const struct ip_hdr *h = &in->hdr;
	struct about a = { .p = pkt->data,
			   .len = pkt->len,
			   .us = h->dst,
			   .them = h->src };

	if (h->dst.family == 6) {
		a.type = 4; /* parameter problem */
		a.code = h->bad.code;
		a.word = h->bad.at;
	} else {
		a.type = 3; /* unreachable: protocol */
		a.code = 2;
	}
	return error_make(ip, &a, pkt->dev, now, out, buf, buf_len);
}

bool ip_expire(struct ip *ip, struct instant now, struct pkt_out *out,
	       uint8_t *buf, uint32_t buf_len)
{
	struct ip_frag_late late;
	struct about a;
	struct ip_hdr h;

	if (!ip_frag_late(&ip->frag, now, &late)) {
		return false;
	}
	ip_count(ip, IP_REASM_TIMEOUT);
	ip_count(ip, IP_REASM_FAILS);
	out->len = 0;
	/* RFC 8200 4.5, RFC 1122 3.3.2: only if the first one came */
	if (late.p && ip_hdr_parse(late.p, late.len, &h) == IP_HDR_FRAGMENT) {
		a = (struct about){ .p = late.p,
				    .len = late.len,
				    .us = h.dst,
				    .them = h.src,
				    .type = h.dst.family == 6 ? 3 : 11,
				    .code = 1 };
		if (!error_make(ip, &a, late.dev, now, out, buf, buf_len)) {
			out->len = 0;
		}
	}
	return true;
}
