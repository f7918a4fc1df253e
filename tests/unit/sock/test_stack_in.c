/* every kind of packet: one named reason each, no reference kept, nothing
 * said in answer where nothing is due */
#include "tests/unit/sock/two.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "stack/sock/sock_state.h"
#include "stack/wire/cksum.h"

#define COUNTERS 256

static struct counters {
	unsigned n;
	const char *name[COUNTERS];
	uint64_t v[COUNTERS];
} before, after;

static struct stack *s; /* the server */
static struct sock *l, *c;
static uint8_t syn[2048];
static uint32_t syn_len;
static unsigned released;

static void note(void *ctx, const char *name, const char *text, uint64_t v)
{
	struct counters *k = ctx;

	assert_non_null(text);
	assert_true(k->n < COUNTERS);
	k->name[k->n] = name;
	k->v[k->n++] = v;
}

static void snap(struct counters *k)
{
	k->n = 0;
	stack_counters(s, note, k);
}

/* of all counters, those named (with spaces around) and IpInReceives rose by
 * one, no other moved */
static void only(const char *names)
{
	snap(&after);
	for (unsigned i = 0; i < after.n; i++) {
		char want[80];
		uint64_t d = after.v[i] - before.v[i];

		snprintf(want, sizeof(want), " %s ", after.name[i]);
		if (d != (strstr(names, want) != NULL ||
			  strcmp(after.name[i], "IpInReceives") == 0)) {
			fail_msg("%s moved by %llu, expected:%s",
				 after.name[i], (unsigned long long)d, names);
		}
	}
	before = after;
}

static void count_release(struct pkt *p)
{
	released++;
	free(p->owner);
}

static void feed(const uint8_t *p, uint32_t n, unsigned dev, bool csum_ok)
{
	struct pkt *k = calloc(1, sizeof(*k) + n + 1);
	unsigned was = released;

	k->data = (uint8_t *)(k + 1);
	memcpy(k->data, p, n);
	k->len = n;
	k->truesize = n;
	k->dev = (uint16_t)dev;
	k->csum_ok = csum_ok;
	k->refs = 1;
	k->release = count_release;
	k->owner = k;
	stack_input(s, two.now, k);
	assert_int_equal(released, was + 1);
}

static void feed_syn(void)
{
	feed(syn, syn_len, 0, false);
}

static unsigned answers(void)
{
	struct pkt_out out[4];
	unsigned n = stack_output(s, two.now, out, 4);

	snap(&before);
	return n;
}

static void ip_sum(uint8_t *p)
{
	be16_put(p + 10, 0);
	be16_put(p + 10, cksum_finish(cksum_add(0, p, (p[0] & 15u) * 4)));
}

/* the checksum of an IPv4 packet's TCP segment */
static void tcp_sum(uint8_t *p, uint32_t n)
{
	struct addr src = addr_from(4, p + 12), dst = addr_from(4, p + 16);
	uint32_t h = (p[0] & 15u) * 4;

	be16_put(p + h + 16, 0);
	be16_put(p + h + 16,
		 cksum_finish(cksum_add(cksum_pseudo(&src, &dst, IP_PROTO_TCP,
						     n - h),
					p + h, n - h)));
}

static void grab(unsigned end, uint8_t *to, uint32_t *len)
{
	struct pkt_out out;
	struct pkt *p;

	assert_int_equal(stack_output(two.end[end].stack, two.now, &out, 1),
			 1);
	p = wirepkt_whole(&out, 0);
	assert_true(p->len <= 2048);
	memcpy(to, p->data, p->len);
	*len = p->len;
	if (to[0] >> 4 == 4) {
		tcp_sum(to, *len);
	}
	pkt_put(p);
}

static int setup(void **state)
{
	two_setup(state);
	s = two.end[1].stack;
	l = two_listen(80, 5);
	c = two_connect(80);
	grab(0, syn, &syn_len);
	snap(&before);
	return 0;
}

static int teardown(void **state)
{
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	return two_teardown(state);
}

static void test_good(void **state)
{
	(void)state;
	feed_syn();
	only(" TcpInSegs MPTcpExtMPCapableSYNRX TcpPassiveOpens ");
	assert_int_equal(answers(), 1);
}

static void test_ip_header(void **state)
{
	(void)state;
	feed(syn, 0, 0, false);
	only(" IpDropShort ");
	feed(syn, 19, 0, false);
	only(" IpDropShort ");
	feed(syn, syn_len - 1, 0, false);
	only(" IpDropShort ");
	syn[0] = 0x55;
	feed_syn();
	only(" IpDropVersion ");
	syn[0] = 0x44;
	feed_syn();
	only(" IpDropLength ");
	syn[0] = 0x45;
	syn[8]++;
	feed_syn();
	only(" IpDropCsum ");
	feed(syn, syn_len, 0, true); /* nobody vouches for the header */
	only(" IpDropCsum ");
	syn[6] = 0x20;
	ip_sum(syn);
	feed_syn();
	only(" IpReasmReqds IpReasmFails ");
	syn[6] = 0;
	syn[7] = 3;
	ip_sum(syn);
	feed_syn();
	only(" IpReasmReqds ");
	syn[7] = 0;
	ip_sum(syn);
	syn[9] = 17;
	ip_sum(syn);
	feed_syn();
	only(" IpDropProto IcmpOutErrors ");
	assert_int_equal(answers(), 1);
}

