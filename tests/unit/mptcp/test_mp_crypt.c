/* smtcp(7), Fallback and Policies; RFC 8547 4.6: encryption in the handshake,
 * and what becomes of it when options are lost on the way */
#include "tests/unit/mptcp/handshake.h"

/* --- agreed -------------------------------------------------------------- */

/* smtcp(7), Order: what each segment has */
static void options_of_the_handshake(void **state)
{
	struct mp_info i;

	(void)state;
	begin(1, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	connect_now();
	works("smtcp");
	assert_int_equal(box.eno_len[SYN], 7);
	assert_int_equal(box.eno_len[SYNACK], 7);
	assert_int_equal(box.len[SYN], 4);
	assert_int_equal(box.len[SYNACK], 12);
	assert_int_equal(box.len[ACK], 22);
	assert_int_equal(box.ts[SYN], 1);
	/* the third ACK with Init1; B's next segment has no SYN */
	assert_int_equal(box.eno[ACK], 1);
	get_info(0, &i);
	assert_int_equal(i.sec, MP_SEC_SMTCP);
	assert_int_equal(i.crypt.tep, ENO_TEP_EXP);
	assert_int_equal(i.why_clear, CRYPT_OK);
	assert_false(i.crypt.role_b || i.weaker);
	assert_string_equal(mp_info_why(&i), "");
	get_info(1, &i);
	assert_true(i.crypt.role_b);
	assert_true(conn(0)->crypt.confirmed && conn(1)->crypt.confirmed);
	assert_true(conn(0)->crypt.peer_confirmed);
	finish();
}

/* smtcp(7), Transcripts: the options as they were in the header, flag A too */
static void transcript_is_what_was_sent(void)
{
	uint8_t want[MP_CRYPT_TRANSCRIPT], got[MP_CRYPT_TRANSCRIPT];

	memcpy(want, box.raw[SYN], 4);
	memcpy(want + 4, box.raw[SYNACK], 12);
	memcpy(want + 16, box.raw[ACK] + 4, 16);
	for (unsigned e = 0; e < 2; e++) {
		mp_crypt_transcript(conn(e), got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

/* Flag A counts for nothing under TEP 0x20, and for everything without ENO. */
static void no_checksums(void **state)
{
	(void)state;
	for (unsigned who = 0; who < 3; who++) {
		begin(2 + who, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		P.end[0].cfg.checksum = who != 1;
		P.end[1].cfg.checksum = who != 0;
		connect_now();
		works("smtcp");
		assert_int_equal(box.flags[SYN], who != 1 ? 0x81 : 0x01);
		assert_int_equal(box.flags[SYNACK], 0x81);
		assert_int_equal(box.flags[ACK], 0x01);
		assert_int_equal(box.len[ACK], 22);
		transcript_is_what_was_sent();
		assert_false(conn(0)->checksum || conn(1)->checksum);
		finish();
	}
	begin(5, MP_CRYPT_PREFER, MP_CRYPT_OFF);
	P.end[0].cfg.checksum = true;
	connect_now();
	works("mptcp");
	assert_int_equal(box.flags[ACK], 0x81);
	assert_true(conn(0)->checksum && conn(1)->checksum);
	finish();
}

/* smtcp(7), Order: MP_CAPABLE of another version is as none */
static void version_2(void *ctx, struct mpair_pkt *p)
{
	uint8_t *o = p->pkt->data + 40;

	mbox(ctx, p);
	if (kind_of(p) != SYN) {
		return;
	}
	while (*o != MP_OPT_KIND) {
		o += *o == 1 ? 1 : o[1];
	}
	o[2] = 0x02;
	mpair_fix(p->pkt);
}

static void another_version(void **state)
{
	(void)state;
	begin(6, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	P.mbox = version_2;
	connect_now();
	works("tcpcrypt");
	assert_int_equal(box.capable[SYNACK], 0);
	assert_int_equal(count(1, MP_CAPABLE_REFUSED), 1);
	finish();
	/* without TEP 0x20 RFC 8684 decides: version 1 is the answer */
	begin(7, MP_CRYPT_OFF, MP_CRYPT_PREFER);
	P.mbox = version_2;
	connect_now();
	works("mptcp");
	finish();
}

/* --- not agreed ---------------------------------------------------------- */

static void off_says_so(void **state)
{
	struct mp_info i;

	(void)state;
	begin(10, MP_CRYPT_OFF, MP_CRYPT_PREFER);
	connect_now();
	works("mptcp");
	get_info(0, &i);
	assert_int_equal(i.why_clear, CRYPT_OFF_CONF);
	assert_int_equal(i.sec, MP_SEC_NONE);
	get_info(1, &i);
	assert_int_equal(i.why_clear, CRYPT_OFF_NO_SYN);
	assert_string_equal(mp_info_why(&i),
			    crypt_reason_text(CRYPT_OFF_NO_SYN));
	/* nothing of it is kept */
	assert_null(conn(0)->crypt.k);
	assert_null(conn(1)->crypt.k);
	assert_int_equal(mp_rekey(conn(0), P.now), ENOTCONN);
	mp_forget(conn(0));
	finish();
}

/* what a program may ask for, and a probe */
static void asked_by_the_program(void **state)
{
	struct mp_info i;

	(void)state;
	begin(11, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	P.end[0].conf.crypt.aware_only = true;
	connect_now();
	works("mptcp");
	get_info(0, &i);
	assert_int_equal(i.why_clear, CRYPT_OFF_AWARE);
	finish();
	begin(12, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	P.end[0].conf.crypt.aware_only = true;
	P.end[1].conf.crypt.aware = true;
	connect_now();
	works("smtcp");
	get_info(0, &i);
	assert_true(i.crypt.peer_aware);
	get_info(1, &i);
	assert_true(i.crypt.peer_aware);
	finish();
	/* b=1 is for simultaneous opens */
	begin(13, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	P.end[0].conf.crypt.b = true;
	connect_now();
	works("mptcp");
	get_info(1, &i);
	assert_int_equal(i.why_clear, CRYPT_OFF_ROLES);
	finish();
	for (unsigned e = 0; e < 2; e++) {
		begin(14 + e, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		P.end[e].cfg.crypt_conf.vacuous = true;
		connect_now();
		works("mptcp");
		assert_int_equal(box.eno_len[SYNACK], e == 1 ? 3 : 0);
		get_info(0, &i);
		assert_int_equal(i.why_clear,
				 e == 1 ? CRYPT_OFF_VACUOUS :
					  CRYPT_OFF_NO_SYNACK);
		assert_null(conn(1)->crypt.k);
		finish();
	}
}

static void eno_stripped(void **state)
{
	static const struct {
		unsigned where;
		enum crypt_reason a, b;
	} t[] = {
		{ SYN, CRYPT_OFF_NO_SYNACK, CRYPT_OFF_NO_SYN },
		{ SYNACK, CRYPT_OFF_NO_SYNACK, CRYPT_OFF_NO_ACK },
	};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(t); k++) {
		struct mp_info i;

		begin(20 + k, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		box.no_eno[t[k].where] = true;
		connect_now();
		works("mptcp");
		assert_int_equal(box.eno[ACK], 0);
		get_info(0, &i);
		assert_int_equal(i.why_clear, t[k].a);
		get_info(1, &i);
		assert_int_equal(i.why_clear, t[k].b);
		finish();
	}
}

/* ENO gone from the third ACK: A seals, B must not read on as if it did not.
 * However it is cut: the first octets are Init1. */
static void eno_stripped_from_the_ack(void **state)
{
	static const unsigned cut[] = { 0, 1, 2, 3, 4, 40 };

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(cut); k++) {
		begin(30 + k, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		box.no_eno[ACK] = true;
		box.split = cut[k];
		connect_now();
		mpair_run(&P, 5 * NANOS_S, NULL);
		assert_true(P.end[0].app.closed);
		assert_int_equal(P.end[0].app.err, ECONNRESET);
		if (cut[k] == 0 || cut[k] > 3) {
			assert_int_equal(P.end[1].app.accepted, 0);
			assert_int_equal(P.end[1].app.failed, 1);
		} else {
			assert_int_equal(P.end[1].app.err, ECONNABORTED);
		}
		assert_int_equal(P.end[1].app.got, 0);
		assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
		give_up();
	}
}

/* data that begin otherwise are the program's: A does not seal */
static void plain_first_octets(void **state)
{
	(void)state;
	begin(40, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	box.no_eno[SYNACK] = true;
	box.split = 2;
	connect_now();
	works("mptcp");
	assert_int_equal(conn(1)->crypt.watch, MP_WATCH_OFF);
	finish();
}

static void refusals(void **state)
{
	static const struct {
		enum mp_crypt_policy a, b;
		unsigned where;
		int err;
		unsigned by;
	} t[] = {
		{ MP_CRYPT_REQUIRE_ANY, MP_CRYPT_PREFER, SYN, EPROTO, 0 },
		{ MP_CRYPT_REQUIRE_ANY, MP_CRYPT_PREFER, SYNACK, EPROTO, 0 },
		{ MP_CRYPT_REQUIRE, MP_CRYPT_PREFER, SYN, EPROTO, 0 },
		{ MP_CRYPT_REQUIRE, MP_CRYPT_PREFER, SYNACK, EPROTO, 0 },
		{ MP_CRYPT_PREFER, MP_CRYPT_REQUIRE_ANY, SYN, ECONNREFUSED, 1 },
		{ MP_CRYPT_PREFER, MP_CRYPT_REQUIRE, SYN, ECONNREFUSED, 1 },
		{ MP_CRYPT_PREFER, MP_CRYPT_REQUIRE_ANY, ACK, ECONNRESET, 1 },
		{ MP_CRYPT_PREFER, MP_CRYPT_REQUIRE, ACK, ECONNRESET, 1 },
		{ MP_CRYPT_PREFER, MP_CRYPT_REQUIRE_ANY, SYNACK, ECONNRESET,
		  1 },
	};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(t); k++) {
		begin(50 + k, t[k].a, t[k].b);
		box.no_eno[t[k].where] = true;
		connect_now();
		if (t[k].where != ACK) {
			refused(t[k].err, t[k].by);
			assert_int_equal(box.payload, 0);
		} else {
			refused(t[k].err, t[k].by);
		}
		assert_int_equal(P.end[1].app.failed, 1);
	}
}

/* MP_CAPABLE lost: sealed all the same, but no more than tcpcrypt */
static void capable_stripped(void **state)
{
	(void)state;
	for (unsigned where = 0; where < KINDS; where++) {
		begin(60 + where, MP_CRYPT_REQUIRE_ANY, MP_CRYPT_PREFER);
		box.no_capable[where] = true;
		box.no_dss = where == ACK;
		connect_now();
		works("tcpcrypt");
		assert_int_equal(conn(0)->crypt.smtcp, true);
		finish();
	}
	for (unsigned where = 0; where < KINDS; where++) {
		bool at_b = where != SYNACK;

		begin(70 + where, at_b ? MP_CRYPT_PREFER : MP_CRYPT_REQUIRE,
		      at_b ? MP_CRYPT_REQUIRE : MP_CRYPT_PREFER);
		box.no_capable[where] = true;
		connect_now();
		refused(where == SYN	? ECONNREFUSED :
			where == SYNACK ? EPROTO :
					  ECONNRESET,
			at_b);
	}
}

static void both_stripped(void **state)
{
	(void)state;
	for (unsigned where = SYN; where <= SYNACK; where++) {
		begin(80 + where, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		box.no_capable[where] = box.no_eno[where] = true;
		connect_now();
		works("tcp");
		finish();
	}
}

/* Multipath TCP switched off, SMTCP required: nothing is sent at all. */
static void cannot_be(void **state)
{
	struct tuple t;
	int err;

	(void)state;
	begin(85, MP_CRYPT_REQUIRE, MP_CRYPT_PREFER);
	P.end[0].cfg.policy = MP_OFF;
	mpair_start(&P);
	t = (struct tuple){ .local.addr = P.end[0].addr[0],
			    .remote = endpoint_make(P.end[1].addr[0], 80) };
	assert_null(mp_connect(P.end[0].mp, P.now, &t, 0, &P.end[0].conf, NULL,
			       NULL, &err));
	assert_int_equal(err, EPROTO);
	assert_int_equal(count(0, MP_CRYPT_REFUSED), 1);
	mpair_stop(&P);
}

/* --- SYNs that nobody answers -------------------------------------------- */

static void syns_unanswered(void **state)
{
	static const struct {
		unsigned lost, eno, capable;
		const char *mode;
	} t[] = {
		{ 1, 2, 2, "smtcp" }, { 2, 2, 3, "mptcp" },
		{ 3, 2, 4, "mptcp" }, { 4, 2, 4, "tcp" },
	};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(t); k++) {
		struct mp_info i;

		begin(90 + k, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		box.lose[SYN] = t[k].lost;
		connect_now();
		works(t[k].mode);
		assert_int_equal(box.seen[SYN], t[k].lost + 1);
		assert_int_equal(box.eno[SYN], t[k].eno);
		assert_int_equal(box.capable[SYN], t[k].capable);
		if (t[k].lost >= 2) {
			get_info(0, &i);
			assert_int_equal(i.why_clear, CRYPT_OFF_DROPPED);
		}
		finish();
	}
	/* who requires it keeps asking, for both */
	begin(95, MP_CRYPT_REQUIRE_ANY, MP_CRYPT_PREFER);
	box.lose[SYN] = 5;
	connect_now();
	works("smtcp");
	assert_int_equal(box.eno[SYN], 6);
	finish();
	/* without Multipath TCP two are enough */
	begin(96, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	P.end[0].cfg.policy = MP_OFF;
	box.lose[SYN] = 2;
	connect_now();
	works("tcp");
	finish();
	/* and without encryption, too */
	begin(97, MP_CRYPT_OFF, MP_CRYPT_OFF);
	box.lose[SYN] = 2;
	connect_now();
	works("tcp");
	finish();
}

/* RFC 8547 4.6, rule 1: any segment up to the first ACK.  The SYN comes again
 * without ENO, which the SYN-ACK then must not have either. */
static void syn_again_without_eno(void **state)
{
	(void)state;
	begin(98, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
	box.lose[SYNACK] = 2;
	connect_now();
	mpair_sleep(&P, 500 * NANOS_MS);
	assert_int_equal(box.eno[SYNACK], 1);
	box.no_eno[SYN] = true;
	works("mptcp");
	assert_int_equal(box.eno[SYNACK], 1);
	finish();
	/* the same where encryption is required: refused at once */
	begin(99, MP_CRYPT_PREFER, MP_CRYPT_REQUIRE);
	box.lose[SYNACK] = 2;
	connect_now();
	mpair_sleep(&P, 500 * NANOS_MS);
	box.no_eno[SYN] = true;
	refused(ECONNREFUSED, 1);
}

static void syn_again_stripped_too_late(void **state)
{
	(void)state;
	for (unsigned cut = 0; cut < 2; cut++) {
		begin(104 + cut, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		P.link[0].delay = 700 * NANOS_MS;
		box.split = cut ? 3 : 0;
		connect_now();
		stripped_too_late();
	}
}

/* SYN-ACK and third ACK lost: the same options again, the same keys */
static void handshake_lost(void **state)
{
	(void)state;
	begin(100, MP_CRYPT_REQUIRE, MP_CRYPT_REQUIRE);
	box.lose[SYNACK] = 1;
	box.lose[ACK] = 2;
	connect_now();
	works("smtcp");
	assert_true(box.eno[SYNACK] >= 2);
	assert_true(box.eno[ACK] >= 2);
	finish();
}

/* smtcp(7), Init messages: until B was heard each segment of A brings the keys
 * and ENO, also the answer to a SYN-ACK that came twice */
static void until_b_is_heard(void **state)
{
	(void)state;
	begin(101, MP_CRYPT_REQUIRE, MP_CRYPT_REQUIRE);
	box.twice = box.deaf = true;
	connect_now();
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_true(box.seen[ACK] >= 2);
	assert_int_equal(box.eno[ACK], box.seen[ACK]);
	assert_int_equal(box.capable[ACK], box.seen[ACK]);
	assert_int_equal(box.len[ACK], 20);
	mpair_sleep(&P, 3 * NANOS_S); /* Init1 again */
	assert_int_equal(box.len[ACK], 22);
	assert_int_equal(box.eno[ACK], box.seen[ACK]);
	box.deaf = false;
	works("smtcp");
	assert_int_equal(box.dss_early, 0);
	finish();
	/* where Init1 does not fit in one segment, too */
	begin(106, MP_CRYPT_REQUIRE, MP_CRYPT_REQUIRE);
	P.end[0].conf.tcp.mss_clamp = 100;
	P.gso = false;
	connect_now();
	mpair_sleep(&P, 20 * NANOS_MS);
	assert_true(box.eno[ACK] >= 2);
	works("smtcp");
	assert_int_equal(box.len[ACK], 22);
	assert_true(box.capable[ACK] >= 2);
	assert_int_equal(box.dss_early, 0);
	finish();
}

/* --- both open ----------------------------------------------------------- */

static unsigned opened;

static void on_open(void *o, struct instant now)
{
	(void)o;
	(void)now;
	opened++;
}

static const struct mp_owner opener = { .established = on_open };

static struct mp_conn *open_to(unsigned from)
{
	struct tuple t = {
		.local = endpoint_make(P.end[from].addr[0],
				       (uint16_t)(5000 + from)),
		.remote = endpoint_make(P.end[!from].addr[0],
					(uint16_t)(5000 + !from)),
	};
	struct mp_conn *c;
	int err;

	c = mp_connect(P.end[from].mp, P.now, &t, 0, &P.end[from].conf,
		       &opener, NULL, &err);
	assert_non_null(c);
	return c;
}

static void say(struct mp_conn *c)
{
	struct iov_mut v[2];

	assert_true(mp_write_vec(c, 5, v) > 0 && v[0].n >= 5);
	memcpy(v[0].p, "hello", 5);
	mp_write_done(c, P.now, 5);
}

static void heard(const struct mp_conn *c)
{
	struct iov v;

	assert_int_equal(mp_read_vec(c, &v, 1), 1);
	assert_int_equal(v.n, 5);
	assert_memory_equal(v.p, "hello", 5);
}

/* RFC 8547 4.3: roles decide, if one of the two set b; and then it is sealed,
 * but not SMTCP (smtcp(7), Terms) */
static void simultaneous(void **state)
{
	static struct mp_info i;

	(void)state;
	for (unsigned t = 0; t < 4; t++) {
		bool sealed = t == 1 || t == 2;
		struct mp_conn *c[2];

		opened = 0;
		begin(102 + t, MP_CRYPT_PREFER, MP_CRYPT_PREFER);
		P.mbox = NULL;
		P.end[0].conf.crypt.b = t & 1;
		P.end[1].conf.crypt.b = t & 2;
		mpair_start(&P);
		for (unsigned e = 0; e < 2; e++) {
			c[e] = open_to(e);
		}
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(opened, 2);
		say(c[0]);
		say(c[1]);
		mpair_sleep(&P, NANOS_S);
		for (unsigned e = 0; e < 2; e++) {
			heard(c[e]);
			mp_info(c[e], &i);
			assert_int_equal(i.mode, MP_MODE_TCP);
			assert_int_equal(i.sealed, sealed);
			if (sealed) {
				assert_int_equal(i.crypt.role_b,
						 P.end[e].conf.crypt.b);
				assert_int_equal(i.crypt.tep, ENO_TEP_X25519);
			} else {
				assert_int_equal(i.why_clear, CRYPT_OFF_ROLES);
			}
			mp_close(c[e], P.now, true);
		}
		mpair_sleep(&P, NANOS_S);
		mpair_stop(&P);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_the_handshake),
		cmocka_unit_test(no_checksums),
		cmocka_unit_test(another_version),
		cmocka_unit_test(off_says_so),
		cmocka_unit_test(asked_by_the_program),
		cmocka_unit_test(eno_stripped),
		cmocka_unit_test(eno_stripped_from_the_ack),
		cmocka_unit_test(plain_first_octets),
		cmocka_unit_test(refusals),
		cmocka_unit_test(capable_stripped),
		cmocka_unit_test(both_stripped),
		cmocka_unit_test(cannot_be),
		cmocka_unit_test(syns_unanswered),
		cmocka_unit_test(syn_again_without_eno),
		cmocka_unit_test(syn_again_stripped_too_late),
		cmocka_unit_test(handshake_lost),
		cmocka_unit_test(until_b_is_heard),
		cmocka_unit_test(simultaneous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
