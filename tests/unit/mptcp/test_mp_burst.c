/* bursts, Nagle and cork, made at the connection level */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp_burst.h"

#include "stack/wire/tcp_hdr.h"

static struct {
	unsigned data, full, small;
	uint32_t lens[64];
	unsigned n;
	struct instant last;
} seen;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from != 0 || !p->seg.len) {
		return;
	}
	seen.data++;
	seen.full += p->seg.len >= 1400;
	seen.small += p->seg.len < 1400;
	if (seen.n < 64) {
		seen.lens[seen.n++] = p->seg.len;
	}
	seen.last = P.now;
}

static void start(uint64_t seed, bool plain)
{
	mpair_defaults(&P, seed);
	P.tap = watch;
	P.end[0].n_paths = 1;
	if (plain) {
		P.end[1].cfg.policy = MP_OFF;
	}
	up(false);
	mpair_send(&P, 0, 1, false);
	mpair_send(&P, 1, 1, false);
	mpair_sleep(&P, NANOS_S);
	memset(&seen, 0, sizeof(seen));
}

static void write_small(unsigned times, uint32_t n)
{
	for (unsigned i = 0; i < times; i++) {
		mpair_send(&P, 0, n, false);
	}
}

/* one small segment at a time */
static void nagle(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		start(1, plain);
		write_small(20, 10);
		assert_int_equal(seen.data, 1);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(seen.data, 2);
		assert_int_equal(seen.lens[1], 190);
		finish();
	}
}

static void nodelay(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		start(2, plain);
		P.end[0].conf.nodelay = true;
		mp_set_conf(P.end[0].app.c, P.now, &P.end[0].conf);
		write_small(8, 10);
		assert_int_equal(seen.data, 8);
		finish();
	}
}

static void cork(void **state)
{
	struct instant t0;

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		start(3, plain);
		P.end[0].conf.cork = true;
		mp_set_conf(P.end[0].app.c, P.now, &P.end[0].conf);
		t0 = P.now;
		write_small(5, 100);
		assert_int_equal(seen.data, 0);
		write_small(10, 300); /* more than two segments in all */
		assert_int_equal(seen.full, seen.data);
		assert_true(seen.data >= 1);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(seen.small, 1);
		assert_true(instant_since(seen.last, t0) >= 200 * NANOS_MS);
		assert_true(instant_since(seen.last, t0) < 250 * NANOS_MS);
		/* uncorking lets it go at once */
		memset(&seen, 0, sizeof(seen));
		write_small(1, 50);
		assert_int_equal(seen.data, 0);
		P.end[0].conf.cork = false;
		mp_set_conf(P.end[0].app.c, P.now, &P.end[0].conf);
		mpair_sleep(&P, NANOS_MS);
		assert_int_equal(seen.data, 1);
		finish();
	}
}

/* bulk data leaves in full segments, but for the last */
static void full_segments(void **state)
{
	(void)state;
	start(4, false);
	transfer(2000000, 0, 30 * NANOS_S);
	assert_true(seen.small * 50 < seen.data);
	finish();
}

/* --- sealed ------------------------------------------------------------------ */

static void watch_both(void *ctx, const struct mpair_pkt *p)
{
	tap(ctx, p);
	watch(ctx, p);
}

static void settle(uint64_t seed)
{
	tapped_one_path(seed);
	P.tap = watch_both;
	up(false);
	mpair_send(&P, 0, 1, false);
	mpair_send(&P, 1, 1, false);
	mpair_sleep(&P, NANOS_S);
	memset(&seen, 0, sizeof(seen));
}

/* one small segment at a time, and the rest as one frame */
static void sealed_nagle(void **state)
{
	(void)state;
	settle(80);
	for (unsigned i = 0; i < 20; i++) {
		mpair_send(&P, 0, 10, false);
	}
	assert_int_equal(seen.data, 1);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(seen.data, 2);
	sealtap_check(&T);
	assert_int_equal(T.dir[0].data, 201);
	tapped_close();
}

static void sealed_nodelay(void **state)
{
	(void)state;
	settle(81);
	P.end[0].conf.nodelay = true;
	mp_set_conf(tapped_conn(0), P.now, &P.end[0].conf);
	for (unsigned i = 0; i < 8; i++) {
		mpair_send(&P, 0, 10, false);
	}
	assert_int_equal(seen.data, 8);
	tapped_close();
}

