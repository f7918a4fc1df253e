#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/chan/conf.h"

static char err[CONF_ERR_MAX];

/* words[]: arguments, NULL at the end */
static enum conf_result parse(struct run_conf *c, const char *const words[])
{
	static char *argv[16];
	static char text[16][128]; /* the struct points into it */
	int argc = 1, rest;

	for (; words[argc - 1] && argc < 15; argc++) {
		snprintf(text[argc], sizeof(text[0]), "%s", words[argc - 1]);
		argv[argc] = text[argc];
	}
	argv[0] = text[0];
	conf_init(c);
	err[0] = '\0';
	return conf_args(c, CONF_RUN, argc, argv, &rest, err);
}

static enum conf_result one(struct run_conf *c, const char *word)
{
	const char *const words[] = { word, NULL };

	return parse(c, words);
}

static void test_presets(void **state)
{
	struct run_conf c;

	(void)state;
	assert_int_equal(one(&c, "x"), CONF_OK);
	assert_int_equal(c.crypt.policy, CONF_CRYPT_PREFER);
	assert_int_equal(c.crypt.memory, CONF_MEMORY_WARN);
	assert_false(c.crypt.memory_asked);
	assert_null(c.crypt.keylog);
	assert_int_equal(c.crypt.n_kx, 0);
	assert_int_equal(c.crypt.n_cipher, 0);
	assert_false(c.crypt.rekey_asked);
	assert_false(c.crypt.no_resume);
}

static void test_values(void **state)
{
	const char *const words[] = {
		"--crypt=require-any",
		"--crypt-memory=enforce",
		"--crypt-memory-file=m",
		"--keylog=k",
		"--crypt-kx=p521,x448,p256,x25519",
		"--crypt-ciphers=chacha20,aes128gcm",
		"--crypt-rekey=64M,10min",
		"--crypt-resume=off",
		NULL,
	};
	struct run_conf c;

	(void)state;
	assert_int_equal(parse(&c, words), CONF_OK);
	assert_int_equal(c.crypt.policy, CONF_CRYPT_REQUIRE_ANY);
	assert_int_equal(c.crypt.memory, CONF_MEMORY_ENFORCE);
	assert_true(c.crypt.memory_asked);
	assert_string_equal(c.crypt.memory_file, "m");
	assert_string_equal(c.crypt.keylog, "k");
	assert_int_equal(c.crypt.n_kx, 4);
	assert_int_equal(c.crypt.kx[0], CONF_KX_P521);
	assert_int_equal(c.crypt.kx[3], CONF_KX_X25519);
	assert_int_equal(c.crypt.n_cipher, 2);
	assert_int_equal(c.crypt.cipher[0], CONF_CHACHA20);
	assert_int_equal(c.crypt.cipher[1], CONF_AES128_GCM);
	assert_true(c.crypt.rekey_asked);
	assert_true(c.crypt.rekey_octets == 64u << 20);
	assert_int_equal(c.crypt.rekey_s, 600);
	assert_true(c.crypt.no_resume);
}

static void test_rekey(void **state)
{
	static const struct {
		const char *text;
		uint64_t octets;
		uint32_t s;
	} good[] = {
		{ "--crypt-rekey=off", 0, 0 },
		{ "--crypt-rekey=1K", 1024, 0 },
		{ "--crypt-rekey=3G", (uint64_t)3 << 30, 0 },
		{ "--crypt-rekey=7s", 0, 7 },
		{ "--crypt-rekey=2h", 0, 7200 },
		{ "--crypt-rekey=1min,1M", 1 << 20, 60 },
		{ "--crypt-rekey=8589934592G", (uint64_t)1 << 63, 0 },
	};
	struct run_conf c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(one(&c, good[i].text), CONF_OK);
		assert_true(c.crypt.rekey_asked);
		assert_true(c.crypt.rekey_octets == good[i].octets);
		assert_int_equal(c.crypt.rekey_s, good[i].s);
	}
}

/* one line that begins with the option and says what is right */
static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "--crypt=yes", "off, prefer, require-any or require" },
		{ "--crypt=", "use off" },
		{ "--crypt-memory=on", "off, warn or enforce" },
		{ "--crypt-memory-file=", "give a path" },
		{ "--keylog=", "give a path" },
		{ "--crypt-kx=x25519,", "'' is unknown" },
		{ "--crypt-kx=", "use x25519, x448, p256 or p521" },
		{ "--crypt-kx=p256,p256", "twice" },
		{ "--crypt-kx=x255199999999999999999999999999999", "unknown" },
		{ "--crypt-ciphers=rc4", "aes128gcm, aes256gcm or chacha20" },
		{ "--crypt-ciphers=aes128gcm aes256gcm", "unknown" },
		{ "--crypt-rekey=", "64M" },
		{ "--crypt-rekey=1", "64M" },
		{ "--crypt-rekey=0G", "64M" },
		{ "--crypt-rekey=G", "64M" },
		{ "--crypt-rekey=8589934593G", "64M" },
		{ "--crypt-rekey=99999999999999999999999K", "64M" },
		{ "--crypt-rekey=-1s", "64M" },
		{ "--crypt-rekey=9999999h", "64M" },
		{ "--crypt-rekey=10m", "10min" },
		{ "--crypt-resume=perhaps", "on or off" },
	};
	struct run_conf c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = strcspn(bad[i].text, "=");

		assert_int_equal(one(&c, bad[i].text), CONF_ERROR);
		assert_memory_equal(err, bad[i].text, n);
		assert_int_equal(err[n], ':');
		assert_non_null(strstr(err, bad[i].says));
		assert_null(strchr(err, '\n'));
	}
}

