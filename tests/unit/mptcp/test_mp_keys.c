/* RFC 8684 3.1, 3.2, 3.4.1: computed independently from the RFC's formulas */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/bytes.h"
#include "stack/mptcp/mp_cksum.h"
#include "stack/mptcp/mp_keys.h"
#include "stack/wire/cksum.h"
#include "stack/wire/mp_opt.h"
#include "tests/unit/wire/hex.h"

#define KEY_A UINT64_C(0x0102030405060708)
#define KEY_B UINT64_C(0x1112131415161718)
#define R_A   0xaabbccdd
#define R_B   0x11223344

static struct hash *h;

static struct mp_mac_key key_of(uint64_t snd, uint64_t rcv)
{
	struct mp_mac_key k;

	mp_keys_mac_key(&k, snd, rcv);
	return k;
}

static void token_and_idsn(void **state)
{
	struct mp_keys k = { 0 };

	(void)state;
	assert_true(mp_keys_set_local(h, &k, KEY_A));
	assert_true(mp_keys_set_remote(h, &k, KEY_B));
	assert_int_equal(k.token_local, 0x66840dda);
	assert_true(k.idsn_local == UINT64_C(0xf5a101d3d29d6f72));
	assert_int_equal(k.token_remote, 0xccad45ac);
	assert_true(k.idsn_remote == UINT64_C(0x535beea38e087c8e));
	mp_keys_wipe(&k);
	assert_false(k.have_local);
	assert_true(k.local == 0);
}

static void join_macs(void **state)
{
	static const uint8_t a[20] = { 0xc2, 0x98, 0x6b, 0x9f, 0xfe,
				       0x33, 0xde, 0xdc, 0x10, 0x95,
				       0x5f, 0xc5, 0xc9, 0xc3, 0x15,
				       0x44, 0xe3, 0xac, 0x05, 0xc0 };
	static const uint8_t b[8] = { 0x72, 0xbe, 0xa4, 0x3c,
				      0x69, 0xc0, 0xc2, 0x06 };
	struct mp_mac_key k = key_of(KEY_A, KEY_B);
	uint8_t mac[32];

	(void)state;
	assert_true(mp_keys_join_mac(h, &k, R_A, R_B, mac));
	assert_memory_equal(mac, a, sizeof(a));
	k = key_of(KEY_B, KEY_A);
	assert_true(mp_keys_join_mac(h, &k, R_B, R_A, mac));
	assert_memory_equal(mac, b, sizeof(b));
}

/* smtcp(7), Test vectors, the first session: keys of 2 * 32 octets */
static void sealed_macs(void **state)
{
	static const char sk_a[] = "0f858a8853ca4753fc8ef12d5fe88a80"
				   "c8de171a7db8e60cc10470a10b7b9a0a";
	static const char sk_b[] = "f33437c695d14027cfd1d3f494e4e68e"
				   "d78a37aa9df555d2a0c8214b51aa8153";
	struct addr a = addr_v4(192, 0, 2, 7);
	struct mp_mac_key ab = { .n = 64 }, ba = { .n = 64 };
	uint8_t mac[32], want[20];

	(void)state;
	hex(sk_b, ab.k + hex(sk_a, ab.k));
	hex(sk_a, ba.k + hex(sk_b, ba.k));
	assert_true(mp_keys_join_mac(h, &ab, R_A, R_B, mac));
	hex("a94dc8a8acd81ea42999cfa57a7b3b3d1a4b599c", want);
	assert_memory_equal(mac, want, 20);
	assert_true(mp_keys_join_mac(h, &ba, R_B, R_A, mac));
	assert_true(be64_get(mac) == UINT64_C(0xc57ea6f4598255ea));
	assert_true(mp_keys_addr_mac(h, &ab, 7, &a, 0, mac));
	assert_true(be64_get(mac) == UINT64_C(0xece976b5b2827715));
	assert_true(mp_keys_addr_mac(h, &ba, 7, &a, 0, mac));
	assert_true(be64_get(mac) == UINT64_C(0x686b94cb98d611d2));
}

/* statement 116 */
static void addr_macs(void **state)
{
	struct addr v4 = addr_v4(192, 0, 2, 7), v6;
	static const struct {
		bool from_b, v6;
		uint16_t port;
		uint64_t mac;
	} t[] = {
		{ false, false, 0, UINT64_C(0x00562925a76dd507) },
		{ false, false, 8443, UINT64_C(0xb34c0f6cc9b67bdb) },
		{ false, true, 0, UINT64_C(0xf64433f84dbc5330) },
		{ false, true, 8443, UINT64_C(0x8fb90f85496360ea) },
		{ true, false, 0, UINT64_C(0x659cec13b9ac40d6) },
		{ true, false, 8443, UINT64_C(0xbf83d3c5cbc129fa) },
		{ true, true, 0, UINT64_C(0x16d4e5be84eba1cb) },
		{ true, true, 8443, UINT64_C(0xfcaa2031d60e5f64) },
	};

	(void)state;
	assert_true(addr_parse("2001:db8::7", &v6));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mp_mac_key k = t[i].from_b ? key_of(KEY_B, KEY_A) :
						    key_of(KEY_A, KEY_B);
		uint8_t mac[8];

		assert_true(mp_keys_addr_mac(h, &k, 7, t[i].v6 ? &v6 : &v4,
					     t[i].port, mac));
		assert_true(be64_get(mac) == t[i].mac);
	}
}

/* statements 79, 103, 105 */
static void checksums(void **state)
{
	(void)state;
	assert_int_equal(mp_opt_dss_csum(UINT64_C(0xf5a101d3d29d6f73), 1, 5,
					 cksum_add(0, "hello", 5)),
			 0x82a1);
	assert_int_equal(mp_opt_dss_csum(0xffffffff, 1, 10,
					 cksum_add(0, "0123456789", 10)),
			 0xfaea);
	assert_int_equal(mp_cksum_fin(90), 0xffa4);
	assert_int_equal(mp_opt_dss_csum(80, 101, 11,
					 cksum_add(0, "abcdefghij", 10)),
			 0x0440);
}

static int setup(void **state)
{
	(void)state;
	h = hash_new();
	return h ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	hash_free(h);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_and_idsn),
		cmocka_unit_test(join_macs),
		cmocka_unit_test(sealed_macs),
		cmocka_unit_test(addr_macs),
		cmocka_unit_test(checksums),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
