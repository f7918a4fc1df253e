#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/seq.h"

/* each relation around each point where numbers or their sign turn over */
static void compares_32_bits_around_the_wrap(void **st)
{
	static const uint32_t at[] = { 0,          1,          0x7fffffff,
				       0x80000000, 0xfffffff0, 0xffffffff };
	static const uint32_t ahead[] = { 1, 2, 1000, 0x7fffffff };

	(void)st;
	for (unsigned i = 0; i < 6; i++) {
		uint32_t a = at[i];

		assert_true(seq_leq(a, a) && seq_geq(a, a));
		assert_false(seq_lt(a, a) || seq_gt(a, a));
		for (unsigned k = 0; k < 4; k++) {
			uint32_t b = a + ahead[k];

			assert_true(seq_lt(a, b) && seq_leq(a, b));
			assert_true(seq_gt(b, a) && seq_geq(b, a));
			assert_false(seq_lt(b, a) || seq_gt(a, b));
			assert_int_equal(seq_max(a, b), b);
			assert_int_equal(seq_min(a, b), a);
			assert_int_equal(seq_diff(b, a), ahead[k]);
		}
	}
}

static void compares_64_bits_around_the_wrap(void **st)
{
	static const uint64_t at[] = { 0, INT64_MAX, UINT64_MAX, UINT32_MAX };
	static const uint64_t ahead[] = { 1, UINT32_MAX, INT64_MAX };

	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t a = at[i];

		assert_true(dsn_leq(a, a) && dsn_geq(a, a));
		for (unsigned k = 0; k < 3; k++) {
			uint64_t b = a + ahead[k];

			assert_true(dsn_lt(a, b) && dsn_leq(a, b));
			assert_true(dsn_gt(b, a) && dsn_geq(b, a));
			assert_true(dsn_max(a, b) == b && dsn_min(a, b) == a);
			assert_true(dsn_diff(b, a) == (int64_t)ahead[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_32_bits_around_the_wrap),
		cmocka_unit_test(compares_64_bits_around_the_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