static void sealed_cork(void **state)
{
	struct instant t0;

	(void)state;
	settle(82);
	P.end[0].conf.cork = true;
	mp_set_conf(tapped_conn(0), P.now, &P.end[0].conf);
	t0 = P.now;
	for (unsigned i = 0; i < 5; i++) {
		mpair_send(&P, 0, 100, false);
	}
	assert_int_equal(seen.data, 0);
	for (unsigned i = 0; i < 10; i++) {
		mpair_send(&P, 0, 300, false);
	}
	assert_int_equal(seen.full, seen.data);
	assert_true(seen.data >= 1);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(seen.small, 1);
	assert_true(instant_since(seen.last, t0) >= 200 * NANOS_MS);
	assert_true(instant_since(seen.last, t0) < 250 * NANOS_MS);
	memset(&seen, 0, sizeof(seen));
	mpair_send(&P, 0, 50, false);
	assert_int_equal(seen.data, 0);
	P.end[0].conf.cork = false;
	mp_set_conf(tapped_conn(0), P.now, &P.end[0].conf);
	mpair_sleep(&P, NANOS_MS);
	assert_int_equal(seen.data, 1);
	tapped_close();
}

static void sealed_full_segments(void **state)
{
	(void)state;
	settle(83);
	transfer(2000000, 0, 30 * NANOS_S);
	assert_true(seen.small * 50 < seen.data);
	tapped_close();
}

/* the first word of a program waits for no acknowledgement of a frame that has
 * none of it */
static void first_word_at_once(void **state)
{
	(void)state;
	tapped_one_path(84);
	P.tap = watch_both;
	up(false);
	mpair_sleep(&P, 12 * NANOS_MS); /* Init2 is there, 10 ms round trip */
	memset(&seen, 0, sizeof(seen));
	mpair_send(&P, 0, 10, false);
	assert_int_equal(seen.data, 1);
	tapped_close();
}

/* full segments, and no more frames than needed */
static void sealed_bursts(void **state)
{
	(void)state;
	tapped_one_path(41);
	up(false);
	mpair_sleep(&P, NANOS_S);
	memset(&seen, 0, sizeof(seen));
	mpair_send(&P, 0, 10000, false);
	mpair_send(&P, 0, 2000, false);
	/* all that waits in one mapping and one frame; then only whole
	 * segments, as Nagle has it */
	sealtap_check(&T);
	assert_int_equal(T.dir[0].n_map, 4); /* with Init and first frame */
	assert_int_equal(T.dir[0].frames, 3);
	assert_int_equal(T.dir[0].map[2].len, 10020);
	assert_int_equal(T.dir[0].map[3].len,
			 tcp_mss(tapped_conn(0)->first->tcb));
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	tapped_close();
}

/* segments that are shorter than the least of a frame, on the subflow that the
 * scheduler likes best */
static void sealed_short_segments(void **state)
{
	(void)state;
	tapped_one_path(47);
	P.end[0].n_paths = 2;
	P.link[1].delay = NANOS_MS;
	P.end[0].conf.tcp.mss_clamp = 103;
	P.end[1].conf.tcp.mss_clamp = 103;
	up(true);
	assert_true(mp_burst_seg(list_entry(tapped_conn(0)->subs.prev,
					    struct mp_sub, node)) <
		    MP_SEAL_ROOM_MIN);
	transfer(3000, 3000, 5 * NANOS_S);
	tapped_close();
}

/* an answer to a rekeying waits neither for Nagle nor for cork */
static void rekey_answer_at_once(void **state)
{
	(void)state;
	for (unsigned cork = 0; cork < 2; cork++) {
		tapped_one_path(43 + cork);
		P.tap = watch_both;
		P.end[0].conf.cork = cork;
		up(false);
		mpair_sleep(&P, NANOS_S);
		mpair_send(&P, 0, 10, false);
		mpair_send(&P, 0, 10, false); /* waits */
		assert_int_equal(mp_rekey(tapped_conn(1), P.now), 0);
		memset(&seen, 0, sizeof(seen));
		mpair_sleep(&P, 6 * NANOS_MS); /* its frame is here */
		assert_int_equal(seen.data, 1);
		sealtap_check(&T);
		assert_int_equal(T.dir[0].rekeys, 1);
		assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
		tapped_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nagle),
		cmocka_unit_test(nodelay),
		cmocka_unit_test(cork),
		cmocka_unit_test(full_segments),
		cmocka_unit_test(sealed_nagle),
		cmocka_unit_test(sealed_nodelay),
		cmocka_unit_test(sealed_cork),
		cmocka_unit_test(sealed_full_segments),
		cmocka_unit_test(first_word_at_once),
		cmocka_unit_test(sealed_bursts),
		cmocka_unit_test(sealed_short_segments),
		cmocka_unit_test(rekey_answer_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
