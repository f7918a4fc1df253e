#include "tests/unit/crypt/common.h"

#include "stack/base/rng.h"
#include "stack/crypt/crypt_order.h"

static struct crypt_order o;

static bool fits(int which, uint64_t at, bool rekey)
{
	return crypt_order_fits(&o, which, at, rekey);
}

static void note(int which, uint64_t at, bool rekey)
{
	assert_true(fits(which, at, rekey));
	crypt_order_note(&o, which, at, rekey);
}

static void generation_0_begins_without_rekey(void **st)
{
	(void)st;
	crypt_order_init(&o, 79);
	assert_false(fits(0, 79, true));
	assert_false(fits(0, 120, true));
	assert_false(fits(0, 78, false));
	assert_false(crypt_order_settled(&o));
	note(0, 79, false);
	note(0, 79, false);
	crypt_order_received(&o, 79);
	assert_false(crypt_order_settled(&o));
	crypt_order_received(&o, 99);
	assert_true(crypt_order_settled(&o));
	crypt_order_received(&o, 20); /* never goes back */
	assert_true(crypt_order_settled(&o));
	assert_false(o.broken);
}

/* nothing of generation 1 may be the stream's first */
static void a_generation_has_a_frame(void **st)
{
	(void)st;
	crypt_order_init(&o, 79);
	assert_false(fits(1, 79, true));
	note(1, 100, true);
	assert_int_equal(o.gen, 1);
	/* of generation 1 alone at 100, and what is before it is older */
	assert_false(fits(0, 101, true));
	assert_false(fits(0, 99, false));
	assert_false(fits(-1, 101, false));
	assert_false(fits(-1, 100, false));
	note(-1, 80, false);
	/* a copy */
	note(0, 100, true);
	assert_false(fits(0, 100, false));
	assert_false(fits(-1, 90, true));
}

static void the_first_frame_may_come_later(void **st)
{
	(void)st;
	crypt_order_init(&o, 0);
	note(0, 0, false);
	note(0, 40, false);
	assert_false(fits(1, 40, false));
	assert_false(fits(1, 20, true));
	note(1, 200, false); /* 1 begins in (40, 200) */
	assert_false(crypt_order_settled(&o));
	assert_false(fits(0, 30, true));
	assert_false(fits(0, 200, true));
	assert_false(fits(0, 260, true));
	assert_false(fits(-1, 220, false));
	note(-1, 60, false);
	assert_false(fits(0, 60, true));
	assert_false(fits(0, 50, false));
	note(0, 100, true);
	assert_false(fits(-1, 150, false));
	assert_false(fits(0, 90, false));
	crypt_order_received(&o, 101);
	assert_true(crypt_order_settled(&o));
	/* and the same of a generation that is old by then */
	note(1, 500, false);
	assert_true(o.old.first_known);
	note(1, 900, false);
	assert_int_equal(o.gen, 3);
	assert_false(o.old.first_known);
	assert_false(fits(-1, 500, true));
	assert_false(fits(-1, 950, false));
	note(-1, 450, true);
	assert_false(fits(-1, 440, false));
	note(-1, 460, false);
	assert_false(o.broken);
}

/* all is there, and no frame had rekey = 1 */
static void a_generation_without_its_first_frame_is_seen(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 2; t++) {
		crypt_order_init(&o, 0);
		note(0, 0, false);
		note(1, 100, false);
		if (t) {
			/* seen when it is old already */
			note(1, 300, true);
		}
		crypt_order_received(&o, 100);
		assert_false(o.broken);
		crypt_order_received(&o, 101);
		assert_true(o.broken);
		for (int w = -1; w < 2; w++) {
			assert_false(fits(w, 1000, false));
			assert_false(fits(w, 1000, true));
		}
	}
	/* in order, as on a single stream: at once */
	crypt_order_init(&o, 0);
	note(0, 0, false);
	crypt_order_received(&o, 200);
	note(1, 100, false);
	assert_true(o.broken);
}

/* an honest sender of many generations, each frame in an order that leaves
 * no more than two generations in flight */
static void honest_frames_always_fit(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 11);
	for (unsigned t = 0; t < 2000; t++) {
		bool rekey[40] = { false };
		unsigned gen[40], n_gen = 0, got = 0;
		bool have[40] = { false };

		for (unsigned i = 0; i < 40; i++) {
			rekey[i] = i > 0 && rng_below(&r, 6) == 0;
			n_gen += rekey[i];
			gen[i] = n_gen;
		}
		crypt_order_init(&o, 0);
		while (got < 40) {
			unsigned low = 0, i;

			while (have[low]) {
				low++;
			}
			i = low + (unsigned)rng_below(&r, 40 - low);
			/* frame low is missing: what is sent now has at most
			 * the generation after it, and a frame begins it */
			if (have[i] || gen[i] > gen[low] + 1 ||
			    (gen[i] == gen[low] + 1 && rekey[low])) {
				continue;
			}
			note((int)gen[i] - (int)o.gen, 20 * i, rekey[i]);
			have[i] = true;
			got++;
			while (low < 40 && have[low]) {
				low++;
			}
			crypt_order_received(&o, 20 * low);
			assert_false(o.broken);
		}
		assert_int_equal(o.gen, n_gen);
		assert_true(crypt_order_settled(&o));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generation_0_begins_without_rekey),
		cmocka_unit_test(a_generation_has_a_frame),
		cmocka_unit_test(the_first_frame_may_come_later),
		cmocka_unit_test(a_generation_without_its_first_frame_is_seen),
		cmocka_unit_test(honest_frames_always_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
