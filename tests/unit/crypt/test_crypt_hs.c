#include "tests/unit/crypt/pair.h"

#include "stack/crypt/crypt_hs.h"
#include "tests/vectors/vec.h"

static void begin(void)
{
	three_way(&a, &b);
	assert_int_equal(crypt_start(a.conn, t0, NULL, 0), CRYPT_OK);
	assert_int_equal(crypt_start(b.conn, t0, NULL, 0), CRYPT_OK);
}

static void is_dead(struct end *e, enum crypt_reason why)
{
	uint8_t id[CRYPT_SESSION_ID];
	size_t n, used;

	assert_int_equal(crypt_state(e->conn), CRYPT_DEAD);
	assert_string_equal(crypt_reason_name(crypt_why(e->conn)),
			    crypt_reason_name(why));
	assert_false(crypt_session_id(e->conn, id));
	assert_null(crypt_sk(e->conn));
	assert_null(crypt_init_out(e->conn, &n));
	assert_int_equal(crypt_init_in(e->conn, t0, id, 1, &used),
			 CRYPT_NOT_KEYED);
	assert_false(crypt_give_up(e->conn, CRYPT_OFF_CHOICE));
}

/* 8548 3.3: in any segmentation; octets behind it are not touched */
static void takes_any_segmentation(void **st)
{
	(void)st;
	for (size_t part = 1; part <= 80; part++) {
		begin();
		assert_int_equal(give_init(&a, &b, part), CRYPT_OK);
		assert_int_equal(give_init(&b, &a, part), CRYPT_OK);
		same_id(&a, &b);
		say(&a, &b, "hello");
	}
}

static void splits_at_every_octet(void **st)
{
	size_t n, used;

	(void)st;
	for (size_t cut = 0; cut <= 79; cut++) {
		uint8_t m[100];
		const uint8_t *p;

		begin();
		p = crypt_init_out(a.conn, &n);
		assert_int_equal(n, 79);
		memcpy(m, p, n);
		memset(m + n, 0xee, sizeof(m) - n);
		assert_int_equal(crypt_init_in(b.conn, t0, m, cut, &used),
				 CRYPT_OK);
		assert_int_equal(used, cut);
		assert_int_equal(crypt_state(b.conn),
				 cut == n ? CRYPT_KEYED : CRYPT_INIT);
		assert_int_equal(crypt_init_in(b.conn, t0, m + cut, 100 - cut,
					       &used),
				 CRYPT_OK);
		assert_int_equal(used, n - cut);
		assert_int_equal(crypt_state(b.conn), CRYPT_KEYED);
		assert_int_equal(crypt_init_len(b.conn, true), 79);
		assert_int_equal(crypt_init_len(b.conn, false), 74);
		/* afterwards nothing is Init any more */
		assert_int_equal(crypt_init_in(b.conn, t0, m, 50, &used),
				 CRYPT_OK);
		assert_int_equal(used, 0);
	}
}

static bool same_keys(void)
{
	uint8_t x[CRYPT_SESSION_ID], y[CRYPT_SESSION_ID], frame[64];
	bool same;
	size_t n;

	assert_true(crypt_session_id(a.conn, x));
	assert_true(crypt_session_id(b.conn, y));
	same = memcmp(x, y, sizeof(x)) == 0;
	n = seal(&a, "x", false, frame, sizeof(frame));
	assert_int_equal(open_at(&b, a.offset - n, frame, n, NULL) == CRYPT_OK,
			 same);
	return same;
}

/* one bit of Init1 (which: 0) or Init2 (1): dead, or other keys, or it hangs
 * because the length grew; never the same keys */
static void an_altered_bit_is_fatal(void **st)
{
	unsigned died = 0, differed = 0, waits = 0;

	(void)st;
	for (unsigned bit = 0; bit < 8 * (79 + 74); bit++) {
		struct end *from = bit < 8 * 79 ? &a : &b;
		struct end *to = bit < 8 * 79 ? &b : &a;
		unsigned at = bit < 8 * 79 ? bit : bit - 8 * 79;
		enum crypt_reason r;
		uint8_t m[100];
		size_t n, used;

		begin();
		if (from == &b) {
			assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
		}
		const uint8_t *p = crypt_init_out(from->conn, &n);

		memcpy(m, p, n);
		m[at / 8] ^= (uint8_t)(1 << at % 8);
		r = crypt_init_in(to->conn, t0, m, n, &used);
		from->offset = n;
		crypt_init_sent(from->conn);
		if (r != CRYPT_OK) {
			is_dead(to, r);
			died++;
			continue;
		}
		if (crypt_state(to->conn) == CRYPT_INIT) {
			waits++;
			continue;
		}
		if (to == &b) {
			r = give_init(&b, &a, 100);
			if (r != CRYPT_OK) {
				is_dead(&a, r);
				died++;
				continue;
			}
		}
		assert_false(same_keys());
		differed++;
	}
	/* magic, lengths and ciphers are seen at once; nonces and keys not */
	assert_in_range(died, 2 * 32 + 40, 200);
	assert_in_range(waits, 10, 30);
	assert_in_range(differed, 2 * 8 * 63, 2 * 8 * 70);
}

