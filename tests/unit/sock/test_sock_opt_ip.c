/* IPPROTO_IP and IPPROTO_IPV6 against the kernel's own answers, and in the
 * headers of what is sent */
#include "tests/unit/sock/native.h"

#include "stack/sock/sock_state.h"

static const int values[] = { 1,  0,  2,  -1,  3,   4,	 9,   0x13, 63,
			      64, -2, 65, 127, 128, 253, 254, 255,  256,
			      257, INT_MAX, INT_MIN };

static void test_v4_values(void **state)
{
	(void)state;
	native_same_get(IPPROTO_IP, IP_TTL, 4);
	native_same_get(IPPROTO_IP, IP_TOS, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		native_same(IPPROTO_IP, IP_TTL, values[i]);
		native_same(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, values[i]);
		native_same(IPPROTO_IP, IP_TOS, values[i]);
	}
}

static void test_v6_values(void **state)
{
	(void)state;
	native_open(6);
	native_same_get(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		native_same(IPPROTO_IPV6, IPV6_UNICAST_HOPS, values[i]);
		native_same(IPPROTO_IPV6, IPV6_V6ONLY, values[i]);
		native_same(IPPROTO_IPV6, IPV6_TCLASS, values[i]);
	}
}

/* one octet does at this level, and only at this one */
static void test_lengths(void **state)
{
	uint8_t v[8] = { 0x20, 0, 0, 0, 1, 1, 1, 1 };

	(void)state;
	for (uint32_t len = 1; len <= 8; len++) {
		native_same_len(IPPROTO_IP, IP_TOS, v, len);
		native_same_len(IPPROTO_IP, IP_TTL, v, len);
		native_same_get(IPPROTO_IP, IP_TOS, len);
		native_same_get(IPPROTO_IP, IP_TTL, len);
	}
	native_same_len(IPPROTO_IP, IP_TTL, v, 0);
	v[0] = 255;
	native_same_len(IPPROTO_IP, IP_TTL, v, 1);
	native_same_get(IPPROTO_IP, IP_TTL, 1);
	native_open(6);
	for (uint32_t len = 0; len <= 8; len++) {
		native_same_len(IPPROTO_IPV6, IPV6_TCLASS, v, len);
		native_same_len(IPPROTO_IPV6, IPV6_UNICAST_HOPS, v, len);
		native_same_len(IPPROTO_IPV6, IPV6_V6ONLY, v, len);
		native_same_get(IPPROTO_IPV6, IPV6_V6ONLY, len);
	}
}

static void test_level_of_the_other_family(void **state)
{
	int v = 1;

	(void)state;
	native_same_len(IPPROTO_IPV6, IPV6_TCLASS, &v, sizeof(v));
	native_same_len(IPPROTO_IPV6, IPV6_V6ONLY, &v, sizeof(v));
	native_same_get(IPPROTO_IPV6, IPV6_V6ONLY, 4);
	native_same_len(99, 1, &v, sizeof(v));
	native_same_get(99, 1, 4);
	native_same_get(284, 1, 4); /* SOL_MPTCP: not on plain TCP */
	native_open(6);
	native_same_len(99, 1, &v, sizeof(v));
	native_same_get(99, 1, 4);
	native_same(IPPROTO_IP, IP_TTL, 9); /* for IPv4-mapped peers */
	native_same(IPPROTO_IP, IP_TOS, 0x10);
	native_same_get(IPPROTO_IPV6, IPV6_TCLASS, 4);
}

static void test_mtu_discover(void **state)
{
	(void)state;
	for (int v = -1; v <= 7; v++) {
		native_open(6);
		native_same(IPPROTO_IP, IP_MTU_DISCOVER, v);
		native_same(IPPROTO_IPV6, IPV6_MTU_DISCOVER, v);
	}
	native_open(4);
	native_same_get(IPPROTO_IP, IP_MTU_DISCOVER, 4);
	native_same_get(IPPROTO_IP, IP_MTU, 4); /* ENOTCONN */
	native_open(6);
	native_same_get(IPPROTO_IPV6, IPV6_MTU_DISCOVER, 4);
	native_same_get(IPPROTO_IPV6, IPV6_MTU, 4);
}

static struct pkt_out first_packet(int discover)
{
	struct endpoint e = endpoint_make(two.end[1].addr, 80);
	struct pkt_out out;

	native_open(4);
	assert_int_equal(ours_set_int(IPPROTO_IP, IP_MTU_DISCOVER, discover),
			 0);
	assert_int_equal(sock_connect(ours, two.now, &e), EINPROGRESS);
	assert_int_equal(stack_output(two.end[0].stack, two.now, &out, 1), 1);
	sock_close(ours, two.now, true);
	while (two_move(0)) {
	}
	return out;
}

/* DF where the mode asks for it; who may be fragmented has an identification */
static void test_dont_fragment(void **state)
{
	struct pkt_out out;

	(void)state;
	for (int v = IP_PMTUDISC_DONT; v <= IP_PMTUDISC_OMIT; v++) {
		bool df = v != IP_PMTUDISC_DONT && v != IP_PMTUDISC_OMIT;

		out = first_packet(v);
		assert_int_equal(out.hdr[6], df ? 0x40 : 0);
		assert_true(df == (be16_get(out.hdr + 4) == 0));
	}
}

