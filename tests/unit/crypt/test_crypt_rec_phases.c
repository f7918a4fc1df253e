/* rekeying with phases (smtcp(7)) */
#include "tests/unit/crypt/rec.h"

#include "stack/base/rng.h"

static void frames_of_two_generations_come_in_any_order(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 4);
	for (unsigned t = 0; t < 200; t++) {
		struct frame f[8];
		unsigned order[8], n_first = (unsigned)rng_below(&r, 8);

		both_spoke();
		/* somewhere in the sequence of generations */
		for (unsigned i = 0; i < t % 5; i++) {
			struct frame g;

			assert_true(crypt_rec_rekey(&x, t0));
			g = carry(&x, &y, "");
			arrived(&x, &y, &g);
			g = carry(&y, &x, "");
			arrived(&y, &x, &g);
		}
		for (unsigned i = 0; i < 8; i++) {
			if (i == n_first) {
				assert_true(crypt_rec_rekey(&x, t0));
			}
			f[i] = put(&x, "data", false);
			assert_int_equal(has_rekey(&f[i]), i == n_first);
			order[i] = i;
		}
		for (unsigned i = 7; i > 0; i--) {
			unsigned j = (unsigned)rng_below(&r, i + 1);
			unsigned s = order[i];

			order[i] = order[j];
			order[j] = s;
		}
		for (unsigned i = 0; i < 8; i++) {
			is_ok(get(&y, &f[order[i]]));
		}
		/* copies, too, while the keys are there */
		for (unsigned i = 0; i < 8; i++) {
			is_ok(get(&y, &f[i]));
		}
		assert_int_equal(y.rx_gen, t % 5 + 1);
		crypt_rec_received(&y, f[n_first].at);
		assert_non_null(y.rx_old.k);
		crypt_rec_received(&y, f[n_first].at + 1);
		assert_null(y.rx_old.k);
		if (n_first > 0) {
			is_not(get(&y, &f[0]), CRYPT_BAD_PHASE);
		}
		is_ok(get(&y, &f[7]));
		done();
	}
}

/* the first frame of a generation is late: the old keys stay until it came */
static void old_keys_stay_until_the_first_frame_came(void **st)
{
	struct frame old, first, second;

	(void)st;
	both_spoke();
	old = put(&x, "old", false);
	assert_true(crypt_rec_rekey(&x, t0));
	first = put(&x, "first", false);
	second = carry(&x, &y, "second");
	assert_int_equal(y.rx_gen, 1);
	crypt_rec_received(&y, first.at);
	is_ok(get(&y, &old));
	is_ok(get(&y, &first));
	crypt_rec_received(&y, second.at + second.n);
	is_not(get(&y, &old), CRYPT_BAD_PHASE);
	done();
}

/* no third generation in flight: the next waits for the DATA_ACK of our first
 * frame, and until the peer's older frames are through */
static void at_most_two_generations_are_in_flight(void **st)
{
	struct frame f, g;

	(void)st;
	both(true);
	assert_false(crypt_rec_rekey(&x, t0));
	f = put(&x, "", false);
	g = carry(&y, &x, "");
	is_ok(get(&y, &f));
	crypt_rec_acked(&x, f.n);
	crypt_rec_acked(&y, g.n);
	crypt_rec_received(&y, f.n);
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_received(&x, g.n);
	assert_true(crypt_rec_rekey(&x, t0));
	f = carry(&x, &y, "");
	g = carry(&y, &x, "");
	assert_true(has_rekey(&g));
	crypt_rec_received(&x, g.at + g.n);
	/* answered, but not acknowledged */
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_acked(&x, f.at + f.n - 1);
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_acked(&x, f.at + f.n);
	assert_true(crypt_rec_rekey(&x, t0));
	f = carry(&x, &y, "");
	crypt_rec_received(&y, f.at + f.n);
	/* y's first frame of generation 1 has no DATA_ACK yet; x has it, or
	 * would not have begun */
	assert_false(y.tx_marked);
	assert_true(crypt_rec_due(&y));
	g = carry(&y, &x, "");
	assert_true(has_rekey(&g));
	/* x's own next one waits until the older of y's frames are through */
	crypt_rec_acked(&x, x.tx_next);
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_received(&x, g.at + g.n);
	assert_true(crypt_rec_rekey(&x, t0));
	done();
}

