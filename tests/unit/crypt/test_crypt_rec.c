#include "tests/unit/crypt/common.h"

#include "stack/base/rng.h"
#include "stack/crypt/crypt_rec.h"
#include "tests/vectors/vec.h"

static struct hash *h;
static struct aead *aead;
static struct crypt_conf conf;

static int start(void **st)
{
	(void)st;
	h = hash_new();
	aead = aead_new();
	crypt_conf_init(&conf);
	return h && aead ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	hash_free(h);
	aead_free(aead);
	return 0;
}

static const uint8_t mk[32] = { 5 };

static void make(struct crypt_rec *r, bool a, enum aead_alg alg, bool phases,
		 const uint8_t *mk0)
{
	*r = (struct crypt_rec){ .hash = h,
				 .aead = aead,
				 .conf = &conf,
				 .alg = alg,
				 .phases = phases,
				 .ab = a };
	assert_true(crypt_rec_init(r, mk0, t0));
}

static struct crypt_rec x, y; /* hosts A and B */

static void both(bool phases)
{
	crypt_conf_init(&conf);
	make(&x, true, AEAD_AES128_GCM, phases, mk);
	make(&y, false, AEAD_AES128_GCM, phases, mk);
}

static void done(void)
{
	crypt_rec_fini(&x);
	crypt_rec_fini(&y);
}

struct frame {
	uint64_t at;
	size_t n;
	uint8_t b[100];
};

static enum crypt_reason try_seal(struct crypt_rec *r, struct frame *f,
				  uint64_t at, const char *text,
				  struct crypt_seal s)
{
	const struct iov in = { (const uint8_t *)text, strlen(text) };
	const struct iov_mut out = { f->b, sizeof(f->b) };

	s.now = t0;
	s.offset = f->at = at;
	s.in = &in;
	s.n_in = 1;
	return crypt_rec_seal(r, &s, &out, 1, &f->n);
}

static struct frame put(struct crypt_rec *r, const char *text, bool fin)
{
	struct frame f;
	const struct crypt_seal s = { .fin = fin };

	assert_int_equal(try_seal(r, &f, r->tx_next, text, s), CRYPT_OK);
	return f;
}

static enum crypt_reason get_at(struct crypt_rec *r, const struct frame *f,
				uint64_t at, struct crypt_opened *o)
{
	struct frame copy = *f;
	const struct iov_mut v = { copy.b, copy.n };

	return crypt_rec_open(r, at, &v, 1, copy.n, o);
}

static enum crypt_reason get(struct crypt_rec *r, const struct frame *f)
{
	struct crypt_opened o;

	return get_at(r, f, f->at, &o);
}

#define is_ok(what)       assert_int_equal(what, CRYPT_OK)
#define is_not(what, why) assert_int_equal(what, why)

static void arrived(struct crypt_rec *from, struct crypt_rec *to,
		    const struct frame *f)
{
	crypt_rec_received(to, f->at + f->n);
	crypt_rec_acked(from, f->at + f->n);
}

/* with phases, and first frames have gone both ways */
static void both_spoke(void)
{
	both(true);
	for (unsigned i = 0; i < 2; i++) {
		struct crypt_rec *p = i ? &y : &x, *q = i ? &x : &y;
		struct frame f = put(p, "", false);

		is_ok(get(q, &f));
		arrived(p, q, &f);
	}
}

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
	f = put(&x, "hello", false);
	is_ok(get(&y, &f));
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
	g = put(&x, "2", false);
	is_ok(get(&y, &g));
	is_not(get(&y, &f), CRYPT_AFTER_FIN);
	is_not(crypt_rec_end(&y, f.at + f.n), CRYPT_TRUNCATED);
	done();
}

/* --- what opening refuses ------------------------------------------------ */

