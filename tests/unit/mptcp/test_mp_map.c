#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/mptcp/mp_map.h"
#include "tests/lib/fake.h"

static struct fake f;
static struct mp_maps m;

static int setup(void **state)
{
	(void)state;
	fake_init(&f, 1);
	mp_map_init(&m, &f.mem, 64);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mp_map_fini(&m);
	fake_fini(&f);
	return 0;
}

static enum mp_map_add in(uint32_t ssn, uint32_t len, uint64_t off)
{
	struct mp_map e = { .ssn = ssn, .len = len, .off = off };

	return mp_map_insert(&m, &e);
}

static void pushed_and_found(void **state)
{
	struct mp_map *e;

	(void)state;
	e = mp_map_push(&m, 1, 100, 0, 1000);
	e->declared = true;
	assert_ptr_not_equal(mp_map_push(&m, 101, 50, 100, 1000), e);
	/* not declared yet: grows */
	assert_int_equal(mp_map_push(&m, 151, 50, 150, 1000)->len, 100);
	assert_int_equal(m.n, 2);
	/* does not continue: a new one */
	mp_map_push(&m, 201, 10, 500, 1000);
	assert_int_equal(m.n, 3);
	assert_null(mp_map_find(&m, 0));
	assert_true(mp_map_find(&m, 200)->off == 100);
	assert_true(mp_map_find(&m, 201)->off == 500);
	assert_null(mp_map_find(&m, 211));
	mp_map_drop(&m, 120, false);
	assert_int_equal(m.n, 2);
	assert_true(mp_map_low(&m, 120) == 119);
	assert_true(mp_map_holding(&m, 505) == mp_map_find(&m, 205));
	assert_null(mp_map_holding(&m, 300));
}

/* offsets that go back: reinjected data */
static void lowest_with_descents(void **state)
{
	(void)state;
	mp_map_push(&m, 1, 10, 1000, 0);
	mp_map_push(&m, 11, 10, 50, 0);
	mp_map_push(&m, 21, 10, 2000, 0);
	mp_map_push(&m, 31, 10, 60, 0);
	assert_true(mp_map_low(&m, 1) == 50);
	assert_int_equal(m.descents, 2);
	mp_map_drop(&m, 21, false);
	assert_true(mp_map_low(&m, 21) == 60);
	assert_int_equal(m.descents, 1);
	mp_map_drop(&m, 31, false);
	assert_int_equal(m.descents, 0);
	assert_true(mp_map_low(&m, 35) == 64);
	mp_map_drop(&m, 41, false);
	assert_true(mp_map_low(&m, 41) == UINT64_MAX);
}

static uint64_t low_by_all(uint32_t ssn)
{
	uint64_t low = UINT64_MAX;

	for (uint32_t i = 0; i < m.n; i++) {
		const struct mp_map *e = mp_map_at(&m, i);
		uint32_t in = seq_gt(ssn, e->ssn) ? ssn - e->ssn : 0;

		if (in < e->len) {
			low = min_u64(low, e->off + in);
		}
	}
	return low;
}

static bool held_by_any(uint64_t off)
{
	for (uint32_t i = 0; i < m.n; i++) {
		const struct mp_map *e = mp_map_at(&m, i);

		if (e->off <= off && off - e->off < e->len) {
			return true;
		}
	}
	return false;
}

/* pushed, sent again, dropped in front, in any order, over the wrap */
static void descents_agree_with_all(void **state)
{
	uint32_t ssn = 0xffffe000, una = ssn;
	uint64_t off = 5000;
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t len = 1 + (uint32_t)rng_below(&r, 60);
		uint64_t at;
		struct mp_map *e;

		if (rng_below(&r, 20) == 0) {
			off = 5000 + rng_below(&r, 5000);
		}
		if (m.n < 60 && rng_below(&r, 3)) {
			e = mp_map_push(&m, ssn, len, off, 0);
			assert_non_null(e);
			ssn += len;
			off += len + rng_below(&r, 2) * 7;
		} else if (m.n) {
			una += (uint32_t)rng_below(&r, ssn - una + 1);
			mp_map_drop(&m, una, false);
		}
		assert_true(mp_map_low(&m, una) == low_by_all(una));
		assert_true(mp_map_low(&m, una + 100) == low_by_all(una + 100));
		at = 5000 + rng_below(&r, 5000);
		e = mp_map_holding(&m, at);
		assert_true((e != NULL) == held_by_any(at));
		assert_true(!e || (e->off <= at && at - e->off < e->len));
	}
}

