#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/prim/aead.h"
#include "tests/unit/wire/hex.h"

static struct aead *a;

static int start(void **st)
{
	(void)st;
	a = aead_new();
	return a ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	aead_free(a);
	aead_free(NULL);
	aead_key_free(NULL);
	return 0;
}

/* McGrew, Viega: GCM, test cases 4 and 16; RFC 8439 2.8.2 */
static const struct {
	enum aead_alg alg;
	const char *key, *nonce, *ad, *text, *sealed;
} cases[] = {
	{ AEAD_AES128_GCM, "feffe9928665731c6d6a8f9467308308",
	  "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	  "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
	  "5bc94fbc3221a5db94fae95ae7121a47" },
	{ AEAD_AES256_GCM,
	  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	  "76fc6ece0f4e1768cddf8853bb2d551b" },
	{ AEAD_CHACHA20_POLY1305,
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	  "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
	  "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
	  "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
	  "637265656e20776f756c642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	  "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	  "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	  "3ff4def08e4b7a9de576d26586cec64b6116"
	  "1ae10b594f09e26a7e902ecbd0600691" },
};

static void seals_and_opens_as_published(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t key[32], nonce[12], ad[20], text[128], want[144],
			out[144];
		unsigned ad_n, n;
		struct aead_key *s, *o;
		struct iov in;
		struct iov_mut v;

		assert_true(aead_has(a, cases[i].alg));
		assert_int_equal(hex(cases[i].key, key),
				 aead_key_len(cases[i].alg));
		hex(cases[i].nonce, nonce);
		ad_n = hex(cases[i].ad, ad);
		n = hex(cases[i].text, text);
		assert_int_equal(hex(cases[i].sealed, want), n + AEAD_TAG);
		s = aead_key_new(a, cases[i].alg, true, key);
		o = aead_key_new(a, cases[i].alg, false, key);
		assert_non_null(s);
		assert_non_null(o);
		in = (struct iov){ text, n };
		v = (struct iov_mut){ out, n + AEAD_TAG };
		/* twice: only the nonce is set anew */
		for (unsigned again = 0; again < 2; again++) {
			assert_true(
				aead_seal(s, nonce, ad, ad_n, &in, 1, &v, 1));
			assert_memory_equal(out, want, n + AEAD_TAG);
			assert_true(aead_open(o, nonce, ad, ad_n, &v, 1, 0,
					      n + AEAD_TAG));
			assert_memory_equal(out, text, n);
		}
		aead_key_free(s);
		aead_key_free(o);
	}
	assert_false(aead_has(a, AEAD_N));
	assert_null(aead_key_new(a, AEAD_N, true, (const uint8_t *)""));
}

/* cuts n octets at p in up to 6 pieces */
static unsigned cut(struct rng *r, uint8_t *p, size_t n, struct iov_mut *v)
{
	unsigned k = 0;

	while (k < 5) {
		size_t part = rng_below(r, (uint32_t)n + 1);

		v[k++] = (struct iov_mut){ p, part };
		p += part;
		n -= part;
	}
	v[k++] = (struct iov_mut){ p, n };
	return k;
}

/* pieces of any length, of either side, make the same octets */
static void pieces_make_no_difference(void **st)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 1448, 16400 };
	static uint8_t text[16400], want[16500], got[16500];
	uint8_t key[32] = { 1, 2 }, nonce[12] = { 3 }, ad[3] = { 4 };
	struct rng r;

	(void)st;
	rng_seed(&r, 1);
	rng_fill(&r, text, sizeof(text));
	for (unsigned t = 0; t < AEAD_N * ARRAY_SIZE(sizes) * 4; t++) {
		enum aead_alg alg = t % AEAD_N;
		size_t n = sizes[t / AEAD_N % ARRAY_SIZE(sizes)];
		struct aead_key *s = aead_key_new(a, alg, true, key);
		struct aead_key *o = aead_key_new(a, alg, false, key);
		struct iov_mut in[6], out[6];
		struct iov v[6], one = { text, n };
		struct iov_mut all = { want, n + AEAD_TAG };
		unsigned n_in, n_out;

		assert_true(aead_seal(s, nonce, ad, 3, &one, 1, &all, 1));
		n_in = cut(&r, text, n, in);
		for (unsigned i = 0; i < n_in; i++) {
			v[i] = (struct iov){ in[i].p, in[i].n };
		}
		memset(got, 0x5a, sizeof(got));
		n_out = cut(&r, got + 7, n + AEAD_TAG, out);
		assert_true(aead_seal(s, nonce, ad, 3, v, n_in, out, n_out));
		assert_memory_equal(got + 7, want, n + AEAD_TAG);
		assert_int_equal(got[6], 0x5a);
		assert_int_equal(got[7 + n + AEAD_TAG], 0x5a);
		/* opened in place, behind octets that are left alone */
		n_out = cut(&r, got, n + AEAD_TAG + 7, out);
		assert_true(aead_open(o, nonce, ad, 3, out, n_out, 7,
				      n + AEAD_TAG));
		assert_memory_equal(got + 7, text, n);
		assert_int_equal(got[0], 0x5a);
		assert_int_equal(got[6], 0x5a);
		/* sealed in place too */
		memcpy(want, text, n);
		one = (struct iov){ want, n };
		assert_true(aead_seal(s, nonce, ad, 3, &one, 1, &all, 1));
		assert_true(
			aead_open(o, nonce, ad, 3, &all, 1, 0, n + AEAD_TAG));
		assert_memory_equal(want, text, n);
		aead_key_free(s);
		aead_key_free(o);
	}
}

