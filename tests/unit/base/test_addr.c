#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "stack/base/addr.h"
#include "stack/base/rng.h"

static struct addr parse(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

/* the C library is the witness */
static void agrees(const char *text)
{
	uint8_t b[16];
	struct addr a;
	uint8_t family = inet_pton(AF_INET, text, b) == 1    ? 4
			 : inet_pton(AF_INET6, text, b) == 1 ? 6
							     : 0;

	if (addr_parse(text, &a) != (family != 0)) {
		fail_msg("%s: %s", text, family ? "refused" : "accepted");
	}
	if (family) {
		struct addr want = addr_from(family, b);

		assert_memory_equal(&a, &want, sizeof(a));
	}
}

static void parses_what_libc_parses(void **st)
{
	static const char *const text[] = {
		"",
		":",
		"::",
		":::",
		"::1",
		"1::",
		"1::2",
		"::1::",
		"1:2",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8:",
		"1:2:3:4:5:6:7:8::",
		"::1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7::",
		"::1:2:3:4:5:6:7:8",
		"1::2:3:4:5:6:7:8",
		"1::3:4:5:6:7:8",
		"12345::",
		"g::",
		"2001:db8::7",
		"2001:DB8::7",
		"fe80::1%eth0",
		"::ffff:1.2.3.4",
		"::1.2.3.4",
		"1:2:3:4:5:6:1.2.3.4",
		"1:2:3:4:5:6:7:1.2.3.4",
		"1:2:3:4:5::1.2.3.4",
		"::1.2.3",
		"::1.2.3.4.5",
		"::1.2.3.256",
		"::1.2.3.4:5",
		"1.2.3.4",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"256.1.1.1",
		"01.2.3.4",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1..3.4",
		"1.2.3.",
		"0.0.0.0",
		"255.255.255.255",
		"99999999999.1.1.1",
		"1.2.3.4/8",
		"::/0",
		"1:::2",
		"::1:",
		":1::",
		"1:2:3::4:5::6",
		"0:0:0:0:0:0:0:0",
		"::0",
		"00000::",
		"::12345",
	};

	(void)st;
	for (unsigned i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		agrees(text[i]);
	}
}

static void parses_random_text_as_libc_does(void **st)
{
	static const char set[] = "0123456789abF::::....";
	struct rng r;
	char text[48];

	(void)st;
	rng_seed(&r, 11);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned n = (unsigned)rng_below(&r, 20);

		for (unsigned k = 0; k < n; k++) {
			text[k] = set[rng_below(&r, sizeof(set) - 1)];
		}
		text[n] = '\0';
		agrees(text);
	}
}

static void prints_and_parses_back(void **st)
{
	char buf[ADDR_TEXT_MAX];
	struct rng r;

	(void)st;
	rng_seed(&r, 12);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t b[16];
		struct addr a, back;

		rng_fill(&r, b, 16);
		for (unsigned k = 0; k < 16; k += 2) {
			if (rng_below(&r, 2)) {
				b[k] = b[k + 1] = 0;
			}
		}
		a = addr_from(i & 1 ? 4 : 6, b);
		back = parse(addr_text(&a, buf));
		assert_true(addr_eq(&a, &back));
	}
}

static void prints_as_rfc_5952(void **st)
{
	static const char *const same[] = {
		"192.0.2.1",
		"::",
		"::1",
		"1::",
		"2001:db8::1",
		"2001:db8:0:1:1:1:1:1",
		"2001:0:0:1::1",
		"2001:db8::1:0:0:1",
		"::ffff:1.2.3.4",
		"fe80::",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"0:1::",
		"::1:2:3:4:5:6:0",
	};
	char buf[ADDR_TEXT_MAX];
	struct addr none = { 0 };

	(void)st;
	for (unsigned i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct addr a = parse(same[i]);

		/* RFC 5952 4.2.2: a single zero group is not shortened */
		if (strcmp(same[i], "::1:2:3:4:5:6:0") == 0) {
			assert_string_equal(addr_text(&a, buf),
					    "0:1:2:3:4:5:6:0");
			continue;
		}
		assert_string_equal(addr_text(&a, buf), same[i]);
	}
	assert_string_equal(addr_text(&none, buf), "none");
}

static void knows_kinds(void **st)
{
	struct addr a;

	(void)st;
#define IS(fn, text) (a = parse(text), fn(&a))
	assert_true(IS(addr_is_loopback, "127.255.0.1"));
	assert_true(IS(addr_is_loopback, "::1"));
	assert_false(IS(addr_is_loopback, "128.0.0.1"));
	assert_false(IS(addr_is_loopback, "::2"));
	assert_true(IS(addr_is_multicast, "224.0.0.1"));
	assert_true(IS(addr_is_multicast, "239.255.255.255"));
	assert_true(IS(addr_is_multicast, "255.255.255.255"));
	assert_true(IS(addr_is_multicast, "ff02::1"));
	assert_false(IS(addr_is_multicast, "240.0.0.1"));
	assert_false(IS(addr_is_multicast, "fe80::1"));
	assert_true(IS(addr_is_linklocal, "169.254.3.4"));
	assert_true(IS(addr_is_linklocal, "febf::1"));
	assert_false(IS(addr_is_linklocal, "fec0::1"));
	assert_false(IS(addr_is_linklocal, "169.253.0.1"));
	assert_true(IS(addr_is_any, "0.0.0.0"));
	assert_true(IS(addr_is_any, "::"));
	assert_false(IS(addr_is_any, "0.0.0.1"));
	assert_true(IS(addr_is_v4mapped, "::ffff:1.2.3.4"));
	assert_false(IS(addr_is_v4mapped, "::1.2.3.4"));
	assert_false(IS(addr_is_v4mapped, "1.2.3.4"));
#undef IS
}

