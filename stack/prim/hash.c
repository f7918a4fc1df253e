#include "stack/prim/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define HASH_LEN 32

struct hash {
	EVP_MD *sha256;
	EVP_MD_CTX *md; /* keyed to sha256 */
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac; /* digest set; only keys change */
};

static bool fetch(struct hash *h)
{
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_END,
	};

	h->sha256 = EVP_MD_fetch(NULL, name, NULL);
	h->md = EVP_MD_CTX_new();
	h->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!h->sha256 || !h->md || !h->hmac) {
		return false;
	}
	h->mac = EVP_MAC_CTX_new(h->hmac);
	return h->mac && EVP_MAC_CTX_set_params(h->mac, params) == 1;
}

struct hash *hash_new(void)
{
	struct hash *h = OPENSSL_zalloc(sizeof(*h));

	if (h && !fetch(h)) {
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
	EVP_MAC_CTX_free(h->mac);
	EVP_MAC_free(h->hmac);
	EVP_MD_CTX_free(h->md);
	EVP_MD_free(h->sha256);
	OPENSSL_free(h);
}

bool hash_sha256v(struct hash *h, const struct iov *v, unsigned n,
		  uint8_t out[32])
{
	bool ok = EVP_DigestInit_ex2(h->md, h->sha256, NULL) == 1;

	for (unsigned i = 0; ok && i < n; i++) {
		ok = EVP_DigestUpdate(h->md, v[i].p, v[i].n) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(h->md, out, NULL) == 1;
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

bool hash_hmac_sha256v(struct hash *h, const void *key, size_t key_len,
		       const struct iov *v, unsigned n, uint8_t out[32])
{
	/* NULL would mean the previous key */
	const void *k = key_len ? key : "";
	size_t len = 0;
	bool ok = EVP_MAC_init(h->mac, k, key_len, NULL) == 1;

	for (unsigned i = 0; ok && i < n; i++) {
		ok = v[i].n == 0 || EVP_MAC_update(h->mac, v[i].p, v[i].n) == 1;
	}
	ok = ok && EVP_MAC_final(h->mac, out, &len, HASH_LEN) == 1 &&
	     len == HASH_LEN;
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
