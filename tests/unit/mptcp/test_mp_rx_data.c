/* smtcp(7), FINp and DATA_FIN, Sizes, single streams and Fallback: what of a
 * sealed connection counts, and where it ends */
#include "tests/unit/mptcp/sealed.h"

static int keyed(void **state)
{
	(void)state;
	R.sig = R.plain = false;
	R_up(1, true);
	return 0;
}

static int down(void **state)
{
	(void)state;
	R_down();
	return 0;
}

static uint64_t data_ack(void)
{
	return mp_rx_data_ack(R.c) - R.c->keys.idsn_remote - 1;
}

/* --- the end of the stream ------------------------------------------------ */

static void fin_in_the_mapping(void **state)
{
	uint64_t a = R.off;

	(void)state;
	R_seal(100, 0);
	R_seal(0, FIN);
	assert_int_equal(R_map(R.s[0], a, (uint32_t)(R.off - a), true),
			 TCP_UP_OK);
	R_bytes(R.s[0], R.wire + a, (uint32_t)(R.off - a) - 1);
	assert_false(P.end[1].app.eof);
	assert_true(data_ack() == a);
	R_bytes(R.s[0], R.wire + R.off - 1, 1);
	assert_true(P.end[1].app.eof);
	assert_true(data_ack() == R.off + 1);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 0);
	assert_int_equal(count(1, MP_DATA_FIN_RX), 1);
	R_data_fin(1, R.off); /* again */
	assert_int_equal(R.c->fsm.state, MP_ST_CLOSE_WAIT);
}

/* end of file is FINp; a DATA_FIN that was not sent is not acknowledged */
static void fin_before_data_fin(void **state)
{
	uint64_t a = R.off;

	(void)state;
	R_seal(100, FIN);
	R_send(0, a, R.off);
	assert_true(P.end[1].app.eof);
	assert_true(data_ack() == R.off);
	R_data_fin(0, R.off + 1);
	R_data_fin(0, R.off - 1);
	R_data_fin(0, a);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 3);
	assert_true(data_ack() == R.off);
	R_data_fin(1, R.off);
	assert_true(data_ack() == R.off + 1);
}

/* anybody can forge one, at any time, at any place */
static void data_fin_forged(void **state)
{
	uint64_t a = R.off, b = a + R_seal(100, 0), c = b + R_seal(200, 0);

	(void)state;
	R_data_fin(0, a); /* here and now */
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 1);
	R_data_fin(0, 1); /* past */
	R_data_fin(0, UINT64_MAX - 5);
	R_data_fin(0, 1u << 30);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 4);
	R_data_fin(0, b); /* to come: not known yet */
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 4);
	R_send(1, a, b);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 5);
	assert_false(P.end[1].app.eof);
	assert_true(data_ack() == b);
	R_data_fin(0, b + 10); /* inside a frame */
	R_send(1, b, c);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 6);
	assert_int_equal(R_got(), 300);
	/* a forged one does not make the true one forgotten */
	R_seal(50, FIN);
	R_data_fin(0, R.off);
	R_data_fin(0, R.off + 7);
	R_send(1, c, R.off);
	assert_true(P.end[1].app.eof);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 7);
	R_data_fin(1, R.off);
	assert_true(data_ack() == R.off + 1);
}

/* the true one first, then the frames in any order */
static void data_fin_waits(void **state)
{
	uint64_t a = R.off, b = a + R_seal(100, 0), c = b + R_seal(0, FIN);

	(void)state;
	R_data_fin(0, c);
	R_send(1, b, c);
	assert_false(P.end[1].app.eof);
	assert_true(data_ack() == a);
	R_send(0, a, b);
	assert_true(P.end[1].app.eof);
	assert_true(data_ack() == c + 1);
	assert_int_equal(count(1, MP_CRYPT_FIN_EARLY), 0);
}

static void behind_the_end(void **state)
{
	uint64_t a = R.off, b;

	(void)state;
	R_seal(100, FIN);
	b = R.off;
	R_send(0, a, b);
	/* the twin has sent no FINp yet */
	R_seal_by(&R.twin, 10, 0);
	R_data_fin(0, b);
	assert_true(data_ack() == b + 1);
	R_send(1, b, R.off);
	assert_true(R_over(ECONNABORTED));
	assert_int_equal(R_got(), 100);
	R_down();
	R_up(2, true);
	/* and the other way round: the end comes later, further in front */
	a = R.off;
	R_seal(20, 0);
	b = R.off;
	R_seal(10, 0);
	R_send(1, b, R.off);
	R.off = a;
	R.data -= 30;
	R_seal_by(&R.twin, 20, FIN);
	R_send(0, a, R.off);
	assert_true(R_over(ECONNABORTED));
	assert_false(P.end[1].app.eof);
	assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
}

