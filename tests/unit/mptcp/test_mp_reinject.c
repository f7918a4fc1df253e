/* RFC 8684 3.3.6: data of a subflow that fails */
#include "tests/unit/mptcp/common.h"

static void both_paths_carry_data(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 1);
	P.link[0].rate = P.link[1].rate = 12500000 / 8;
	up(true);
	transfer(3000000, 3000000, 20 * NANOS_S);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 2);
	assert_true(i.sub[0].bytes_sent > 500000);
	assert_true(i.sub[1].bytes_sent > 500000);
	finish();
}

static nanos arrival_gap; /* longest silence at the server's application */
static struct instant last_at;
static uint64_t last_got;

static bool watch(const struct mpair *p)
{
	if (p->end[1].app.got != last_got) {
		nanos gap = instant_since(p->now, last_at);

		if (last_got && gap > arrival_gap) {
			arrival_gap = gap;
		}
		last_got = p->end[1].app.got;
		last_at = p->now;
	}
	return mpair_arrived(p);
}

/* statement 91, and the demo's silent cut */
static void cut(unsigned link, bool v6)
{
	struct mp_info i;

	mpair_defaults(&P, 2 + link);
	P.v6 = v6;
	P.link[0].rate = P.link[1].rate = 12500000;
	up(true);
	arrival_gap = 0;
	last_got = 0;
	last_at = P.now;
	mpair_send(&P, 0, 40000000, true);
	mpair_send(&P, 1, 20000000, true);
	mpair_run(&P, 500 * NANOS_MS, watch);
	P.link[link].cut = true;
	assert_true(mpair_run(&P, 30 * NANOS_S, watch));
	assert_true(arrival_gap < 1200 * NANOS_MS);
	assert_false(P.end[0].app.mangled);
	assert_false(P.end[1].app.mangled);
	get_info(0, &i);
	assert_true(i.bytes_reinjected > 0);
	assert_int_equal(i.mode, MP_MODE_MPTCP);
	mpair_close(&P, 0, false);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, 120 * NANOS_S, mpair_gone));
	mpair_stop(&P);
}

static void first_path_cut(void **state)
{
	(void)state;
	cut(0, false);
}

static void second_path_cut(void **state)
{
	(void)state;
	cut(1, true);
}

static void path_cut_and_back(void **state)
{
	(void)state;
	mpair_defaults(&P, 7);
	P.link[0].rate = P.link[1].rate = 2500000;
	up(true);
	mpair_send(&P, 0, 30000000, false);
	mpair_sleep(&P, 500 * NANOS_MS);
	P.link[1].cut = true;
	mpair_sleep(&P, 3 * NANOS_S);
	assert_true(count(0, MP_SUBFLOW_STALE) > 0);
	P.link[1].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	assert_true(count(0, MP_SUBFLOW_RECOVER) > 0);
	assert_false(P.end[1].app.mangled);
	finish();
}

static void path_goes_down(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 8);
	P.link[0].rate = P.link[1].rate = 2500000;
	up(true);
	mpair_send(&P, 0, 5000000, false);
	mpair_sleep(&P, 300 * NANOS_MS);
	mpair_path(&P, 0, 0, false);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	assert_true(count(0, MP_RM_ADDR_TX) > 0);
	assert_true(count(1, MP_RM_ADDR_RX) > 0);
	mpair_path(&P, 0, 0, true);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_two_subs));
	transfer(1000000, 1000000, 20 * NANOS_S);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 3);
	finish();
}

/* RFC 8684 3.3.3: break before make */
static void all_paths_cut_then_back(void **state)
{
	(void)state;
	mpair_defaults(&P, 9);
	up(true);
	mpair_send(&P, 0, 3000000, false);
	mpair_sleep(&P, 50 * NANOS_MS);
	P.link[0].cut = P.link[1].cut = true;
	mpair_sleep(&P, 20 * NANOS_S);
	P.link[0].cut = P.link[1].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	finish();
}

static void drop_some(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	p->drop = rng_below(&P.rng, 100) < 3;
	p->delay = (nanos)rng_below(&P.rng, 4) * NANOS_MS;
}

static void loss_and_reordering(void **state)
{
	(void)state;
	for (uint64_t seed = 20; seed < 30; seed++) {
		mpair_defaults(&P, seed);
		P.mbox = drop_some;
		P.end[0].cfg.checksum = seed & 1;
		up(false);
		transfer(400000, 400000, 120 * NANOS_S);
		finish();
	}
}

/* statement 102: the window is full because of the slow subflow */
static void slow_subflow_does_not_block(void **state)
{
	(void)state;
	mpair_defaults(&P, 31);
	P.link[0].rate = 12500000;
	P.link[1].rate = 50000;
	P.link[1].delay = 300 * NANOS_MS;
	P.link[1].queue_max = 1 << 20;
	P.end[1].conf.rcvbuf = 128 << 10;
	up(true);
	transfer(6000000, 0, 30 * NANOS_S);
	assert_true(count(0, MP_REINJECT) > 0);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_paths_carry_data),
		cmocka_unit_test(first_path_cut),
		cmocka_unit_test(second_path_cut),
		cmocka_unit_test(path_cut_and_back),
		cmocka_unit_test(path_goes_down),
		cmocka_unit_test(all_paths_cut_then_back),
		cmocka_unit_test(loss_and_reordering),
		cmocka_unit_test(slow_subflow_does_not_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
