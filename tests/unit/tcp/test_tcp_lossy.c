/* One bulk flow over a link of 20 ms and 100 Mbit/s that loses 1 % at random:
 * what every loss costs.  It is measured by what a window alone would reach
 * that is reduced with each loss and otherwise always full (the response
 * function of RFC 9438's Reno-friendly region): a sender that waits for a timer
 * or loses round trips in recovery stays below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "tests/lib/pair.h"

#define RTT     (20 * NANOS_MS)
#define SECONDS 15
#define SEEDS   3
#define MSS     1448
/* sqrt(alpha / 2 * (1 + beta) / (1 - beta) / p), alpha 9/17, beta 0.7 */
#define WINDOW_1_PERCENT 12.25

struct lossy {
	struct rng rng;
	unsigned data, acks; /* lost of 1,000 */
	uint64_t lost;       /* data segments */
};

struct result {
	double rate; /* octets a second that arrived */
	uint64_t timeouts, needless, undone;
};

static struct pair p;
static struct lossy l;

static struct pair_fate lose(void *ctx, const struct pair_pkt *k)
{
	unsigned n = k->seg.len ? l.data : l.acks;
	bool drop = rng_below(&l.rng, 1000) < n;

	(void)ctx;
	l.lost += drop && k->seg.len;
	return (struct pair_fate){ .drop = drop };
}

static struct result run(uint64_t seed, unsigned data, unsigned acks)
{
	struct tcp_info_core i;
	struct result r;

	pair_defaults(&p, seed);
	l = (struct lossy){ .data = 0 };
	rng_seed(&l.rng, seed);
	p.fate = lose;
	p.delay = RTT / 2;
	p.rate = 12500000;
	p.queue_max = 1u << 20;
	p.gso = false;
	p.end[0].conf.cc = &cc_cubic;
	pair_start(&p);
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	l.data = data;
	l.acks = acks;
	pair_write(&p.end[0].conn, 12500000ull * SECONDS, false);
	pair_run(&p, SECONDS * NANOS_S, NULL);
	assert_true(pair_prefix_ok(&p));
	tcp_info(p.end[0].conn.tcb, &i);
	r = (struct result){
		.rate = (double)p.end[1].conn.in_len / SECONDS,
		.timeouts = tcp_counter(p.end[0].tcp, TCP_RTO),
		.undone = tcp_counter(p.end[0].tcp, TCP_SPURIOUS),
		.needless = i.retrans > l.lost ? i.retrans - l.lost : 0,
	};
	printf("lost %u/%u of 1000, seed %u: %5.2f Mbit/s, %u timeouts, "
	       "%u segments sent again for %u lost, %u undone\n",
	       data, acks, (unsigned)seed, r.rate * 8e-6,
	       (unsigned)r.timeouts, i.retrans, (unsigned)l.lost,
	       (unsigned)r.undone);
	pair_stop(&p);
	return r;
}

static void one_percent(unsigned acks)
{
	double model = WINDOW_1_PERCENT * MSS / ((double)RTT / NANOS_S);
	double sum = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct result r = run(seed, 10, acks);

		sum += r.rate;
		assert_int_equal(r.timeouts, 0);
		/* every loss was one: nothing to take back, and nothing sent
		 * again without need */
		assert_int_equal(r.undone, 0);
		assert_int_equal(r.needless, 0);
	}
	printf("mean %.2f Mbit/s, model %.2f\n", sum / SEEDS * 8e-6,
	       model * 8e-6);
	assert_true(sum / SEEDS >= 0.95 * model);
}

static void test_data(void **state)
{
	(void)state;
	one_percent(0);
}

static void test_acks_too(void **state)
{
	(void)state;
	one_percent(10);
}

/* windows of a few segments: still mostly without the timer */
static void test_five_percent(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct result r = run(seed, 50, 50);

		assert_true(r.timeouts <= SECONDS / 5);
		assert_true(r.rate * 8e-6 >= 2.5);
		assert_int_equal(r.undone, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_acks_too),
		cmocka_unit_test(test_five_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
