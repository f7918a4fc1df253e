/* ranges.h - sorted, disjoint, merged half-open ranges of 64-bit numbers, at
 * most RANGES_MAX of them
 *
 * One range has its place here; mem is asked for more with the second, and
 * gets them back when none is left.  A set must not be moved in memory.
 */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define RANGES_MAX 64

struct range {
	uint64_t lo, hi; /* [lo, hi) */
};

struct mem;

struct ranges {
	struct mem *mem;
	struct range *r; /* n of them, room for cap */
	uint32_t n, cap;
	struct range own;
};

void ranges_init(struct ranges *rs, struct mem *mem);
void ranges_fini(struct ranges *rs); /* empty again, and usable */
/* false when it would need more than RANGES_MAX pieces, or more memory than
 * there is; nothing changes then.  Into an empty set one always fits. */
bool ranges_add(struct ranges *rs, uint64_t lo, uint64_t hi);
void ranges_drop_below(struct ranges *rs, uint64_t lo);
bool ranges_has(const struct ranges *rs, uint64_t lo, uint64_t hi);
/* octets of [lo, hi) that are in no range */
uint64_t ranges_missing(const struct ranges *rs, uint64_t lo, uint64_t hi);

#endif
