/* smtcp(7), Resumption, and what is remembered of destinations: connections
 * after the first */
#include "tests/unit/mptcp/handshake.h"

#include "stack/crypt/crypt_memo.h"

/* --- resumption ---------------------------------------------------------- */

/* the first connection ends, and programs and path are as before it */
static void first_is_over(void)
{
	all_gone();
	for (unsigned e = 0; e < 2; e++) {
		P.end[e].app = (struct mpair_app){ .end = &P.end[e] };
	}
	memset(&box, 0, sizeof(box));
}

static void again(void)
{
	first_is_over();
	mpair_connect(&P);
}

static void resumed(void **state)
{
	struct mp_info i;

	(void)state;
	begin(110, MP_CRYPT_PREFER, MP_CRYPT_REQUIRE);
	connect_now();
	works("smtcp");
	for (unsigned k = 0; k < 3; k++) {
		again();
		works("smtcp");
		/* smtcp(7), Option space: 24 octets do not fit with
		 * timestamps */
		assert_int_equal(box.ts[SYN], 0);
		assert_int_equal(box.eno_len[SYN], 24);
		assert_true(box.eno_len[SYNACK] >= 16);
		get_info(0, &i);
		assert_true(i.crypt.resumed);
		get_info(1, &i);
		assert_true(i.crypt.resumed);
		assert_true(conn(0)->crypt.peer_confirmed);
	}
	assert_int_equal(crypt_counter(P.end[1].crypt, CRYPT_RESUMED), 3);
	finish();
}

static void stripped_when_resumed(void **state)
{
	(void)state;
	begin(111, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	connect_now();
	works("smtcp");
	P.link[0].delay = 700 * NANOS_MS;
	again();
	stripped_too_late();
}

/* A foreign SYN may have room for both; the SYN-ACK has not, and then does
 * without timestamps, not without ENO. */
static void with_ts(void *ctx, struct mpair_pkt *p)
{
	static const uint8_t ts[12] = { 1, 1, 8, 10, 1, 2, 3, 4 };
	uint8_t *o = p->pkt->data + 40;

	if (kind_of(p) == SYN && !p->seg.opts.has_ts) {
		/* MSS, SACK permitted and window scale, 9 octets, go, and the 3
		 * NOPs at the end */
		memmove(o + sizeof(ts), o + 9, 40 - sizeof(ts));
		memcpy(o, ts, sizeof(ts));
		mpair_fix(p->pkt);
	}
	mbox(ctx, p);
}

static void resumed_in_spite_of_timestamps(void **state)
{
	struct mp_info i;

	(void)state;
	begin(113, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	connect_now();
	works("smtcp");
	P.mbox = with_ts;
	again();
	works("smtcp");
	assert_int_equal(box.ts[SYN], 0);
	assert_int_equal(box.ts[SYNACK], 0);
	assert_true(box.eno_len[SYNACK] >= 16);
	get_info(1, &i);
	assert_true(i.crypt.resumed);
	finish();
}

/* The secret may be in use on the other side: no going on in the clear. */
static void resumed_and_eno_gone(void **state)
{
	(void)state;
	begin(111, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	connect_now();
	works("smtcp");
	again();
	box.no_eno[ACK] = true;
	mpair_sleep(&P, 5 * NANOS_S);
	assert_true(P.end[0].app.closed);
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	assert_int_equal(P.end[1].app.accepted, 0);
	assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
	give_up();
}

/* MP_CAPABLE gone from the third ACK: B lacks Key-A */
static void resumed_and_capable_gone(void **state)
{
	(void)state;
	begin(112, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	connect_now();
	works("smtcp");
	again();
	box.no_capable[ACK] = box.no_dss = true;
	mpair_sleep(&P, 5 * NANOS_S);
	assert_true(P.end[0].app.closed);
	assert_int_equal(P.end[0].app.got + P.end[1].app.got, 0);
	assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
	give_up();
}

/* --- memory of destinations ---------------------------------------------- */

static struct crypt_memo memo;

static void with_memory(uint64_t seed, enum mp_memo_mode m)
{
	begin(seed, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	assert_true(crypt_memo_init(&memo, &P.end[0].fake.env, 10));
	P.end[0].cfg.memo = &memo;
	P.end[0].cfg.memo_mode = m;
	P.end[0].conf.crypt.no_resume = true; /* or B would insist */
	connect_now();
	works("smtcp");
}

static void without_memory(void)
{
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, true);
	mpair_sleep(&P, NANOS_S);
	crypt_memo_fini(&memo);
	mpair_stop(&P);
}

static void remembered(void **state)
{
	uint8_t name[CRYPT_PEER_MAX];
	struct endpoint ep;
	struct mp_info i;
	size_t n;

	(void)state;
	for (unsigned m = MP_MEMO_WARN; m <= MP_MEMO_ENFORCE; m++) {
		with_memory(118 + m, m);
		ep = endpoint_make(P.end[1].addr[0], 80);
		n = mp_crypt_name(&ep, name);
		assert_int_equal(memo.n, 1);
		assert_int_equal(crypt_memo_get(&memo, name, n)->level,
				 CRYPT_MEMO_SMTCP);
		again();
		works("smtcp");
		get_info(0, &i);
		assert_false(i.weaker);
		assert_int_equal(count(0, MP_CRYPT_WEAKER), 0);
		without_memory();
	}
	/* the side that accepts keeps nothing, and nobody does when off */
	begin(121, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	assert_true(crypt_memo_init(&memo, &P.end[0].fake.env, 10));
	P.end[1].cfg.memo = P.end[0].cfg.memo = &memo;
	P.end[1].cfg.memo_mode = MP_MEMO_WARN;
	connect_now();
	works("smtcp");
	assert_int_equal(memo.n, 0);
	without_memory();
}

static void less_than_remembered(void **state)
{
	struct mp_info i;

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		bool enforce = k & 1, capable = k & 2;

		with_memory(130 + k, enforce ? MP_MEMO_ENFORCE : MP_MEMO_WARN);
		first_is_over();
		box.no_eno[SYNACK] = !capable;
		box.no_capable[SYNACK] = capable;
		mpair_connect(&P);
		if (!enforce) {
			works(capable ? "tcpcrypt" : "mptcp");
			get_info(0, &i);
			assert_true(i.weaker);
		} else {
			assert_true(mpair_run(&P, 5 * NANOS_S, decided));
			assert_int_equal(P.end[0].app.err, EPROTO);
			assert_int_equal(count(0, MP_CRYPT_REFUSED), 1);
		}
		assert_int_equal(count(0, MP_CRYPT_WEAKER), 1);
		assert_int_equal(count(1, MP_CRYPT_WEAKER), 0);
		without_memory();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resumed),
		cmocka_unit_test(stripped_when_resumed),
		cmocka_unit_test(resumed_in_spite_of_timestamps),
		cmocka_unit_test(resumed_and_eno_gone),
		cmocka_unit_test(resumed_and_capable_gone),
		cmocka_unit_test(remembered),
		cmocka_unit_test(less_than_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
