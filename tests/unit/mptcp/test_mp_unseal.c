/* smtcp(7), Mappings, Receiver, and Bad frames: nothing is delivered that was
 * not verified as one subflow brought it; what is bad costs its subflow */
#include "tests/unit/mptcp/sealed.h"

static int keyed(void **state)
{
	(void)state;
	R.sig = R.plain = false;
	R_up(1, true);
	return 0;
}

static int unkeyed(void **state)
{
	(void)state;
	R.sig = R.plain = false;
	R_up(1, false);
	return 0;
}

static int down(void **state)
{
	(void)state;
	R_down();
	return 0;
}

/* --- Init ----------------------------------------------------------------- */

static void init_in_any_segments(void **state)
{
	(void)state;
	for (uint32_t step = 1; step <= INIT1; step += 6) {
		if (step > 1) {
			R_up(step, false);
		}
		R_send_as(R.s[0], 0, R.wire, INIT1, step);
		assert_true(mp_crypt_keyed(R.c));
		assert_int_equal(R.c->rcv.nxt, INIT1);
		R_answer();
		R_seal(10, 0);
		R_send(0, INIT1, R.off);
		assert_int_equal(R_got(), 10);
		assert_true(R.c->crypt.confirmed);
		if (step + 6 <= INIT1) {
			R_down();
		}
	}
}

/* alone in one mapping, of its length */
static void init_alone(void **state)
{
	(void)state;
	R_send(0, 0, INIT1 + 1);
	assert_true(R_over(ECONNABORTED));
	R_down();
	R_up(2, false);
	R_send(0, 0, INIT1 - 1);
	assert_true(R_over(ECONNABORTED));
	assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
	R_down();
	R_up(3, false);
	R.wire[1] ^= 1; /* the magic */
	R_send(0, 0, INIT1);
	assert_true(R_over(ECONNABORTED));
}

/* what comes before keys are there waits, and not without end */
static void early_frames_wait(void **state)
{
	uint64_t peak;

	(void)state;
	memset(R.wire + 200, 0, 1000);
	R_send(0, 200, 1000);
	assert_int_equal(R.s[0]->held_len, 800);
	assert_false(P.end[1].app.closed);
	R_send(0, 0, INIT1);
	/* now they are looked at: no frames, and not confirmed */
	assert_int_equal(R.s[0]->held_len, 0);
	assert_true(R_over(ECONNABORTED));
	R_down();
	R_up(2, false);
	peak = P.end[1].fake.mem.used;
	P.end[1].fake.mem.peak = peak;
	R.truesize = 2000;
	for (unsigned i = 0; i < 100 && !P.end[1].app.closed; i++) {
		R_send_as(R.s[0], 200 + i * 10000, R.wire, 10000, 100);
	}
	assert_true(R_over(ECONNABORTED));
	assert_true(P.end[1].fake.mem.peak - peak < 2 * MP_WND_INITIAL);
}

/* --- frames --------------------------------------------------------------- */

static void frames_in_any_segments(void **state)
{
	static const uint32_t steps[] = { 1, 2, 3, 19, 20, 21, 100, 536, 1448,
					  9000, 65535 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t lo = R.off;

		R.truesize = i & 1 ? 1800 : 0;
		R_seal(0, 0);
		R_seal(18, 0);
		R_seal(16364, 0);
		R_seal(16362, URG);
		R_seal(1, 0);
		R_seal(i * 900, 0);
		/* all but the last octet: nothing counts, nothing is told */
		assert_int_equal(R_map(R.s[i & 1], lo, (uint32_t)(R.off - lo),
				       false), TCP_UP_OK);
		for (uint64_t at = lo; at < R.off - 1;) {
			uint64_t n = min_u64(steps[i], R.off - 1 - at);

			R_bytes(R.s[i & 1], R.wire + at, (uint32_t)n);
			at += n;
		}
		assert_true(R.c->rcv.nxt == lo);
		R_bytes(R.s[i & 1], R.wire + R.off - 1, 1);
		assert_true(R.c->rcv.nxt == R.off);
		assert_int_equal(P.end[1].app.got, R.data);
	}
	assert_int_equal(count(1, MP_DUP_DATA), 0);
	assert_int_equal(R.c->rcv.total, R.off - INIT1);
}

