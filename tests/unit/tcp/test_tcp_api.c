/* Whole connections between two ends, with and without faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/base/check.h"
#include "tests/lib/pair.h"

#define MB ((uint64_t)1 << 20)

struct faults {
	struct rng rng;
	double loss, dup, reorder;
	nanos reorder_by;
};

static struct pair_fate faulty(void *ctx, const struct pair_pkt *p)
{
	struct faults *f = ctx;
	struct pair_fate fate = { 0 };

	(void)p;
	fate.drop = rng_unit(&f->rng) < f->loss;
	fate.dup = rng_unit(&f->rng) < f->dup;
	if (rng_unit(&f->rng) < f->reorder) {
		fate.delay = (nanos)rng_below(&f->rng,
					      (uint64_t)f->reorder_by);
	}
	return fate;
}

static void finish(struct pair *p)
{
	assert_true(pair_prefix_ok(p));
	pair_stop(p);
}

static void test_transfer_clean(void **state)
{
	static struct pair p;

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		pair_defaults(&p, i + 1);
		p.v6 = i & 1;
		p.gso = i & 2;
		p.gro = i & 4;
		p.csum_offload = i & 8;
		if (p.gro && !p.csum_offload) {
			p.gro = false; /* nobody vouches for the checksum */
		}
		if (!p.csum_offload) {
			p.gso = false;
		}
		pair_start(&p);
		pair_connect(&p);
		pair_write(&p.end[0].conn, 3 * MB, true);
		pair_write(&p.end[1].conn, MB + 7, true);
		assert_true(pair_run(&p, 30 * NANOS_S, pair_all_arrived));
		assert_true(pair_run(&p, 10 * NANOS_S, pair_both_closed));
		assert_int_equal(p.end[0].conn.end_why, TCP_END_NORMAL);
		assert_int_equal(p.end[1].conn.end_why, TCP_END_NORMAL);
		assert_int_equal(p.end[0].conn.acked, 3 * MB);
		assert_int_equal(tcp_counter(p.end[0].tcp, TCP_RETRANS_SEGS),
				 0);
		assert_int_equal(tcp_counter(p.end[1].tcp, TCP_RETRANS_SEGS),
				 0);
		assert_int_equal(tcp_count_conns(p.end[0].tcp), 0);
		assert_int_equal(tcp_count_timewait(p.end[0].tcp) +
					 tcp_count_timewait(p.end[1].tcp),
				 1 + (tcp_count_timewait(p.end[0].tcp) &&
				      tcp_count_timewait(p.end[1].tcp)));
		pair_run(&p, 61 * NANOS_S, NULL);
		assert_int_equal(tcp_count_timewait(p.end[0].tcp), 0);
		finish(&p);
	}
}

static void run_faulty(uint64_t seed, struct faults f, uint64_t n, bool gso,
		       bool both)
{
	static struct pair p;
	bool ok;

	pair_defaults(&p, seed);
	p.gso = gso;
	p.fate = faulty;
	p.fate_ctx = &f;
	p.v6 = seed & 1;
	p.print = getenv("PAIR_PRINT") != NULL;
	rng_seed(&f.rng, seed);
	pair_start(&p);
	pair_connect(&p);
	pair_write(&p.end[0].conn, n, true);
	pair_write(&p.end[1].conn, both ? n / 2 : 0, true);
	ok = pair_run(&p, 600 * NANOS_S, pair_all_arrived);
	if (!ok) {
		fprintf(stderr, "seed %llu: %llu of %llu octets\n",
			(unsigned long long)seed,
			(unsigned long long)p.end[1].conn.in_len,
			(unsigned long long)n);
	}
	assert_true(ok);
	pair_run(&p, 400 * NANOS_S, pair_both_closed);
	assert_true(pair_both_closed(&p));
	finish(&p);
}

static void test_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		run_faulty(seed, (struct faults){ .loss = 0.02 }, 2 * MB,
			   seed & 2, seed & 4);
	}
	for (uint64_t seed = 21; seed <= 26; seed++) {
		run_faulty(seed, (struct faults){ .loss = 0.2 }, MB / 8,
			   seed & 2, false);
	}
}

static void test_reorder(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		run_faulty(seed,
			   (struct faults){ .reorder = 0.1,
					    .reorder_by = 8 * NANOS_MS },
			   2 * MB, seed & 2, seed & 4);
	}
}

static void test_everything(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		run_faulty(seed,
			   (struct faults){ .loss = 0.03,
					    .dup = 0.03,
					    .reorder = 0.05,
					    .reorder_by = 20 * NANOS_MS },
			   MB, seed & 2, seed & 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transfer_clean),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_reorder),
		cmocka_unit_test(test_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
