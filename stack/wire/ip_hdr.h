/* ip_hdr.h - IPv4 (RFC 791) and IPv6 (RFC 8200) headers, both directions
 *
 * ip_hdr_parse() validates every length before it yields anything.  For IPv6
 * it walks hop-by-hop, routing and destination options and fragment headers
 * (ip_ext.c), at most IP_HDR_EXT_MAX of them.  IPv4 options are skipped, but
 * their lengths have to be right, and a source route is refused.
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
#define IP_PROTO_NONE   59 /* IPv6: nothing follows */

#define IP_HDR_EXT_MAX 8
#define IP4_HDR_LEN    20
#define IP6_HDR_LEN    40

enum ip_hdr_status {
	IP_HDR_OK,
	IP_HDR_SHORT,    /* shorter than its header, or than it says */
	IP_HDR_VERSION,  /* neither 4 nor 6 */
	IP_HDR_LENGTH,   /* impossible header or total length */
	IP_HDR_CKSUM,    /* IPv4 header checksum wrong */
	IP_HDR_FRAGMENT, /* a fragment, of which `frag` tells */
	IP_HDR_EXT,      /* extension header malformed, too many, or unknown */
	IP_HDR_ROUTE,    /* IPv4 source route */
};

/* with IP_HDR_FRAGMENT; body is what the fragment carries */
struct ip_hdr_frag {
	uint32_t id;
	uint16_t off;     /* octets, of the body in the whole */
	bool more;        /* not the last */
	uint16_t at;      /* IPv6: of the fragment header; IPv4: header length */
	uint16_t name_at; /* IPv6: of the octet that names the fragment header */
};

/* what an ICMPv6 parameter problem would say (RFC 4443 3.4) */
struct ip_hdr_bad {
	bool tell;    /* the sender is to know */
	uint8_t code; /* 0 field, 1 next header, 2 option, 3 first fragment */
	uint16_t at;  /* offset of the octet that is wrong */
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
	struct ip_hdr_frag frag;
	struct ip_hdr_bad bad; /* at and code also when all is well: proto's */
};

/* Validates [p, p+n).  With IP_HDR_FRAGMENT and IP_HDR_EXT the addresses are
 * valid, too. */
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
