/* Paths that take less than they seem to, and say so or not (RFC 4821, 8201,
 * RFC 5927 7.2) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "tests/lib/pair.h"

static struct pair p;
static uint32_t narrow[2]; /* packets above this from that end vanish */
static uint64_t n_big;
static uint32_t last_big; /* number of the last of end 0 that did */
static uint32_t largest;  /* from end 0 */

static uint64_t count(unsigned end, enum tcp_reason r)
{
	return tcp_counter(p.end[end].tcp, r);
}

static struct pair_fate mtu_fate(void *ctx, const struct pair_pkt *k)
{
	bool big = narrow[k->from] && k->pkt->len > narrow[k->from];

	(void)ctx;
	if (k->from == 0 && k->pkt->len > largest) {
		largest = k->pkt->len;
	}
	if (big) {
		n_big++;
		last_big = k->from == 0 ? k->seg.seq : last_big;
	}
	return (struct pair_fate){ .drop = big };
}

static void begin(bool v6, uint16_t mtu, enum tcp_mtup_mode mode)
{
	narrow[0] = narrow[1] = 0;
	n_big = 0;
	largest = 0;
	pair_defaults(&p, 1);
	p.fate = mtu_fate;
	p.v6 = v6;
	p.mtu = mtu;
	p.delay = 10 * NANOS_MS;
	p.rate = 1250000;
	p.queue_max = 60000;
	p.end[0].conf.mtup = mode;
	p.end[1].conf.mtup = mode;
	pair_start(&p);
}

static void open_pair(void)
{
	pair_connect(&p);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_established));
}

static void end(void)
{
	assert_true(pair_prefix_ok(&p));
	pair_stop(&p);
}

static uint16_t size_of_0(void)
{
	const struct tcb *tcb = p.end[0].conn.tcb;

	return (uint16_t)(tcb->mss.base + (p.v6 ? 60 : 40));
}

/* --- without a word ---------------------------------------------------------- */

/* RFC 4821 7.7: the transfer goes on after a few timeouts, and by probes it
 * comes to within a few octets of what the path takes */
static void black_hole(bool v6, uint16_t mtu, uint16_t takes)
{
	begin(v6, mtu, TCP_MTUP_BLACKHOLE);
	narrow[0] = takes;
	open_pair();
	pair_write(&p.end[0].conn, 20000000, true);
	assert_true(pair_run(&p, 60 * NANOS_S, pair_all_arrived));
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 1);
	assert_true(count(0, TCP_MTUP_SUCCESS) > 0);
	assert_true(size_of_0() <= takes);
	assert_true(size_of_0() + TCP_MTUP_CLOSE >= takes);
	/* a failed probe is no congestion: what RTOs there are belong to the
	 * hole itself */
	assert_int_equal(count(0, TCP_RTO), TCP_MTUP_TIMEOUTS);
	end();
}

static void test_black_hole(void **state)
{
	(void)state;
	black_hole(false, 1500, 1300);
	black_hole(false, 1500, 1492);
	black_hole(true, 1500, 1400);
	black_hole(false, 9000, 1500);
}

/* it opens in the middle, where large packets were known to pass */
static void test_later(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	pair_write(&p.end[0].conn, 3000000, true);
	pair_run(&p, 100 * NANOS_MS, NULL);
	narrow[0] = 1200;
	assert_true(pair_run(&p, 60 * NANOS_S, pair_all_arrived));
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 1);
	assert_true(size_of_0() <= 1200);
	end();
}

/* RFC 4821 7.7: halved when even the first guess is too large */
static void test_narrower_than_base(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	narrow[0] = 600;
	open_pair();
	pair_write(&p.end[0].conn, 100000, true);
	assert_true(pair_run(&p, 120 * NANOS_S, pair_all_arrived));
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 2);
	assert_true(size_of_0() <= 600);
	end();
}

/* the path was down, not narrow: the old size is back soon */
static void test_outage(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	pair_write(&p.end[0].conn, 8000000, true);
	pair_run(&p, 100 * NANOS_MS, NULL);
	narrow[0] = narrow[1] = 1;
	pair_run(&p, 4 * NANOS_S, NULL);
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 1);
	narrow[0] = narrow[1] = 0;
	assert_true(pair_run(&p, 60 * NANOS_S, pair_all_arrived));
	assert_int_equal(size_of_0(), 1500);
	assert_int_equal(count(0, TCP_MTUP_FAIL), 0);
	end();
}

