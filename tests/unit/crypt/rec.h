/* rec.h - the record layers of two hosts, without connections */
#ifndef TESTS_UNIT_CRYPT_REC_H
#define TESTS_UNIT_CRYPT_REC_H

#include "stack/crypt/crypt_rec.h"
#include "tests/unit/crypt/common.h"

static struct hash *h;
static struct aead *aead;
static struct crypt_conf conf;

static inline int start(void **st)
{
	(void)st;
	h = hash_new();
	aead = aead_new();
	crypt_conf_init(&conf);
	return h && aead ? 0 : -1;
}

static inline int end(void **st)
{
	(void)st;
	hash_free(h);
	aead_free(aead);
	return 0;
}

static const uint8_t mk[32] = { 5 };

static inline void make(struct crypt_rec *r, bool a, enum aead_alg alg,
			bool phases, const uint8_t *mk0)
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

static inline void both(bool phases)
{
	crypt_conf_init(&conf);
	make(&x, true, AEAD_AES128_GCM, phases, mk);
	make(&y, false, AEAD_AES128_GCM, phases, mk);
}

static inline void done(void)
{
	crypt_rec_fini(&x);
	crypt_rec_fini(&y);
}

struct frame {
	uint64_t at;
	size_t n;
	uint8_t b[100];
};

static inline enum crypt_reason try_seal(struct crypt_rec *r, struct frame *f,
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

static inline struct frame put(struct crypt_rec *r, const char *text, bool fin)
{
	struct frame f;
	const struct crypt_seal s = { .fin = fin };

	assert_int_equal(try_seal(r, &f, r->tx_next, text, s), CRYPT_OK);
	return f;
}

static inline enum crypt_reason get_at(struct crypt_rec *r,
				       const struct frame *f, uint64_t at,
				       struct crypt_opened *o)
{
	struct frame copy = *f;
	const struct iov_mut v = { copy.b, copy.n };

	return crypt_rec_open(r, at, &v, 1, copy.n, o);
}

static inline enum crypt_reason get(struct crypt_rec *r, const struct frame *f)
{
	struct crypt_opened o;

	return get_at(r, f, f->at, &o);
}

#define is_ok(what)       assert_int_equal(what, CRYPT_OK)
#define is_not(what, why) assert_int_equal(what, why)

/* a frame with this text, made and opened */
static inline struct frame carry(struct crypt_rec *from, struct crypt_rec *to,
				 const char *text)
{
	struct frame f = put(from, text, false);

	is_ok(get(to, &f));
	return f;
}

static inline void arrived(struct crypt_rec *from, struct crypt_rec *to,
			   const struct frame *f)
{
	crypt_rec_received(to, f->at + f->n);
	crypt_rec_acked(from, f->at + f->n);
}

/* with phases, and first frames have gone both ways */
static inline void both_spoke(void)
{
	both(true);
	for (unsigned i = 0; i < 2; i++) {
		struct crypt_rec *p = i ? &y : &x, *q = i ? &x : &y;
		struct frame f = carry(p, q, "");

		arrived(p, q, &f);
	}
}

static inline bool has_rekey(const struct frame *f)
{
	return f->b[0] & CRYPT_FRAME_REKEY;
}

#endif
