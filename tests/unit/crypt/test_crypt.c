#include "tests/unit/crypt/common.h"

#include "stack/base/rng.h"
#include "tests/vectors/vec.h"

static struct end a, b;

static int start(void **st)
{
	(void)st;
	end_init(&a, 1);
	end_init(&b, 2);
	return 0;
}

static int end(void **st)
{
	(void)st;
	end_fini(&a);
	end_fini(&b);
	return 0;
}

static struct crypt_info info(const struct end *e)
{
	struct crypt_info i;

	crypt_info(e->conn, &i);
	return i;
}

static void connect_ends(struct end *x, struct end *y)
{
	three_way(x, y);
	key_up(x, y);
	same_id(x, y);
}

/* --- the model's whole connections --------------------------------------- */

/* entropy that yields what the model took */
struct script {
	uint8_t b[256];
	size_t n, at;
};

static void scripted(void *ctx, void *buf, size_t n)
{
	struct script *s = ctx;

	assert_true(s->at + n <= s->n);
	memcpy(buf, s->b + s->at, n);
	s->at += n;
}

static struct script sa, sb;

static void script(struct end *e, struct script *s, unsigned priv,
		   unsigned nonce)
{
	s->at = 0;
	s->n = 64;
	for (unsigned i = 0; i < 32; i++) {
		s->b[i] = (uint8_t)(priv + i);
		s->b[32 + i] = (uint8_t)nonce;
	}
	e->fake.env.entropy = (struct entropy){ scripted, s };
}

/* the two ends were made with entropy of their own; from here on scripted:
 * the pool has a copy, so it is told through the ends' env at creation */
static void end_scripted(struct end *e, struct script *s, unsigned priv,
			 unsigned nonce)
{
	const struct crypt_setup setup = { .keylog = { keep_line, e } };

	crypt_free(e->crypt);
	memset(s, 0, sizeof(*s));
	s->n = 16; /* the cache's hash key */
	e->fake.env.entropy = (struct entropy){ scripted, s };
	e->crypt = crypt_new(&e->fake.env, &setup);
	assert_non_null(e->crypt);
	script(e, s, priv, nonce);
}

static void segment_is(struct end *from, struct end *to, enum crypt_seg seg,
		       unsigned room, const char *section, const char *name)
{
	uint8_t opt[64], want[64];
	unsigned n = crypt_seg_out(from->conn, t0, seg, opt, room);

	assert_int_equal(n, vec("smtcp", section, name, want));
	assert_memory_equal(opt, want, n);
	deliver(to, seg, opt, n);
}

static void is(const uint8_t *got, const char *section, const char *name)
{
	uint8_t want[256];

	assert_memory_equal(got, want, vec("smtcp", section, name, want));
}

static void frame_is(const char *section, const char *name, struct end *from,
		     struct end *to, bool fin, const char *text)
{
	char line[VEC_LINE];
	uint8_t want[100], got[100];
	uint64_t at = from->offset;
	size_t n;

	assert_true(vec_text("smtcp", section, name, line));
	n = seal(from, text, fin, got, sizeof(got));
	assert_int_equal(n, vec_unhex(strrchr(line, ' ') + 1, want));
	assert_memory_equal(got, want, n);
	assert_int_equal(open_at(to, at, got, n, NULL), CRYPT_OK);
	crypt_acked(from->conn, from->offset);
}

static void whole_connection(const char *section, bool smtcp)
{
	uint8_t mpc[64], id[33];
	unsigned n = hex(mpc_text, mpc);
	size_t len;

	end_open(&a, true);
	end_open(&b, false);
	segment_is(&a, &b, CRYPT_SEG_SYN, 40, section, "eno_A");
	segment_is(&b, &a, CRYPT_SEG_SYNACK, 40, section, "eno_B");
	pass(&a, &b, CRYPT_SEG_ACK);
	assert_int_equal(crypt_start(a.conn, t0, mpc, n), CRYPT_OK);
	assert_int_equal(crypt_start(b.conn, t0, mpc, n), CRYPT_OK);
	is(crypt_init_out(a.conn, &len), section, "Init1");
	assert_int_equal(len, 79);
	assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
	is(crypt_init_out(b.conn, &len), section, "Init2");
	assert_int_equal(give_init(&b, &a, 100), CRYPT_OK);
	assert_true(crypt_session_id(a.conn, id));
	is(id, section, "session_id");
	same_id(&a, &b);
	frame_is(section, "frame.0", &a, &b, false, "");
	frame_is(section, "frame.1", &a, &b, false, "GET / HTTP/1.0\r\n\r\n");
	frame_is(section, "frame.2", &a, &b, true, "");
	frame_is(section, "frame.3", &b, &a, false, "");
	if (smtcp) {
		is(crypt_sk(a.conn)->sk_a, section, "SK_A");
		is(crypt_sk(b.conn)->sk_b, section, "SK_B");
		is(crypt_sk(a.conn)->fc_a, section, "FC_A");
		is(crypt_sk(b.conn)->fc_b, section, "FC_B");
	} else {
		assert_null(crypt_sk(a.conn));
	}
}

