/* mp_strip.h - from frames to the octets inside them
 *
 * Takes a verified stream of frames, opened in place, slice by slice and cut
 * anywhere, and drops what is not data: control, length, flags, urgent field
 * and tag (RFC 8548 4.2).  Never fails: it needs no memory it could not do
 * without.
 */
#ifndef MPTCP_MP_STRIP_H
#define MPTCP_MP_STRIP_H

#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"

#define MP_STRIP_HDR 4u /* control, length, flags */

struct mp_strip {
	uint32_t urgent, data, tag; /* octets left of the frame */
	uint8_t hdr[MP_STRIP_HDR];  /* its header so far */
	uint8_t n;
	uint16_t urgent_at;         /* its urgent field */
	uint64_t passed;            /* octets of data, of all frames */
	/* behind the last octet that a frame called urgent, counted like passed;
	 * 0: none did */
	uint64_t mark;
};

/* Takes over sl, the next octets; appends slices of data to q, whose seq means
 * nothing, and returns their octets. */
uint64_t mp_strip(struct mp_strip *st, struct mem *mem, struct slice *sl,
		  struct list *q);

#endif
