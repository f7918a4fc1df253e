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

struct fix {
	struct fake fake;
	struct ip *ip;
	struct addr us, peer, us6, peer6;
	uint8_t buf[512];
	unsigned len;
	struct ip_in in;
	struct pkt *p; /* what `in` points into */
};

static int setup(void **state)
{
	static struct fix f;
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 2 };

	memset(&f, 0, sizeof(f));
	fake_init(&f.fake, 1);
	f.ip = ip_new(&f.fake.env);
	f.us = addr_v4(10, 0, 0, 1);
	f.peer = addr_v4(10, 9, 0, 2);
	assert_true(addr_parse("2001:db8::1", &f.us6));
	assert_true(addr_parse("2001:db8:9::2", &f.peer6));
	p.addr[0] = f.us;
	p.bits[0] = 24;
	p.addr[1] = f.us6;
	p.bits[1] = 64;
	assert_int_equal(ip_path_add(f.ip, &p), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	if (f->p) {
		pkt_put(f->p);
	}
	ip_free(f->ip);
	fake_fini(&f->fake);
	return 0;
}

static void packet(struct fix *f, struct addr src, struct addr dst,
		   uint8_t proto, const void *body, unsigned n)
{
	struct wr w = wr_make(f->buf, sizeof(f->buf));
	struct ip_hdr h = { .src = src, .dst = dst, .proto = proto, .ttl = 9 };

	ip_hdr_emit(&w, &h, n);
	wr_copy(&w, body, n);
	assert_true(w.ok);
	f->len = (unsigned)wr_len(&w);
}

static enum ip_kind input(struct fix *f)
{
	if (f->p) {
		pkt_put(f->p);
	}
	f->p = wirepkt_make(f->buf, f->len, 0);
	return ip_input(f->ip, f->p, &f->in);
}

static void expect_drop(struct fix *f, enum ip_reason r)
{
	uint64_t was = ip_counter(f->ip, r);

	assert_int_equal(input(f), IP_KIND_DROP);
	assert_int_equal(ip_counter(f->ip, r), was + 1);
}

static const uint8_t body[24];

static void test_tcp_of_both_families(void **state)
{
	struct fix *f = *state;

	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	assert_int_equal(input(f), IP_KIND_TCP);
	assert_int_equal(f->in.hdr.body_len, sizeof(body));
	packet(f, f->peer6, f->us6, IP_PROTO_TCP, body, sizeof(body));
	assert_int_equal(input(f), IP_KIND_TCP);
	assert_int_equal(ip_counter(f->ip, IP_IN), 2);
}

static void test_malformed(void **state)
{
	struct fix *f = *state;

	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	f->len = 19;
	expect_drop(f, IP_DROP_SHORT);
	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	f->len -= 1;
	expect_drop(f, IP_DROP_SHORT);
	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	f->buf[0] = 0x55;
	expect_drop(f, IP_DROP_VERSION);
	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	f->buf[0] = 0x44;
	expect_drop(f, IP_DROP_LENGTH);
	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	f->buf[10] ^= 1;
	expect_drop(f, IP_DROP_CKSUM);
}

static void test_fragment(void **state)
{
	struct fix *f = *state;
	uint16_t c;

	packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
	c = cksum_update(be16_get(f->buf + 10), be16_get(f->buf + 6), 0x2000);
	be16_put(f->buf + 6, 0x2000);
	be16_put(f->buf + 10, c);
	assert_int_equal(input(f), IP_KIND_FRAGMENT);
	assert_int_equal(ip_counter(f->ip, IP_REASM_REQDS), 1);
	ip_drop_fragments(f->ip);
	expect_drop(f, IP_DROP_FRAGMENT);
}

/* RFC 7126 4.3; RFC 1122 3.2.1.8: other options are skipped, lengths checked */
static void test_v4_options(void **state)
{
	static const uint8_t good[] = { 1, 7, 3, 4 }, bad[] = { 1, 7, 4, 4 },
			     route[] = { 131, 3, 4, 0 },
			     strict[] = { 1, 137, 3, 4 };
	static const struct {
		const uint8_t *opt;
		enum ip_reason r;
	} v[] = { { good, IP_IN },
		  { bad, IP_DROP_LENGTH },
		  { route, IP_DROP_ROUTE },
		  { strict, IP_DROP_ROUTE } };
	struct fix *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		packet(f, f->peer, f->us, IP_PROTO_TCP, body, sizeof(body));
		memmove(f->buf + 24, f->buf + 20, sizeof(body));
		memcpy(f->buf + 20, v[i].opt, 4);
		f->buf[0] = 0x46;
		f->len += 4;
		be16_put(f->buf + 2, (uint16_t)f->len);
		be16_put(f->buf + 10, 0);
		be16_put(f->buf + 10,
			 cksum_finish(cksum_add(0, f->buf, 24)));
		if (v[i].r == IP_IN) {
			assert_int_equal(input(f), IP_KIND_TCP);
		} else {
			expect_drop(f, v[i].r);
		}
	}
}

static void test_extension_headers(void **state)
{
	static const uint8_t beyond[8] = { IP_PROTO_TCP, 9 };
	static const uint8_t routed[8] = { IP_PROTO_TCP, 0, 2, 1 };
	struct fix *f = *state;

	packet(f, f->peer6, f->us6, 0, beyond, sizeof(beyond));
	expect_drop(f, IP_DROP_SHORT);
	packet(f, f->peer6, f->us6, 43, routed, sizeof(routed));
	assert_int_equal(input(f), IP_KIND_REFUSED); /* not for us */
	assert_int_equal(ip_counter(f->ip, IP_DROP_EXT), 1);
}