/* nobody here has signals, so nobody agreed to them */
static void signals_end_it(void **state)
{
	(void)state;
	R_down();
	R.sig = true;
	R_up(2, true);
	R_seal(10, SIG);
	R_send(0, INIT1, R.off);
	assert_true(R_over(ECONNABORTED));
	assert_int_equal(R_got(), 0);
}

/* the owner is gone: only data is a loss it must hear of */
static void nobody_reads(void **state)
{
	uint64_t a = R.off;

	(void)state;
	R.c->established = true;
	mp_close(R.c, P.now, false);
	R_seal(0, 0);
	R_seal(0, 0);
	R_send(0, a, R.off);
	assert_int_not_equal(R.c->fsm.state, MP_ST_CLOSED);
	a = R.off;
	R_seal(1, 0);
	R_send(0, a, R.off);
	assert_int_equal(R.c->fsm.state, MP_ST_CLOSED);
}

static void discarded(void **state)
{
	uint64_t a = R.off;

	(void)state;
	mp_discard(R.c, P.now);
	R_seal(1000, 0);
	R_seal(10, FIN);
	R_send(0, a, R.off);
	assert_int_equal(R.c->rcv.q_len, 0);
	assert_int_equal(R_got(), 0);
	assert_true(mp_read_eof(R.c));
}

/* --- the window ----------------------------------------------------------- */

/* Frames of one octet, 21 times as much stream as data: what is offered is
 * never taken back, and comes back whole when all is read. */
static void window_of_small_frames(void **state)
{
	uint64_t edge = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		uint64_t lo = R.off;
		uint32_t wnd;

		mpair_hold(&P, 1, i % 10 != 9);
		for (unsigned k = 0; k < 50; k++) {
			R_seal(1, 0);
		}
		R_send(i & 1, lo, R.off);
		wnd = mp_rx_window(R.c);
		assert_true(R.c->rcv.nxt + wnd >= edge);
		edge = R.c->rcv.nxt + wnd;
		assert_true(wnd >= R.c->rcv.wnd.size - R.c->rcv.q_len);
		if (i % 10 == 9) {
			assert_int_equal(R.c->rcv.q_len, 0);
			assert_true(wnd >= R.c->rcv.wnd.size);
		}
	}
	assert_int_equal(P.end[1].app.got, R.data);
}

/* a program with a small buffer can be sent the longest frame all the same */
static void window_of_a_small_buffer(void **state)
{
	struct mp_conf conf = *R.c->conf;
	uint64_t a;

	(void)state;
	conf.rcvbuf = 4096;
	mp_set_conf(R.c, P.now, &conf);
	mpair_hold(&P, 1, true);
	assert_true(mp_rx_window(R.c) >= 65535);
	for (unsigned i = 0; i < 8; i++) {
		a = R.off;
		R_seal(16364, 0);
		R_send(0, a, R.off);
	}
	assert_int_equal(R.c->rcv.q_len, 8 * 16364);
	assert_int_equal(mpair_open_subs(&P, 1), 2);
	mpair_hold(&P, 1, false);
	assert_true(mp_rx_window(R.c) >= 65535);
}

/* more than was ever promised is not kept, nor held against the subflow */
static void beyond_the_window(void **state)
{
	uint64_t a, most;

	(void)state;
	R_seal(1, 0);
	R_send(1, INIT1, R.off);
	most = mp_rx_limit(R.c);
	a = most - 30;
	R_send_as(R.s[0], a, R.wire, 100, 1400); /* no frame begins inside */
	R_lost(0, MP_RST_MIDDLEBOX);
	most = mp_rx_limit(R.c);
	R_send_as(R.s[1], most, R.wire, 100, 1400);
	R_send_as(R.s[1], UINT64_MAX - 20, R.wire, 100, 1400);
	assert_int_equal(count(1, MP_DSS_WINDOW), 2);
	assert_int_equal(R.s[1]->state, MP_SUB_OPEN);
	assert_int_equal(R.s[1]->held_len, 0);
}

