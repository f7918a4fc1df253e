/* host A that cannot know B's transcript (smtcp(7), Transcripts) */
#include "tests/unit/crypt/pair.h"

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

		anew();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_frame_ends_the_doubt),
		T(a_forged_frame_decides_nothing),
		T(doubt_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
