/* record layers at rest: keys without ciphers */
#include "tests/unit/crypt/rec.h"

static bool asleep(const struct crypt_rec *r)
{
	return !r->tx.k && !r->rx.k && !r->rx_new.k;
}

static void rest_both(void)
{
	crypt_rec_rest(&x);
	crypt_rec_rest(&y);
	assert_true(asleep(&x) && asleep(&y));
}

/* with a rest of both sides before each step, over several rekeyings, also
 * while the two directions' keys are of different generations */
static void rests_and_goes_on(void **st)
{
	struct crypt_rec *p, *q;
	struct frame f, crosses;

	(void)st;
	for (unsigned phases = 0; phases < 2; phases++) {
		both(phases);
		for (unsigned i = 0; i < 42; i++) {
			p = i & 1 ? &y : &x;
			q = i & 1 ? &x : &y;
			rest_both();
			if (i % 5 == 4) {
				crypt_rec_rekey(p, t0);
			}
			f = put(p, "back again", false);
			rest_both();
			crosses = put(q, "not knowing", false);
			rest_both();
			is_ok(get(p, &crosses));
			arrived(q, p, &crosses);
			rest_both();
			is_ok(get(q, &f));
			arrived(p, q, &f);
		}
		assert_true(x.tx_gen >= 3 && y.tx_gen == x.tx_gen);
		assert_true(x.tx_gen == y.rx_gen && y.tx_gen == x.rx_gen);
		done();
	}
}

/* its old keys are those of before the rest, and stay over the next one */
static void old_frames_find_their_keys_after_a_rest(void **st)
{
	struct frame late, next, later;

	(void)st;
	both_spoke();
	late = put(&x, "late", false);
	later = put(&x, "later still", false);
	assert_true(crypt_rec_rekey(&x, t0));
	next = put(&x, "next", false);
	crypt_rec_rest(&y);
	assert_true(asleep(&y));
	is_ok(get(&y, &next));
	is_ok(get(&y, &late));
	crypt_rec_rest(&y);
	assert_true(asleep(&y));
	is_ok(get(&y, &later));
	done();
}

static void who_rests_believes_no_more(void **st)
{
	struct frame f, bad;

	(void)st;
	both_spoke();
	f = bad = put(&x, "true", false);
	bad.b[bad.n - 1] ^= 1;
	crypt_rec_rest(&y);
	is_not(get(&y, &bad), CRYPT_BAD_TAG);
	crypt_rec_rest(&y);
	is_ok(get(&y, &f));
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rests_and_goes_on),
		cmocka_unit_test(old_frames_find_their_keys_after_a_rest),
		cmocka_unit_test(who_rests_believes_no_more),
	};

	return cmocka_run_group_tests(tests, start, end);
}
