#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/engine/crypt_use.h"
#include "stack/wire/crypt_msg.h"
#include "stack/wire/eno_opt.h"

static struct mp_cfg of(const struct conf_crypt *k)
{
	struct mp_cfg cfg = { .policy = MP_REQUIRE };

	crypt_use_conf(k, &cfg);
	assert_int_equal(cfg.policy, MP_REQUIRE); /* not ours */
	return cfg;
}

/* what nobody asked for is the core's own choice */
static void test_presets(void **state)
{
	struct conf_crypt k = { .policy = CONF_CRYPT_PREFER,
				.memory = CONF_MEMORY_WARN };
	struct mp_cfg cfg = of(&k);
	struct crypt_conf own;

	(void)state;
	crypt_conf_init(&own);
	assert_memory_equal(&cfg.crypt_conf, &own, sizeof(own));
	assert_int_equal(cfg.crypt_policy, MP_CRYPT_PREFER);
	assert_int_equal(cfg.memo_mode, MP_MEMO_WARN);
}

static void test_words(void **state)
{
	static const enum mp_crypt_policy policy[] = {
		[CONF_CRYPT_OFF] = MP_CRYPT_OFF,
		[CONF_CRYPT_PREFER] = MP_CRYPT_PREFER,
		[CONF_CRYPT_REQUIRE_ANY] = MP_CRYPT_REQUIRE_ANY,
		[CONF_CRYPT_REQUIRE] = MP_CRYPT_REQUIRE,
	};

	static const enum mp_memo_mode memo[] = {
		[CONF_MEMORY_OFF] = MP_MEMO_OFF,
		[CONF_MEMORY_WARN] = MP_MEMO_WARN,
		[CONF_MEMORY_ENFORCE] = MP_MEMO_ENFORCE,
	};
	struct conf_crypt k = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		k.policy = (enum conf_crypt_policy)i;
		assert_int_equal(of(&k).crypt_policy, policy[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		k.memory = (enum conf_memory)i;
		assert_int_equal(of(&k).memo_mode, memo[i]);
	}
}

static void test_lists(void **state)
{
	struct conf_crypt k = {
		.n_kx = 4,
		.kx = { CONF_KX_P521, CONF_KX_X448, CONF_KX_P256,
			CONF_KX_X25519 },
		.n_cipher = 2,
		.cipher = { CONF_CHACHA20, CONF_AES256_GCM },
		.no_resume = true,
	};
	const struct crypt_conf c = of(&k).crypt_conf;
	const uint8_t kx[] = { 0x22, 0x24, 0x21, 0x23 };

	(void)state;
	assert_int_equal(c.n_kx, 4);
	assert_memory_equal(c.kx, kx, 4);
	assert_int_equal(c.n_aead, 2);
	assert_int_equal(c.aead[0], 0x10);
	assert_int_equal(c.aead[1], 2);
	assert_true(c.no_resume);
}

static void test_rekey(void **state)
{
	struct conf_crypt k = { .rekey_asked = true };
	struct crypt_conf c, own;

	(void)state;
	crypt_conf_init(&own);
	c = of(&k).crypt_conf; /* off */
	assert_true(c.rekey_bytes == 0 && c.rekey_frames == 0 &&
		    c.rekey_time == 0);
	k.rekey_s = 90; /* the limits of the cipher stay */
	c = of(&k).crypt_conf;
	assert_true(c.rekey_bytes == own.rekey_bytes &&
		    c.rekey_frames == own.rekey_frames &&
		    c.rekey_time == 90 * NANOS_S);
	k.rekey_octets = 4096;
	c = of(&k).crypt_conf;
	assert_true(c.rekey_bytes == 4096 && c.rekey_time == 90 * NANOS_S);
}

static void test_names(void **state)
{
	struct mp_info i = { .why_clear = CRYPT_OFF_AWARE };
	char id[CRYPT_USE_ID];

	(void)state;
	assert_string_equal(crypt_use_kx(ENO_TEP_P256), "p256");
	assert_string_equal(crypt_use_kx(ENO_TEP_X448), "x448");
	assert_null(crypt_use_kx(0));
	assert_string_equal(crypt_use_cipher(CRYPT_AES256_GCM), "aes256gcm");
	assert_null(crypt_use_cipher(0));
	assert_string_equal(crypt_use_id(&i, id), "");
	i.have_session_id = true;
	i.session_id[0] = 0xa0;
	i.session_id[32] = 0x0f;
	crypt_use_id(&i, id);
	assert_int_equal(strlen(id), 66);
	assert_memory_equal(id, "a000", 4);
	assert_string_equal(id + 62, "000f");
	assert_non_null(strstr(crypt_use_why(&i), "does not know"));
	i.why_clear = CRYPT_OK;
	assert_null(crypt_use_why(&i));
	i.sealed = true;
	i.why_clear = CRYPT_OFF_CONF;
	assert_null(crypt_use_why(&i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets), cmocka_unit_test(test_words),
		cmocka_unit_test(test_lists),   cmocka_unit_test(test_rekey),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
