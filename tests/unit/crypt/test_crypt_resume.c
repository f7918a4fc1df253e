/* resumption: what becomes of a secret (RFC 8548 3.5) */
#include "tests/unit/crypt/pair.h"

static void a_secret_serves_once(void **st)
{
	(void)st;
	connect_ends(&a, &b);
	/* nothing is kept before a frame showed that both have the keys */
	assert_int_equal(crypt_cached(a.crypt), 0);
	talk();
	assert_int_equal(crypt_cached(a.crypt), 1);
	assert_int_equal(crypt_cached(b.crypt), 1);
	talk();
	assert_int_equal(crypt_cached(a.crypt), 1);
	/* named once; a second connection meanwhile is fresh */
	end_open(&a, true);
	uint8_t opt[64];
	unsigned n = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, opt, 40);

	assert_int_equal(n, 7 + 9 + 8);
	assert_int_equal(crypt_cached(a.crypt), 0);
	connect_ends(&a, &b);
	assert_false(info(&a).resumed);
	assert_true(counts(&a, CRYPT_RESUME_OFFERED) == 1);
	/* what was named in vain is gone: b has it, a never names it again */
	assert_int_equal(crypt_cached(b.crypt), 1);
	talk();
	assert_int_equal(crypt_cached(b.crypt), 2);
	connect_ends(&a, &b);
	assert_true(info(&a).resumed);
	assert_int_equal(crypt_cached(b.crypt), 1);
}

/* after a first connection both open again and b gets a's SYN, which is kept */
static unsigned offer(uint8_t *syn)
{
	unsigned n;

	connect_ends(&a, &b);
	talk();
	end_open(&a, true);
	end_open(&b, false);
	n = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, syn, 40);
	deliver(&b, CRYPT_SEG_SYN, syn, n);
	return n;
}

/* a SYN with a secret, seen and sent again: b has used it up */
static void a_replayed_offer_is_answered_afresh(void **st)
{
	uint8_t syn[64], synack[64];
	unsigned n;

	(void)st;
	n = offer(syn);
	pass(&b, &a, CRYPT_SEG_SYNACK);
	pass(&a, &b, CRYPT_SEG_ACK);
	key_up(&a, &b);
	assert_true(info(&a).resumed);
	end_open(&b, false);
	deliver(&b, CRYPT_SEG_SYN, syn, n);
	assert_int_equal(
		crypt_seg_out(b.conn, t0, CRYPT_SEG_SYNACK, synack, 40), 7);
	assert_true(counts(&b, CRYPT_RESUME_MISS) == 1);
}

/* a handshake that ends before keys were used gives the secret back to the
 * passive opener, who may use it later; not to the active one */
static void an_unused_secret_stays_with_the_passive_opener(void **st)
{
	uint8_t syn[64];
	unsigned n;

	(void)st;
	n = offer(syn);
	pass(&b, &a, CRYPT_SEG_SYNACK);
	assert_int_equal(crypt_cached(b.crypt), 0);
	/* no third ACK ever comes */
	crypt_conn_free(b.conn);
	b.conn = NULL;
	assert_int_equal(crypt_cached(b.crypt), 1);
	/* the third ACK without ENO */
	end_open(&b, false);
	deliver(&b, CRYPT_SEG_SYN, syn, n);
	pass(&b, &a, CRYPT_SEG_SYNACK);
	deliver(&b, CRYPT_SEG_ACK, syn, 0);
	is_off(&b, CRYPT_OFF_NO_ACK);
	assert_int_equal(crypt_cached(b.crypt), 1);
	crypt_conn_free(a.conn);
	a.conn = NULL;
	assert_int_equal(crypt_cached(a.crypt), 0);
}

static void a_miss_leads_to_fresh_keys(void **st)
{
	(void)st;
	connect_ends(&a, &b);
	talk();
	crypt_forget_all(b.crypt);
	connect_ends(&a, &b);
	assert_false(info(&a).resumed || info(&b).resumed);
	assert_true(counts(&b, CRYPT_RESUME_MISS) == 1);
	assert_true(counts(&a, CRYPT_RESUME_DECLINED) == 1);
	talk();
}

/* an answer that names another secret is ignored: plain TCP (3.5) */
static void a_wrong_half_is_ignored(void **st)
{
	uint8_t opt[64];
	unsigned n;

	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		a.conf.smtcp = t & 1;
		connect_ends(&a, &b);
		talk();
		end_open(&a, true);
		end_open(&b, false);
		pass(&a, &b, CRYPT_SEG_SYN);
		n = crypt_seg_out(b.conn, t0, CRYPT_SEG_SYNACK, opt, 40);
		/* behind kind, length, b, TEP; under SMTCP 3 more */
		opt[a.conf.smtcp ? 7 : 4] ^= 1;
		if (t & 2) {
			/* the last suboption is invalid, another follows it */
			memmove(opt + 4, opt + 3, n - 3);
			opt[3] = 0x23;
			opt[1] = (uint8_t)++n;
		}
		deliver(&a, CRYPT_SEG_SYNACK, opt, n);
		if (t == 3) {
			/* plain tcpcrypt was on offer, too */
			assert_int_equal(crypt_state(a.conn), CRYPT_AGREED);
			assert_int_equal(info(&a).tep, 0x23);
		} else if (t == 2) {
			is_off(&a, CRYPT_OFF_NO_TEP); /* 0x23 twice */
		} else {
			is_off(&a, CRYPT_OFF_HALF);
		}
		assert_int_equal(crypt_seg_out(a.conn, t0, CRYPT_SEG_ACK, opt,
					       40),
				 t == 3 ? 2 : 0);
		crypt_forget_all(a.crypt);
		crypt_forget_all(b.crypt);
	}
}