static void test_addresses(void **state)
{
	struct fix *f = *state;

	packet(f, f->peer, addr_v4(10, 0, 0, 3), IP_PROTO_TCP, body, 24);
	expect_drop(f, IP_DROP_ADDR);
	packet(f, addr_v4(224, 0, 0, 1), f->us, IP_PROTO_TCP, body, 24);
	expect_drop(f, IP_DROP_SOURCE);
	packet(f, addr_v4(127, 0, 0, 1), f->us, IP_PROTO_TCP, body, 24);
	expect_drop(f, IP_DROP_SOURCE);
	packet(f, addr_any(4), f->us, IP_PROTO_TCP, body, 24);
	expect_drop(f, IP_DROP_SOURCE);
	packet(f, f->us, f->us, IP_PROTO_TCP, body, 24); /* land attack */
	expect_drop(f, IP_DROP_SOURCE);
}

static void test_packet_of_another_paths_address(void **state)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };
	struct fix *f = *state;

	p.addr[0] = addr_v4(10, 0, 1, 1);
	p.bits[0] = 24;
	assert_int_equal(ip_path_add(f->ip, &p), 1);
	packet(f, f->peer, p.addr[0], IP_PROTO_TCP, body, 24);
	expect_drop(f, IP_DROP_ADDR); /* it came in on path 0 */
}

static void test_protocols(void **state)
{
	struct fix *f = *state;

	packet(f, f->peer, f->us, 17, body, 24);
	assert_int_equal(input(f), IP_KIND_REFUSED);
	packet(f, f->peer, f->us, IP_PROTO_ICMPV6, body, 24);
	assert_int_equal(input(f), IP_KIND_REFUSED);
	assert_int_equal(ip_counter(f->ip, IP_DROP_PROTO), 2);
	packet(f, f->peer6, f->us6, IP_PROTO_NONE, body, 24);
	expect_drop(f, IP_DROP_PROTO);
	packet(f, f->peer, f->us, IP_PROTO_ICMP, "\xff", 1);
	expect_drop(f, IP_DROP_ICMP);
}

static unsigned icmp4(uint8_t *p, uint8_t type, uint8_t code, unsigned n)
{
	memset(p, 0, n);
	p[0] = type;
	p[1] = code;
	be16_put(p + 2, cksum_finish(cksum_add(0, p, n)));
	return n;
}

static void test_icmp_kinds(void **state)
{
	struct fix *f = *state;
	uint8_t m[64];

	packet(f, f->peer, f->us, IP_PROTO_ICMP, m, icmp4(m, 8, 0, 40));
	assert_int_equal(input(f), IP_KIND_ECHO);
	packet(f, f->peer, f->us, IP_PROTO_ICMP, m, icmp4(m, 3, 4, 40));
	assert_int_equal(input(f), IP_KIND_ICMP_ERROR);
	assert_int_equal(f->in.icmp.kind, ICMP_TOO_BIG);
	packet(f, f->peer, f->us, IP_PROTO_ICMP, m, icmp4(m, 0, 0, 40));
	expect_drop(f, IP_DROP_ICMP_OTHER);
	packet(f, f->peer, f->us, IP_PROTO_ICMP, m, icmp4(m, 8, 0, 40));
	f->buf[25] ^= 1;
	expect_drop(f, IP_DROP_ICMP);
}

static void test_echo_is_limited(void **state)
{
	struct fix *f = *state;
	struct pkt_out out;
	uint8_t m[64], buf[64];
	struct instant now = { 5 };
	unsigned sent = 0;

	packet(f, f->peer, f->us, IP_PROTO_ICMP, m, icmp4(m, 8, 0, 40));
	assert_int_equal(input(f), IP_KIND_ECHO);
	for (unsigned i = 0; i < 150; i++) {
		sent += ip_echo_reply(f->ip, &f->in, 0, now, &out, buf,
				      sizeof(buf));
	}
	assert_int_equal(sent, 100);
	assert_int_equal(ip_counter(f->ip, IP_ICMP_LIMIT), 50);
	/* 10 ms buy one more */
	now = instant_add(now, 10 * NANOS_MS);
	assert_true(ip_echo_reply(f->ip, &f->in, 0, now, &out, buf, 64));
	assert_false(ip_echo_reply(f->ip, &f->in, 0, now, &out, buf, 64));
	assert_int_equal(out.len, 60);
	assert_int_equal(out.hdr_len, 20);
	assert_int_equal(buf[0], 0); /* echo reply */
	assert_int_equal(cksum_finish(cksum_add(0, buf, 40)), 0);
	assert_memory_equal(out.hdr + 12, f->us.b, 4);
	assert_memory_equal(out.hdr + 16, f->peer.b, 4);
}

static void test_echo_longer_than_the_buffer(void **state)
{
	struct fix *f = *state;
	struct pkt_out out;
	uint8_t m[64], buf[39];

	packet(f, f->peer, f->us, IP_PROTO_ICMP, m, icmp4(m, 8, 0, 40));
	assert_int_equal(input(f), IP_KIND_ECHO);
	assert_false(ip_echo_reply(f->ip, &f->in, 0, (struct instant){ 5 },
				   &out, buf, sizeof(buf)));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_tcp_of_both_families),
		T(test_malformed),
		T(test_fragment),
		T(test_v4_options),
		T(test_extension_headers),
		T(test_addresses),
		T(test_packet_of_another_paths_address),
		T(test_protocols),
		T(test_icmp_kinds),
		T(test_echo_is_limited),
		T(test_echo_longer_than_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
