#include "tests/unit/crypt/pair.h"

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
	const struct CMUnitTest tests[] = {
		T(a_seed_replays),
		T(lives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
