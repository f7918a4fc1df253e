/* ring.h - byte ring addressed by a 64-bit stream offset
 *
 * Holds the octets [head, tail) of a stream; offsets never wrap in practice
 * (64 bits).  The caller reads pieces by offset without removing them and
 * frees from the front: what a send buffer needs for retransmission.
 * Capacity grows by doubling up to max; the first allocation happens with the
 * first reservation, so an idle ring costs nothing.  Growth moves the octets:
 * pieces got from ring_space() or ring_slice() are dead after the next
 * ring_space() call.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/bytes.h"

struct mem;

struct ring {
	struct mem *mem;
	uint8_t *buf;
	uint32_t cap, max; /* octets; cap 0 or a power of two */
	uint64_t head, tail;
};

void ring_init(struct ring *r, struct mem *mem, uint32_t max, uint64_t start);
void ring_fini(struct ring *r);
uint64_t ring_len(const struct ring *r);
uint32_t ring_free(const struct ring *r); /* up to max, grown or not */
/* up to two writable pieces at the tail, at least min(want, free) octets in
 * all if memory allows; returns the number of pieces (0: full or refused) */
unsigned ring_space(struct ring *r, uint32_t want, struct iov_mut v[2]);
void ring_commit(struct ring *r, uint32_t n); /* n octets were written there */
uint32_t ring_put(struct ring *r, const void *p, uint32_t n); /* copies; octets taken */
/* the octets [off, off+n), which must lie within [head, tail); 1 or 2 pieces */
unsigned ring_slice(const struct ring *r, uint64_t off, uint32_t n,
		    struct iov v[2]);
void ring_drop(struct ring *r, uint64_t upto); /* frees [head, upto) */
void ring_trim(struct ring *r); /* an empty ring gives its memory back */

#endif
