/* connections at rest give their buffers back, and work afterwards */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp.h"

#define REST (3 * NANOS_S)

static bool quiet(unsigned end)
{
	return !wheel_armed(&P.end[end].mp->idle.timer) &&
	       list_empty(&P.end[end].mp->idle.conns);
}

static bool holds_ring(unsigned end)
{
	return tapped_conn(end)->snd.ring.buf != NULL;
}

/* octets both ways, a rest, and again: the same memory after each rest */
static void gives_back(bool sealed, enum mp_policy server)
{
	uint64_t used[2] = { 0 };

	mpair_defaults(&P, 3);
	P.end[0].n_paths = 1;
	P.end[1].cfg.policy = server;
	if (sealed) {
		P.end[0].cfg.crypt_policy = MP_CRYPT_REQUIRE;
		P.end[1].cfg.crypt_policy = MP_CRYPT_REQUIRE;
	}
	up(false);
	for (unsigned round = 0; round < 3; round++) {
		transfer(300000, 200000, 20 * NANOS_S);
		assert_true(holds_ring(0) && holds_ring(1));
		mpair_sleep(&P, REST);
		for (unsigned e = 0; e < 2; e++) {
			assert_false(holds_ring(e));
			assert_true(quiet(e));
			if (round > 0) {
				assert_int_equal(P.end[e].fake.mem.used,
						 used[e]);
			}
			used[e] = P.end[e].fake.mem.used;
		}
	}
	finish();
}

static void plain_gives_back(void **state)
{
	(void)state;
	gives_back(false, MP_OFF);
}

static void multipath_gives_back(void **state)
{
	(void)state;
	gives_back(false, MP_PREFER);
}

static void sealed_gives_back(void **state)
{
	(void)state;
	gives_back(true, MP_PREFER);
}

static struct crypt_info crypt_of(unsigned end)
{
	struct crypt_info info;

	crypt_info(tapped_conn(end)->crypt.k, &info);
	return info;
}

/* the keys stay while their contexts are gone: those of a rekeying, too */
static void sealed_rests_over_rekeyings(void **state)
{
	struct crypt_info before, now;

	(void)state;
	mpair_defaults(&P, 8);
	for (unsigned e = 0; e < 2; e++) {
		P.end[e].cfg.crypt_policy = MP_CRYPT_REQUIRE;
		P.end[e].cfg.crypt_conf.rekey_frames = 10;
	}
	up(false);
	for (unsigned round = 0; round < 4; round++) {
		before = crypt_of(round & 1);
		transfer(300000, 200000, 20 * NANOS_S);
		now = crypt_of(round & 1);
		assert_true(now.tx_gen > before.tx_gen);
		assert_true(now.rx_gen > before.rx_gen);
		mpair_sleep(&P, REST);
		transfer(1, round & 1, 20 * NANOS_S);
		mpair_sleep(&P, REST);
	}
	finish();
}

/* who is busy now and then keeps what it has */
static void busy_keeps(void **state)
{
	(void)state;
	mpair_defaults(&P, 4);
	P.end[0].n_paths = 1;
	up(false);
	for (unsigned i = 0; i < 20; i++) {
		transfer(100, 0, NANOS_S);
		mpair_sleep(&P, MP_IDLE_STEP / 2);
		assert_true(holds_ring(0));
	}
	mpair_sleep(&P, REST);
	assert_false(holds_ring(0));
	finish();
}

/* what waits for an acknowledgement stays */
static void unacknowledged_stays(void **state)
{
	(void)state;
	mpair_defaults(&P, 5);
	P.end[0].n_paths = 1;
	up(false);
	P.link[0].cut = true;
	mpair_send(&P, 0, 50000, false);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_true(holds_ring(0));
	assert_int_equal(ring_len(&tapped_conn(0)->snd.ring), 50000);
	P.link[0].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	mpair_sleep(&P, REST);
	assert_false(holds_ring(0));
	finish();
}

/* room was asked for and not used */
static void unused_room(void **state)
{
	struct iov_mut v[2];

	(void)state;
	mpair_defaults(&P, 6);
	P.end[0].n_paths = 1;
	up(false);
	mpair_sleep(&P, REST);
	assert_false(holds_ring(0));
	assert_in_range(mp_write_vec(tapped_conn(0), 100, v), 1, 2);
	mp_write_done(tapped_conn(0), P.now, 0);
	assert_true(holds_ring(0));
	mpair_sleep(&P, REST);
	assert_false(holds_ring(0));
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, true);
	assert_true(mpair_run(&P, 120 * NANOS_S, mpair_gone));
	mpair_stop(&P);
}

static unsigned rests;

static void count_rest(void *ctx)
{
	(void)ctx;
	rests++;
}

/* a good moment to give pages back is also when everything is over */
static void over_is_rest(void **state)
{
	(void)state;
	mpair_defaults(&P, 3);
	P.end[0].n_paths = 1;
	up(false);
	transfer(30000, 0, 20 * NANOS_S);
	P.end[0].fake.mem.rest = count_rest;
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, true);
	assert_true(mpair_run(&P, 120 * NANOS_S, mpair_gone));
	rests = 0;
	mpair_sleep(&P, REST);
	assert_true(quiet(0));
	assert_int_equal(rests, 1);
	mpair_stop(&P);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_gives_back),
		cmocka_unit_test(multipath_gives_back),
		cmocka_unit_test(sealed_gives_back),
		cmocka_unit_test(sealed_rests_over_rekeyings),
		cmocka_unit_test(busy_keeps),
		cmocka_unit_test(unacknowledged_stays),
		cmocka_unit_test(unused_room),
		cmocka_unit_test(over_is_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
