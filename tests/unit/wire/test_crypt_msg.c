#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/wire/crypt_msg.h"
#include "tests/unit/wire/hex.h"
#include "tests/vectors/vec.h"

static const struct {
	const char *section;
	unsigned pub_len;
	uint16_t cipher;
} suite[] = {
	{ "p256_aes128gcm", 35, CRYPT_AES128_GCM },
	{ "p521_aes256gcm", 69, CRYPT_AES256_GCM },
	{ "x25519_chacha20poly1305", 32, CRYPT_CHACHA20_POLY1305 },
	{ "x448_aes128gcm", 56, CRYPT_AES128_GCM },
};

static void knows_the_models_messages(void **st)
{
	const uint16_t all[] = { 1, 2, 0x10 };

	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(suite); i++) {
		uint8_t m[300], out[300], na[32], nb[32];
		unsigned n = vec("suites", suite[i].section, "Init1", m);
		unsigned pub = suite[i].pub_len;
		struct wr w = wr_make(out, sizeof(out));
		struct crypt_init1 a;
		struct crypt_init2 b;
		uint32_t len;

		memset(na, 0xa0, 32);
		memset(nb, 0xb0, 32);
		assert_true(crypt_msg_init_len(m, CRYPT_INIT1_MAGIC, &len));
		assert_false(crypt_msg_init_len(m, CRYPT_INIT2_MAGIC, &len));
		assert_int_equal(len, n);
		assert_int_equal(n, CRYPT_INIT1_LEN(3, pub));
		assert_true(crypt_msg_init1_parse(m, n, pub, &a));
		assert_int_equal(a.n_cipher, 3);
		for (unsigned j = 0; j < 3; j++) {
			assert_int_equal(be16_get(a.cipher + 2 * j), all[j]);
		}
		assert_memory_equal(a.nonce, na, 32);
		assert_ptr_equal(a.pub, m + n - pub);
		assert_int_equal(a.ignored, 0);
		assert_int_equal(
			crypt_msg_init1_emit(&w, all, 3, na, a.pub, pub), n);
		assert_memory_equal(out, m, n);

		n = vec("suites", suite[i].section, "Init2", m);
		w = wr_make(out, sizeof(out));
		assert_true(crypt_msg_init_len(m, CRYPT_INIT2_MAGIC, &len));
		assert_int_equal(len, n);
		assert_int_equal(n, CRYPT_INIT2_LEN(pub));
		assert_true(crypt_msg_init2_parse(m, n, pub, &b));
		assert_int_equal(b.cipher, suite[i].cipher);
		assert_memory_equal(b.nonce, nb, 32);
		assert_ptr_equal(b.pub, m + n - pub);
		assert_int_equal(
			crypt_msg_init2_emit(&w, b.cipher, nb, b.pub, pub), n);
		assert_memory_equal(out, m, n);
	}
}

/* RFC 8548 4.1: octets behind the key are permitted */
static void takes_a_tail(void **st)
{
	uint8_t m[400] = { 0 };
	struct crypt_init1 a;
	struct crypt_init2 b;
	unsigned n = vec("smtcp", "plain", "Init1", m);

	(void)st;
	be32_put(m + 4, n + 100);
	assert_true(crypt_msg_init1_parse(m, n + 100, 32, &a));
	assert_int_equal(a.ignored, 100);
	n = vec("smtcp", "plain", "Init2", m);
	be32_put(m + 4, n + 1);
	assert_true(crypt_msg_init2_parse(m, n + 1, 32, &b));
	assert_int_equal(b.ignored, 1);
}

