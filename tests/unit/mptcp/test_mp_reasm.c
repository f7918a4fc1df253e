#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp_reasm.h"
#include "tests/lib/fake.h"

#define SPACE 20000

static struct fake f;
static struct mp_reasm r;
static struct mp_run *hint[3];
static uint8_t truth[SPACE];
static struct list q;

static void gone(void *ctx, const struct mp_run *run)
{
	(void)ctx;
	for (unsigned i = 0; i < 3; i++) {
		if (hint[i] == run) {
			hint[i] = NULL;
		}
	}
}

static int setup(void **state)
{
	(void)state;
	fake_init(&f, 5);
	rng_fill(&f.rng, truth, sizeof(truth));
	mp_reasm_init(&r, &f.mem, 10 << 20, gone, NULL);
	memset(hint, 0, sizeof(hint));
	list_init(&q);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slice_free_all(&f.mem, &q);
	mp_reasm_fini(&r);
	assert_int_equal(r.charge, 0);
	fake_fini(&f);
	return 0;
}

static enum mp_reasm_status add(uint64_t lo, uint64_t hi, unsigned who)
{
	struct pkt copied = { .truesize = UINT32_MAX };
	struct slice *s = slice_make(&f.mem, &copied, truth + lo,
				     (uint32_t)(hi - lo));

	s->seq = lo;
	return mp_reasm_add(&r, s, &hint[who]);
}

static void check_q(uint64_t from, uint64_t to)
{
	uint64_t at = from;

	list_each(n, &q) {
		struct slice *s = list_entry(n, struct slice, node);

		assert_true(s->seq == at);
		assert_memory_equal(s->p, truth + at, s->len);
		at += s->len;
	}
	assert_true(at == to);
}

static void pieces_of_every_overlap(void **state)
{
	uint64_t nxt = 0;

	(void)state;
	add(10, 20, 0);
	add(30, 40, 0);
	assert_int_equal(r.n, 2);
	add(20, 30, 0); /* joins them */
	assert_int_equal(r.n, 1);
	add(12, 18, 0);
	assert_true(r.dup == 6);
	add(5, 15, 1);  /* front is new */
	assert_int_equal(r.n, 1);
	add(35, 50, 1); /* end is new */
	add(60, 70, 1);
	add(55, 80, 1); /* swallows one */
	assert_int_equal(r.n, 2);
	assert_true(mp_reasm_take(&r, &nxt, &q) == 0);
	nxt = 7;
	assert_true(mp_reasm_take(&r, &nxt, &q) == 43);
	assert_true(nxt == 50);
	check_q(7, 50);
	assert_int_equal(r.n, 1);
}

/* many pieces from several sources in any order give the stream */
static void random_orders(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		uint64_t nxt = 0, taken = 0;

		for (unsigned i = 0; nxt < SPACE; i++) {
			uint64_t lo = rng_below(&f.rng, SPACE - 1);
			uint64_t n = 1 + rng_below(&f.rng, 300);

			if (i % 7 == 0) {
				lo = nxt;
			}
			n = min_u64(n, SPACE - lo);
			if (lo + n <= nxt) {
				continue;
			}
			if (lo <= nxt) {
				add(nxt, lo + n, i % 3);
			} else {
				add(lo, lo + n, i % 3);
			}
			taken += mp_reasm_take(&r, &nxt, &q);
		}
		assert_true(taken == SPACE);
		check_q(0, SPACE);
		slice_free_all(&f.mem, &q);
		assert_true(mp_reasm_empty(&r));
		assert_int_equal(r.charge, 0);
	}
}

static void bounded(void **state)
{
	unsigned full = 0;

	(void)state;
	for (uint64_t at = 1; at + 2 < SPACE; at += 2) {
		full += add(at, at + 1, 0) == MP_REASM_LIMIT;
	}
	assert_int_equal(r.n, MP_RUNS_MAX);
	assert_true(full > 0);
	r.limit = r.charge;
	assert_int_equal(add(2, 3, 0), MP_REASM_LIMIT);
	r.limit = r.charge + 20000;
	assert_true(mp_reasm_room(&r, 20000));
	assert_false(mp_reasm_room(&r, 20001));
	r.limit = UINT64_MAX;
	assert_true(mp_reasm_room(&r, 20001));
	f.mem.limit = f.mem.used; /* scarce */
	assert_false(mp_reasm_room(&r, 1));
	f.mem.limit = UINT64_MAX;
}

static enum mp_reasm_held asked(uint64_t lo, uint64_t hi, unsigned who)
{
	enum mp_reasm_held h = mp_reasm_held(&r, lo, hi, hint[who]);

	/* a hint is no more than that */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(mp_reasm_held(&r, lo, hi, hint[i]), h);
	}
	return h;
}

static void what_is_held(void **state)
{
	(void)state;
	assert_int_equal(asked(5, 6, 0), MP_REASM_NONE);
	add(10, 20, 0);
	add(20, 30, 1); /* one run */
	add(50, 60, 2);
	assert_int_equal(asked(10, 30, 0), MP_REASM_ALL);
	assert_int_equal(asked(15, 25, 0), MP_REASM_ALL);
	assert_int_equal(asked(30, 50, 0), MP_REASM_NONE);
	assert_int_equal(asked(1, 10, 0), MP_REASM_NONE);
	assert_int_equal(asked(60, 90, 0), MP_REASM_NONE);
	assert_int_equal(asked(1, 11, 0), MP_REASM_SOME);
	assert_int_equal(asked(29, 31, 0), MP_REASM_SOME);
	assert_int_equal(asked(30, 51, 0), MP_REASM_SOME);
	assert_int_equal(asked(10, 60, 0), MP_REASM_SOME);
	assert_int_equal(asked(40, 90, 0), MP_REASM_SOME);
	assert_true(mp_reasm_room(&r, r.limit - r.charge));
	assert_false(mp_reasm_room(&r, r.limit - r.charge + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pieces_of_every_overlap, setup,
						teardown),
		cmocka_unit_test_setup_teardown(random_orders, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_held, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
