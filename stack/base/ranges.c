#include "stack/base/ranges.h"

#include <string.h>

#include "stack/base/check.h"

void ranges_init(struct ranges *rs)
{
	rs->n = 0;
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
		if (rs->n == RANGES_MAX) {
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
