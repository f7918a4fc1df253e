#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/ranges.h"
#include "stack/base/rng.h"
#include "tests/lib/fake.h"

#define SPACE 400

/* one flag per number */
struct model {
	bool in[SPACE];
};

static unsigned pieces(const struct model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SPACE; i++) {
		n += m->in[i] && (i == 0 || !m->in[i - 1]);
	}
	return n;
}

static void same(const struct ranges *rs, const struct model *m, uint64_t base)
{
	uint32_t k = 0;

	assert_int_equal(rs->n, pieces(m));
	for (unsigned i = 0; i < SPACE;) {
		unsigned e = i;

		while (e < SPACE && m->in[e]) {
			e++;
		}
		if (e > i) {
			assert_true(rs->r[k].lo == base + i);
			assert_true(rs->r[k].hi == base + e);
			k++;
		}
		i = e + 1;
	}
}

static void ask(const struct ranges *rs, const struct model *m, uint64_t base,
		unsigned lo, unsigned hi)
{
	uint64_t missing = 0;

	for (unsigned i = lo; i < hi; i++) {
		missing += !m->in[i];
	}
	assert_true(ranges_missing(rs, base + lo, base + hi) == missing);
	assert_int_equal(ranges_has(rs, base + lo, base + hi), missing == 0);
}

static void step(struct ranges *rs, struct model *m, uint64_t base,
		 struct rng *r, unsigned longest)
{
	unsigned lo = (unsigned)rng_below(r, SPACE);
	unsigned hi = lo + (unsigned)rng_below(r, longest);
	struct model next = *m;

	hi = hi > SPACE ? SPACE : hi;
	ask(rs, m, base, lo, hi);
	if (rng_below(r, 40) == 0) {
		ranges_drop_below(rs, base + lo);
		memset(m->in, 0, lo * sizeof(m->in[0]));
	} else {
		for (unsigned i = lo; i < hi; i++) {
			next.in[i] = true;
		}
		assert_int_equal(ranges_add(rs, base + lo, base + hi),
				 pieces(&next) <= RANGES_MAX);
		if (pieces(&next) <= RANGES_MAX) {
			*m = next;
		}
	}
	same(rs, m, base);
}

static void agrees_with_a_model(void **st)
{
	struct ranges rs;
	struct fake f;
	struct model m;
	struct rng r;

	(void)st;
	rng_seed(&r, 4);
	for (unsigned round = 0; round < 60; round++) {
		uint64_t base = round & 1 ? UINT64_MAX - SPACE : 0;
		unsigned longest = 2 + (unsigned)rng_below(&r, 12);

		fake_init(&f, 1);
		ranges_init(&rs, &f.mem);
		memset(&m, 0, sizeof(m));
		for (unsigned i = 0; i < 400; i++) {
			step(&rs, &m, base, &r, longest);
		}
		ranges_fini(&rs);
		fake_fini(&f);
	}
}

static void refuses_one_piece_too_many(void **st)
{
	struct ranges rs;
	struct fake f;

	(void)st;
	fake_init(&f, 1);
	ranges_init(&rs, &f.mem);
	for (uint64_t i = 0; i < RANGES_MAX; i++) {
		assert_true(ranges_add(&rs, 10 * i, 10 * i + 5));
	}
	assert_false(ranges_add(&rs, 10000, 10001));
	assert_false(ranges_add(&rs, 6, 7));
	assert_int_equal(rs.n, RANGES_MAX);
	assert_true(ranges_add(&rs, 5, 6));  /* touches */
	assert_true(ranges_add(&rs, 6, 10)); /* joins two */
	assert_int_equal(rs.n, RANGES_MAX - 1);
	assert_true(ranges_add(&rs, 10000, 10001));
	assert_true(ranges_add(&rs, 0, UINT64_MAX));
	assert_int_equal(rs.n, 1);
	assert_true(ranges_add(&rs, 5, 5));
	ranges_drop_below(&rs, UINT64_MAX);
	assert_int_equal(rs.n, 0);
	assert_int_equal(f.mem.used, 0); /* given back with the last one */
	ranges_fini(&rs);
	fake_fini(&f);
}

static void without_memory_one_fits(void **st)
{
	struct ranges rs;
	struct fake f;

	(void)st;
	fake_init(&f, 1);
	f.mem.limit = 0;
	ranges_init(&rs, &f.mem);
	assert_true(ranges_add(&rs, 10, 20));
	assert_true(ranges_add(&rs, 20, 30)); /* touches */
	assert_false(ranges_add(&rs, 40, 50));
	assert_int_equal(rs.n, 1);
	assert_true(ranges_has(&rs, 10, 30));
	assert_false(ranges_has(&rs, 40, 50));
	ranges_fini(&rs);
	assert_true(ranges_add(&rs, 40, 50));
	ranges_fini(&rs);
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(refuses_one_piece_too_many),
		cmocka_unit_test(without_memory_one_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
