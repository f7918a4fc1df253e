#include "tests/unit/crypt/pair.h"

#include "stack/base/rng.h"

/* what an end would put in a segment, as text */
static unsigned out(struct end *e, enum crypt_seg seg, char *text)
{
	uint8_t buf[64];
	unsigned n = crypt_seg_out(e->conn, t0, seg, buf, ENO_OPT_MAX);

	text[0] = 0;
	for (unsigned i = 0; i < n; i++) {
		snprintf(text + 2 * i, 3, "%02x", buf[i]);
	}
	return n;
}

static void sends(struct end *e, enum crypt_seg seg, const char *want)
{
	char text[128];

	out(e, seg, text);
	assert_string_equal(text, want);
}

static void gets(struct end *e, enum crypt_seg seg, const char *text)
{
	uint8_t opt[64];

	deliver(e, seg, opt, hex(text, opt));
}

/* smtcp(7): SYN, SYN-ACK and third ACK of both sides */
static void agrees_on_smtcp(void **st)
{
	struct crypt_info i;

	(void)st;
	a.conf.sig = b.conf.sig = true;
	end_open(&a, true);
	end_open(&b, false);
	sends(&a, CRYPT_SEG_SYN, "450723a0534d43");
	pass(&a, &b, CRYPT_SEG_SYN);
	sends(&b, CRYPT_SEG_SYNACK, "450701a0534d43");
	assert_int_equal(crypt_state(b.conn), CRYPT_NEGOTIATING);
	pass(&b, &a, CRYPT_SEG_SYNACK);
	assert_int_equal(crypt_state(a.conn), CRYPT_AGREED);
	sends(&a, CRYPT_SEG_ACK, "4502");
	pass(&a, &b, CRYPT_SEG_ACK);
	assert_int_equal(crypt_state(b.conn), CRYPT_AGREED);
	crypt_info(a.conn, &i);
	assert_true(i.smtcp && i.sig && !i.role_b && !i.resumed);
	assert_int_equal(i.tep, 0x20);
	assert_int_equal(i.kx, 0x23);
	crypt_info(b.conn, &i);
	assert_true(i.smtcp && i.sig && i.role_b);
}

/* 8547 4.6: in every segment until a non-SYN segment was received */
static void repeats_until_a_non_syn_segment_came(void **st)
{
	(void)st;
	end_open(&a, true);
	end_open(&b, false);
	for (unsigned i = 0; i < 3; i++) {
		sends(&a, CRYPT_SEG_SYN, "450723a0534d03");
	}
	for (unsigned i = 0; i < 3; i++) {
		pass(&a, &b, CRYPT_SEG_SYN);
		sends(&b, CRYPT_SEG_SYNACK, "450701a0534d03");
	}
	pass(&b, &a, CRYPT_SEG_SYNACK);
	for (unsigned i = 0; i < 5; i++) {
		sends(&a, CRYPT_SEG_ACK, "4502");
		pass(&b, &a, CRYPT_SEG_SYNACK);
	}
	pass(&a, &b, CRYPT_SEG_ACK);
	sends(&b, CRYPT_SEG_ACK, "");
	gets(&a, CRYPT_SEG_ACK, "");
	sends(&a, CRYPT_SEG_ACK, "");
	assert_int_equal(crypt_state(a.conn), CRYPT_AGREED);
	assert_int_equal(crypt_state(b.conn), CRYPT_AGREED);
}

/* the third ACK is lost: data carry ENO, too (8547 4.6) */
static void the_first_ack_segment_decides(void **st)
{
	(void)st;
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "450323");
	sends(&b, CRYPT_SEG_SYNACK, "45040123");
	/* contents of the non-SYN form are ignored, and two count as one */
	gets(&b, CRYPT_SEG_ACK, "4506ffffffff");
	assert_int_equal(crypt_state(b.conn), CRYPT_AGREED);
	gets(&b, CRYPT_SEG_ACK, "");
	assert_int_equal(crypt_state(b.conn), CRYPT_AGREED);
}

