#include "tests/unit/crypt/pair.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_had_before_its_time),
		T(rest_forgets_how_it_began),
		T(the_end_is_authentic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
