/* Whole transfers over one link with a rate, a delay, a queue and random loss:
 * what each congestion control makes of it.  SHOW=1 prints the figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "tests/lib/pair.h"

#define MS   NANOS_MS
#define MBIT 125000ull

struct link {
	const char *cc;
	uint64_t rate; /* octets per second */
	nanos rtt;
	uint32_t queue; /* octets */
	double loss;
	bool gro;          /* bursts arrive whole and are acknowledged as one */
	nanos from, to;    /* measured */
	uint64_t max_rate; /* SO_MAX_PACING_RATE */
};

struct result {
	double share; /* of the payload that the link can carry */
	double lost;  /* of the packets */
	uint64_t pacing;
	struct tcp_info_core info;
};

static struct pair p;
static double loss;

static struct pair_fate drop(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	return (struct pair_fate){ .drop = k->from == 0 && k->seg.len > 0 &&
					   rng_unit(&p.rng) < loss };
}

static void show(const struct link *l, const struct result *r)
{
	if (getenv("SHOW")) {
		print_message("%-5s %4.0f Mbit/s %3d ms, queue %u, loss %.2f%s:"
			      " share %.3f, lost %.4f, cwnd %u, srtt %.1f ms\n",
			      l->cc, (double)l->rate / MBIT, (int)(l->rtt / MS),
			      l->queue, l->loss, l->gro ? ", gro" : "",
			      r->share, r->lost, r->info.cwnd,
			      (double)r->info.srtt / MS);
	}
}

static struct result run(const struct link *l)
{
	uint64_t all = l->rate * (uint64_t)(l->to / MS) / 1000, first;
	double can;
	struct result r;

	pair_defaults(&p, 1);
	p.rate = l->rate;
	p.delay = l->rtt / 2;
	p.queue_max = l->queue;
	p.gro = l->gro;
	p.fate = drop;
	loss = l->loss;
	p.end[0].conf.cc = cc_find(l->cc);
	p.end[0].conf.max_pacing_rate = l->max_rate;
	p.end[1].conn.rcv_max = 4u << 20;
	pair_start(&p);
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	pair_write(&p.end[0].conn, all, false);
	pair_run(&p, l->from, NULL);
	first = p.end[1].conn.in_len;
	pair_run(&p, l->to - l->from, NULL);
	/* of 1500 octets 1448 are payload */
	can = (double)l->rate * (double)(l->to - l->from) / 1e9 * 1448 / 1500;
	r.share = (double)(p.end[1].conn.in_len - first) / can;
	r.lost = (double)p.dropped[0] / (double)p.sent[0];
	r.pacing = p.end[0].conn.tcb->pace.rate;
	tcp_info(p.end[0].conn.tcb, &r.info);
	assert_true(pair_prefix_ok(&p));
	show(l, &r);
	pair_stop(&p);
	return r;
}

static void bbr_ignores_random_loss(void **state)
{
	struct link l = { .cc = "bbr",
			  .rate = 50 * MBIT,
			  .rtt = 40 * MS,
			  .queue = 250000,
			  .loss = 0.01,
			  .to = 8 * NANOS_S };

	(void)state;
	assert_true(run(&l).share >= 0.9);
	l.gro = true;
	assert_true(run(&l).share >= 0.9);
}

/* a queue of ten round trips stays nearly empty */
static void bbr_fills_no_queue(void **state)
{
	struct link l = { .cc = "bbr",
			  .rate = 20 * MBIT,
			  .rtt = 20 * MS,
			  .queue = 500000,
			  .from = 2 * NANOS_S,
			  .to = 9 * NANOS_S };
	struct result r = run(&l);

	(void)state;
	assert_true(r.share >= 0.95);
	assert_true(r.lost == 0);
	assert_true(r.info.srtt < 32 * MS);
	l.cc = "cubic";
	assert_true(run(&l).info.srtt > 60 * MS);
}

static void bbr_small_queue(void **state)
{
	struct link l = { .cc = "bbr",
			  .rate = 40 * MBIT,
			  .rtt = 20 * MS,
			  .queue = 20000,
			  .to = 6 * NANOS_S };

	(void)state;
	assert_true(run(&l).share >= 0.9);
}

/* 20 KB of queue before 100 KB on their way: what leaves at once is lost */
static void window_is_spread(void **state)
{
	struct link l = { .rate = 40 * MBIT,
			  .rtt = 20 * MS,
			  .queue = 20000,
			  .from = 1 * NANOS_S,
			  .to = 12 * NANOS_S };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		l.gro = i;
		l.cc = "cubic";
		assert_true(run(&l).share >= 0.95);
		l.cc = "reno";
		assert_true(run(&l).share >= 0.82);
	}
}

static void slow_start_is_spread(void **state)
{
	struct link l = { .cc = "cubic",
			  .rate = 100 * MBIT,
			  .rtt = 20 * MS,
			  .queue = 20000,
			  .to = 4 * NANOS_S };

	(void)state;
	assert_true(run(&l).share >= 0.85);
}

/* RFC 9406: the round trip grows, and five rounds of slower growth later slow
 * start is over although nothing was lost.  Rounds are measured by their least
 * sample, so this takes a long queue: the window has doubled once more by
 * then. */
static void slow_start_ends_without_loss(void **state)
{
	struct link l = { .cc = "cubic",
			  .rate = 50 * MBIT,
			  .rtt = 40 * MS,
			  .queue = 5000000,
			  .to = 4 * NANOS_S };
	struct result r;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		l.gro = i;
		r = run(&l);
		assert_true(r.lost == 0);
		assert_true(r.info.ssthresh < 3500000);
		assert_true(r.share > 0.8);
	}
}

static void limit_is_obeyed(void **state)
{
	static const char *const names[] = { "cubic", "reno", "bbr" };
	struct link l = { .rate = 100 * MBIT,
			  .rtt = 10 * MS,
			  .queue = 100000,
			  .from = NANOS_S,
			  .to = 4 * NANOS_S,
			  .max_rate = 8 * MBIT };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		double share;

		l.cc = names[i];
		share = run(&l).share * 1448 / 1500 * 100 / 8;
		assert_true(share > 0.97 && share <= 1.01);
	}
}

/* a round trip of fewer ticks than the wheel has, or a rate beyond what the
 * event loop can spread */
static void lan_is_not_paced(void **state)
{
	struct link l = { .cc = "cubic",
			  .rate = 8000 * MBIT,
			  .rtt = 200 * NANOS_US,
			  .queue = 1000000,
			  .to = 20 * MS };

	(void)state;
	assert_int_equal(run(&l).pacing, 0);
	l.cc = "bbr";
	assert_int_equal(run(&l).pacing, 0);
	l.max_rate = 1000000;
	assert_int_equal(run(&l).pacing, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bbr_ignores_random_loss),
		cmocka_unit_test(bbr_fills_no_queue),
		cmocka_unit_test(bbr_small_queue),
		cmocka_unit_test(window_is_spread),
		cmocka_unit_test(slow_start_is_spread),
		cmocka_unit_test(slow_start_ends_without_loss),
		cmocka_unit_test(limit_is_obeyed),
		cmocka_unit_test(lan_is_not_paced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