/* The bound on what is out of order holds for frames as a whole: one that is
 * there in part would look like one that was sealed twice. */
static void out_of_order_bound(void **state)
{
	uint64_t a = R.off, at[40];

	(void)state;
	R_seal(1, 0);
	R.truesize = 3000;
	R.c->rcv.ooo.limit = 60000;
	for (unsigned i = 0; i < 20; i++) {
		at[i] = R.off;
		R_seal(5000, 0);
	}
	at[20] = R.off;
	for (unsigned i = 0; i < 20; i++) {
		R_send(i & 1, at[i], at[i + 1]);
	}
	assert_true(count(1, MP_OFO_PRUNED) > 0);
	assert_true(R.c->rcv.ooo.charge <= 60000);
	R_send(0, a, at[0]);
	for (unsigned i = 0; i < 20; i++) {
		R_send(!(i & 1), at[i], at[i + 1]);
	}
	assert_int_equal(P.end[1].app.got, R.data);
	assert_int_equal(mpair_open_subs(&P, 1), 2);
}

/* --- a single stream ------------------------------------------------------ */

/* as if Multipath TCP had been lost in the handshake */
static void single(uint64_t seed, bool with_keys)
{
	R_up(seed, with_keys);
	mp_sub_abort(R.s[1], P.now);
	R.c->mode = MP_MODE_TCP;
}

static void stream(const uint8_t *b, uint64_t n, uint32_t step)
{
	for (uint64_t at = 0; at < n && !P.end[1].app.closed; at += step) {
		R_bytes(R.s[0], b + at, (uint32_t)min_u64(step, n - at));
	}
}

static void single_in_any_segments(void **state)
{
	static const uint32_t steps[] = { 1, 2, 3, 20, 79, 80, 100, 1448,
					  16384, 65535 };

	(void)state;
	R_down();
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		single(i, false);
		/* Init2 in the same segment as frames, when that is possible:
		 * here, the first one of them is known before Init1 comes */
		stream(R.wire, INIT1, steps[i]);
		assert_true(mp_crypt_keyed(R.c));
		R_answer();
		R_seal(0, 0);
		R_seal(18, 0);
		R_seal(16364, 0);
		R_seal(16362, URG);
		R_seal(5, FIN);
		stream(R.wire + INIT1, R.off - INIT1 - 1, steps[i]);
		assert_int_equal(P.end[1].app.got, R.data - 5);
		/* TCP has acknowledged what is not verified: the window is
		 * counted from there */
		assert_int_equal(mp_rx_window(R.c),
				 R.c->rcv.wnd.edge - (R.off - 1));
		assert_false(P.end[1].app.eof);
		stream(R.wire + R.off - 1, 1, 1);
		assert_int_equal(P.end[1].app.got, R.data);
		assert_true(P.end[1].app.eof);
		mp_rx_sub_fin(R.s[0], P.now);
		assert_false(P.end[1].app.closed);
		assert_int_equal(R.c->fsm.state, MP_ST_CLOSE_WAIT);
		if (i + 1 < ARRAY_SIZE(steps)) {
			R_down();
		}
	}
}

/* RFC 8548 3.6: a bad frame ends it; what came before is read */
static void single_bad(void **state)
{
	(void)state;
	R_down();
	for (uint32_t at = 0;; at++) {
		uint64_t a, n;

		single(at, true);
		R_seal(5, 0);
		a = R.off;
		n = a + R_seal(18, 0);
		R_seal(70, 0); /* what makes a length that grew be reached */
		if (a + at == n) {
			break;
		}
		R.wire[a + at] ^= (uint8_t)(1u << at % 8);
		stream(R.wire + INIT1, R.off - INIT1, 1 + at);
		if (at == 1) { /* the length: 512 octets more are awaited */
			assert_int_equal(R_got(), 5);
			stream(R.wire, 512, 512);
		}
		assert_true(R_over(ECONNABORTED));
		assert_int_equal(R_got(), 5);
		R_down();
	}
}

