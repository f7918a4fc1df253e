#include "tests/unit/crypt/pair.h"

/* the count of what happened; names and sentences for each reason */
static void reasons_have_words(void **st)
{
	(void)st;
	for (int r = 0; r < CRYPT_REASON_N; r++) {
		assert_int_equal(strncmp(crypt_reason_name(r), "Crypt", 5), 0);
		assert_true(strlen(crypt_reason_text(r)) > 10);
		for (int q = 0; q < r; q++) {
			assert_string_not_equal(crypt_reason_name(r),
						crypt_reason_name(q));
		}
		assert_true(crypt_counter(a.crypt, r) == 0);
	}
	assert_string_equal(crypt_reason_name(CRYPT_OK), "");
	assert_string_equal(crypt_reason_text(CRYPT_REASON_N), "");
	assert_true(crypt_counter(a.crypt, CRYPT_OK) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reasons_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
