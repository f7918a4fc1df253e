/* RFC 8684 3.3.6: data of a subflow that fails */
#include "tests/unit/mptcp/tapped.h"

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
	finish();
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

/* --- sealed ------------------------------------------------------------------ */

static struct mp_sub *sub(unsigned n)
{
	struct list *l = tapped_conn(0)->subs.next;

	while (n--) {
		l = l->next;
	}
	return list_entry(l, struct mp_sub, node);
}

/* a mapping of several frames, outstanding on subflow 0 */
static struct mp_map outstanding(uint64_t seed)
{
	tapped_defaults(seed);
	P.link[1].delay = 500 * NANOS_MS;
	up(true);
	transfer(100000, 0, 10 * NANOS_S);
	mpair_sleep(&P, 5 * NANOS_S);
	mp_seal_window(tapped_conn(0), 12000); /* no longer frames than 3000 */
	tapped_conn(0)->seal->quarter = 3000;
	P.link[0].cut = P.link[1].cut = true;
	mpair_send(&P, 0, 9000, false);
	assert_int_equal(sub(0)->tx.n, 1);
	assert_int_equal(sub(1)->tx.n, 0);
	return *mp_map_at(&sub(0)->tx, 0);
}

static void end_of_it(void)
{
	P.link[0].cut = P.link[1].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	assert_false(P.end[1].app.mangled);
	tapped_close();
}

/* of a mapping that is not complete nothing was verified */
static void whole_mapping_again(void **state)
{
	struct ranges *again;
	struct mp_map m;

	(void)state;
	m = outstanding(40);
	again = &tapped_conn(0)->snd.again;
	assert_true(m.len > 4 * 2000);
	/* the subflow acknowledges most of it */
	sub(0)->seg_dss = sub(0)->seg_dack = true;
	mp_ack_sub(sub(0), P.now, m.ssn + m.len - 100);
	mp_sub_abort(sub(0), P.now);
	assert_int_equal(again->n, 1);
	assert_int_equal(again->r[0].lo, m.off);
	assert_int_equal(again->r[0].hi, tapped_conn(0)->snd.nxt);
	end_of_it();
}

/* also while the subflow lives, and only does not answer */
static void whole_mapping_of_a_silent_path(void **state)
{
	struct ranges *again;
	struct mp_map m;

	(void)state;
	m = outstanding(44);
	again = &tapped_conn(0)->snd.again;
	sub(0)->seg_dss = sub(0)->seg_dack = true;
	mp_ack_sub(sub(0), P.now, m.ssn + m.len - 100);
	mp_reinject_sub(sub(0), P.now);
	assert_int_equal(again->n, 1);
	assert_int_equal(again->r[0].lo, m.off);
	assert_int_equal(again->r[0].hi, m.off + m.len);
	end_of_it();
}

/* nor of one that is, and was not acknowledged where it counts */
static void acknowledged_and_forgotten(void **state)
{
	struct ranges *again;
	struct mp_map m;

	(void)state;
	m = outstanding(41);
	again = &tapped_conn(0)->snd.again;
	sub(0)->seg_dss = sub(0)->seg_dack = true;
	mp_ack_sub(sub(0), P.now, m.ssn + m.len);
	assert_int_equal(sub(0)->tx.n, 0);
	assert_int_equal(again->n, 0);
	mp_sub_abort(sub(0), P.now);
	assert_int_equal(again->n, 1);
	assert_int_equal(again->r[0].lo, m.off);
	assert_int_equal(again->r[0].hi, m.off + m.len);
	end_of_it();
}

/* ... but not what another subflow still has */
static void held_by_another(void **state)
{
	struct mp_conn *c;
	struct mp_map m;
	uint64_t cut;

	(void)state;
	m = outstanding(42);
	c = tapped_conn(0);
	cut = mp_frames_fit(&c->seal->frames, m.off, m.off);
	assert_true(mp_tx_push(sub(1), P.now, m.off, (uint32_t)(cut - m.off),
			       true));
	sub(0)->seg_dss = sub(0)->seg_dack = true;
	mp_ack_sub(sub(0), P.now, m.ssn + m.len);
	mp_sub_abort(sub(0), P.now);
	assert_int_equal(c->snd.again.n, 1);
	assert_int_equal(c->snd.again.r[0].lo, cut);
	end_of_it();
}

/* ranges are rounded to frames, both ways */
static void ranges_are_whole_frames(void **state)
{
	struct mp_conn *c;
	struct mp_map m;
	uint64_t two, three;

	(void)state;
	m = outstanding(43);
	c = tapped_conn(0);
	two = mp_frames_fit(&c->seal->frames, m.off, m.off);
	three = mp_frames_fit(&c->seal->frames, two, two);
	mp_reinject_range(c, two + 1, two + 2);
	assert_int_equal(c->snd.again.n, 1);
	assert_int_equal(c->snd.again.r[0].lo, two);
	assert_int_equal(c->snd.again.r[0].hi, three);
	mp_reinject_range(c, m.off, m.off + 1);
	assert_int_equal(c->snd.again.n, 1);
	assert_int_equal(c->snd.again.r[0].lo, m.off);
	assert_int_equal(c->snd.again.r[0].hi, three);
	end_of_it();
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
		cmocka_unit_test(whole_mapping_again),
		cmocka_unit_test(whole_mapping_of_a_silent_path),
		cmocka_unit_test(acknowledged_and_forgotten),
		cmocka_unit_test(held_by_another),
		cmocka_unit_test(ranges_are_whole_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
