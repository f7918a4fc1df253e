/* against the greatest of a plain array */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/tcp/cc/cc_max.h"

static void grows_and_forgets(void **state)
{
	struct cc_max m = { { 0 }, { 0 } };

	(void)state;
	assert_int_equal(cc_max_get(&m), 0);
	assert_int_equal(cc_max_add(&m, 10, 1, 500), 500);
	assert_int_equal(cc_max_add(&m, 10, 2, 900), 900);
	for (uint32_t r = 3; r <= 12; r++) {
		assert_int_equal(cc_max_add(&m, 10, r, 100 + r), 900);
	}
	/* it is more than ten rounds old, and so is most behind it */
	assert_true(cc_max_add(&m, 10, 13, 50) <= 112);
	assert_true(cc_max_get(&m) >= 109);
	/* nothing was heard for longer than the window */
	assert_int_equal(cc_max_add(&m, 10, 60, 7), 7);
}

static void round_wraps(void **state)
{
	struct cc_max m = { { 0 }, { 0 } };

	(void)state;
	cc_max_add(&m, 10, UINT32_MAX - 2, 900);
	assert_int_equal(cc_max_add(&m, 10, 5, 100), 900);
	assert_true(cc_max_add(&m, 10, 9, 100) < 900);
}

/* Never above the true greatest of the window, and never below that of its
 * last quarter, whatever comes. */
static void bounds(void **state)
{
	enum {
		N = 4000,
		W = 20
	};

	static uint64_t v[N];
	struct cc_max m = { { 0 }, { 0 } };
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (uint32_t r = 0; r < N; r++) {
		uint64_t most = 0, recent = 0, got;

		v[r] = rng_below(&rng, 1 + rng_below(&rng, 1000));
		got = cc_max_add(&m, W, r, v[r]);
		for (uint32_t i = 0; i <= W && i <= r; i++) {
			most = max_u64(most, v[r - i]);
			if (i < W / 4) {
				recent = max_u64(recent, v[r - i]);
			}
		}
		assert_true(got <= most);
		assert_true(got >= recent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_forgets),
		cmocka_unit_test(round_wraps),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
