#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/ip/ip.h"
#include "tests/lib/fake.h"

static struct fake fake;
static const struct instant t0 = { 1000 };

static int setup(void **state)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 2 };
	struct ip *ip;

	fake_init(&fake, 1);
	ip = ip_new(&fake.env);
	p.addr[0] = addr_v4(10, 0, 0, 1);
	p.bits[0] = 24;
	assert_true(addr_parse("2001:db8::1", &p.addr[1]));
	p.bits[1] = 64;
	assert_int_equal(ip_path_add(ip, &p), 0);
	*state = ip;
	return 0;
}

static int teardown(void **state)
{
	ip_free(*state);
	fake_fini(&fake);
	return 0;
}

static void test_lowers_and_forgets(void **state)
{
	struct ip *ip = *state;
	struct addr d = addr_v4(9, 9, 9, 9), e = addr_v4(9, 9, 9, 8);

	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1500);
	assert_true(ip_mtu_lower(ip, 0, &d, 1400, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1400);
	assert_int_equal(ip_mtu(ip, 0, &e, t0), 1500);
	/* never up by a report */
	assert_false(ip_mtu_lower(ip, 0, &d, 1450, 1400, t0));
	assert_false(ip_mtu_lower(ip, 0, &d, 1400, 1400, t0));
	assert_int_equal(ip_counter(ip, IP_PMTU_LOWERED), 1);
	assert_int_equal(
		ip_mtu(ip, 0, &d, instant_add(t0, IP_PMTU_LIFE - 1)), 1400);
	assert_int_equal(ip_mtu(ip, 0, &d, instant_add(t0, IP_PMTU_LIFE)),
			 1500);
}

static void test_floor_of_each_family(void **state)
{
	struct ip *ip = *state;
	struct addr d = addr_v4(9, 9, 9, 9), d6;

	assert_true(addr_parse("2001:db8:1::1", &d6));
	assert_true(ip_mtu_lower(ip, 0, &d, 68, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), IP4_MTU_MIN);
	/* RFC 8201 4: discarded, not rounded up */
	assert_false(ip_mtu_lower(ip, 0, &d6, 1279, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d6, t0), 1500);
	assert_true(ip_mtu_lower(ip, 0, &d6, 1280, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d6, t0), IP6_MTU_MIN);
}

static void test_what_probes_found(void **state)
{
	struct ip *ip = *state;
	struct addr d = addr_v4(9, 9, 9, 9);
	struct instant late = instant_add(t0, IP_PMTU_LIFE);
	uint16_t low, high;

	assert_false(ip_mtu_found(ip, 0, &d, t0, &low, &high));
	ip_mtu_keep(ip, 0, &d, 1280, 1400, t0);
	assert_true(ip_mtu_found(ip, 0, &d, t0, &low, &high));
	assert_int_equal(low, 1280);
	assert_int_equal(high, 1400);
	/* no report of the path, and the path may become wider */
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1500);
	assert_true(ip_mtu_found(ip, 0, &d, late, &low, &high));
	assert_int_equal(low, 1280);
	assert_int_equal(high, 1500);
	/* beside a report */
	assert_true(ip_mtu_lower(ip, 0, &d, 1350, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1350);
	assert_true(ip_mtu_found(ip, 0, &d, t0, &low, &high));
	ip_mtu_keep(ip, 0, &d, 1500, 1500, t0);
	assert_false(ip_mtu_found(ip, 0, &d, t0, &low, &high));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1350);
	/* per path */
	ip_mtu_keep(ip, 0, &d, 1280, 1400, t0);
	assert_false(ip_mtu_found(ip, 1, &d, t0, &low, &high));
	ip_mtu_keep(ip, 1, &d, 1280, 1400, t0); /* there is none */
}

static void test_plateau_when_unknown(void **state)
{
	struct ip *ip = *state;
	struct addr d = addr_v4(9, 9, 9, 9);

	assert_true(ip_mtu_lower(ip, 0, &d, 0, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1492);
	assert_true(ip_mtu_lower(ip, 0, &d, 0, 1492, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1006);
	assert_true(ip_mtu_lower(ip, 0, &d, 0, 1006, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), IP4_MTU_MIN);
}

static void test_cache_is_bounded(void **state)
{
	struct ip *ip = *state;
	struct addr first = addr_v4(9, 0, 0, 0);

	for (unsigned i = 0; i <= IP_PMTU_MAX; i++) {
		struct addr d = addr_v4(9, 0, (uint8_t)(i >> 8), (uint8_t)i);

		if (i == IP_PMTU_MAX) {
			assert_int_equal(ip_mtu(ip, 0, &first, t0), 1400);
		}
		assert_true(ip_mtu_lower(ip, 0, &d, 1400, 1500, t0));
	}
	/* the oldest made room */
	assert_int_equal(ip_mtu(ip, 0, &first, t0), 1500);
}

static void test_no_memory_is_no_harm(void **state)
{
	struct ip *ip = *state;
	struct addr d = addr_v4(9, 9, 9, 9);

	fake.fail_at = 1;
	assert_false(ip_mtu_lower(ip, 0, &d, 1400, 1500, t0));
	assert_int_equal(ip_mtu(ip, 0, &d, t0), 1500);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_lowers_and_forgets),
		T(test_floor_of_each_family),
		T(test_what_probes_found),
		T(test_plateau_when_unknown),
		T(test_cache_is_bounded),
		T(test_no_memory_is_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
