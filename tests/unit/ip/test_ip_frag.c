/* Fragments (RFC 791 3.2, RFC 8200 4.5, RFC 5722, RFC 1858, RFC 3168 5.3) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/ip/ip_frag.h"
#include "stack/wire/cksum.h"
#include "tests/lib/fake.h"
#include "tests/lib/wirepkt.h"

static struct fake fake;
static struct ip_frag f;
static struct instant now;
static uint8_t data[66000]; /* of the datagram */
static struct pkt *whole;
static struct ip_hdr last; /* as ip_frag_add() left it */
static unsigned made_room;

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	ip_frag_init(&f, &fake.mem);
	now = (struct instant){ NANOS_S };
	for (unsigned i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 7 + i / 251);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ip_frag_fini(&f);
	assert_int_equal(f.used, 0);
	fake_fini(&fake);
	return 0;
}

struct cut {
	uint32_t off, len;
	bool more;
	uint32_t id;
	bool v6;
	uint8_t ecn, host;
	uint8_t opt; /* octets of IPv4 options */
};

static enum ip_frag_what add(struct cut c)
{
	static uint8_t buf[66000];
	struct addr us, them;
	struct wr w = wr_make(buf, sizeof(buf));
	struct ip_hdr h = { .proto = c.v6 ? 44 : IP_PROTO_TCP,
			    .ttl = 9,
			    .tos = c.ecn,
			    .id = (uint16_t)c.id };
	enum ip_frag_what what;
	struct pkt *p;

	addr_parse(c.v6 ? "fd00::1" : "10.0.0.1", &us);
	addr_parse(c.v6 ? "fd00::2" : "10.0.0.2", &them);
	them.b[c.v6 ? 14 : 2] = c.host;
	h.src = them;
	h.dst = us;
	ip_hdr_emit(&w, &h, c.len + (c.v6 ? 8 : 0));
	if (c.v6) {
		wr_u16(&w, IP_PROTO_TCP << 8);
		wr_u16(&w, (uint16_t)(c.off | c.more));
		wr_u32(&w, c.id);
	} else {
		for (unsigned i = 0; i < c.opt; i++) {
			wr_u8(&w, 1);
		}
		buf[0] = (uint8_t)(buf[0] + c.opt / 4);
		be16_put(buf + 2, (uint16_t)(20 + c.opt + c.len));
		be16_put(buf + 6,
			 (uint16_t)(c.off / 8 | (c.more ? 0x2000 : 0)));
		be16_put(buf + 10, 0);
		be16_put(buf + 10,
			 cksum_finish(cksum_add(0, buf, 20u + c.opt)));
	}
	wr_copy(&w, data + c.off, c.len);
	assert_true(w.ok);
	p = wirepkt_make(buf, (uint32_t)wr_len(&w), 0);
	assert_int_equal(ip_hdr_parse(p->data, p->len, &last), IP_HDR_FRAGMENT);
	whole = NULL;
	what = ip_frag_add(&f, now, p, &last, &whole, &made_room);
	pkt_put(p);
	assert_true((what == IP_FRAG_DONE) == (whole != NULL));
	assert_true(f.used <= IP_FRAG_MEM && f.n <= IP_FRAG_DATAGRAMS);
	return what;
}

static struct cut cut(uint32_t off, uint32_t len, bool more, uint32_t id,
		      bool v6, uint8_t ecn, uint8_t host)
{
	return (struct cut){ off, len, more, id, v6, ecn, host, 0 };
}

/* the datagram is whole and right, and gone from here */
static void expect_whole(uint32_t len, bool v6, uint8_t ecn)
{
	struct ip_hdr h;

	assert_non_null(whole);
	assert_int_equal(ip_hdr_parse(whole->data, whole->len, &h), IP_HDR_OK);
	assert_int_equal(h.proto, IP_PROTO_TCP);
	assert_int_equal(h.src.family, v6 ? 6 : 4);
	assert_int_equal(h.body_len, len);
	assert_memory_equal(h.body, data, len);
	assert_int_equal(h.tos, ecn);
	assert_int_equal(whole->refs, 1);
	pkt_put(whole);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.used, 0);
}

/* all orders of four pieces, both families */
static void test_orders(void **state)
{
	static const struct cut c[4] = { { 0, 400, true, 1, false, 0, 0, 0 },
					 { 400, 400, true, 1, false, 0, 0, 0 },
					 { 800, 8, true, 1, false, 0, 0, 0 },
					 { 808, 3, false, 1, false, 0, 0, 0 } };

	(void)state;
	for (unsigned i = 0; i < 2 * 256; i++) {
		unsigned v[4] = { i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6 & 3 };

		if ((1u << v[0] | 1u << v[1] | 1u << v[2] | 1u << v[3]) != 15) {
			continue;
		}
		for (unsigned k = 0; k < 4; k++) {
			struct cut one = c[v[k]];

			one.v6 = i >> 8;
			assert_int_equal(add(one),
					 k == 3 ? IP_FRAG_DONE : IP_FRAG_KEPT);
		}
		expect_whole(811, i >> 8, 0);
	}
}