/* what a passive opener makes of a SYN */
static const struct {
	const char *syn, *synack;
	enum crypt_reason why;
} passive[] = {
	{ "450323", "45040123", CRYPT_OK },
	{ "45042321", "45040123", CRYPT_OK },
	{ "45042123", "45040123", CRYPT_OK },
	{ "45042122", "", CRYPT_OFF_NO_TEP },
	{ "450323a0", "", CRYPT_OFF_ILL }, /* longer than it says */
	{ "450423a0", "45040123", CRYPT_OK },
	{ "450723a0534d03", "450701a0534d03", CRYPT_OK },
	{ "4506a0534d03", "450701a0534d03", CRYPT_OK },
	/* kx alternatives: the first that we know */
	{ "4507a0534d0403", "450701a0534d03", CRYPT_OK },
	{ "4506a0534d04", "", CRYPT_OFF_NO_TEP },
	{ "450723a0534d04", "45040123", CRYPT_OK },
	/* R counts in the first only; there it means that nothing follows */
	{ "4507a0534d0483", "450701a0534d03", CRYPT_OK },
	{ "4507a0534d8304", "450701a0534d03", CRYPT_OK },
	{ "4507a0534d8403", "", CRYPT_OFF_NO_TEP },
	/* another experiment beside ours, or alone */
	{ "450b82a0584d03a0534d43", "450701a0534d03", CRYPT_OK },
	{ "450723a0584d03", "45040123", CRYPT_OK },
	/* repetition that is not defined makes a TEP invalid (4.5) */
	{ "45042323", "", CRYPT_OFF_NO_TEP },
	{ "450582a3aabb", "", CRYPT_OFF_ILL },
	{ "450480a3aa", "", CRYPT_OFF_ILL },
	{ "450580a3aa", "45040123", CRYPT_OK },
	{ "450c2382a0534d03a0534d03", "45040123", CRYPT_OK },
	/* data that are no resumption: as v = 0 (8548 3.5) */
	{ "4503a3", "45040123", CRYPT_OK },
	{ "450ba30102030405060708", "45040123", CRYPT_OK },
	{ "450ca3010203040506070809", "45040123", CRYPT_OK },
	{ "4515a3000102030405060708090a0b0c0d0e0f1011", "45040123", CRYPT_OK },
	/* roles, globals */
	{ "45040023", "45040123", CRYPT_OK },
	{ "45040123", "", CRYPT_OFF_ROLES },
	{ "45041d23", "", CRYPT_OFF_ROLES },
	{ "45041c23", "45040123", CRYPT_OK },
	{ "4505000123", "45040123", CRYPT_OK },
	{ "45050100 23", "", CRYPT_OFF_ROLES },
	{ "45040223", "45040123", CRYPT_OK },
	/* vacuous */
	{ "4502", "", CRYPT_OFF_VACUOUS },
	{ "450300", "", CRYPT_OFF_VACUOUS },
	/* unknown TEPs */
	{ "45053023 7f", "45040123", CRYPT_OK },
	{ "450430b1", "", CRYPT_OFF_NO_TEP },
	/* ill-formed */
	{ "45048023", "", CRYPT_OFF_ILL },
	{ "4504239f", "", CRYPT_OFF_ILL },
	{ "", "", CRYPT_OFF_NO_SYN },
};

static void answers_by_the_table(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(passive); i++) {
		char text[128];

		end_open(&b, false);
		gets(&b, CRYPT_SEG_SYN, passive[i].syn);
		out(&b, CRYPT_SEG_SYNACK, text);
		if (strcmp(text, passive[i].synack) != 0 &&
		    !(passive[i].why != CRYPT_OK && text[0] == 0)) {
			fail_msg("to %s: %s, not %s", passive[i].syn, text,
				 passive[i].synack);
		}
		if (passive[i].why != CRYPT_OK) {
			is_off(&b, passive[i].why);
			sends(&b, CRYPT_SEG_SYNACK, "");
			sends(&b, CRYPT_SEG_ACK, "");
			gets(&b, CRYPT_SEG_ACK, "4502");
			is_off(&b, passive[i].why);
		} else {
			gets(&b, CRYPT_SEG_ACK, "4502");
			assert_int_equal(crypt_state(b.conn), CRYPT_AGREED);
		}
	}
}

