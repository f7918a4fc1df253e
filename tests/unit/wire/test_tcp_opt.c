#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/unit/wire/hex.h"

static void parse(const char *text, struct tcp_opts *o)
{
	uint8_t p[64];
	unsigned n = hex(text, p);
	uint8_t *copy = heap_copy(p, n);

	tcp_hdr_parse_opts(copy, n, o);
	free(copy);
}

static void parses_a_syn_of_linux(void **st)
{
	struct tcp_opts o;

	(void)st;
	parse("020405b4 0402 080a 00000001 00000002 01 030307 1e040181", &o);
	assert_false(o.malformed);
	assert_true(o.has_mss && o.mss == 1460);
	assert_true(o.sack_perm);
	assert_true(o.has_ts && o.ts_val == 1 && o.ts_ecr == 2);
	assert_true(o.has_wscale && o.wscale == 7);
	assert_int_equal(o.mp.have, MP_HAVE(MP_OPT_CAPABLE));
	assert_int_equal(o.mp.capable.flags, 0x81);
	assert_int_equal(o.n_sack, 0);
}

static void parses_sack(void **st)
{
	struct tcp_opts o;

	(void)st;
	parse("0101 080a 0000000100000002"
	      "0101 0512 00000010 00000020 fffffff0 00000008",
	      &o);
	assert_false(o.malformed);
	assert_true(o.has_ts);
	assert_int_equal(o.n_sack, 2);
	assert_int_equal(o.sack[0].lo, 0x10);
	assert_int_equal(o.sack[0].hi, 0x20);
	assert_int_equal(o.sack[1].lo, 0xfffffff0);
	assert_int_equal(o.sack[1].hi, 8);
	parse("0522 0000000100000002 0000000300000004"
	      "0000000500000006 0000000700000008 0101",
	      &o);
	assert_false(o.malformed);
	assert_int_equal(o.n_sack, 4);
	assert_int_equal(o.sack[3].hi, 8);
}

/* the aligned form has a way of its own: it must not differ */
static void aligned_timestamps_are_the_same(void **st)
{
	struct tcp_opts a, b;

	(void)st;
	parse("0101080a 00000001 00000002 020405b4", &a);
	parse("01080a01 00000001 000000", &b);
	assert_true(b.malformed || b.ts_val != 1);
	parse("01 080a 00000001 00000002 01 020405b4", &b);
	assert_memory_equal(&a, &b, sizeof(a));
	parse("0101080a 00000001 000000", &a);
	assert_true(a.malformed);
	assert_false(a.has_ts);
	/* of two the first counts */
	parse("0101080a 00000001 00000002 080a 00000005 00000006", &a);
	assert_int_equal(a.ts_val, 1);
}

static void ends_at_the_end(void **st)
{
	struct tcp_opts o;

	(void)st;
	parse("", &o);
	assert_false(o.malformed);
	parse("01010101", &o);
	assert_false(o.malformed);
	parse("020405b4 00 030307 ff", &o);
	assert_false(o.malformed);
	assert_true(o.has_mss);
	assert_false(o.has_wscale);
	/* kinds unknown are passed over */
	parse("fd0411220101 020405b4", &o);
	assert_false(o.malformed);
	assert_int_equal(o.mss, 1460);
}

static void impossible_lengths_end_parsing(void **st)
{
	static const char *const bad[] = {
		"02",
		"0200",
		"0201",
		"0204",
		"020405",
		"020505b4ff",
		"0203ff",
		"0302",
		"030407ff",
		"0403ff",
		"0800",
		"0809",
		"080900000001000000",
		"080b0000000100000002ff",
		"0502",
		"0503ff",
		"050900000001000000",
		"050b000000010000000211",
		"052a",
		"fd00",
		"fd01",
		"fd05ff00",
	};
	struct tcp_opts o;

	(void)st;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[128];

		snprintf(text, sizeof(text), "0402%s", bad[i]);
		parse(text, &o);
		assert_true(o.sack_perm); /* what came before stands */
		assert_true(o.malformed);
	}
	/* and what comes after is not looked at */
	parse("0402 0205000000 030307", &o);
	assert_true(o.malformed && o.sack_perm);
	assert_false(o.has_wscale);
}

static void a_bad_mptcp_option_is_ignored_alone(void **st)
{
	struct tcp_opts o;

	(void)st;
	parse("1e0500010a 1e02 1e03f0 030307", &o);
	assert_false(o.malformed);
	assert_true(o.has_wscale);
	assert_int_equal(o.mp.have, 0);
	assert_int_equal(o.mp.bad, MP_HAVE(MP_OPT_CAPABLE) | MP_HAVE(15));
	/* beyond the end is everybody's fault */
	parse("1e0c0001 0000", &o);
	assert_true(o.malformed);
	assert_int_equal(o.mp.have | o.mp.bad, 0);
}