static void connects_as_the_model(void **st)
{
	char line[VEC_LINE];

	(void)st;
	a.conf.n_aead = 3;
	a.conf.sig = b.conf.sig = true;
	end_scripted(&a, &sa, 0x20, 0xa0);
	end_scripted(&b, &sb, 0x60, 0xb0);
	a.conf.smtcp = false;
	whole_connection("plain", false);
	assert_true(vec_text("smtcp", "plain", "mk0", line));
	assert_non_null(strstr(a.keylog, line));
	assert_string_equal(a.keylog, b.keylog);
	assert_int_equal(strncmp(a.keylog, "TCPCRYPT_MK0 a0a0", 17), 0);
	crypt_forget(a.conn);
	crypt_forget(b.conn);

	a.conf.smtcp = true;
	script(&a, &sa, 0x20, 0xa0);
	script(&b, &sb, 0x60, 0xb0);
	whole_connection("smtcp", true);

	/* and resumed: A's nonce d0.., none of B's, for want of room */
	uint8_t mpc[64], id[33], frame[100];
	unsigned n = hex(mpc_text, mpc);

	for (unsigned i = 0; i < 8; i++) {
		sa.b[i] = (uint8_t)(0xd0 + i);
	}
	sa.at = sb.at = 0;
	end_open(&a, true);
	end_open(&b, false);
	segment_is(&a, &b, CRYPT_SEG_SYN, 40, "smtcp_resumed", "eno_A");
	segment_is(&b, &a, CRYPT_SEG_SYNACK, 16, "smtcp_resumed", "eno_B");
	pass(&a, &b, CRYPT_SEG_ACK);
	assert_int_equal(crypt_start(a.conn, t0, mpc, n), CRYPT_OK);
	assert_int_equal(crypt_state(a.conn), CRYPT_KEYED);
	assert_int_equal(crypt_start(b.conn, t0, mpc, n), CRYPT_OK);
	assert_true(crypt_session_id(a.conn, id));
	is(id, "smtcp_resumed", "session_id");
	assert_memory_equal(crypt_sk(a.conn), crypt_sk(b.conn), 80);
	is((const uint8_t *)crypt_sk(a.conn), "smtcp_resumed", "sk");
	assert_true(vec_text("smtcp", "smtcp_resumed", "mk0", line));
	assert_non_null(strstr(a.keylog, line));
	assert_non_null(strstr(a.keylog, "MK0 451823a0"));
	assert_string_equal(a.keylog, b.keylog);
	seal(&a, "zero extra round trips", false, frame, sizeof(frame));
	assert_int_equal(open_at(&b, 0, frame, 42, NULL), CRYPT_OK);
}

/* --- every combination --------------------------------------------------- */

static const uint16_t ciphers[] = { CRYPT_AES128_GCM, CRYPT_AES256_GCM,
				    CRYPT_CHACHA20_POLY1305 };

