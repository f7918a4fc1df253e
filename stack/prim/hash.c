#include "stack/prim/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define HASH_LEN   32
#define HASH_BLOCK 64

struct hash {
	EVP_MD *sha256;
	EVP_MD_CTX *md; /* initialised with sha256; started anew each time */
};

struct hash *hash_new(void)
{
	struct hash *h = OPENSSL_zalloc(sizeof(*h));

	if (!h) {
		return NULL;
	}
	h->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->md = EVP_MD_CTX_new();
	if (!h->sha256 || !h->md ||
	    EVP_DigestInit_ex2(h->md, h->sha256, NULL) != 1) {
		hash_free(h);
		return NULL;
	}
	return h;
}

void hash_free(struct hash *h)
{
	if (!h) {
		return;
	}
	EVP_MD_CTX_free(h->md);
	EVP_MD_free(h->sha256);
	OPENSSL_free(h);
}

/* SHA-256 of block (HASH_BLOCK octets, or NULL: nothing) and the pieces */
static bool digest(struct hash *h, const uint8_t *block, const struct iov *v,
		   unsigned n, uint8_t out[HASH_LEN])
{
	bool ok = EVP_DigestInit_ex2(h->md, NULL, NULL) == 1;

	if (ok && block) {
		ok = EVP_DigestUpdate(h->md, block, HASH_BLOCK) == 1;
	}
	for (unsigned i = 0; ok && i < n; i++) {
		ok = v[i].n == 0 || EVP_DigestUpdate(h->md, v[i].p, v[i].n) == 1;
	}
	return ok && EVP_DigestFinal_ex(h->md, out, NULL) == 1;
}

bool hash_sha256v(struct hash *h, const struct iov *v, unsigned n,
		  uint8_t out[32])
{
	bool ok = digest(h, NULL, v, n, out);

	if (!ok) {
		memset(out, 0, HASH_LEN);
	}
	return ok;
}

bool hash_sha256(struct hash *h, const void *p, size_t n, uint8_t out[32])
{
	struct iov v = { p, n };

	return hash_sha256v(h, &v, 1, out);
}

/* RFC 2104, on one context of the digest: libcrypto's own HMAC makes several
 * for each key, and a connection has a dozen keys for a message each. */
bool hash_hmac_sha256v(struct hash *h, const void *key, size_t key_len,
		       const struct iov *v, unsigned n, uint8_t out[32])
{
	uint8_t block[HASH_BLOCK] = { 0 }, inner[HASH_LEN];
	struct iov in = { key, key_len }, last = { inner, HASH_LEN };
	bool ok = true;

	if (key_len > HASH_BLOCK) {
		ok = digest(h, NULL, &in, 1, block);
	} else if (key_len > 0) {
		memcpy(block, key, key_len);
	}
	for (unsigned i = 0; i < HASH_BLOCK; i++) {
		block[i] ^= 0x36;
	}
	ok = ok && digest(h, block, v, n, inner);
	for (unsigned i = 0; i < HASH_BLOCK; i++) {
		block[i] ^= 0x36 ^ 0x5c;
	}
	ok = ok && digest(h, block, &last, 1, out);
	prim_wipe(block, sizeof(block));
	prim_wipe(inner, sizeof(inner));
	if (!ok) {
		memset(out, 0, HASH_LEN);
	}
	return ok;
}

bool hash_hmac_sha256(struct hash *h, const void *key, size_t key_len,
		      const void *msg, size_t msg_len, uint8_t out[32])
{
	struct iov v = { msg, msg_len };

	return hash_hmac_sha256v(h, key, key_len, &v, 1, out);
}

bool prim_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void prim_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
