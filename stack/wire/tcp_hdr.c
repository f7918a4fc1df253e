#include "stack/wire/tcp_hdr.h"

#include "stack/base/check.h"
#include "stack/wire/cksum.h"

#define CSUM_AT 16 /* offset of the checksum in the header */

enum tcp_hdr_status tcp_hdr_parse(const struct ip_hdr *ip, bool csum_ok,
				  struct tcp_seg *out)
{
	const uint8_t *p = ip->body;
	uint32_t n = ip->body_len, hdr;

	if (n < TCP_HDR_LEN) {
		return TCP_HDR_SHORT;
	}
	hdr = (p[12] >> 4) * 4u;
	if (hdr < TCP_HDR_LEN) {
		return TCP_HDR_DOFF;
	}
	if (n < hdr) {
		return TCP_HDR_SHORT;
	}
	if (!csum_ok) {
		uint64_t sum =
			cksum_pseudo(&ip->src, &ip->dst, IP_PROTO_TCP, n);

		if (cksum_finish(cksum_add(sum, p, n)) != 0) {
			return TCP_HDR_CKSUM;
		}
	}
	out->t.local = endpoint_make(ip->dst, be16_get(p + 2));
	out->t.remote = endpoint_make(ip->src, be16_get(p));
	out->seq = be32_get(p + 4);
	out->ack = be32_get(p + 8);
	out->flags = p[13];
	out->wnd = be16_get(p + 14);
	out->urg = be16_get(p + 18);
	out->tos = ip->tos;
	out->ttl = ip->ttl;
	out->label = ip->flow;
	out->len = n - hdr;
	out->data = p + hdr;
	tcp_hdr_parse_opts(p + TCP_HDR_LEN, hdr - TCP_HDR_LEN, &out->opts);
	return TCP_HDR_OK;
}

void tcp_hdr_emit(struct wr *w, const struct tcp_hdr *h, unsigned opt_len)
{
	check(opt_len % 4 == 0 && opt_len <= TCP_HDR_OPT_MAX);
	wr_u16(w, h->sport);
	wr_u16(w, h->dport);
	wr_u32(w, h->seq);
	wr_u32(w, h->ack);
	wr_u8(w, (uint8_t)((TCP_HDR_LEN + opt_len) / 4 << 4));
	wr_u8(w, h->flags);
	wr_u16(w, h->wnd);
	wr_u16(w, 0);
	wr_u16(w, h->urg);
}

static uint64_t pseudo_of(const uint8_t *ip, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	struct addr src = v6 ? addr_from(6, ip + 8) : addr_from(4, ip + 12);
	struct addr dst = v6 ? addr_from(6, ip + 24) : addr_from(4, ip + 16);

	return cksum_pseudo(&src, &dst, IP_PROTO_TCP, len);
}

void tcp_hdr_finish(uint8_t *ip, unsigned ip_len, unsigned tcp_len,
		    const struct iov *v, unsigned n_iov, bool partial)
{
	uint8_t *tcp = ip + ip_len;
	size_t len = tcp_len;
	uint64_t sum;

	for (unsigned i = 0; i < n_iov; i++) {
		len += v[i].n;
	}
	sum = pseudo_of(ip, (uint32_t)len);
	be16_put(tcp + CSUM_AT, 0);
	if (partial) {
		be16_put(tcp + CSUM_AT, cksum_fold(sum));
		return;
	}
	sum = cksum_add(sum, tcp, tcp_len);
	sum = cksum_add_iov(sum, v, n_iov);
	be16_put(tcp + CSUM_AT, cksum_finish(sum));
}
