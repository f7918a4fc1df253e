#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/mp_opt.h"
#include "tests/unit/wire/hex.h"

#define V 0x0102030405060708

static void fail_round_trips(void **st)
{
	struct mp_opts o = { 0 };
	uint8_t want[16], p[16];
	unsigned n = hex("1e0c6000 0102030405060708", want);
	struct wr w = wr_make(p, n - 1);

	(void)st;
	assert_int_equal(mp_opt_emit_fail(&w, V), 0);
	assert_int_equal(wr_len(&w), 0);
	w = wr_make(p, n);
	assert_int_equal(mp_opt_emit_fail(&w, V), n);
	assert_memory_equal(p, want, n);
	p[2] = 0x6f; /* reserved bits */
	p[3] = 0xff;
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_FAIL));
	assert_true(o.fail_dsn == V);
}

static void fastclose_round_trips(void **st)
{
	struct mp_opts o = { 0 };
	uint8_t want[16], p[16];
	unsigned n = hex("1e0c7000 0102030405060708", want);
	struct wr w = wr_make(p, n - 1);

	(void)st;
	assert_int_equal(mp_opt_emit_fastclose(&w, V), 0);
	assert_int_equal(wr_len(&w), 0);
	w = wr_make(p, n);
	assert_int_equal(mp_opt_emit_fastclose(&w, V), n);
	assert_memory_equal(p, want, n);
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_FASTCLOSE));
	assert_true(o.fastclose_key == V);
}

static void rst_round_trips(void **st)
{
	(void)st;
	for (unsigned i = 0; i < 512; i++) {
		struct mp_opts o = { 0 };
		uint8_t p[4];
		struct wr w = wr_make(p, 3);

		assert_int_equal(mp_opt_emit_rst(&w, i & 1, (uint8_t)(i / 2)),
				 0);
		assert_int_equal(wr_len(&w), 0);
		w = wr_make(p, 4);
		assert_int_equal(mp_opt_emit_rst(&w, i & 1, (uint8_t)(i / 2)),
				 4);
		assert_int_equal(p[1], 4);
		assert_int_equal(p[2], 0x80 | (i & 1));
		mp_opt_parse(p, 4, &o);
		assert_int_equal(o.have, MP_HAVE(MP_OPT_TCPRST));
		assert_int_equal(o.rst_transient, i & 1);
		assert_int_equal(o.rst_reason, i / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_round_trips),
		cmocka_unit_test(fastclose_round_trips),
		cmocka_unit_test(rst_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