/* a message cut anywhere, or of another length than it says */
static void refuses_what_does_not_fit(void **st)
{
	uint8_t m[400], *copy;
	struct crypt_init1 a;
	struct crypt_init2 b;

	(void)st;
	for (unsigned which = 0; which < 2; which++) {
		unsigned n =
			vec("smtcp", "plain", which ? "Init2" : "Init1", m);

		for (unsigned cut = 0; cut <= n; cut++) {
			be32_put(m + 4, cut);
			copy = heap_copy(m, cut);
			assert_int_equal(
				which ? crypt_msg_init2_parse(copy, cut, 32, &b)
				      : crypt_msg_init1_parse(copy, cut, 32,
							      &a),
				cut == n);
			free(copy);
		}
		be32_put(m + 4, n + 1);
		assert_false(which ? crypt_msg_init2_parse(m, n, 32, &b)
				   : crypt_msg_init1_parse(m, n, 32, &a));
		be32_put(m + 4, n);
		m[0] ^= 1;
		assert_false(which ? crypt_msg_init2_parse(m, n, 32, &b)
				   : crypt_msg_init1_parse(m, n, 32, &a));
	}
}

static void a_list_of_ciphers_has_any_length(void **st)
{
	uint16_t c[256];
	uint8_t out[700], nonce[32] = { 0 }, pub[69] = { 0 };
	struct crypt_init1 a;

	(void)st;
	for (unsigned i = 0; i < 256; i++) {
		c[i] = (uint16_t)(i * 3);
	}
	for (unsigned n = 0; n < 256; n++) {
		struct wr w = wr_make(out, sizeof(out));
		unsigned len = crypt_msg_init1_emit(&w, c, n, nonce, pub, 69);

		assert_int_equal(len, CRYPT_INIT1_LEN(n, 69));
		assert_true(crypt_msg_init1_parse(out, len, 69, &a));
		assert_int_equal(a.n_cipher, n);
		/* one cipher more than there is */
		out[8]++;
		assert_false(n < 255 &&
			     crypt_msg_init1_parse(out, len, 69, &a));
	}
	struct wr w = wr_make(out, sizeof(out));

	assert_int_equal(crypt_msg_init1_emit(&w, c, 256, nonce, pub, 69), 0);
	w = wr_make(out, CRYPT_INIT1_LEN(3, 32) - 1);
	assert_int_equal(crypt_msg_init1_emit(&w, c, 3, nonce, pub, 32), 0);
	w = wr_make(out, CRYPT_INIT2_LEN(32) - 1);
	assert_int_equal(crypt_msg_init2_emit(&w, 1, nonce, pub, 32), 0);
	assert_ptr_equal(w.p, out);
}

static void frame_headers(void **st)
{
	struct crypt_frame_hdr h;

	(void)st;
	for (unsigned control = 0; control < 256; control += 5) {
		for (unsigned clen = 0; clen < 65536; clen += 7) {
			uint8_t p[3], q[3];

			p[0] = (uint8_t)control;
			be16_put(p + 1, (uint16_t)clen);
			assert_int_equal(crypt_msg_frame_parse(p, &h),
					 clen >= 17);
			assert_int_equal(h.control, control);
			assert_int_equal(h.clen, clen);
			crypt_msg_frame_emit(q, &h);
			assert_memory_equal(p, q, 3);
		}
	}
	assert_int_equal(CRYPT_FRAME_OVERHEAD, 20);
	assert_int_equal(CRYPT_FRAME_DATA_MAX, 65518);
}

static void survives_any_octets(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 2);
	for (unsigned t = 0; t < 20000; t++) {
		uint8_t m[200], *copy;
		unsigned n = (unsigned)rng_below(&r, 200);
		struct crypt_init1 a;
		struct crypt_init2 b;

		rng_fill(&r, m, sizeof(m));
		be32_put(m, t & 1 ? CRYPT_INIT1_MAGIC : CRYPT_INIT2_MAGIC);
		be32_put(m + 4, n);
		m[8] = (uint8_t)rng_below(&r, 80);
		copy = heap_copy(m, n);
		crypt_msg_init1_parse(copy, n, 32, &a);
		crypt_msg_init2_parse(copy, n, 69, &b);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_models_messages),
		cmocka_unit_test(takes_a_tail),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(a_list_of_ciphers_has_any_length),
		cmocka_unit_test(frame_headers),
		cmocka_unit_test(survives_any_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