/* every bit of the header, the text and the tag */
static void every_bit_counts(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 2 * AEAD_N; t++) {
		struct frame f, g;

		make(&x, true, t / 2, t & 1, mk);
		make(&y, false, t / 2, t & 1, mk);
		f = put(&x, "some text", false);
		for (unsigned bit = 0; bit < 8 * f.n; bit++) {
			enum crypt_reason r;

			g = f;
			g.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			r = get(&y, &g);
			if (bit >= 8 && bit < 24) {
				is_not(r, CRYPT_BAD_LEN);
			} else if (bit < 8 && t & 1 && (bit == 1 || bit == 2)) {
				/* phase 1 is the next one, 2 none, 3 the last */
				is_not(r, bit == 1 ? CRYPT_BAD_TAG
						   : CRYPT_BAD_PHASE);
			} else {
				is_not(r, CRYPT_BAD_TAG);
			}
		}
		assert_int_equal(y.rx_gen, 0);
		assert_int_equal(y.rx_frames, 0);
		is_ok(get(&y, &f));
		done();
	}
}

/* RFC 8548 4.2, statement 182: reserved bits are ignored, but authentic */
static void reserved_bits_are_ignored(void **st)
{
	struct frame f;
	struct crypt_opened o;
	uint8_t nr[12], pt[6] = "\xfchello", tag[22];
	struct iov in = { pt, 6 };
	struct iov_mut v = { tag, 22 };

	(void)st;
	both(false);
	f.b[0] = 0xfe;
	be16_put(f.b + 1, 22);
	memcpy(nr, x.tx.nr, 12);
	assert_true(aead_seal(x.tx.k, nr, f.b, 3, &in, 1, &v, 1));
	memcpy(f.b + 3, tag, 22);
	f.n = 25;
	is_ok(get_at(&y, &f, 0, &o));
	assert_false(o.fin || o.urgent || o.sig || o.rekey);
	assert_int_equal(o.data_len, 5);
	done();
}

/* URGp without room for its field: authentic, and wrong */
static void an_urgent_frame_has_its_field(void **st)
{
	(void)st;
	for (uint8_t len = 1; len <= 4; len++) {
		struct frame f;
		struct crypt_opened o;
		uint8_t pt[4] = { CRYPT_FRAME_URG, 1, 2, 3 };
		struct iov in = { pt, len };
		struct iov_mut v = { f.b + 3, 50 };

		both(false);
		f.b[0] = 0;
		be16_put(f.b + 1, len + 16u);
		assert_true(aead_seal(x.tx.k, x.tx.nr, f.b, 3, &in, 1, &v, 1));
		f.n = 19u + len;
		is_not(get_at(&y, &f, 0, &o),
		       len < 3 ? CRYPT_BAD_FIELDS : CRYPT_OK);
		assert_true(len < 3 || o.urgent_at == 0x0102);
		assert_int_equal(y.rx_frames, len >= 3);
		done();
	}
}

/* frames at other places, in other order, from the other side */
static void swapped_and_replayed_frames_are_refused(void **st)
{
	struct frame f[4], g;

	(void)st;
	both(false);
	for (unsigned i = 0; i < 4; i++) {
		f[i] = put(&x, "same", false);
	}
	is_ok(get(&y, &f[0]));
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned j = 0; j < 4; j++) {
			struct crypt_opened o;

			if (i != j) {
				is_not(get_at(&y, &f[i], f[j].at, &o),
				       CRYPT_BAD_TAG);
			}
		}
	}
	/* sent back */
	is_not(get(&x, &f[0]), CRYPT_BAD_TAG);
	/* cut, and longer */
	for (size_t n = 0; n < f[1].n; n++) {
		g = f[1];
		g.n = n;
		is_not(get(&y, &g), CRYPT_BAD_LEN);
	}
	g.n = f[1].n + 1;
	is_not(get(&y, &g), CRYPT_BAD_LEN);
	is_ok(get(&y, &f[1]));
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

static void sig_only_when_both_announced_it(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		struct frame f;
		struct crypt_opened o;

		both(true);
		x.sig = t & 1;
		y.sig = t & 2;
		is_not(try_seal(&x, &f, 0, "s",
				(struct crypt_seal){ .sig = true }),
		       x.sig ? CRYPT_OK : CRYPT_REFUSE_SIG);
		if (x.sig) {
			is_not(get_at(&y, &f, 0, &o),
			       y.sig ? CRYPT_OK : CRYPT_BAD_SIG);
			assert_int_equal(y.rx_frames, y.sig);
			assert_int_equal(o.sig, y.sig);
		}
		done();
	}
}