/* four mappings, every order, by turns on both subflows */
static void mappings_in_any_order(void **state)
{
	unsigned nr = 0;

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		unsigned p[4] = { i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6 };
		uint64_t at[5];

		if (1u << p[0] | 1u << p[1] | 1u << p[2] | 1u << p[3]) {
			unsigned all = 1u << p[0] | 1u << p[1] | 1u << p[2] |
				       1u << p[3];

			if (all != 15) {
				continue;
			}
		}
		nr++;
		for (unsigned k = 0; k < 4; k++) {
			at[k] = R.off;
			R_seal(500 * k, 0);
			R_seal(20, 0);
		}
		at[4] = R.off;
		for (unsigned k = 0; k < 4; k++) {
			R_send(k & 1, at[p[k]], at[p[k] + 1]);
		}
		assert_int_equal(P.end[1].app.got, R.data);
		assert_true(R.c->rcv.nxt == R.off);
		assert_true(mp_reasm_empty(&R.c->rcv.ooo));
	}
	assert_int_equal(nr, 24);
}

/* every octet of two frames changed, one after the other */
static void each_octet_altered(void **state)
{
	uint32_t first, n;

	(void)state;
	for (uint32_t at = 0;; at++) {
		if (at) {
			R_up(at, true);
		}
		R_seal(5, 0);
		R_send(1, INIT1, R.off); /* confirmed */
		first = (uint32_t)R.off + R_seal(18, 0);
		n = first + R_seal(9, 0);
		if (INIT1 + 25 + at == n) {
			break;
		}
		R.wire[INIT1 + 25 + at] ^= (uint8_t)(1u << at % 8);
		R_send_as(R.s[0], INIT1 + 25, R.wire + INIT1 + 25,
			  n - (INIT1 + 25), 1 + at);
		R_lost(0, MP_RST_MIDDLEBOX);
		assert_int_equal(count(1, MP_CRYPT_BAD_FRAME), 1);
		/* what was verified before stays */
		assert_int_equal(R_got(), INIT1 + 25 + at < first ? 5 : 23);
		R.wire[INIT1 + 25 + at] ^= (uint8_t)(1u << at % 8);
		R_send(1, INIT1 + 25, n);
		assert_int_equal(P.end[1].app.got, R.data);
		assert_int_equal(R.c->crypt.bad, 0);
		R_down();
	}
	R_send(0, INIT1 + 25, n);
	assert_int_equal(P.end[1].app.got, R.data);
}

/* --- the path's mischief -------------------------------------------------- */

static void replayed(void **state)
{
	uint64_t a = R.off, b, c;

	(void)state;
	b = a + R_seal(100, 0);
	c = b + R_seal(200, 0);
	R_send(0, a, c);
	for (unsigned i = 0; i < 2; i++) {
		R_send(i, a, c);
		R_send(i, b, c);
		R_send(i, 0, INIT1);
	}
	assert_int_equal(P.end[1].app.got, R.data);
	assert_int_equal(mpair_open_subs(&P, 1), 2);
	assert_int_equal(count(1, MP_DUP_DATA), 2 * (2 * (c - b) + c - b + b -
						    a - (c - b) + INIT1));
	/* at another place in the stream it is nothing */
	R_send_as(R.s[0], c, R.wire + a, (uint32_t)(b - a), 1400);
	R_lost(0, MP_RST_MIDDLEBOX);
	assert_int_equal(P.end[1].app.got, R.data);
}

static void dropped_and_swapped(void **state)
{
	static uint8_t x[200];
	uint64_t a = R.off, b, c, d;

	(void)state;
	b = a + R_seal(30, 0);
	c = b + R_seal(30, 0);
	d = c + R_seal(40, 0);
	R_send(1, a, b);
	/* one is left out, the rest moved up */
	R_send_as(R.s[0], b, R.wire + c, (uint32_t)(d - c), 1400);
	R_lost(0, MP_RST_MIDDLEBOX);
	assert_int_equal(R_got(), 30);
	R_send(1, c, d); /* left out, and not hidden */
	assert_int_equal(R_got(), 30);
	R_send(1, b, c);
	assert_int_equal(R_got(), 100);
	R_down();
	R_up(2, true);
	b = a + R_seal(30, 0);
	R_send(1, a, b);
	c = b + R_seal(30, 0);
	d = c + R_seal(30, 0);
	memcpy(x, R.wire + c, d - c);
	memcpy(x + (d - c), R.wire + b, c - b);
	R_send_as(R.s[0], b, x, (uint32_t)(d - b), 1400);
	R_lost(0, MP_RST_MIDDLEBOX);
	assert_int_equal(R_got(), 30);
	R_send(1, b, d);
	assert_int_equal(P.end[1].app.got, R.data);
}

