/* Every frame that is sealed or opened.  sim.mk links with --wrap for the
 * functions below, so the simulated stacks call them in place of the real ones.
 */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt.h"
#include "stack/prim/aead.h"
#include "tests/sim/watch.h"

#define FRAME_MAX (65536 + 64)

struct nonce {
	uint64_t at;   /* of key and nonce; 0: free slot */
	uint64_t what; /* of associated data and result */
};

struct key {
	struct key *next;
	const struct aead_key *ctx;
	enum aead_alg alg;
	uint64_t hash;
};

/* The wrapped functions have no context to find this by. */
static struct {
	struct world *w;
	struct nonce *nonce;
	uint32_t n_nonce, cap_nonce;
	struct seal_frame *frame;
	uint32_t n_frame, cap_frame;
	struct key *key[1024];
	uint8_t flat[FRAME_MAX];
} all;

/* --- hashes --------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9fb21c651e98df25u;
	return h ^ (h >> 32);
}

static uint64_t hash(uint64_t h, const uint8_t *p, size_t n)
{
	uint64_t v;

	h = mix(h, n);
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&v, p, 8);
		h = mix(h, v);
	}
	v = 0;
	memcpy(&v, p, n);
	h = mix(h, v);
	return mix(h, h >> 29) | 1; /* never the mark of a free slot */
}

static uint64_t frame_hash(const uint8_t *p, uint32_t len)
{
	return hash(7, p, len);
}

/* the first len octets of the pieces in one piece */
static const uint8_t *flatten(const struct iov_mut *v, unsigned n, size_t len)
{
	size_t at = 0;

	check(len <= FRAME_MAX);
	for (unsigned i = 0; i < n && at < len; i++) {
		size_t k = min_size(v[i].n, len - at);

		memcpy(all.flat + at, v[i].p, k);
		at += k;
	}
	check(at == len);
	return all.flat;
}

/* --- tables --------------------------------------------------------------- */

void seal_init(struct world *w)
{
	all.w = w;
	if (all.nonce) {
		memset(all.nonce, 0, all.cap_nonce * sizeof(*all.nonce));
	}
	if (all.frame) {
		memset(all.frame, 0, all.cap_frame * sizeof(*all.frame));
	}
	all.n_nonce = all.n_frame = 0;
}

void seal_fini(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all.key); i++) {
		while (all.key[i]) {
			struct key *k = all.key[i];

			all.key[i] = k->next;
			free(k);
		}
	}
	all.w = NULL;
}

static struct nonce *nonce_slot(struct nonce *t, uint32_t cap, uint64_t at)
{
	uint32_t i = (uint32_t)(at >> 20) & (cap - 1);

	while (t[i].at && t[i].at != at) {
		i = (i + 1) & (cap - 1);
	}
	return &t[i];
}

static void nonces_grow(void)
{
	uint32_t cap = all.cap_nonce ? all.cap_nonce * 2 : 4096;
	struct nonce *t;

	if (2 * all.n_nonce < all.cap_nonce) {
		return;
	}
	t = calloc(cap, sizeof(*t));
	check(t);
	for (uint32_t i = 0; i < all.cap_nonce; i++) {
		if (all.nonce[i].at) {
			*nonce_slot(t, cap, all.nonce[i].at) = all.nonce[i];
		}
	}
	free(all.nonce);
	all.nonce = t;
	all.cap_nonce = cap;
}

static struct seal_frame *frame_slot(struct seal_frame *t, uint32_t cap,
				     uint64_t h)
{
	uint32_t i = (uint32_t)(h >> 20) & (cap - 1);

	while (t[i].hash && t[i].hash != h) {
		i = (i + 1) & (cap - 1);
	}
	return &t[i];
}

static void frames_grow(void)
{
	uint32_t cap = all.cap_frame ? all.cap_frame * 2 : 4096;
	struct seal_frame *t;

	if (2 * all.n_frame < all.cap_frame) {
		return;
	}
	t = calloc(cap, sizeof(*t));
	check(t);
	for (uint32_t i = 0; i < all.cap_frame; i++) {
		if (all.frame[i].hash) {
			*frame_slot(t, cap, all.frame[i].hash) = all.frame[i];
		}
	}
	free(all.frame);
	all.frame = t;
	all.cap_frame = cap;
}

static struct seal_frame *frame_of(uint64_t h)
{
	struct seal_frame *f;

	if (!all.cap_frame) {
		return NULL;
	}
	f = frame_slot(all.frame, all.cap_frame, h);
	return f->hash ? f : NULL;
}

const struct seal_frame *seal_find(const uint8_t *p, uint32_t len)
{
	return frame_of(frame_hash(p, len));
}

bool seal_opened(uint64_t h)
{
	const struct seal_frame *f = frame_of(h);

	return f && f->opened;
}

/* --- keys ----------------------------------------------------------------- */

static struct key **key_place(const struct aead_key *ctx)
{
	struct key **at = &all.key[((uintptr_t)ctx >> 4) % ARRAY_SIZE(all.key)];

	while (*at && (*at)->ctx != ctx) {
		at = &(*at)->next;
	}
	return at;
}

struct aead_key *__real_aead_key_new(struct aead *a, enum aead_alg alg,
				     bool seal, const uint8_t *key);
struct aead_key *__wrap_aead_key_new(struct aead *a, enum aead_alg alg,
				     bool seal, const uint8_t *key);
bool __real_aead_key_set(struct aead_key *k, const uint8_t *key);
bool __wrap_aead_key_set(struct aead_key *k, const uint8_t *key);
void __real_aead_key_free(struct aead_key *k);
void __wrap_aead_key_free(struct aead_key *k);

