/* sealing; what goes wrong in opening is in test_crypt_rec_open.c */
#include "tests/unit/crypt/rec.h"

#include "stack/base/rng.h"
#include "tests/vectors/vec.h"

/* --- against the models -------------------------------------------------- */

/* frame.N of a section: sealed by us the same, and opened */
static void frame_is(const char *section, unsigned n, struct crypt_rec *from,
		     struct crypt_rec *to, struct crypt_seal s,
		     const char *data)
{
	char name[16], text[VEC_LINE];
	uint8_t want[100];
	unsigned len;
	struct frame f;
	struct crypt_opened o;

	snprintf(name, sizeof(name), "frame.%u", n);
	assert_true(vec_text("suites", section, name, text));
	len = vec_unhex(strchr(text, ' ') + 1, want);
	is_ok(try_seal(from, &f, strtoull(text, NULL, 10), data, s));
	assert_int_equal(f.n, len);
	assert_memory_equal(f.b, want, len);
	is_ok(get_at(to, &f, f.at, &o));
	assert_int_equal(o.fin, s.fin);
	assert_int_equal(o.urgent, s.urgent);
	assert_int_equal(o.urgent_at, s.urgent_at);
	assert_int_equal(o.data_len, strlen(data));
	assert_int_equal(o.data_at, s.urgent ? 6 : 4);
}

static void seals_as_the_model(void **st)
{
	static const char *const kx[] = { "p256", "p521", "x25519", "x448" };
	static const char *const cipher[] = { "aes128gcm", "aes256gcm",
					      "chacha20poly1305" };

	(void)st;
	for (unsigned i = 0; i < 48; i++) {
		bool smtcp = i & 1;
		char s[80];
		uint8_t mk0[32];

		snprintf(s, sizeof(s), "%s_%s%s%s", kx[i / 12],
			 cipher[i / 4 % 3], smtcp ? "_smtcp" : "",
			 i & 2 ? "_resumed" : "");
		assert_int_equal(vec("suites", s, "mk0", mk0), 32);
		make(&x, true, i / 4 % 3, smtcp, mk0);
		make(&y, false, i / 4 % 3, smtcp, mk0);
		frame_is(s, 0, &x, &y, (struct crypt_seal){ 0 }, "");
		frame_is(s, 1, &x, &y, (struct crypt_seal){ 0 },
			 "GET / HTTP/1.0");
		frame_is(s, 2, &x, &y, (struct crypt_seal){ .urgent = true },
			 "!");
		frame_is(s, 4, &y, &x, (struct crypt_seal){ .fin = true },
			 "bye");
		crypt_rec_acked(&x, x.tx_next);
		assert_true(crypt_rec_rekey(&x, t0));
		frame_is(s, 3, &x, &y, (struct crypt_seal){ .fin = true }, "");
		assert_int_equal(y.rx_gen, 1);
		done();
	}
}

/* the second model's frames, with offsets from 0 and from behind Init */
static void seals_as_another_model(void **st)
{
	static const struct {
		const char *section;
		enum aead_alg alg;
	} v[] = { { "x25519_aes128gcm", AEAD_AES128_GCM },
		  { "x25519_aes256gcm", AEAD_AES256_GCM },
		  { "x25519_chacha20poly1305", AEAD_CHACHA20_POLY1305 } };

	static char text[VEC_LINE], data[VEC_LINE], hexed[VEC_LINE];
	char name[32];
	unsigned flags, urgent, gen;
	unsigned long long off;
	char who;

	(void)st;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(v); i++) {
		const char *s = v[i / 2].section;
		uint8_t mk0[32], want[100], raw[100];

		vec("tcpcrypt", s, "mk0", mk0);
		make(&x, true, v[i / 2].alg, false, mk0);
		make(&y, false, v[i / 2].alg, false, mk0);
		for (unsigned n = 0; n < 4; n++) {
			struct frame f;
			struct crypt_opened o;

			snprintf(name, sizeof(name), "frames_off%s.%u",
				 i & 1 ? "Init" : "0", n);
			assert_true(vec_text("tcpcrypt", s, name, text));
			assert_int_equal(sscanf(text,
						"%c %u %llu %u %u %s %*s %s",
						&who, &gen, &off, &flags,
						&urgent, data, hexed),
					 7);
			raw[vec_unhex(data, raw)] = 0;
			is_ok(try_seal(who == 'A' ? &x : &y, &f, off,
				       (const char *)raw,
				       (struct crypt_seal){
					       .fin = flags & 1,
					       .urgent = flags & 2,
					       .urgent_at =
						       (uint16_t)urgent }));
			assert_int_equal(f.n, vec_unhex(hexed, want));
			assert_memory_equal(f.b, want, f.n);
			is_ok(get_at(who == 'A' ? &y : &x, &f, off, &o));
			assert_int_equal(o.urgent_at, urgent);
		}
		done();
	}
}

