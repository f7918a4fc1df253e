#include "tests/unit/crypt/common.h"

#include "stack/crypt/crypt_keys.h"
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

static void is(const uint8_t *got, const char *file, const char *section,
	       const char *name)
{
	uint8_t want[256];
	unsigned n = vec(file, section, name, want);

	if (memcmp(got, want, n) != 0) {
		fail_msg("%s [%s] %s differs", file, section, name);
	}
}

/* PRK from what is named so in the file; Init1 holds N_A behind its ciphers */
static void prk(const char *file, const char *section, bool has_mpc,
		uint8_t out[32])
{
	static const char *const name[6] = { "eno_A", "eno_B", "mpc",
					     "Init1", "Init2", "ES" };
	uint8_t b[6][256];
	struct iov part[6];

	for (unsigned i = 0; i < 6; i++) {
		part[i] = (struct iov){ b[i], 0 };
		if (i != 2 || has_mpc) {
			part[i].n = vec(file, section, name[i], b[i]);
		}
	}
	assert_true(crypt_keys_prk(h, b[3] + 9 + 2 * b[3][8], part, out));
}

/* what both sections of a suite have: keys of two generations, the id */
static void session(const char *section, const uint8_t *ss, struct iov sn,
		    unsigned key_len, bool smtcp)
{
	uint8_t mk[32], mk1[32], t[CRYPT_TRAFFIC_MAX], id[33], eno[64];
	const char *const f = "suites";
	struct crypt_sk sk;
	unsigned n;

	assert_true(crypt_keys_mk0(h, ss, sn, mk));
	is(mk, f, section, "mk0");
	assert_true(crypt_keys_traffic(h, mk, true, key_len, t));
	is(t, f, section, "k_ab0");
	assert_true(crypt_keys_traffic(h, mk, false, key_len, t));
	is(t, f, section, "k_ba0");
	assert_true(crypt_keys_mk_next(h, mk, mk1));
	is(mk1, f, section, "mk1");
	assert_true(crypt_keys_traffic(h, mk1, true, key_len, t));
	is(t, f, section, "k_ab1");
	assert_true(crypt_keys_traffic(h, mk1, false, key_len, t));
	is(t, f, section, "k_ba1");
	n = vec(f, section, "eno_B", eno);
	assert_true(n > 3);
	assert_true(crypt_keys_session_id(h, ss, sn, eno[3], id));
	is(id, f, section, "session_id");
	if (smtcp) {
		assert_true(crypt_keys_sk(h, ss, sn, &sk));
		assert_int_equal(sizeof(sk), 80);
		is((const uint8_t *)&sk, f, section, "sk");
	}
}

static const struct {
	const char *name;
	unsigned key_len;
} ciphers[] = { { "aes128gcm", 16 },
		{ "aes256gcm", 32 },
		{ "chacha20poly1305", 32 } };

/* each TEP with each cipher, fresh and resumed, plain and SMTCP */
static void schedules_as_the_model(void **st)
{
	static const char *const kx[] = { "p256", "p521", "x25519", "x448" };
	const struct iov none = { NULL, 0 };

	(void)st;
	for (unsigned i = 0; i < 24; i++) {
		bool smtcp = i & 1;
		unsigned c = i / 2 % 3, key_len = ciphers[c].key_len;
		uint8_t ss[32], ss1[32], id[18], a[64], b[64], mpc[64], sn[32];
		char section[64], resumed[80];
		struct iov v = { sn, 0 };

		snprintf(section, sizeof(section), "%s_%s%s", kx[i / 6],
			 ciphers[c].name, smtcp ? "_smtcp" : "");
		snprintf(resumed, sizeof(resumed), "%s_resumed", section);
		prk("suites", section, true, ss);
		is(ss, "suites", section, "ss0");
		session(section, ss, none, key_len, smtcp);
		assert_true(crypt_keys_next(h, ss, ss1));
		is(ss1, "suites", resumed, "ss1");
		assert_true(crypt_keys_resume(h, ss1, id));
		is(id, "suites", resumed, "resume");
		v.n = vec("suites", resumed, "sn", sn);
		if (smtcp) {
			struct iov p[3] = {
				{ a, vec("suites", resumed, "eno_A", a) },
				{ b, vec("suites", resumed, "eno_B", b) },
				{ mpc, vec("suites", resumed, "mpc", mpc) },
			};
			uint8_t own[32];

			assert_true(crypt_keys_smtcp_sn(h, p, own));
			assert_memory_equal(own, sn, 32);
		}
		session(resumed, ss1, v, key_len, smtcp);
		assert_true(crypt_keys_next(h, ss1, ss));
		is(ss, "suites", resumed, "ss2");
	}
}