/* each TEP with each cipher, plain and SMTCP; fresh, then resumed twice */
static void every_suite_works(void **st)
{
	static uint8_t ids[3][33];

	(void)st;
	for (unsigned i = 0; i < 24; i++) {
		bool smtcp = i & 1;
		uint8_t kx = (uint8_t)(0x21 + i / 6);

		a.conf.kx[0] = b.conf.kx[0] = kx;
		a.conf.n_aead = 1;
		a.conf.aead[0] = ciphers[i / 2 % 3];
		a.conf.smtcp = smtcp;
		for (unsigned again = 0; again < 3; again++) {
			uint8_t tep = smtcp ? 0x20 : kx;

			connect_ends(&a, &b);
			assert_int_equal(info(&a).resumed, again > 0);
			assert_int_equal(info(&b).resumed, again > 0);
			assert_int_equal(info(&a).aead, ciphers[i / 2 % 3]);
			assert_int_equal(info(&b).kx, kx);
			assert_int_equal(info(&b).tep, tep);
			assert_int_equal(info(&b).smtcp, smtcp);
			crypt_session_id(a.conn, ids[again]);
			assert_int_equal(ids[again][0],
					 smtcp || again ? tep | 0x80 : tep);
			assert_false(crypt_confirmed(a.conn));
			say(&a, &b, "hello");
			assert_true(crypt_confirmed(b.conn));
			say(&b, &a, "hello yourself");
			assert_true(crypt_rekey(b.conn, t0));
			say(&b, &a, "new");
			assert_true(crypt_due(a.conn));
			say(&a, &b, "keys");
			assert_true(info(&a).tx_gen == 1 &&
				    info(&a).rx_gen == 1);
		}
		assert_memory_not_equal(ids[0] + 1, ids[1] + 1, 32);
		assert_memory_not_equal(ids[1] + 1, ids[2] + 1, 32);
		crypt_forget_all(a.crypt);
	}
	assert_true(counts(&a, CRYPT_FRESH) == 24);
	assert_true(counts(&a, CRYPT_RESUMED) == 48);
	assert_true(counts(&b, CRYPT_RESUMED) == 48);
	assert_true(counts(&a, CRYPT_REKEY_IN) == 72);
	assert_true(counts(&b, CRYPT_REKEY_OUT) == 72);
}

/* --- resumption (8548 3.5) ----------------------------------------------- */

static void talk(void)
{
	say(&a, &b, "ping");
	say(&b, &a, "pong");
}

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

/* a SYN with a secret, seen and sent again: b has used it up */
static void a_replayed_offer_is_answered_afresh(void **st)
{
	uint8_t syn[64], synack[64];
	unsigned n;

	(void)st;
	connect_ends(&a, &b);
	talk();
	end_open(&a, true);
	end_open(&b, false);
	n = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, syn, 40);
	deliver(&b, CRYPT_SEG_SYN, syn, n);
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
	connect_ends(&a, &b);
	talk();
	end_open(&a, true);
	end_open(&b, false);
	n = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, syn, 40);
	deliver(&b, CRYPT_SEG_SYN, syn, n);
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

/* 8548 3.5: nonces of 0 to 8 octets; the default is 8 */
static void nonces_have_the_length_asked_for(void **st)
{
	uint8_t opt[64];

	(void)st;
	a.conf.smtcp = false;
	for (unsigned i = 0; i <= 8; i++) {
		for (unsigned j = 0; j <= 8; j += 4) {
			a.conf.nonce_len = (uint8_t)i;
			b.conf.nonce_len = (uint8_t)j;
			connect_ends(&a, &b);
			talk();
			end_open(&a, true);
			assert_int_equal(crypt_seg_out(a.conn, t0,
						       CRYPT_SEG_SYN, opt, 40),
					 12 + i);
			end_open(&b, false);
			pass(&a, &b, CRYPT_SEG_SYN);
			pass(&b, &a, CRYPT_SEG_SYNACK);
			assert_int_equal(crypt_seg_out(b.conn, t0,
						       CRYPT_SEG_SYNACK, opt,
						       40),
					 13 + j);
			pass(&a, &b, CRYPT_SEG_ACK);
			key_up(&a, &b);
			same_id(&a, &b);
			assert_true(info(&a).resumed);
			talk();
		}
	}
}

/* a SYN's nonce is never shortened for want of room; in the SYN-ACK SMTCP may,
 * since its session depends on other fresh octets */