/* tests: base_frames is what the draft's daemon does */
static void counts_from_another_base(void **st)
{
	struct frame f, g;

	(void)st;
	both(false);
	f = carry(&x, &y, "hello");
	done();
	both(false);
	x.tx_base = y.rx_base = x.tx_next = 79;
	g = put(&x, "hello", false);
	assert_int_equal(g.at, 79);
	assert_memory_equal(f.b, g.b, f.n);
	is_ok(get(&y, &g));
	is_not(get(&y, &f), CRYPT_BAD_LEN);
	done();
}

/* --- what sealing refuses ------------------------------------------------ */

static void an_offset_never_goes_back(void **st)
{
	const struct crypt_seal s = { 0 };
	struct frame f;

	(void)st;
	both(false);
	is_ok(try_seal(&x, &f, 100, "abc", s));
	for (uint64_t at = 0; at < 100 + f.n; at += 11) {
		struct frame g;

		is_not(try_seal(&x, &g, at, "abc", s), CRYPT_REFUSE_OFFSET);
		assert_int_equal(g.n, 0);
	}
	is_not(try_seal(&x, &f, 122, "abc", s), CRYPT_REFUSE_OFFSET);
	is_ok(try_seal(&x, &f, 123, "abc", s));
	is_ok(try_seal(&x, &f, 5000, "abc", s));
	/* not even under new keys, and not over the end */
	assert_true(crypt_rec_rekey(&x, t0));
	is_not(try_seal(&x, &f, 5000, "abc", s), CRYPT_REFUSE_OFFSET);
	is_not(try_seal(&x, &f, UINT64_MAX - 20, "abc", s),
	       CRYPT_REFUSE_OFFSET);
	is_ok(try_seal(&x, &f, (uint64_t)1 << 63, "abc", s));
	is_ok(get(&y, &f));
	done();
}

static void a_frame_has_at_most_65535_octets(void **st)
{
	static uint8_t data[65600], out[65700];
	struct iov in = { data, 65518 };
	struct iov_mut v = { out, sizeof(out) };
	struct crypt_seal s = { .now = t0, .in = &in, .n_in = 1 };
	struct crypt_opened o;
	size_t n;

	(void)st;
	both(false);
	is_ok(crypt_rec_seal(&x, &s, &v, 1, &n));
	assert_int_equal(n, 65538);
	assert_int_equal(crypt_frame_len(out), n);
	v.n = n;
	is_ok(crypt_rec_open(&y, 0, &v, 1, n, &o));
	assert_int_equal(o.data_len, 65518);
	s.offset = n;
	v.n = sizeof(out);
	in.n++;
	is_not(crypt_rec_seal(&x, &s, &v, 1, &n), CRYPT_REFUSE_LEN);
	in.n--;
	s.urgent = true;
	is_not(crypt_rec_seal(&x, &s, &v, 1, &n), CRYPT_REFUSE_LEN);
	in.n -= 2;
	is_ok(crypt_rec_seal(&x, &s, &v, 1, &n));
	done();
}

/* 16384 octets, header and tag included */
static void a_frame_under_smtcp_is_short(void **st)
{
	static uint8_t data[17000], out[17100];
	struct iov in = { data, 16364 };
	struct iov_mut v = { out, sizeof(out) };
	struct crypt_seal s = { .now = t0, .in = &in, .n_in = 1 };
	struct crypt_opened o;
	size_t n;

	(void)st;
	both(true);
	is_ok(crypt_rec_seal(&x, &s, &v, 1, &n));
	assert_int_equal(n, 16384);
	is_ok(crypt_rec_open(&y, 0, &v, 1, n, &o));
	assert_int_equal(o.data_len, 16364);
	s.offset = n;
	in.n++;
	is_not(crypt_rec_seal(&x, &s, &v, 1, &n), CRYPT_REFUSE_LEN);
	in.n -= 2;
	s.urgent = true;
	is_not(crypt_rec_seal(&x, &s, &v, 1, &n), CRYPT_REFUSE_LEN);
	in.n--;
	is_ok(crypt_rec_seal(&x, &s, &v, 1, &n));
	assert_int_equal(n, 16384);
	/* sealed all the same */
	x.phases = false;
	s.urgent = false;
	s.offset = x.tx_next;
	in.n = 16365;
	is_ok(crypt_rec_seal(&x, &s, &v, 1, &n));
	is_not(crypt_rec_open(&y, s.offset, &v, 1, n, &o), CRYPT_BAD_LEN);
	done();
}

