#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/wire/eno_opt.h"
#include "tests/unit/wire/hex.h"
#include "tests/vectors/vec.h"

/* contents of an option as the table of RFC 8547 4.1 reads them, as text */
static void describe(const uint8_t *body, unsigned n, char *out, size_t size)
{
	uint8_t raw[64] = { ENO_OPT_KIND, (uint8_t)(n + 2) }, *copy;
	struct eno_opt o;
	size_t len;

	memcpy(raw + 2, body, n);
	copy = heap_copy(raw, n + 2);
	if (!eno_opt_parse(copy, (uint8_t)(n + 2), &o)) {
		snprintf(out, size, "bad");
		free(copy);
		return;
	}
	len = (size_t)(o.has_global ? snprintf(out, size, "%02x", o.global)
				    : snprintf(out, size, "-"));
	for (unsigned i = 0; i < o.n; i++) {
		const struct eno_opt_sub *s = &o.sub[i];

		len += (size_t)snprintf(out + len, size - len,
					" %02x:%d:", s->tep, s->v);
		for (unsigned j = 0; j < s->len; j++) {
			len += (size_t)snprintf(out + len, size - len, "%02x",
						s->data[j]);
		}
		if (s->len == 0) {
			len += (size_t)snprintf(out + len, size - len, "-");
		}
	}
	free(copy);
}

static void reads_as_the_model(void **st)
{
	char line[VEC_LINE], text[512], name[8];
	uint8_t body[64];
	unsigned i;

	(void)st;
	for (i = 0;; i++) {
		snprintf(name, sizeof(name), "%u", i);
		if (!vec_text("tcpcrypt", "eno_parse", name, line)) {
			break;
		}
		describe(body, vec_unhex(line, body), text, sizeof(text));
		assert_string_equal(text, strchr(line, ' ') + 1);
	}
	assert_int_equal(i, 13);
}

static const struct {
	const char *body, *want;
} table[] = {
	/* vacuous, also with roles (4.6) */
	{ "", "-" },
	{ "01", "01" },
	{ "03", "03" },
	/* of two global suboptions the first counts, z bits are read (4.2) */
	{ "0001", "00" },
	{ "1d00 23", "1d 23:0:-" },
	{ "23 01 02", "01 23:0:-" },
	/* TEPs of any number; the last with data takes the rest (4.4) */
	{ "20 7f", "- 20:0:- 7f:0:-" },
	{ "a0", "- 20:1:-" },
	{ "ff", "- 7f:1:-" },
	{ "a0 23 01 80", "- 20:1:230180" },
	{ "23 a0 534d43", "- 23:0:- 20:1:534d43" },
	{ "01 a0 534d43", "01 20:1:534d43" },
	/* length octets */
	{ "80 a3 01 23", "- 23:1:01 23:0:-" },
	{ "80 a3 01", "- 23:1:01" },
	{ "82 a0 534d43 80 a1 ff 24", "- 20:1:534d43 21:1:ff 24:0:-" },
	{ "9f a3 0102030405060708090a0b0c0d0e0f10"
	  "1112131415161718191a1b1c1d1e1f20 24",
	  "- 23:1:0102030405060708090a0b0c0d0e0f10"
	  "1112131415161718191a1b1c1d1e1f20 24:0:-" },
	/* rule 1: beyond the end */
	{ "80", "bad" },
	{ "80 a3", "bad" },
	{ "81 a3 01", "bad" },
	{ "9f a3 01", "bad" },
	{ "23 9f", "bad" },
	/* rule 2: followed by 0x00 to 0x9f */
	{ "80 00 01", "bad" },
	{ "80 1f 01", "bad" },
	{ "80 20 01", "bad" },
	{ "80 7f 01", "bad" },
	{ "80 80 01", "bad" },
	{ "80 9f a3 01", "bad" },
	{ "01 23 80 9f 01", "bad" },
};

static void reads_the_table(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		uint8_t body[64];
		char text[512];

		describe(body, hex(table[i].body, body), text, sizeof(text));
		assert_string_equal(text, table[i].want);
	}
}

/* a length octet and each octet that can follow it */
static void knows_what_a_length_octet_leads(void **st)
{
	(void)st;
	for (unsigned b = 0; b < 256; b++) {
		uint8_t body[] = { 0x80, (uint8_t)b, 0x55 };
		char text[64];

		describe(body, 3, text, sizeof(text));
		if (b < 0xa0) {
			assert_string_equal(text, "bad");
		} else {
			assert_int_not_equal(strcmp(text, "bad"), 0);
		}
	}
}

static void refuses_other_options(void **st)
{
	struct eno_opt o;
	uint8_t p[64] = { ENO_OPT_KIND, 3, 0x23 };

	(void)st;
	assert_true(eno_opt_parse(p, 3, &o));
	assert_false(eno_opt_parse(p, 2, &o));
	assert_false(eno_opt_parse(p, 1, &o));
	assert_false(eno_opt_parse(p, 0, &o));
	p[0] = 30;
	assert_false(eno_opt_parse(p, 3, &o));
	p[0] = ENO_OPT_KIND;
	p[1] = 41;
	assert_false(eno_opt_parse(p, 41, &o));
	p[1] = 40;
	assert_true(eno_opt_parse(p, 40, &o));
	assert_int_equal(o.n, 1);
}