/* the other models' numbers */
static void schedules_as_two_more_models(void **st)
{
	static const struct {
		const char *section;
		unsigned key_len;
	} v[] = { { "x25519_aes128gcm", 16 },
		  { "x25519_aes256gcm", 32 },
		  { "x25519_chacha20poly1305", 32 },
		  { "p256_aes128gcm_compressed_pubkey_len_35", 16 } };
	const struct iov none = { NULL, 0 };
	const char *const f = "tcpcrypt";
	uint8_t ss[32], mk[32], t[44], id[33], sn[16];
	struct iov nonces = { sn, 16 };
	struct crypt_sk sk;

	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		const char *s = v[i].section;

		prk(f, s, false, ss);
		is(ss, f, s, "PRK_ss0");
		assert_true(crypt_keys_mk0(h, ss, none, mk));
		is(mk, f, s, "mk0");
		assert_true(crypt_keys_traffic(h, mk, false, v[i].key_len, t));
		is(t, f, s, "k_ba_gen0");
		assert_true(crypt_keys_mk_next(h, mk, mk));
		is(mk, f, s, "mk1");
		assert_true(crypt_keys_traffic(h, mk, true, v[i].key_len, t));
		is(t, f, s, "k_ab_gen1");
		assert_true(crypt_keys_next(h, ss, ss));
		is(ss, f, s, "resume_1.ss1");
		assert_true(crypt_keys_resume(h, ss, id));
		is(id, f, s, "resume_1.resume_id");
		vec(f, s, "resume_1.nonce_a", sn);
		vec(f, s, "resume_1.nonce_b", sn + 8);
		assert_true(crypt_keys_mk0(h, ss, nonces, mk));
		is(mk, f, s, "resume_1.mk0");
		vec(f, s, "resume_1.session_id_1", id);
		assert_true(crypt_keys_session_id(h, ss, nonces, id[0], id));
		is(id, f, s, "resume_1.session_id_1");
	}
	prk("smtcp", "smtcp", true, ss);
	is(ss, "smtcp", "smtcp", "ss0");
	assert_true(crypt_keys_session_id(h, ss, none, 0xa0, id));
	is(id, "smtcp", "smtcp", "session_id");
	assert_true(crypt_keys_sk(h, ss, none, &sk));
	is(sk.sk_a, "smtcp", "smtcp", "SK_A");
	is(sk.sk_b, "smtcp", "smtcp", "SK_B");
	is(sk.fc_a, "smtcp", "smtcp", "FC_A");
	is(sk.fc_b, "smtcp", "smtcp", "FC_B");
	/* joins: RFC 8684 3.2 with these keys */
	memcpy(id, "\xaa\xbb\xcc\xdd\x11\x22\x33\x44", 8);
	assert_true(hash_hmac_sha256(h, sk.sk_a, 64, id, 8, mk));
	is(mk, "smtcp", "smtcp", "join_A");
	assert_true(crypt_keys_next(h, ss, ss));
	nonces.n = vec("smtcp", "smtcp_resumed", "sn", mk);
	nonces.p = mk;
	assert_true(crypt_keys_sk(h, ss, nonces, &sk));
	is((const uint8_t *)&sk, "smtcp", "smtcp_resumed", "sk");
}

static void knows_three_ciphers(void **st)
{
	(void)st;
	for (unsigned i = 0; i < 65536; i++) {
		bool known = i == 1 || i == 2 || i == 0x10;

		assert_int_equal(crypt_keys_alg((uint16_t)i) != AEAD_N, known);
	}
}

static void writes_a_line(void **st)
{
	char out[CRYPT_KEYS_LINE];
	uint8_t mk[32], id[33], big[80];
	struct crypt_keys_line l = { { id, 3 }, 0x10, true, mk, id };

	(void)st;
	memset(mk, 0x0f, 32);
	memset(id, 0xa0, 33);
	memset(big, 0x12, sizeof(big));
	crypt_keys_line(&l, out);
	assert_string_equal(
		out,
		"TCPCRYPT_MK0 a0a0a0 0010 ab 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
		"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
		"a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0");
	l = (struct crypt_keys_line){ { big, 40 }, 1, false, mk, id };
	crypt_keys_line(&l, out);
	assert_int_equal(strlen(out), 13 + 80 + 9 + 64 + 1 + 66);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_as_the_model),
		cmocka_unit_test(schedules_as_two_more_models),
		cmocka_unit_test(knows_three_ciphers),
		cmocka_unit_test(writes_a_line),
	};

	return cmocka_run_group_tests(tests, start, end);
}