static void test_addresses(void **state)
{
	uint8_t was[20];

	(void)state;
	memcpy(was, syn, 20);
	syn[19]++;
	ip_sum(syn);
	tcp_sum(syn, syn_len);
	feed_syn();
	only(" IpDropAddr ");
	memcpy(syn, was, 20);
	syn[12] = 127;
	ip_sum(syn);
	tcp_sum(syn, syn_len);
	feed_syn();
	only(" IpDropSource ");
	syn[12] = 224;
	ip_sum(syn);
	tcp_sum(syn, syn_len);
	feed_syn();
	only(" IpDropSource ");
	memcpy(syn + 12, syn + 16, 4); /* from ourselves */
	ip_sum(syn);
	tcp_sum(syn, syn_len);
	feed_syn();
	only(" IpDropSource ");
	assert_int_equal(answers(), 0);
}

static void test_tcp_header(void **state)
{
	uint8_t was[2048];

	(void)state;
	memcpy(was, syn, sizeof(was));
	be16_put(syn + 2, 39); /* one octet less than a header */
	ip_sum(syn);
	feed_syn();
	only(" TcpDropShort ");
	memcpy(syn, was, sizeof(was));
	syn[32] = 0x40;
	tcp_sum(syn, syn_len);
	feed_syn();
	only(" TcpDropDoff ");
	syn[32] = 0xf0; /* beyond the end */
	tcp_sum(syn, syn_len);
	feed_syn();
	only(syn_len >= 80 ? " TcpInSegs " : " TcpDropShort ");
	memcpy(syn, was, sizeof(was));
	syn[24] ^= 1;
	feed_syn();
	only(" TcpInCsumErrors ");
	assert_int_equal(answers(), 0);
}

/* vouched for by the device: not verified, however wrong */
static void test_checksum_vouched(void **state)
{
	(void)state;
	syn[36] ^= 0x55;
	feed(syn, syn_len, 0, true);
	only(" TcpInSegs MPTcpExtMPCapableSYNRX TcpPassiveOpens ");
	assert_int_equal(answers(), 1);
}

static void test_no_connection(void **state)
{
	(void)state;
	syn[23]++; /* port 81 */
	tcp_sum(syn, syn_len);
	feed_syn();
	assert_int_equal(answers(), 1);
	assert_int_equal(tcp_counter(s->tcp, TCP_DROP_NO_CONN), 1);
	assert_int_equal(tcp_counter(s->tcp, TCP_OUT_RSTS), 1);
	syn[33] = TCP_RST; /* to nobody: no answer */
	tcp_sum(syn, syn_len);
	feed_syn();
	assert_int_equal(answers(), 0);
	syn[33] = TCP_SYN | TCP_FIN;
	tcp_sum(syn, syn_len);
	feed_syn();
	assert_true(answers() <= 1);
	assert_int_equal(stack_conns(s), 0);
}

/* --- ICMP --------------------------------------------------------------- */

static uint8_t icmp[2048];

/* an ICMP message from the client's address; n octets of body */
static uint32_t make_icmp(uint8_t type, uint8_t code, uint32_t rest,
			  const uint8_t *body, uint32_t n)
{
	struct ip_hdr h = { .src = two.end[0].addr,
			    .dst = two.end[1].addr,
			    .proto = IP_PROTO_ICMP,
			    .ttl = 64 };
	struct wr w = wr_make(icmp, sizeof(icmp));

	ip_hdr_emit(&w, &h, 8 + n);
	icmp[20] = type;
	icmp[21] = code;
	be16_put(icmp + 22, 0);
	be32_put(icmp + 24, rest);
	memcpy(icmp + 28, body, n);
	be16_put(icmp + 22, cksum_finish(cksum_add(0, icmp + 20, 8 + n)));
	return 28 + n;
}

static void test_echo(void **state)
{
	uint8_t data[100];
	struct pkt_out out;
	uint32_t n;

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)i;
	}
	n = make_icmp(8, 0, 0x12345678, data, sizeof(data));
	feed(icmp, n, 0, false);
	only(" IcmpOutEchoReps ");
	assert_int_equal(stack_output(s, two.now, &out, 1), 1);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.hdr + 16, two.end[0].addr.b, 4);
	assert_memory_equal(out.hdr + 12, two.end[1].addr.b, 4);
	assert_int_equal(out.hdr[9], 1);
	assert_int_equal(((const uint8_t *)out.iov[0].p)[0], 0);
	assert_memory_equal((const uint8_t *)out.iov[0].p + 4, icmp + 24,
			    4 + sizeof(data));
	assert_int_equal(stack_output(s, two.now, &out, 1), 0);
	snap(&before);
	icmp[30] ^= 1;
	feed(icmp, n, 0, false);
	only(" IpDropIcmp ");
	feed(icmp, make_icmp(0, 0, 0, data, 4), 0, false); /* a reply */
	only(" IpDropIcmpOther ");
	make_icmp(8, 0, 0, data, 4);
	be16_put(icmp + 2, 27);
	ip_sum(icmp);
	feed(icmp, 27, 0, false);
	only(" IpDropIcmp ");
	assert_int_equal(answers(), 0);
}