static void test_contradiction(void **state)
{
	const char *const words[] = { "--tun=a,addr=10.0.0.2/24,peer=10.0.0.1",
				      "--crypt=require", "--mptcp=off", NULL };
	struct run_conf c;

	(void)state;
	assert_int_equal(parse(&c, words), CONF_OK);
	assert_false(conf_check(&c, err));
	assert_non_null(strstr(err, "--crypt=require-any"));
	c.crypt.policy = CONF_CRYPT_REQUIRE_ANY;
	assert_true(conf_check(&c, err));
	c.crypt.policy = CONF_CRYPT_REQUIRE;
	c.mptcp = CONF_MPTCP_PREFER;
	assert_true(conf_check(&c, err));
}

static const char *lookup(void *ctx, const char *name)
{
	static const char *const v[][2] = {
		{ "MPTCP_CRYPT", "require" },
		{ "MPTCP_KEYLOG", "/k" },
		{ "MPTCP_CRYPT_MEMORY", "off" },
		{ "MPTCP_CRYPT_MEMORY_FILE", "/m" },
		{ "MPTCP_CRYPT_KX", "x448" },
		{ "MPTCP_CRYPT_CIPHERS", "aes256gcm" },
		{ "MPTCP_CRYPT_REKEY", "5s" },
		{ "MPTCP_CRYPT_RESUME", "off" },
	};

	(void)ctx;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		if (strcmp(v[i][0], name) == 0) {
			return v[i][1];
		}
	}
	return NULL;
}

static void test_environment(void **state)
{
	struct run_conf c;

	(void)state;
	assert_int_equal(one(&c, "--crypt=off"), CONF_OK);
	assert_true(conf_env(&c, CONF_RUN, lookup, NULL, err));
	assert_int_equal(c.crypt.policy, CONF_CRYPT_OFF); /* the flag wins */
	assert_string_equal(c.crypt.keylog, "/k");
	assert_int_equal(c.crypt.memory, CONF_MEMORY_OFF);
	assert_string_equal(c.crypt.memory_file, "/m");
	assert_int_equal(c.crypt.kx[0], CONF_KX_X448);
	assert_int_equal(c.crypt.cipher[0], CONF_AES256_GCM);
	assert_int_equal(c.crypt.rekey_s, 5);
	assert_true(c.crypt.no_resume);
}

static void round_trip(const struct run_conf *a)
{
	static char *argv[CONF_ARGS_MAX + 1], buf[CONF_ARGS_TEXT];
	struct run_conf b;
	int rest, n = conf_argv(a, "mptcp-stackd", argv, buf, sizeof(buf));

	assert_true(n > 0);
	conf_init(&b);
	assert_int_equal(conf_args(&b, CONF_STACKD, n, argv, &rest, err),
			 CONF_OK);
	assert_int_equal(b.crypt.policy, a->crypt.policy);
	assert_int_equal(b.crypt.memory, a->crypt.memory);
	assert_int_equal(b.crypt.memory_asked, a->crypt.memory_asked);
	assert_int_equal(b.crypt.n_kx, a->crypt.n_kx);
	assert_memory_equal(b.crypt.kx, a->crypt.kx, a->crypt.n_kx);
	assert_int_equal(b.crypt.n_cipher, a->crypt.n_cipher);
	assert_memory_equal(b.crypt.cipher, a->crypt.cipher, a->crypt.n_cipher);
	assert_int_equal(b.crypt.rekey_asked, a->crypt.rekey_asked);
	assert_true(b.crypt.rekey_octets == a->crypt.rekey_octets);
	assert_int_equal(b.crypt.rekey_s, a->crypt.rekey_s);
	assert_int_equal(b.crypt.no_resume, a->crypt.no_resume);
	assert_int_equal(!b.crypt.keylog, !a->crypt.keylog);
	assert_int_equal(!b.crypt.memory_file, !a->crypt.memory_file);
	if (a->crypt.keylog) {
		assert_string_equal(b.crypt.keylog, a->crypt.keylog);
		assert_string_equal(b.crypt.memory_file, a->crypt.memory_file);
	}
}

/* what mptcp-run passes on is what it parsed */
static void test_round_trip(void **state)
{
	static const char *const rekeys[] = {
		"off", "1K", "1025K", "3M", "64G", "9s", "8589934592G,90min"
	};
	const char *words[] = { "--crypt=require",
				"--crypt-memory=off",
				"--crypt-memory-file=m m",
				"--keylog=k k",
				"--crypt-kx=x448,p521",
				"--crypt-ciphers=chacha20",
				NULL,
				"--crypt-resume=off",
				NULL };
	struct run_conf c;
	char rekey[64];

	(void)state;
	assert_int_equal(one(&c, "x"), CONF_OK);
	round_trip(&c);
	words[6] = rekey;
	for (unsigned i = 0; i < ARRAY_SIZE(rekeys); i++) {
		snprintf(rekey, sizeof(rekey), "--crypt-rekey=%s", rekeys[i]);
		assert_int_equal(parse(&c, words), CONF_OK);
		round_trip(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_rekey),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_contradiction),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
