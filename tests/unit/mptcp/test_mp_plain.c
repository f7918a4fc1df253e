/* test_mp_plain.c - the identity mapping of plain TCP stays right when the
 * relative sequence number has wrapped: at 2 GiB, 4 GiB and beyond, also when
 * the connection fell back in the middle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/mptcp/mp.h"

static void check_at(uint64_t una, uint32_t tx_ssn, uint64_t tx_off)
{
	static struct mp_conn c;
	static const int64_t ahead[] = { 0, 1, 1448, 65535, 6 << 20, 1 << 30 };

	c.snd.una = una;
	c.fall.tx_ssn = tx_ssn;
	c.fall.tx_off = tx_off;
	for (unsigned i = 0; i < ARRAY_SIZE(ahead); i++) {
		uint64_t off = una + (uint64_t)ahead[i];
		uint32_t ssn = tx_ssn + (uint32_t)(off - tx_off);

		assert_int_equal(mp_plain_off(&c, ssn), off);
	}
}

static void test_offset_from_the_start(void **state)
{
	(void)state;
	check_at(0, 1, 0);
	check_at(1000, 1, 0);
}

static void test_offset_beyond_2_gib(void **state)
{
	(void)state;
	check_at((1ull << 31) - 1, 1, 0);
	check_at((1ull << 31) + 12345, 1, 0);
}

static void test_offset_beyond_4_gib(void **state)
{
	(void)state;
	check_at((1ull << 32) - 2, 1, 0);
	check_at((1ull << 32) + 7, 1, 0);
	check_at((5ull << 32) + 7, 1, 0);
}

static void test_offset_after_a_fallback(void **state)
{
	(void)state;
	check_at(1ull << 33, 0xfffffff0u, 777777);
	/* what was sent before the fallback is not acknowledged yet */
	check_at(5000, 90001, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offset_from_the_start),
		cmocka_unit_test(test_offset_beyond_2_gib),
		cmocka_unit_test(test_offset_beyond_4_gib),
		cmocka_unit_test(test_offset_after_a_fallback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