/* --- rekeying, plain (8548 3.8) ------------------------------------------ */

static bool has_rekey(const struct frame *f)
{
	return f->b[0] & CRYPT_FRAME_REKEY;
}

static void one_side_rekeys_the_other_answers(void **st)
{
	struct frame f, g;

	(void)st;
	both(false);
	assert_false(crypt_rec_due(&x));
	assert_true(crypt_rec_rekey(&x, t0));
	assert_true(crypt_rec_due(&x));
	/* not twice while one is under way */
	assert_false(crypt_rec_rekey(&x, t0));
	f = put(&x, "", false);
	assert_true(has_rekey(&f));
	assert_false(crypt_rec_due(&x));
	assert_false(crypt_rec_rekey(&x, t0));
	g = put(&x, "next", false);
	assert_false(has_rekey(&g));
	is_ok(get(&y, &f));
	is_ok(get(&y, &g));
	assert_int_equal(y.rx_gen, 1);
	assert_int_equal(y.tx_gen, 0);
	assert_true(crypt_rec_due(&y));
	f = put(&y, "answer", false);
	assert_true(has_rekey(&f));
	assert_int_equal(y.tx_gen, 1);
	assert_false(crypt_rec_due(&y));
	is_ok(get(&x, &f));
	assert_false(crypt_rec_due(&x));
	/* and again, many times, by turns */
	for (unsigned i = 0; i < 20; i++) {
		struct crypt_rec *p = i & 1 ? &x : &y, *q = i & 1 ? &y : &x;

		assert_true(crypt_rec_rekey(p, t0));
		f = put(p, "a", false);
		g = put(p, "b", false);
		is_ok(get(q, &f));
		is_ok(get(q, &g));
		f = put(q, "c", false);
		is_ok(get(p, &f));
		assert_true(x.tx_gen == y.rx_gen && y.tx_gen == x.rx_gen &&
			    x.tx_gen == i + 2);
	}
	done();
}

static void rekeyings_cross(void **st)
{
	(void)st;
	for (unsigned phases = 0; phases < 2; phases++) {
		struct frame f, g;

		if (phases) {
			both_spoke();
		} else {
			both(false);
		}
		assert_true(crypt_rec_rekey(&x, t0));
		assert_true(crypt_rec_rekey(&y, t0));
		f = put(&x, "", false);
		g = put(&y, "", false);
		is_ok(get(&y, &f));
		is_ok(get(&x, &g));
		/* each is the other's answer */
		assert_false(crypt_rec_due(&x) || crypt_rec_due(&y));
		assert_true(x.tx_gen == 1 && x.rx_gen == 1 && y.tx_gen == 1 &&
			    y.rx_gen == 1);
		f = put(&x, "x", false);
		assert_false(has_rekey(&f));
		is_ok(get(&y, &f));
		done();
	}
}

/* begun, but before its first frame the peer's came: one frame says both */
static void a_rekeying_that_was_not_shown_yet_is_the_answer(void **st)
{
	struct frame f;

	(void)st;
	both(false);
	assert_true(crypt_rec_rekey(&x, t0));
	assert_true(crypt_rec_rekey(&y, t0));
	f = put(&x, "", false);
	is_ok(get(&y, &f));
	f = put(&y, "", false);
	assert_true(has_rekey(&f));
	assert_int_equal(y.tx_gen, 1);
	is_ok(get(&x, &f));
	assert_false(crypt_rec_due(&x) || crypt_rec_due(&y));
	done();
}

