#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/mptcp/mp_token.h"
#include "tests/lib/fake.h"

/* statement 28 */
static void unique_and_found(void **state)
{
	static struct mp_token t[1000];
	struct mp_token twin = { { 0 }, 0 };
	struct siphash_key key = { 1, 2 };
	struct mp_tokens ts;
	struct fake f;

	(void)state;
	fake_init(&f, 1);
	assert_true(mp_token_init(&ts, &f.mem, &key));
	assert_null(mp_token_find(&ts, 5));
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(mp_token_add(&ts, &t[i], i * 77777u));
	}
	for (uint32_t i = 0; i < 1000; i++) {
		assert_ptr_equal(mp_token_find(&ts, i * 77777u), &t[i]);
	}
	assert_false(mp_token_add(&ts, &twin, 77777));
	mp_token_del(&ts, &t[1]);
	mp_token_del(&ts, &t[1]);
	assert_null(mp_token_find(&ts, 77777));
	assert_true(mp_token_add(&ts, &twin, 77777));
	mp_token_fini(&ts);
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unique_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
