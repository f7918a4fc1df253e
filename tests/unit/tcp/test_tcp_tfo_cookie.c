/* A server's Fast Open cookies: Linux's function, and which keys count when */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/tcp/tcp_tfo_cookie.h"

static uint8_t drawn;

static void fill(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, ++drawn, n);
}

static const struct entropy entropy = { .fill = fill };

static struct tuple to(uint8_t last)
{
	struct tuple t = { 0 };

	t.local = endpoint_make(addr_v4(10, 0, 0, 1), 80);
	t.remote = endpoint_make(addr_v4(10, 0, 0, last), 40000);
	return t;
}

/* what this machine's kernel gives (tests/pkt/tcp/tfo_server_key) */
static void as_linux(void **state)
{
	static const uint8_t want[] = { 0xaf, 0x17, 0x94, 0xe9,
					0x5f, 0xcb, 0x5b, 0xaa };
	struct tcp_tfo_secret s = { .any = true };
	struct tcp_tfo_keys k = { .n = 0 };
	struct tuple t = to(9);
	uint8_t key[16], got[8];

	(void)state;
	for (uint8_t i = 0; i < 16; i++) {
		key[i] = i;
	}
	tcp_tfo_keys_set(&k, key, 1);
	tcp_tfo_cookie_make(&s, &k, &t, got);
	assert_memory_equal(got, want, 8);
	t.remote.port = 1; /* of hosts, not of connections */
	assert_int_equal(tcp_tfo_cookie_check(&s, &k, &t, want, 8),
			 TCP_TFO_GOOD);
	t = to(8);
	assert_int_equal(tcp_tfo_cookie_check(&s, &k, &t, want, 8),
			 TCP_TFO_WRONG);
	t = to(9);
	assert_int_equal(tcp_tfo_cookie_check(&s, &k, &t, want, 7),
			 TCP_TFO_WRONG);
}

static void two_keys(void **state)
{
	struct tcp_tfo_secret s = { .any = true };
	struct tcp_tfo_keys k = { .n = 0 };
	struct tuple t = to(9);
	uint8_t key[32], first[8];

	(void)state;
	memset(key, 1, 16);
	memset(key + 16, 2, 16);
	tcp_tfo_keys_set(&k, key + 16, 1);
	tcp_tfo_cookie_make(&s, &k, &t, first);
	tcp_tfo_keys_set(&k, key, 2);
	assert_int_equal(tcp_tfo_cookie_check(&s, &k, &t, first, 8),
			 TCP_TFO_OLD);
	tcp_tfo_keys_set(&k, key, 1);
	assert_int_equal(tcp_tfo_cookie_check(&s, &k, &t, first, 8),
			 TCP_TFO_WRONG);
	/* nor do ours, as long as there are the program's */
	tcp_tfo_secret_turn(&s, (struct instant){ 0 }, &entropy);
	tcp_tfo_keys_set(&k, key, 0);
	tcp_tfo_cookie_make(&s, &k, &t, first);
	tcp_tfo_keys_set(&k, key, 1);
	assert_int_equal(tcp_tfo_cookie_check(&s, &k, &t, first, 8),
			 TCP_TFO_WRONG);
}

/* RFC 7413 4.1.2, 5: a cookie ends */
static void drawn_twice_a_day(void **state)
{
	struct tcp_tfo_secret s = { .any = false };
	struct tcp_tfo_keys none = { .n = 0 };
	struct tuple t = to(9);
	struct instant now = { TCP_TFO_EPOCH * 5 };
	uint8_t first[8];

	(void)state;
	tcp_tfo_secret_turn(&s, now, &entropy);
	tcp_tfo_cookie_make(&s, &none, &t, first);
	assert_int_equal(tcp_tfo_cookie_check(&s, &none, &t, first, 8),
			 TCP_TFO_GOOD);
	now.ns += TCP_TFO_EPOCH;
	tcp_tfo_secret_turn(&s, now, &entropy);
	assert_int_equal(tcp_tfo_cookie_check(&s, &none, &t, first, 8),
			 TCP_TFO_OLD);
	now.ns += TCP_TFO_EPOCH;
	tcp_tfo_secret_turn(&s, now, &entropy);
	assert_int_equal(tcp_tfo_cookie_check(&s, &none, &t, first, 8),
			 TCP_TFO_WRONG);
	/* nobody asked for longer than both, whichever of two places it had */
	for (unsigned epochs = 2; epochs < 4; epochs++) {
		tcp_tfo_cookie_make(&s, &none, &t, first);
		now.ns += epochs * TCP_TFO_EPOCH;
		tcp_tfo_secret_turn(&s, now, &entropy);
		assert_int_equal(tcp_tfo_cookie_check(&s, &none, &t, first, 8),
				 TCP_TFO_WRONG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_linux),
		cmocka_unit_test(two_keys),
		cmocka_unit_test(drawn_twice_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
