#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/prim/kdf.h"
#include "tests/unit/wire/hex.h"
#include "tests/vectors/vec.h"

static struct hash *h;

static int start(void **st)
{
	(void)st;
	h = hash_new();
	return h ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	hash_free(h);
	return 0;
}

/* RFC 5869 appendix A, the cases with SHA-256 */
static const struct {
	unsigned ikm, ikm_n, salt, salt_n, info, info_n, len;
	const char *prk, *okm;
} cases[] = {
	{ 0x0b, 22, 0, 13, 0xf0, 10, 42,
	  "077709362c2e32df0ddc3f0dc47bba63"
	  "90b6c73bb50f9c3122ec844ad7c2b3e5",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	  "34007208d5b887185865" },
	{ 0x00, 80, 0x60, 80, 0xb0, 80, 82,
	  "06a6b88c5853361a06104c9ceb35b45c"
	  "ef760014904671014a193f40c15fc244",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ 0x0b, 22, 0, 0, 0, 0, 42,
	  "19ef24a32c717b167f33a91d6f648bdf"
	  "96596776afdb6377ac434c1c293ccb04",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	  "9d201395faa4b61a96c8" },
};

static void counts(uint8_t *p, unsigned first, unsigned n, bool same)
{
	for (unsigned i = 0; i < n; i++) {
		p[i] = (uint8_t)(first + (same ? 0 : i));
	}
}

static void derives_as_rfc_5869(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t ikm[80], salt[80], info[80], prk[32], okm[82], want[82];
		struct iov v[2], w[2];

		counts(ikm, cases[i].ikm, cases[i].ikm_n, cases[i].ikm != 0);
		counts(salt, cases[i].salt, cases[i].salt_n, false);
		counts(info, cases[i].info, cases[i].info_n, false);
		/* where the pieces are cut makes no difference */
		for (unsigned cut = 0; cut <= cases[i].info_n; cut++) {
			v[0] = (struct iov){ ikm, cut % 20 };
			v[1] = (struct iov){ ikm + cut % 20,
					     cases[i].ikm_n - cut % 20 };
			assert_true(kdf_extract(h, salt, cases[i].salt_n, v, 2,
						prk));
			hex(cases[i].prk, want);
			assert_memory_equal(prk, want, 32);
			w[0] = (struct iov){ info, cut };
			w[1] = (struct iov){ info + cut,
					     cases[i].info_n - cut };
			assert_true(
				kdf_expand(h, prk, w, 2, okm, cases[i].len));
			hex(cases[i].okm, want);
			assert_memory_equal(okm, want, cases[i].len);
		}
	}
}

/* what is shorter is the beginning of what is longer */
static void writes_no_more_than_asked(void **st)
{
	uint8_t key[32] = { 1 }, all[96], part[97];
	struct iov c = { (const uint8_t *)"\x03", 1 };

	(void)st;
	assert_true(kdf_expand(h, key, &c, 1, all, 96));
	for (size_t n = 0; n <= 96; n++) {
		memset(part, 0x5a, sizeof(part));
		assert_true(kdf_expand(h, key, &c, 1, part, n));
		assert_memory_equal(part, all, n);
		assert_int_equal(part[n], 0x5a);
	}
}

/* RFC 8548 3.3: PRK, ss[1], mk[0], mk[1] of a model that is not ours */
static void derives_as_rfc_8548(void **st)
{
	uint8_t b[4][256], prk[32], out[32], want[32];
	struct iov v[5];
	const char *name[] = { "eno_A", "eno_B", "Init1", "Init2" };

	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		v[i] = (struct iov){ b[i],
				     vec("smtcp", "plain", name[i], b[i]) };
	}
	v[4] = (struct iov){ want, vec("smtcp", "plain", "ES", want) };
	assert_true(kdf_extract(h, b[2] + 15, 32, v, 5, prk));
	vec("smtcp", "plain", "ss0", out);
	assert_memory_equal(prk, out, 32);
	v[0] = (struct iov){ (const uint8_t *)"\x01", 1 };
	assert_true(kdf_expand(h, prk, v, 1, out, 32));
	vec("smtcp", "plain", "ss1", want);
	assert_memory_equal(out, want, 32);
	v[0].p = (const uint8_t *)"\x03";
	assert_true(kdf_expand(h, prk, v, 1, out, 32));
	vec("smtcp", "plain", "mk0", want);
	assert_memory_equal(out, want, 32);
	assert_true(kdf_expand(h, want, v, 1, out, 32));
	vec("smtcp", "plain", "mk1", want);
	assert_memory_equal(out, want, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_as_rfc_5869),
		cmocka_unit_test(writes_no_more_than_asked),
		cmocka_unit_test(derives_as_rfc_8548),
	};

	return cmocka_run_group_tests(tests, start, end);
}
