#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/wire/cksum.h"
#include "stack/wire/icmp_msg.h"
#include "stack/wire/show.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/unit/wire/hex.h"

/* Every parser on octets that nobody meant: wholly random ones, and good
 * packets with a few octets changed or cut.  The sanitizers see a read beyond
 * the heap block; what is checked here is that results stay in their bounds.
 */

#define ROUNDS 100000

static struct rng r;

static unsigned below(unsigned n)
{
	return (unsigned)rng_below(&r, n);
}

static void check_body(const uint8_t *p, unsigned n, const struct ip_hdr *ip)
{
	assert_true(ip->body >= p && ip->body <= p + n);
	assert_true(ip->body_len <= (size_t)(p + n - ip->body));
	assert_true(ip->src.family == 4 || ip->src.family == 6);
	assert_int_equal(ip->src.family, ip->dst.family);
}

static void check_opts(const struct tcp_opts *o)
{
	assert_true(o->n_sack <= TCP_HDR_SACK_MAX);
	assert_true(o->mp.remove_n <= MP_OPT_REMOVE_MAX);
	assert_true(o->mp.have < MP_HAVE(MP_OPT_TCPRST + 1));
	assert_true(o->mp.bad < MP_HAVE(16));
}

static void feed(const uint8_t *p, unsigned n)
{
	struct icmp_msg m;
	struct tcp_seg s;
	struct ip_hdr ip;
	char text[200];

	show_packet(p, n, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text));
	if (ip_hdr_parse_quoted(p, n, &ip) == IP_HDR_OK) {
		check_body(p, n, &ip);
	}
	if (ip_hdr_parse(p, n, &ip) != IP_HDR_OK) {
		return;
	}
	check_body(p, n, &ip);
	if (icmp_msg_parse(&ip, &m)) {
		assert_int_equal(m.body_len + 8, ip.body_len);
	}
	if (tcp_hdr_parse(&ip, true, &s) == TCP_HDR_OK) {
		assert_true(s.data >= ip.body + TCP_HDR_LEN);
		assert_ptr_equal(s.data + s.len, ip.body + ip.body_len);
		check_opts(&s.opts);
	}
}

static void feed_copy(const uint8_t *p, unsigned n)
{
	uint8_t *copy = heap_copy(p, n);

	feed(copy, n);
	free(copy);
}

static void random_octets(void **st)
{
	uint8_t p[128];

	(void)st;
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned n = below(sizeof(p));

		rng_fill(&r, p, sizeof(p));
		if (below(4)) {
			p[0] = below(2) ? 0x45 : 0x60;
			be16_put(p + (p[0] == 0x45 ? 2 : 4), (uint16_t)n);
			p[6] = (uint8_t)(below(2) ? 60 : 43);
		}
		feed_copy(p, n);
	}
}

/* a packet with nearly all options a segment can carry, or an echo */
static unsigned good_packet(uint8_t *p)
{
	struct ip_hdr ip = { .src = addr_v4(10, 0, 0, 1),
			     .dst = addr_v4(10, 0, 1, 1),
			     .ttl = 64 };
	struct icmp_msg echo = { .kind = ICMP_ECHO_REPLY };
	struct tcp_hdr h = { .flags = TCP_ACK };
	struct mp_opt_dss d = { .ack = true, .map = true, .dsn8 = true };
	struct wr w = wr_make(p, 128);
	bool tcp = below(4) != 0;
	unsigned at;

	if (below(2)) {
		ip.src = addr_map(ip.src);
		ip.dst = addr_map(ip.dst);
	}
	ip.proto = tcp                  ? IP_PROTO_TCP
		   : ip.src.family == 4 ? IP_PROTO_ICMP
					: IP_PROTO_ICMPV6;
	at = ip_hdr_emit(&w, &ip, tcp ? 60 : 8);
	if (!tcp) {
		assert_true(icmp_msg_emit(&w, &ip, &echo));
		return (unsigned)wr_len(&w);
	}
	tcp_hdr_emit(&w, &h, 40);
	tcp_hdr_emit_ts(&w, 1, 2);
	mp_opt_emit_dss(&w, &d);
	tcp_hdr_emit_wscale(&w, 3);
	mp_opt_emit_prio(&w, true);
	tcp_hdr_emit_sack_perm(&w);
	assert_true(w.ok);
	tcp_hdr_finish(p, at, 60, NULL, 0, false);
	return (unsigned)wr_len(&w);
}

static void fix_v4(uint8_t *p, unsigned n)
{
	unsigned hdr = (p[0] & 15u) * 4;

	if (p[0] >> 4 == 4 && hdr >= 20 && n >= hdr) {
		be16_put(p + 10, 0);
		be16_put(p + 10, cksum_finish(cksum_add(0, p, hdr)));
	}
}

static void damaged_packets(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t p[128] = { 0 };
		unsigned n = good_packet(p);

		for (unsigned k = below(4); k > 0; k--) {
			p[below(n)] = (uint8_t)below(below(2) ? 256 : 48);
		}
		if (below(4) == 0) {
			n = below(n + 1);
		}
		fix_v4(p, n);
		feed_copy(p, n);
	}
}

static void random_options(void **st)
{
	static const uint8_t kinds[] = { 0, 1, 2, 3, 4, 5, 8, 30, 30, 30, 253 };

	(void)st;
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned n = below(TCP_HDR_OPT_MAX + 1), at = 0;
		struct tcp_opts o;
		uint8_t p[48], *copy;

		rng_fill(&r, p, sizeof(p));
		while (at + 2 < n) {
			p[at] = kinds[below(ARRAY_SIZE(kinds))];
			p[at + 1] = (uint8_t)below(below(8) ? 32 : 256);
			p[at + 2] &= (uint8_t)(below(4) ? 0x8f : 0xff);
			at += p[at + 1] ? p[at + 1] : 1;
		}
		copy = heap_copy(p, n);
		tcp_hdr_parse_opts(copy, n, &o);
		check_opts(&o);
		if (n > 0) {
			struct mp_opts mp = { 0 };

			mp_opt_parse(copy, (uint8_t)n, &mp);
			assert_true((mp.have & mp.bad) == 0);
		}
		free(copy);
	}
}

static int seed(void **st)
{
	(void)st;
	rng_seed(&r, 20260101);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_octets),
		cmocka_unit_test(damaged_packets),
		cmocka_unit_test(random_options),
	};

	return cmocka_run_group_tests(tests, seed, NULL);
}