static void nothing_follows_the_end_mark(void **st)
{
	struct frame f, g;

	(void)st;
	both(false);
	f = put(&x, "last", true);
	is_not(try_seal(&x, &g, x.tx_next, "", (struct crypt_seal){ 0 }),
	       CRYPT_REFUSE_FIN);
	assert_false(crypt_rec_rekey(&x, t0));
	is_not(crypt_rec_end(&y, f.at + f.n), CRYPT_TRUNCATED);
	is_ok(get(&y, &f));
	is_ok(crypt_rec_end(&y, f.at + f.n));
	is_not(crypt_rec_end(&y, f.at + f.n + 1), CRYPT_TRUNCATED);
	is_not(crypt_rec_end(&y, f.at), CRYPT_TRUNCATED);
	/* a peer that goes on nevertheless */
	x.tx_fin = false;
	g = put(&x, "more", false);
	is_not(get(&y, &g), CRYPT_AFTER_FIN);
	x.tx_fin = false;
	g = put(&x, "", true);
	is_not(get(&y, &g), CRYPT_AFTER_FIN);
	is_ok(crypt_rec_end(&y, f.at + f.n));
	/* or whose mark lies before what came already */
	done();
	both(true);
	f = put(&x, "1", true);
	x.tx_fin = false;
	g = carry(&x, &y, "2");
	is_not(get(&y, &f), CRYPT_AFTER_FIN);
	is_not(crypt_rec_end(&y, f.at + f.n), CRYPT_TRUNCATED);
	done();
}

static void pieces_make_no_difference(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 9);
	for (unsigned t = 0; t < 500; t++) {
		struct frame f;
		struct crypt_opened o;
		struct iov in[4];
		struct iov_mut v[4], w[5];
		uint8_t data[60];
		size_t left = rng_below(&r, 60), n = left;
		struct crypt_seal s = { .now = t0,
					.in = in,
					.n_in = 4,
					.urgent = t & 1,
					.urgent_at = 3 };
		const uint8_t *p = data;
		uint8_t *q = f.b;

		both(false);
		rng_fill(&r, data, sizeof(data));
		for (unsigned i = 0; i < 4; i++) {
			size_t part = i < 3 ? rng_below(&r, left + 1) : left;

			in[i] = (struct iov){ p, part };
			p += part;
			left -= part;
		}
		left = n + 22;
		for (unsigned i = 0; i < 4; i++) {
			size_t part = i < 3 ? rng_below(&r, left + 1) : left;

			v[i] = (struct iov_mut){ q, part };
			q += part;
			left -= part;
		}
		is_ok(crypt_rec_seal(&x, &s, v, 4, &f.n));
		assert_int_equal(f.n, n + (t & 1 ? 22 : 20));
		left = f.n;
		q = f.b;
		for (unsigned i = 0; i < 5; i++) {
			size_t part = i < 4 ? rng_below(&r, left + 1) : left;

			w[i] = (struct iov_mut){ q, part };
			q += part;
			left -= part;
		}
		is_ok(crypt_rec_open(&y, 0, w, 5, f.n, &o));
		assert_int_equal(o.data_len, n);
		assert_memory_equal(f.b + o.data_at, data, n);
		done();
	}
}

/* data that lie where they go */
static void seals_in_place(void **st)
{
	struct frame f;
	struct iov in = { f.b + 4, 5 };
	struct iov_mut v = { f.b, 25 };
	struct crypt_seal s = { .now = t0, .in = &in, .n_in = 1 };
	struct crypt_opened o;

	(void)st;
	both(false);
	memcpy(f.b + 4, "hello", 5);
	is_ok(crypt_rec_seal(&x, &s, &v, 1, &f.n));
	is_ok(crypt_rec_open(&y, 0, &v, 1, f.n, &o));
	assert_memory_equal(f.b + o.data_at, "hello", 5);
	done();
}

static void wipes(void **st)
{
	static const uint8_t zero[sizeof(struct crypt_rec)];

	(void)st;
	both(true);
	done();
	assert_memory_equal(&x, zero, sizeof(x));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_as_the_model),
		cmocka_unit_test(seals_as_another_model),
		cmocka_unit_test(counts_from_another_base),
		cmocka_unit_test(an_offset_never_goes_back),
		cmocka_unit_test(a_frame_has_at_most_65535_octets),
		cmocka_unit_test(a_frame_under_smtcp_is_short),
		cmocka_unit_test(nothing_follows_the_end_mark),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(seals_in_place),
		cmocka_unit_test(wipes),
	};

	return cmocka_run_group_tests(tests, start, end);
}