/* what an active opener that sent 450723a0534d03 makes of a SYN-ACK */
static const struct {
	const char *synack;
	enum crypt_reason why;
	uint8_t tep;
} active[] = {
	{ "45040123", CRYPT_OK, 0x23 },
	{ "450701a0534d03", CRYPT_OK, 0x20 },
	{ "45060180a3aa", CRYPT_OK, 0x23 },
	{ "45050180a3", CRYPT_OFF_ILL, 0 },
	/* the last valid one of B's counts (4.5), v does not matter */
	{ "45080123a0534d03", CRYPT_OK, 0x20 },
	{ "450901 82a0534d03 23", CRYPT_OK, 0x23 },
	{ "45050123 21", CRYPT_OK, 0x23 },
	{ "450501 23 7f", CRYPT_OK, 0x23 },
	{ "450401a3", CRYPT_OK, 0x23 },
	{ "450901 23 a0534d04", CRYPT_OFF_ILL, 0 },
	{ "450801 23 a0534d04", CRYPT_OK, 0x23 },
	{ "450801 23 a0584d03", CRYPT_OK, 0x23 },
	{ "450701a0534d04", CRYPT_OFF_NO_TEP, 0 },
	/* SMTCP answers with one key exchange */
	{ "450801a0534d0303", CRYPT_OFF_NO_TEP, 0 },
	{ "450801a0534d0403", CRYPT_OFF_NO_TEP, 0 },
	/* a secret that we did not name, or none that can be */
	{ "451001a0534d83010203040506070809", CRYPT_OFF_HALF, 0 },
	{ "450801a0534d8301", CRYPT_OFF_HALF, 0 },
	{ "450d01a3010203040506070809", CRYPT_OFF_HALF, 0 },
	{ "45110123a0534d83010203040506070809", CRYPT_OK, 0x23 },
	{ "450401 21", CRYPT_OFF_NO_TEP, 0 },
	{ "4505012323", CRYPT_OFF_NO_TEP, 0 },
	{ "450301", CRYPT_OFF_VACUOUS, 0 },
	/* the SYN's option come back, or b forgotten */
	{ "450723a0534d03", CRYPT_OFF_ROLES, 0 },
	{ "450323", CRYPT_OFF_ROLES, 0 },
	{ "45040023", CRYPT_OFF_ROLES, 0 },
	{ "450500 01 23", CRYPT_OFF_ROLES, 0 },
	{ "", CRYPT_OFF_NO_SYNACK, 0 },
};

static void reads_answers_by_the_table(void **st)
{
	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(active); i++) {
		struct crypt_info info;
		char text[128];

		end_open(&a, true);
		sends(&a, CRYPT_SEG_SYN, "450723a0534d03");
		gets(&a, CRYPT_SEG_SYNACK, active[i].synack);
		out(&a, CRYPT_SEG_ACK, text);
		crypt_info(a.conn, &info);
		if (active[i].why != CRYPT_OK) {
			is_off(&a, active[i].why);
			assert_string_equal(text, "");
			gets(&a, CRYPT_SEG_SYNACK, "45040123");
			is_off(&a, active[i].why);
		} else {
			assert_int_equal(info.state, CRYPT_AGREED);
			assert_string_equal(text, "4502");
		}
		assert_int_equal(info.tep, active[i].tep);
	}
}

/* any segment up to the first ACK segment without ENO (4.6 rule 1) */
static void stripping_disables(void **st)
{
	(void)st;
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "450323");
	sends(&b, CRYPT_SEG_SYNACK, "45040123");
	gets(&b, CRYPT_SEG_ACK, "");
	is_off(&b, CRYPT_OFF_NO_ACK);
	sends(&b, CRYPT_SEG_ACK, "");
	/* a repeated SYN from which the opener took it */
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "450323");
	sends(&b, CRYPT_SEG_SYNACK, "45040123");
	gets(&b, CRYPT_SEG_SYN, "");
	is_off(&b, CRYPT_OFF_NO_SYN);
	sends(&b, CRYPT_SEG_SYNACK, "");
	gets(&b, CRYPT_SEG_ACK, "4502");
	is_off(&b, CRYPT_OFF_NO_SYN);
}

static void two_options_disable(void **st)
{
	const uint8_t opt[] = { 69, 3, 0x23 };

	(void)st;
	for (unsigned seg = CRYPT_SEG_SYN; seg <= CRYPT_SEG_SYNACK; seg++) {
		struct end *e = seg == CRYPT_SEG_SYN ? &b : &a;
		struct eno_opt_seen seen = { 0 };

		end_open(e, seg == CRYPT_SEG_SYNACK);
		eno_opt_note(&seen, opt, 3);
		eno_opt_note(&seen, opt, 3);
		crypt_seg_in(e->conn, t0, seg, &seen);
		is_off(e, CRYPT_OFF_TWO);
	}
}