/* a mapping that does not hold whole frames, or claims to hold more */
static void cut_frames(void **state)
{
	static const int lo[] = { 0, 1, 0, -1, 10, 0 };
	static const int hi[] = { -1, 0, 1, 0, -19, -30 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lo); i++) {
		uint64_t a, b;

		if (i) {
			R_up(i, true);
		}
		R_seal(5, 0);
		a = R.off;
		R_seal(18, 0);
		b = R.off;
		R_seal(1, 0);
		R_send(1, INIT1, a);
		R_send(0, a + (uint64_t)lo[i], b + (uint64_t)hi[i]);
		R_lost(0, MP_RST_MIDDLEBOX);
		assert_true(R_got() == (hi[i] == 1 && !lo[i] ? 23 : 5));
		R_send(1, a, R.off);
		assert_int_equal(P.end[1].app.got, R.data);
		if (i + 1 < ARRAY_SIZE(lo)) {
			R_down();
		}
	}
}

/* lengths no frame has, and nobody waits for the rest */
static void impossible_lengths(void **state)
{
	static const uint16_t clen[] = { 0, 16, 16382, 65535 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(clen); i++) {
		if (i) {
			R_up(i, true);
		}
		R_seal(5, 0);
		R_send(1, INIT1, R.off);
		memset(R.wire + R.off, 0, 30);
		be16_put(R.wire + R.off + 1, clen[i]);
		R_send(0, R.off, R.off + 30);
		R_lost(0, MP_RST_MIDDLEBOX);
		assert_int_equal(crypt_counter(P.end[1].crypt, CRYPT_BAD_LEN),
				 1);
		if (i + 1 < ARRAY_SIZE(clen)) {
			R_down();
		}
	}
}

/* not confirmed: the connection ends with its only subflow */
static void bad_before_confirmed(void **state)
{
	(void)state;
	R_seal(5, 0);
	R.wire[INIT1 + 7] ^= 4;
	R_send(0, INIT1, R.off);
	assert_true(R_over(ECONNABORTED));
	assert_int_equal(R_got(), 0);
}

/* a forged copy that comes first never wins, nor keeps the true one away */
static void forged_first(void **state)
{
	static uint8_t x[1000];
	uint64_t a, b;

	(void)state;
	R_seal(5, 0);
	a = R.off;
	R_send(1, INIT1, a);
	b = a + R_seal(900, 0);
	memset(x, 7, sizeof(x));
	/* half of it, then the true one elsewhere */
	assert_int_equal(R_map(R.s[0], a, (uint32_t)(b - a), false), TCP_UP_OK);
	R_bytes(R.s[0], x, 500);
	R_send(1, a, b);
	assert_int_equal(P.end[1].app.got, R.data);
	/* below RCV.NXT it is not even looked at */
	R_bytes(R.s[0], x, (uint32_t)(b - a) - 500);
	assert_int_equal(mpair_open_subs(&P, 1), 2);
	assert_int_equal(count(1, MP_CRYPT_BAD_FRAME), 0);
}

/* --- grouped otherwise ---------------------------------------------------- */

/* the same frames in other mappings on the other subflow: each is opened once,
 * and what was opened is not replaced by what was not */
static void regrouped(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		uint64_t at[9];
		unsigned n = 8;

		for (unsigned k = 0; k < n; k++) {
			at[k] = R.off;
			R_seal((uint32_t)rng_below(&P.rng, 400), 0);
		}
		at[n] = R.off;
		for (unsigned k = 0; k < 30; k++) {
			unsigned lo = (unsigned)rng_below(&P.rng, n);
			unsigned hi = lo + 1 +
				      (unsigned)rng_below(&P.rng, n - lo);

			R_send(k & 1, at[lo], at[hi]);
		}
		R_send(i & 1, at[0], at[n]);
		assert_int_equal(P.end[1].app.got, R.data);
		assert_true(R.c->rcv.nxt == R.off);
	}
	assert_int_equal(mpair_open_subs(&P, 1), 2);
	assert_true(count(1, MP_OFO) > 0);
}

