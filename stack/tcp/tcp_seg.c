#include "stack/tcp/tcp_seg.h"

#include <string.h>

#include "stack/base/check.h"

#define CSUM_OFFSET 16 /* of the checksum field in the TCP header */

/* RFC 6864 4.1: of what cannot be fragmented it means nothing; else no two
 * segments of a window have the same */
static uint16_t segment_id(const struct tcp_seg_desc *d)
{
	return d->may_fragment ? (uint16_t)(d->flow + d->seq / d->mss) : 0;
}

uint32_t tcp_seg_label(const struct siphash_key *key, const struct tuple *t,
		       unsigned nth)
{
	struct {
		struct tuple t;
		uint32_t nth;
	} in = { *t, nth };
	uint32_t label = (uint32_t)siphash13(key, &in, sizeof(in)) & 0xfffff;

	static_assert(sizeof(in) == sizeof(in.t) + sizeof(in.nth),
		      "no octets between them");
	return label ? label : 1;
}

void tcp_seg_write(const struct ip_path *path, const struct tcp_seg_desc *d,
		   struct pkt_out *out)
{
	struct wr w = wr_make(out->hdr, sizeof(out->hdr));
	bool partial = path && path->csum_offload;
	unsigned tcp_len = TCP_HDR_LEN + d->opt_len;
	unsigned ip_len;
	struct ip_hdr ip = { .src = d->t->local.addr,
			     .dst = d->t->remote.addr,
			     .proto = IP_PROTO_TCP,
			     .ttl = d->ttl,
			     .tos = d->tos,
			     .df = !d->may_fragment,
			     .id = segment_id(d),
			     .flow = d->flow };
	struct tcp_hdr h = { .sport = d->t->local.port,
			     .dport = d->t->remote.port,
			     .seq = d->seq,
			     .ack = d->ack,
			     .flags = d->flags,
			     .wnd = d->wnd,
			     .urg = d->urg };

	ip_len = ip_hdr_emit(&w, &ip, tcp_len + d->len);
	tcp_hdr_emit(&w, &h, d->opt_len);
	wr_copy(&w, d->opt, d->opt_len);
	check(w.ok);
	tcp_hdr_finish(out->hdr, ip_len, tcp_len, d->iov, d->n_iov, partial);

	out->dev = d->path;
	out->family = d->t->local.addr.family;
	out->hdr_len = (uint16_t)(ip_len + tcp_len);
	out->len = out->hdr_len + d->len;
	out->gso_size = d->len > d->mss ? (uint16_t)d->mss : 0;
	out->csum_start = partial ? (uint16_t)ip_len : 0;
	out->csum_offset = partial ? CSUM_OFFSET : 0;
	out->n_iov = (uint8_t)d->n_iov;
	memcpy(out->iov, d->iov, sizeof(out->iov));
}