struct aead_key *__wrap_aead_key_new(struct aead *a, enum aead_alg alg,
				     bool seal, const uint8_t *key)
{
	struct aead_key *ctx = __real_aead_key_new(a, alg, seal, key);
	struct key **at, *k;

	if (!ctx || !seal) {
		return ctx;
	}
	at = key_place(ctx);
	check(!*at);
	k = calloc(1, sizeof(*k));
	check(k);
	k->ctx = ctx;
	k->alg = alg;
	k->hash = hash((uint64_t)alg, key, aead_key_len(alg));
	*at = k;
	return ctx;
}

bool __wrap_aead_key_set(struct aead_key *ctx, const uint8_t *key)
{
	struct key *k = *key_place(ctx);

	if (k) {
		k->hash = hash((uint64_t)k->alg, key, aead_key_len(k->alg));
	}
	return __real_aead_key_set(ctx, key);
}

void __wrap_aead_key_free(struct aead_key *ctx)
{
	struct key **at = key_place(ctx), *k = *at;

	if (ctx && k) {
		*at = k->next;
		free(k);
	}
	__real_aead_key_free(ctx);
}

/* --- one record ----------------------------------------------------------- */

bool __real_aead_seal(struct aead_key *k, const uint8_t nonce[AEAD_NONCE],
		      const uint8_t *ad, size_t ad_len, const struct iov *in,
		      unsigned n_in, const struct iov_mut *out, unsigned n_out);
bool __wrap_aead_seal(struct aead_key *k, const uint8_t nonce[AEAD_NONCE],
		      const uint8_t *ad, size_t ad_len, const struct iov *in,
		      unsigned n_in, const struct iov_mut *out, unsigned n_out);

bool __wrap_aead_seal(struct aead_key *ctx, const uint8_t nonce[AEAD_NONCE],
		      const uint8_t *ad, size_t ad_len, const struct iov *in,
		      unsigned n_in, const struct iov_mut *out, unsigned n_out)
{
	const struct key *k = *key_place(ctx);
	size_t len = AEAD_TAG;
	struct nonce *s;
	uint64_t at, what;

	for (unsigned i = 0; i < n_in; i++) {
		len += in[i].n;
	}
	if (!__real_aead_seal(ctx, nonce, ad, ad_len, in, n_in, out, n_out)) {
		return false;
	}
	check(k && all.w);
	at = hash(k->hash, nonce, AEAD_NONCE);
	what = hash(hash(3, ad, ad_len), flatten(out, n_out, len), len);
	nonces_grow();
	s = nonce_slot(all.nonce, all.cap_nonce, at);
	if (s->at) {
		world_fail(all.w, "a nonce seals twice under one key%s",
			   s->what == what ? ", the same octets" : "");
		return true;
	}
	*s = (struct nonce){ at, what };
	all.n_nonce++;
	return true;
}

/* --- one frame ------------------------------------------------------------ */

enum crypt_reason __real_crypt_seal(struct crypt_conn *k,
				    const struct crypt_seal *s,
				    const struct iov_mut *out, unsigned n_out,
				    size_t *len);
enum crypt_reason __wrap_crypt_seal(struct crypt_conn *k,
				    const struct crypt_seal *s,
				    const struct iov_mut *out, unsigned n_out,
				    size_t *len);
enum crypt_reason __real_crypt_open(struct crypt_conn *k, struct instant now,
				    uint64_t offset, const struct iov_mut *v,
				    unsigned n, size_t len,
				    struct crypt_opened *out);
enum crypt_reason __wrap_crypt_open(struct crypt_conn *k, struct instant now,
				    uint64_t offset, const struct iov_mut *v,
				    unsigned n, size_t len,
				    struct crypt_opened *out);

enum crypt_reason __wrap_crypt_seal(struct crypt_conn *k,
				    const struct crypt_seal *s,
				    const struct iov_mut *out, unsigned n_out,
				    size_t *len)
{
	enum crypt_reason r = __real_crypt_seal(k, s, out, n_out, len);
	struct seal_frame *f;
	uint64_t h;

	if (r != CRYPT_OK) {
		return r;
	}
	h = frame_hash(flatten(out, n_out, *len), (uint32_t)*len);
	frames_grow();
	f = frame_slot(all.frame, all.cap_frame, h);
	if (f->hash) {
		world_fail(all.w, "the same frame was sealed twice");
		return r;
	}
	*f = (struct seal_frame){
		.hash = h, .off = s->offset, .len = (uint32_t)*len, .by = k
	};
	all.n_frame++;
	return r;
}

enum crypt_reason __wrap_crypt_open(struct crypt_conn *k, struct instant now,
				    uint64_t offset, const struct iov_mut *v,
				    unsigned n, size_t len,
				    struct crypt_opened *out)
{
	/* opened in place: afterwards it is gone */
	uint64_t h = frame_hash(flatten(v, n, len), (uint32_t)len);
	enum crypt_reason r = __real_crypt_open(k, now, offset, v, n, len, out);
	struct seal_frame *f;

	if (r != CRYPT_OK) {
		return r;
	}
	f = frame_of(h);
	if (!f) {
		world_fail(all.w, "a frame was opened that nobody sealed");
	} else if (f->off != offset) {
		world_fail(all.w,
			   "a frame sealed for offset %llu was opened at %llu",
			   (unsigned long long)f->off,
			   (unsigned long long)offset);
	} else if (f->by == k) {
		world_fail(all.w, "a frame was opened by who sealed it");
	} else {
		f->opened = true;
	}
	return r;
}
