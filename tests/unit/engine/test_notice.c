#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stack/engine/notice.h"

static struct endpoint to(unsigned i)
{
	return endpoint_make(addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i), 80);
}

static bool may(struct notice *n, nanos at, uint8_t kind, unsigned i)
{
	struct endpoint e = to(i);

	return notice_may(n, (struct instant){ NANOS_S + at }, kind, &e);
}

static void test_once(void **state)
{
	static struct notice n;

	(void)state;
	assert_true(may(&n, 0, 0, 1));
	assert_false(may(&n, 1, 0, 1));
	assert_true(may(&n, 1, 1, 1)); /* of another kind */
	assert_true(may(&n, 1, 0, 2)); /* somewhere else */
	assert_false(may(&n, NOTICE_AGAIN - 1, 0, 1));
	assert_true(may(&n, NOTICE_AGAIN, 0, 1));
	assert_false(may(&n, 2 * NOTICE_AGAIN - 1, 0, 1));
}

/* however many destinations: so many a minute */
static void test_rate(void **state)
{
	static struct notice n;
	unsigned said = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		said += may(&n, i * NANOS_S / 20, 0, i); /* 50 seconds */
	}
	assert_int_equal(said, NOTICE_RATE);
	for (unsigned i = 0; i < 1000; i++) {
		said += may(&n, 61 * NANOS_S, 0, 2000 + i);
	}
	assert_int_equal(said, 2 * NOTICE_RATE);
	/* the first ones are still in mind */
	assert_false(may(&n, 200 * NANOS_S, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
