/* slab.h - small pieces of memory, those of one size side by side
 *
 * What lives as long as a connection lies apart from what lives as long as a
 * packet: when the many pieces that a busy moment needed are given back, whole
 * blocks are free, however many connections stay.  A piece costs its size,
 * rounded up to SLAB_STEP, and its share of the block's header.
 *
 * Whoever gives a piece back tells its size, as with struct mem, so no piece
 * has a header of its own.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "stack/base/list.h"

#define SLAB_STEP   16u
#define SLAB_MAX    2048u /* larger ones are not for a slab */
#define SLAB_BLOCK  (64u << 10)
#define SLAB_SPARES 16u /* empty blocks kept for the next use */

struct slab_src {
	/* SLAB_BLOCK octets at a multiple of SLAB_BLOCK; NULL: none */
	void *(*get)(void *ctx);
	void (*give)(void *ctx, void *block);
	void *ctx;
};

struct slab {
	struct slab_src src;
	struct list some[SLAB_MAX / SLAB_STEP]; /* blocks with room, by size */
	struct list spare;                      /* blocks with nothing in */
	uint32_t n_spare, n_blocks;             /* blocks: spare ones too */
};

void slab_init(struct slab *s, const struct slab_src *src);
/* gives back the spare blocks; pieces not given back keep theirs */
void slab_trim(struct slab *s);
/* 1 to SLAB_MAX octets, aligned to SLAB_STEP, not cleared; NULL: no memory */
void *slab_get(struct slab *s, size_t size);
/* size as it was asked for */
void slab_give(struct slab *s, void *p, size_t size);

#endif
