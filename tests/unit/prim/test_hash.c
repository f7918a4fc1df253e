#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/prim/hash.h"
#include "tests/unit/wire/hex.h"

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
	hash_free(NULL);
	return 0;
}

static void is(const uint8_t *got, const char *text)
{
	uint8_t want[64];
	unsigned n = hex(text, want);

	assert_memory_equal(got, want, n);
}

static const char key_a[] = "0102030405060708", key_b[] = "1112131415161718";

/* FIPS 180-4 examples */
static void hashes_as_fips_180(void **st)
{
	static const char long_text[] =
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	uint8_t out[32];

	(void)st;
	for (unsigned again = 0; again < 2; again++) {
		assert_true(hash_sha256(h, "abc", 3, out));
		is(out, "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad");
		assert_true(hash_sha256(h, "", 0, out));
		is(out, "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855");
		assert_true(hash_sha256(h, long_text, 56, out));
		is(out, "248d6a61d20638b8e5c026930c3e6039"
			"a33ce45964ff2167f6ecedd419db06c1");
	}
}

/* RFC 4231 section 4, cases 1 to 4, 6 and 7 */
static void macs_as_rfc_4231(void **st)
{
	uint8_t key[131], msg[50], out[32];
	const char *text;

	(void)st;
	memset(key, 0x0b, 20);
	assert_true(hash_hmac_sha256(h, key, 20, "Hi There", 8, out));
	is(out, "b0344c61d8db38535ca8afceaf0bf12b"
		"881dc200c9833da726e9376c2e32cff7");
	text = "what do ya want for nothing?";
	assert_true(hash_hmac_sha256(h, "Jefe", 4, text, 28, out));
	is(out, "5bdcc146bf60754e6a042426089575c7"
		"5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(msg, 0xdd, 50);
	assert_true(hash_hmac_sha256(h, key, 20, msg, 50, out));
	is(out, "773ea91e36800e46854db8ebd09181a7"
		"2959098b3ef8c122d9635514ced565fe");
	text = "Test Using Larger Than Block-Size Key - Hash Key First";
	assert_true(hash_hmac_sha256(h, key, 131, text, strlen(text), out));
	is(out, "60e431591ee0b67f0d8a26aacbf5b77f"
		"8e0bc6213728c5140546040f0ee37f54");
	text = "This is a test using a larger than block-size key and a "
	       "larger than block-size data. The key needs to be hashed "
	       "before being used by the HMAC algorithm.";
	assert_true(hash_hmac_sha256(h, key, 131, text, strlen(text), out));
	is(out, "9b09ffa71b942fcb27635fbcd5b0e944"
		"bfdc63644f0713938a7f51535c3a35e2");
	memset(msg, 0xcd, 50);
	for (uint8_t i = 0; i < 25; i++) {
		key[i] = (uint8_t)(i + 1);
	}
	assert_true(hash_hmac_sha256(h, key, 25, msg, 50, out));
	is(out, "82558a389a443c0ea4cc819899f2083a"
		"85f0faa3e578f8077a2e3ff46729665b");
}

/* no key is a key of its own, not the one before */
static void an_empty_key_is_a_key(void **st)
{
	uint8_t out[32];

	(void)st;
	assert_true(hash_hmac_sha256(h, "Jefe", 4, "", 0, out));
	assert_true(hash_hmac_sha256(h, NULL, 0, "", 0, out));
	is(out, "b613679a0814d9ec772f95d778c35fc5"
		"ff1697c493715653c6c712144292c5ad");
}

/* whatever came before, and however long the key is */
static void one_key_has_several_messages(void **st)
{
	static const uint8_t text[200] = { 1, 2, 3 };
	uint8_t want[32], out[32];

	(void)st;
	for (unsigned len = 0; len <= 130; len += 65) {
		for (unsigned n = 0; n < 200; n += 33) {
			const struct iov v[3] = { { text, n / 2 },
						  { NULL, 0 },
						  { text + n / 2, n - n / 2 } };

			assert_true(hash_hmac_sha256(h, text, len, text, n,
						     want));
			assert_true(hash_hmac_key(h, text, len));
			for (unsigned again = 0; again < 3; again++) {
				assert_true(hash_hmac_next(h, v, 3, out));
				assert_memory_equal(out, want, 32);
				assert_true(hash_hmac_next(h, v, 1, out));
				assert_true(n < 2 ||
					    memcmp(out, want, 32) != 0);
			}
			hash_hmac_done(h);
		}
	}
}

/* RFC 8684 3.1, 3.2: token, first 4 octets; IDSN, last 8 */
static void keys_give_token_and_idsn(void **st)
{
	uint8_t key[8], out[32];

	(void)st;
	hex(key_a, key);
	assert_true(hash_sha256(h, key, 8, out));
	is(out, "66840dda154e8a113c31dd0ad32f7f3a"
		"366a80e8136979d8f5a101d3d29d6f72");
	assert_int_equal(be32_get(out), 0x66840dda);
	assert_true(be64_get(out + 24) == 0xf5a101d3d29d6f72);
	hex(key_b, key);
	assert_true(hash_sha256(h, key, 8, out));
	is(out, "ccad45ac0b2662a91df84d7b5948daea"
		"157adc20dea7734a535beea38e087c8e");
	assert_int_equal(be32_get(out), 0xccad45ac);
	assert_true(be64_get(out + 24) == 0x535beea38e087c8e);
}

/* RFC 8684 3.2: each side puts its own key and nonce first */
static void joins_are_authenticated(void **st)
{
	uint8_t key[16], msg[8], out[32];

	(void)st;
	hex(key_a, key);
	hex(key_b, key + 8);
	hex("aabbccdd 11223344", msg);
	assert_true(hash_hmac_sha256(h, key, 16, msg, 8, out));
	is(out, "c2986b9ffe33dedc10955fc5c9c31544"
		"e3ac05c02eddcc3af9ae85af6fce2d14");
	hex(key_b, key);
	hex(key_a, key + 8);
	hex("11223344 aabbccdd", msg);
	assert_true(hash_hmac_sha256(h, key, 16, msg, 8, out));
	is(out, "72bea43c69c0c206ad3db5bf0630ccc1"
		"f580386d27be18361f3ce861fdbe417e");
}

static const struct {
	bool from_b;
	const char *addr;
	uint16_t port;
	const char *mac;
} adds[] = {
	{ false, "192.0.2.7", 0, "00562925a76dd507" },
	{ false, "192.0.2.7", 8443, "b34c0f6cc9b67bdb" },
	{ false, "2001:db8::7", 0, "f64433f84dbc5330" },
	{ false, "2001:db8::7", 8443, "8fb90f85496360ea" },
	{ true, "192.0.2.7", 0, "659cec13b9ac40d6" },
	{ true, "192.0.2.7", 8443, "bf83d3c5cbc129fa" },
	{ true, "2001:db8::7", 0, "16d4e5be84eba1cb" },
	{ true, "2001:db8::7", 8443, "fcaa2031d60e5f64" },
};

/* RFC 8684 3.4.1: over Address ID, address and port; the last 8 octets */
static void addresses_are_authenticated(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(adds); i++) {
		uint8_t key[16], msg[32], out[32];
		struct wr w = wr_make(msg, sizeof(msg));
		struct addr a;

		hex(adds[i].from_b ? key_b : key_a, key);
		hex(adds[i].from_b ? key_a : key_b, key + 8);
		assert_true(addr_parse(adds[i].addr, &a));
		wr_u8(&w, 7);
		wr_copy(&w, a.b, addr_len(&a));
		wr_u16(&w, adds[i].port);
		assert_true(hash_hmac_sha256(h, key, 16, msg, wr_len(&w), out));
		is(out + 24, adds[i].mac);
	}
}

static void compares_and_wipes(void **st)
{
	uint8_t a[5] = { 1, 2, 3, 4, 5 }, b[5] = { 1, 2, 3, 4, 6 };

	(void)st;
	assert_true(prim_equal(a, b, 4));
	assert_false(prim_equal(a, b, 5));
	assert_true(prim_equal(a, b, 0));
	prim_wipe(a, 4);
	assert_int_equal(be32_get(a), 0);
	assert_int_equal(a[4], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_fips_180),
		cmocka_unit_test(macs_as_rfc_4231),
		cmocka_unit_test(an_empty_key_is_a_key),
		cmocka_unit_test(one_key_has_several_messages),
		cmocka_unit_test(keys_give_token_and_idsn),
		cmocka_unit_test(joins_are_authenticated),
		cmocka_unit_test(addresses_are_authenticated),
		cmocka_unit_test(compares_and_wipes),
	};

	return cmocka_run_group_tests(tests, start, end);
}
