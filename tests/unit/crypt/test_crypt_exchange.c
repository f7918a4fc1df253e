#include "tests/unit/crypt/pair.h"
#include "tests/unit/crypt/script.h"
#include "tests/vectors/vec.h"

/* --- the model's whole connections --------------------------------------- */

static struct script sa, sb;

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
	end_scripted(&a, &sa, 0x20, 32, 0xa0);
	end_scripted(&b, &sb, 0x60, 32, 0xb0);
	a.conf.n_aead = 3;
	a.conf.sig = b.conf.sig = true;
	a.conf.smtcp = false;
	whole_connection("plain", false);
	assert_true(vec_text("smtcp", "plain", "mk0", line));
	assert_non_null(strstr(a.keylog, line));
	assert_string_equal(a.keylog, b.keylog);
	assert_int_equal(strncmp(a.keylog, "TCPCRYPT_MK0 a0a0", 17), 0);
	crypt_forget(a.conn);
	crypt_forget(b.conn);

	a.conf.smtcp = true;
	script_fill(&sa, 0x20, 32, 0xa0);
	script_fill(&sb, 0x60, 32, 0xb0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(connects_as_the_model, end),
		T(every_suite_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