/* the opener may leave it out of repeated SYNs, or decline with the third
 * ACK, but not after that (4.6) */
static void gives_up_in_time(void **st)
{
	(void)st;
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "450723a0534d03");
	assert_true(crypt_give_up(a.conn, CRYPT_OFF_DROPPED));
	sends(&a, CRYPT_SEG_SYN, "");
	gets(&a, CRYPT_SEG_SYNACK, "45040123");
	sends(&a, CRYPT_SEG_ACK, "");
	is_off(&a, CRYPT_OFF_DROPPED);

	end_open(&a, true);
	end_open(&b, false);
	pass(&a, &b, CRYPT_SEG_SYN);
	pass(&b, &a, CRYPT_SEG_SYNACK);
	assert_true(crypt_give_up(a.conn, CRYPT_OFF_CHOICE));
	pass(&a, &b, CRYPT_SEG_ACK);
	is_off(&a, CRYPT_OFF_CHOICE);
	is_off(&b, CRYPT_OFF_NO_ACK);

	three_way(&a, &b);
	assert_false(crypt_give_up(a.conn, CRYPT_OFF_CHOICE));
	assert_false(crypt_give_up(b.conn, CRYPT_OFF_CHOICE));
	assert_int_equal(crypt_state(a.conn), CRYPT_AGREED);
}

static void an_altered_retransmission_changes_nothing(void **st)
{
	struct crypt_info i;

	(void)st;
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "45042321");
	sends(&b, CRYPT_SEG_SYNACK, "45040123");
	gets(&b, CRYPT_SEG_SYN, "450421a3");
	sends(&b, CRYPT_SEG_SYNACK, "45040123");
	gets(&b, CRYPT_SEG_ACK, "4502");
	crypt_info(b.conn, &i);
	assert_int_equal(i.tep, 0x23);
	assert_int_equal(i.state, CRYPT_AGREED);
}

/* 8547 4.2: application-aware, and the mode that insists on it */
static void knows_the_aware_bit(void **st)
{
	struct crypt_info i;

	(void)st;
	for (unsigned t = 0; t < 16; t++) {
		bool ok = (!(t & 4) || t & 2) && (!(t & 8) || t & 1);

		a.conf.aware = t & 1;
		b.conf.aware = t & 2;
		a.conf.aware_only = t & 4;
		b.conf.aware_only = t & 8;
		three_way(&a, &b);
		crypt_info(a.conn, &i);
		assert_int_equal(i.state, ok ? CRYPT_AGREED : CRYPT_OFF);
		assert_true(!ok || i.peer_aware == b.conf.aware);
		crypt_info(b.conn, &i);
		assert_int_equal(i.state, ok ? CRYPT_AGREED : CRYPT_OFF);
		assert_int_equal(i.peer_aware, a.conf.aware);
		if (!ok) {
			is_off(t & 8 && !(t & 1) ? &b : &a, CRYPT_OFF_AWARE);
		}
	}
	a.conf.smtcp = false;
	a.conf.aware = true;
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "45040223");
	a.conf.b = true;
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "45040323");
}

/* vacuous options: legal, and end in plain TCP (4.6) */
static void vacuous(void **st)
{
	(void)st;
	a.conf.vacuous = true;
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "4502");
	gets(&a, CRYPT_SEG_SYNACK, "45040123");
	is_off(&a, CRYPT_OFF_VACUOUS);
	sends(&a, CRYPT_SEG_ACK, "");
	b.conf.vacuous = true;
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "450323");
	is_off(&b, CRYPT_OFF_VACUOUS);
	sends(&b, CRYPT_SEG_SYNACK, "450301");
	sends(&b, CRYPT_SEG_ACK, "");
	/* but never to a SYN without ENO */
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "");
	sends(&b, CRYPT_SEG_SYNACK, "");
}

/* both sides are active openers; 8547 figure 12 */
static void crossing(char x[128], char y[128])
{
	end_open(&a, true);
	end_open(&b, true);
	out(&a, CRYPT_SEG_SYN, x);
	out(&b, CRYPT_SEG_SYN, y);
}

