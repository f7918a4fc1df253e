/* aead.h - AES-GCM and ChaCha20-Poly1305 (RFC 5116, RFC 8439), by libcrypto
 *
 * struct aead holds the fetched ciphers: made once per stack.  struct aead_key
 * is one direction under one key; its key schedule is kept and only the nonce
 * set per record.  A nonce must never be used twice for sealing under one key:
 * that is the caller's duty (crypt_rec).
 */
#ifndef PRIM_AEAD_H
#define PRIM_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/bytes.h"

enum aead_alg {
	AEAD_AES128_GCM,
	AEAD_AES256_GCM,
	AEAD_CHACHA20_POLY1305,
	AEAD_N,
};

#define AEAD_KEY_MAX 32
#define AEAD_NONCE   12
#define AEAD_TAG     16

struct aead;
struct aead_key;

struct aead *aead_new(void); /* NULL: libcrypto refuses */
void aead_free(struct aead *a);
/* libcrypto has it (a policy may have taken it away) */
bool aead_has(const struct aead *a, enum aead_alg alg);
unsigned aead_key_len(enum aead_alg alg);

/* NULL: no such cipher, or no memory.  key: aead_key_len() octets */
struct aead_key *aead_key_new(struct aead *a, enum aead_alg alg, bool seal,
			      const uint8_t *key);
/* another key of the same length, without a new context; false: unusable */
bool aead_key_set(struct aead_key *k, const uint8_t *key);
void aead_key_free(struct aead_key *k); /* wipes; NULL is allowed */

/* Seals the octets of in, piece after piece, and writes them and the tag to
 * the pieces of out, which must hold at least AEAD_TAG more.  A piece of in
 * may be the same memory as where its octets go, but not overlap otherwise.
 * false: libcrypto failed; out must not be used. */
bool aead_seal(struct aead_key *k, const uint8_t nonce[AEAD_NONCE],
	       const uint8_t *ad, size_t ad_len, const struct iov *in,
	       unsigned n_in, const struct iov_mut *out, unsigned n_out);

/* Opens in place what the pieces hold from octet `skip` on: ciphertext of
 * len octets, then the tag.  false: not authentic (or shorter than a tag);
 * the octets are cleared then. */
bool aead_open(struct aead_key *k, const uint8_t nonce[AEAD_NONCE],
	       const uint8_t *ad, size_t ad_len, const struct iov_mut *v,
	       unsigned n, size_t skip, size_t len);

#endif
