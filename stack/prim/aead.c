#include "stack/prim/aead.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "stack/base/check.h"

struct aead {
	EVP_CIPHER *cipher[AEAD_N];
};

struct aead_key {
	EVP_CIPHER_CTX *ctx;
	const EVP_CIPHER *cipher;
	bool seal;
};

struct aead *aead_new(void)
{
	static const char *const name[AEAD_N] = {
		[AEAD_AES128_GCM] = "AES-128-GCM",
		[AEAD_AES256_GCM] = "AES-256-GCM",
		[AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
	};
	struct aead *a = OPENSSL_zalloc(sizeof(*a));
	bool any = false;

	for (unsigned i = 0; a && i < AEAD_N; i++) {
		a->cipher[i] = EVP_CIPHER_fetch(NULL, name[i], NULL);
		any |= a->cipher[i] != NULL;
	}
	if (a && !any) {
		aead_free(a);
		a = NULL;
	}
	return a;
}

void aead_free(struct aead *a)
{
	for (unsigned i = 0; a && i < AEAD_N; i++) {
		EVP_CIPHER_free(a->cipher[i]);
	}
	OPENSSL_free(a);
}

bool aead_has(const struct aead *a, enum aead_alg alg)
{
	return alg < AEAD_N && a->cipher[alg];
}

unsigned aead_key_len(enum aead_alg alg)
{
	return alg == AEAD_AES128_GCM ? 16 : 32;
}

struct aead_key *aead_key_new(struct aead *a, enum aead_alg alg, bool seal,
			      const uint8_t *key)
{
	struct aead_key *k;

	if (!aead_has(a, alg)) {
		return NULL;
	}
	k = OPENSSL_zalloc(sizeof(*k));
	if (!k) {
		return NULL;
	}
	k->cipher = a->cipher[alg];
	k->seal = seal;
	k->ctx = EVP_CIPHER_CTX_new();
	if (!k->ctx ||
	    EVP_CipherInit_ex2(k->ctx, k->cipher, key, NULL, seal, NULL) != 1) {
		aead_key_free(k);
		return NULL;
	}
	return k;
}

bool aead_key_set(struct aead_key *k, const uint8_t *key)
{
	return EVP_CipherInit_ex2(k->ctx, NULL, key, NULL, k->seal, NULL) == 1;
}

void aead_key_free(struct aead_key *k)
{
	if (k) {
		EVP_CIPHER_CTX_free(k->ctx);
		OPENSSL_free(k);
	}
}

/* a place in a list of pieces */
struct walk {
	const struct iov_mut *v;
	unsigned n;
	size_t off;
};

/* the place `skip` octets on */
static void walk_skip(struct walk *w, size_t skip)
{
	w->off += skip;
	while (w->n > 0 && w->off >= w->v->n) {
		w->off -= w->v->n;
		w->v++;
		w->n--;
	}
}

/* memory of at most len octets at this place, whose length goes to *part */
static uint8_t *walk_take(struct walk *w, size_t len, size_t *part)
{
	uint8_t *p;

	walk_skip(w, 0);
	check(w->n > 0);
	*part = min_size(w->v->n - w->off, len);
	p = w->v->p + w->off;
	walk_skip(w, *part);
	return p;
}

static void walk_put(struct walk *w, const uint8_t *src, size_t len)
{
	size_t part;

	while (len > 0) {
		uint8_t *p = walk_take(w, len, &part);

		memcpy(p, src, part);
		src += part;
		len -= part;
	}
}

static void walk_get(struct walk *w, uint8_t *dst, size_t len)
{
	size_t part;

	while (len > 0) {
		const uint8_t *p = walk_take(w, len, &part);

		memcpy(dst, p, part);
		dst += part;
		len -= part;
	}
}

static bool start(struct aead_key *k, const uint8_t *nonce, const uint8_t *ad,
		  size_t ad_len)
{
	int n;

	return EVP_CipherInit_ex2(k->ctx, NULL, NULL, nonce, k->seal, NULL) ==
		       1 &&
	       EVP_CipherUpdate(k->ctx, NULL, &n, ad, (int)ad_len) == 1;
}

static bool update(struct aead_key *k, uint8_t *out, const uint8_t *in,
		   size_t len)
{
	int n = 0;

	return len <= INT_MAX &&
	       EVP_CipherUpdate(k->ctx, out, &n, in, (int)len) == 1 &&
	       (size_t)n == len;
}

bool aead_seal(struct aead_key *k, const uint8_t nonce[AEAD_NONCE],
	       const uint8_t *ad, size_t ad_len, const struct iov *in,
	       unsigned n_in, const struct iov_mut *out, unsigned n_out)
{
	struct walk w = { out, n_out, 0 };
	uint8_t tag[AEAD_TAG], none[1];
	bool ok;
	int n;

	check(k->seal);
	ok = start(k, nonce, ad, ad_len);
	for (unsigned i = 0; ok && i < n_in; i++) {
		size_t done = 0, part;

		while (ok && done < in[i].n) {
			uint8_t *p = walk_take(&w, in[i].n - done, &part);

			ok = update(k, p, in[i].p + done, part);
			done += part;
		}
	}
	ok = ok && EVP_CipherFinal_ex(k->ctx, none, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG,
				 tag) == 1;
	if (ok) {
		walk_put(&w, tag, AEAD_TAG);
	}
	return ok;
}

static void clear(struct walk w, size_t len)
{
	size_t part;

	while (len > 0) {
		uint8_t *p = walk_take(&w, len, &part);

		memset(p, 0, part);
		len -= part;
	}
}

bool aead_open(struct aead_key *k, const uint8_t nonce[AEAD_NONCE],
	       const uint8_t *ad, size_t ad_len, const struct iov_mut *v,
	       unsigned n, size_t skip, size_t len)
{
	struct walk text = { v, n, 0 }, w, end;
	uint8_t tag[AEAD_TAG], none[1];
	size_t left, part;
	bool ok;
	int k_n;

	check(!k->seal);
	if (len < AEAD_TAG) {
		return false;
	}
	walk_skip(&text, skip);
	end = text;
	walk_skip(&end, len - AEAD_TAG);
	walk_get(&end, tag, AEAD_TAG);
	ok = start(k, nonce, ad, ad_len);
	w = text;
	for (left = len - AEAD_TAG; ok && left > 0; left -= part) {
		uint8_t *p = walk_take(&w, left, &part);

		ok = update(k, p, p, part);
	}
	ok = ok &&
	     EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG,
				 tag) == 1 &&
	     EVP_CipherFinal_ex(k->ctx, none, &k_n) == 1;
	if (!ok) {
		clear(text, len - AEAD_TAG);
	}
	return ok;
}
