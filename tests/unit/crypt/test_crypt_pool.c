#include "tests/unit/crypt/common.h"

#include "stack/crypt/crypt_pool.h"

/* ahead or not, each pair is another, and none is left in the pool */
static void makes_keys_ahead(void **st)
{
	static uint8_t pub[40][32];
	static struct crypt_pool p;
	struct fake f;
	unsigned made = 0;
	struct dh_key k;

	(void)st;
	fake_init(&f, 1);
	assert_true(crypt_pool_init(&p, &f.env.entropy));
	while (crypt_pool_fill(&p)) {
		made++;
	}
	assert_int_equal(made, CRYPT_POOL_DEPTH);
	for (unsigned i = 0; i < 40; i++) {
		const struct dh_key none = { 0 };

		assert_true(crypt_pool_take(&p, DH_X25519, &k));
		memcpy(pub[i], k.pub, 32);
		for (unsigned j = 0; j < i; j++) {
			assert_memory_not_equal(pub[i], pub[j], 32);
		}
		if (i < CRYPT_POOL_DEPTH) {
			assert_memory_equal(&p.key[DH_X25519][p.n[DH_X25519]],
					    &none, sizeof(none));
		}
	}
	/* another group is made ahead once it was used */
	assert_int_equal(p.n[DH_P256], 0);
	assert_true(crypt_pool_take(&p, DH_P256, &k));
	assert_int_equal(k.group, DH_P256);
	for (unsigned i = 0; i < 2 * CRYPT_POOL_DEPTH; i++) {
		assert_true(crypt_pool_fill(&p));
	}
	assert_false(crypt_pool_fill(&p));
	assert_int_equal(p.n[DH_P256], CRYPT_POOL_DEPTH);
	crypt_pool_fini(&p);
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_keys_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