/* both directions propose the same secret at once, in two connections: each
 * finds it gone and both are keyed afresh */
static void crossing_offers_revert_to_fresh(void **st)
{
	struct crypt_conn *ca, *cb;
	uint8_t x[64], y[64];
	unsigned nx, ny;

	(void)st;
	connect_ends(&a, &b);
	talk();
	/* b must know a by name to propose */
	struct crypt_conn *was = b.conn;

	b.conn = crypt_conn_new(b.crypt, &b.conf, true, "peer", 4);
	nx = crypt_seg_out(b.conn, t0, CRYPT_SEG_SYN, x, 40);
	assert_int_equal(nx, 7); /* kept for a passive opener only */
	crypt_conn_free(was);
	end_open(&a, true);
	ca = a.conn;
	ny = crypt_seg_out(ca, t0, CRYPT_SEG_SYN, y, 40);
	assert_int_equal(ny, 24);
	/* the same secret, as b would name it: its half, from its cache */
	cb = crypt_conn_new(b.crypt, &b.conf, false, NULL, 0);
	struct eno_opt_seen seen = { y, (uint8_t)ny, 1 };
	uint8_t synack[64];

	crypt_seg_in(cb, t0, CRYPT_SEG_SYN, &seen);
	assert_int_equal(crypt_seg_out(cb, t0, CRYPT_SEG_SYNACK, synack, 40),
			 24);
	/* a gets a SYN that names what it has named itself */
	struct crypt_conn *pa =
		crypt_conn_new(a.crypt, &a.conf, false, NULL, 0);

	memcpy(y + 7, synack + 7, 9);
	seen = (struct eno_opt_seen){ y, (uint8_t)ny, 1 };
	crypt_seg_in(pa, t0, CRYPT_SEG_SYN, &seen);
	assert_int_equal(crypt_seg_out(pa, t0, CRYPT_SEG_SYNACK, x, 40), 7);
	assert_true(counts(&a, CRYPT_RESUME_MISS) == 1);
	crypt_conn_free(pa);
	crypt_conn_free(cb);
}

/* in a simultaneous open, too, and with roles other than the first time:
 * each goes on with the keys of its first role.  SMTCP, if it is on, has no
 * part in that. */
static void resumes_with_roles_swapped(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 2; t++) {
		a.conf.smtcp = b.conf.smtcp = t;
		a.conf.b = false;
		b.conf.b = true;
		for (unsigned round = 0; round < 3; round++) {
			end_open(&a, true);
			end_open(&b, true);
			uint8_t sx[64], sy[64];
			unsigned nx = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN,
						    sx, 40);
			unsigned ny = crypt_seg_out(b.conn, t0, CRYPT_SEG_SYN,
						    sy, 40);

			deliver(&a, CRYPT_SEG_SYN, sy, ny);
			deliver(&b, CRYPT_SEG_SYN, sx, nx);
			pass(&a, &b, CRYPT_SEG_SYNACK);
			pass(&b, &a, CRYPT_SEG_SYNACK);
			key_up(&a, &b);
			same_id(&a, &b);
			assert_int_equal(info(&a).role_b, a.conf.b);
			assert_int_equal(info(&a).tep, 0x23);
			assert_int_equal(info(&b).tep, 0x23);
			assert_int_equal(info(&a).resumed, round > 0);
			assert_int_equal(info(&b).resumed, round > 0);
			talk();
			assert_string_equal(a.keylog, b.keylog);
			assert_int_equal(strstr(a.keylog, " ba ") != NULL,
					 round == 1);
			a.conf.b = !a.conf.b;
			b.conf.b = !b.conf.b;
		}
		crypt_forget_all(a.crypt);
		crypt_forget_all(b.crypt);
	}
}

static void begin_again(bool smtcp)
{
	anew();
	a.conf.smtcp = smtcp;
	connect_ends(&a, &b);
	talk();
}

/* of one ss[0] the active opener's secrets serve active opens and the passive
 * one's passive opens (smtcp(7), Resumption); RFC 8548 has no such rule */
static void secrets_have_a_side(void **st)
{
	uint8_t syn[64], synack[64];
	unsigned n, m;

	(void)st;
	for (unsigned smtcp = 0; smtcp < 2; smtcp++) {
		begin_again(smtcp);
		end_open(&a, true);
		end_open(&b, false);
		n = pass(&a, &b, CRYPT_SEG_SYN);
		m = crypt_seg_out(b.conn, t0, CRYPT_SEG_SYNACK, synack, 40);
		assert_int_equal(m, smtcp ? 24 : 21);
		/* the same seeds, the same secret; B names it first */
		begin_again(smtcp);
		assert_int_equal(crypt_cached(a.crypt), 1);
		memcpy(syn, synack, m);
		syn[2] = 0; /* b of the global suboption */
		end_open(&a, false);
		deliver(&a, CRYPT_SEG_SYN, syn, m);
		n = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYNACK, synack, 40);
		assert_int_equal(n, smtcp ? 7 : 21);
		assert_true(counts(&a, CRYPT_RESUME_MISS) == smtcp);
		assert_int_equal(crypt_cached(a.crypt), smtcp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_secret_serves_once),
		T(a_replayed_offer_is_answered_afresh),
		T(an_unused_secret_stays_with_the_passive_opener),
		T(a_miss_leads_to_fresh_keys),
		T(a_wrong_half_is_ignored),
		T(crossing_offers_revert_to_fresh),
		T(resumes_with_roles_swapped),
		T(secrets_have_a_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
