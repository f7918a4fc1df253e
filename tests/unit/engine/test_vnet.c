#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/engine/vnet.h"

static uint8_t buf[VNET_LEN + 100];

static void fill(uint8_t flags, uint8_t type, uint16_t size, uint16_t start,
		 uint16_t offset)
{
	uint16_t v[4] = { 40, size, start, offset };

	memset(buf, 0x45, sizeof(buf));
	buf[0] = flags;
	buf[1] = type;
	memcpy(buf + 2, v, sizeof(v));
}

static void test_good(void **state)
{
	struct pkt p = { 0 };

	(void)state;
	fill(0, 0, 0, 0, 0);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_OK);
	assert_ptr_equal(p.data, buf + VNET_LEN);
	assert_int_equal(p.len, 100);
	assert_false(p.csum_ok);
	assert_int_equal(p.gso_size, 0);
	fill(1, 1, 1448, 20, 16);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_OK);
	assert_true(p.csum_ok);
	assert_int_equal(p.gso_size, 1448);
	fill(2, 0x80 | 4, 1428, 0, 0);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_OK);
	assert_true(p.csum_ok);
	assert_int_equal(p.gso_size, 1428);
	/* a size without a type says nothing */
	fill(0, 0, 1448, 0, 0);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_OK);
	assert_int_equal(p.gso_size, 0);
	assert_int_equal(vnet_decode(buf, VNET_LEN + 1, &p), VNET_OK);
	assert_int_equal(p.len, 1);
}

static void test_bad(void **state)
{
	struct pkt p = { 0 };

	(void)state;
	fill(0, 0, 0, 0, 0);
	for (uint32_t n = 0; n <= VNET_LEN; n++) {
		assert_int_equal(vnet_decode(buf, n, &p), VNET_SHORT);
	}
	for (unsigned type = 0; type < 256; type++) {
		bool known = (type & 0x7f) == 0 || (type & 0x7f) == 1 ||
			     (type & 0x7f) == 4;

		fill(0, (uint8_t)type, 1000, 0, 0);
		assert_int_equal(vnet_decode(buf, sizeof(buf), &p),
				 known ? VNET_OK : VNET_BAD_GSO);
	}
	fill(0, 1, 0, 0, 0);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_BAD_GSO);
	fill(1, 0, 0, 82, 16);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_OK);
	fill(1, 0, 0, 83, 16);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_BAD_CSUM);
	fill(1, 0, 0, 0xffff, 0xffff);
	assert_int_equal(vnet_decode(buf, sizeof(buf), &p), VNET_BAD_CSUM);
}

static void test_encode(void **state)
{
	struct pkt_out o = { .hdr_len = 52, .family = 4, .len = 100 };
	uint8_t h[VNET_LEN], zero[VNET_LEN] = { 0 };
	uint16_t v[4];

	(void)state;
	memset(h, 0xff, sizeof(h));
	vnet_encode(h, &o);
	assert_memory_equal(h, zero, VNET_LEN);
	o.csum_start = 20;
	o.csum_offset = 16;
	o.gso_size = 1448;
	vnet_encode(h, &o);
	memcpy(v, h + 2, sizeof(v));
	assert_int_equal(h[0], 1);
	assert_int_equal(h[1], 1);
	assert_int_equal(v[0], 52);
	assert_int_equal(v[1], 1448);
	assert_int_equal(v[2], 20);
	assert_int_equal(v[3], 16);
	o.family = 6;
	vnet_encode(h, &o);
	assert_int_equal(h[1], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_encode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
