#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/cksum.h"
#include "stack/wire/ip_hdr.h"
#include "tests/unit/wire/hex.h"

/* an empty ICMP echo request */
static const char v4_text[] =
	"4500001c 1a2b4000 40010000 c0000201 c6336407 0800f7ff 00000000";

static unsigned v4(uint8_t *p)
{
	unsigned n = hex(v4_text, p);

	be16_put(p + 10, 0);
	be16_put(p + 10, cksum_finish(cksum_add(0, p, 20)));
	return n;
}

static void fix(uint8_t *p)
{
	be16_put(p + 10, 0);
	be16_put(p + 10, cksum_finish(cksum_add(0, p, (p[0] & 15u) * 4u)));
}

static enum ip_hdr_status parse(const uint8_t *p, unsigned n, struct ip_hdr *h)
{
	uint8_t *copy = heap_copy(p, n);
	enum ip_hdr_status status = ip_hdr_parse(copy, n, h);

	if (status == IP_HDR_OK) {
		/* what was found must outlive the copy */
		h->body = p + (h->body - copy);
	}
	free(copy);
	return status;
}

static void parses_v4(void **st)
{
	struct addr src = addr_v4(192, 0, 2, 1), dst = addr_v4(198, 51, 100, 7);
	uint8_t p[64] = { 0 };
	unsigned n = v4(p);
	struct ip_hdr h;

	(void)st;
	/* trailing octets are padding of the frame */
	assert_int_equal(parse(p, n + 9, &h), IP_HDR_OK);
	assert_true(addr_eq(&h.src, &src) && addr_eq(&h.dst, &dst));
	assert_int_equal(h.proto, 1);
	assert_int_equal(h.ttl, 64);
	assert_true(h.df);
	assert_int_equal(h.id, 0x1a2b);
	assert_ptr_equal(h.body, p + 20);
	assert_int_equal(h.body_len, 8);
}

static void refuses_bad_v4(void **st)
{
	uint8_t p[64];
	unsigned n = v4(p);
	struct ip_hdr h;

	(void)st;
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(parse(p, i, &h), IP_HDR_SHORT);
	}
	for (unsigned i = 0; i < 20 * 8; i++) {
		if (i / 8 == 0 || i / 8 == 2 || i / 8 == 3) {
			continue; /* seen before the checksum is */
		}
		p[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(parse(p, n, &h), IP_HDR_CKSUM);
		p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	p[0] = 0x44;
	assert_int_equal(parse(p, n, &h), IP_HDR_LENGTH);
	p[0] = 0x55;
	assert_int_equal(parse(p, n, &h), IP_HDR_VERSION);
	p[0] = 0x48; /* 32 octets of header in 28 */
	assert_int_equal(parse(p, n, &h), IP_HDR_LENGTH);
	v4(p);
	be16_put(p + 2, 19);
	assert_int_equal(parse(p, n, &h), IP_HDR_LENGTH);
	be16_put(p + 2, 29);
	assert_int_equal(parse(p, n, &h), IP_HDR_SHORT);
}

static void skips_v4_options(void **st)
{
	uint8_t p[64] = { 0 };
	unsigned n = v4(p);
	struct ip_hdr h;

	(void)st;
	memmove(p + 24, p + 20, 8);
	memset(p + 20, 1, 4);
	p[0] = 0x46;
	be16_put(p + 2, (uint16_t)(n + 4));
	fix(p);
	assert_int_equal(parse(p, n + 4, &h), IP_HDR_OK);
	assert_ptr_equal(h.body, p + 24);
	assert_int_equal(h.body_len, 8);
}

static void refuses_v4_fragments(void **st)
{
	static const uint16_t frag[] = { 0x2000, 0x0001, 0x3fff, 0x6000 };
	uint8_t p[64];
	unsigned n = v4(p);
	struct ip_hdr h;

	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		be16_put(p + 6, frag[i]);
		fix(p);
		assert_int_equal(parse(p, n, &h), IP_HDR_FRAGMENT);
	}
	be16_put(p + 6, 0);
	fix(p);
	assert_int_equal(parse(p, n, &h), IP_HDR_OK);
	assert_false(h.df);
}