/* 8548 4.1: octets behind the key are allowed, and enter the keys */
static void a_tail_is_allowed(void **st)
{
	struct crypt_hs_env env;
	static struct crypt_pool pool;
	struct crypt_hs *x, *y;
	uint8_t m[200];
	enum crypt_reason r;
	size_t used, n;

	(void)st;
	assert_true(crypt_pool_init(&pool, &a.fake.env.entropy));
	env = (struct crypt_hs_env){ &a.fake.mem, &a.fake.env.entropy, &pool,
				     aead_new(), &a.conf };
	x = crypt_hs_new(&env, false, 0x23, &r);
	y = crypt_hs_new(&env, true, 0x23, &r);
	n = crypt_hs_mine(x).n;
	memcpy(m, crypt_hs_mine(x).p, n);
	memset(m + n, 0x77, 50);
	be32_put(m + 4, (uint32_t)n + 50);
	assert_int_equal(crypt_hs_in(y, &env, m, n + 50, &used), CRYPT_OK);
	assert_int_equal(used, n + 50);
	assert_true(y->done);
	struct iov part[3];

	crypt_hs_parts(y, part);
	assert_int_equal(part[0].n, n + 50);
	assert_memory_equal(part[0].p, m, n + 50);
	assert_memory_equal(crypt_hs_nonce_a(y), crypt_hs_nonce_a(x), 32);
	crypt_hs_free(x);
	crypt_hs_free(y);
	crypt_hs_free(NULL);
	assert_null(crypt_hs_new(&env, true, 0x30, &r));
	assert_int_equal(r, CRYPT_LIB);
	aead_free(env.aead);
	crypt_pool_fini(&pool);
}

static enum crypt_reason init1(const char *hdr, uint8_t *m, size_t n)
{
	uint8_t head[32];
	size_t used;

	begin();
	memcpy(m, head, hex(hdr, head));
	return crypt_init_in(b.conn, t0, m, n, &used);
}

static void refuses_absurd_messages(void **st)
{
	static uint8_t m[70000];

	(void)st;
	assert_int_equal(init1("15101a0f 0000004f", m, 8), CRYPT_BAD_MAGIC);
	is_dead(&b, CRYPT_BAD_MAGIC);
	assert_int_equal(init1("097105e0 0000004f", m, 8), CRYPT_BAD_MAGIC);
	assert_int_equal(init1("474554202f", m, 8), CRYPT_BAD_MAGIC);
	assert_int_equal(init1("15101a0e 00000000", m, 8), CRYPT_BAD_INIT);
	assert_int_equal(init1("15101a0e 00000048", m, 8), CRYPT_BAD_INIT);
	assert_int_equal(init1("15101a0e 00001001", m, 8), CRYPT_BAD_INIT);
	assert_int_equal(init1("15101a0e ffffffff", m, 8), CRYPT_BAD_INIT);
	is_dead(&b, CRYPT_BAD_INIT);
	/* it waits for a long one, in bounded memory */
	assert_int_equal(init1("15101a0e 00001000", m, 4095), CRYPT_OK);
	assert_int_equal(crypt_state(b.conn), CRYPT_INIT);
	/* more ciphers than fit */
	assert_int_equal(init1("15101a0e 0000004f ff", m, 79), CRYPT_BAD_INIT);
	/* none, or none that we have */
	assert_int_equal(init1("15101a0e 00000049 00", m, 73), CRYPT_NO_CIPHER);
	assert_int_equal(init1("15101a0e 0000004b 01 0003", m, 75),
			 CRYPT_NO_CIPHER);
	is_dead(&b, CRYPT_NO_CIPHER);
	/* a key that makes the secret zero */
	memset(m, 0, 100);
	assert_int_equal(init1("15101a0e 0000004b 01 0001", m, 75),
			 CRYPT_ZERO_SECRET);
	is_dead(&b, CRYPT_ZERO_SECRET);
}

/* each TEP: a key that is no point, or of small order, at both hosts */
static void refuses_bad_keys(void **st)
{
	static const struct {
		uint8_t kx, fill;
		enum crypt_reason why;
	} bad[] = {
		{ 0x21, 0x00, CRYPT_BAD_PUB },
		{ 0x21, 0xff, CRYPT_BAD_PUB },
		{ 0x22, 0x00, CRYPT_BAD_PUB },
		{ 0x22, 0xff, CRYPT_BAD_PUB },
		{ 0x23, 0x00, CRYPT_ZERO_SECRET },
		{ 0x24, 0x00, CRYPT_ZERO_SECRET },
	};

	(void)st;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		struct end *from = i & 1 ? &b : &a, *to = i & 1 ? &a : &b;
		unsigned pub;
		size_t n, used;
		uint8_t m[200];

		a.conf.kx[0] = b.conf.kx[0] = bad[i / 2].kx;
		begin();
		if (from == &b) {
			assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
		}
		pub = dh_pub_len(crypt_hs_group(bad[i / 2].kx));
		const uint8_t *p = crypt_init_out(from->conn, &n);

		memcpy(m, p, n);
		/* the length in front of a point stays */
		pub -= bad[i / 2].kx <= 0x22 ? 3 : 0;
		memset(m + n - pub, bad[i / 2].fill, pub);
		if (bad[i / 2].kx <= 0x22 && bad[i / 2].fill == 0) {
			m[n - pub - 1] = 0;
		}
		assert_int_equal(crypt_init_in(to->conn, t0, m, n, &used),
				 bad[i / 2].why);
		is_dead(to, bad[i / 2].why);
	}
}

