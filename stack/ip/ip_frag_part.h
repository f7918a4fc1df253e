/* ip_frag_part.h - what ip_frag.c gathers and ip_frag_join.c puts together */
#ifndef IP_IP_FRAG_PART_H
#define IP_IP_FRAG_PART_H

#include "stack/ip/ip_frag.h"

#define IP_FRAG_TOTAL 65535u /* octets of payload, of any datagram */
#define IP_FRAG_ECN   0x03
#define IP_FRAG_CE    0x03

/* a fragment as it arrived; its part of the datagram begins at `skip` */
struct piece {
	struct list node; /* by offset */
	uint32_t off, len;
	uint32_t size, skip;
	uint8_t p[];
};

struct datagram {
	struct list node;
	struct list pieces;
	struct addr src, dst;
	uint32_t id;
	uint16_t dev;
	uint8_t proto;
	bool dead; /* what still comes is dropped, too (RFC 5722 4) */
	bool ended; /* total is known */
	bool not_ect, ce;
	uint32_t n, have, total;
	struct instant until;
};

/* the datagram, of which all pieces are here; NULL: longer than any may be, or
 * no memory */
struct pkt *ip_frag_join(struct ip_frag *f, const struct datagram *d);

#endif