/* smtcp(7): the peer has sealed an octet twice */
static void sealed_twice(void **state)
{
	static uint8_t x[200];
	uint64_t a, b, c;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		if (i) {
			R_up(i, true);
		}
		R_seal(5, 0);
		a = R.off;
		R_send(1, INIT1, a);
		b = a + R_seal(20, 0);
		c = b + R_seal(30, 0);
		memcpy(x, R.wire + a, c - a);
		/* over an end in order, over one out of order, around one */
		if (i == 0) {
			R_send(1, a, b);
			R.off = b - 10;
		} else {
			R_send(1, b, c);
			R.off = i == 1 ? b - 30 : b - 1;
		}
		R.data -= 50;
		R_seal_by(&R.twin, i == 2 ? 100 : 20, 0);
		R_send(0, i == 0 ? b - 10 : i == 1 ? b - 30 : b - 1, R.off);
		assert_true(R_over(ECONNABORTED));
		assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
		if (i < 2) {
			R_down();
		}
	}
}

/* --- declared twice, with checksums --------------------------------------- */

static void other_values(void **state)
{
	struct mp_sub *s = R.s[0];
	uint64_t a = R.off, b = a + R_seal(100, 0), c = b + R_seal(50, 0);
	uint32_t ssn = s->rx_nxt;

	(void)state;
	assert_int_equal(R_map(s, a, (uint32_t)(b - a), false), TCP_UP_OK);
	R_bytes(s, R.wire + a, 50);
	for (unsigned i = 0; i < 4; i++) {
		struct mp_opt_dss d = { .dsn = a + (i == 1),
					.ssn = ssn + (i == 2) };

		d.data_len = (uint16_t)(b - a + (i == 3));
		assert_int_equal(R_dss(s, ssn, 50, &d), TCP_UP_OK);
		assert_int_equal(count(1, MP_DSS_NOT_MATCHING), i);
	}
	R_bytes(s, R.wire + a + 50, (uint32_t)(b - a) - 50);
	assert_int_equal(R_got(), 100);
	R_send(0, b, c);
	assert_int_equal(R_got(), 150);
}

static void checksum_not_looked_at(void **state)
{
	struct mp_opt_dss d = { .dsn = R.off, .ssn = R.s[0]->rx_nxt,
				.has_csum = true, .csum = 0x1234,
				.data_len = 30 };

	(void)state;
	assert_int_equal(R_seal(10, 0), 30);
	assert_int_equal(R_dss(R.s[0], d.ssn, 30, &d), TCP_UP_OK);
	d.dsn = INIT1;
	d.csum = 0x4321; /* another one is no contradiction */
	assert_int_equal(R_dss(R.s[0], d.ssn, 30, &d), TCP_UP_OK);
	R_bytes(R.s[0], R.wire + INIT1, 30);
	assert_int_equal(R_got(), 10);
	assert_int_equal(count(1, MP_DSS_NOT_MATCHING), 0);
}

/* --- rekeying ------------------------------------------------------------- */

/* B's first frame, so that A may begin */
static void answer_frame(void)
{
	uint8_t frame[64];
	const struct iov_mut v = { frame, sizeof(frame) };
	struct crypt_seal seal = { .now = P.now, .offset = 74 };
	struct crypt_opened o;
	size_t n;

	assert_int_equal(crypt_seal(R.c->crypt.k, &seal, &v, 1, &n), CRYPT_OK);
	assert_int_equal(crypt_open(R.a.k, P.now, 74, &v, 1, n, &o), CRYPT_OK);
	crypt_received(R.a.k, 74 + n);
}

