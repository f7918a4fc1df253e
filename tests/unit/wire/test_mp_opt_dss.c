#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/wire/cksum.h"
#include "stack/wire/mp_opt.h"
#include "tests/unit/wire/hex.h"

/* bit 0 ack, 1 ack8, 2 map, 3 dsn8, 4 fin, 5 checksum */
static struct mp_opt_dss make(unsigned bits)
{
	struct mp_opt_dss d = { .ack = bits & 1,
				.ack8 = bits >> 1 & 1,
				.map = bits >> 2 & 1,
				.dsn8 = bits >> 3 & 1,
				.fin = bits >> 4 & 1,
				.has_csum = bits >> 5 & 1,
				.data_ack = 0xf1f2f3f4f5f6f7f8,
				.dsn = 0x0102030405060708,
				.ssn = 0x21222324,
				.data_len = 0x3132,
				.csum = 0x4142 };

	return d;
}

static void every_form_round_trips(void **st)
{
	(void)st;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct mp_opt_dss d = make(bits), *b;
		unsigned ack = d.ack8 ? 8 : 4, map = d.dsn8 ? 14 : 10;
		unsigned len = 4 + (d.ack ? ack : 0) + (d.map ? map : 0) +
			       (d.map && d.has_csum ? 2 : 0);
		struct mp_opts o = { 0 };
		struct wr w;
		uint8_t p[40];

		assert_int_equal(mp_opt_dss_len(&d), len);
		for (unsigned room = 0; room < len; room++) {
			w = wr_make(p, room);
			assert_int_equal(mp_opt_emit_dss(&w, &d), 0);
			assert_int_equal(wr_len(&w), 0);
		}
		w = wr_make(p, len);
		assert_int_equal(mp_opt_emit_dss(&w, &d), len);
		assert_int_equal(p[2], 0x20);
		assert_int_equal(p[3] & 0xe0, 0);
		mp_opt_parse(p, (uint8_t)len, &o);
		b = &o.dss;
		assert_int_equal(o.have != 0, d.ack || d.map);
		if (!o.have) {
			continue;
		}
		assert_int_equal(b->ack, d.ack);
		assert_int_equal(b->ack8, d.ack && d.ack8);
		assert_int_equal(b->map, d.map);
		assert_int_equal(b->dsn8, d.map && d.dsn8);
		assert_int_equal(b->fin, d.map && d.fin);
		assert_int_equal(b->has_csum, d.map && d.has_csum);
		assert_true(b->data_ack == (!d.ack   ? 0
					    : d.ack8 ? d.data_ack
						     : (uint32_t)d.data_ack));
		assert_true(b->dsn == (!d.map   ? 0
				       : d.dsn8 ? d.dsn
						: (uint32_t)d.dsn));
		assert_int_equal(b->ssn, d.map ? d.ssn : 0);
		assert_int_equal(b->data_len, d.map ? d.data_len : 0);
		assert_int_equal(b->csum, d.map && d.has_csum ? d.csum : 0);
		assert_false(b->infinite);
	}
}

/* a, m, F without A or M, and reserved bits, mean nothing */
static void ignores_flags_without_meaning(void **st)
{
	struct mp_opts o = { 0 };
	uint8_t p[40];
	unsigned n;

	(void)st;
	n = hex("1e082ff9 00000007", p); /* all but a and M */
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_DSS));
	assert_true(o.dss.ack && !o.dss.map && !o.dss.dsn8 && !o.dss.fin);
	assert_int_equal(o.dss.data_ack, 7);
	o = (struct mp_opts){ 0 };
	n = hex("1e0e2006 00000007 00000001 0005", p); /* a without A */
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_DSS));
	assert_true(o.dss.map && !o.dss.ack && !o.dss.ack8);
	assert_int_equal(o.dss.dsn, 7);
	o = (struct mp_opts){ 0 };
	n = hex("1e042010", p); /* F alone: nothing says which octet it is */
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_int_equal(o.have, 0);
	assert_int_equal(o.bad, MP_HAVE(MP_OPT_DSS));
}

static void length_zero_is_infinite(void **st)
{
	struct mp_opts o = { 0 };
	uint8_t p[40];
	unsigned n = hex("1e102004 00000007 00000001 0000 0000", p);

	(void)st;
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_true(o.dss.infinite && o.dss.has_csum);
	assert_int_equal(o.dss.csum, 0);
}

static const struct {
	uint64_t dsn;
	uint32_t ssn;
	uint16_t len;
	const char *data;
	uint16_t csum;
} sums[] = {
	{ 0xf5a101d3d29d6f73, 1, 5, "hello", 0x82a1 },
	{ 0xffffffff, 1, 10, "0123456789", 0xfaea },
	{ 0x5a, 0, 1, "", 0xffa4 },
	{ 0x50, 101, 11, "abcdefghij", 0x0440 },
};

static void gives_the_checksum_vectors(void **st)
{
	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t data =
			cksum_add(0, sums[i].data, strlen(sums[i].data));

		assert_int_equal(mp_opt_dss_csum(sums[i].dsn, sums[i].ssn,
						 sums[i].len, data),
				 sums[i].csum);
	}
}

/* as RFC 8684 3.3.1 draws it: one row of octets, summed as a whole */
static void sums_the_drawn_header(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 9);
	for (unsigned i = 0; i < 5000; i++) {
		uint8_t all[16 + 50];
		size_t n = rng_below(&r, 50);
		uint16_t got, want;

		rng_fill(&r, all, sizeof(all));
		be16_put(all + 14, 0);
		got = mp_opt_dss_csum(be64_get(all), be32_get(all + 8),
				      be16_get(all + 12),
				      cksum_add(0, all + 16, n));
		want = cksum_finish(cksum_add(0, all, 16 + n));
		assert_int_equal(got, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_round_trips),
		cmocka_unit_test(ignores_flags_without_meaning),
		cmocka_unit_test(length_zero_is_infinite),
		cmocka_unit_test(gives_the_checksum_vectors),
		cmocka_unit_test(sums_the_drawn_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
