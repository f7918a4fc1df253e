/* RFC 792, RFC 4443 4.2: what an echo request gets back, and how often */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/ip/ip.h"
#include "tests/lib/fake.h"
#include "tests/lib/wirepkt.h"

#define ID_SEQ 0xbeef1234u

static struct fake fake;
static struct ip *ip;
static struct instant now;
static struct pkt_out out;
static uint8_t buf[2048];

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	ip = ip_new(&fake.env);
	now = (struct instant){ 7 * NANOS_S };
	return ip ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ip_free(ip);
	fake_fini(&fake);
	return 0;
}

/* as ip_input() leaves it */
static struct ip_in request(bool v6, const uint8_t *data, uint32_t n)
{
	struct ip_in in = { 0 };

	in.hdr.proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	in.hdr.ttl = 3;
	in.hdr.tos = 0xb8;
	if (v6) {
		assert_true(addr_parse("2001:db8:9::2", &in.hdr.src));
		assert_true(addr_parse("2001:db8::1", &in.hdr.dst));
	} else {
		in.hdr.src = addr_v4(10, 9, 0, 2);
		in.hdr.dst = addr_v4(10, 0, 0, 1);
	}
	in.icmp = (struct icmp_msg){ .kind = ICMP_ECHO_REQUEST,
				     .type = v6 ? 128 : 8,
				     .rest = ID_SEQ,
				     .body = data,
				     .body_len = n };
	return in;
}

static bool reply(const struct ip_in *in, uint32_t room)
{
	memset(&out, 0xa5, sizeof(out));
	memset(buf, 0xa5, sizeof(buf));
	return ip_echo_reply(ip, in, 3, now, &out, buf, room);
}

/* RFC 1071 as it reads: one word after the other */
static uint16_t naive(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	}
	while (sum >> 16) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static void fill(uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		p[i] = (uint8_t)(i * 37 + 11);
	}
}

static void common(const uint8_t *data, uint32_t n, unsigned hdr_len)
{
	assert_int_equal(out.dev, 3);
	assert_int_equal(out.hdr_len, hdr_len);
	assert_int_equal(out.len, hdr_len + 8 + n);
	assert_int_equal(out.n_iov, 1);
	assert_ptr_equal(out.iov[0].p, buf);
	assert_int_equal(out.iov[0].n, 8 + n);
	assert_int_equal(out.gso_size, 0);
	assert_int_equal(out.csum_start, 0);
	assert_int_equal(buf[1], 0);
	assert_int_equal(be32_get(buf + 4), ID_SEQ);
	assert_memory_equal(buf + 8, data, n);
	assert_int_equal(buf[8 + n], 0xa5); /* and nothing behind */
}

static void reply_v4(void **state)
{
	static const unsigned sizes[] = { 1, 2, 56, 57, 1472 };
	uint8_t data[1472];

	(void)state;
	fill(data, sizeof(data));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ip_in in = request(false, data, sizes[i]);

		assert_true(reply(&in, sizeof(buf)));
		common(data, sizes[i], 20);
		assert_int_equal(out.family, 4);
		assert_int_equal(out.hdr[0], 0x45);
		assert_int_equal(out.hdr[1], 0xb8);
		assert_int_equal(be16_get(out.hdr + 2), 28 + sizes[i]);
		assert_int_equal(out.hdr[8], 64);
		assert_int_equal(out.hdr[9], IP_PROTO_ICMP);
		assert_int_equal(naive(0, out.hdr, 20), 0xffff);
		assert_memory_equal(out.hdr + 12, in.hdr.dst.b, 4);
		assert_memory_equal(out.hdr + 16, in.hdr.src.b, 4);
		assert_int_equal(buf[0], 0);
		assert_int_equal(naive(0, buf, 8 + sizes[i]), 0xffff);
	}
	assert_int_equal(ip_counter(ip, IP_ICMP_ECHO), 5);
}