/* a peer two generations ahead is followed step by step: it counts frames */
static void catches_up_step_by_step(void **st)
{
	struct frame f, g;

	(void)st;
	both(false);
	for (unsigned i = 0; i < 3; i++) {
		x.rx_gen = x.tx_gen; /* as a peer may do that has data */
		assert_true(crypt_rec_rekey(&x, t0));
		f = put(&x, "data", false);
		is_ok(get(&y, &f));
	}
	x.rx_gen = 0;
	assert_int_equal(y.rx_gen, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(crypt_rec_due(&y));
		g = put(&y, "", false);
		assert_true(has_rekey(&g));
		is_ok(get(&x, &g));
	}
	assert_false(crypt_rec_due(&y));
	assert_int_equal(x.rx_gen, 3);
	done();
}

/* no answer after FINp, and none is waited for */
static void rekeying_after_the_end_mark(void **st)
{
	struct frame f;

	(void)st;
	both(false);
	f = put(&y, "", true);
	is_ok(get(&x, &f));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(crypt_rec_rekey(&x, t0));
		f = put(&x, "more", false);
		is_ok(get(&y, &f));
		assert_false(crypt_rec_due(&y));
	}
	assert_int_equal(x.tx_gen, 3);
	done();
}

static void rekeys_by_volume_and_time(void **st)
{
	struct frame f;
	unsigned keys = 0;

	(void)st;
	both(false);
	conf.rekey_frames = 4;
	for (unsigned i = 0; i < 20; i++) {
		f = put(&x, "12345", false);
		keys += has_rekey(&f);
		assert_int_equal(has_rekey(&f), i > 0 && i % 4 == 0);
		is_ok(get(&y, &f));
		while (crypt_rec_due(&y)) {
			f = put(&y, "", false);
			is_ok(get(&x, &f));
		}
	}
	assert_int_equal(keys, 4);
	/* unanswered: it waits, and goes on with the old key */
	conf.rekey_frames = 1;
	f = put(&x, "", false);
	f = put(&x, "", false);
	assert_false(has_rekey(&f));
	done();
	both(false);
	conf.rekey_bytes = 100;
	for (unsigned i = 0; i < 6; i++) {
		f = put(&x, "12345", false); /* 25 octets */
		assert_int_equal(has_rekey(&f), i == 4);
	}
	done();
	both(false);
	conf.rekey_time = 10;
	f = put(&x, "", false);
	assert_false(has_rekey(&f));
	x.tx_since.ns -= 10;
	f = put(&x, "", false);
	assert_true(has_rekey(&f));
	done();
}

/* --- rekeying with phases (smtcp(7)) ------------------------------------- */

static void frames_of_two_generations_come_in_any_order(void **st)
{
	struct rng r;

	(void)st;
	rng_seed(&r, 4);
	for (unsigned t = 0; t < 200; t++) {
		struct frame f[8];
		unsigned order[8], n_first = (unsigned)rng_below(&r, 8);

		both_spoke();
		/* somewhere in the sequence of generations */
		for (unsigned i = 0; i < t % 5; i++) {
			struct frame g;

			assert_true(crypt_rec_rekey(&x, t0));
			g = put(&x, "", false);
			is_ok(get(&y, &g));
			arrived(&x, &y, &g);
			g = put(&y, "", false);
			is_ok(get(&x, &g));
			arrived(&y, &x, &g);
		}
		for (unsigned i = 0; i < 8; i++) {
			if (i == n_first) {
				assert_true(crypt_rec_rekey(&x, t0));
			}
			f[i] = put(&x, "data", false);
			assert_int_equal(has_rekey(&f[i]), i == n_first);
			order[i] = i;
		}
		for (unsigned i = 7; i > 0; i--) {
			unsigned j = (unsigned)rng_below(&r, i + 1);
			unsigned s = order[i];

			order[i] = order[j];
			order[j] = s;
		}
		for (unsigned i = 0; i < 8; i++) {
			is_ok(get(&y, &f[order[i]]));
		}
		/* copies, too, while the keys are there */
		for (unsigned i = 0; i < 8; i++) {
			is_ok(get(&y, &f[i]));
		}
		assert_int_equal(y.rx_gen, t % 5 + 1);
		crypt_rec_received(&y, f[n_first].at);
		assert_non_null(y.rx_old.k);
		crypt_rec_received(&y, f[n_first].at + 1);
		assert_null(y.rx_old.k);
		if (n_first > 0) {
			is_not(get(&y, &f[0]), CRYPT_BAD_PHASE);
		}
		is_ok(get(&y, &f[7]));
		done();
	}
}

