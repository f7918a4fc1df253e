/* first octets that may be Init1's, of a peer whose ENO was gone */
#include "tests/unit/mptcp/handshake.h"

#include "stack/mptcp/mp_watch.h"

/* B answered with ENO, which A did not get to see; nothing is read by itself */
static void in_doubt(unsigned seed, bool plain)
{
	begin(seed, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	box.no_eno[SYNACK] = true;
	if (plain) {
		P.end[1].cfg.policy = MP_OFF;
	}
	up(false);
	P.end[0].app.hold = P.end[1].app.hold = true;
	assert_int_equal(conn(1)->crypt.watch, MP_WATCH_FIRST);
	assert_string_equal(mode(1), plain ? "tcp" : "mptcp");
}

static void put(const char *octets, unsigned n)
{
	struct iov_mut v[2];

	assert_int_equal(mp_write_vec(conn(0), n, v), 1);
	memcpy(v[0].p, octets, n);
	mp_write_done(conn(0), P.now, n);
}

/* A's program says these n octets */
static void say(const char *octets, unsigned n)
{
	put(octets, n);
	mpair_sleep(&P, 100 * NANOS_MS);
}

static void readable(unsigned n)
{
	struct iov v[4];

	assert_int_equal(mp_read_len(conn(1)), n);
	assert_int_equal(mp_read_vec(conn(1), v, 4) > 0, n > 0);
}

static void held_for_a_second(void **state)
{
	(void)state;
	for (unsigned plain = 0; plain < 2; plain++) {
		in_doubt(1 + plain, plain);
		say("\x15", 1);
		readable(0);
		mpair_sleep(&P, 500 * NANOS_MS);
		say("\x10", 1); /* which does not begin the second anew */
		readable(0);
		assert_int_equal(conn(1)->crypt.watch, MP_WATCH_HELD);
		mpair_sleep(&P, 350 * NANOS_MS);
		readable(2);
		assert_int_equal(conn(1)->crypt.watch, MP_WATCH_LATE);
		say("\x1a", 1);
		readable(3);
		say("?", 1);
		readable(4);
		assert_int_equal(conn(1)->crypt.watch, MP_WATCH_OFF);
		assert_int_equal(count(1, MP_CRYPT_HELD), 1);
		give_up();
	}
}

static void another_octet_decides(void **state)
{
	(void)state;
	for (unsigned k = 1; k < 4; k++) {
		in_doubt(10 + k, k & 1);
		say("\x15\x10\x1a", k);
		readable(0);
		say("\x15", 1);
		readable(k + 1);
		assert_int_equal(conn(1)->crypt.watch, MP_WATCH_OFF);
		assert_false(mp_timer_on(&conn(1)->timers, MP_T_CRYPT));
		give_up();
	}
	/* and where it is the first one nothing waits at all */
	in_doubt(14, true);
	say("\x10", 1);
	readable(1);
	assert_int_equal(count(1, MP_CRYPT_HELD), 0);
	give_up();
}

/* early or late: nothing that is still here is read */
static void the_magic_ends_it(void **state)
{
	(void)state;
	for (unsigned t = 0; t < 4; t++) {
		bool late = t & 1, plain = t & 2;

		in_doubt(20 + t, plain);
		say("\x15\x10\x1a", 3);
		if (late) {
			mpair_sleep(&P, MP_WATCH_WAIT);
			readable(3);
			mp_read_done(conn(1), P.now, 2);
		}
		say("\x0e\0\0\0\x4f", 5);
		assert_int_equal(P.end[1].app.err, ECONNABORTED);
		readable(0);
		assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
		assert_int_equal(count(1, MP_FASTCLOSE_TX), 0);
		assert_int_equal(P.end[0].app.err, ECONNRESET);
		give_up();
	}
}

static void the_end_of_the_stream_decides(void **state)
{
	(void)state;
	for (unsigned plain = 0; plain < 2; plain++) {
		in_doubt(30 + plain, plain);
		say("\x15\x10", 2);
		readable(0);
		mp_shutdown(conn(0), P.now);
		mpair_sleep(&P, 100 * NANOS_MS);
		readable(2);
		assert_false(mp_timer_on(&conn(1)->timers, MP_T_CRYPT));
		mp_read_done(conn(1), P.now, 2);
		assert_true(mp_read_eof(conn(1)));
		give_up();
	}
}

/* the peer's urgent octet (RFC 9293 3.8.5) is not kept waiting */
static void urgent_data_does_not_wait(void **state)
{
	(void)state;
	in_doubt(40, true);
	say("\x15", 1);
	readable(0);
	put("\x10", 1);
	mp_write_urgent(conn(0), P.now);
	mpair_sleep(&P, 100 * NANOS_MS);
	readable(2);
	assert_int_equal(conn(1)->crypt.watch, MP_WATCH_LATE);
	give_up();
}

/* who closes with something held has not read it (RFC 9293 3.6.1) */
static void closed_while_held(void **state)
{
	(void)state;
	in_doubt(50, true);
	say("\x15", 1);
	mpair_close(&P, 1, false);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	give_up();
}

static void opens(void **state)
{
	static const uint8_t d[] = { 0x15, 0x10, 0x1a, 0x0e, 0x15 };
	static struct mp_conn c;
	static struct mp_sub s = { .c = &c, .irs = 7 };
	struct tcp_seg seg = { .seq = 8, .data = d, .len = 4 };

	(void)state;
	assert_false(mp_watch_opens(&s, &seg));
	c.crypt.watch = MP_WATCH_FIRST;
	assert_true(mp_watch_opens(&s, &seg));
	seg.seq++;
	assert_false(mp_watch_opens(&s, &seg));
	seg.seq--;
	seg.len = 3; /* the fourth is nobody's */
	assert_false(mp_watch_opens(&s, &seg));
	seg.len = 4;
	seg.data++;
	assert_false(mp_watch_opens(&s, &seg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_for_a_second),
		cmocka_unit_test(another_octet_decides),
		cmocka_unit_test(the_magic_ends_it),
		cmocka_unit_test(the_end_of_the_stream_decides),
		cmocka_unit_test(urgent_data_does_not_wait),
		cmocka_unit_test(closed_while_held),
		cmocka_unit_test(opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
