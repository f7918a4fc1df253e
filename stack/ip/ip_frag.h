/* ip_frag.h - fragments put together again (RFC 791 3.2, RFC 8200 4.5), within
 * bounds
 *
 * At most IP_FRAG_DATAGRAMS at once, of IP_FRAG_PIECES fragments each, in
 * IP_FRAG_MEM octets of memory; the oldest makes room.  Fragments that overlap
 * end their datagram (RFC 5722 4, for IPv4 as well: no honest sender makes
 * them), and so does a first one that has no room for a TCP header (RFC 1858 3)
 * or not all of the IPv6 headers (RFC 7112).
 */
#ifndef IP_IP_FRAG_H
#define IP_IP_FRAG_H

#include "stack/base/env.h"
#include "stack/base/list.h"
#include "stack/base/pkt.h"
#include "stack/ip/ip.h"

#define IP_FRAG_DATAGRAMS 64u
#define IP_FRAG_PIECES    64u
#define IP_FRAG_MEM       (256u << 10)
#define IP_FRAG_LIFE4     (30 * NANOS_S) /* Linux: ipfrag_time */
#define IP_FRAG_LIFE6     (60 * NANOS_S) /* RFC 8200 4.5 */

struct ip_frag {
	struct mem *mem;
	struct list all; /* oldest first */
	struct datagram *said; /* what ip_frag_late() told of last */
	uint32_t n, used;
};

enum ip_frag_what {
	IP_FRAG_KEPT,
	IP_FRAG_DONE,    /* *whole is the datagram, with one reference */
	IP_FRAG_FAILED,  /* it, or its datagram, is dropped.. */
	IP_FRAG_OVERLAP, /* ..since fragments overlap.. */
	IP_FRAG_REFUSED, /* ..and h->bad says what to tell the sender */
	IP_FRAG_NOMEM,
};

void ip_frag_init(struct ip_frag *f, struct mem *mem);
void ip_frag_fini(struct ip_frag *f);
/* One fragment, as ip_hdr_parse() found it; p stays the caller's.  *dropped:
 * datagrams that had to make room. */
enum ip_frag_what ip_frag_add(struct ip_frag *f, struct instant now,
			      const struct pkt *p, struct ip_hdr *h,
			      struct pkt **whole, unsigned *dropped);
/* when the first one's time is over, INSTANT_NEVER: none waits */
struct instant ip_frag_deadline(const struct ip_frag *f);

/* The first fragment of a datagram whose time is over, as it arrived. */
struct ip_frag_late {
	const uint8_t *p; /* NULL: it never did; valid until the next call */
	uint32_t len;
	uint16_t dev;
};

/* Takes one datagram whose time is over; false: there is none. */
bool ip_frag_late(struct ip_frag *f, struct instant now,
		  struct ip_frag_late *late);

#endif
