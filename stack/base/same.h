/* same.h - octets that many have in common, kept once
 *
 * For sets of options: ten thousand connections have those of their listener.
 * Each points at a piece with what it was given.  A piece never changes while
 * others may look at it: whoever changes something takes one of his own
 * (same_edit()) and gives it back (same_done()), and goes on with what is equal
 * to it by then.  A piece is compared with those that were asked for last, and
 * only with them: that never takes long, and at worst the same octets are here
 * twice.
 *
 * Padding counts as content: a value is, as a whole, a copy of a copy .. of
 * what was once cleared.
 */
#ifndef BASE_SAME_H
#define BASE_SAME_H

#include <stdint.h>

#include "stack/base/list.h"

struct mem;

#define SAME_LOOK 8u /* of those asked for last */

struct same {
	struct mem *mem;
	struct list all; /* asked for last, first */
	uint32_t size;   /* of each piece */
};

void same_init(struct same *s, struct mem *mem, uint32_t size);
/* A piece with these octets, not to be written; NULL: no memory. */
void *same_get(struct same *s, const void *v);
/* one more user of a piece */
void *same_share(const void *piece);
/* One user less; NULL is allowed. */
void same_put(struct same *s, const void *piece);
/* A user's piece becomes his own, to be written, until same_done(); NULL: no
 * memory, and he has what he had. */
void *same_edit(struct same *s, const void *piece);
/* ... and is what he goes on with. */
void *same_done(struct same *s, void *own);

#endif