/* the first frame of a generation is late: the old keys stay until it came */
static void old_keys_stay_until_the_first_frame_came(void **st)
{
	struct frame old, first, second;

	(void)st;
	both_spoke();
	old = put(&x, "old", false);
	assert_true(crypt_rec_rekey(&x, t0));
	first = put(&x, "first", false);
	second = put(&x, "second", false);
	is_ok(get(&y, &second));
	assert_int_equal(y.rx_gen, 1);
	crypt_rec_received(&y, first.at);
	is_ok(get(&y, &old));
	is_ok(get(&y, &first));
	crypt_rec_received(&y, second.at + second.n);
	is_not(get(&y, &old), CRYPT_BAD_PHASE);
	done();
}

/* no third generation in flight: the next waits for the DATA_ACK of our first
 * frame, and until the peer's older frames are through */
static void at_most_two_generations_are_in_flight(void **st)
{
	struct frame f, g;

	(void)st;
	both(true);
	assert_false(crypt_rec_rekey(&x, t0));
	f = put(&x, "", false);
	g = put(&y, "", false);
	is_ok(get(&x, &g));
	is_ok(get(&y, &f));
	crypt_rec_acked(&x, f.n);
	crypt_rec_acked(&y, g.n);
	crypt_rec_received(&y, f.n);
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_received(&x, g.n);
	assert_true(crypt_rec_rekey(&x, t0));
	f = put(&x, "", false);
	is_ok(get(&y, &f));
	g = put(&y, "", false);
	assert_true(has_rekey(&g));
	is_ok(get(&x, &g));
	crypt_rec_received(&x, g.at + g.n);
	/* answered, but not acknowledged */
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_acked(&x, f.at + f.n - 1);
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_acked(&x, f.at + f.n);
	assert_true(crypt_rec_rekey(&x, t0));
	f = put(&x, "", false);
	is_ok(get(&y, &f));
	crypt_rec_received(&y, f.at + f.n);
	/* y's first frame of generation 1 has no DATA_ACK yet; x has it, or
	 * would not have begun */
	assert_false(y.tx_marked);
	assert_true(crypt_rec_due(&y));
	g = put(&y, "", false);
	assert_true(has_rekey(&g));
	is_ok(get(&x, &g));
	/* x's own next one waits until the older of y's frames are through */
	crypt_rec_acked(&x, x.tx_next);
	assert_false(crypt_rec_rekey(&x, t0));
	crypt_rec_received(&x, g.at + g.n);
	assert_true(crypt_rec_rekey(&x, t0));
	done();
}

/* forged phases cost one derivation, and move nothing */
static void forged_phases_move_nothing(void **st)
{
	struct frame f, g;

	(void)st;
	both_spoke();
	f = put(&x, "data", false);
	for (unsigned i = 1; i < 4; i++) {
		for (unsigned again = 0; again < 3; again++) {
			g = f;
			g.b[0] = (uint8_t)(i << CRYPT_FRAME_PHASE_SHIFT | 1);
			is_not(get(&y, &g),
			       i == 1 ? CRYPT_BAD_TAG : CRYPT_BAD_PHASE);
		}
	}
	assert_int_equal(y.rx_gen, 0);
	is_ok(get(&y, &f));
	assert_true(crypt_rec_rekey(&x, t0));
	f = put(&x, "new", false);
	is_ok(get(&y, &f));
	done();
}

/* A peer that keeps no rule: what it sealed is authentic, and refused.  bits:
 * of the control octet, sealed over. */
static struct frame lie(struct crypt_rec *r, uint64_t at, uint8_t control)
{
	struct frame f = { .at = at, .n = 20, .b = { control, 0, 17 } };
	const uint8_t flags = 0;
	struct iov in = { &flags, 1 };
	struct iov_mut v = { f.b + 3, 17 };
	uint8_t n[12];