static void resumption_needs_room(void **st)
{
	uint8_t opt[64];

	(void)st;
	for (unsigned smtcp = 0; smtcp < 2; smtcp++) {
		for (unsigned room = 40; room >= 7; room--) {
			unsigned full = smtcp ? 24 : 20, n;

			a.conf.smtcp = smtcp;
			crypt_forget_all(a.crypt);
			connect_ends(&a, &b);
			talk();
			end_open(&a, true);
			n = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, opt, room);
			assert_int_equal(n, room >= full ? full
					    : smtcp      ? 7
							 : 3);
			/* not used up when there was no room for it */
			assert_int_equal(crypt_cached(a.crypt),
					 room < full ? 1 : 0);
			if (room < full) {
				continue;
			}
			/* and of the SYN-ACK */
			end_open(&b, false);
			pass(&a, &b, CRYPT_SEG_SYN);
			n = crypt_seg_out(b.conn, t0, CRYPT_SEG_SYNACK, opt,
					  room - 16);
			if (smtcp) {
				assert_int_equal(n, room < 32 ? 7 : room - 16);
			} else {
				assert_int_equal(n, room < 37 ? 4 : 21);
			}
		}
	}
}

static void resumption_can_be_declined(void **st)
{
	(void)st;
	a.conf.no_resume = true;
	connect_ends(&a, &b);
	talk();
	connect_ends(&a, &b);
	assert_false(info(&a).resumed);
	talk();
	a.conf.no_resume = false;
	b.conf.no_resume = true;
	connect_ends(&a, &b);
	assert_false(info(&a).resumed);
	b.conf.no_resume = false;
	/* nothing kept of this one */
	crypt_forget_all(a.crypt);
	crypt_forget_all(b.crypt);
	a.conf.no_cache = true;
	connect_ends(&a, &b);
	talk();
	assert_int_equal(crypt_cached(a.crypt), 0);
	assert_int_equal(crypt_cached(b.crypt), 1);
	/* nor of one that is open already */
	crypt_forget(b.conn);
	assert_int_equal(crypt_cached(b.crypt), 0);
	a.conf.no_cache = false;
	connect_ends(&a, &b);
	crypt_forget(a.conn);
	talk();
	assert_int_equal(crypt_cached(a.crypt), 0);
	assert_int_equal(crypt_cached(b.crypt), 1);
}

/* asked before the SYN is made, since its other options depend on it */
static void tells_whether_it_would_resume(void **st)
{
	struct crypt_conn *other;
	uint8_t opt[64];

	(void)st;
	end_open(&a, true);
	assert_false(crypt_would_resume(a.conn, t0));
	connect_ends(&a, &b);
	assert_false(crypt_would_resume(a.conn, t0));
	talk();
	end_open(&a, true);
	end_open(&b, false);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(crypt_would_resume(a.conn, t0));
		assert_int_equal(crypt_cached(a.crypt), 1);
		assert_true(counts(&a, CRYPT_RESUME_OFFERED) == 0);
	}
	assert_false(crypt_would_resume(b.conn, t0)); /* passive */
	other = crypt_conn_new(a.crypt, &a.conf, true, "else", 4);
	assert_false(crypt_would_resume(other, t0));
	crypt_conn_free(other);
	for (unsigned t = 0; t < 6; t++) {
		struct crypt_conf was = a.conf;

		a.conf.no_resume = t == 0;
		a.conf.vacuous = t == 1;
		a.conf.on = t != 2;
		a.conf.kx[0] = t == 3 ? ENO_TEP_X448 : ENO_TEP_X25519;
		a.conf.smtcp = t != 4;
		end_open(&a, true);
		assert_int_equal(crypt_would_resume(a.conn, t0), t == 5);
		a.conf = was;
	}
	/* of the SYN's making, and when it is too old */
	assert_int_equal(crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, opt, 15), 7);
	assert_false(crypt_would_resume(a.conn, t0));
	end_open(&a, true);
	assert_false(crypt_would_resume(
		a.conn, instant_add(t0, 2 * 3600 * NANOS_S + 1)));
}

