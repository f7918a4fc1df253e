/* ranges.h - sorted, disjoint, merged half-open ranges of 64-bit numbers, at
 * most RANGES_MAX of them
 */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define RANGES_MAX 64

struct range {
	uint64_t lo, hi; /* [lo, hi) */
};

struct ranges {
	uint32_t n;
	struct range r[RANGES_MAX];
};

void ranges_init(struct ranges *rs);
/* false when it would need more than RANGES_MAX pieces; nothing changes then */
bool ranges_add(struct ranges *rs, uint64_t lo, uint64_t hi);
void ranges_drop_below(struct ranges *rs, uint64_t lo);
bool ranges_has(const struct ranges *rs, uint64_t lo, uint64_t hi);
/* octets of [lo, hi) that are in no range */
uint64_t ranges_missing(const struct ranges *rs, uint64_t lo, uint64_t hi);

#endif
