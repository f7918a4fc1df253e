/* fake.h - an env for tests: memory that is counted and may be refused,
 * entropy from a seed, a trace that is dropped or printed
 */
#ifndef TESTS_LIB_FAKE_H
#define TESTS_LIB_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/rng.h"

struct fake {
	struct env env;
	struct mem mem;
	struct rng rng;
	uint64_t fail_at; /* the n-th allocation from now is refused, 0: none */
	bool print;       /* trace lines go to stderr */
};

void fake_init(struct fake *f, uint64_t seed);
/* fails the program when anything is still allocated */
void fake_fini(struct fake *f);

#endif