/* RFC 4443 2.3: the checksum covers the pseudo-header of the reply */
static void reply_v6(void **state)
{
	uint8_t data[61], pseudo[40] = { 0 };
	struct ip_in in;

	(void)state;
	fill(data, sizeof(data));
	in = request(true, data, sizeof(data));
	assert_true(reply(&in, sizeof(buf)));
	common(data, sizeof(data), 40);
	assert_int_equal(out.family, 6);
	assert_int_equal(be32_get(out.hdr) >> 20, 0x600 | 0xb8);
	assert_int_equal(be16_get(out.hdr + 4), 8 + sizeof(data));
	assert_int_equal(out.hdr[6], IP_PROTO_ICMPV6);
	assert_int_equal(out.hdr[7], 64);
	assert_memory_equal(out.hdr + 8, in.hdr.dst.b, 16);
	assert_memory_equal(out.hdr + 24, in.hdr.src.b, 16);
	assert_int_equal(buf[0], 129);
	memcpy(pseudo, in.hdr.dst.b, 16);
	memcpy(pseudo + 16, in.hdr.src.b, 16);
	be32_put(pseudo + 32, 8 + sizeof(data));
	pseudo[39] = IP_PROTO_ICMPV6;
	assert_int_equal(naive(naive(0, pseudo, 40), buf, 8 + sizeof(data)),
			 0xffff);
}

/* what goes out comes in: nobody answers a reply */
static void reply_is_no_request(void **state)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };
	struct ip_in in = request(false, (const uint8_t *)"ping", 4), back;
	uint8_t whole[64];
	struct pkt *k;

	(void)state;
	assert_true(reply(&in, sizeof(buf)));
	p.addr[0] = in.hdr.src;
	p.bits[0] = 24;
	assert_int_equal(ip_path_add(ip, &p), 0);
	memcpy(whole, out.hdr, out.hdr_len);
	memcpy(whole + out.hdr_len, buf, out.iov[0].n);
	k = wirepkt_make(whole, out.len, 0);
	assert_int_equal(ip_input(ip, k, &back), IP_KIND_DROP);
	assert_int_equal(ip_counter(ip, IP_DROP_ICMP_OTHER), 1);
	pkt_put(k);
}

static void without_data(void **state)
{
	struct ip_in in = request(false, NULL, 0);

	(void)state;
	assert_true(reply(&in, 8));
	assert_int_equal(out.len, 28);
	assert_int_equal(naive(0, buf, 8), 0xffff);
}

static void room(void **state)
{
	uint8_t data[32];
	struct ip_in in;

	(void)state;
	fill(data, sizeof(data));
	in = request(false, data, sizeof(data));
	assert_false(reply(&in, 39));
	for (unsigned i = 0; i < sizeof(buf); i++) {
		assert_int_equal(buf[i], 0xa5);
	}
	assert_false(reply(&in, 0));
	assert_int_equal(ip_counter(ip, IP_ICMP_ECHO), 0);
	assert_int_equal(ip_counter(ip, IP_ICMP_LIMIT), 0);
	assert_true(reply(&in, 40));
	assert_int_equal(ip_counter(ip, IP_ICMP_ECHO), 1);
}

static unsigned many(const struct ip_in *in, unsigned n)
{
	unsigned sent = 0;

	while (n--) {
		sent += reply(in, sizeof(buf));
	}
	return sent;
}

static void later(nanos d)
{
	now = instant_add(now, d);
}

static void bucket(void **state)
{
	struct ip_in in = request(false, NULL, 0);

	(void)state;
	assert_int_equal(many(&in, 130), 100);
	assert_int_equal(ip_counter(ip, IP_ICMP_LIMIT), 30);
	assert_int_equal(ip_counter(ip, IP_ICMP_ECHO), 100);
	/* what is refused costs nothing, and parts of a token add up */
	later(4 * NANOS_MS);
	assert_int_equal(many(&in, 5), 0);
	later(4 * NANOS_MS);
	assert_int_equal(many(&in, 5), 0);
	later(2 * NANOS_MS - 1);
	assert_int_equal(many(&in, 1), 0);
	later(1);
	assert_int_equal(many(&in, 5), 1);
	later(155 * NANOS_MS);
	assert_int_equal(many(&in, 30), 15);
	later(5 * NANOS_MS);
	assert_int_equal(many(&in, 5), 1);
	/* however long the pause, a burst is a burst */
	later(3600 * NANOS_S);
	assert_int_equal(many(&in, 300), 100);
	later(3600 * NANOS_S);
	assert_int_equal(many(&in, 40), 40);
	later(3600 * NANOS_S);
	assert_int_equal(many(&in, 300), 100);
	/* a second brings what a second may bring */
	for (unsigned i = 0, sent = 0; i < 1000; i++) {
		later(NANOS_MS);
		sent += many(&in, 3);
		assert_int_equal(sent, (i + 1) / 10);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reply_v4),
		T(reply_v6),
		T(reply_is_no_request),
		T(without_data),
		T(room),
		T(bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