static void simultaneous_open(void **st)
{
	struct crypt_info i;
	char x[128], y[128];

	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		bool ok = t == 1 || t == 2;

		a.conf.b = t & 1;
		b.conf.b = t & 2;
		crossing(x, y);
		gets(&a, CRYPT_SEG_SYN, y);
		gets(&b, CRYPT_SEG_SYN, x);
		if (!ok) {
			is_off(&a, CRYPT_OFF_ROLES);
			is_off(&b, CRYPT_OFF_ROLES);
			sends(&a, CRYPT_SEG_SYNACK, "");
			continue;
		}
		/* the SYN-ACK's option is the SYN's */
		sends(&a, CRYPT_SEG_SYNACK, x);
		sends(&b, CRYPT_SEG_SYNACK, y);
		assert_int_equal(crypt_state(a.conn), CRYPT_NEGOTIATING);
		gets(&a, CRYPT_SEG_SYNACK, y);
		gets(&b, CRYPT_SEG_SYNACK, x);
		crypt_info(a.conn, &i);
		assert_int_equal(i.state, CRYPT_AGREED);
		assert_int_equal(i.role_b, a.conf.b);
		/* SMTCP has no part in it, whoever offered it */
		assert_int_equal(i.tep, 0x23);
		assert_null(strstr(a.conf.b ? x : y, "a0534d"));
		assert_non_null(strstr(a.conf.b ? y : x, "a0534d"));
		crypt_info(b.conn, &i);
		assert_int_equal(i.state, CRYPT_AGREED);
		assert_int_equal(i.role_b, b.conf.b);
		key_up(&a, &b);
		same_id(&a, &b);
		say(&a, &b, "one");
		say(&b, &a, "two");
	}
	/* nor when somebody offers it with b = 1 */
	a.conf.b = false;
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "450723a0534d03");
	gets(&a, CRYPT_SEG_SYN, "450701a0534d03");
	is_off(&a, CRYPT_OFF_NO_TEP);
	/* one SYN is lost: the SYN-ACK alone tells as much */
	a.conf.b = true;
	b.conf.b = false;
	crossing(x, y);
	gets(&b, CRYPT_SEG_SYN, x);
	pass(&b, &a, CRYPT_SEG_SYNACK);
	assert_int_equal(crypt_state(a.conn), CRYPT_AGREED);
	pass(&a, &b, CRYPT_SEG_SYNACK);
	assert_int_equal(crypt_state(b.conn), CRYPT_AGREED);
	/* ENO stripped from the SYN-ACK only */
	crossing(x, y);
	gets(&a, CRYPT_SEG_SYN, y);
	gets(&a, CRYPT_SEG_SYNACK, "");
	is_off(&a, CRYPT_OFF_NO_SYNACK);
}

/* smtcp(7), Terms: TEP 0x20 is for host A who opens; not with b=1, and not
 * where both open, whatever the other side offers */
static void smtcp_has_one_opener(void **st)
{
	struct crypt_info i;
	char x[128];

	(void)st;
	a.conf.b = true;
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "45040123");
	a.conf.b = false;
	end_open(&a, true);
	out(&a, CRYPT_SEG_SYN, x);
	gets(&a, CRYPT_SEG_SYN, "45080123a0534d03");
	crypt_info(a.conn, &i);
	assert_int_equal(i.tep, 0x23);
	assert_false(i.smtcp);
	end_open(&a, true);
	out(&a, CRYPT_SEG_SYN, x);
	gets(&a, CRYPT_SEG_SYN, "450701a0534d03");
	is_off(&a, CRYPT_OFF_NO_TEP);
	/* the same option in answer is fine */
	end_open(&a, true);
	out(&a, CRYPT_SEG_SYN, x);
	gets(&a, CRYPT_SEG_SYNACK, "450701a0534d03");
	crypt_info(a.conn, &i);
	assert_true(i.smtcp);
}