static void every_truncation_is_noticed(void **st)
{
	uint8_t p[64];
	unsigned n = hex("020405b4 0402 080a0000000100000002 030307"
			 "1e0c0001 1112131415161718",
			 p);
	static const unsigned ends[] = { 0, 4, 6, 16, 19, 31 };

	(void)st;
	assert_int_equal(n, 31);
	for (unsigned i = 0; i <= n; i++) {
		uint8_t *copy = heap_copy(p, i);
		struct tcp_opts o;
		bool between = false;

		for (unsigned k = 0; k < 6; k++) {
			between |= ends[k] == i;
		}
		tcp_hdr_parse_opts(copy, i, &o);
		assert_int_equal(o.malformed, !between);
		free(copy);
	}
}

static void emits_what_it_parses(void **st)
{
	const struct range32 b[4] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } };
	uint8_t p[64];
	struct tcp_opts o;

	(void)st;
	for (unsigned room = 0; room <= 60; room++) {
		struct wr w = wr_make(p, room);
		unsigned n = 0, sack;

		n += tcp_hdr_emit_mss(&w, 536);
		n += tcp_hdr_emit_sack_perm(&w);
		n += tcp_hdr_emit_ts(&w, 11, 12);
		n += tcp_hdr_emit_wscale(&w, 14);
		sack = tcp_hdr_emit_sack(&w, b, 4);
		n += sack;
		assert_true(w.ok);
		assert_int_equal(wr_len(&w), n);
		assert_true(sack == 0 || sack % 8 == 2);
		tcp_hdr_parse_opts(p, n, &o);
		assert_false(o.malformed);
		assert_int_equal(o.n_sack, sack ? (sack - 2) / 8 : 0);
		if (room == 60) {
			assert_int_equal(o.n_sack, 4);
			assert_int_equal(o.sack[3].lo, 7);
			assert_int_equal(o.mss, 536);
			assert_int_equal(o.wscale, 14);
			assert_int_equal(o.ts_ecr, 12);
		}
	}
}

static void sack_takes_what_fits(void **st)
{
	const struct range32 b[2] = { { 1, 2 }, { 3, 4 } };
	uint8_t p[64];

	(void)st;
	for (unsigned room = 0; room < 30; room++) {
		struct wr w = wr_make(p, room);
		unsigned want = room >= 18 ? 18 : room >= 10 ? 10 : 0;

		assert_int_equal(tcp_hdr_emit_sack(&w, b, 2), want);
		assert_int_equal(wr_len(&w), want);
		assert_int_equal(tcp_hdr_emit_sack(&w, b, 0), 0);
	}
}

/* RFC 7413 4.1.1: 4 to 16 octets, an even number; others are as none */
static void fast_open(void **st)
{
	uint8_t p[64], q[64];
	struct tcp_opts o;

	(void)st;
	for (unsigned len = 0; len <= 20; len++) {
		struct wr w = wr_make(p, sizeof(p));
		bool cookie = len >= 4 && len <= 16 && len % 2 == 0;

		wr_u8(&w, 34);
		wr_u8(&w, (uint8_t)(2 + len));
		for (unsigned i = 0; i < len; i++) {
			wr_u8(&w, (uint8_t)(7 + i));
		}
		tcp_hdr_emit_mss(&w, 1000);
		tcp_hdr_parse_opts(p, (uint32_t)wr_len(&w), &o);
		assert_false(o.malformed);
		assert_int_equal(o.mss, 1000);
		assert_int_equal(o.has_tfo, cookie || len == 0);
		assert_int_equal(o.tfo_len, cookie ? len : 0);
		if (!o.has_tfo) {
			continue;
		}
		assert_true(!cookie || memcmp(o.tfo, p + 2, len) == 0);
		w = wr_make(q, sizeof(q));
		assert_int_equal(tcp_hdr_emit_tfo(&w, o.tfo, o.tfo_len),
				 2 + len);
		assert_memory_equal(p, q, 2 + len);
		w = wr_make(q, 1 + len);
		assert_int_equal(tcp_hdr_emit_tfo(&w, o.tfo, o.tfo_len), 0);
		assert_int_equal(wr_len(&w), 0);
	}
	/* of two the first counts */
	parse("220601020304 2204 0506 22060a0b0c0d", &o);
	assert_int_equal(o.tfo_len, 4);
}

static void pads_to_words(void **st)
{
	uint8_t p[8];

	(void)st;
	for (unsigned n = 0; n <= 8; n++) {
		struct wr w = wr_make(p, 8);

		wr_copy(&w, "\2\2\2\2\2\2\2\2", n);
		tcp_hdr_pad(&w);
		assert_int_equal(wr_len(&w), (n + 3) / 4 * 4);
		for (size_t i = n; i < wr_len(&w); i++) {
			assert_int_equal(p[i], 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_a_syn_of_linux),
		cmocka_unit_test(parses_sack),
		cmocka_unit_test(aligned_timestamps_are_the_same),
		cmocka_unit_test(ends_at_the_end),
		cmocka_unit_test(impossible_lengths_end_parsing),
		cmocka_unit_test(a_bad_mptcp_option_is_ignored_alone),
		cmocka_unit_test(every_truncation_is_noticed),
		cmocka_unit_test(emits_what_it_parses),
		cmocka_unit_test(sack_takes_what_fits),
		cmocka_unit_test(fast_open),
		cmocka_unit_test(pads_to_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
