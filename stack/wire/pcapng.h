/* pcapng.h - pcapng blocks (draft-ietf-opsawg-pcapng) encoded to memory
 *
 * The caller writes what is encoded to a file.  Link type is LINKTYPE_RAW
 * (101): packets begin with the IP header.  One interface per path, named.
 */
#ifndef WIRE_PCAPNG_H
#define WIRE_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"

#define PCAPNG_BLOCK_MAX (65536 + 128)

/* octets written, 0: no room */
unsigned pcapng_section(struct wr *w, const char *application);
unsigned pcapng_interface(struct wr *w, const char *name, uint32_t snaplen);
/* unix_ns: time stamp; outbound: direction flag; comment may be NULL.
 * The packet is given in pieces; a comment beyond 80 octets is cut, so that a
 * packet of 65,535 always fits PCAPNG_BLOCK_MAX. */
unsigned pcapng_packet(struct wr *w, uint32_t interface, int64_t unix_ns,
		       bool outbound, const struct iov *v, unsigned n_iov,
		       const char *comment);

#endif