/* IPv6 header in front of `body`, first header `proto` */
static unsigned v6(uint8_t *p, uint8_t proto, const char *body)
{
	unsigned n = hex("6ab12345 0000 00 40"
			 "20010db8000000000000000000000001"
			 "20010db8000000000000000000000002",
			 p);
	unsigned len = hex(body, p + n);

	p[6] = proto;
	be16_put(p + 4, (uint16_t)len);
	return n + len;
}

static void parses_v6(void **st)
{
	uint8_t p[128] = { 0 };
	unsigned n = v6(p, 6, "0102030405");
	struct ip_hdr h;

	(void)st;
	assert_int_equal(parse(p, n + 7, &h), IP_HDR_OK);
	assert_int_equal(h.proto, 6);
	assert_int_equal(h.tos, 0xab);
	assert_int_equal(h.flow, 0x12345);
	assert_int_equal(h.ttl, 64);
	assert_int_equal(h.dst.family, 6);
	assert_int_equal(h.dst.b[15], 2);
	assert_ptr_equal(h.body, p + 40);
	assert_int_equal(h.body_len, 5);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(parse(p, i, &h), IP_HDR_SHORT);
	}
	/* no next header: not for a transport, but no fault of the header */
	v6(p, 59, "");
	assert_int_equal(parse(p, 40, &h), IP_HDR_OK);
	assert_int_equal(h.proto, 59);
}

static enum ip_hdr_status chain(uint8_t first, const char *body,
				struct ip_hdr *h)
{
	static uint8_t p[512];
	unsigned n = v6(p, first, body);

	return parse(p, n, h);
}

static void walks_v6_extensions(void **st)
{
	struct ip_hdr h;

	(void)st;
	/* hop-by-hop (PadN), routing (done), destination (16 octets), TCP */
	assert_int_equal(chain(0,
			       "2b00010400000000 3c00000000000000"
			       "0601010c000000000000000000000000 aabb",
			       &h),
			 IP_HDR_OK);
	assert_int_equal(h.proto, 6);
	assert_int_equal(h.body_len, 2);
	assert_int_equal(h.body[0], 0xaa);
	/* Pad1 only, and an option that says: skip me if unknown */
	assert_int_equal(chain(60, "0600000000000000", &h), IP_HDR_OK);
	assert_int_equal(chain(60, "06001e0400000000", &h), IP_HDR_OK);
	/* discard if unknown, in each of the three ways; a jumbogram */
	assert_int_equal(chain(60, "06005e0400000000", &h), IP_HDR_EXT);
	assert_int_equal(chain(60, "06009e0400000000", &h), IP_HDR_EXT);
	assert_int_equal(chain(60, "0600c20400010000", &h), IP_HDR_EXT);
	/* an option beyond its header */
	assert_int_equal(chain(60, "0600010500000000", &h), IP_HDR_EXT);
	assert_int_equal(chain(60, "0600000000000001", &h), IP_HDR_EXT);
	/* segments left */
	assert_int_equal(chain(43, "0600000100000000", &h), IP_HDR_EXT);
	/* hop-by-hop elsewhere than first */
	assert_int_equal(chain(60, "0000010400000000 0600010400000000", &h),
			 IP_HDR_EXT);
	/* cut short */
	assert_int_equal(chain(60, "06", &h), IP_HDR_SHORT);
	assert_int_equal(chain(60, "0601000000000000", &h), IP_HDR_SHORT);
	assert_int_equal(chain(60, "06ff000000000000", &h), IP_HDR_SHORT);
	/* headers behind which nothing can be seen */
	assert_int_equal(chain(50, "0000000000000000", &h), IP_HDR_EXT);
	assert_int_equal(chain(51, "0600000000000000", &h), IP_HDR_EXT);
	assert_int_equal(chain(135, "0600000000000000", &h), IP_HDR_EXT);
}

static void treats_v6_fragments(void **st)
{
	struct ip_hdr h;

	(void)st;
	assert_int_equal(chain(44, "0600000000000001 aa", &h), IP_HDR_OK);
	assert_int_equal(h.body_len, 1);
	assert_int_equal(chain(44, "0600000100000001 aa", &h), IP_HDR_FRAGMENT);
	assert_int_equal(chain(44, "0600000800000001 aa", &h), IP_HDR_FRAGMENT);
}

