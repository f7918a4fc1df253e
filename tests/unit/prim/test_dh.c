#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/prim/dh.h"
#include "tests/lib/fake.h"
#include "tests/unit/wire/hex.h"
#include "tests/vectors/vec.h"

static struct dh *d;

static int start(void **st)
{
	(void)st;
	d = dh_new();
	return d ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	dh_free(d);
	dh_free(NULL);
	return 0;
}

static void is(const uint8_t *got, const char *text)
{
	uint8_t want[80];
	unsigned n = hex(text, want);

	assert_memory_equal(got, want, n);
}

/* RFC 7748 6.1, 6.2; RFC 5903 8.1, 8.3 (public keys there are not
 * compressed: the x coordinate behind the octet that tells y's parity) */
static const struct {
	enum dh_group g;
	const char *priv_a, *pub_a, *priv_b, *pub_b, *secret;
} cases[] = {
	{ DH_X25519,
	  "77076d0a7318a57d3c16c17251b26645df4c2f87ebc099"
	  "2ab177fba51db92c2a",
	  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381a"
	  "f4eba4a98eaa9b4e6a",
	  "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6"
	  "fd1c2f8b27ff88e0eb",
	  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b7867"
	  "4dadfc7e146f882b4f",
	  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e"
	  "3376f09b3c1e161742" },
	{ DH_X448,
	  "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d"
	  "d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
	  "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c"
	  "22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
	  "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d"
	  "6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
	  "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430"
	  "27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
	  "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b"
	  "b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d" },
	{ DH_P256,
	  "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	  "0023 03"
	  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
	  "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	  "0023 03"
	  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
	  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de" },
	{ DH_P521,
	  "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce476081"
	  "72a095aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c2"
	  "7a57382d4a52",
	  "0045 02"
	  "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9"
	  "ecbee1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4"
	  "195d176ced3e",
	  "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380"
	  "201e9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f"
	  "5cb151685eb9",
	  "0045 02"
	  "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e573973"
	  "5a219b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171"
	  "640012d9460f",
	  "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d7"
	  "9b04d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417"
	  "996d19f3ddea" },
};

static void agrees_as_published(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		enum dh_group g = cases[i].g;
		uint8_t priv[80], peer[80], out[80];
		struct dh_key a, b;

		assert_int_equal(hex(cases[i].priv_a, priv), dh_priv_len(g));
		assert_true(dh_set(d, g, priv, &a));
		is(a.pub, cases[i].pub_a);
		hex(cases[i].priv_b, priv);
		assert_true(dh_set(d, g, priv, &b));
		assert_int_equal(hex(cases[i].pub_b, peer), dh_pub_len(g));
		is(b.pub, cases[i].pub_b);
		assert_int_equal(dh_agree(d, &a, b.pub, out), DH_OK);
		assert_int_equal(hex(cases[i].secret, peer), dh_secret_len(g));
		is(out, cases[i].secret);
		assert_int_equal(dh_agree(d, &b, a.pub, out), DH_OK);
		is(out, cases[i].secret);
	}
}

/* keys and secrets of a model that is not ours */
static void agrees_with_the_model(void **st)
{
	static const struct {
		enum dh_group g;
		const char *section;
	} suite[] = {
		{ DH_P256, "p256_aes128gcm" },
		{ DH_P521, "p521_aes128gcm" },
		{ DH_X25519, "x25519_aes128gcm" },
		{ DH_X448, "x448_aes128gcm" },
	};

	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(suite); i++) {
		enum dh_group g = suite[i].g;
		const char *s = suite[i].section;
		uint8_t priv[80], msg[256], out[80], want[80];
		struct dh_key a, b;
		unsigned n;

		assert_int_equal(vec("suites", s, "priv_A", priv),
				 dh_priv_len(g));
		assert_true(dh_set(d, g, priv, &a));
		vec("suites", s, "priv_B", priv);
		assert_true(dh_set(d, g, priv, &b));
		n = vec("suites", s, "Init1", msg);
		assert_memory_equal(a.pub, msg + n - dh_pub_len(g),
				    dh_pub_len(g));
		n = vec("suites", s, "Init2", msg);
		assert_memory_equal(b.pub, msg + n - dh_pub_len(g),
				    dh_pub_len(g));
		assert_int_equal(dh_agree(d, &a, b.pub, out), DH_OK);
		assert_int_equal(vec("suites", s, "ES", want),
				 dh_secret_len(g));
		assert_memory_equal(out, want, dh_secret_len(g));
	}
}

