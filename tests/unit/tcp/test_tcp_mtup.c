/* The search for a path MTU by itself (RFC 4821 7, RFC 5927 7.2) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stack/tcp/tcp_mtup.h"
#include "tests/lib/fake.h"

static struct fake fake;
static struct tcp_sent sent;
static struct tcp_mtup m;
static const struct instant t0 = { NANOS_S };

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	tcp_sent_init(&sent, &fake.mem, 1, t0);
	memset(&m, 0, sizeof(m));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_sent_fini(&sent);
	fake_fini(&fake);
	return 0;
}

static void add(uint32_t len, uint16_t mss)
{
	assert_true(tcp_sent_add(&sent, t0, len, mss, false));
}

static void ack(uint32_t to, uint32_t lo, uint32_t hi)
{
	struct range32 block = { lo, hi };
	struct tcp_sent_in in = { .now = t0,
				  .ack = to,
				  .sack = &block,
				  .n_sack = hi > lo,
				  .echo_before = INSTANT_NEVER };
	struct tcp_sent_out out;

	tcp_sent_ack(&sent, &in, &out);
}

/* every path from 1024 to 1500 octets is found to within TCP_MTUP_CLOSE, and
 * with few probes */
static void test_search(void **state)
{
	(void)state;
	for (uint16_t takes = 1024; takes <= 1500; takes++) {
		unsigned probes = 0;
		uint16_t size;

		tcp_mtup_start(&m, t0, 1024, 1500);
		while ((size = tcp_mtup_want(&m, t0, 1500)) != 0) {
			assert_true(size > m.low && size <= m.high);
			m.low = size <= takes ? size : m.low;
			m.high = size <= takes ? m.high : (uint16_t)(size - 1);
			probes++;
		}
		assert_true(m.low <= takes);
		assert_true(m.low + TCP_MTUP_CLOSE >= takes);
		assert_true(probes <= 8);
		/* over: not again for a while, and then up to the top */
		assert_int_equal(tcp_mtup_want(&m, t0, 1500), 0);
		assert_true(takes == 1500 ||
			    tcp_mtup_want(&m, instant_add(t0, TCP_MTUP_AGAIN),
					  1500) > 0);
	}
}

/* what most links have is hit exactly */
static void test_usual_sizes(void **state)
{
	static const uint16_t v[] = { 1280, 1400, 1420, 1480, 1492, 1500 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		uint16_t size;

		tcp_mtup_start(&m, t0, 1024, 9000);
		while ((size = tcp_mtup_want(&m, t0, 9000)) != 0) {
			m.low = size <= v[i] ? size : m.low;
			m.high = size <= v[i] ? m.high : (uint16_t)(size - 1);
		}
		assert_int_equal(m.low, v[i]);
	}
}

static void test_timeouts(void **state)
{
	(void)state;
	assert_int_equal(tcp_mtup_mtu(&m, 1500), 1500);
	assert_false(tcp_mtup_timeout(&m, t0, 1, 1500, 1024, 552));
	assert_false(tcp_mtup_timeout(&m, t0, 2, 1500, 1024, 552));
	assert_true(tcp_mtup_timeout(&m, t0, 3, 1500, 1024, 552));
	assert_int_equal(tcp_mtup_mtu(&m, 1500), 1024);
	assert_int_equal(tcp_mtup_mtu(&m, 700), 700); /* ICMP knows better */
	assert_false(tcp_mtup_timeout(&m, t0, 4, 1024, 1024, 552));
	assert_true(tcp_mtup_timeout(&m, t0, 6, 1024, 1024, 552));
	assert_int_equal(m.low, 552);
	assert_false(tcp_mtup_timeout(&m, t0, 9, 552, 1024, 552));
	/* IPv6: nothing is below the base */
	assert_false(tcp_mtup_timeout(&m, t0, 3, 1280, 1280, 1280));
}

static void probe(uint32_t ahead)
{
	tcp_mtup_start(&m, t0, 1024, 1500);
	add(ahead, 984);
	tcp_mtup_sent(&m, sent.nxt, sent.nxt + 1440, 1480);
	add(1440, 1440);
	add(4 * 984, 984);
}

static enum tcp_mtup_news news(bool timeout)
{
	return tcp_mtup_check(&m, &sent, t0, NANOS_S, timeout);
}

static void test_probe_arrives(void **state)
{
	(void)state;
	probe(984);
	assert_int_equal(tcp_mtup_want(&m, t0, 1500), 0); /* one at a time */
	ack(1 + 984, 0, 0);
	assert_int_equal(news(false), TCP_MTUP_NOTHING);
	ack(1 + 984 + 1440, 0, 0);
	assert_int_equal(news(false), TCP_MTUP_RAISED);
	assert_int_equal(m.low, 1480);
	assert_int_equal(news(false), TCP_MTUP_NOTHING);
}

static void test_probe_arrives_out_of_order(void **state)
{
	(void)state;
	probe(984);
	ack(1, 1 + 984, 1 + 984 + 1440);
	assert_int_equal(news(false), TCP_MTUP_RAISED);
}