/* a secret whose key exchange or cipher is not wanted any more */
static void a_secret_must_fit_the_configuration(void **st)
{
	(void)st;
	connect_ends(&a, &b);
	talk();
	a.conf.kx[0] = b.conf.kx[0] = 0x24;
	connect_ends(&a, &b);
	assert_false(info(&a).resumed);
	talk();
	a.conf.n_aead = 1;
	a.conf.aead[0] = CRYPT_AES256_GCM;
	connect_ends(&a, &b);
	assert_false(info(&a).resumed);
	talk();
	b.conf.n_aead = 1;
	b.conf.aead[0] = CRYPT_AES256_GCM;
	connect_ends(&a, &b);
	assert_true(info(&a).resumed);
	assert_int_equal(info(&b).aead, CRYPT_AES256_GCM);
	talk();
	/* of another TEP: named for plain tcpcrypt only when that is on */
	a.conf.smtcp = false;
	connect_ends(&a, &b);
	assert_false(info(&a).resumed);
	assert_int_equal(info(&a).tep, 0x24);
}

static void begin_again(bool smtcp)
{
	end_fini(&a);
	end_fini(&b);
	end_init(&a, 1);
	end_init(&b, 2);
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

/* --- host A that cannot know B's transcript (smtcp(7), Transcripts) ------ */

/* Both ends agreed; A thinks of both MP_CAPABLEs, B perhaps of none.  doubt:
 * A was told that it cannot know.  Returns A's session id of both kinds. */
static void key_up_in_doubt(bool b_has, bool doubt)
{
	uint8_t mpc[64];
	unsigned n = hex(mpc_text, mpc);

	three_way(&a, &b);
	assert_int_equal(crypt_start(a.conn, t0, mpc, n), CRYPT_OK);
	assert_int_equal(crypt_start(b.conn, t0, mpc, b_has ? n : 0), CRYPT_OK);
	assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
	if (doubt) {
		crypt_mpc_doubtful(a.conn);
	}
	assert_false(crypt_confused(a.conn));
	assert_int_equal(give_init(&b, &a, 7), CRYPT_OK);
	assert_int_equal(crypt_state(a.conn), CRYPT_KEYED);
	assert_int_equal(crypt_confused(a.conn), doubt);
}

static void says_nothing_while_confused(void)
{
	uint8_t id[CRYPT_SESSION_ID], buf[64];
	struct crypt_seal s = { .now = t0, .offset = a.offset };
	struct iov_mut v = { buf, sizeof(buf) };
	size_t n;

	assert_int_equal(crypt_seal(a.conn, &s, &v, 1, &n), CRYPT_NOT_KEYED);
	assert_int_equal(n, 0);
	assert_false(crypt_session_id(a.conn, id));
	assert_null(crypt_sk(a.conn));
	assert_false(crypt_rekey(a.conn, t0) || crypt_due(a.conn) ||
		     crypt_confirmed(a.conn));
	assert_int_equal(crypt_end_in(a.conn, b.offset), CRYPT_TRUNCATED);
	assert_int_equal(a.keylog[0], 0);
	assert_true(counts(&a, CRYPT_FRESH) == 0);
}

/* the two transcripts of B, and whether A was told of the doubt */
static void the_first_frame_ends_the_doubt(void **st)
{
	uint8_t f[100];
	char text[100];
	size_t n;

	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		bool b_has = t & 1, doubt = t & 2;

		end_fini(&a);
		end_fini(&b);
		end_init(&a, 1);
		end_init(&b, 2);
		key_up_in_doubt(b_has, doubt);
		if (doubt) {
			says_nothing_while_confused();
		}
		n = seal(&b, "who are you?", false, f, sizeof(f));
		if (!doubt && !b_has) {
			assert_int_equal(open_at(&a, b.offset - n, f, n, NULL),
					 CRYPT_BAD_TAG);
			continue;
		}
		assert_int_equal(open_at(&a, b.offset - n, f, n, text),
				 CRYPT_OK);
		assert_string_equal(text, "who are you?");
		assert_false(crypt_confused(a.conn));
		same_id(&a, &b);
		assert_memory_equal(crypt_sk(a.conn), crypt_sk(b.conn),
				    sizeof(struct crypt_sk));
		assert_string_equal(a.keylog, b.keylog);
		assert_true(counts(&a, CRYPT_FRESH) == 1);
		all_came(&b, &a);
		talk();
		assert_true(crypt_rekey(a.conn, t0));
		talk();
		/* the secret that is kept is the winner's, too */
		connect_ends(&a, &b);
		assert_true(info(&a).resumed && info(&b).resumed);
		talk();
	}
}