static void made_keys_agree_and_replay(void **st)
{
	struct fake f, same;

	(void)st;
	fake_init(&f, 7);
	fake_init(&same, 7);
	for (unsigned g = 0; g < DH_N; g++) {
		struct dh_key a, b, again;
		uint8_t x[DH_SECRET_MAX], y[DH_SECRET_MAX];

		assert_true(dh_has(d, g));
		for (unsigned i = 0; i < 8; i++) {
			assert_true(dh_make(d, g, &f.env.entropy, &a));
			assert_true(dh_make(d, g, &f.env.entropy, &b));
			assert_memory_not_equal(a.pub, b.pub, dh_pub_len(g));
			assert_int_equal(dh_agree(d, &a, b.pub, x), DH_OK);
			assert_int_equal(dh_agree(d, &b, a.pub, y), DH_OK);
			assert_memory_equal(x, y, dh_secret_len(g));
			assert_true(dh_make(d, g, &same.env.entropy, &again));
			assert_memory_equal(&again, &a, sizeof(a));
			assert_true(dh_make(d, g, &same.env.entropy, &again));
			assert_memory_equal(&again, &b, sizeof(a));
		}
		dh_wipe(&a);
		for (unsigned i = 0; i < sizeof(a); i++) {
			assert_int_equal(((const uint8_t *)&a)[i], 0);
		}
	}
	assert_false(dh_has(d, DH_N));
}

/* points of small order (RFC 7748 section 6): the secret is all zero */
static const char *const zero_25519[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000080",
};

static const char *const zero_448[] = {
	"00000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000",
	"01000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000",
	"feffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	"feffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	"feffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void refused(enum dh_group g, const char *const *list, unsigned n)
{
	struct fake f;
	struct dh_key a;

	fake_init(&f, 3);
	assert_true(dh_make(d, g, &f.env.entropy, &a));
	for (unsigned i = 0; i < n; i++) {
		uint8_t peer[80], out[DH_SECRET_MAX];

		hex(list[i], peer);
		memset(out, 1, sizeof(out));
		assert_int_equal(dh_agree(d, &a, peer, out), DH_ZERO);
		for (unsigned j = 0; j < dh_secret_len(g); j++) {
			assert_int_equal(out[j], 0);
		}
	}
}

static void a_zero_secret_is_refused(void **st)
{
	(void)st;
	refused(DH_X25519, zero_25519, ARRAY_SIZE(zero_25519));
	refused(DH_X448, zero_448, ARRAY_SIZE(zero_448));
}

static void bad(const struct dh_key *a, const uint8_t *good, unsigned at,
		uint8_t value)
{
	uint8_t peer[DH_PUB_MAX], out[DH_SECRET_MAX];

	memcpy(peer, good, sizeof(peer));
	peer[at] = value;
	memset(out, 1, sizeof(out));
	assert_int_equal(dh_agree(d, a, peer, out), DH_BAD_PUB);
	for (unsigned j = 0; j < dh_secret_len(a->group); j++) {
		assert_int_equal(out[j], 0);
	}
}

/* RFC 8548 5: points are validated, and compressed */
static void a_bad_point_is_refused(void **st)
{
	struct fake f;

	(void)st;
	fake_init(&f, 4);
	for (unsigned g = DH_P256; g <= DH_P521; g++) {
		struct dh_key a, b;
		uint8_t peer[DH_PUB_MAX], out[DH_SECRET_MAX];
		unsigned wrong = 0;

		assert_true(dh_make(d, g, &f.env.entropy, &a));
		assert_true(dh_make(d, g, &f.env.entropy, &b));
		/* the length, the form: infinity, uncompressed, hybrid */
		bad(&a, b.pub, 0, 1);
		bad(&a, b.pub, 1, (uint8_t)(dh_pub_len(g) - 2));
		bad(&a, b.pub, 2, 0);
		bad(&a, b.pub, 2, 1);
		bad(&a, b.pub, 2, 4);
		bad(&a, b.pub, 2, 6);
		bad(&a, b.pub, 2, 7);
		bad(&a, b.pub, 2, 0xff);
		/* x not below the prime */
		memset(peer, 0xff, sizeof(peer));
		memcpy(peer, b.pub, 3);
		assert_int_equal(dh_agree(d, &a, peer, out), DH_BAD_PUB);
		/* of the x coordinates about half have no y */
		for (unsigned i = 0; i < 32; i++) {
			memcpy(peer, b.pub, sizeof(peer));
			peer[dh_pub_len(g) - 1] ^= (uint8_t)(i + 1);
			wrong += dh_agree(d, &a, peer, out) == DH_BAD_PUB;
		}
		assert_in_range(wrong, 6, 26);
	}
}

static void a_bad_private_key_is_refused(void **st)
{
	static const char *const order_256 = "ffffffff00000000ffffffffffffffff"
					     "bce6faada7179e84f3b9cac2fc632551";
	uint8_t priv[DH_PRIV_MAX] = { 0 };
	struct dh_key k;

	(void)st;
	assert_false(dh_set(d, DH_P256, priv, &k));
	assert_false(dh_set(d, DH_P521, priv, &k));
	hex(order_256, priv);
	assert_false(dh_set(d, DH_P256, priv, &k));
	priv[31]--;
	assert_true(dh_set(d, DH_P256, priv, &k));
	memset(priv, 0xff, sizeof(priv));
	assert_false(dh_set(d, DH_P521, priv, &k));
	assert_false(dh_set(d, DH_N, priv, &k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_as_published),
		cmocka_unit_test(agrees_with_the_model),
		cmocka_unit_test(made_keys_agree_and_replay),
		cmocka_unit_test(a_zero_secret_is_refused),
		cmocka_unit_test(a_bad_point_is_refused),
		cmocka_unit_test(a_bad_private_key_is_refused),
	};

	return cmocka_run_group_tests(tests, start, end);
}