/* it alone is lost: excused until all of it is sent again, as two segments */
static void test_probe_lost(void **state)
{
	struct tcp_sent_entry *e;

	(void)state;
	probe(984);
	ack(1 + 984, 1 + 984 + 1440, sent.nxt);
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 0));
	assert_int_equal(tcp_mtup_excused(&m, &sent), 1440);
	assert_int_equal(news(false), TCP_MTUP_NOTHING);
	e = tcp_sent_next_lost(&sent, 984);
	assert_int_equal(e->len, 984);
	tcp_sent_resent(&sent, e, t0, 984);
	assert_int_equal(tcp_mtup_excused(&m, &sent), 1440 - 984);
	assert_int_equal(news(false), TCP_MTUP_NOTHING);
	tcp_sent_resent(&sent, tcp_sent_next_lost(&sent, 984), t0, 984);
	assert_int_equal(news(false), TCP_MTUP_FAILED);
	assert_int_equal(m.low, 1024);
	assert_int_equal(m.high, 1479);
	/* RFC 4821 7.6.2: and not again at once */
	assert_int_equal(tcp_mtup_want(&m, t0, 1500), 0);
	assert_true(tcp_mtup_want(&m, instant_add(t0, NANOS_S), 1500) < 1480);
	/* the second copy is as good as any: its loss is congestion */
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 0));
	assert_int_equal(tcp_mtup_excused(&m, &sent), 0);
}

/* its second half is sent again, and then this is acknowledged */
static void repair(uint32_t to, uint32_t lo, uint32_t hi)
{
	assert_int_equal(news(false), TCP_MTUP_NOTHING);
	tcp_sent_resent(&sent, tcp_sent_next_lost(&sent, 1440), t0, 984);
	ack(to, lo, hi);
	assert_int_equal(news(false), TCP_MTUP_FAILED);
	assert_int_equal(m.low, 1024);
}

/* ..and acknowledged before anybody looked again */
static void test_probe_lost_and_repaired(void **state)
{
	(void)state;
	probe(984);
	ack(1 + 984, 1 + 984 + 1440, sent.nxt);
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 0));
	repair(sent.nxt, 0, 0);
}

/* ..with something before it still on its way */
static void test_probe_lost_and_repaired_early(void **state)
{
	(void)state;
	probe(984);
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 1));
	repair(1, 1 + 984, 1 + 984 + 1440);
}

/* Everything is sent again in smaller segments: what arrives says nothing. */
static void test_probe_given_up(void **state)
{
	(void)state;
	probe(984);
	tcp_sent_mark_all_lost(&sent, false);
	tcp_mtup_resent(&m);
	assert_int_equal(tcp_mtup_excused(&m, &sent), 0);
	ack(sent.nxt, 0, 0);
	assert_int_equal(news(false), TCP_MTUP_NOTHING);
	assert_int_equal(m.low, 1024);
	assert_int_equal(m.high, 1500);
}

/* RFC 4821 7.6.4: with others it may have been congestion */
static void test_probe_lost_with_others(void **state)
{
	(void)state;
	probe(984);
	ack(1, 1 + 984 + 1440, sent.nxt);
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 0));
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 1));
	assert_true(tcp_mtup_excused(&m, &sent) < sent.n_lost);
	assert_int_equal(news(false), TCP_MTUP_UNSURE);
	assert_int_equal(m.high, 1500);
}

/* RFC 4821 7.6.3 */
static void test_probe_times_out(void **state)
{
	(void)state;
	probe(984);
	tcp_sent_mark_all_lost(&sent, false);
	assert_int_equal(news(true), TCP_MTUP_FAILED);
	assert_int_equal(tcp_mtup_want(&m, instant_add(t0, 4 * NANOS_S), 1500),
			 0);
	assert_true(tcp_mtup_want(&m, instant_add(t0, 5 * NANOS_S), 1500) > 0);
}

static void test_claims(void **state)
{
	uint16_t mtu = 0;

	(void)state;
	/* nothing of that size ever arrived: at once */
	assert_true(tcp_mtup_too_big(&m, 1, 1300));
	add(2 * 1460, 1460);
	tcp_mtup_full(&m, 1 + 1460, 1500);
	ack(1 + 1460, 0, 0);
	assert_int_equal(tcp_mtup_claim(&m, &sent, &mtu), TCP_MTUP_OPEN);
	assert_int_equal(m.acked, 1500);
	/* it did: the packet that is quoted decides */
	assert_false(tcp_mtup_too_big(&m, 1 + 1460, 1300));
	assert_int_equal(tcp_mtup_claim(&m, &sent, &mtu), TCP_MTUP_OPEN);
	ack(1 + 2920, 0, 0);
	assert_int_equal(tcp_mtup_claim(&m, &sent, &mtu), TCP_MTUP_DENIED);
	add(2 * 1460, 1460);
	assert_false(tcp_mtup_too_big(&m, sent.una, 1300));
	tcp_sent_mark_lost(&sent, tcp_sent_at(&sent, 0));
	assert_int_equal(tcp_mtup_claim(&m, &sent, &mtu), TCP_MTUP_TRUE);
	assert_int_equal(mtu, 1300);
	assert_int_equal(tcp_mtup_claim(&m, &sent, &mtu), TCP_MTUP_OPEN);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_search),
		T(test_usual_sizes),
		T(test_timeouts),
		T(test_probe_arrives),
		T(test_probe_arrives_out_of_order),
		T(test_probe_lost),
		T(test_probe_lost_and_repaired),
		T(test_probe_lost_and_repaired_early),
		T(test_probe_given_up),
		T(test_probe_lost_with_others),
		T(test_probe_times_out),
		T(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