static void maps_and_unmaps(void **st)
{
	struct addr four = addr_v4(1, 2, 3, 4), six = parse("::ffff:1.2.3.4");
	struct addr other = parse("2001:db8::1"), a;

	(void)st;
	a = addr_map(four);
	assert_true(addr_eq(&a, &six));
	a = addr_unmap(six);
	assert_true(addr_eq(&a, &four));
	a = addr_map(other);
	assert_true(addr_eq(&a, &other));
	a = addr_unmap(other);
	assert_true(addr_eq(&a, &other));
}

static bool in_net(const char *text, const char *net)
{
	struct addr a = parse(text), n;
	unsigned bits;

	assert_true(addr_parse_net(net, &n, &bits));
	return addr_in_net(&a, &n, bits);
}

static bool broadcast(const char *text, const char *net)
{
	struct addr a = parse(text), n;
	unsigned bits;

	assert_true(addr_parse_net(net, &n, &bits));
	return addr_is_broadcast(&a, &n, bits);
}

static void matches_nets(void **st)
{
	struct addr a, n;
	unsigned bits;

	(void)st;
	assert_true(in_net("10.1.2.3", "10.0.0.0/8"));
	assert_false(in_net("11.1.2.3", "10.0.0.0/8"));
	assert_true(in_net("10.1.2.131", "10.1.2.129/25"));
	assert_false(in_net("10.1.2.127", "10.1.2.129/25"));
	assert_true(in_net("10.1.2.3", "10.1.2.3"));
	assert_false(in_net("10.1.2.2", "10.1.2.3/32"));
	assert_true(in_net("1.2.3.4", "0.0.0.0/0"));
	assert_false(in_net("::1", "0.0.0.0/0"));
	assert_true(broadcast("10.255.255.255", "10.0.0.0/8"));
	assert_true(broadcast("10.1.2.255", "10.1.2.129/25"));
	assert_false(broadcast("10.1.2.127", "10.1.2.129/25"));
	assert_false(broadcast("10.1.2.254", "10.1.2.129/25"));
	assert_true(broadcast("10.1.2.3", "10.1.2.1/30"));
	assert_false(broadcast("10.1.2.3", "10.1.2.2/31"));
	assert_false(broadcast("10.1.2.3", "10.1.2.3/32"));
	assert_true(broadcast("255.255.255.255", "1.2.3.4/0"));
	assert_false(broadcast("2001:db8::ffff", "2001:db8::1/112"));
	assert_true(in_net("2001:db8:7fff::1", "2001:db8:4000::/34"));
	assert_false(in_net("2001:db8:8000::1", "2001:db8:4000::/34"));
	assert_false(addr_parse_net("1.2.3.4/33", &n, &bits));
	assert_false(addr_parse_net("1.2.3.4/", &n, &bits));
	assert_false(addr_parse_net("1.2.3.4/8x", &n, &bits));
	assert_false(addr_parse_net("1.2.3.4/08", &n, &bits));
	assert_false(addr_parse_net("::1/129", &n, &bits));
	assert_true(addr_parse_net("::1/128", &n, &bits));
	assert_int_equal(bits, 128);
	a = addr_v4(1, 2, 3, 4);
	assert_false(addr_in_net(&a, &a, 33));
}

static void prints_endpoints(void **st)
{
	char buf[ENDPOINT_TEXT_MAX];
	struct endpoint a = endpoint_make(addr_v4(1, 2, 3, 4), 80);
	struct endpoint b = endpoint_make(parse("2001:db8::1"), 65535);
	struct endpoint c = endpoint_make(
		parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535);
	struct tuple t = { a, b }, u = { a, b };

	(void)st;
	assert_string_equal(endpoint_text(&a, buf), "1.2.3.4:80");
	assert_string_equal(endpoint_text(&b, buf), "[2001:db8::1]:65535");
	assert_int_equal(strlen(endpoint_text(&c, buf)), 39 + 8);
	assert_false(endpoint_eq(&a, &b));
	assert_true(tuple_eq(&t, &u));
	u.remote.port--;
	assert_false(tuple_eq(&t, &u));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_libc_parses),
		cmocka_unit_test(parses_random_text_as_libc_does),
		cmocka_unit_test(prints_and_parses_back),
		cmocka_unit_test(prints_as_rfc_5952),
		cmocka_unit_test(knows_kinds),
		cmocka_unit_test(maps_and_unmaps),
		cmocka_unit_test(matches_nets),
		cmocka_unit_test(prints_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
