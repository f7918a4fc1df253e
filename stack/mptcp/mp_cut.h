/* mp_cut.h - a queue of received octets from which frames are cut
 *
 *   | opened        | left              |
 *   front           next frame          tail
 *
 * Frames are opened where they lie, over the slices that hold them; what was
 * opened is taken off the front, what nobody wants is dropped.
 */
#ifndef MPTCP_MP_CUT_H
#define MPTCP_MP_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/base/list.h"
#include "stack/base/pkt.h"

struct mp_cut {
	struct list q;         /* slices, in order, without gaps */
	uint32_t opened, left; /* octets of q */
	struct list *n;        /* the next frame begins in this slice, or */
	uint32_t at;           /* ... right behind it, at this octet of it */
};

void mp_cut_init(struct mp_cut *x);
void mp_cut_fini(struct mp_cut *x, struct mem *mem);
/* takes over sl, the next octets */
void mp_cut_add(struct mp_cut *x, struct mem *mem, struct slice *sl);
/* copies the next n octets; false: there are not so many */
bool mp_cut_peek(struct mp_cut *x, uint8_t *out, uint32_t n);
/* where the next n <= left octets are: pieces, 0 when that would be more than
 * max of them */
unsigned mp_cut_pieces(struct mp_cut *x, uint32_t n, struct iov_mut *v,
		       unsigned max);
/* makes them one piece; false: no memory, nothing has changed */
bool mp_cut_join(struct mp_cut *x, struct mem *mem, uint32_t n);
/* the next n octets are opened */
void mp_cut_opened(struct mp_cut *x, uint32_t n);
/* Moves what is opened to the tail of out; false: no memory, nothing has
 * changed. */
bool mp_cut_take(struct mp_cut *x, struct mem *mem, struct list *out);
/* drops the next n octets, nothing being opened before them */
void mp_cut_skip(struct mp_cut *x, struct mem *mem, uint32_t n);

#endif