static void counts_options_of_a_segment(void **st)
{
	struct eno_opt_seen s = { 0 };
	const uint8_t a[] = { ENO_OPT_KIND, 2 },
		      b[] = { ENO_OPT_KIND, 3, 0x23 };

	(void)st;
	eno_opt_note(&s, a, 2);
	assert_int_equal(s.n, 1);
	eno_opt_note(&s, b, 3);
	assert_int_equal(s.n, 2);
	for (unsigned i = 0; i < 300; i++) {
		eno_opt_note(&s, b, 3);
	}
	assert_int_equal(s.n, 2);
	assert_ptr_equal(s.opt, a);
	assert_int_equal(s.len, 2);
}

/* what is written is what is read, whatever the suboptions */
static void reads_what_it_writes(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 5);
	for (unsigned t = 0; t < 3000; t++) {
		uint8_t data[40], buf[64];
		struct eno_opt_sub sub[6];
		unsigned n = (unsigned)rng_below(&r, 6), len;
		int global = (int)rng_below(&r, 33) - 1;
		struct wr w = wr_make(buf, rng_below(&r, 64));
		struct eno_opt o;

		rng_fill(&r, data, sizeof(data));
		for (unsigned i = 0; i < n; i++) {
			sub[i] = (struct eno_opt_sub){
				.tep = (uint8_t)(0x20 + rng_below(&r, 0x60)),
				.v = rng_below(&r, 2) != 0,
			};
			if (sub[i].v) {
				sub[i].len = (uint8_t)rng_below(&r, 14);
				sub[i].data = data;
			}
		}
		len = eno_opt_emit(&w, global, sub, n);
		if (!len) {
			assert_ptr_equal(w.p, buf);
			continue;
		}
		assert_int_equal(len, wr_len(&w));
		assert_true(eno_opt_parse(buf, (uint8_t)len, &o));
		assert_int_equal(o.has_global, global >= 0);
		assert_int_equal(o.global, global >= 0 ? global : 0);
		assert_int_equal(o.n, n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(o.sub[i].tep, sub[i].tep);
			assert_int_equal(o.sub[i].v, sub[i].v);
			assert_int_equal(o.sub[i].len, sub[i].len);
			assert_memory_equal(o.sub[i].data ? o.sub[i].data
							  : data,
					    data, sub[i].len);
		}
	}
}

static unsigned emit(int global, const struct eno_opt_sub *sub, unsigned n,
		     uint8_t *buf, size_t room)
{
	struct wr w = wr_make(buf, room);

	return eno_opt_emit(&w, global, sub, n);
}

static void writes_known_options(void **st)
{
	const uint8_t sm[] = { 'S', 'M', 0x43 };
	const struct eno_opt_sub two[] = {
		{ .tep = 0x23 },
		{ .tep = 0x20, .v = true, .len = 3, .data = sm },
		{ .tep = 0x21 },
	};
	const struct eno_opt_sub empty[] = {
		{ .tep = 0x23, .v = true, .data = sm }, { .tep = 0x21 }
	};
	const struct eno_opt_sub wrong[] = { { .tep = 0x1f }, { .tep = 0x80 } };
	uint8_t buf[64], want[64];
	struct wr w = wr_make(buf, 1);

	(void)st;
	assert_int_equal(emit(-1, two, 1, buf, 64), hex("450323", want));
	assert_memory_equal(buf, want, 3);
	assert_int_equal(emit(1, two, 1, buf, 64), hex("45040123", want));
	assert_memory_equal(buf, want, 4);
	assert_int_equal(emit(-1, two, 2, buf, 64),
			 hex("450723a0534d43", want));
	assert_memory_equal(buf, want, 7);
	assert_int_equal(emit(-1, two, 3, buf, 64),
			 hex("45092382a0534d4321", want));
	assert_memory_equal(buf, want, 9);
	assert_int_equal(emit(-1, NULL, 0, buf, 64), 2);
	assert_int_equal(emit(-1, two, 2, buf, 6), 0);
	assert_int_equal(emit(0x20, two, 1, buf, 64), 0);
	/* data of no octets need the end of the option */
	assert_int_equal(emit(-1, empty, 2, buf, 64), 0);
	assert_int_equal(emit(-1, empty, 1, buf, 64), 3);
	assert_int_equal(emit(-1, wrong, 1, buf, 64), 0);
	assert_int_equal(emit(-1, wrong + 1, 1, buf, 64), 0);
	assert_int_equal(eno_opt_emit_ack(&w), 0);
	w = wr_make(buf, 2);
	assert_int_equal(eno_opt_emit_ack(&w), hex("4502", want));
	assert_memory_equal(buf, want, 2);
}

