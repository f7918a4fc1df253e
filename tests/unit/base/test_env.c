#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/fake.h"

static void keeps_the_account(void **st)
{
	struct fake f;
	uint8_t *a, *b;

	(void)st;
	fake_init(&f, 1);
	f.mem.limit = 100;
	a = mem_zalloc(&f.mem, 60);
	assert_non_null(a);
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(a[i], 0);
	}
	assert_null(mem_alloc(&f.mem, 41));
	assert_null(mem_alloc(&f.mem, SIZE_MAX));
	b = mem_alloc(&f.mem, 40);
	assert_non_null(b);
	assert_int_equal(f.mem.used, 100);
	mem_free(&f.mem, a, 60);
	assert_int_equal(f.mem.used, 40);
	f.fail_at = 1;
	assert_null(mem_alloc(&f.mem, 1));
	mem_free(&f.mem, NULL, 12345);
	mem_free(&f.mem, b, 40);
	assert_int_equal(f.mem.peak, 100);
	fake_fini(&f);
}

/* half of the limit for whoever comes first, a little of the rest for all */
static void shares_what_is_scarce(void **st)
{
	struct fake f;
	void *a;

	(void)st;
	fake_init(&f, 1);
	f.mem.limit = 1000;
	a = mem_alloc(&f.mem, 499);
	assert_true(mem_share(&f.mem, 1u << 30) == 1u << 30);
	mem_free(&f.mem, a, 499);
	a = mem_alloc(&f.mem, 500);
	assert_true(mem_share(&f.mem, 1u << 30) == 16384);
	assert_true(mem_share(&f.mem, 100) == 100);
	mem_free(&f.mem, a, 500);
	fake_fini(&f);
}

static void draws_entropy(void **st)
{
	struct fake f, g;

	(void)st;
	fake_init(&f, 1);
	fake_init(&g, 1);
	assert_int_equal(entropy_u32(&f.env.entropy),
			 entropy_u32(&g.env.entropy));
	assert_true(entropy_u64(&f.env.entropy) == entropy_u64(&g.env.entropy));
	assert_true(entropy_u64(&f.env.entropy) != entropy_u64(&f.env.entropy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_account),
		cmocka_unit_test(shares_what_is_scarce),
		cmocka_unit_test(draws_entropy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
