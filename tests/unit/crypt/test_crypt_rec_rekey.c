/* rekeying (RFC 8548 3.8), and when */
#include "tests/unit/crypt/rec.h"

static void one_side_rekeys_the_other_answers(void **st)
{
	struct frame f, g;

	(void)st;
	both(false);
	assert_false(crypt_rec_due(&x));
	assert_true(crypt_rec_rekey(&x, t0));
	assert_true(crypt_rec_due(&x));
	/* not twice while one is under way */
	assert_false(crypt_rec_rekey(&x, t0));
	f = put(&x, "", false);
	assert_true(has_rekey(&f));
	assert_false(crypt_rec_due(&x));
	assert_false(crypt_rec_rekey(&x, t0));
	g = put(&x, "next", false);
	assert_false(has_rekey(&g));
	is_ok(get(&y, &f));
	is_ok(get(&y, &g));
	assert_int_equal(y.rx_gen, 1);
	assert_int_equal(y.tx_gen, 0);
	assert_true(crypt_rec_due(&y));
	f = put(&y, "answer", false);
	assert_true(has_rekey(&f));
	assert_int_equal(y.tx_gen, 1);
	assert_false(crypt_rec_due(&y));
	is_ok(get(&x, &f));
	assert_false(crypt_rec_due(&x));
	/* and again, many times, by turns */
	for (unsigned i = 0; i < 20; i++) {
		struct crypt_rec *p = i & 1 ? &x : &y, *q = i & 1 ? &y : &x;

		assert_true(crypt_rec_rekey(p, t0));
		f = put(p, "a", false);
		g = put(p, "b", false);
		is_ok(get(q, &f));
		is_ok(get(q, &g));
		carry(q, p, "c");
		assert_true(x.tx_gen == y.rx_gen && y.tx_gen == x.rx_gen &&
			    x.tx_gen == i + 2);
	}
	done();
}

static void rekeyings_cross(void **st)
{
	(void)st;
	for (unsigned phases = 0; phases < 2; phases++) {
		struct frame f, g;

		if (phases) {
			both_spoke();
		} else {
			both(false);
		}
		assert_true(crypt_rec_rekey(&x, t0));
		assert_true(crypt_rec_rekey(&y, t0));
		f = put(&x, "", false);
		g = put(&y, "", false);
		is_ok(get(&y, &f));
		is_ok(get(&x, &g));
		/* each is the other's answer */
		assert_false(crypt_rec_due(&x) || crypt_rec_due(&y));
		assert_true(x.tx_gen == 1 && x.rx_gen == 1 && y.tx_gen == 1 &&
			    y.rx_gen == 1);
		f = carry(&x, &y, "x");
		assert_false(has_rekey(&f));
		done();
	}
}

/* begun, but before its first frame the peer's came: one frame says both */
static void a_rekeying_that_was_not_shown_yet_is_the_answer(void **st)
{
	struct frame f;

	(void)st;
	both(false);
	assert_true(crypt_rec_rekey(&x, t0));
	assert_true(crypt_rec_rekey(&y, t0));
	carry(&x, &y, "");
	f = put(&y, "", false);
	assert_true(has_rekey(&f));
	assert_int_equal(y.tx_gen, 1);
	is_ok(get(&x, &f));
	assert_false(crypt_rec_due(&x) || crypt_rec_due(&y));
	done();
}

/* a peer two generations ahead is followed step by step: it counts frames */
static void catches_up_step_by_step(void **st)
{
	struct frame g;

	(void)st;
	both(false);
	for (unsigned i = 0; i < 3; i++) {
		x.rx_gen = x.tx_gen; /* as a peer may do that has data */
		assert_true(crypt_rec_rekey(&x, t0));
		carry(&x, &y, "data");
	}
	x.rx_gen = 0;
	assert_int_equal(y.rx_gen, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(crypt_rec_due(&y));
		g = carry(&y, &x, "");
		assert_true(has_rekey(&g));
	}
	assert_false(crypt_rec_due(&y));
	assert_int_equal(x.rx_gen, 3);
	done();
}

/* no answer after FINp, and none is waited for */
static void rekeying_after_the_end_mark(void **st)
{
	struct frame f;

	(void)st;
	both(false);
	f = put(&y, "", true);
	is_ok(get(&x, &f));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(crypt_rec_rekey(&x, t0));
		carry(&x, &y, "more");
		assert_false(crypt_rec_due(&y));
	}
	assert_int_equal(x.tx_gen, 3);
	done();
}

static void rekeys_by_volume_and_time(void **st)
{
	struct frame f;
	unsigned keys = 0;

	(void)st;
	both(false);
	conf.rekey_frames = 4;
	for (unsigned i = 0; i < 20; i++) {
		f = put(&x, "12345", false);
		keys += has_rekey(&f);
		assert_int_equal(has_rekey(&f), i > 0 && i % 4 == 0);
		is_ok(get(&y, &f));
		while (crypt_rec_due(&y)) {
			carry(&y, &x, "");
		}
	}
	assert_int_equal(keys, 4);
	/* unanswered: it waits, and goes on with the old key */
	conf.rekey_frames = 1;
	f = put(&x, "", false);
	f = put(&x, "", false);
	assert_false(has_rekey(&f));
	done();
	both(false);
	conf.rekey_bytes = 100;
	for (unsigned i = 0; i < 6; i++) {
		f = put(&x, "12345", false); /* 25 octets */
		assert_int_equal(has_rekey(&f), i == 4);
	}
	done();
	both(false);
	conf.rekey_time = 10;
	f = put(&x, "", false);
	assert_false(has_rekey(&f));
	x.tx_since.ns -= 10;
	f = put(&x, "", false);
	assert_true(has_rekey(&f));
	done();
}

/* no key seals more than 2^24 frames or 2^37 octets, answered or not */
static void a_worn_out_key_seals_no_more(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		struct frame f, g;

		both_spoke();
		conf.rekey_frames = conf.rekey_bytes = 0;
		if (t & 1) {
			x.key_frames = (1 << 23) - 1;
		} else {
			x.key_bytes = ((uint64_t)1 << 36) - 25;
		}
		f = put(&x, "12345", false);
		assert_false(has_rekey(&f));
		if (t & 2) {
			f = carry(&x, &y, "");
			assert_true(has_rekey(&f));
			done();
			continue;
		}
		x.tx_marked = false; /* may not begin */
		if (t & 1) {
			x.key_frames = (1 << 24) - 1;
		} else {
			x.key_bytes = ((uint64_t)1 << 37) - 65538;
		}
		f = put(&x, "12345", false);
		assert_false(has_rekey(&f));
		is_not(try_seal(&x, &g, x.tx_next, "",
				(struct crypt_seal){ 0 }),
		       CRYPT_REFUSE_WORN);
		assert_int_equal(g.n, 0);
		crypt_rec_acked(&x, f.at + f.n);
		g = put(&x, "", false);
		assert_true(has_rekey(&g));
		done();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_side_rekeys_the_other_answers),
		cmocka_unit_test(rekeyings_cross),
		cmocka_unit_test(
			a_rekeying_that_was_not_shown_yet_is_the_answer),
		cmocka_unit_test(catches_up_step_by_step),
		cmocka_unit_test(rekeying_after_the_end_mark),
		cmocka_unit_test(rekeys_by_volume_and_time),
		cmocka_unit_test(a_worn_out_key_seals_no_more),
	};

	return cmocka_run_group_tests(tests, start, end);
}
