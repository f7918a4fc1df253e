/* By SHA256_Init() and its like, which are older than EVP: that makes a context
 * in memory and wipes it for each message, which costs nearly as much as the
 * message, and a connection has forty of a block or two. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "stack/prim/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#define HASH_LEN   32
#define HASH_BLOCK 64

struct hash {
	EVP_MD *sha256;    /* is there, or a policy has taken it away */
	SHA256_CTX c;      /* of the message in work */
	SHA256_CTX pad[2]; /* behind the inner and the outer pad of a key */
};

struct hash *hash_new(void)
{
	struct hash *h = OPENSSL_zalloc(sizeof(*h));

	if (!h) {
		return NULL;
	}
	h->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!h->sha256) {
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
	EVP_MD_free(h->sha256);
	prim_wipe(h, sizeof(*h));
	OPENSSL_free(h);
}

/* the digest of what is in h->c and of the pieces; it is there afterwards */
static bool finish(struct hash *h, const struct iov *v, unsigned n,
		   uint8_t out[HASH_LEN])
{
	bool ok = true;

	for (unsigned i = 0; ok && i < n; i++) {
		ok = v[i].n == 0 || SHA256_Update(&h->c, v[i].p, v[i].n) == 1;
	}
	return ok && SHA256_Final(out, &h->c) == 1;
}

static bool digest(struct hash *h, const struct iov *v, unsigned n,
		   uint8_t out[HASH_LEN])
{
	bool ok = SHA256_Init(&h->c) == 1 && finish(h, v, n, out);

	prim_wipe(&h->c, sizeof(h->c));
	return ok;
}

bool hash_sha256v(struct hash *h, const struct iov *v, unsigned n,
		  uint8_t out[32])
{
	bool ok = digest(h, v, n, out);

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

/* --- RFC 2104 -------------------------------------------------------------- */

bool hash_hmac_key(struct hash *h, const void *key, size_t key_len)
{
	uint8_t block[HASH_BLOCK] = { 0 };
	struct iov in = { key, key_len };
	bool ok = true;

	if (key_len > HASH_BLOCK) {
		ok = digest(h, &in, 1, block);
	} else if (key_len > 0) {
		memcpy(block, key, key_len);
	}
	for (unsigned i = 0; i < HASH_BLOCK; i++) {
		block[i] ^= 0x36;
	}
	ok = ok && SHA256_Init(&h->pad[0]) == 1 &&
	     SHA256_Update(&h->pad[0], block, HASH_BLOCK) == 1;
	for (unsigned i = 0; i < HASH_BLOCK; i++) {
		block[i] ^= 0x36 ^ 0x5c;
	}
	ok = ok && SHA256_Init(&h->pad[1]) == 1 &&
	     SHA256_Update(&h->pad[1], block, HASH_BLOCK) == 1;
	prim_wipe(block, sizeof(block));
	return ok;
}

bool hash_hmac_next(struct hash *h, const struct iov *v, unsigned n,
		    uint8_t out[32])
{
	uint8_t inner[HASH_LEN];
	struct iov last = { inner, HASH_LEN };
	bool ok;

	h->c = h->pad[0];
	ok = finish(h, v, n, inner);
	h->c = h->pad[1];
	ok = finish(h, &last, 1, out) && ok;
	prim_wipe(&h->c, sizeof(h->c));
	prim_wipe(inner, sizeof(inner));
	if (!ok) {
		memset(out, 0, HASH_LEN);
	}
	return ok;
}

void hash_hmac_done(struct hash *h)
{
	prim_wipe(h->pad, sizeof(h->pad));
}

bool hash_hmac_sha256v(struct hash *h, const void *key, size_t key_len,
		       const struct iov *v, unsigned n, uint8_t out[32])
{
	bool ok = hash_hmac_key(h, key, key_len) &&
		  hash_hmac_next(h, v, n, out);

	hash_hmac_done(h);
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
