/* the vectors of smtcp(7) that tests/vectors/gen.py makes: keys, and whole
 * connections with scripted entropy */
#include "tests/unit/crypt/script.h"

#include "stack/crypt/crypt_keys.h"
#include "tests/vectors/vec.h"

static void is(const void *got, size_t n, const char *section, const char *name)
{
	uint8_t want[256];

	if (vec("page", section, name, want) != n ||
	    memcmp(got, want, n) != 0) {
		fail_msg("[%s] %s differs", section, name);
	}
}

/* --- key schedules -------------------------------------------------------- */

static struct iov part(const char *section, const char *name, uint8_t *b)
{
	return (struct iov){ b, vec("page", section, name, b) };
}

static void generations(struct hash *h, const char *section, uint8_t mk[32])
{
	char name[8], text[VEC_LINE];
	uint8_t t[CRYPT_TRAFFIC_MAX], next[32];

	for (unsigned j = 0; j < 5; j++) {
		snprintf(name, sizeof(name), "mk%u", j);
		if (vec_text("page", section, name, text)) {
			is(mk, 32, section, name);
			assert_true(crypt_keys_traffic(h, mk, true, 16, t));
			snprintf(name, sizeof(name), "k_ab%u", j);
			is(t, 28, section, name);
			assert_true(crypt_keys_traffic(h, mk, false, 16, t));
			snprintf(name, sizeof(name), "k_ba%u", j);
			is(t, 28, section, name);
		}
		assert_true(crypt_keys_mk_next(h, mk, next));
		memcpy(mk, next, sizeof(next));
	}
}

static void session(struct hash *h, const char *section, const uint8_t *ss,
		    struct iov sn)
{
	uint8_t mk[32], id[CRYPT_SESSION_ID];
	char text[VEC_LINE];
	struct crypt_sk sk;

	assert_true(crypt_keys_mk0(h, ss, sn, mk));
	generations(h, section, mk);
	assert_true(crypt_keys_session_id(h, ss, sn, 0xa0, id));
	is(id, sizeof(id), section, "session_id");
	assert_true(crypt_keys_sk(h, ss, sn, &sk));
	if (vec_text("page", section, "sk", text)) {
		is(&sk, sizeof(sk), section, "sk");
	}
}