/* what is small passes any path: its loss says nothing about size */
static void test_small_segments(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	narrow[0] = 100;
	pair_write(&p.end[0].conn, 500, false);
	pair_run(&p, 10 * NANOS_S, NULL);
	assert_true(count(0, TCP_RTO) > TCP_MTUP_TIMEOUTS);
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 0);
	assert_int_equal(size_of_0(), 1500);
	end();
}

static void test_off(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_OFF);
	narrow[0] = 1300;
	open_pair();
	pair_write(&p.end[0].conn, 100000, true);
	assert_false(pair_run(&p, 20 * NANOS_S, pair_all_arrived));
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 0);
	end();
}

/* from the first packet on: nothing larger than the base goes unproven, and no
 * timeout is needed */
static void test_on(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_ON);
	narrow[0] = 1400;
	open_pair();
	assert_int_equal(size_of_0(), TCP_MTUP_BASE4);
	pair_write(&p.end[0].conn, 20000000, true);
	assert_true(pair_run(&p, 60 * NANOS_S, pair_all_arrived));
	assert_int_equal(count(0, TCP_RTO), 0);
	assert_true(size_of_0() <= 1400 && size_of_0() > 1380);
	end();
}

/* RFC 4821 7.6.2: the loss of a probe alone leaves the window as it was */
static void test_no_reduction(void **state)
{
	struct tcb *tcb;
	uint32_t before;

	(void)state;
	begin(false, 1500, TCP_MTUP_ON);
	narrow[0] = 1100;
	open_pair();
	tcb = p.end[0].conn.tcb;
	pair_write(&p.end[0].conn, 20000000, false);
	for (unsigned i = 0; i < 10000 && !count(0, TCP_MTUP_FAIL); i++) {
		before = tcb->rec.cc.cwnd;
		pair_run(&p, NANOS_MS, NULL);
		assert_true(tcb->rec.cc.cwnd >= before);
	}
	assert_int_equal(count(0, TCP_MTUP_FAIL), 1);
	assert_int_equal(tcb->rec.cc.ssthresh, CC_INF);
	assert_int_equal(count(0, TCP_FAST_RTX), 0);
	/* and the next waits for as many round trips as it has segments */
	assert_true(instant_since(tcb->rec.mtup.next, p.now) >
		    10 * tcb->rec.rtt.srtt);
	end();
}

/* RFC 4821 5.1: the next connection to the same host knows */
static void test_remembered(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	narrow[0] = 1300;
	open_pair();
	pair_write(&p.end[0].conn, 1000000, true);
	pair_write(&p.end[1].conn, 1, true);
	assert_true(pair_run(&p, 60 * NANOS_S, pair_both_closed));
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 1);
	pair_again(&p, 0);
	assert_true(pair_run(&p, 5 * NANOS_S, pair_established));
	assert_true(size_of_0() <= 1300 && size_of_0() > 1280);
	pair_write(&p.end[0].conn, 1000000, true);
	assert_true(pair_run(&p, 10 * NANOS_S, pair_all_arrived));
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 1);
	end();
}

/* --- with ICMP ----------------------------------------------------------------- */

static bool too_big(uint32_t mtu, uint32_t seq)
{
	uint8_t body[8];
	struct tcb *tcb = p.end[0].conn.tcb;
	struct ip_hdr q = { .src = tcb->entry.t.local.addr,
			    .dst = tcb->entry.t.remote.addr,
			    .proto = IP_PROTO_TCP,
			    .body = body,
			    .body_len = 8 };
	struct icmp_msg m = { .kind = ICMP_TOO_BIG, .mtu = mtu };

	be16_put(body, tcb->entry.t.local.port);
	be16_put(body + 2, tcb->entry.t.remote.port);
	be32_put(body + 4, seq);
	return tcp_icmp(p.end[0].tcp, p.now, &q, &m, 0);
}

/* RFC 5927 7.2: packets of that size arrive: a report that they are too big
 * waits for the one it quotes, and comes to nothing when that arrives */
static void test_forged(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	p.queue_max = 3000000; /* nothing is lost */
	open_pair();
	pair_write(&p.end[0].conn, 3000000, true);
	pair_run(&p, 200 * NANOS_MS, NULL);
	for (unsigned i = 0; i < 20; i++) {
		struct tcb *tcb = p.end[0].conn.tcb;

		assert_true(too_big(600, tcb_una(tcb)));
		pair_run(&p, 5 * NANOS_MS, NULL);
		assert_int_equal(size_of_0(), 1500);
	}
	assert_true(count(0, TCP_PMTU_WAITS) > 0);
	assert_true(count(0, TCP_PMTU_DENIED) > 0);
	assert_int_equal(count(0, TCP_PMTU), 0);
	assert_true(pair_run(&p, 10 * NANOS_S, pair_all_arrived));
	end();
}

