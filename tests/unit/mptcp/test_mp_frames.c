/* the queue of frames against a list kept the simple way */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp_frames.h"
#include "tests/lib/fake.h"

#define MODEL_MAX 20000

static struct fake fake;
static struct mp_frames f;
static uint64_t ends[MODEL_MAX]; /* of all frames ever pushed */
static unsigned n_ends, first; /* the first one not dropped */

static int start(void **state)
{
	(void)state;
	fake_init(&fake, 3);
	mp_frames_init(&f, fake.env.mem);
	n_ends = first = 0;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	mp_frames_fini(&f);
	fake_fini(&fake);
	return 0;
}

static uint64_t begin_of(unsigned i)
{
	return i ? ends[i - 1] : 0;
}

static void push(uint16_t len)
{
	assert_true(mp_frames_reserve(&f));
	mp_frames_push(&f, len, len / 2);
	ends[n_ends] = begin_of(n_ends) + len;
	n_ends++;
}

static uint64_t floor_model(uint64_t off)
{
	for (unsigned i = first; i < n_ends; i++) {
		if (off >= begin_of(i) && off < ends[i]) {
			return begin_of(i);
		}
	}
	return off;
}

static uint64_t ceil_model(uint64_t off)
{
	for (unsigned i = first; i < n_ends; i++) {
		if (off > begin_of(i) && off < ends[i]) {
			return ends[i];
		}
	}
	return off;
}

static uint64_t fit_model(unsigned i, uint64_t off)
{
	uint64_t end = ends[i];

	for (; i < n_ends && ends[i] <= off; i++) {
		end = ends[i];
	}
	return end;
}

static void compare(void)
{
	uint64_t data = 0;

	assert_int_equal(f.n, n_ends - first);
	assert_int_equal(f.head, begin_of(first));
	assert_int_equal(f.tail, begin_of(n_ends));
	for (unsigned i = first; i < n_ends; i++) {
		data += (ends[i] - begin_of(i)) / 2;
	}
	assert_int_equal(f.data, data);
	for (unsigned k = 0; k < 20; k++) {
		uint64_t off = begin_of(first) +
			       rng_below(&fake.rng,
					 f.tail - f.head + 40);

		assert_int_equal(mp_frames_floor(&f, off), floor_model(off));
		assert_int_equal(mp_frames_ceil(&f, off), ceil_model(off));
		if (first < n_ends) {
			unsigned i = first + (unsigned)rng_below(
						     &fake.rng,
						     n_ends - first);

			assert_int_equal(mp_frames_fit(&f, begin_of(i), off),
					 fit_model(i, off));
		}
	}
}

static void against_a_list(void **state)
{
	(void)state;
	while (n_ends + 60 < MODEL_MAX) {
		unsigned n = (unsigned)rng_below(&fake.rng, 60);
		uint64_t upto;

		for (unsigned i = 0; i < n; i++) {
			push((uint16_t)(20 + rng_below(&fake.rng, 16365)));
		}
		compare();
		/* anywhere: also inside of a frame, which stays */
		upto = f.head + rng_below(&fake.rng, f.tail - f.head + 1);
		mp_frames_drop(&f, upto);
		while (first < n_ends && ends[first] <= upto) {
			first++;
		}
		compare();
		if (rng_below(&fake.rng, 10) == 0) {
			mp_frames_drop(&f, f.tail);
			first = n_ends;
			compare();
		}
	}
}

static void edges(void **state)
{
	(void)state;
	/* empty */
	assert_int_equal(mp_frames_floor(&f, 0), 0);
	assert_int_equal(mp_frames_ceil(&f, 7), 7);
	assert_int_equal(mp_frames_fit(&f, 0, 100), 0);
	mp_frames_drop(&f, 1000);
	assert_int_equal(f.head, 0);
	push(79);
	push(20);
	push(100);
	assert_int_equal(mp_frames_floor(&f, 78), 0);
	assert_int_equal(mp_frames_floor(&f, 79), 79);
	assert_int_equal(mp_frames_ceil(&f, 79), 79);
	assert_int_equal(mp_frames_ceil(&f, 80), 99);
	/* at the tail and beyond it */
	assert_int_equal(mp_frames_floor(&f, 199), 199);
	assert_int_equal(mp_frames_floor(&f, 5000), 5000);
	assert_int_equal(mp_frames_ceil(&f, 5000), 5000);
	assert_int_equal(mp_frames_fit(&f, 199, 5000), 199);
	/* at least one, whole ones only, all */
	assert_int_equal(mp_frames_fit(&f, 79, 79), 99);
	assert_int_equal(mp_frames_fit(&f, 79, 198), 99);
	assert_int_equal(mp_frames_fit(&f, 79, 199), 199);
	assert_int_equal(mp_frames_fit(&f, 0, UINT64_MAX), 199);
	/* what was forgotten is no frame any more */
	mp_frames_drop(&f, 98);
	assert_int_equal(f.head, 79);
	assert_int_equal(mp_frames_floor(&f, 40), 40);
	mp_frames_drop(&f, 99);
	assert_int_equal(f.head, 99);
}

static void no_memory(void **state)
{
	unsigned n = 0;

	(void)state;
	fake.fail_at = 1;
	assert_false(mp_frames_reserve(&f));
	push(30);
	while (f.n < f.cap) {
		push(30);
		n++;
	}
	fake.fail_at = 1;
	assert_false(mp_frames_reserve(&f));
	compare(); /* nothing is lost */
	push(31);
	compare();
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(against_a_list, start, stop),
		cmocka_unit_test_setup_teardown(edges, start, stop),
		cmocka_unit_test_setup_teardown(no_memory, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
