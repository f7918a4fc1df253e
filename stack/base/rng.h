/* rng.h - xoshiro256**, seeded: jitter and tests.  Never for secrets. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed); /* splitmix64 expansion */
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* [0, n), n > 0 */
double rng_unit(struct rng *r);                /* [0, 1) */
void rng_fill(struct rng *r, void *p, size_t n);

#endif
