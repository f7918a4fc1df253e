/* ICMP errors (RFC 5927, RFC 1191, RFC 8201) */
#include "tests/unit/tcp/pair_one.h"

static uint32_t narrow;     /* packets above this from end 0 vanish */
static uint32_t last_big;   /* number of the last that did */
static uint64_t n_big;

static struct pair_fate mtu_fate(void *ctx, const struct pair_pkt *k)
{
	bool big = narrow && k->from == 0 && k->pkt->len > narrow;

	(void)ctx;
	if (big) {
		last_big = k->seg.seq;
		n_big++;
	}
	return (struct pair_fate){ .drop = big };
}

/* an error about a segment of end 0 with this number */
static bool error_to_0(enum icmp_kind kind, uint32_t mtu, uint32_t seq,
		       uint32_t quoted)
{
	uint8_t body[8];
	struct tcb *tcb = p.end[0].conn.tcb;
	struct ip_hdr q = { .src = tcb->entry.t.local.addr,
			    .dst = tcb->entry.t.remote.addr,
			    .proto = IP_PROTO_TCP,
			    .body = body,
			    .body_len = quoted };
	struct icmp_msg m = { .kind = kind, .mtu = mtu };

	be16_put(body, tcb->entry.t.local.port);
	be16_put(body + 2, tcb->entry.t.remote.port);
	be32_put(body + 4, seq);
	return tcp_icmp(p.end[0].tcp, p.now, &q, &m, 0);
}

static int open_pair(void **state)
{
	(void)state;
	narrow = 0;
	n_big = 0;
	pair_defaults(&p, 1);
	p.fate = mtu_fate;
	open_it();
	return 0;
}

/* nothing arrived yet: at once, and without a congestion reaction (RFC 1191
 * 6.5) */
static void test_pmtu_first(void **state)
{
	uint32_t cwnd = p.end[0].conn.tcb->rec.cc.cwnd;

	(void)state;
	narrow = 1300;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	assert_true(n_big > 0);
	n_big = 0;
	assert_true(error_to_0(ICMP_TOO_BIG, 1300, last_big, 8));
	assert_int_equal(count(0, TCP_PMTU), 1);
	assert_int_equal(tcp_mss(p.end[0].conn.tcb), 1300 - 52);
	assert_int_equal(p.end[0].conn.tcb->rec.cc.cwnd, cwnd);
	assert_true(pair_run(&p, NANOS_S, pair_all_arrived));
	assert_int_equal(n_big, 0);
	assert_int_equal(count(0, TCP_RTO), 0);
}

/* the path gets narrow in mid-transfer and says so */
static void test_pmtu(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 2000000, true);
	pair_run(&p, 30 * NANOS_MS, NULL);
	narrow = 1300;
	for (unsigned i = 0; i < 20 && n_big == 0; i++) {
		pair_run(&p, NANOS_MS, NULL);
	}
	assert_true(n_big > 0);
	assert_true(error_to_0(ICMP_TOO_BIG, 1300, last_big, 8));
	/* larger ones arrived before: what it quotes has to be lost first */
	assert_int_equal(tcp_mss(p.end[0].conn.tcb), 1448);
	assert_int_equal(count(0, TCP_PMTU_WAITS), 1);
	assert_true(pair_run(&p, 10 * NANOS_S, pair_all_arrived));
	assert_int_equal(tcp_mss(p.end[0].conn.tcb), 1300 - 52);
	assert_int_equal(count(0, TCP_PMTU), 1);
}

/* RFC 5927 4.1: a number that is not in flight, or too little to tell */
static void test_implausible(void **state)
{
	struct tcb *tcb = p.end[0].conn.tcb;

	(void)state;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	assert_false(error_to_0(ICMP_TOO_BIG, 600, tcb_una(tcb) - 1, 8));
	assert_false(error_to_0(ICMP_TOO_BIG, 600, tcb_nxt(tcb), 8));
	assert_false(error_to_0(ICMP_TOO_BIG, 600, tcb_una(tcb), 7));
	assert_int_equal(tcp_mss(tcb), 1448);
	assert_true(error_to_0(ICMP_TOO_BIG, 600, tcb_una(tcb), 8));
	assert_int_equal(tcp_mss(tcb), 600 - 52);
	/* never below the minimum, and a larger value raises nothing */
	assert_true(error_to_0(ICMP_TOO_BIG, 68, tcb_una(tcb), 8));
	assert_int_equal(tcp_mss(tcb), IP4_MTU_MIN - 52);
	assert_true(error_to_0(ICMP_TOO_BIG, 9000, tcb_una(tcb), 8));
	assert_int_equal(tcp_mss(tcb), IP4_MTU_MIN - 52);
}

/* established: noted, nothing more */
static void test_soft(void **state)
{
	static const enum icmp_kind kinds[] = {
		ICMP_NET_UNREACH,  ICMP_HOST_UNREACH, ICMP_PROTO_UNREACH,
		ICMP_PORT_UNREACH, ICMP_PROHIBITED,   ICMP_TIME_EXCEEDED,
	};

	(void)state;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_true(error_to_0(kinds[i], 0,
				       tcb_una(p.end[0].conn.tcb), 8));
	}
	assert_int_equal(count(0, TCP_ICMP_SOFT), ARRAY_SIZE(kinds));
	assert_true(pair_run(&p, NANOS_S, pair_all_arrived));
}

/* ..but what a timeout is blamed on, unless something was acknowledged since */
static void test_blamed(void **state)
{
	struct tcb *tcb = p.end[0].conn.tcb;

	(void)state;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	assert_true(error_to_0(ICMP_NET_UNREACH, 0, tcb_una(tcb), 8));
	assert_int_equal(tcb_timed_out(tcb), TCP_END_NET);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(tcb_timed_out(tcb), TCP_END_TIMEOUT);
	narrow = 1;
	pair_write(&p.end[0].conn, 1000, false);
	pair_run(&p, 0, NULL);
	assert_true(error_to_0(ICMP_HOST_UNREACH, 0, tcb_una(tcb), 8));
	pair_run(&p, 2000 * NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_UNREACH);
}

/* in the handshake they end it */
static void test_hard(void **state)
{
	static const struct {
		enum icmp_kind kind;
		enum tcp_end end;
	} v[] = {
		{ ICMP_NET_UNREACH, TCP_END_NET },
		{ ICMP_HOST_UNREACH, TCP_END_UNREACH },
		{ ICMP_PROHIBITED, TCP_END_UNREACH },
		{ ICMP_PROTO_UNREACH, TCP_END_PROTO },
		{ ICMP_PORT_UNREACH, TCP_END_PROHIBIT },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		uint32_t iss;

		pair_stop(&p);
		pair_defaults(&p, 2 + i);
		pair_start(&p);
		pair_connect(&p);
		pair_run(&p, 0, NULL);
		iss = pair_sent(&p, 0, 0)->seq;
		assert_false(error_to_0(v[i].kind, 0, iss + 1, 8));
		assert_true(error_to_0(ICMP_TIME_EXCEEDED, 0, iss, 8));
		assert_false(p.end[0].conn.closed);
		assert_true(error_to_0(v[i].kind, 0, iss, 8));
		assert_true(p.end[0].conn.closed);
		assert_int_equal(p.end[0].conn.end_why, v[i].end);
		assert_int_equal(count(0, TCP_ICMP_HARD), 1);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_pmtu_first),
		T(test_pmtu),
		T(test_implausible),
		T(test_soft),
		T(test_blamed),
		T(test_hard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