/* host B's order decides, host A's does not (4.5) */
static void b_has_the_choice(void **st)
{
	struct crypt_info i;
	char x[128], y[128];

	(void)st;
	a.conf.smtcp = b.conf.smtcp = false;
	a.conf.n_kx = b.conf.n_kx = 4;
	memcpy(a.conf.kx, "\x21\x22\x23\x24", 4);
	for (unsigned t = 0; t < 4; t++) {
		for (unsigned j = 0; j < 4; j++) {
			b.conf.kx[j] = (uint8_t)(0x21 + (t + j) % 4);
		}
		three_way(&a, &b);
		crypt_info(a.conn, &i);
		assert_int_equal(i.tep, 0x21 + t);
		/* simultaneous: b offers all, best last */
		b.conf.b = true;
		crossing(x, y);
		gets(&a, CRYPT_SEG_SYN, y);
		gets(&b, CRYPT_SEG_SYN, x);
		pass(&a, &b, CRYPT_SEG_SYNACK);
		pass(&b, &a, CRYPT_SEG_SYNACK);
		crypt_info(a.conn, &i);
		assert_int_equal(i.tep, 0x21 + t);
		crypt_info(b.conn, &i);
		assert_int_equal(i.tep, 0x21 + t);
		b.conf.b = false;
	}
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "450624232221");
	/* SMTCP's key exchange likewise */
	a.conf.smtcp = b.conf.smtcp = true;
	a.conf.plain = false;
	for (unsigned t = 0; t < 4; t++) {
		b.conf.kx[0] = (uint8_t)(0x21 + t);
		three_way(&a, &b);
		crypt_info(a.conn, &i);
		assert_int_equal(i.tep, 0x20);
		assert_int_equal(i.kx, 0x21 + t);
	}
	end_open(&a, true);
	sends(&a, CRYPT_SEG_SYN, "4509a0534d01020304");
}

static void needs_room(void **st)
{
	uint8_t buf[ENO_OPT_MAX];

	(void)st;
	end_open(&a, true);
	assert_int_equal(crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, buf, 6), 0);
	is_off(&a, CRYPT_OFF_ROOM);
	end_open(&b, false);
	gets(&b, CRYPT_SEG_SYN, "450323");
	assert_int_equal(crypt_seg_out(b.conn, t0, CRYPT_SEG_SYNACK, buf, 3),
			 0);
	is_off(&b, CRYPT_OFF_ROOM);
	/* once made it is never made anew */
	end_open(&a, true);
	assert_int_equal(crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, buf, 7), 7);
	assert_int_equal(crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, buf, 6), 0);
	assert_int_equal(crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, buf, 40), 7);
}

static void is_off_by_configuration(void **st)
{
	(void)st;
	a.conf.on = false;
	end_open(&a, true);
	is_off(&a, CRYPT_OFF_CONF);
	sends(&a, CRYPT_SEG_SYN, "");
	a.conf.on = true;
	a.conf.kx[0] = 0x30; /* no key exchange we know */
	end_open(&a, true);
	is_off(&a, CRYPT_OFF_CONF);
	a.conf.kx[0] = 0x23;
	a.conf.plain = a.conf.smtcp = false;
	end_open(&a, true);
	is_off(&a, CRYPT_OFF_CONF);
	a.conf.plain = true;
	a.conf.n_aead = 1;
	a.conf.aead[0] = 7;
	end_open(&a, true);
	is_off(&a, CRYPT_OFF_CONF);
	assert_true(counts(&a, CRYPT_OFF_CONF) == 4);
}

/* segments of any kind, in any order, with options of any octets: both ends
 * never disagree on more than the RFC allows, and nothing crashes */
static void survives_any_segments(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 3);
	for (unsigned t = 0; t < 4000; t++) {
		bool active_end = rng_below(&r, 2);

		a.conf.b = rng_below(&r, 4) == 0;
		end_open(&a, active_end);
		for (unsigned i = 0; i < 6; i++) {
			enum crypt_seg seg = (enum crypt_seg)rng_below(&r, 3);
			uint8_t opt[64];
			unsigned n = (unsigned)rng_below(&r, 12);

			rng_fill(&r, opt, sizeof(opt));
			for (unsigned j = 2; j < n; j++) {
				opt[j] = rng_below(&r, 2)   ? opt[j]
					 : rng_below(&r, 2) ? 0x23
							    : 0xa3;
			}
			opt[0] = ENO_OPT_KIND;
			opt[1] = (uint8_t)n;
			if (rng_below(&r, 2)) {
				crypt_seg_out(a.conn, t0, seg, opt + 20, 40);
			} else {
				deliver(&a, seg, opt, n < 2 ? 0 : n);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(agrees_on_smtcp),
		T(repeats_until_a_non_syn_segment_came),
		T(the_first_ack_segment_decides),
		T(answers_by_the_table),
		T(reads_answers_by_the_table),
		T(stripping_disables),
		T(two_options_disable),
		T(gives_up_in_time),
		T(an_altered_retransmission_changes_nothing),
		T(knows_the_aware_bit),
		T(vacuous),
		T(simultaneous_open),
		T(smtcp_has_one_opener),
		T(b_has_the_choice),
		T(needs_room),
		T(is_off_by_configuration),
		T(survives_any_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