/* what nobody sealed does not decide, and no try leaves anything behind */
static void a_forged_frame_decides_nothing(void **st)
{
	uint8_t f[100];
	size_t n;

	(void)st;
	for (unsigned t = 0; t < 2; t++) {
		key_up_in_doubt(t, true);
		n = seal(&b, "really", false, f, sizeof(f));
		for (size_t i = 0; i < n; i++) {
			enum crypt_reason r;

			f[i] ^= 0x20;
			r = open_at(&a, b.offset - n, f, n, NULL);
			/* of the header all but one bit is AEAD's to check */
			assert_int_equal(r, i == 1 || i == 2 ? CRYPT_BAD_LEN
							     : CRYPT_BAD_TAG);
			f[i] ^= 0x20;
			assert_true(crypt_confused(a.conn));
		}
		assert_int_equal(open_at(&a, b.offset - n + 1, f, n, NULL),
				 CRYPT_BAD_TAG);
		a.fake.fail_at = 1;
		assert_int_equal(open_at(&a, b.offset - n, f, n, NULL),
				 CRYPT_NOMEM);
		assert_int_equal(crypt_cached(a.crypt), 0);
		assert_int_equal(open_at(&a, b.offset - n, f, n, NULL),
				 CRYPT_OK);
		/* b keeps it with a frame of ours, which may be on its way */
		assert_int_equal(crypt_cached(a.crypt), 0);
		say(&a, &b, "so");
		assert_int_equal(crypt_cached(a.crypt), 1);
		crypt_forget_all(b.crypt);
	}
	/* nor need one come at all; nothing is kept then */
	key_up_in_doubt(true, true);
	crypt_forget(a.conn);
	n = seal(&b, "", false, f, sizeof(f));
	assert_int_equal(open_at(&a, b.offset - n, f, n, NULL), CRYPT_OK);
	assert_int_equal(crypt_cached(a.crypt), 0);
	key_up_in_doubt(false, true);
}

/* there is nothing to doubt for host B, in plain tcpcrypt, without MP_CAPABLE,
 * in a resumed session, or once there are keys */
static void doubt_has_its_place(void **st)
{
	uint8_t mpc[64];
	unsigned n = hex(mpc_text, mpc);

	(void)st;
	for (unsigned t = 0; t < 3; t++) {
		a.conf.smtcp = t != 1;
		three_way(&a, &b);
		crypt_mpc_doubtful(a.conn);
		crypt_start(a.conn, t0, mpc, t == 2 ? 0 : n);
		crypt_start(b.conn, t0, mpc, t == 2 ? 0 : n);
		if (t > 0) {
			crypt_mpc_doubtful(a.conn);
		}
		crypt_mpc_doubtful(b.conn);
		assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
		assert_int_equal(give_init(&b, &a, 100), CRYPT_OK);
		crypt_mpc_doubtful(a.conn);
		assert_false(crypt_confused(a.conn) || crypt_confused(b.conn));
		talk();
		crypt_forget_all(a.crypt);
		crypt_forget_all(b.crypt);
	}
	/* no memory for both */
	three_way(&a, &b);
	crypt_start(a.conn, t0, mpc, n);
	crypt_start(b.conn, t0, mpc, n);
	assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
	crypt_mpc_doubtful(a.conn);
	a.fake.fail_at = 2; /* the first is for the message */
	assert_int_equal(give_init(&b, &a, 100), CRYPT_NOMEM);
	assert_int_equal(crypt_state(a.conn), CRYPT_DEAD);
	assert_false(crypt_confused(a.conn));
}

/* --- states and refusals ------------------------------------------------- */

