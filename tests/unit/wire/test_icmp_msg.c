#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/cksum.h"
#include "stack/wire/icmp_msg.h"
#include "tests/unit/wire/hex.h"

static struct ip_hdr ip_of(uint8_t family, const uint8_t *body, uint32_t n)
{
	struct ip_hdr ip = { .src = addr_v4(192, 0, 2, 1),
			     .dst = addr_v4(192, 0, 2, 2),
			     .proto = family == 4 ? IP_PROTO_ICMP
						  : IP_PROTO_ICMPV6,
			     .body = body,
			     .body_len = n };

	if (family == 6) {
		ip.src = addr_map(ip.src);
		ip.dst = addr_map(ip.dst);
	}
	return ip;
}

/* a message with the right checksum, its pseudo-header summed by hand */
static void seal(uint8_t family, uint8_t *p, uint32_t n)
{
	struct ip_hdr ip = ip_of(family, p, n);
	uint8_t all[600];
	unsigned at = 0;

	if (family == 6) {
		memcpy(all, ip.src.b, 16);
		memcpy(all + 16, ip.dst.b, 16);
		be32_put(all + 32, n);
		be32_put(all + 36, 58);
		at = 40;
	}
	be16_put(p + 2, 0);
	memcpy(all + at, p, n);
	be16_put(p + 2, cksum_finish(cksum_add(0, all, at + n)));
}

static const struct {
	uint8_t family, type, code;
	enum icmp_kind kind;
} kinds[] = {
	{ 4, 8, 0, ICMP_ECHO_REQUEST },   { 4, 0, 0, ICMP_ECHO_REPLY },
	{ 4, 3, 0, ICMP_NET_UNREACH },    { 4, 3, 1, ICMP_HOST_UNREACH },
	{ 4, 3, 2, ICMP_PROTO_UNREACH },  { 4, 3, 3, ICMP_PORT_UNREACH },
	{ 4, 3, 4, ICMP_TOO_BIG },        { 4, 3, 5, ICMP_OTHER },
	{ 4, 3, 6, ICMP_NET_UNREACH },    { 4, 3, 7, ICMP_HOST_UNREACH },
	{ 4, 3, 9, ICMP_PROHIBITED },     { 4, 3, 10, ICMP_PROHIBITED },
	{ 4, 3, 11, ICMP_NET_UNREACH },   { 4, 3, 12, ICMP_HOST_UNREACH },
	{ 4, 3, 13, ICMP_PROHIBITED },    { 4, 3, 200, ICMP_OTHER },
	{ 4, 11, 0, ICMP_TIME_EXCEEDED }, { 4, 5, 0, ICMP_OTHER },
	{ 6, 128, 0, ICMP_ECHO_REQUEST }, { 6, 129, 0, ICMP_ECHO_REPLY },
	{ 6, 1, 0, ICMP_NET_UNREACH },    { 6, 1, 1, ICMP_PROHIBITED },
	{ 6, 1, 2, ICMP_NET_UNREACH },    { 6, 1, 3, ICMP_HOST_UNREACH },
	{ 6, 1, 4, ICMP_PORT_UNREACH },   { 6, 1, 5, ICMP_PROHIBITED },
	{ 6, 1, 6, ICMP_PROHIBITED },     { 6, 1, 7, ICMP_OTHER },
	{ 6, 2, 0, ICMP_TOO_BIG },        { 6, 3, 0, ICMP_TIME_EXCEEDED },
	{ 6, 4, 1, ICMP_PROTO_UNREACH },  { 6, 4, 0, ICMP_PARAM },
	{ 6, 4, 2, ICMP_PARAM },          { 6, 100, 0, ICMP_PARAM },
	{ 4, 12, 0, ICMP_PARAM },         { 4, 4, 0, ICMP_OTHER },
	{ 6, 135, 0, ICMP_OTHER },
};

static void tells_kinds(void **st)
{
	(void)st;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint8_t p[12] = {
			kinds[i].type, kinds[i].code, 0, 0, 0xff, 0xff,
			0x05,          0xd4,          1, 2, 3,    4
		};
		struct icmp_msg m;
		struct ip_hdr ip;

		seal(kinds[i].family, p, 12);
		ip = ip_of(kinds[i].family, p, 12);
		assert_true(icmp_msg_parse(&ip, &m));
		assert_int_equal(m.kind, kinds[i].kind);
		assert_int_equal(m.type, kinds[i].type);
		assert_int_equal(m.code, kinds[i].code);
		assert_int_equal(m.rest, 0xffff05d4);
		assert_ptr_equal(m.body, p + 8);
		assert_int_equal(m.body_len, 4);
		assert_int_equal(m.mtu, m.kind != ICMP_TOO_BIG ? 0
					: kinds[i].family == 4 ? 1492
							       : 0xffff05d4);
	}
}

static void refuses_bad_ones(void **st)
{
	uint8_t p[12] = { 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct icmp_msg m;
	struct ip_hdr ip;

	(void)st;
	for (uint8_t family = 4; family <= 6; family += 2) {
		p[0] = family == 4 ? 8 : 128;
		for (unsigned n = 0; n < 12; n++) {
			uint8_t *copy;

			seal(family, p, n < 8 ? 8 : n);
			copy = heap_copy(p, n);
			ip = ip_of(family, copy, n);
			assert_int_equal(icmp_msg_parse(&ip, &m), n >= 8);
			free(copy);
		}
		seal(family, p, 12);
		ip = ip_of(family, p, 12);
		for (unsigned i = 0; i < 12 * 8; i++) {
			p[i / 8] ^= (uint8_t)(1u << i % 8);
			assert_false(icmp_msg_parse(&ip, &m));
			p[i / 8] ^= (uint8_t)(1u << i % 8);
		}
		/* the other family's ICMP */
		ip.proto = family == 4 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
		assert_false(icmp_msg_parse(&ip, &m));
	}
}

static void answers_echoes(void **st)
{
	static const uint8_t data[] = "octets of an odd length";
	uint8_t p[64];

	(void)st;
	for (uint8_t family = 4; family <= 6; family += 2) {
		uint32_t len = 8 + sizeof(data) - 1;
		struct icmp_msg m = { .kind = ICMP_ECHO_REPLY,
				      .rest = 0x12345678,
				      .body = data,
				      .body_len = sizeof(data) - 1 };
		struct ip_hdr ip = ip_of(family, p, len);
		struct wr w = wr_make(p, len);
		struct icmp_msg back;

		assert_true(icmp_msg_emit(&w, &ip, &m));
		assert_int_equal(wr_len(&w), len);
		assert_true(icmp_msg_parse(&ip, &back));
		assert_int_equal(back.kind, ICMP_ECHO_REPLY);
		assert_int_equal(back.rest, 0x12345678);
		assert_memory_equal(back.body, data, sizeof(data) - 1);
		w = wr_make(p, len - 1);
		assert_false(icmp_msg_emit(&w, &ip, &m));
		assert_int_equal(wr_len(&w), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_kinds),
		cmocka_unit_test(refuses_bad_ones),
		cmocka_unit_test(answers_echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