/* RFC 8548 3.7: never end of file */
static void single_cut_off(void **state)
{
	(void)state;
	R_down();
	for (unsigned i = 0; i < 3; i++) {
		single(i, true);
		R_seal(100, 0);
		R_seal(20, FIN);
		stream(R.wire + INIT1,
		       i == 0 ? 0 : i == 1 ? 120 : R.off - INIT1 - 1, 30);
		mp_rx_sub_fin(R.s[0], P.now);
		assert_true(R_over(ECONNABORTED));
		assert_false(P.end[1].app.eof);
		assert_false(mp_read_eof(R.c));
		assert_int_equal(R_got(), i ? 100 : 0);
		assert_int_equal(count(1, MP_CRYPT_TRUNCATED), 1);
		if (i < 2) {
			R_down();
		}
	}
}

/* plain tcpcrypt has frames of any length; SMTCP's are bounded, waiting for
 * none that is not */
static void single_long_frames(void **state)
{
	(void)state;
	R_down();
	R.plain = true;
	single(1, true);
	R_seal(65518, 0);
	stream(R.wire + INIT1, 1000, 1000);
	assert_true(mp_rx_window(R.c) >= 65538 - 1000);
	stream(R.wire + INIT1 + 1000, R.off - INIT1 - 1000, 1448);
	assert_int_equal(R_got(), 65518);
	R_down();
	R.plain = false;
	single(2, true);
	memset(R.wire + R.off, 0xff, 3);
	stream(R.wire + R.off, 3, 1);
	assert_true(R_over(ECONNABORTED));
}

/* the cut between two frames needs memory: it is made later */
static void single_memory_refused(void **state)
{
	uint64_t n = 0;
	bool refused = true;

	(void)state;
	R_down();
	while (refused) {
		struct fake *f;

		single(++n, true);
		f = &P.end[1].fake;
		for (unsigned i = 0; i < 5; i++) {
			R_seal(3000, 0);
		}
		f->fail_at = 1 + n; /* the slice itself is TCP's matter */
		stream(R.wire + INIT1, 7000, 7000);
		refused = f->fail_at == 0;
		f->fail_at = 0;
		stream(R.wire + INIT1 + 7000, R.off - INIT1 - 7000, 1448);
		assert_int_equal(P.end[1].app.got, R.data);
		if (refused) {
			R_down();
		}
	}
	assert_true(n > 1);
}

/* --- from many to one ----------------------------------------------------- */

static void alone(uint64_t seed)
{
	R_up(seed, true);
	/* as if it had always been so */
	mp_sub_abort(R.s[1], P.now);
	list_del(&R.s[1]->node);
	list_push_back(&R.c->graves, &R.s[1]->node);
	R.c->joined = false;
	R.c->snd.mixed_end = 0;
	R.s[0]->rx_nxt = 1 + INIT1;
	assert_true(list_empty(&R.s[0]->held));
	mp_map_fini(&R.s[0]->rx);
	mp_map_init(&R.s[0]->rx, &P.end[1].fake.mem, 64);
}

static void infinite(uint64_t off)
{
	struct mp_opt_dss d = { .dsn = off, .ssn = R.s[0]->rx_nxt };

	assert_int_equal(R_dss(R.s[0], R.s[0]->rx_nxt, 0, &d), TCP_UP_OK);
}

/* mappings up to a frame, none from its middle on; offsets go on */
static void frames_over_the_edge(void **state)
{
	uint64_t a = R.off, b;

	(void)state;
	R_down();
	for (unsigned i = 0; i < 60; i++) {
		alone(i);
		a = R.off;
		R_seal(10, 0);
		R_seal(30, 0);
		b = R.off;
		R_seal(40, FIN);
		assert_int_equal(R_map(R.s[0], a, (uint32_t)(b - a), false),
				 TCP_UP_OK);
		R_bytes(R.s[0], R.wire + a, i);
		infinite(a + i);
		assert_int_equal(R.c->mode, MP_MODE_TCP);
		assert_int_equal(count(1, MP_CRYPT_ALONE), 1);
		stream(R.wire + a + i, R.off - a - i, 7);
		assert_int_equal(P.end[1].app.got, R.data);
		assert_true(P.end[1].app.eof);
		R_down();
	}
	alone(1);
}

