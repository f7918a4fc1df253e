#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/siphash.h"

/* the reference vectors: key 00..0f, message 00..n-1, output little-endian */
static const uint8_t reference[][8] = {
	{ 0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72 },
	{ 0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74 },
	{ 0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d },
	{ 0x2d, 0x7e, 0xfb, 0xd7, 0x96, 0x66, 0x67, 0x85 },
	{ 0xb7, 0x87, 0x71, 0x27, 0xe0, 0x94, 0x27, 0xcf },
	{ 0x8d, 0xa6, 0x99, 0xcd, 0x64, 0x55, 0x76, 0x18 },
	{ 0xce, 0xe3, 0xfe, 0x58, 0x6e, 0x46, 0xc9, 0xcb },
	{ 0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab },
	{ 0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93 },
	{ 0xb0, 0xe4, 0xa9, 0x0b, 0xdf, 0x82, 0x00, 0x9e },
	{ 0xf3, 0xb9, 0xdd, 0x94, 0xc5, 0xbb, 0x5d, 0x7a },
	{ 0xa7, 0xad, 0x6b, 0x22, 0x46, 0x2f, 0xb3, 0xf4 },
	{ 0xfb, 0xe5, 0x0e, 0x86, 0xbc, 0x8f, 0x1e, 0x75 },
	{ 0x90, 0x3d, 0x84, 0xc0, 0x27, 0x56, 0xea, 0x14 },
	{ 0xee, 0xf2, 0x7a, 0x8e, 0x90, 0xca, 0x23, 0xf7 },
	{ 0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1 },
};

static uint64_t le64(const uint8_t *p)
{
	return __builtin_bswap64(be64_get(p));
}

static void gives_the_reference_vectors(void **st)
{
	struct siphash_key k = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t msg[16];

	(void)st;
	for (uint8_t i = 0; i < 16; i++) {
		assert_int_equal(siphash24(&k, msg, i), le64(reference[i]));
		msg[i] = i;
	}
}

static uint64_t witness(EVP_MAC_CTX *ctx, unsigned c, unsigned d,
			const uint8_t key[16], const uint8_t *p, size_t n)
{
	size_t size = 8, len;
	uint8_t out[8];
	OSSL_PARAM params[] = {
		OSSL_PARAM_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
		OSSL_PARAM_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
		OSSL_PARAM_END,
	};

	assert_int_equal(EVP_MAC_init(ctx, key, 16, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, p, n), 1);
	assert_int_equal(EVP_MAC_final(ctx, out, &len, sizeof(out)), 1);
	assert_int_equal(len, 8);
	return le64(out);
}

static void agrees_with_libcrypto(void **st)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx;
	struct rng r;

	(void)st;
	if (!mac) {
		skip();
	}
	ctx = EVP_MAC_CTX_new(mac);
	rng_seed(&r, 5);
	for (size_t n = 0; n < 200; n++) {
		uint8_t key[16], msg[201];
		struct siphash_key k;

		rng_fill(&r, key, sizeof(key));
		rng_fill(&r, msg, sizeof(msg));
		k = (struct siphash_key){ le64(key), le64(key + 8) };
		/* at an odd address too */
		assert_int_equal(siphash13(&k, msg + 1, n),
				 witness(ctx, 1, 3, key, msg + 1, n));
		assert_int_equal(siphash24(&k, msg, n),
				 witness(ctx, 2, 4, key, msg, n));
	}
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_reference_vectors),
		cmocka_unit_test(agrees_with_libcrypto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