static void test_copies_are_harmless(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(add(cut(0, 80, true, 1, false, 0, 0)),
				 IP_FRAG_KEPT);
	}
	assert_int_equal(add(cut(80, 80, false, 1, false, 0, 0)), IP_FRAG_DONE);
	expect_whole(160, false, 0);
}

/* RFC 5722 4: the datagram is gone, and what still comes of it, too */
static void test_overlaps(void **state)
{
	static const struct cut bad[] = {
		{ 72, 16, true, 1, false, 0, 0, 0 },  { 0, 72, true, 1, false, 0, 0, 0 },
		{ 0, 88, true, 1, false, 0, 0, 0 },   { 24, 8, true, 1, false, 0, 0, 0 },
		{ 72, 80, false, 1, false, 0, 0, 0 }, { 0, 1000, true, 1, false, 0, 0, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		struct cut c = bad[i / 2];

		c.v6 = i & 1;
		assert_int_equal(add(cut(0, 80, true, 1, c.v6, 0, 0)),
				 IP_FRAG_KEPT);
		assert_int_equal(add(c), IP_FRAG_OVERLAP);
		assert_int_equal(add(cut(80, 80, false, 1, c.v6, 0, 0)),
				 IP_FRAG_FAILED);
		assert_int_equal(add(cut(0, 80, true, 1, c.v6, 0, 0)),
				 IP_FRAG_FAILED);
		ip_frag_fini(&f);
	}
}

/* two ends, or octets behind the end */
static void test_ends_disagree(void **state)
{
	(void)state;
	assert_int_equal(add(cut(80, 80, false, 1, false, 0, 0)), IP_FRAG_KEPT);
	assert_int_equal(add(cut(160, 8, false, 1, false, 0, 0)),
			 IP_FRAG_OVERLAP);
	assert_int_equal(add(cut(80, 80, false, 2, false, 0, 0)), IP_FRAG_KEPT);
	assert_int_equal(add(cut(160, 8, true, 2, false, 0, 0)),
			 IP_FRAG_OVERLAP);
	assert_int_equal(add(cut(160, 8, true, 3, false, 0, 0)), IP_FRAG_KEPT);
	assert_int_equal(add(cut(80, 80, false, 3, false, 0, 0)),
			 IP_FRAG_OVERLAP);
}

static void test_belongs_to_another(void **state)
{
	(void)state;
	assert_int_equal(add(cut(0, 80, true, 1, false, 0, 0)), IP_FRAG_KEPT);
	assert_int_equal(add(cut(80, 80, false, 2, false, 0, 0)), IP_FRAG_KEPT);
	assert_int_equal(add(cut(80, 80, false, 1, false, 0, 9)), IP_FRAG_KEPT);
	assert_int_equal(add(cut(80, 80, false, 1, true, 0, 0)), IP_FRAG_KEPT);
	assert_int_equal(f.n, 4);
	assert_int_equal(add(cut(80, 80, false, 1, false, 0, 0)), IP_FRAG_DONE);
	pkt_put(whole);
}

static void test_lengths(void **state)
{
	(void)state;
	/* no multiple of eight in the middle */
	assert_int_equal(add(cut(0, 81, true, 1, false, 0, 0)), IP_FRAG_FAILED);
	assert_int_equal(add(cut(0, 81, true, 1, true, 0, 0)), IP_FRAG_REFUSED);
	assert_int_equal(last.bad.code, 0);
	assert_int_equal(last.bad.at, 4);
	/* too long as a whole (the ping of death) */
	assert_int_equal(add(cut(65528, 100, false, 1, false, 0, 0)),
			 IP_FRAG_FAILED);
	assert_int_equal(add(cut(65528, 8, false, 1, true, 0, 0)),
			 IP_FRAG_REFUSED);
	assert_int_equal(last.bad.at, 42);
	/* the longest there is */
	for (uint32_t off = 0; off < 65515; off += 1400) {
		uint32_t n = 65515 - off;

		add(cut(off, n > 1400 ? 1400 : n, n > 1400, 5, false, 0, 0));
	}
	expect_whole(65515, false, 0);
}

static void test_first_is_too_small(void **state)
{
	(void)state;
	assert_int_equal(add(cut(0, 16, true, 1, false, 0, 0)), IP_FRAG_FAILED);
	assert_int_equal(add(cut(8, 16, true, 2, false, 0, 0)), IP_FRAG_FAILED);
	assert_int_equal(add(cut(0, 16, true, 3, true, 0, 0)), IP_FRAG_REFUSED);
	assert_int_equal(last.bad.code, 3); /* RFC 7112 */
	assert_int_equal(add(cut(0, 24, true, 4, true, 0, 0)), IP_FRAG_KEPT);
}

/* RFC 3168 5.3 */
static void test_ecn(void **state)
{
	(void)state;
	add(cut(0, 80, true, 1, false, 2, 0));
	assert_int_equal(add(cut(80, 80, false, 1, false, 3, 0)), IP_FRAG_DONE);
	expect_whole(160, false, 3);
	add(cut(0, 80, true, 1, true, 2, 0));
	assert_int_equal(add(cut(80, 80, false, 1, true, 3, 0)), IP_FRAG_DONE);
	expect_whole(160, true, 3);
	add(cut(0, 80, true, 1, false, 0, 0));
	assert_int_equal(add(cut(80, 80, false, 1, false, 3, 0)),
			 IP_FRAG_FAILED);
}

/* whatever arrives, memory and numbers stay within bounds: add() checks */
static void test_flood(void **state)
{
	struct rng rng;
	unsigned room = 0;

	(void)state;
	rng_seed(&rng, 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct cut c = { .off = 8 * (uint32_t)rng_below(&rng, 1000),
				 .len = 8 * (uint32_t)rng_below(&rng, 180) + 24,
				 .more = rng_below(&rng, 4) != 0,
				 .id = (uint32_t)rng_below(&rng, 300),
				 .v6 = rng_below(&rng, 2) };

		if (c.off == 0 && !c.more) {
			c.more = true;
		}
		add(c);
		if (whole) {
			pkt_put(whole);
		}
		room += made_room;
		now = instant_add(now, NANOS_MS);
	}
	assert_true(room > 0);
	/* one datagram cannot have it all */
	for (unsigned i = 0; i < 200; i++) {
		add(cut(8 * i, 8, true, 1000, false, 0, 0));
	}
	assert_true(fake.mem.peak < 2 * IP_FRAG_MEM);
}

/* honest ones, too many of them: the oldest make room */
static void test_memory(void **state)
{
	unsigned room = 0;

	(void)state;
	for (uint32_t id = 0; id < IP_FRAG_DATAGRAMS; id++) {
		for (uint32_t i = 0; i < 10; i++) {
			assert_int_equal(add(cut(1400 * i, 1400, true, id,
						 false, 0, 0)),
					 IP_FRAG_KEPT);
			room += made_room;
		}
	}
	assert_true(room > 40);
	/* the newest is not among them */
	assert_int_equal(add(cut(14000, 8, false, IP_FRAG_DATAGRAMS - 1, false,
				 0, 0)),
			 IP_FRAG_DONE);
	pkt_put(whole);
}

static void test_time(void **state)
{
	struct ip_frag_late late;

	(void)state;
	assert_true(instant_never(ip_frag_deadline(&f)));
	add(cut(0, 80, true, 1, true, 0, 0));
	add(cut(80, 80, true, 1, false, 0, 0));
	assert_int_equal(ip_frag_deadline(&f).ns, now.ns + IP_FRAG_LIFE4);
	now = instant_add(now, IP_FRAG_LIFE4);
	assert_true(ip_frag_late(&f, now, &late));
	assert_null(late.p); /* the first of that one never came */
	assert_false(ip_frag_late(&f, now, &late));
	now = instant_add(now, IP_FRAG_LIFE6 - IP_FRAG_LIFE4);
	assert_true(ip_frag_late(&f, now, &late));
	assert_int_equal(late.len, 48 + 80);
	assert_memory_equal(late.p + 48, data, 80);
	assert_false(ip_frag_late(&f, now, &late));
	assert_int_equal(f.used, 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (uint64_t i = 1; i < 6; i++) {
		fake.fail_at = i;
		add(cut(0, 80, true, (uint32_t)i, false, 0, 0));
		add(cut(80, 80, false, (uint32_t)i, false, 0, 0));
		if (whole) {
			pkt_put(whole);
		}
	}
}

/* The last fragment says how long it is, and the first one's options come on
 * top of that: no packet can be so long. */
static void test_longer_by_options(void **state)
{
	struct cut first = cut(0, 32768, true, 5, false, 0, 1);
	const uint32_t rest = 65535 - 20 - 32768;

	(void)state;
	first.opt = 40;
	assert_int_equal(add(first), IP_FRAG_KEPT);
	assert_int_equal(add(cut(32768, rest, false, 5, false, 0, 1)),
			 IP_FRAG_FAILED);
	assert_int_equal(add(first), IP_FRAG_KEPT);
	assert_int_equal(add(cut(32768, rest - 40, false, 5, false, 0, 1)),
			 IP_FRAG_DONE);
	assert_int_equal(whole->len, 65535);
	pkt_put(whole);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_orders),
		T(test_copies_are_harmless),
		T(test_overlaps),
		T(test_ends_disagree),
		T(test_belongs_to_another),
		T(test_lengths),
		T(test_longer_by_options),
		T(test_first_is_too_small),
		T(test_ecn),
		T(test_flood),
		T(test_memory),
		T(test_time),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