static void an_option_has_at_most_40_octets(void **st)
{
	uint8_t data[40] = { 0 }, buf[64];
	struct eno_opt_sub s = { .tep = 0x30, .v = true, .data = data };

	(void)st;
	s.len = 37;
	assert_int_equal(emit(-1, &s, 1, buf, 64), 40);
	s.len = 38;
	assert_int_equal(emit(-1, &s, 1, buf, 64), 0);
}

static bool sm(const char *text, struct eno_opt_sm *m)
{
	static uint8_t data[40];
	struct eno_opt_sub s = { .tep = ENO_TEP_EXP, .v = true, .data = data };

	s.len = (uint8_t)hex(text, data);
	return eno_opt_sm_parse(&s, m);
}

static void reads_smtcp(void **st)
{
	struct eno_opt_sub other = { .tep = 0x21,
				     .v = true,
				     .len = 3,
				     .data = (const uint8_t *)"SM\x43" };
	struct eno_opt_sm m;

	(void)st;
	assert_true(sm("534d43", &m));
	assert_true(m.sig && !m.resume);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.kx[0], ENO_TEP_X25519);
	assert_true(sm("534d 03 04 01", &m));
	assert_false(m.sig);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.kx[1], ENO_TEP_X448);
	assert_int_equal(m.kx[2], ENO_TEP_P256);
	assert_true(sm("534d c3 010203040506070809 d0d1d2", &m));
	assert_true(m.sig && m.resume);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.half[8], 9);
	assert_int_equal(m.nonce_len, 3);
	assert_int_equal(m.nonce[0], 0xd0);
	assert_true(sm("534d 83 010203040506070809 d0d1d2d3d4d5d6d7", &m));
	assert_true(!m.sig && m.resume);
	assert_int_equal(m.nonce_len, 8);
	assert_true(sm("534d 83 010203040506070809", &m));
	assert_true(m.resume);
	assert_int_equal(m.nonce_len, 0);
	/* half or nonce of another length: an offer of a fresh exchange */
	assert_true(sm("534d 83 0102030405060708", &m));
	assert_false(m.resume);
	assert_true(sm("534d 83 010203040506070809 d0d1d2d3d4d5d6d7d8", &m));
	assert_false(m.resume);
	assert_int_equal(m.n, 1);
	/* another experiment, or nothing */
	assert_false(sm("534d", &m));
	assert_false(sm("", &m));
	assert_false(sm("534e43", &m));
	assert_false(sm("434d43", &m));
	assert_false(eno_opt_sm_parse(&other, &m));
	other.tep = 0x20;
	assert_true(eno_opt_sm_parse(&other, &m));
	other.v = false;
	assert_false(eno_opt_sm_parse(&other, &m));
}

static void writes_smtcp(void **st)
{
	const uint8_t kx[] = { ENO_TEP_X25519, ENO_TEP_X448 };
	const uint8_t half[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	uint8_t p[ENO_OPT_MAX], want[ENO_OPT_MAX];

	(void)st;
	assert_int_equal(eno_opt_sm_emit(p, kx, 1, true, NULL, NULL, 0),
			 hex("534d43", want));
	assert_memory_equal(p, want, 3);
	assert_int_equal(eno_opt_sm_emit(p, kx, 2, false, NULL, NULL, 0),
			 hex("534d0304", want));
	assert_memory_equal(p, want, 4);
	assert_int_equal(eno_opt_sm_emit(p, kx, 2, true, half, half, 8),
			 hex("534dc3 010203040506070809 0102030405060708",
			     want));
	assert_memory_equal(p, want, 20);
	assert_int_equal(eno_opt_sm_emit(p, kx, 2, false, half, NULL, 0), 12);
}

/* any octets: no read beyond the option, no more suboptions than octets */
static void survives_any_octets(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 11);
	for (unsigned t = 0; t < 20000; t++) {
		unsigned n = (unsigned)rng_below(&r, 39);
		uint8_t raw[48];
		uint8_t *copy;
		struct eno_opt o;
		struct eno_opt_sm m;

		rng_fill(&r, raw, sizeof(raw));
		raw[0] = ENO_OPT_KIND;
		raw[1] = (uint8_t)(n + 2);
		copy = heap_copy(raw, n + 2);
		if (eno_opt_parse(copy, (uint8_t)(n + 2), &o)) {
			assert_true(o.n <= n);
			for (unsigned i = 0; i < o.n; i++) {
				eno_opt_sm_parse(&o.sub[i], &m);
			}
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_the_model),
		cmocka_unit_test(reads_the_table),
		cmocka_unit_test(knows_what_a_length_octet_leads),
		cmocka_unit_test(refuses_other_options),
		cmocka_unit_test(counts_options_of_a_segment),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(writes_known_options),
		cmocka_unit_test(an_option_has_at_most_40_octets),
		cmocka_unit_test(reads_smtcp),
		cmocka_unit_test(writes_smtcp),
		cmocka_unit_test(survives_any_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
