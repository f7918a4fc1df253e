#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/bytes.h"

static const uint8_t sample[15] = { 1, 2,  3,  4,  5,  6,  7, 8,
				    9, 10, 11, 12, 13, 14, 15 };

static void reads_what_was_written(void **st)
{
	uint8_t buf[15];
	struct wr w = wr_make(buf, sizeof(buf));
	struct rd r = rd_make(sample, sizeof(sample));

	(void)st;
	wr_u8(&w, rd_u8(&r));
	wr_u16(&w, rd_u16(&r));
	wr_u32(&w, rd_u32(&r));
	wr_u64(&w, rd_u64(&r));
	assert_true(w.ok && r.ok);
	assert_int_equal(wr_len(&w), 15);
	assert_int_equal(wr_left(&w), 0);
	assert_int_equal(rd_left(&r), 0);
	assert_memory_equal(buf, sample, 15);
	assert_true(be64_get(sample) == 0x0102030405060708);
}

static void reading_fails_for_good(void **st)
{
	struct rd r = rd_make(sample, 5);
	uint8_t out[4] = { 1, 2, 3, 4 };

	(void)st;
	assert_int_equal(rd_u32(&r), 0x01020304);
	assert_int_equal(rd_u16(&r), 0);
	assert_false(r.ok);
	assert_int_equal(rd_u8(&r), 0); /* would fit */
	rd_copy(&r, out, 4);
	assert_int_equal(be32_get(out), 0);
	assert_null(rd_take(&r, 0));
}

static void writing_fails_for_good(void **st)
{
	uint8_t buf[6] = { 0 };
	struct wr w = wr_make(buf, 5);

	(void)st;
	wr_u32(&w, 0xffffffff);
	wr_u16(&w, 0xeeee);
	assert_false(w.ok);
	wr_u8(&w, 0xdd);
	wr_copy(&w, "x", 1);
	assert_int_equal(wr_len(&w), 4);
	assert_int_equal(buf[4], 0);
	assert_int_equal(buf[5], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(reading_fails_for_good),
		cmocka_unit_test(writing_fails_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
