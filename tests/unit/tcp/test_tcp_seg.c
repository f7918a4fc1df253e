#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/tcp/tcp_seg.h"
#include "tests/lib/wirepkt.h"

static uint8_t payload[4000];

static struct tuple tuple(bool v6)
{
	struct tuple t = {
		.local = endpoint_make(addr_v4(10, 0, 0, 1), 1000),
		.remote = endpoint_make(addr_v4(10, 0, 0, 2), 80),
	};

	if (v6) {
		addr_parse("2001:db8::1", &t.local.addr);
		addr_parse("2001:db8::2", &t.remote.addr);
	}
	return t;
}

struct seen {
	unsigned n;
	uint32_t octets, next;
};

static void see(void *ctx, struct pkt *k)
{
	struct seen *s = ctx;
	struct ip_hdr ip;
	struct tcp_seg seg;

	assert_int_equal(ip_hdr_parse(k->data, k->len, &ip), IP_HDR_OK);
	assert_int_equal(tcp_hdr_parse(&ip, false, &seg), TCP_HDR_OK);
	assert_int_equal(seg.seq, s->next);
	assert_int_equal(seg.t.local.port, 80);
	assert_true(seg.opts.has_ts);
	assert_int_equal(seg.opts.ts_val, 5);
	assert_memory_equal(seg.data, payload + s->octets, seg.len);
	s->n++;
	s->octets += seg.len;
	s->next += seg.len;
	pkt_put(k);
}

static void one(bool v6, uint32_t len, bool offload)
{
	struct tuple t = tuple(v6);
	struct ip_path path = { .csum_offload = offload, .gso = offload };
	struct tcp_seg_desc d = { .t = &t,
				  .path = 3,
				  .ttl = 64,
				  .flags = TCP_ACK,
				  .seq = 7,
				  .ack = 9,
				  .len = len,
				  .mss = 1000,
				  .n_iov = 2,
				  .iov = { { payload, 1 },
					   { payload + 1, len - 1 } } };
	struct wr w = wr_make(d.opt, sizeof(d.opt));
	struct pkt_out o;
	struct seen s = { .next = 7 };

	wr_u16(&w, 0x0101);
	tcp_hdr_emit_ts(&w, 5, 6);
	d.opt_len = (uint8_t)wr_len(&w);
	tcp_seg_write(&path, &d, &o);
	assert_int_equal(o.dev, 3);
	assert_int_equal(o.family, v6 ? 6 : 4);
	assert_int_equal(o.hdr_len, (v6 ? 40 : 20) + 32);
	assert_int_equal(o.len, o.hdr_len + len);
	assert_int_equal(o.gso_size, len > 1000 ? 1000 : 0);
	assert_int_equal(o.csum_start, offload ? (v6 ? 40 : 20) : 0);
	assert_int_equal(o.csum_offset, offload ? 16 : 0);
	wirepkt_split(&o, 0, see, &s);
	assert_int_equal(s.octets, len);
	assert_int_equal(s.n, tcp_seg_count(len, 1000));
}

static void test_write(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(payload); i++) {
		payload[i] = (uint8_t)(i * 31);
	}
	for (int v6 = 0; v6 < 2; v6++) {
		one(v6, 10, false);
		one(v6, 1000, false);
		one(v6, 11, true);
		one(v6, 1001, true);
		one(v6, 4000, true);
	}
}

static void test_count(void **state)
{
	(void)state;
	assert_int_equal(tcp_seg_count(0, 1000), 1);
	assert_int_equal(tcp_seg_count(1000, 1000), 1);
	assert_int_equal(tcp_seg_count(1001, 1000), 2);
}

/* RFC 6437 3: of 20 bits, never 0, the same for the same connection and no
 * others; all the field's bits are used */
static void test_label(void **state)
{
	struct siphash_key key = { 1, 2 }, other = { 1, 3 };
	struct tuple t = tuple(true);
	uint32_t first = tcp_seg_label(&key, &t, 0), all = 0, same = 0;

	(void)state;
	assert_int_equal(tcp_seg_label(&key, &t, 0), first);
	assert_int_not_equal(tcp_seg_label(&other, &t, 0), first);
	assert_int_not_equal(tcp_seg_label(&key, &t, 1), first);
	for (unsigned i = 0; i < 65536; i++) {
		uint32_t l;

		t.local.port = (uint16_t)i;
		l = tcp_seg_label(&key, &t, 0);
		assert_in_range(l, 1, 0xfffff);
		all |= l;
		same += l == first;
	}
	assert_int_equal(all, 0xfffff);
	assert_true(same < 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
