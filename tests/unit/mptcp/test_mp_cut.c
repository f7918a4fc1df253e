/* frames are cut wherever they lie, without a second octet moving */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp_cut.h"
#include "tests/lib/fake.h"

static struct fake f;
static struct mp_cut x;
static struct list out;
static uint8_t truth[20000];

static int setup(void **state)
{
	(void)state;
	fake_init(&f, 3);
	rng_fill(&f.rng, truth, sizeof(truth));
	mp_cut_init(&x);
	list_init(&out);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mp_cut_fini(&x, &f.mem);
	slice_free_all(&f.mem, &out);
	fake_fini(&f);
	return 0;
}

/* [lo, hi) of the truth, as a copy with its place in seq */
static void add(uint32_t lo, uint32_t hi)
{
	struct slice *s = slice_new(&f.mem, hi - lo);

	memcpy(slice_bytes(s), truth + lo, hi - lo);
	s->seq = lo;
	mp_cut_add(&x, &f.mem, s);
}

/* slices of q continue each other from lo to hi; returns how many there are */
static unsigned holds(const struct list *q, uint64_t lo, uint64_t hi)
{
	unsigned n = 0;

	list_each (p, q) {
		const struct slice *s = list_entry(p, struct slice, node);

		assert_true(s->seq == lo);
		assert_memory_equal(s->p, truth + lo, s->len);
		lo += s->len;
		n++;
	}
	assert_true(lo == hi);
	return n;
}

static void opened_is_taken(void **state)
{
	struct iov_mut v[8];
	uint8_t hdr[3];

	(void)state;
	assert_false(mp_cut_peek(&x, hdr, 1));
	assert_true(mp_cut_take(&x, &f.mem, &out));
	add(0, 1000);
	add(1000, 2500);
	add(2500, 2502);
	assert_true(mp_cut_peek(&x, hdr, 3));
	assert_memory_equal(hdr, truth, 3);
	assert_int_equal(mp_cut_pieces(&x, 999, v, 8), 1);
	mp_cut_opened(&x, 999);
	assert_true(mp_cut_peek(&x, hdr, 3)); /* over an edge */
	assert_memory_equal(hdr, truth + 999, 3);
	assert_int_equal(mp_cut_pieces(&x, 1503, v, 2), 0);
	assert_int_equal(mp_cut_pieces(&x, 1503, v, 3), 3);
	assert_int_equal(v[0].n, 1);
	assert_int_equal(v[1].n, 1500);
	assert_int_equal(v[2].n, 2);
	assert_memory_equal(v[1].p, truth + 1000, 1500);
	mp_cut_opened(&x, 501);
	assert_true(mp_cut_take(&x, &f.mem, &out));
	assert_int_equal(holds(&out, 0, 1500), 2);
	assert_int_equal(holds(&x.q, 1500, 2502), 2);
	assert_int_equal(x.left, 1002);
	assert_int_equal(x.opened, 0);
	mp_cut_opened(&x, 1002);
	assert_true(mp_cut_take(&x, &f.mem, &out));
	holds(&out, 0, 2502);
	assert_true(list_empty(&x.q));
	add(2502, 2600); /* and it goes on */
	assert_true(mp_cut_peek(&x, hdr, 3));
	assert_memory_equal(hdr, truth + 2502, 3);
}

static void skipped_is_dropped(void **state)
{
	(void)state;
	add(0, 1000);
	add(1000, 1900);
	mp_cut_skip(&x, &f.mem, 1100);
	assert_int_equal(holds(&x.q, 1100, 1900), 1);
	mp_cut_skip(&x, &f.mem, 800);
	assert_int_equal(x.left, 0);
	assert_true(list_empty(&x.q));
	add(1900, 2000);
	assert_int_equal(holds(&x.q, 1900, 2000), 1);
}

/* what came octet by octet is joined; the frames before and behind stay */
static void many_pieces_are_joined(void **state)
{
	struct iov_mut v[4];
	uint32_t at = 0;

	(void)state;
	while (at < 12000) {
		add(at, at + 600);
		at += 600;
	}
	mp_cut_opened(&x, 700);
	assert_int_equal(mp_cut_pieces(&x, 10000, v, 4), 0);
	f.fail_at = 1;
	assert_false(mp_cut_join(&x, &f.mem, 10000));
	assert_int_equal(holds(&x.q, 0, 12000), 20);
	assert_true(mp_cut_join(&x, &f.mem, 10000));
	assert_int_equal(mp_cut_pieces(&x, 10000, v, 4), 1);
	assert_memory_equal(v[0].p, truth + 700, 10000);
	assert_true(mp_cut_join(&x, &f.mem, 10000)); /* it is one already */
	holds(&x.q, 0, 12000);
	mp_cut_opened(&x, 10000);
	assert_true(mp_cut_take(&x, &f.mem, &out));
	holds(&out, 0, 10700);
	holds(&x.q, 10700, 12000);
}

static void no_memory_changes_nothing(void **state)
{
	(void)state;
	add(0, 2000);
	add(2000, 4000);
	mp_cut_opened(&x, 3000);
	f.fail_at = 1;
	assert_false(mp_cut_take(&x, &f.mem, &out));
	assert_true(list_empty(&out));
	assert_int_equal(x.opened, 3000);
	add(4000, 4100);
	mp_cut_opened(&x, 1000);
	assert_true(mp_cut_take(&x, &f.mem, &out)); /* needs no cut any more */
	holds(&out, 0, 4000);
	holds(&x.q, 4000, 4100);
}

/* any cut of any stream, small copies sharing memory meanwhile */
static void at_random(void **state)
{
	uint32_t in = 0, took = 0, at = 0;

	(void)state;
	while (at < sizeof(truth)) {
		uint32_t n = 1 + (uint32_t)rng_below(&f.rng, 700);

		while (in < sizeof(truth) && in < at + n) {
			uint32_t k = 1 + (uint32_t)rng_below(&f.rng, 300);

			k = min_u32(k, (uint32_t)sizeof(truth) - in);
			add(in, in + k);
			in += k;
		}
		n = min_u32(n, x.left);
		if (rng_below(&f.rng, 8) == 0) {
			assert_true(mp_cut_take(&x, &f.mem, &out));
			holds(&out, took, at);
			slice_free_all(&f.mem, &out);
			mp_cut_skip(&x, &f.mem, n);
			took = at + n;
		} else {
			if (rng_below(&f.rng, 8) == 0) {
				assert_true(mp_cut_join(&x, &f.mem, n));
			}
			mp_cut_opened(&x, n);
		}
		at += n;
	}
	assert_true(mp_cut_take(&x, &f.mem, &out));
	holds(&out, took, sizeof(truth));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opened_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(skipped_is_dropped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_pieces_are_joined, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_memory_changes_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(at_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
