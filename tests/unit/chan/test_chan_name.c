#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/chan/chan_name.h"

static const struct chan_run run = {
	0x0123456789abcdef,
	{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
};

static struct chan_name conn4(void)
{
	return (struct chan_name){
		.kind = CHAN_KIND_CONN,
		.family = 4,
		.id = 0xfedcba9876543210,
		.local = endpoint_make(addr_v4(10, 0, 1, 2), 80),
		.remote = endpoint_make(addr_v4(192, 0, 2, 9), 51234),
	};
}

static void layout_is_as_documented(void **st)
{
	uint8_t b[CHAN_NAME_LEN];
	struct chan_name n = conn4();

	(void)st;
	chan_name_encode(&run, &n, b);
	assert_memory_equal(b,
			    "\0mptcprun\x01\x23\x45\x67\x89\xab\xcd\xef"
			    "\x04\x04\xfe\xdc\xba\x98\x76\x54\x32\x10"
			    "\x0a\x00\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x50",
			    9 + 8 + 2 + 8 + 18);
	assert_int_equal(b[45], 192);
	assert_int_equal(b[61] << 8 | b[62], 51234);
}

static void round_trip(void **st)
{
	uint8_t b[CHAN_NAME_LEN];
	struct chan_name n = conn4(), out;

	(void)st;
	chan_name_encode(&run, &n, b);
	assert_true(chan_name_decode(&run, b, sizeof(b), &out));
	assert_memory_equal(&n.local, &out.local, sizeof(n.local));
	assert_memory_equal(&n.remote, &out.remote, sizeof(n.remote));
	assert_int_equal(out.kind, CHAN_KIND_CONN);
	assert_int_equal(out.family, 4);
	assert_true(out.id == n.id);
}

static void ipv4_on_an_ipv6_socket_travels_mapped(void **st)
{
	uint8_t b[CHAN_NAME_LEN];
	struct chan_name n = conn4(), out;

	(void)st;
	n.family = 6;
	chan_name_encode(&run, &n, b);
	assert_memory_equal(b + 27, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\1\2",
			    16);
	assert_true(chan_name_decode(&run, b, sizeof(b), &out));
	assert_int_equal(out.family, 6);
	assert_true(endpoint_eq(&n.local, &out.local));
}

static void a_socket_has_no_addresses(void **st)
{
	uint8_t b[CHAN_NAME_LEN];
	struct chan_name out,
		n = { .kind = CHAN_KIND_SOCK, .family = 6, .id = 7 };

	(void)st;
	chan_name_encode(&run, &n, b);
	assert_true(chan_name_decode(&run, b, sizeof(b), &out));
	assert_int_equal(out.local.addr.family, 0);
	assert_int_equal(out.remote.addr.family, 0);
}

static void every_changed_octet_is_refused(void **st)
{
	uint8_t b[CHAN_NAME_LEN];
	struct chan_name n = conn4(), out;

	(void)st;
	chan_name_encode(&run, &n, b);
	for (unsigned i = 0; i < sizeof(b); i++) {
		b[i] ^= 0x11;
		assert_false(chan_name_decode(&run, b, sizeof(b), &out));
		b[i] ^= 0x11;
	}
	assert_true(chan_name_decode(&run, b, sizeof(b), &out));
}

static void other_lengths_runs_and_kinds_are_refused(void **st)
{
	uint8_t b[CHAN_NAME_LEN + 1] = { 0 };
	struct chan_name n = conn4(), out;
	struct chan_run other = run;

	(void)st;
	chan_name_encode(&run, &n, b);
	for (unsigned i = 0; i <= sizeof(b); i++) {
		assert_int_equal(chan_name_decode(&run, b, i, &out),
				 i == CHAN_NAME_LEN);
	}
	other.id++;
	assert_false(chan_name_decode(&other, b, CHAN_NAME_LEN, &out));
	other = run;
	other.secret[15] ^= 1;
	assert_false(chan_name_decode(&other, b, CHAN_NAME_LEN, &out));
	n.kind = 9;
	chan_name_encode(&run, &n, b);
	assert_false(chan_name_decode(&run, b, CHAN_NAME_LEN, &out));
	n.kind = CHAN_KIND_CTL; /* which has no family */
	chan_name_encode(&run, &n, b);
	assert_false(chan_name_decode(&run, b, CHAN_NAME_LEN, &out));
	assert_false(chan_name_decode(&run, NULL, 0, &out));
}

static void run_text_round_trip(void **st)
{
	char t[CHAN_RUN_TEXT];
	struct chan_run out;

	(void)st;
	chan_run_text(&run, t);
	assert_string_equal(
		t, "0123456789abcdef:0102030405060708090a0b0c0d0e0f10");
	assert_true(chan_run_parse(t, &out));
	assert_memory_equal(&out, &run, sizeof(run));
}

static void wrong_run_texts(void **st)
{
	static const char *const bad[] = {
		"",
		":",
		"0123456789abcdef:0102030405060708090a0b0c0d0e0f1",
		"0123456789abcdef:0102030405060708090a0b0c0d0e0f100",
		"0123456789abcdef-0102030405060708090a0b0c0d0e0f10",
		"0123456789abcdeg:0102030405060708090a0b0c0d0e0f10",
		"0123456789abcdef:0102030405060708090A0B0C0D0E0F10",
		"0123456789abcdef:0102030405060708090a0b0c0d0e0f1 ",
		"+123456789abcdef:0102030405060708090a0b0c0d0e0f10",
	};
	struct chan_run out;

	(void)st;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(chan_run_parse(bad[i], &out));
		assert_true(out.id == 0);
	}
	assert_false(chan_run_parse(NULL, &out));
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(layout_is_as_documented),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(ipv4_on_an_ipv6_socket_travels_mapped),
		cmocka_unit_test(a_socket_has_no_addresses),
		cmocka_unit_test(every_changed_octet_is_refused),
		cmocka_unit_test(other_lengths_runs_and_kinds_are_refused),
		cmocka_unit_test(run_text_round_trip),
		cmocka_unit_test(wrong_run_texts),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
