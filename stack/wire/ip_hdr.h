/* ip_hdr.h - IPv4 (RFC 791) and IPv6 (RFC 8200) headers, both directions
 *
 * ip_hdr_parse() validates every length before it yields anything.  For IPv6
 * it walks hop-by-hop, routing and destination options, at most
 * IP_HDR_EXT_MAX of them.
 */
#ifndef WIRE_IP_HDR_H
#define WIRE_IP_HDR_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"

#define IP_PROTO_ICMP   1
#define IP_PROTO_TCP    6
#define IP_PROTO_ICMPV6 58

#define IP_HDR_EXT_MAX 8
#define IP4_HDR_LEN    20
#define IP6_HDR_LEN    40

enum ip_hdr_status {
	IP_HDR_OK,
	IP_HDR_SHORT,    /* shorter than its header, or than it says */
	IP_HDR_VERSION,  /* neither 4 nor 6 */
	IP_HDR_LENGTH,   /* impossible header or total length */
	IP_HDR_CKSUM,    /* IPv4 header checksum wrong */
	IP_HDR_FRAGMENT, /* a fragment: not reassembled */
	IP_HDR_EXT,      /* extension header malformed, too many, or unknown */
};

struct ip_hdr {
	struct addr src, dst;
	uint8_t proto; /* of the payload */
	uint8_t ttl;
	uint8_t tos; /* DSCP and ECN */
	bool df;
	uint16_t id;         /* IPv4 */
	uint32_t flow;       /* IPv6 flow label */
	const uint8_t *body; /* payload */
	uint32_t body_len;   /* trailing padding of the frame excluded */
};

/* validates [p, p+n) */
enum ip_hdr_status ip_hdr_parse(const uint8_t *p, uint32_t n,
				struct ip_hdr *out);
/* like ip_hdr_parse, for the start of a packet quoted in an ICMP error: the
 * body may be cut short and checksums are not verified */
enum ip_hdr_status ip_hdr_parse_quoted(const uint8_t *p, uint32_t n,
				       struct ip_hdr *out);
/* writes a header of 20 or 40 octets in front of body_len octets of payload;
 * uses src, dst, proto, ttl, tos, df, id, flow.  IPv4 checksum included. */
unsigned ip_hdr_emit(struct wr *w, const struct ip_hdr *h, uint32_t body_len);

#endif