/* forged phases cost one derivation, and move nothing */
static void forged_phases_move_nothing(void **st)
{
	struct frame f, g;

	(void)st;
	both_spoke();
	f = put(&x, "data", false);
	for (unsigned i = 1; i < 4; i++) {
		for (unsigned again = 0; again < 3; again++) {
			g = f;
			g.b[0] = (uint8_t)(i << CRYPT_FRAME_PHASE_SHIFT | 1);
			is_not(get(&y, &g),
			       i == 1 ? CRYPT_BAD_TAG : CRYPT_BAD_PHASE);
		}
	}
	assert_int_equal(y.rx_gen, 0);
	is_ok(get(&y, &f));
	assert_true(crypt_rec_rekey(&x, t0));
	carry(&x, &y, "new");
	done();
}

/* A peer that keeps no rule: what it sealed is authentic, and refused.  bits:
 * of the control octet, sealed over. */
static struct frame lie(struct crypt_rec *r, uint64_t at, uint8_t control)
{
	struct frame f = { .at = at, .n = 20, .b = { control, 0, 17 } };
	const uint8_t flags = 0;
	struct iov in = { &flags, 1 };
	struct iov_mut v = { f.b + 3, 17 };
	uint8_t n[12];

	memcpy(n, r->tx.nr, 12);
	be64_put(n + 4, be64_get(n + 4) ^ at);
	assert_true(aead_seal(r->tx.k, n, f.b, 3, &in, 1, &v, 1));
	return f;
}

static void generations_follow_their_first_frames(void **st)
{
	struct frame f;

	(void)st;
	both_spoke();
	f = lie(&x, 100, CRYPT_FRAME_REKEY); /* of generation 0 */
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	f = lie(&x, 400, 0);
	is_ok(get(&y, &f));
	assert_true(crypt_rec_rekey(&x, t0));
	f = lie(&x, 300, 3); /* before what was older */
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	assert_int_equal(y.rx_gen, 0);
	f = lie(&x, 500, 3);
	is_ok(get(&y, &f));
	assert_int_equal(y.rx_gen, 1);
	f = lie(&x, 600, 3); /* a second one */
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	f = lie(&x, 450, 2);
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	f = lie(&x, 600, 2);
	is_ok(get(&y, &f));
	assert_int_equal(y.rx_frames, 4);
	assert_true(crypt_reason_faulty(CRYPT_BAD_REKEY));
	done();
	/* a generation that never began is known when all is there */
	both_spoke();
	x.tx_first = true;
	assert_true(crypt_rec_rekey(&x, t0) == false);
	x.tx_first = false;
	assert_true(crypt_rec_rekey(&x, t0));
	f = lie(&x, 20, 2);
	is_ok(get(&y, &f));
	arrived(&x, &y, &f);
	f = lie(&x, 40, 2);
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	done();
}

/* phases go round: 0 1 2 3 0 1 */
static void phases_go_round(void **st)
{
	(void)st;
	both_spoke();
	for (unsigned i = 1; i < 10; i++) {
		struct crypt_rec *p = i & 1 ? &x : &y, *q = i & 1 ? &y : &x;
		struct frame f, g;

		assert_true(crypt_rec_rekey(p, t0));
		f = put(p, "", false);
		assert_int_equal(f.b[0], (i % 4) << 1 | 1);
		is_ok(get(q, &f));
		arrived(p, q, &f);
		g = put(q, "", false);
		assert_int_equal(g.b[0], (i % 4) << 1 | 1);
		is_ok(get(p, &g));
		arrived(q, p, &g);
		assert_true(x.rx_gen == i && y.rx_gen == i);
	}
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_two_generations_come_in_any_order),
		cmocka_unit_test(old_keys_stay_until_the_first_frame_came),
		cmocka_unit_test(at_most_two_generations_are_in_flight),
		cmocka_unit_test(forged_phases_move_nothing),
		cmocka_unit_test(generations_follow_their_first_frames),
		cmocka_unit_test(phases_go_round),
	};

	return cmocka_run_group_tests(tests, start, end);
}
