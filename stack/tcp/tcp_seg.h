/* tcp_seg.h - a description of one segment, or of a burst that the device
 * cuts into segments, becomes a struct pkt_out
 */
#ifndef TCP_TCP_SEG_H
#define TCP_TCP_SEG_H

#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/pkt.h"
#include "stack/base/siphash.h"
#include "stack/ip/ip.h"
#include "stack/wire/tcp_hdr.h"

/* most payload octets in one packet of either family: 65,535 less the longest
 * headers */
#define TCP_SEG_BURST (65535 - IP6_HDR_LEN - TCP_HDR_LEN - TCP_HDR_OPT_MAX)

struct tcp_seg_desc {
	const struct tuple *t;
	uint16_t path;
	uint8_t ttl, tos;
	uint8_t flags;
	bool may_fragment;
	uint8_t opt_len; /* multiple of 4 */
	uint16_t wnd, urg;
	uint32_t flow; /* IPv6 flow label */
	uint32_t seq, ack;
	uint32_t len;  /* payload octets in iov */
	uint32_t mss;  /* payload octets per segment when len is more */
	unsigned n_iov;
	struct iov iov[3];
	uint8_t opt[TCP_HDR_OPT_MAX];
};

/* The IPv6 flow label of a connection (RFC 6437 3): a keyed hash, so that nobody
 * can guess the next one, never 0 ("none").  nth: another one for each time the
 * path is suspected; routers that spread by it then take another path. */
uint32_t tcp_seg_label(const struct siphash_key *key, const struct tuple *t,
		       unsigned nth);

/* Writes every field of out.  path is NULL when the path is gone: then the
 * packet is complete in itself (full checksum). */
void tcp_seg_write(const struct ip_path *path, const struct tcp_seg_desc *d,
		   struct pkt_out *out);

/* how many segments leave the device for len octets */
static inline uint32_t tcp_seg_count(uint32_t len, uint32_t mss)
{
	return len <= mss || mss == 0 ? 1 : (len + mss - 1) / mss;
}

#endif
