#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/time.h"

static void adds_and_saturates(void **st)
{
	struct instant a = { 5 }, never = INSTANT_NEVER;

	(void)st;
	assert_int_equal(instant_add(a, NANOS_S).ns, 1000000005);
	assert_int_equal(instant_add(a, -6).ns, -1);
	assert_true(instant_never(instant_add(a, INT64_MAX)));
	assert_true(instant_never(instant_add(never, 1)));
	assert_false(instant_never(instant_add(a, INT64_MAX - 6)));
}

static void orders(void **st)
{
	struct instant a = { 5 }, b = { 6 };

	(void)st;
	assert_true(instant_before(a, b));
	assert_false(instant_before(a, a));
	assert_true(instant_due(a, a));
	assert_false(instant_due(b, a));
	assert_true(instant_before(b, INSTANT_NEVER));
	assert_int_equal(instant_min(b, a).ns, 5);
	assert_int_equal(instant_since(b, a), 1);
	assert_int_equal(nanos_min(1, 2), 1);
	assert_int_equal(nanos_max(1, 2), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_saturates),
		cmocka_unit_test(orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
