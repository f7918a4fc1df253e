#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/ip/ip.h"
#include "tests/lib/fake.h"

static struct fake fake;

static struct ip_path path4(uint8_t net, uint8_t host)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };

	p.addr[0] = addr_v4(10, 0, net, host);
	p.bits[0] = 24;
	return p;
}

static int setup(void **state)
{
	fake_init(&fake, 1);
	*state = ip_new(&fake.env);
	return 0;
}

static int teardown(void **state)
{
	ip_free(*state);
	fake_fini(&fake);
	return 0;
}

static void test_add_refuses_nonsense(void **state)
{
	struct ip *ip = *state;
	struct ip_path p = path4(1, 1);

	p.n_addr = 0;
	assert_int_equal(ip_path_add(ip, &p), -1);
	p = path4(1, 1);
	p.mtu = 67;
	assert_int_equal(ip_path_add(ip, &p), -1);
	p = path4(1, 1);
	p.bits[0] = 33;
	assert_int_equal(ip_path_add(ip, &p), -1);
	p = path4(1, 1);
	assert_int_equal(ip_path_add(ip, &p), 0);
	assert_int_equal(ip_path_add(ip, &p), -1); /* address is taken */
	assert_true(addr_parse("2001:db8::1", &p.addr[0]));
	p.mtu = 1279; /* RFC 8200 5 */
	assert_int_equal(ip_path_add(ip, &p), -1);
	p.mtu = 1280;
	assert_int_equal(ip_path_add(ip, &p), 1);
}

static void test_table_is_bounded(void **state)
{
	struct ip *ip = *state;

	for (unsigned i = 0; i < IP_PATHS_MAX; i++) {
		struct ip_path p = path4((uint8_t)i, 1);

		assert_int_equal(ip_path_add(ip, &p), i);
	}
	assert_int_equal(ip_path_add(ip, &(struct ip_path){ 0 }), -1);
	assert_null(ip_path(ip, IP_PATHS_MAX));
}

static void test_route(void **state)
{
	struct ip *ip = *state;
	struct ip_path a = path4(1, 1), b = path4(2, 1), c = path4(3, 1);
	struct addr far = addr_v4(192, 0, 2, 1), near = addr_v4(10, 0, 3, 9);
	struct addr far6;

	a.backup = true;
	assert_true(addr_parse("2001:db8::1", &far6));
	assert_int_equal(ip_route(ip, &far), -1);
	ip_path_add(ip, &a);
	assert_int_equal(ip_route(ip, &far), 0); /* only a backup: that */
	ip_path_add(ip, &b);
	ip_path_add(ip, &c);
	assert_int_equal(ip_route(ip, &far), 1);
	assert_int_equal(ip_route(ip, &near), 2); /* on-link first */
	assert_int_equal(ip_route(ip, &far6), -1);
	ip_path_set_up(ip, 1, false);
	assert_int_equal(ip_route(ip, &far), 2);
	assert_null(ip_source(ip, 1, &far));
	ip_path_set_backup(ip, 2, true);
	assert_int_equal(ip_route(ip, &far), 0);
	assert_true(addr_eq(ip_source(ip, 2, &far), &c.addr[0]));
	assert_int_equal(ip_path_of(ip, &b.addr[0]), 1);
	assert_int_equal(ip_path_of(ip, &far), -1);
}

static void test_source_of_two_addresses(void **state)
{
	struct ip *ip = *state;
	struct ip_path p = path4(1, 1);
	struct addr near = addr_v4(10, 0, 7, 9), far = addr_v4(9, 9, 9, 9);

	p.n_addr = 2;
	p.addr[1] = addr_v4(10, 0, 7, 1);
	p.bits[1] = 24;
	ip_path_add(ip, &p);
	assert_true(addr_eq(ip_source(ip, 0, &near), &p.addr[1]));
	assert_true(addr_eq(ip_source(ip, 0, &far), &p.addr[0]));
}

/* what may be another host's address, and what never is */
static void test_peers(void **state)
{
	static const struct {
		const char *addr;
		bool may;
	} of[] = {
		{ "10.0.1.2", true },	     { "10.0.1.1", false },
		{ "10.0.1.255", false },     { "10.0.1.0", true },
		{ "10.0.3.255", true },	     { "10.0.2.1", false },
		{ "0.0.0.0", false },	     { "255.255.255.255", false },
		{ "224.0.0.1", false },	     { "127.0.0.9", false },
		{ "2001:db8::2", true },     { "2001:db8::1", false },
		{ "2001:db8::ffff", true },  { "ff02::1", false },
		{ "::1", false },	     { "::", false },
		{ "::ffff:10.0.1.2", false },
	};
	struct ip *ip = *state;
	struct ip_path a = path4(1, 1), b = path4(2, 1);

	b.n_addr = 2;
	assert_true(addr_parse("2001:db8::1", &b.addr[1]));
	b.bits[1] = 112;
	assert_int_equal(ip_path_add(ip, &a), 0);
	assert_int_equal(ip_path_add(ip, &b), 1);
	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct addr at;

		assert_true(addr_parse(of[i].addr, &at));
		assert_int_equal(ip_is_peer(ip, &at), of[i].may);
	}
}

static void test_reasons_are_named(void **state)
{
	(void)state;
	for (unsigned i = 0; i < IP_REASON_N; i++) {
		assert_true(strlen(ip_reason_name((enum ip_reason)i)) > 3);
		assert_true(strlen(ip_reason_text((enum ip_reason)i)) > 3);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_add_refuses_nonsense), T(test_table_is_bounded),
		T(test_route),		      T(test_source_of_two_addresses),
		T(test_peers),		      T(test_reasons_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