/* one bit of nonce, associated data, text or tag: refused and cleared */
static void an_altered_bit_is_refused(void **st)
{
	(void)st;
	for (unsigned alg = 0; alg < AEAD_N; alg++) {
		uint8_t key[32] = { 9 }, box[12 + 3 + 33 + 16] = { 0 },
			zero[33];
		struct aead_key *s = aead_key_new(a, alg, true, key);
		struct aead_key *o = aead_key_new(a, alg, false, key);
		struct iov in = { box + 15, 33 };
		struct iov_mut v = { box + 15, 49 };

		memset(zero, 0, sizeof(zero));
		assert_true(aead_seal(s, box, box + 12, 3, &in, 1, &v, 1));
		for (unsigned bit = 0; bit < 8 * sizeof(box); bit++) {
			uint8_t copy[sizeof(box)];
			struct iov_mut w = { copy + 15, 49 };

			memcpy(copy, box, sizeof(box));
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(
				aead_open(o, copy, copy + 12, 3, &w, 1, 0, 49));
			assert_memory_equal(copy + 15, zero, 33);
		}
		for (unsigned n = 0; n < 49; n++) {
			uint8_t copy[sizeof(box)];
			struct iov_mut w = { copy + 15, 49 };

			memcpy(copy, box, sizeof(box));
			assert_false(
				aead_open(o, copy, copy + 12, 3, &w, 1, 0, n));
		}
		assert_true(aead_open(o, box, box + 12, 3, &v, 1, 0, 49));
		assert_memory_equal(box + 15, zero, 33);
		aead_key_free(s);
		aead_key_free(o);
	}
}

static void a_key_is_replaced(void **st)
{
	(void)st;
	for (unsigned alg = 0; alg < AEAD_N; alg++) {
		uint8_t k1[32] = { 1 }, k2[32] = { 2 }, nonce[12] = { 0 };
		uint8_t x[26] = { 0 }, y[26] = { 0 };
		struct aead_key *s = aead_key_new(a, alg, true, k1);
		struct aead_key *fresh = aead_key_new(a, alg, true, k2);
		struct aead_key *o = aead_key_new(a, alg, false, k1);
		struct iov_mut vx = { x, 26 }, vy = { y, 26 };
		struct iov ix = { x, 10 }, iy = { y, 10 };

		assert_true(aead_seal(s, nonce, NULL, 0, &ix, 1, &vx, 1));
		assert_true(aead_open(o, nonce, NULL, 0, &vx, 1, 0, 26));
		assert_true(aead_key_set(s, k2));
		assert_true(aead_key_set(o, k2));
		assert_true(aead_seal(s, nonce, NULL, 0, &ix, 1, &vx, 1));
		assert_true(aead_seal(fresh, nonce, NULL, 0, &iy, 1, &vy, 1));
		assert_memory_equal(x, y, 26);
		assert_true(aead_open(o, nonce, NULL, 0, &vx, 1, 0, 26));
		aead_key_free(s);
		aead_key_free(fresh);
		aead_key_free(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_and_opens_as_published),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(an_altered_bit_is_refused),
		cmocka_unit_test(a_key_is_replaced),
	};

	return cmocka_run_group_tests(tests, start, end);
}
