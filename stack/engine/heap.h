/* heap.h - the memory of the stack process
 *
 * Connections and what else is small come from a slab (stack/base/slab.h),
 * rings from malloc().  Without that a connection that rests would keep, beside
 * its own octets, the pages of those that its neighbours needed while it was
 * opened: half a kibioctet for each of 20,000 connections, measured.
 */
#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/slab.h"

struct heap {
	struct slab slab;
	uint64_t rests; /* times that pages went back to the system */
};

void heap_init(struct heap *h);
/* everything was given back */
void heap_fini(struct heap *h);
/* an account of its own, from the same heap */
struct mem heap_mem(struct heap *h, uint64_t limit);

#endif