static void nothing_is_had_before_its_time(void **st)
{
	uint8_t id[CRYPT_SESSION_ID], buf[40] = { 0, 0, 17 };
	struct crypt_seal s = { .now = t0 };
	struct iov_mut v = { buf, 40 };
	struct crypt_opened o;
	size_t n;

	(void)st;
	for (unsigned t = 0; t < 3; t++) {
		end_open(&a, true);
		end_open(&b, false);
		if (t > 0) {
			three_way(&a, &b);
		}
		if (t > 1) {
			crypt_start(a.conn, t0, NULL, 0);
		}
		assert_false(crypt_session_id(a.conn, id));
		assert_null(crypt_sk(a.conn));
		assert_int_equal(crypt_seal(a.conn, &s, &v, 1, &n),
				 CRYPT_NOT_KEYED);
		assert_int_equal(crypt_open(a.conn, t0, 0, &v, 1, 20, &o),
				 CRYPT_NOT_KEYED);
		assert_int_equal(crypt_end_in(a.conn, 0), CRYPT_TRUNCATED);
		assert_false(crypt_rekey(a.conn, t0) || crypt_due(a.conn) ||
			     crypt_rekeying(a.conn) || crypt_confirmed(a.conn));
		crypt_received(a.conn, 5);
		crypt_acked(a.conn, 5);
		crypt_forget(a.conn);
	}
}

static void rest_both(void)
{
	crypt_rest(a.conn);
	crypt_rest(b.conn);
}

/* at any time; with keys, and the next secret kept, it lets go of what they
 * were made from, and nothing changes */
static void rest_forgets_how_it_began(void **st)
{
	struct crypt_info was, now;
	uint64_t used;

	(void)st;
	for (unsigned round = 0; round < 3; round++) {
		three_way(&a, &b);
		rest_both();
		key_up(&a, &b);
		rest_both(); /* nothing was opened: the secret is not kept */
		assert_int_equal(info(&a).resumed, round > 0);
		say(&a, &b, "request");
		rest_both();
		say(&b, &a, "answer");
		used = a.fake.mem.used;
		was = info(&a);
		rest_both();
		assert_true(a.fake.mem.used < used);
		used = a.fake.mem.used;
		rest_both();
		assert_int_equal(a.fake.mem.used, used);
		same_id(&a, &b);
		now = info(&a);
		assert_int_equal(now.state, CRYPT_KEYED);
		assert_true(now.smtcp == was.smtcp && now.sig == was.sig);
		assert_true(now.tep == was.tep && now.kx == was.kx);
		assert_true(now.aead == was.aead && now.role_b == was.role_b);
		assert_true(now.resumed == was.resumed);
		assert_true(now.rx_frames == was.rx_frames);
		/* copies of what began it */
		assert_int_equal(pass(&a, &b, CRYPT_SEG_SYN), 0);
		assert_int_equal(pass(&b, &a, CRYPT_SEG_SYNACK), 0);
		pass(&a, &b, CRYPT_SEG_ACK);
		assert_int_equal(crypt_state(a.conn), CRYPT_KEYED);
		assert_true(crypt_rekey(a.conn, t0));
		rest_both();
		say(&a, &b, "more");
		say(&b, &a, "and more");
		assert_int_equal(info(&b).tx_gen, 1);
	}
	crypt_forget(a.conn);
	rest_both();
	say(&a, &b, "last");
}

static void the_end_is_authentic(void **st)
{
	uint8_t f[100];
	size_t n;

	(void)st;
	connect_ends(&a, &b);
	say(&a, &b, "text");
	assert_int_equal(crypt_end_in(b.conn, a.offset), CRYPT_TRUNCATED);
	assert_true(counts(&b, CRYPT_TRUNCATED) == 1);
	n = seal(&a, "", true, f, sizeof(f));
	assert_int_equal(n, 20);
	assert_int_equal(open_at(&b, a.offset - n, f, n, NULL), CRYPT_OK);
	assert_true(info(&b).peer_fin);
	assert_int_equal(crypt_end_in(b.conn, a.offset), CRYPT_OK);
}

/* the count of what happened; names and sentences for each reason */
static void reasons_have_words(void **st)
{
	(void)st;
	for (int r = 0; r < CRYPT_REASON_N; r++) {
		assert_int_equal(strncmp(crypt_reason_name(r), "Crypt", 5), 0);
		assert_true(strlen(crypt_reason_text(r)) > 10);
		for (int q = 0; q < r; q++) {
			assert_string_not_equal(crypt_reason_name(r),
						crypt_reason_name(q));
		}
		assert_true(crypt_counter(a.crypt, r) == 0);
	}
	assert_string_equal(crypt_reason_name(CRYPT_OK), "");
	assert_string_equal(crypt_reason_text(CRYPT_REASON_N), "");
	assert_true(crypt_counter(a.crypt, CRYPT_OK) == 0);
}

