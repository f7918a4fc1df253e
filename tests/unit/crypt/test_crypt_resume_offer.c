/* resumption: whether it is offered and taken, and with which nonces (RFC 8548
 * 3.5) */
#include "tests/unit/crypt/pair.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nonces_have_the_length_asked_for),
		T(resumption_needs_room),
		T(resumption_can_be_declined),
		T(tells_whether_it_would_resume),
		T(a_secret_must_fit_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
