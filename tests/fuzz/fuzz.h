/* fuzz.h - what the libFuzzer targets share: reading the input, an end that
 * negotiates, and must()
 *
 * The first octets of an input choose a configuration, the rest is a stream of
 * operations; what is read behind its end is zero.  One input starts as every
 * other does: secrets are forgotten and entropy begins anew.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt.h"
#include "tests/lib/fake.h"

/* a finding, whatever NDEBUG says */
#define must(what)                                                     \
	do {                                                           \
		if (!(what)) {                                         \
			fprintf(stderr, "%s:%d: must(%s)\n", __FILE__, \
				__LINE__, #what);                      \
			abort();                                       \
		}                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct input {
	const uint8_t *p;
	size_t n;
};

static inline unsigned in_u8(struct input *in)
{
	if (in->n == 0) {
		return 0;
	}
	in->n--;
	return *in->p++;
}

static inline unsigned in_u16(struct input *in)
{
	unsigned hi = in_u8(in);

	return hi << 8 | in_u8(in);
}

/* 0 for n 0 */
static inline size_t in_below(struct input *in, size_t n)
{
	return n ? in_u16(in) % n : 0;
}

/* the next n octets, or what is left; a copy whose end ASan watches */
static inline uint8_t *in_bytes(struct input *in, size_t *n)
{
	uint8_t *copy;

	*n = min_size(*n, in->n);
	copy = malloc(*n ? *n : 1);
	must(copy);
	if (*n) {
		memcpy(copy, in->p, *n);
	}
	in->p += *n;
	in->n -= *n;
	return copy;
}

static inline uint8_t *dup_bytes(const void *p, size_t n)
{
	uint8_t *copy = calloc(1, n ? n : 1);

	must(copy);
	if (n) {
		memcpy(copy, p, n);
	}
	return copy;
}

/* --- ends ----------------------------------------------------------------- */

struct fend {
	struct fake fake;
	struct crypt *crypt; /* lives as long as the process */
	struct crypt_conf conf;
	struct crypt_conn *k;
	struct instant now;
};

static inline void fend_begin(struct fend *e, uint64_t seed)
{
	const struct crypt_setup s = { .cache_max = 8 };

	if (!e->crypt) {
		fake_init(&e->fake, seed);
		e->crypt = crypt_new(&e->fake.env, &s);
		must(e->crypt);
	}
	e->fake.fail_at = 0;
	crypt_conn_free(e->k);
	e->k = NULL;
	crypt_forget_all(e->crypt);
	rng_seed(&e->fake.rng, seed);
	crypt_conf_init(&e->conf);
	e->now = (struct instant){ NANOS_S };
}

static inline void fend_open(struct fend *e, bool active)
{
	crypt_conn_free(e->k);
	e->k = crypt_conn_new(e->crypt, &e->conf, active, "peer",
			      active ? 4 : 0);
}

/* two octets of an input: what an end is configured to do */
static inline void fend_conf(struct fend *e, struct input *in)
{
	static const uint8_t kx[4] = { ENO_TEP_X25519, ENO_TEP_P256,
				       ENO_TEP_X448, ENO_TEP_P521 };
	static const uint16_t aead[3] = { CRYPT_AES128_GCM,
					  CRYPT_CHACHA20_POLY1305,
					  CRYPT_AES256_GCM };
	unsigned a = in_u8(in), b = in_u8(in);
	struct crypt_conf *c = &e->conf;

	c->plain = !(a & 1);
	c->smtcp = !(a & 2);
	c->sig = a & 4;
	c->b = a & 8;
	c->aware = a & 16;
	c->aware_only = a & 32;
	c->vacuous = (a & 0xc0) == 0xc0;
	c->on = (a & 0xc0) != 0x80;
	/* slow ones are rare */
	c->n_kx = (uint8_t)(1 + (b & 3) / 2);
	c->kx[0] = kx[(b & 7) == 7 ? b >> 6 : 0];
	c->kx[1] = kx[1];
	c->n_aead = (uint8_t)(1 + (b >> 3) % 3);
	for (unsigned i = 0; i < 3; i++) {
		c->aead[i] = aead[(i + (b >> 5)) % 3];
	}
	c->no_resume = (b & 0xc0) == 0xc0;
	c->nonce_len = (b & 0x38) == 0x38 ? 0 : 8;
}

static inline struct crypt_info fend_info(const struct fend *e)
{
	struct crypt_info i;

	crypt_info(e->k, &i);
	return i;
}

/* a segment with one option, or none, comes */
static inline void fend_in(struct fend *e, enum crypt_seg seg,
			   const uint8_t *opt, size_t n)
{
	struct eno_opt_seen seen = { 0 };
	uint8_t *copy = dup_bytes(opt, n);

	if (n > 0) {
		eno_opt_note(&seen, copy, (uint8_t)n);
	}
	crypt_seg_in(e->k, e->now, seg, &seen);
	free(copy);
}

static inline void fend_pass(struct fend *from, struct fend *to,
			     enum crypt_seg seg)
{
	uint8_t opt[ENO_OPT_MAX];

	fend_in(to, seg, opt,
		crypt_seg_out(from->k, from->now, seg, opt, sizeof(opt)));
}

/* all of one's Init to the other */
static inline bool fend_init(struct fend *from, struct fend *to)
{
	size_t n, used;
	const uint8_t *p = crypt_init_out(from->k, &n);
	uint8_t *copy = dup_bytes(p, n);
	bool ok =
		p && crypt_init_in(to->k, to->now, copy, n, &used) == CRYPT_OK;

	free(copy);
	crypt_init_sent(from->k);
	return ok;
}

/* An empty frame arrives.  at: where, and behind it afterwards */
static inline bool fend_frame(struct fend *from, struct fend *to, uint64_t *at)
{
	uint8_t buf[CRYPT_FRAME_OVERHEAD];
	const struct iov_mut v = { buf, sizeof(buf) };
	const struct crypt_seal s = { .now = from->now, .offset = *at };
	struct crypt_opened o;
	size_t n;

	if (crypt_seal(from->k, &s, &v, 1, &n) != CRYPT_OK) {
		return false;
	}
	must(n == sizeof(buf));
	must(crypt_open(to->k, to->now, *at, &v, 1, n, &o) == CRYPT_OK);
	*at += n;
	return true;
}

/* A connection that nobody disturbs, as configured; frames go both ways, so
 * that both keep a secret.  false: nothing was agreed on. */
static inline bool fend_honest(struct fend *a, struct fend *b)
{
	uint64_t x, y;
	uint8_t ids[2][CRYPT_SESSION_ID];

	fend_open(a, true);
	fend_open(b, false);
	fend_pass(a, b, CRYPT_SEG_SYN);
	fend_pass(b, a, CRYPT_SEG_SYNACK);
	fend_pass(a, b, CRYPT_SEG_ACK);
	if (crypt_state(a->k) != CRYPT_AGREED) {
		return false;
	}
	must(crypt_state(b->k) == CRYPT_AGREED);
	must(crypt_start(a->k, a->now, NULL, 0) == CRYPT_OK);
	must(crypt_start(b->k, b->now, NULL, 0) == CRYPT_OK);
	if (crypt_state(a->k) == CRYPT_INIT &&
	    !(fend_init(a, b) && fend_init(b, a))) {
		return false; /* no cipher in common */
	}
	x = crypt_init_len(a->k, false);
	y = crypt_init_len(b->k, false);
	must(crypt_session_id(a->k, ids[0]) && crypt_session_id(b->k, ids[1]));
	must(memcmp(ids[0], ids[1], CRYPT_SESSION_ID) == 0);
	must(fend_frame(a, b, &x) && fend_frame(b, a, &y));
	return true;
}

#endif
