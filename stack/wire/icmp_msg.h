/* icmp_msg.h - ICMP (RFC 792, 1191) and ICMPv6 (RFC 4443, 8201) messages */
#ifndef WIRE_ICMP_MSG_H
#define WIRE_ICMP_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/wire/ip_hdr.h"

enum icmp_kind {
	ICMP_ECHO_REQUEST,
	ICMP_ECHO_REPLY,
	ICMP_TOO_BIG,       /* fragmentation needed / packet too big; mtu set */
	ICMP_NET_UNREACH,   /* also no route, beyond scope */
	ICMP_HOST_UNREACH,  /* also address unreachable */
	ICMP_PROTO_UNREACH, /* also parameter problem: next header */
	ICMP_PORT_UNREACH,
	ICMP_PROHIBITED,    /* administratively */
	ICMP_TIME_EXCEEDED,
	ICMP_PARAM, /* parameter problem, and errors of ICMPv6 not known here */
	ICMP_OTHER, /* no error and no echo; source quench (RFC 6633) */
};

struct icmp_msg {
	enum icmp_kind kind;
	uint8_t type, code;
	uint32_t mtu;          /* of ICMP_TOO_BIG; 0 when the sender gave none */
	uint32_t rest;         /* second word: echo id and sequence */
	const uint8_t *body;   /* echo data, or the quoted packet */
	uint32_t body_len;
};

/* false: truncated or wrong checksum.  ip tells the family and, for ICMPv6,
 * the pseudo-header */
bool icmp_msg_parse(const struct ip_hdr *ip, struct icmp_msg *out);
/* writes the message with its checksum: an ICMP_ECHO_REPLY, else by type, code
 * and rest */
bool icmp_msg_emit(struct wr *w, const struct ip_hdr *ip,
		   const struct icmp_msg *m);

#endif
