#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/mp_opt.h"
#include "tests/unit/wire/hex.h"

static void parse(const char *text, struct mp_opts *o)
{
	uint8_t p[64];
	unsigned n = hex(text, p);
	uint8_t *copy = heap_copy(p, n);

	mp_opt_parse(copy, (uint8_t)n, o);
	free(copy);
}

/* one of each form that RFC 8684 section 3 knows */
static const char *const every[] = {
	"1e040181",
	"1e0c0181 1112131415161718",
	"1e140181 0102030405060708 1112131415161718",
	"1e160181 0102030405060708 1112131415161718 0005",
	"1e180181 0102030405060708 1112131415161718 0005 82a1",
	"1e0c1002 ccad45ac aabbccdd",
	"1e101000 72bea43c69c0c206 11223344",
	"1e181000 c2986b9ffe33dedc10955fc5c9c31544e3ac05c0",
	"1e082001 00000001",
	"1e0c2003 0000000000000001",
	"1e0e2004 00000001 00000002 0003",
	"1e102004 00000001 00000002 0003 0004",
	"1e12200c 0000000000000001 00000002 0003",
	"1e14200c 0000000000000001 00000002 0003 0004",
	"1e122005 00000009 00000001 00000002 0003",
	"1e142005 00000009 00000001 00000002 0003 0004",
	"1e162007 0000000000000009 00000001 00000002 0003",
	"1e182007 0000000000000009 00000001 00000002 0003 0004",
	"1e16200d 00000009 0000000000000001 00000002 0003",
	"1e18200d 00000009 0000000000000001 00000002 0003 0004",
	"1e1a200f 0000000000000009 0000000000000001 00000002 0003",
	"1e1c201f 0000000000000009 0000000000000001 00000002 0003 0004",
	"1e103007 c0000207 00562925a76dd507",
	"1e123007 c0000207 20fb b34c0f6cc9b67bdb",
	"1e1c3007 20010db8000000000000000000000007 f64433f84dbc5330",
	"1e1e3007 20010db8000000000000000000000007 20fb 8fb90f85496360ea",
	"1e083107 c0000207",
	"1e0a3107 c0000207 20fb",
	"1e143107 20010db8000000000000000000000007",
	"1e163107 20010db8000000000000000000000007 20fb",
	"1e044005",
	"1e08400501020304",
	"1e0350",
	"1e0351",
	"1e0c6000 0000000000000001",
	"1e0c7000 0102030405060708",
	"1e048006",
	"1e048106",
};

#define EVERY (sizeof(every) / sizeof(every[0]))

static void knows_every_form(void **st)
{
	(void)st;
	for (unsigned i = 0; i < EVERY; i++) {
		struct mp_opts o = { 0 };
		uint8_t p[64];

		hex(every[i], p);
		parse(every[i], &o);
		assert_int_equal(o.have, MP_HAVE(p[2] >> 4));
		assert_int_equal(o.bad, 0);
	}
}

/* RFC 8684 section 3, as a table: lengths by subtype, and by the octets of
 * flags where they decide */
static bool length_ok(const uint8_t *p, unsigned len)
{
	unsigned f = p[3], dss = 4;

	switch (p[2] >> 4) {
	case MP_OPT_CAPABLE:
		return len == 4 || len == 12 || len == 20 || len == 22 ||
		       len == 24;
	case MP_OPT_JOIN:
		return len == 12 || len == 16 || len == 24;
	case MP_OPT_DSS:
		dss += f & 1 ? f & 2 ? 8u : 4u : 0;
		dss += f & 4 ? f & 8 ? 14u : 10u : 0;
		return dss > 4 && (len == dss || (f & 4 && len == dss + 2));
	case MP_OPT_ADD_ADDR:
		return p[2] & 1
			       ? len == 8 || len == 10 || len == 20 || len == 22
			       : len == 16 || len == 18 || len == 28 ||
					 len == 30;
	case MP_OPT_REMOVE_ADDR:
		return len > 3;
	case MP_OPT_PRIO:
		return len == 3;
	case MP_OPT_FAIL:
	case MP_OPT_FASTCLOSE:
		return len == 12;
	default:
		return len == 4;
	}
}

static void knows_no_other_length(void **st)
{
	(void)st;
	for (unsigned i = 0; i < EVERY; i++) {
		uint8_t p[64] = { 0 };

		hex(every[i], p);
		for (unsigned len = 0; len <= 40; len++) {
			uint8_t *copy = heap_copy(p, len);
			struct mp_opts o = { 0 }, zero = { 0 };
			bool right = len >= 3 && length_ok(p, len);

			mp_opt_parse(copy, (uint8_t)len, &o);
			assert_int_equal(o.have != 0, right);
			assert_int_equal(o.bad != 0, len >= 3 && !right);
			if (!right) { /* nothing else was touched */
				zero.bad = o.bad;
				assert_memory_equal(&o, &zero, sizeof(o));
			}
			free(copy);
		}
	}
}

static void ignores_unknown_subtypes(void **st)
{
	(void)st;
	for (unsigned subtype = 9; subtype <= 15; subtype++) {
		uint8_t p[8] = { 30, 8, (uint8_t)(subtype << 4) };
		struct mp_opts o = { 0 };

		mp_opt_parse(p, 8, &o);
		assert_int_equal(o.have, 0);
		assert_int_equal(o.bad, 1u << subtype); /* one was there */
	}
}

static void the_first_of_a_subtype_counts(void **st)
{
	struct mp_opts o = { 0 };

	(void)st;
	parse("1e0c6000 0000000000000001", &o);
	parse("1e0c6000 0000000000000002", &o);
	assert_int_equal(o.fail_dsn, 1);
	parse("1e0b6000 00000000000000", &o);
	assert_int_equal(o.bad, 0);
	parse("1e048106", &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_FAIL) | MP_HAVE(MP_OPT_TCPRST));
	/* one that could not be read does not count */
	parse("1e0440", &o);
	parse("1e0440 09", &o);
	assert_int_equal(o.remove_id[0], 9);
}

static void extends_to_the_nearest(void **st)
{
	(void)st;
	assert_true(mp_opt_extend(5, 3) == 5);
	assert_true(mp_opt_extend(1, 0x1fffffff0) == 0x200000001);
	assert_true(mp_opt_extend(0xfffffff0, 0x200000001) == 0x1fffffff0);
	assert_true(mp_opt_extend(0, 0x17fffffff) == 0x100000000);
	assert_true(mp_opt_extend(0, 0x180000001) == 0x200000000);
	assert_true(mp_opt_extend(0xffffffff, 0) == UINT64_MAX);
	assert_true(mp_opt_extend(0, UINT64_MAX) == 0);
	for (uint64_t near = 0xfffffff0; near < 0x10000000f; near++) {
		for (int64_t d = -20; d <= 20; d++) {
			uint64_t v = near + (uint64_t)d;

			assert_true(mp_opt_extend((uint32_t)v, near) == v);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_form),
		cmocka_unit_test(knows_no_other_length),
		cmocka_unit_test(ignores_unknown_subtypes),
		cmocka_unit_test(the_first_of_a_subtype_counts),
		cmocka_unit_test(extends_to_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
