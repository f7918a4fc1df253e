#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/cc.h"

static const struct instant t0 = { 0 };

static void registry(void **state)
{
	(void)state;
	assert_ptr_equal(cc_find("cubic"), &cc_cubic);
	assert_ptr_equal(cc_find("reno"), &cc_reno);
	assert_ptr_equal(cc_find("bbr"), &cc_bbr);
	assert_null(cc_find("bbr2"));
	assert_null(cc_find(""));
	for (unsigned i = 0; cc_name(i); i++) {
		assert_non_null(cc_find(cc_name(i)));
		assert_true(i < 10);
	}
}

/* RFC 6928 2: min(10 MSS, max(2 MSS, 14600)) */
static void initial_window(void **state)
{
	struct cc cc;

	(void)state;
	assert_int_equal(cc_initial_window(1460), 14600);
	assert_int_equal(cc_initial_window(536), 5360);
	assert_int_equal(cc_initial_window(2000), 14600);
	assert_int_equal(cc_initial_window(9000), 18000);
	cc_init(&cc, &cc_reno, 1448, t0);
	assert_int_equal(cc.cwnd, 14480);
	assert_int_equal(cc.ssthresh, CC_INF);
	cc_init(&cc, &cc_cubic, 0, t0);
	assert_int_equal(cc.mss, 1);
	cc_set_mss(&cc, 1000);
	assert_int_equal(cc.cwnd, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry),
		cmocka_unit_test(initial_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
