#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/wire/cksum.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/unit/wire/hex.h"

static struct ip_hdr ip_of(uint8_t family, const uint8_t *body, uint32_t n)
{
	struct ip_hdr ip = { .src = addr_v4(192, 0, 2, 1),
			     .dst = addr_v4(192, 0, 2, 2),
			     .proto = IP_PROTO_TCP,
			     .ttl = 64,
			     .tos = 3,
			     .body = body,
			     .body_len = n };

	if (family == 6) {
		ip.src = addr_map(ip.src);
		ip.dst = addr_map(ip.dst);
	}
	return ip;
}

static const struct tcp_hdr sample = { .sport = 4242,
				       .dport = 80,
				       .seq = 0x01020304,
				       .ack = 0xa1a2a3a4,
				       .flags = TCP_ACK | TCP_PSH | TCP_URG,
				       .wnd = 0x7fff,
				       .urg = 9 };

/* a whole packet: header, 12 octets of options, the payload; its length */
static unsigned build(uint8_t family, uint8_t *p, const struct iov *v,
		      unsigned n_iov, bool partial)
{
	struct ip_hdr ip = ip_of(family, NULL, 0);
	struct wr w = wr_make(p, 256);
	unsigned ip_len, len = 0;

	for (unsigned i = 0; i < n_iov; i++) {
		len += (unsigned)v[i].n;
	}
	ip_len = ip_hdr_emit(&w, &ip, 32 + len);
	tcp_hdr_emit(&w, &sample, 12);
	assert_int_equal(tcp_hdr_emit_ts(&w, 7, 8), 10);
	tcp_hdr_pad(&w);
	assert_int_equal(wr_len(&w), ip_len + 32);
	tcp_hdr_finish(p, ip_len, 32, v, n_iov, partial);
	for (unsigned i = 0; i < n_iov; i++) {
		wr_copy(&w, v[i].p, v[i].n);
	}
	assert_true(w.ok);
	return (unsigned)wr_len(&w);
}

static void round_trips(void **st)
{
	static const uint8_t data[] = "payload in odd pieces";
	const struct iov v[3] = { { data, 3 },
				  { data + 3, 4 },
				  { data + 7, 14 } };
	uint8_t p[256];

	(void)st;
	for (uint8_t family = 4; family <= 6; family += 2) {
		unsigned n = build(family, p, v, 3, false);
		struct tcp_seg s = { .dev = 5, .pkt = (void *)p };
		struct ip_hdr ip;

		assert_int_equal(ip_hdr_parse(p, n, &ip), IP_HDR_OK);
		assert_int_equal(tcp_hdr_parse(&ip, false, &s), TCP_HDR_OK);
		assert_true(addr_eq(&s.t.local.addr, &ip.dst));
		assert_true(addr_eq(&s.t.remote.addr, &ip.src));
		assert_int_equal(s.t.local.port, 80);
		assert_int_equal(s.t.remote.port, 4242);
		assert_int_equal(s.seq, 0x01020304);
		assert_int_equal(s.ack, 0xa1a2a3a4);
		assert_int_equal(s.flags, sample.flags);
		assert_int_equal(s.wnd, 0x7fff);
		assert_int_equal(s.urg, 9);
		assert_int_equal(s.tos, 3);
		assert_int_equal(s.dev, 5);
		assert_ptr_equal(s.pkt, p);
		assert_int_equal(s.len, 21);
		assert_memory_equal(s.data, data, 21);
		assert_true(s.opts.has_ts);
		assert_int_equal(s.opts.ts_val, 7);
		assert_int_equal(s.opts.ts_ecr, 8);
		assert_false(s.opts.malformed);
	}
}

/* the device adds the TCP octets to what it finds and complements */
static void partial_sums_complete_to_the_same(void **st)
{
	static const uint8_t data[] = "abcde";
	const struct iov v = { data, 5 };
	uint8_t full[256], part[256];

	(void)st;
	for (uint8_t family = 4; family <= 6; family += 2) {
		unsigned at = family == 4 ? 20 : 40;
		unsigned n = build(family, full, &v, 1, false);
		uint64_t sum;

		assert_int_equal(build(family, part, &v, 1, true), n);
		assert_memory_not_equal(full, part, n);
		sum = cksum_add(0, part + at, n - at);
		be16_put(part + at + 16, cksum_finish(sum));
		assert_memory_equal(full, part, n);
	}
}

static void refuses_truncated(void **st)
{
	uint8_t p[256];
	unsigned n = build(4, p, NULL, 0, false) - 20;

	(void)st;
	for (unsigned i = 0; i < n; i++) {
		uint8_t *copy = heap_copy(p + 20, i);
		struct ip_hdr ip = ip_of(4, copy, i);
		struct tcp_seg s;

		assert_int_equal(tcp_hdr_parse(&ip, true, &s), TCP_HDR_SHORT);
		free(copy);
	}
}

static void checks_the_data_offset(void **st)
{
	uint8_t p[256];
	unsigned n = build(4, p, NULL, 0, false) - 20;
	struct ip_hdr ip = ip_of(4, p + 20, n);
	struct tcp_seg s;

	(void)st;
	for (unsigned doff = 0; doff < 16; doff++) {
		p[32] = (uint8_t)(doff << 4);
		assert_int_equal(tcp_hdr_parse(&ip, true, &s),
				 doff < 5    ? TCP_HDR_DOFF
				 : doff <= 8 ? TCP_HDR_OK
					     : TCP_HDR_SHORT);
	}
}

static void checks_the_checksum(void **st)
{
	static const uint8_t data[] = "x";
	const struct iov v = { data, 1 };
	struct tcp_seg s;
	uint8_t p[256];

	(void)st;
	for (uint8_t family = 4; family <= 6; family += 2) {
		unsigned at = family == 4 ? 20 : 40;
		unsigned n = build(family, p, &v, 1, false) - at;
		struct ip_hdr ip = ip_of(family, p + at, n);

		assert_int_equal(tcp_hdr_parse(&ip, false, &s), TCP_HDR_OK);
		for (unsigned i = 0; i < n * 8; i++) {
			enum tcp_hdr_status status;

			p[at + i / 8] ^= (uint8_t)(1u << i % 8);
			status = tcp_hdr_parse(&ip, false, &s);
			assert_int_not_equal(status, TCP_HDR_OK);
			p[at + i / 8] ^= (uint8_t)(1u << i % 8);
		}
		ip.src.b[3] ^= 1; /* another pseudo-header */
		assert_int_equal(tcp_hdr_parse(&ip, false, &s), TCP_HDR_CKSUM);
		assert_int_equal(tcp_hdr_parse(&ip, true, &s), TCP_HDR_OK);
	}
}

static void counts_sequence_space(void **st)
{
	struct tcp_seg s = { .len = 10 };

	(void)st;
	assert_int_equal(tcp_seg_len(&s), 10);
	s.flags = TCP_SYN | TCP_ACK;
	assert_int_equal(tcp_seg_len(&s), 11);
	s.flags = TCP_SYN | TCP_FIN;
	assert_int_equal(tcp_seg_len(&s), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(partial_sums_complete_to_the_same),
		cmocka_unit_test(refuses_truncated),
		cmocka_unit_test(checks_the_data_offset),
		cmocka_unit_test(checks_the_checksum),
		cmocka_unit_test(counts_sequence_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