/* what an infinite mapping may say, and what not: ignored then */
static void infinite_only_where_it_is(void **state)
{
	uint64_t a;

	(void)state;
	R_seal(10, 0);
	R_send(0, INIT1, R.off); /* joined: two subflows */
	infinite(R.off);
	assert_int_equal(count(1, MP_CRYPT_SIGNAL), 1);
	mp_sub_abort(R.s[1], P.now);
	infinite(R.off); /* and it was joined */
	assert_int_equal(count(1, MP_CRYPT_SIGNAL), 2);
	R_down();
	alone(2);
	a = R.off;
	infinite(a + 1); /* says other than the identity */
	infinite(a - 1);
	R.c->joined = true;
	infinite(a);
	R.c->joined = false;
	assert_int_equal(count(1, MP_CRYPT_SIGNAL), 3);
	assert_int_equal(R.c->mode, MP_MODE_MPTCP);
	R_seal(10, 0);
	R_send(0, a, R.off);
	infinite(R.off);
	assert_int_equal(R.c->mode, MP_MODE_TCP);
	assert_false(P.end[1].app.closed);
}

/* data without mapping: only if no DSS ever came; sealed as it was */
static void no_mapping(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		R_down();
		alone(3 + i);
		R.c->dss_in = i & 1;
		R.c->dss_any = i & 2;
		R_seal(10, 0);
		R_bytes(R.s[0], R.wire + INIT1, 30);
		if (i == 0) {
			assert_int_equal(R.c->mode, MP_MODE_TCP);
			assert_string_equal(mp_reason_name(R.c->why_plain),
				mp_reason_name(MP_FALLBACK_NO_DSS));
			assert_int_equal(R_got(), 10);
			continue;
		}
		assert_int_equal(R.c->mode, MP_MODE_MPTCP);
		assert_int_equal(R_got(), 0);
		assert_true(mp_timer_on(&R.s[0]->timers, MP_T_UNMAP));
		mp_rx_unmapped_timer(R.s[0], P.now);
		assert_int_equal(R.s[0]->state, MP_SUB_DEAD);
		assert_int_equal(R.s[0]->rst.reason, MP_RST_MIDDLEBOX);
		assert_int_equal(count(1, MP_DSS_NO_MAP), 1);
	}
}

/* never plaintext, whatever comes */
static void plaintext_is_no_frame(void **state)
{
	(void)state;
	R_down();
	alone(9);
	R.c->dss_in = R.c->dss_any = false;
	R_bytes(R.s[0], (const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18);
	assert_int_equal(R_got(), 0);
	stream(R.wire, 30000, 1448);
	assert_int_equal(R_got(), 0);
	assert_true(R_over(ECONNABORTED));
}

/* the sender's side: an ACK without any option, before any DATA_ACK */
static void no_data_ack(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool may = !(i & 1) && (i & 2);

		R_down();
		alone(20 + i);
		R.c->dss_in = i & 1;
		R.s[0]->acks_bare = i & 2;
		assert_int_equal(mp_fall(R.c, P.now, MP_FALLBACK_NO_DATA_ACK),
				 may);
		assert_int_equal(R.c->mode, may ? MP_MODE_TCP : MP_MODE_MPTCP);
		assert_int_equal(count(1, MP_CRYPT_ALONE), may);
	}
	R_down();
	alone(30);
	R.c->dss_in = R.s[0]->acks_bare = true;
	R.c->snd.backoff = 2;
	assert_false(mp_fall(R.c, P.now, MP_FALLBACK_NO_DATA_ACK));
	assert_false(mp_fall(R.c, P.now, MP_FALLBACK_CSUM));
	R.c->snd.backoff = 3; /* it was asked twice, and says nothing */
	R.c->snd.una = R.s[0]->first_len + 1;
	assert_false(mp_fall(R.c, P.now, MP_FALLBACK_NO_DATA_ACK));
	R.c->snd.una = R.s[0]->first_len;
	assert_true(mp_fall(R.c, P.now, MP_FALLBACK_NO_DATA_ACK));
	assert_true(R.c->fall.infinite);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, keyed, down)
	const struct CMUnitTest tests[] = {
		T(fin_in_the_mapping),
		T(fin_before_data_fin),
		T(data_fin_forged),
		T(data_fin_waits),
		T(behind_the_end),
		T(signals_end_it),
		T(nobody_reads),
		T(discarded),
		T(window_of_small_frames),
		T(window_of_a_small_buffer),
		T(beyond_the_window),
		T(out_of_order_bound),
		T(single_in_any_segments),
		T(single_bad),
		T(single_cut_off),
		T(single_long_frames),
		T(single_memory_refused),
		T(frames_over_the_edge),
		T(infinite_only_where_it_is),
		T(no_mapping),
		T(plaintext_is_no_frame),
		T(no_data_ack),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