/* an error about what the server sent; quote: 28 octets and more */
static void error_about(const uint8_t *quote, uint32_t n, uint8_t type,
			uint8_t code, uint32_t rest, unsigned dev)
{
	uint32_t len = make_icmp(type, code, rest, quote, n);

	/* of either path of the server */
	memcpy(icmp + 16, dev ? "\x0a\x09\x00\x01" : "\x0a\x00\x01\x01", 4);
	ip_sum(icmp);
	feed(icmp, len, dev, false);
}

static void test_icmp_errors(void **state)
{
	uint8_t q[2048];
	struct ip_path p2 = { .up = true, .mtu = 1500, .n_addr = 1 };
	uint32_t n;

	(void)state;
	p2.addr[0] = addr_v4(10, 9, 0, 1);
	p2.bits[0] = 24;
	assert_int_equal(stack_path_add(s, two.now, &p2), 1);
	feed_syn();
	grab(1, q, &n); /* the SYN/ACK */
	snap(&before);
	error_about(q, 28, 3, 4, 1300, 0);
	only(" IcmpInErrs IpPmtuLowered TcpPmtuLowered ");
	error_about(q, 28, 3, 4, 1400, 0); /* more than is known: nothing new */
	only(" IcmpInErrs TcpIcmpSoft ");
	error_about(q, 27, 3, 4, 1200, 0); /* no sequence number */
	only(" IpDropIcmpQuote ");
	error_about(q, 19, 3, 4, 1200, 0);
	only(" IpDropIcmpQuote ");
	error_about(q, 28, 3, 4, 1200, 1); /* not where it was sent */
	only(" IpDropIcmpQuote ");
	q[9] = 17;
	error_about(q, 28, 3, 4, 1200, 0);
	only(" IpDropIcmpQuote ");
	q[9] = 6;
	q[15]++; /* from an address that is not ours */
	error_about(q, 28, 3, 4, 1200, 0);
	only(" IpDropIcmpQuote ");
	q[15]--;
	q[27]++; /* a sequence number never sent */
	error_about(q, 28, 3, 4, 1200, 0);
	only(" IpDropIcmpQuote ");
	q[27]--;
	q[21]++; /* a port without a connection */
	error_about(q, 28, 3, 4, 1200, 0);
	only(" IpDropIcmpQuote ");
	q[21]--;
	assert_int_equal(stack_conns(s), 1);
	error_about(q, 28, 3, 1, 0, 0); /* ends a handshake */
	assert_int_equal(answers(), 0);
	assert_int_equal(ip_counter(s->ip, IP_ICMP_IN), 3);
	assert_int_equal(tcp_counter(s->tcp, TCP_ICMP_HARD), 1);
	assert_int_equal(stack_conns(s), 0);
	assert_int_equal(l->q->n_half, 0);
}

static void test_icmp_is_soft_when_open(void **state)
{
	struct sock *d = two_connect(80);
	uint8_t q[2048];
	uint32_t n;

	(void)state;
	s = two.end[0].stack;
	two_run(50 * NANOS_MS);
	two_write(d, 100);
	grab(0, q, &n);
	snap(&before);
	make_icmp(3, 1, 0, q, 28);
	memcpy(icmp + 12, two.end[1].addr.b, 4);
	memcpy(icmp + 16, two.end[0].addr.b, 4);
	ip_sum(icmp);
	feed(icmp, 56, 0, false);
	only(" IcmpInErrs TcpIcmpSoft ");
	assert_true(sock_connected(d));
	sock_close(d, two.now, true);
}

/* nothing that arrives may crash it: each octet of a SYN and an ICMP error
 * changed in turn, with right checksums where that matters */
static void test_each_octet(void **state)
{
	uint8_t was[2048];

	(void)state;
	memcpy(was, syn, sizeof(was));
	for (uint32_t i = 0; i < syn_len; i++) {
		static const uint8_t to[] = { 0, 1, 0x7f, 0x80, 0xff };

		for (unsigned k = 0; k < sizeof(to); k++) {
			memcpy(syn, was, sizeof(was));
			syn[i] = to[k];
			if (i < 20) {
				ip_sum(syn);
			}
			tcp_sum(syn, syn_len);
			feed_syn();
			answers();
		}
	}
	assert_int_equal(ip_counter(s->ip, IP_IN), syn_len * 5);
	sock_close(c, two.now, true);
	c = sock_open(two.end[0].stack, 4);
	two_run(300 * NANOS_S);
	assert_int_equal(stack_conns(s), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_good),
		T(test_ip_header),
		T(test_addresses),
		T(test_tcp_header),
		T(test_checksum_vouched),
		T(test_no_connection),
		T(test_echo),
		T(test_icmp_errors),
		T(test_icmp_is_soft_when_open),
		T(test_each_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