/* the same seed and the same calls make the same octets */
static void a_seed_replays(void **st)
{
	static uint8_t first[4][200];

	(void)st;
	for (unsigned t = 0; t < 2; t++) {
		size_t n;

		end_fini(&a);
		end_fini(&b);
		end_init(&a, 77);
		end_init(&b, 78);
		while (crypt_prepare(a.crypt)) {
		}
		three_way(&a, &b);
		crypt_start(a.conn, t0, NULL, 0);
		crypt_start(b.conn, t0, NULL, 0);
		for (unsigned i = 0; i < 2; i++) {
			struct end *from = i ? &b : &a, *to = i ? &a : &b;
			const uint8_t *p = crypt_init_out(from->conn, &n);

			if (t == 0) {
				memcpy(first[i], p, n);
			} else {
				assert_memory_equal(first[i], p, n);
			}
			assert_int_equal(give_init(from, to, 100), CRYPT_OK);
		}
		uint8_t f[100];

		n = seal(&a, "text", false, f, sizeof(f));
		if (t == 0) {
			memcpy(first[2], f, n);
		} else {
			assert_memory_equal(first[2], f, n);
		}
	}
}

/* memory refused at each allocation in turn: a named end, nothing lost */
static void lives_without_memory(void **st)
{
	unsigned failed = 0;

	(void)st;
	for (unsigned i = 1; i < 12; i++) {
		struct crypt_conn *k;

		a.fake.fail_at = i;
		b.fake.fail_at = i;
		k = crypt_conn_new(a.crypt, &a.conf, true, "peer", 4);
		if (!k) {
			failed++;
			b.fake.fail_at = 0;
			continue;
		}
		crypt_conn_free(a.conn);
		a.conn = k;
		crypt_conn_free(b.conn);
		b.conn = crypt_conn_new(b.crypt, &b.conf, false, NULL, 0);
		if (!b.conn) {
			failed++;
			continue;
		}
		a.offset = b.offset = 0;
		pass(&a, &b, CRYPT_SEG_SYN);
		pass(&b, &a, CRYPT_SEG_SYNACK);
		pass(&a, &b, CRYPT_SEG_ACK);
		assert_int_equal(crypt_state(a.conn), CRYPT_AGREED);
		if (crypt_start(a.conn, t0, NULL, 0) != CRYPT_OK ||
		    crypt_start(b.conn, t0, NULL, 0) != CRYPT_OK) {
			failed++;
			assert_int_equal(crypt_why(a.conn), CRYPT_NOMEM);
			continue;
		}
		if (crypt_state(a.conn) == CRYPT_INIT &&
		    (give_init(&a, &b, 100) != CRYPT_OK ||
		     give_init(&b, &a, 100) != CRYPT_OK)) {
			failed++;
			continue;
		}
		talk();
	}
	a.fake.fail_at = b.fake.fail_at = 0;
	assert_in_range(failed, 3, 10);
	for (unsigned i = 1; i < 8; i++) {
		const struct crypt_setup s = { 0 };
		struct fake f;
		struct crypt *c;

		fake_init(&f, 1);
		f.fail_at = i;
		c = crypt_new(&f.env, &s);
		assert_int_equal(c != NULL, i > 4);
		crypt_free(c);
		fake_fini(&f);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		T(connects_as_the_model),
		T(every_suite_works),
		T(a_secret_serves_once),
		T(a_replayed_offer_is_answered_afresh),
		T(an_unused_secret_stays_with_the_passive_opener),
		T(a_miss_leads_to_fresh_keys),
		T(a_wrong_half_is_ignored),
		T(crossing_offers_revert_to_fresh),
		T(resumes_with_roles_swapped),
		T(nonces_have_the_length_asked_for),
		T(resumption_needs_room),
		T(resumption_can_be_declined),
		T(tells_whether_it_would_resume),
		T(a_secret_must_fit_the_configuration),
		T(secrets_have_a_side),
		T(the_first_frame_ends_the_doubt),
		T(a_forged_frame_decides_nothing),
		T(doubt_has_its_place),
		T(nothing_is_had_before_its_time),
		T(rest_forgets_how_it_began),
		T(the_end_is_authentic),
		T(reasons_have_words),
		T(a_seed_replays),
		T(lives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