static void received_and_merged(void **state)
{
	(void)state;
	assert_int_equal(in(1, 100, 0), MP_MAP_ADDED);
	assert_int_equal(in(201, 100, 200), MP_MAP_ADDED);
	assert_int_equal(in(101, 100, 100), MP_MAP_ADDED);
	assert_int_equal(m.n, 1); /* they continue each other */
	assert_int_equal(in(1, 300, 0), MP_MAP_KNOWN);
	assert_int_equal(in(50, 10, 49), MP_MAP_KNOWN);
	assert_int_equal(in(50, 10, 48), MP_MAP_CONFLICT);
	assert_int_equal(in(250, 100, 249), MP_MAP_ADDED);
	assert_int_equal(mp_map_at(&m, 0)->len, 349);
	assert_int_equal(in(1000, 10, 5000), MP_MAP_ADDED);
	assert_int_equal(m.n, 2);
	mp_map_drop(&m, 100, true);
	assert_int_equal(mp_map_at(&m, 0)->ssn, 100);
	assert_true(mp_map_at(&m, 0)->off == 99);
}

static void around_the_wrap(void **state)
{
	(void)state;
	assert_int_equal(in(0xffffff00, 0x200, 10), MP_MAP_ADDED);
	assert_true(mp_map_find(&m, 0x10)->off == 10);
	assert_null(mp_map_find(&m, 0x100));
	mp_map_drop(&m, 0x80, true);
	assert_int_equal(mp_map_at(&m, 0)->ssn, 0x80);
	assert_int_equal(mp_map_at(&m, 0)->len, 0x80);
}

/* statement 66: with a checksum it is the same mapping or none */
static void with_checksums(void **state)
{
	struct mp_map e = { .ssn = 1, .len = 100, .off = 0,
			    .has_csum = true, .csum = 7 };

	(void)state;
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_ADDED);
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_KNOWN);
	e.csum = 8;
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	e.csum = 7;
	e.len = 50;
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	e = (struct mp_map){ .ssn = 101, .len = 100, .off = 100,
			     .has_csum = true };
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_ADDED);
	assert_int_equal(m.n, 2);
	mp_map_drop(&m, 50, true);
	assert_int_equal(mp_map_at(&m, 0)->ssn, 1);
}

/* smtcp(7), Mappings: kept as declared, though there is no checksum */
static void whole(void **state)
{
	struct mp_map e = { .ssn = 1, .len = 100, .off = 0, .whole = true };

	(void)state;
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_ADDED);
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_KNOWN);
	e = (struct mp_map){ .ssn = 101, .len = 50, .off = 100, .whole = true };
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_ADDED);
	assert_int_equal(m.n, 2); /* not merged */
	e.len = 51;
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	e.len = 50;
	e.fin = true; /* Data-Level Length 51 */
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	e.fin = false;
	e.off = 101;
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	/* consistent, and yet neither: nothing of it is taken */
	e = (struct mp_map){ .ssn = 91, .len = 200, .off = 90, .whole = true };
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	e = (struct mp_map){ .ssn = 141, .len = 100, .off = 140,
			     .whole = true };
	assert_int_equal(mp_map_insert(&m, &e), MP_MAP_CONFLICT);
	assert_int_equal(m.n, 2);
	mp_map_drop(&m, 30, true); /* not cut */
	assert_int_equal(mp_map_at(&m, 0)->ssn, 1);
	mp_map_drop(&m, 101, true);
	assert_int_equal(m.n, 1);
}

static void bounded(void **state)
{
	uint32_t ssn, start;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		assert_int_equal(in(1000 - 10 * i, 5, 7777 + i * 100),
				 MP_MAP_ADDED);
	}
	assert_int_equal(in(5000, 5, 1), MP_MAP_FULL);
	/* sorted all the same */
	ssn = mp_map_at(&m, 0)->ssn;
	for (uint32_t i = 1; i < m.n; i++) {
		assert_true(mp_map_at(&m, i)->ssn > ssn);
		ssn = mp_map_at(&m, i)->ssn;
	}
	assert_true(mp_map_next(&m, 986, &start));
	assert_int_equal(start, 990);
	assert_false(mp_map_next(&m, 1006, &start));
	/* dropping and pushing for long moves, never grows */
	for (uint32_t i = 0; i < 1000; i++) {
		mp_map_drop(&m, mp_map_at(&m, 0)->ssn + 5, false);
		assert_int_equal(in(5000 + i * 10, 5, i * 20), MP_MAP_ADDED);
	}
	assert_true(m.cap <= 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pushed_and_found, setup,
						teardown),
		cmocka_unit_test_setup_teardown(descents_agree_with_all, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lowest_with_descents, setup,
						teardown),
		cmocka_unit_test_setup_teardown(received_and_merged, setup,
						teardown),
		cmocka_unit_test_setup_teardown(around_the_wrap, setup,
						teardown),
		cmocka_unit_test_setup_teardown(with_checksums, setup,
						teardown),
		cmocka_unit_test_setup_teardown(whole, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