/* RFC 5082: what came over a router is not of the neighbour */
static void test_min_ttl(void **state)
{
	struct sock *l = two_listen(80, 1), *a;

	(void)state;
	ours = two_connect(80);
	two_run(100 * NANOS_MS);
	two_write(ours, 1);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_int_equal(sock_read_len(a), 1);
	assert_int_equal(sock_setopt(a, two.now, IPPROTO_IP, IP_MINTTL,
				     &(int){ 65 }, 4),
			 0);
	two_write(ours, 10);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_read_len(a), 1);
	assert_true(tcp_counter(two.end[1].stack->tcp, TCP_DROP_TTL) > 0);
	assert_int_equal(sock_setopt(a, two.now, IPPROTO_IP, IP_MINTTL,
				     &(int){ 64 }, 4),
			 0);
	two_run(2 * NANOS_S);
	assert_int_equal(sock_read_len(a), 11);
	sock_close(ours, two.now, true);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* ..and a listener does not answer it: no SYN-ACK, no reset, no cookie */
static void min_ttl_listens(enum stack_cookies cookies)
{
	struct sock *l = two_listen(80, 1), *a;
	struct tcp *tcp = two.end[1].stack->tcp;

	two.end[1].stack->cfg.cookies = cookies;
	assert_int_equal(sock_setopt(l, two.now, IPPROTO_IP, IP_MINTTL,
				     &(int){ 65 }, 4),
			 0);
	ours = two_connect(80);
	two_run(500 * NANOS_MS);
	assert_int_equal(tcp_counter(tcp, TCP_DROP_TTL), 1);
	assert_int_equal(tcp_counter(tcp, TCP_OUT_SEGS), 0);
	assert_int_equal(sock_setopt(l, two.now, IPPROTO_IP, IP_MINTTL,
				     &(int){ 64 }, 4),
			 0);
	two_run(NANOS_S);
	assert_true(sock_connected(ours));
	two_run(100 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_close(ours, two.now, true);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_min_ttl_listens(void **state)
{
	(void)state;
	min_ttl_listens(STACK_COOKIES_AUTO);
}

static void test_min_ttl_cookie(void **state)
{
	(void)state;
	min_ttl_listens(STACK_COOKIES_ALWAYS);
}

static void test_v6only_is_fixed_by_bind(void **state)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	struct endpoint e = endpoint_make(addr_any(6), 0);

	(void)state;
	native_open(6);
	assert_int_equal(bind(theirs, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(sock_bind(ours, &e), 0);
	native_same(IPPROTO_IPV6, IPV6_V6ONLY, 1);
	native_same(IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

static void test_no_options_received(void **state)
{
	uint8_t opt[4] = { 1, 1, 1, 0 };

	(void)state;
	native_same_get(IPPROTO_IP, IP_OPTIONS, 40);
	native_same_len(IPPROTO_IP, IP_OPTIONS, opt, 0);
	/* nor can any be sent: said so */
	assert_int_equal(ours_set(IPPROTO_IP, IP_OPTIONS, opt, 4),
			 ENOPROTOOPT);
}

/* the first packet of a connect() to a */
static void syn_to(struct addr a, struct pkt_out *out)
{
	struct endpoint e = endpoint_make(a, 80);

	assert_int_equal(sock_connect(ours, two.now, &e), EINPROGRESS);
	assert_int_equal(stack_output(two.end[0].stack, two.now, out, 1), 1);
	sock_close(ours, two.now, true);
}

static void test_in_the_header(void **state)
{
	struct pkt_out out;

	(void)state;
	syn_to(two.end[1].addr, &out);
	assert_int_equal(out.hdr[8], 64);
	native_open(4);
	ours_set_int(IPPROTO_IP, IP_TTL, 9);
	ours_set_int(IPPROTO_IP, IP_TOS, 0x13);
	syn_to(two.end[1].addr, &out);
	assert_int_equal(out.hdr[8], 9);
	assert_int_equal(out.hdr[1] & ~3, 0x10);
	native_open(4);
	ours_set_int(IPPROTO_IP, IP_TTL, 9);
	ours_set_int(IPPROTO_IP, IP_TTL, -1);
	syn_to(two.end[1].addr, &out);
	assert_int_equal(out.hdr[8], 64);
	native_open(6);
	ours_set_int(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5);
	ours_set_int(IPPROTO_IPV6, IPV6_TCLASS, 0xb8);
	ours_set_int(IPPROTO_IP, IP_TTL, 77);
	syn_to(two.end[1].addr6, &out);
	assert_int_equal(out.hdr[7], 5);
	assert_int_equal((out.hdr[0] & 15) << 4 | out.hdr[1] >> 4, 0xb8);
}

/* an IPv6 socket to an IPv4 peer: the IPv4 options count */
static void test_mapped_uses_v4(void **state)
{
	struct pkt_out out;

	(void)state;
	native_open(6);
	ours_set_int(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5);
	ours_set_int(IPPROTO_IPV6, IPV6_TCLASS, 0xb8);
	ours_set_int(IPPROTO_IP, IP_TTL, 77);
	ours_set_int(IPPROTO_IP, IP_TOS, 0x20);
	syn_to(addr_map(two.end[1].addr), &out);
	assert_int_equal(out.family, 4);
	assert_int_equal(out.hdr[8], 77);
	assert_int_equal(out.hdr[1] & ~3, 0x20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATIVE_TEST(test_v4_values),
		NATIVE_TEST(test_v6_values),
		NATIVE_TEST(test_lengths),
		NATIVE_TEST(test_level_of_the_other_family),
		NATIVE_TEST(test_mtu_discover),
		NATIVE_TEST(test_dont_fragment),
		NATIVE_TEST(test_min_ttl),
		NATIVE_TEST(test_min_ttl_listens),
		NATIVE_TEST(test_min_ttl_cookie),
		NATIVE_TEST(test_v6only_is_fixed_by_bind),
		NATIVE_TEST(test_no_options_received),
		NATIVE_TEST(test_in_the_header),
		NATIVE_TEST(test_mapped_uses_v4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