	memcpy(n, r->tx.nr, 12);
	be64_put(n + 4, be64_get(n + 4) ^ at);
	assert_true(aead_seal(r->tx.k, n, f.b, 3, &in, 1, &v, 1));
	return f;
}

static void generations_follow_their_first_frames(void **st)
{
	struct frame f;

	(void)st;
	both_spoke();
	f = lie(&x, 100, CRYPT_FRAME_REKEY); /* of generation 0 */
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	f = lie(&x, 400, 0);
	is_ok(get(&y, &f));
	assert_true(crypt_rec_rekey(&x, t0));
	f = lie(&x, 300, 3); /* before what was older */
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	assert_int_equal(y.rx_gen, 0);
	f = lie(&x, 500, 3);
	is_ok(get(&y, &f));
	assert_int_equal(y.rx_gen, 1);
	f = lie(&x, 600, 3); /* a second one */
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	f = lie(&x, 450, 2);
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	f = lie(&x, 600, 2);
	is_ok(get(&y, &f));
	assert_int_equal(y.rx_frames, 4);
	assert_true(crypt_reason_faulty(CRYPT_BAD_REKEY));
	done();
	/* a generation that never began is known when all is there */
	both_spoke();
	x.tx_first = true;
	assert_true(crypt_rec_rekey(&x, t0) == false);
	x.tx_first = false;
	assert_true(crypt_rec_rekey(&x, t0));
	f = lie(&x, 20, 2);
	is_ok(get(&y, &f));
	arrived(&x, &y, &f);
	f = lie(&x, 40, 2);
	is_not(get(&y, &f), CRYPT_BAD_REKEY);
	done();
}

/* phases go round: 0 1 2 3 0 1 */
static void phases_go_round(void **st)
{
	(void)st;
	both_spoke();
	for (unsigned i = 1; i < 10; i++) {
		struct crypt_rec *p = i & 1 ? &x : &y, *q = i & 1 ? &y : &x;
		struct frame f, g;

		assert_true(crypt_rec_rekey(p, t0));
		f = put(p, "", false);
		assert_int_equal(f.b[0], (i % 4) << 1 | 1);
		is_ok(get(q, &f));
		arrived(p, q, &f);
		g = put(q, "", false);
		assert_int_equal(g.b[0], (i % 4) << 1 | 1);
		is_ok(get(p, &g));
		arrived(q, p, &g);
		assert_true(x.rx_gen == i && y.rx_gen == i);
	}
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

/* no key seals more than 2^24 frames or 2^37 octets, answered or not */
static void a_worn_out_key_seals_no_more(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		struct frame f, g;

		both_spoke();
		conf.rekey_frames = conf.rekey_bytes = 0;
		if (t & 1) {
			x.key_frames = (1 << 23) - 1;
		} else {
			x.key_bytes = ((uint64_t)1 << 36) - 25;
		}
		f = put(&x, "12345", false);
		assert_false(has_rekey(&f));
		if (t & 2) {
			f = put(&x, "", false);
			assert_true(has_rekey(&f));
			is_ok(get(&y, &f));
			done();
			continue;
		}
		x.tx_marked = false; /* may not begin */
		if (t & 1) {
			x.key_frames = (1 << 24) - 1;
		} else {
			x.key_bytes = ((uint64_t)1 << 37) - 65538;
		}
		f = put(&x, "12345", false);
		assert_false(has_rekey(&f));
		is_not(try_seal(&x, &g, x.tx_next, "",
				(struct crypt_seal){ 0 }),
		       CRYPT_REFUSE_WORN);
		assert_int_equal(g.n, 0);
		crypt_rec_acked(&x, f.at + f.n);
		g = put(&x, "", false);
		assert_true(has_rekey(&g));
		done();
	}
}

static void wipes(void **st)
{
	static const uint8_t zero[sizeof(struct crypt_rec)];

	(void)st;
	both(true);
	done();
	assert_memory_equal(&x, zero, sizeof(x));
}

/* --- at rest ---------------------------------------------------------------- */

static bool asleep(const struct crypt_rec *r)
{
	return !r->tx.k && !r->rx.k && !r->rx_new.k;
}

