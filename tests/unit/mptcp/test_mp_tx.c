/* bursts, Nagle and cork, made at the connection level */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp.h"
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

/* statement 100, and growing by need */
static void ring_is_bounded(void **state)
{
	(void)state;
	start(5, false);
	P.link[0].cut = true;
	mpair_send(&P, 0, 20000000, false);
	assert_true(P.end[0].app.sent <= (4 << 20) + 1);
	assert_int_equal(mp_write_room(P.end[0].app.c), 0);
	assert_true(mp_write_pending(P.end[0].app.c) >= 4 << 20);
	P.link[0].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	finish();
}

/* statement 83: a subflow that does not answer keeps what it may have to send
 * again, without keeping the ring */
static void stale_subflow_frees_the_ring(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 6);
	P.link[0].rate = P.link[1].rate = 2500000;
	P.end[0].conf.sndbuf = 256 << 10;
	up(true);
	mpair_send(&P, 0, 20000000, false);
	mpair_sleep(&P, NANOS_S);
	P.link[1].cut = true;
	mpair_sleep(&P, 5 * NANOS_S);
	get_info(0, &i);
	assert_true(i.sub[1].stale);
	/* the other path alone carries what it can */
	uint64_t before = P.end[1].app.got;

	mpair_sleep(&P, 2 * NANOS_S);
	assert_true(P.end[1].app.got - before > 4000000);
	/* and what the dead one retransmits when it lives again is right */
	P.link[1].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	mpair_sleep(&P, 30 * NANOS_S);
	assert_false(P.end[1].app.mangled);
	finish();
}

/* --- sealed ------------------------------------------------------------------ */

/* sealed, and no memory for the mapping: mapped as it is with the next attempt,
 * neither sealed again nor with what came meanwhile in half a frame */
static void no_memory_for_the_mapping(void **state)
{
	struct mp_conn *c;
	struct mp_sub *s;
	uint64_t tail;

	(void)state;
	tapped_one_path(40);
	P.end[0].conf.nodelay = true;
	up(false);
	mpair_sleep(&P, NANOS_S);
	c = tapped_conn(0);
	s = c->first;
	P.link[0].cut = true;
	/* until the next mapping needs memory and nothing else does */
	while (s->tx.head + s->tx.n < s->tx.cap || !s->tx.n ||
	       c->seal.frames.n == c->seal.frames.cap) {
		mpair_send(&P, 0, 10, false);
		assert_true(s->tx.n < 1000);
	}
	tail = c->snd.ring.tail;
	P.end[0].fake.fail_at = 1;
	mpair_send(&P, 0, 10, false);
	assert_int_equal(P.end[0].fake.fail_at, 0);
	assert_int_equal(c->snd.ring.tail, tail + 30);
	assert_int_equal(c->snd.nxt, tail);
	assert_true(mp_tx_waiting(c));
	P.link[0].cut = false;
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	assert_false(mp_tx_waiting(c));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nagle),
		cmocka_unit_test(nodelay),
		cmocka_unit_test(cork),
		cmocka_unit_test(full_segments),
		cmocka_unit_test(ring_is_bounded),
		cmocka_unit_test(stale_subflow_frees_the_ring),
		cmocka_unit_test(no_memory_for_the_mapping),
		cmocka_unit_test(sealed_bursts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
