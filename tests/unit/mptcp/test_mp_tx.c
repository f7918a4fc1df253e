/* the send ring, and what becomes of it when subflows or memory fail */
#include "tests/unit/mptcp/tapped.h"

/* statement 100, and growing by need */
static void ring_is_bounded(void **state)
{
	(void)state;
	mpair_defaults(&P, 5);
	P.end[0].n_paths = 1;
	P.end[0].conf.sndbuf = 4 << 20;
	P.end[0].conf.sndbuf_fixed = true;
	up(false);
	mpair_send(&P, 0, 1, false);
	mpair_send(&P, 1, 1, false);
	mpair_sleep(&P, NANOS_S);
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
	       c->seal->frames.n == c->seal->frames.cap) {
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

/* What cannot be sealed can never be: the end, and not in silence.  Here the
 * place in the stream was spent by somebody else. */
static void sealing_fails(void **state)
{
	(void)state;
	for (unsigned plain = 0; plain < 2; plain++) {
		static uint8_t buf[64];
		struct crypt_seal what = { .now = P.now };
		struct iov_mut out = { buf, sizeof(buf) };
		struct mp_conn *c;
		size_t len;

		tapped_one_path(42 + plain);
		if (plain) {
			P.end[1].cfg.policy = MP_OFF;
		}
		up(false);
		transfer(1000, 1000, 10 * NANOS_S);
		c = tapped_conn(0);
		what.offset = c->snd.ring.tail + 1000;
		assert_int_equal(crypt_seal(c->crypt.k, &what, &out, 1, &len),
				 CRYPT_OK);
		mpair_send(&P, 0, 100, false);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(P.end[0].app.err, ECONNABORTED);
		assert_int_equal(P.end[1].app.err, ECONNRESET);
		assert_int_equal(P.end[1].app.got, 1000);
		assert_int_equal(count(0, MP_CRYPT_ABORT), 1);
		all_gone();
		sealtap_check(&T);
		sealtap_fini(&T);
		mpair_stop(&P);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_is_bounded),
		cmocka_unit_test(stale_subflow_frees_the_ring),
		cmocka_unit_test(no_memory_for_the_mapping),
		cmocka_unit_test(sealing_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