static void rest_both(void)
{
	crypt_rec_rest(&x);
	crypt_rec_rest(&y);
	assert_true(asleep(&x) && asleep(&y));
}

/* with a rest of both sides before each step, over several rekeyings, also
 * while the two directions' keys are of different generations */
static void rests_and_goes_on(void **st)
{
	struct crypt_rec *p, *q;
	struct frame f, crosses;

	(void)st;
	for (unsigned phases = 0; phases < 2; phases++) {
		both(phases);
		for (unsigned i = 0; i < 42; i++) {
			p = i & 1 ? &y : &x;
			q = i & 1 ? &x : &y;
			rest_both();
			if (i % 5 == 4) {
				crypt_rec_rekey(p, t0);
			}
			f = put(p, "back again", false);
			rest_both();
			crosses = put(q, "not knowing", false);
			rest_both();
			is_ok(get(p, &crosses));
			arrived(q, p, &crosses);
			rest_both();
			is_ok(get(q, &f));
			arrived(p, q, &f);
		}
		assert_true(x.tx_gen >= 3 && y.tx_gen == x.tx_gen);
		assert_true(x.tx_gen == y.rx_gen && y.tx_gen == x.rx_gen);
		done();
	}
}

/* its old keys are those of before the rest, and stay over the next one */
static void old_frames_find_their_keys_after_a_rest(void **st)
{
	struct frame late, next, later;

	(void)st;
	both_spoke();
	late = put(&x, "late", false);
	later = put(&x, "later still", false);
	assert_true(crypt_rec_rekey(&x, t0));
	next = put(&x, "next", false);
	crypt_rec_rest(&y);
	assert_true(asleep(&y));
	is_ok(get(&y, &next));
	is_ok(get(&y, &late));
	crypt_rec_rest(&y);
	assert_true(asleep(&y));
	is_ok(get(&y, &later));
	done();
}

static void who_rests_believes_no_more(void **st)
{
	struct frame f, bad;

	(void)st;
	both_spoke();
	f = bad = put(&x, "true", false);
	bad.b[bad.n - 1] ^= 1;
	crypt_rec_rest(&y);
	is_not(get(&y, &bad), CRYPT_BAD_TAG);
	crypt_rec_rest(&y);
	is_ok(get(&y, &f));
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_as_the_model),
		cmocka_unit_test(seals_as_another_model),
		cmocka_unit_test(counts_from_another_base),
		cmocka_unit_test(an_offset_never_goes_back),
		cmocka_unit_test(a_frame_has_at_most_65535_octets),
		cmocka_unit_test(nothing_follows_the_end_mark),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(reserved_bits_are_ignored),
		cmocka_unit_test(an_urgent_frame_has_its_field),
		cmocka_unit_test(swapped_and_replayed_frames_are_refused),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(seals_in_place),
		cmocka_unit_test(sig_only_when_both_announced_it),
		cmocka_unit_test(one_side_rekeys_the_other_answers),
		cmocka_unit_test(rekeyings_cross),
		cmocka_unit_test(
			a_rekeying_that_was_not_shown_yet_is_the_answer),
		cmocka_unit_test(catches_up_step_by_step),
		cmocka_unit_test(rekeying_after_the_end_mark),
		cmocka_unit_test(rekeys_by_volume_and_time),
		cmocka_unit_test(frames_of_two_generations_come_in_any_order),
		cmocka_unit_test(old_keys_stay_until_the_first_frame_came),
		cmocka_unit_test(at_most_two_generations_are_in_flight),
		cmocka_unit_test(forged_phases_move_nothing),
		cmocka_unit_test(generations_follow_their_first_frames),
		cmocka_unit_test(phases_go_round),
		cmocka_unit_test(a_frame_under_smtcp_is_short),
		cmocka_unit_test(a_worn_out_key_seals_no_more),
		cmocka_unit_test(wipes),
		cmocka_unit_test(rests_and_goes_on),
		cmocka_unit_test(old_frames_find_their_keys_after_a_rest),
		cmocka_unit_test(who_rests_believes_no_more),
	};

	return cmocka_run_group_tests(tests, start, end);
}
