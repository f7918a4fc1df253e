/* ICMP errors that leave (RFC 4443 2.4, 3.3, 3.4; RFC 1122 3.2.2.1, 3.3.2) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/ip/ip.h"
#include "stack/wire/cksum.h"
#include "tests/lib/fake.h"
#include "tests/lib/wirepkt.h"

static struct fake fake;
static struct ip *ip;
static struct instant now;
static struct pkt_out out;
static uint8_t buf[IP_ERROR_LEN], raw[4096];
static struct addr us4, us6, them4, them6;

static int setup(void **state)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 2 };

	(void)state;
	fake_init(&fake, 1);
	ip = ip_new(&fake.env);
	now = (struct instant){ 7 * NANOS_S };
	addr_parse("10.0.0.1", &us4);
	addr_parse("fd00::1", &us6);
	addr_parse("10.9.0.2", &them4);
	addr_parse("fd09::2", &them6);
	p.addr[0] = us4;
	p.addr[1] = us6;
	p.bits[0] = 24;
	p.bits[1] = 64;
	assert_int_equal(ip_path_add(ip, &p), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ip_free(ip);
	fake_fini(&fake);
	return 0;
}

static bool refuse(bool v6, uint8_t proto, const void *body, uint32_t n)
{
	struct ip_hdr h = { .src = v6 ? them6 : them4,
			    .dst = v6 ? us6 : us4,
			    .proto = proto,
			    .ttl = 9 };
	struct wr w = wr_make(raw, sizeof(raw));
	struct ip_in in;
	struct pkt *p;
	bool any;

	ip_hdr_emit(&w, &h, n);
	wr_copy(&w, body, n);
	p = wirepkt_make(raw, (uint32_t)wr_len(&w), 0);
	any = ip_input(ip, p, &in) == IP_KIND_REFUSED &&
	      ip_refuse(ip, p, &in, now, &out, buf, sizeof(buf));
	pkt_put(p);
	return any;
}

/* what left is a right packet to them, and quotes the beginning of raw */
static void expect_error(bool v6, uint8_t type, uint8_t code, uint32_t word)
{
	struct pkt *p = wirepkt_whole(&out, 0);
	struct icmp_msg m;
	struct ip_hdr h;

	assert_int_equal(ip_hdr_parse(p->data, p->len, &h), IP_HDR_OK);
	assert_true(addr_eq(&h.src, v6 ? &us6 : &us4));
	assert_true(addr_eq(&h.dst, v6 ? &them6 : &them4));
	assert_true(icmp_msg_parse(&h, &m));
	assert_int_equal(m.type, type);
	assert_int_equal(m.code, code);
	assert_int_equal(m.rest, word);
	assert_memory_equal(m.body, raw, m.body_len);
	assert_true(p->len <= (v6 ? 1280 : 576));
	pkt_put(p);
}

static void test_unknown_protocol(void **state)
{
	static const uint8_t body[3000];

	(void)state;
	assert_true(refuse(false, 17, body, 20));
	expect_error(false, 3, 2, 0);
	assert_true(refuse(true, 17, body, 20));
	expect_error(true, 4, 1, 6);
	/* as much as fits */
	assert_true(refuse(false, 17, body, 3000));
	expect_error(false, 3, 2, 0);
	assert_int_equal(out.len, 576);
	assert_true(refuse(true, 17, body, 3000));
	expect_error(true, 4, 1, 6);
	assert_int_equal(out.len, 1280);
	assert_int_equal(ip_counter(ip, IP_ICMP_ERR_OUT), 4);
}

static void test_extension_headers(void **state)
{
	static const uint8_t opt[8] = { 17, 0, 0x9e, 4 };
	static const uint8_t quiet[8] = { 17, 0, 0x5e, 4 };

	(void)state;
	assert_true(refuse(true, 60, opt, 8));
	expect_error(true, 4, 2, 42);
	assert_false(refuse(true, 60, quiet, 8));
	assert_false(refuse(true, IP_PROTO_NONE, quiet, 8));
}

/* RFC 4443 2.4 (e.1): behind whatever header it is */
static void test_never_about_an_error(void **state)
{
	static const uint8_t error[16] = { 58, 0, 0x9e, 4, 0, 0, 0, 0, 1, 4 };
	static const uint8_t echo[16] = { 58, 0, 0x9e, 4, 0, 0, 0, 0, 128 };

	(void)state;
	assert_false(refuse(true, 60, error, 16));
	assert_true(refuse(true, 60, echo, 16));
}

static void test_rate(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		n += refuse(true, 17, "x", 1);
	}
	assert_int_equal(n, 100);
	assert_int_equal(ip_counter(ip, IP_ICMP_LIMIT), 100);
	now = instant_add(now, NANOS_S);
	assert_true(refuse(true, 17, "x", 1));
}

static bool fragment(bool v6, uint16_t off, bool more)
{
	struct ip_hdr h = { .src = v6 ? them6 : them4,
			    .dst = v6 ? us6 : us4,
			    .proto = v6 ? 44 : 6,
			    .ttl = 9 };
	struct wr w = wr_make(raw, sizeof(raw));
	struct ip_in in;
	static const uint8_t zero[24];
	struct pkt *p, *whole;
	bool refused;

	ip_hdr_emit(&w, &h, 24 + (v6 ? 8 : 0));
	if (v6) {
		wr_u16(&w, 6 << 8);
		wr_u16(&w, (uint16_t)(off | more));
		wr_u32(&w, 99);
	} else {
		be16_put(raw + 6, (uint16_t)(off / 8 | (more ? 0x2000 : 0)));
		be16_put(raw + 10, 0);
		be16_put(raw + 10, cksum_finish(cksum_add(0, raw, 20)));
	}
	wr_copy(&w, zero, 24);
	p = wirepkt_make(raw, (uint32_t)wr_len(&w), 0);
	assert_int_equal(ip_input(ip, p, &in), IP_KIND_FRAGMENT);
	whole = ip_reassemble(ip, now, p, &in, &refused);
	assert_null(whole);
	pkt_put(p);
	return refused;
}

static void test_time_exceeded(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		assert_false(fragment(v6, 0, true));
		assert_false(ip_expire(ip, now, &out, buf, sizeof(buf)));
		now = ip_deadline(ip);
		assert_true(ip_expire(ip, now, &out, buf, sizeof(buf)));
		assert_true(out.len > 0);
		expect_error(v6, v6 ? 3 : 11, 1, 0);
		/* only a later one came: nothing is said */
		assert_false(fragment(v6, 48, true));
		now = ip_deadline(ip);
		assert_true(ip_expire(ip, now, &out, buf, sizeof(buf)));
		assert_int_equal(out.len, 0);
	}
	assert_int_equal(ip_counter(ip, IP_REASM_TIMEOUT), 4);
	assert_true(instant_never(ip_deadline(ip)));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_unknown_protocol),
		T(test_extension_headers),
		T(test_never_about_an_error),
		T(test_rate),
		T(test_time_exceeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