/* frames of two generations, the later ones first */
static void generations_cross(void **state)
{
	uint64_t a = R.off, b, c, d;

	(void)state;
	answer_frame();
	R_seal(7, 0);
	R_send(0, a, R.off);
	a = R.off;
	crypt_acked(R.a.k, a);
	b = a + R_seal(100, 0);
	assert_true(crypt_rekey(R.a.k, P.now));
	c = b + R_seal(200, 0);
	d = c + R_seal(300, 0);
	R_send(1, c, d);
	R_send(0, a, b);
	assert_int_equal(R_got(), 107);
	R_send(0, b, c);
	assert_int_equal(R_got(), 607);
	assert_true(crypt_due(R.c->crypt.k)); /* and wants an answer */
}

/* --- memory --------------------------------------------------------------- */

/* every allocation refused, one after the other: what is lost comes again */
static void memory_refused(void **state)
{
	uint64_t n = 0;
	bool refused = true;

	(void)state;
	R_down();
	while (refused) {
		uint64_t a, b, c, d;
		struct fake *f = &P.end[1].fake;
		struct mp_sub *s;

		R_up(++n, true);
		s = R.s[0];
		a = R.off;
		R_seal(5, 0);
		b = R.off;
		R_send(1, a, b);
		R_seal(1000, 0);
		c = R.off;
		R_seal(3000, 0);
		d = R.off;
		R_seal(5000, 0);
		R_send(1, c, d); /* skipped below */
		assert_int_equal(R_map(s, b, (uint32_t)(R.off - b), false),
				 TCP_UP_OK);
		R_seal(77, 0);
		/* one packet with more than the mapping, and no end of it */
		f->fail_at = n;
		R_bytes(s, R.wire + b, (uint32_t)(R.off - b) - 10);
		refused = f->fail_at == 0;
		f->fail_at = 0;
		assert_int_equal(R.s[1]->state, MP_SUB_OPEN);
		assert_false(P.end[1].app.closed);
		if (s->state == MP_SUB_DEAD) {
			R_lost(0, MP_RST_RESOURCES);
			assert_int_equal(count(1, MP_CRYPT_BAD_FRAME), 0);
		}
		R_send(1, b, R.off);
		assert_int_equal(P.end[1].app.got, R.data);
		if (refused) {
			R_down();
		}
	}
	assert_true(n > 3);
}

/* one frame, octet by octet */
static void small_segments_need_little(void **state)
{
	struct fake *f = &P.end[1].fake;
	uint64_t a = R.off, b = a + R_seal(16364, 0), was;

	(void)state;
	R.truesize = 65536;
	was = f->mem.used;
	f->mem.peak = was;
	R_send_as(R.s[0], a, R.wire + a, (uint32_t)(b - a), 1);
	assert_int_equal(R_got(), 16364);
	assert_true(f->mem.peak - was < 3 * 16384);
	/* out of order, and unread */
	a = R.off;
	R_seal(1, 0);
	mpair_hold(&P, 1, true);
	b = R.off;
	for (unsigned i = 0; i < 1000; i++) {
		R_seal(1, 0);
	}
	was = f->mem.used;
	f->mem.peak = was;
	R_send_as(R.s[0], b, R.wire + b, (uint32_t)(R.off - b), 1);
	R_send(0, a, b);
	assert_int_equal(R.c->rcv.q_len, 1001);
	assert_true(f->mem.used - was < 6 * 1024);
	assert_true(f->mem.peak - was < 6 * 21000);
	mpair_hold(&P, 1, false);
	assert_int_equal(P.end[1].app.got, R.data);
}

/* so many pieces that they are copied into one */
static void many_pieces(void **state)
{
	uint64_t a = R.off, b;

	(void)state;
	R_seal(30, 0);
	b = R.off;
	R_seal(16000, 0);
	R_seal(40, 0);
	R_send_as(R.s[0], b, R.wire + b, (uint32_t)(R.off - b), 37);
	R_send_as(R.s[1], a, R.wire + a, (uint32_t)(R.off - a), 37);
	assert_int_equal(P.end[1].app.got, R.data);
}

/* --- everything at once ------------------------------------------------- */

static uint32_t below(uint32_t n)
{
	return (uint32_t)rng_below(&P.rng, n);
}

/* without a turn of the stack, which would free what is dead */
static void hold(bool on)
{
	P.end[1].app.hold = on;
	mp_conn_readable(R.c, P.now);
}

