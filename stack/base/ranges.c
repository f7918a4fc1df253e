#include "stack/base/ranges.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

#define CAP_FIRST 8u

void ranges_init(struct ranges *rs, struct mem *mem)
{
	*rs = (struct ranges){ .mem = mem, .r = &rs->own, .cap = 1 };
}

void ranges_fini(struct ranges *rs)
{
	if (rs->r != &rs->own) {
		mem_free(rs->mem, rs->r, rs->cap * sizeof(rs->r[0]));
	}
	ranges_init(rs, rs->mem);
}

/* room for one more */
static bool grow(struct ranges *rs)
{
	uint32_t cap = rs->cap < CAP_FIRST ? CAP_FIRST : RANGES_MAX;
	struct range *r;

	if (rs->n < rs->cap) {
		return true;
	}
	if (rs->n == RANGES_MAX) {
		return false;
	}
	r = mem_alloc(rs->mem, cap * sizeof(*r));
	if (!r) {
		return false;
	}
	memcpy(r, rs->r, rs->n * sizeof(*r));
	if (rs->r != &rs->own) {
		mem_free(rs->mem, rs->r, rs->cap * sizeof(*r));
	}
	rs->r = r;
	rs->cap = cap;
	return true;
}

/* index of the first range that ends at or after lo */
static uint32_t first_ending(const struct ranges *rs, uint64_t lo)
{
	uint32_t a = 0, b = rs->n;

	while (a < b) {
		uint32_t mid = (a + b) / 2;

		if (rs->r[mid].hi < lo) {
			a = mid + 1;
		} else {
			b = mid;
		}
	}
	return a;
}

/* replaces the ranges [from, to) by the one range r, or none at all */
static void splice(struct ranges *rs, uint32_t from, uint32_t to,
		   const struct range *r)
{
	uint32_t put = from + (r ? 1 : 0);

	memmove(&rs->r[put], &rs->r[to], (rs->n - to) * sizeof(rs->r[0]));
	rs->n = rs->n - to + put;
	if (r) {
		rs->r[from] = *r;
	}
}

bool ranges_add(struct ranges *rs, uint64_t lo, uint64_t hi)
{
	uint32_t from = first_ending(rs, lo), to = from;

	if (lo >= hi) {
		return true;
	}
	while (to < rs->n && rs->r[to].lo <= hi) {
		to++;
	}
	if (to == from) {
		if (!grow(rs)) {
			return false;
		}
	} else {
		lo = min_u64(lo, rs->r[from].lo);
		hi = max_u64(hi, rs->r[to - 1].hi);
	}
	splice(rs, from, to, &(struct range){ lo, hi });
	return true;
}

void ranges_drop_below(struct ranges *rs, uint64_t lo)
{
	uint32_t keep = first_ending(rs, lo);

	if (keep < rs->n && rs->r[keep].hi == lo) {
		keep++;
	}
	splice(rs, 0, keep, NULL);
	if (rs->n > 0) {
		rs->r[0].lo = max_u64(rs->r[0].lo, lo);
	} else if (rs->cap > 1) {
		ranges_fini(rs);
	}
}

bool ranges_has(const struct ranges *rs, uint64_t lo, uint64_t hi)
{
	uint32_t i = first_ending(rs, hi);

	return lo >= hi || (i < rs->n && rs->r[i].lo <= lo);
}

uint64_t ranges_missing(const struct ranges *rs, uint64_t lo, uint64_t hi)
{
	uint64_t missing;

	if (lo >= hi) {
		return 0;
	}
	missing = hi - lo;
	for (uint32_t i = first_ending(rs, lo); i < rs->n; i++) {
		uint64_t a = max_u64(lo, rs->r[i].lo);
		uint64_t b = min_u64(hi, rs->r[i].hi);

		if (rs->r[i].lo >= hi) {
			break;
		}
		missing -= b - a;
	}
	return missing;
}