static void limits_the_v6_chain(void **st)
{
	struct ip_hdr h;
	char body[1024];

	(void)st;
	for (unsigned n = 1; n < 30; n++) {
		size_t at = 0;

		for (unsigned i = 1; i <= n; i++) {
			at += (size_t)sprintf(body + at, "%02x00010400000000",
					      i < n ? 60 : 6);
		}
		assert_int_equal(chain(60, body, &h),
				 n <= IP_HDR_EXT_MAX ? IP_HDR_OK : IP_HDR_EXT);
	}
}

static void parses_what_is_quoted(void **st)
{
	uint8_t p[128];
	unsigned n = v4(p);
	struct ip_hdr h;

	(void)st;
	p[10] ^= 0xff; /* routers change it */
	be16_put(p + 2, 1500);
	assert_int_equal(ip_hdr_parse_quoted(p, n, &h), IP_HDR_OK);
	assert_int_equal(h.body_len, 8);
	assert_int_equal(ip_hdr_parse_quoted(p, 20, &h), IP_HDR_OK);
	assert_int_equal(h.body_len, 0);
	assert_int_equal(ip_hdr_parse_quoted(p, 19, &h), IP_HDR_SHORT);
	be16_put(p + 6, 0x2000); /* the first fragment has the ports */
	assert_int_equal(ip_hdr_parse_quoted(p, n, &h), IP_HDR_OK);
	be16_put(p + 6, 0x2001);
	assert_int_equal(ip_hdr_parse_quoted(p, n, &h), IP_HDR_FRAGMENT);
	n = v6(p, 6, "0102030405060708");
	be16_put(p + 4, 1400);
	assert_int_equal(ip_hdr_parse_quoted(p, n, &h), IP_HDR_OK);
	assert_int_equal(h.body_len, 8);
	assert_int_equal(ip_hdr_parse_quoted(p, 39, &h), IP_HDR_SHORT);
	assert_int_equal(ip_hdr_parse_quoted(p, 0, &h), IP_HDR_SHORT);
}

static void emits_what_it_parses(void **st)
{
	struct ip_hdr h = { .src = addr_v4(10, 0, 0, 1),
			    .dst = addr_v4(10, 0, 1, 2),
			    .proto = 6,
			    .ttl = 63,
			    .tos = 0x2e,
			    .df = true,
			    .id = 4711,
			    .flow = 0xabcde };
	uint8_t p[64];
	struct ip_hdr back;

	(void)st;
	for (unsigned i = 0; i < 2; i++) {
		unsigned len = i ? 40 : 20;
		struct wr w = wr_make(p, len);

		assert_int_equal(ip_hdr_emit(&w, &h, 4), len);
		assert_true(w.ok);
		memset(p + len, 0x77, 4);
		assert_int_equal(parse(p, len + 4, &back), IP_HDR_OK);
		assert_true(addr_eq(&back.src, &h.src));
		assert_true(addr_eq(&back.dst, &h.dst));
		assert_int_equal(back.proto, 6);
		assert_int_equal(back.ttl, 63);
		assert_int_equal(back.tos, 0x2e);
		assert_int_equal(back.body_len, 4);
		assert_int_equal(back.id, i ? 0 : 4711);
		assert_int_equal(back.flow, i ? 0xabcde : 0);
		w = wr_make(p, len - 1);
		assert_int_equal(ip_hdr_emit(&w, &h, 4), 0);
		assert_int_equal(wr_len(&w), 0);
		w = wr_make(p, 64);
		assert_int_equal(ip_hdr_emit(&w, &h, 65536), 0);
		h.src = addr_map(h.src);
		h.dst = addr_map(h.dst);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_v4),
		cmocka_unit_test(refuses_bad_v4),
		cmocka_unit_test(skips_v4_options),
		cmocka_unit_test(refuses_v4_fragments),
		cmocka_unit_test(parses_v6),
		cmocka_unit_test(walks_v6_extensions),
		cmocka_unit_test(treats_v6_fragments),
		cmocka_unit_test(limits_the_v6_chain),
		cmocka_unit_test(parses_what_is_quoted),
		cmocka_unit_test(emits_what_it_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