/* One thing that a path may do to a subflow; at: where frames begin. */
static void mischief(struct mp_sub *s, const uint64_t *at, unsigned n)
{
	unsigned lo = below(n), hi = lo + 1 + below(n - lo), k = below(100);
	uint8_t *p = R.wire + at[lo] + below((uint32_t)(at[hi] - at[lo]));
	struct mp_opt_dss d = { .dsn = at[lo], .ssn = s->rx_nxt + below(9),
				.data_len = (uint16_t)(1 + below(3000)) };

	if (k > 11) {
		R_send_as(s, at[lo], R.wire + at[lo],
			  (uint32_t)(at[hi] - at[lo]), 1 + below(2000));
	} else if (k < 6) {
		*p ^= 1;
		R_send_as(s, at[lo], R.wire + at[lo],
			  (uint32_t)(at[hi] - at[lo]), 1 + below(2000));
		*p ^= 1;
	} else if (k == 7) { /* declared, and only begun */
		R_map(s, at[lo], (uint32_t)(at[hi] - at[lo]), false);
		R_bytes(s, R.wire + at[lo], 1 + below(20));
	} else if (k == 8) {
		d.fin = below(2);
		R_dss(s, s->rx_nxt, 1 + below(3000), &d);
	} else if (k == 9) { /* what follows has no mapping, perhaps */
		R_bytes(s, p, 1 + below(50));
	} else if (k == 10) {
		R_data_fin(s == R.s[1], at[hi]);
	} else {
		hold(below(2));
	}
}

static void anything(void **state)
{
	unsigned whole = 0;

	(void)state;
	for (unsigned round = 0; round < 600; round++) {
		uint64_t at[25];
		bool open;

		if (round) {
			R_up(1000 + round, true);
		}
		R.truesize = below(3) * 1500;
		for (unsigned i = 0; i < 24; i++) {
			at[i] = R.off;
			R_seal(below(4) ? below(100) : below(3000),
			       i == 23 ? FIN : below(5) ? 0 : URG);
		}
		at[24] = R.off;
		for (unsigned i = 0; i < 60; i++) {
			struct mp_sub *s = R.s[below(2)];

			if (s->state == MP_SUB_OPEN && !P.end[1].app.closed) {
				mischief(s, at, 24);
			}
			assert_false(P.end[1].app.mangled);
			assert_true(P.end[1].app.got <= R.data);
			assert_true(!P.end[1].app.eof ||
				    P.end[1].app.got == R.data);
		}
		open = R.s[0]->state == MP_SUB_OPEN;
		if (!P.end[1].app.closed &&
		    (open || R.s[1]->state == MP_SUB_OPEN)) {
			struct mp_sub *s = R.s[!open];

			/* what is begun there is ended, whatever it is */
			for (unsigned i = 0; i < 3 && s->state == MP_SUB_OPEN &&
			     !list_empty(&s->held); i++) {
				R_bytes(s, R.wire, 3000);
			}
			hold(false);
			if (s->state == MP_SUB_OPEN && list_empty(&s->held)) {
				R_send_as(s, at[0], R.wire + at[0],
					  (uint32_t)(at[24] - at[0]), 1400);
				assert_int_equal(P.end[1].app.got, R.data);
				assert_true(P.end[1].app.eof);
				whole++;
			}
		}
		if (round < 599) {
			R_down();
		}
	}
	assert_true(whole > 200);
}

int main(void)
{
#define T(f, up) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		T(init_in_any_segments, unkeyed),
		T(init_alone, unkeyed),
		T(early_frames_wait, unkeyed),
		T(frames_in_any_segments, keyed),
		T(mappings_in_any_order, keyed),
		T(each_octet_altered, keyed),
		T(replayed, keyed),
		T(dropped_and_swapped, keyed),
		T(cut_frames, keyed),
		T(impossible_lengths, keyed),
		T(bad_before_confirmed, keyed),
		T(forged_first, keyed),
		T(regrouped, keyed),
		T(sealed_twice, keyed),
		T(other_values, keyed),
		T(checksum_not_looked_at, keyed),
		T(generations_cross, keyed),
		T(memory_refused, keyed),
		T(small_segments_need_little, keyed),
		T(many_pieces, keyed),
		T(anything, keyed),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