static void schedules(void **st)
{
	static const char *const fresh[] = { "x448", "p521", "flag_a",
					     "single_rekey", "phases" };
	static const char *const again[] = { "nonce_b3", "single_resumed" };
	static const char *const name[] = { "eno_A", "eno_B", "mpc",
					    "Init1", "Init2", "ES" };
	struct hash *h = hash_new();
	uint8_t b[6][256], ss[32], sn[32];
	const struct iov none = { NULL, 0 };
	struct iov p[6];

	(void)st;
	assert_non_null(h);
	for (unsigned i = 0; i < ARRAY_SIZE(fresh); i++) {
		for (unsigned j = 0; j < 6; j++) {
			p[j] = part(fresh[i], name[j], b[j]);
		}
		assert_true(crypt_keys_prk(h, b[3] + 9 + 2 * b[3][8], p, ss));
		is(ss, 32, fresh[i], "ss0");
		session(h, fresh[i], ss, none);
		if (i == 1) {
			assert_int_equal(p[5].n, 66); /* of P-521 */
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(again); i++) {
		for (unsigned j = 0; j < 3; j++) {
			p[j] = part(again[i], name[j], b[j]);
		}
		assert_true(crypt_keys_smtcp_sn(h, p, sn));
		is(sn, 32, again[i], "sn");
		vec("page", again[i], "ss1", ss);
		session(h, again[i], ss, (struct iov){ sn, 32 });
		assert_true(crypt_keys_resume(h, ss, b[0]));
		is(b[0], CRYPT_CACHE_ID, again[i], "resume");
	}
	hash_free(h);
}

/* HMAC over address id, address and port (RFC 8684 3.4.1), with SK-X | SK-Y */
static void announcements(void **st)
{
	static const struct {
		const char *name;
		size_t addr;
		bool port;
	} form[] = { { "ipv4_port", 4, true },
		     { "ipv6", 16, false },
		     { "ipv6_port", 16, true } };
	struct hash *h = hash_new();
	uint8_t b[4][256], opt[64], msg[19], mac[32], ss[32], key[64];
	struct crypt_sk sk;

	(void)st;
	assert_non_null(h);
	vec("page", "phases", "ss0", ss);
	assert_true(crypt_keys_sk(h, ss, (struct iov){ b[0], 0 }, &sk));
	for (unsigned i = 0; i < 6; i++) {
		bool from_b = i & 1;
		size_t n = 1 + form[i / 2].addr, len;
		char name[16];

		snprintf(name, sizeof(name), "%s_%c", form[i / 2].name,
			 from_b ? 'B' : 'A');
		len = vec("page", "add_addr", name, opt);
		assert_int_equal(len, 3 + n + (form[i / 2].port ? 2 : 0) + 8);
		memset(msg, 0, sizeof(msg));
		memcpy(msg, opt + 3, len - 11);
		memcpy(key, from_b ? sk.sk_b : sk.sk_a, 32);
		memcpy(key + 32, from_b ? sk.sk_a : sk.sk_b, 32);
		assert_true(hash_hmac_sha256(h, key, 64, msg, n + 2, mac));
		assert_memory_equal(mac + 24, opt + len - 8, 8);
	}
	hash_free(h);
}

/* --- connections ---------------------------------------------------------- */

static struct end a, b;
static struct script sa, sb;

static void option_is(struct end *from, struct end *to, enum crypt_seg seg,
		      unsigned room, const char *section, const char *name)
{
	uint8_t opt[64];
	unsigned n = crypt_seg_out(from->conn, t0, seg, opt, room);

	is(opt, n, section, name);
	deliver(to, seg, opt, n);
}

static void handshake(const char *section, unsigned room)
{
	uint8_t mpc[64], id[CRYPT_SESSION_ID];
	unsigned n = vec("page", section, "mpc", mpc);

	end_open(&a, true);
	end_open(&b, false);
	option_is(&a, &b, CRYPT_SEG_SYN, 40, section, "eno_A");
	option_is(&b, &a, CRYPT_SEG_SYNACK, room, section, "eno_B");
	pass(&a, &b, CRYPT_SEG_ACK);
	assert_int_equal(crypt_start(a.conn, t0, mpc, n), CRYPT_OK);
	assert_int_equal(crypt_start(b.conn, t0, mpc, n), CRYPT_OK);
	for (unsigned i = 0; crypt_state(a.conn) == CRYPT_INIT && i < 2; i++) {
		struct end *from = i ? &b : &a, *to = i ? &a : &b;
		size_t len;
		const uint8_t *p = crypt_init_out(from->conn, &len);

		is(p, len, section, i ? "Init2" : "Init1");
		assert_int_equal(give_init(from, to, 1000), CRYPT_OK);
	}
	assert_true(crypt_session_id(a.conn, id));
	is(id, sizeof(id), section, "session_id");
	same_id(&a, &b);
	assert_memory_equal(crypt_sk(a.conn), crypt_sk(b.conn),
			    sizeof(struct crypt_sk));
}

/* one line: who, generation, offset, flags, data, frame */
static void frame(const char *line)
{
	char who, data[100], hexed[200];
	unsigned gen, flags, len;
	unsigned long long off;
	uint8_t want[100], got[100], raw[60];
	struct end *from, *to;
	struct crypt_info i;
	size_t n;

	assert_int_equal(sscanf(line, "%c %u %llu %u %99s %199s", &who, &gen,
				&off, &flags, data, hexed),
			 6);
	from = who == 'A' ? &a : &b;
	to = who == 'A' ? &b : &a;
	crypt_info(from->conn, &i);
	if (gen > i.tx_gen && gen > i.rx_gen) {
		assert_true(crypt_rekey(from->conn, t0));
	}
	raw[vec_unhex(data, raw)] = 0;
	assert_int_equal(from->offset, off);
	n = seal(from, (const char *)raw, flags & 1, got, sizeof(got));
	len = vec_unhex(hexed, want);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, n);
	assert_int_equal(open_at(to, off, got, n, NULL), CRYPT_OK);
	all_came(from, to);
	crypt_info(from->conn, &i);
	assert_true(i.tx_gen == gen);
}

static void frames(const char *section, unsigned want)
{
	char name[16], line[VEC_LINE];
	unsigned i;

	for (i = 0;; i++) {
		snprintf(name, sizeof(name), "frame.%u", i);
		if (!vec_text("page", section, name, line)) {
			break;
		}
		frame(line);
	}
	assert_int_equal(i, want);
	assert_int_equal(crypt_cached(a.crypt), 1);
}

/* the next connection; its secret is that of the one before */
static void again(const char *section, unsigned room)
{
	for (unsigned i = 0; i < 8; i++) {
		sa.b[i] = (uint8_t)(0xd0 + i);
		sb.b[i] = (uint8_t)(0xe0 + i);
	}
	sa.at = sb.at = 0;
	handshake(section, room);
	frames(section, 4);
}

static void connections(void **st)
{
	static const struct {
		const char *fresh, *then;
		unsigned n_frames, room;
	} v[] = {
		{ "x448", NULL, 4, 0 },
		{ "flag_a", NULL, 2, 0 },
		{ "phases", "nonce_b3", 12, 19 },
		{ "single_rekey", "single_resumed", 6, 40 },
	};

	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		size_t len = i == 0 ? 56 : 32;

		end_scripted(&a, &sa, 0x20, len, 0xa0);
		end_scripted(&b, &sb, 0x60, len, 0xb0);
		if (i == 0) {
			/* A names three, B likes the second best */
			a.conf.n_kx = 3;
			memcpy(a.conf.kx, "\x23\x24\x21", 3);
			b.conf.n_kx = 2;
			memcpy(b.conf.kx, "\x24\x23", 2);
		}
		handshake(v[i].fresh, 40);
		frames(v[i].fresh, v[i].n_frames);
		if (v[i].then) {
			again(v[i].then, v[i].room);
		}
		end_fini(&a);
		end_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules),
		cmocka_unit_test(announcements),
		cmocka_unit_test(connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