/* the same report, and what it quotes is lost: believed */
static void test_true_later(void **state)
{
	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	pair_write(&p.end[0].conn, 3000000, true);
	pair_run(&p, 200 * NANOS_MS, NULL);
	narrow[0] = 1300;
	while (n_big == 0) {
		pair_run(&p, NANOS_MS, NULL);
	}
	assert_true(too_big(1300, last_big));
	assert_int_equal(size_of_0(), 1500);
	assert_true(pair_run(&p, 10 * NANOS_S, pair_all_arrived));
	assert_int_equal(size_of_0(), 1300);
	assert_int_equal(count(0, TCP_PMTU), 1);
	assert_int_equal(count(0, TCP_MTU_BLACKHOLE), 0);
	assert_true(count(0, TCP_RTO) <= 1);
	end();
}

/* RFC 8201 4: less than 1280 is discarded, not rounded up, and no atomic
 * fragments are made for it (RFC 8021) */
static void test_absurd(void **state)
{
	struct tcb *tcb;

	(void)state;
	begin(true, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	tcb = p.end[0].conn.tcb;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	assert_true(too_big(1279, tcb_una(tcb)));
	assert_true(too_big(0, tcb_una(tcb)));
	assert_int_equal(count(0, TCP_PMTU_ABSURD), 2);
	assert_int_equal(size_of_0(), 1500);
	assert_true(too_big(1280, tcb_una(tcb)));
	assert_int_equal(size_of_0(), 1280);
	end();
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	tcb = p.end[0].conn.tcb;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	assert_true(too_big(67, tcb_una(tcb)));
	assert_int_equal(size_of_0(), 1500);
	/* RFC 1191 5: an old router that does not say */
	assert_true(too_big(0, tcb_una(tcb)));
	assert_int_equal(size_of_0(), 1492);
	end();
}

/* RFC 8201 5.3, RFC 1191 6.3: what ICMP said is forgotten after ten minutes, on
 * a connection that lives on, too */
static void test_forgotten(void **state)
{
	struct tcb *tcb;

	(void)state;
	begin(false, 1500, TCP_MTUP_BLACKHOLE);
	open_pair();
	tcb = p.end[0].conn.tcb;
	pair_write(&p.end[0].conn, 10000, false);
	pair_run(&p, 0, NULL);
	assert_true(too_big(1200, tcb_una(tcb)));
	pair_run(&p, 300 * NANOS_S, NULL);
	assert_int_equal(size_of_0(), 1200);
	pair_run(&p, 400 * NANOS_S, NULL);
	pair_write(&p.end[0].conn, 100, false);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(size_of_0(), 1500);
	assert_int_equal(tcb->rec.cc.mss, tcb_mss(tcb));
	end();
}

/* IP_MTU_DISCOVER says at once whether what was learnt of the path counts */
static void test_ignored(void **state)
{
	struct tcp_conf c;
	struct tcb *tcb;

	(void)state;
	begin(false, 1500, TCP_MTUP_OFF);
	open_pair();
	tcb = p.end[0].conn.tcb;
	c = tcb->conf;
	assert_true(ip_mtu_lower(p.end[0].ip, tcb->path,
				 &tcb->entry.t.remote.addr, 1200, 1500,
				 p.now));
	pair_write(&p.end[0].conn, 10000, false);
	assert_true(pair_run(&p, NANOS_S, pair_all_arrived));
	assert_int_equal(largest, 1200);
	c.ignore_pmtu = true;
	tcp_set_conf(tcb, &c, p.now);
	pair_write(&p.end[0].conn, 10000, false);
	assert_true(pair_run(&p, NANOS_S, pair_all_arrived));
	assert_int_equal(largest, 1500);
	c.ignore_pmtu = false;
	tcp_set_conf(tcb, &c, p.now);
	largest = 0;
	pair_write(&p.end[0].conn, 10000, false);
	assert_true(pair_run(&p, NANOS_S, pair_all_arrived));
	assert_int_equal(largest, 1200);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_narrower_than_base),
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_small_segments),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_on),
		cmocka_unit_test(test_no_reduction),
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_true_later),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