static void refuses_a_cipher_that_was_not_offered(void **st)
{
	size_t n, used;
	uint8_t m[100];

	(void)st;
	a.conf.n_aead = 1;
	a.conf.aead[0] = CRYPT_AES256_GCM;
	begin();
	assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
	memcpy(m, crypt_init_out(b.conn, &n), 74);
	assert_int_equal(be16_get(m + 8), CRYPT_AES256_GCM);
	be16_put(m + 8, CRYPT_AES128_GCM);
	assert_int_equal(crypt_init_in(a.conn, t0, m, n, &used),
			 CRYPT_BAD_CIPHER);
	is_dead(&a, CRYPT_BAD_CIPHER);
}

/* B's preference among what A has */
static void b_chooses_the_cipher(void **st)
{
	static const uint16_t all[] = { 1, 2, 0x10 };
	struct crypt_info i;

	(void)st;
	for (unsigned t = 0; t < 9; t++) {
		a.conf.n_aead = 2;
		a.conf.aead[0] = all[t % 3];
		a.conf.aead[1] = all[(t + 1) % 3];
		b.conf.n_aead = 3;
		for (unsigned j = 0; j < 3; j++) {
			b.conf.aead[j] = all[(t / 3 + j) % 3];
		}
		begin();
		assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
		assert_int_equal(give_init(&b, &a, 100), CRYPT_OK);
		crypt_info(a.conn, &i);
		assert_int_equal(i.aead, t / 3 == t % 3 || t / 3 == (t + 1) % 3
						 ? all[t / 3]
						 : all[(t / 3 + 1) % 3]);
		say(&b, &a, "x");
	}
	b.conf.n_aead = 1;
	b.conf.aead[0] = 1;
	a.conf.n_aead = 1;
	a.conf.aead[0] = 2;
	begin();
	assert_int_equal(give_init(&a, &b, 100), CRYPT_NO_CIPHER);
}

/* what both sides must agree on, altered on the way: other keys (8547 4.8) */
static void the_transcript_is_bound(void **st)
{
	uint8_t mpc[64];
	unsigned n = hex(mpc_text, mpc);

	(void)st;
	/* A also offered P-256; a box took it out of the SYN */
	b.conf.n_kx = 1;
	a.conf.n_kx = 2;
	a.conf.kx[1] = 0x21;
	a.conf.smtcp = b.conf.smtcp = false;
	end_open(&a, true);
	end_open(&b, false);
	end_open(&a, true);
	uint8_t opt[64];
	unsigned len = crypt_seg_out(a.conn, t0, CRYPT_SEG_SYN, opt, 40);

	assert_int_equal(len, 4);
	deliver(&b, CRYPT_SEG_SYN, opt, hex("450323", opt));
	pass(&b, &a, CRYPT_SEG_SYNACK);
	pass(&a, &b, CRYPT_SEG_ACK);
	assert_int_equal(crypt_start(a.conn, t0, NULL, 0), CRYPT_OK);
	assert_int_equal(crypt_start(b.conn, t0, NULL, 0), CRYPT_OK);
	assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
	assert_int_equal(give_init(&b, &a, 100), CRYPT_OK);
	assert_false(same_keys());
	/* MP_CAPABLE, under SMTCP: each bit */
	a.conf.n_kx = 1;
	a.conf.smtcp = b.conf.smtcp = true;
	for (unsigned bit = 0; bit < 8 * n; bit += 5) {
		three_way(&a, &b);
		crypt_start(a.conn, t0, mpc, n);
		mpc[bit / 8] ^= (uint8_t)(1 << bit % 8);
		crypt_start(b.conn, t0, mpc, n);
		mpc[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
		assert_int_equal(give_init(&b, &a, 100), CRYPT_OK);
		assert_false(same_keys());
	}
	/* but plain tcpcrypt knows no MP_CAPABLE */
	a.conf.smtcp = false;
	three_way(&a, &b);
	crypt_start(a.conn, t0, mpc, n);
	crypt_start(b.conn, t0, NULL, 0);
	assert_int_equal(give_init(&a, &b, 100), CRYPT_OK);
	assert_int_equal(give_init(&b, &a, 100), CRYPT_OK);
	assert_true(same_keys());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(takes_any_segmentation),
		T(splits_at_every_octet),
		T(an_altered_bit_is_fatal),
		T(a_tail_is_allowed),
		T(refuses_absurd_messages),
		T(refuses_bad_keys),
		T(refuses_a_cipher_that_was_not_offered),
		T(b_chooses_the_cipher),
		T(the_transcript_is_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
