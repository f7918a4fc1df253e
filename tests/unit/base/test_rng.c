#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/rng.h"

/* published outputs: splitmix64 of seed 1234567, xoshiro256** of state 1 2 3 4 */
static void seeds_as_splitmix64(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 1234567);
	assert_true(r.s[0] == 6457827717110365317u);
	assert_true(r.s[1] == 3203168211198807973u);
	assert_true(r.s[2] == 9817491932198370423u);
	assert_true(r.s[3] == 4593380528125082431u);
}

static void runs_as_xoshiro256ss(void **st)
{
	struct rng r = { { 1, 2, 3, 4 } };

	(void)st;
	assert_true(rng_u64(&r) == 11520);
	assert_true(rng_u64(&r) == 0);
	assert_true(rng_u64(&r) == 1509978240);
	assert_true(rng_u64(&r) == 1215971899390074240);
}

static void stays_below(void **st)
{
	unsigned hits[7] = { 0 };
	struct rng r;

	(void)st;
	rng_seed(&r, 1);
	for (unsigned i = 0; i < 70000; i++) {
		uint64_t v = rng_below(&r, 7);
		double u = rng_unit(&r);

		assert_true(v < 7);
		assert_true(u >= 0 && u < 1);
		hits[v]++;
	}
	for (unsigned i = 0; i < 7; i++) {
		assert_in_range(hits[i], 9500, 10500);
	}
	assert_int_equal(rng_below(&r, 1), 0);
	assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void fills_exactly(void **st)
{
	struct rng a, b;
	uint8_t x[40], y[40];

	(void)st;
	for (size_t n = 0; n <= 32; n++) {
		rng_seed(&a, n);
		rng_seed(&b, n);
		memset(x, 0xee, sizeof(x));
		memset(y, 0xee, sizeof(y));
		rng_fill(&a, x, n);
		rng_fill(&b, y, n);
		assert_memory_equal(x, y, sizeof(x));
		for (size_t i = n; i < sizeof(x); i++) {
			assert_int_equal(x[i], 0xee);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_as_splitmix64),
		cmocka_unit_test(runs_as_xoshiro256ss),
		cmocka_unit_test(stays_below),
		cmocka_unit_test(fills_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
