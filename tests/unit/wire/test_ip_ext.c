/* IPv6 extension headers (RFC 8200 4, RFC 5095, RFC 6946, RFC 8504 5.3) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/wire/ip_ext.h"
#include "tests/unit/wire/hex.h"

static enum ip_hdr_status walk(uint8_t first, const char *body, bool quoted,
			       struct ip_hdr *out)
{
	static uint8_t p[2048];
	unsigned n = hex(body, p + IP6_HDR_LEN);
	uint8_t *copy;
	enum ip_hdr_status s;

	memset(p, 0, IP6_HDR_LEN);
	memset(out, 0, sizeof(*out));
	p[6] = first;
	copy = heap_copy(p, IP6_HDR_LEN + n);
	s = ip_ext_walk(copy, IP6_HDR_LEN + n, quoted, out);
	free(copy);
	return s;
}

static void tells_where_it_is_wrong(void **st)
{
	static const struct {
		uint8_t first;
		const char *body;
		bool tell;
		uint8_t code;
		uint16_t at;
	} v[] = {
		/* unknown options: 01 in silence, 10 and 11 not */
		{ 60, "06005e0400000000", false, 0, 0 },
		{ 60, "06009e0400000000", true, 2, 42 },
		{ 60, "060000de03000000", true, 2, 43 },
		{ 0, "0600c20400010000", true, 2, 42 },
		{ 60, "3c00010400000000 06009e0400000000", true, 2, 50 },
		/* a routing header that is not done, of any type */
		{ 43, "0600000100000000", true, 0, 42 },
		{ 60, "2b00010400000000 0600fe0100000000", true, 0, 50 },
		/* what cannot be looked behind */
		{ 50, "0000000000000000", true, 1, 6 },
		{ 60, "3300010400000000 0600", true, 1, 40 },
		{ 60, "0000010400000000 0600010400000000", true, 1, 40 },
		/* options that do not fit */
		{ 60, "0600010500000000", false, 0, 0 },
		{ 60, "0600000000000001", false, 0, 0 },
	};
	struct ip_hdr h;

	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		assert_int_equal(walk(v[i].first, v[i].body, false, &h),
				 IP_HDR_EXT);
		assert_int_equal(h.bad.tell, v[i].tell);
		if (v[i].tell) {
			assert_int_equal(h.bad.code, v[i].code);
			assert_int_equal(h.bad.at, v[i].at);
		}
	}
}

static void names_the_transport(void **st)
{
	struct ip_hdr h;

	(void)st;
	assert_int_equal(walk(17, "", false, &h), IP_HDR_OK);
	assert_int_equal(h.proto, 17);
	assert_int_equal(h.bad.at, 6);
	assert_int_equal(walk(60, "1100010400000000 aabb", false, &h),
			 IP_HDR_OK);
	assert_int_equal(h.proto, 17);
	assert_int_equal(h.body_len, 2);
	assert_int_equal(h.bad.at, 40);
	assert_int_equal(h.bad.code, 1);
	assert_false(h.bad.tell);
}

static void describes_a_fragment(void **st)
{
	struct ip_hdr h;

	(void)st;
	assert_int_equal(walk(44, "060005b9 deadbeef 0102", false, &h),
			 IP_HDR_FRAGMENT);
	assert_int_equal(h.frag.off, 0x5b8);
	assert_true(h.frag.more);
	assert_int_equal(h.frag.id, 0xdeadbeef);
	assert_int_equal(h.frag.at, 40);
	assert_int_equal(h.frag.name_at, 6);
	assert_int_equal(h.body_len, 2);
	assert_int_equal(h.proto, 6);
	assert_int_equal(walk(0, "2c00010400000000 06000008 00000001 ff", false,
			      &h),
			 IP_HDR_FRAGMENT);
	assert_false(h.frag.more);
	assert_int_equal(h.frag.at, 48);
	assert_int_equal(h.frag.name_at, 40);
	/* atomic: whole by itself */
	assert_int_equal(walk(44, "06000000 00000001 ff", false, &h),
			 IP_HDR_OK);
	/* quoted: the first has what is looked for */
	assert_int_equal(walk(44, "06000001 00000001 ff", true, &h), IP_HDR_OK);
	assert_int_equal(walk(44, "06000009 00000001 ff", true, &h),
			 IP_HDR_FRAGMENT);
}

static void bounds_unknown_options(void **st)
{
	char body[256];
	struct ip_hdr h;

	(void)st;
	for (unsigned n = 1; n <= IP_EXT_OPTIONS_MAX + 1; n++) {
		size_t at = (size_t)sprintf(body, "06%02x", (2 * n + 1) / 8);

		for (unsigned i = 0; i < n; i++) {
			at += (size_t)sprintf(body + at, "1e00");
		}
		while ((at / 2) % 8) {
			at += (size_t)sprintf(body + at, "00");
		}
		assert_int_equal(walk(60, body, false, &h),
				 n <= IP_EXT_OPTIONS_MAX ? IP_HDR_OK :
							   IP_HDR_EXT);
	}
}

/* whatever is there, nothing is read behind the end (under ASan: heap_copy) */
static void every_short_one(void **st)
{
	static const char all[] = "2b000502000001003c00000000000000"
				  "2c01010c000000000000000000000000"
				  "0600000000000000aabbccdd";
	struct ip_hdr h;
	char body[200];

	(void)st;
	for (unsigned n = 0; n < sizeof(all); n += 2) {
		snprintf(body, sizeof(body), "%.*s", (int)n, all);
		walk(0, body, false, &h);
		walk(0, body, true, &h);
	}
	assert_int_equal(walk(0, all, false, &h), IP_HDR_OK);
	assert_int_equal(h.body_len, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_where_it_is_wrong),
		cmocka_unit_test(names_the_transport),
		cmocka_unit_test(describes_a_fragment),
		cmocka_unit_test(bounds_unknown_options),
		cmocka_unit_test(every_short_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
