/* hash.h - SHA-256 and HMAC-SHA256, by libcrypto
 *
 * struct hash is what a message is worked on in: made once per stack, never per
 * call.  A failing libcrypto is reported by false; outputs are cleared then.
 */
#ifndef PRIM_HASH_H
#define PRIM_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/bytes.h"

struct hash;

struct hash *hash_new(void); /* NULL: libcrypto refuses */
void hash_free(struct hash *h);
bool hash_sha256(struct hash *h, const void *p, size_t n, uint8_t out[32]);
bool hash_hmac_sha256(struct hash *h, const void *key, size_t key_len,
		      const void *msg, size_t msg_len, uint8_t out[32]);
/* the same over n pieces, one after the other */
bool hash_sha256v(struct hash *h, const struct iov *v, unsigned n,
		  uint8_t out[32]);
bool hash_hmac_sha256v(struct hash *h, const void *key, size_t key_len,
		       const struct iov *v, unsigned n, uint8_t out[32]);
/* One key for several messages: _key(), _next() for each, and _done(), which
 * wipes it, also when one of them failed.  Nothing else in between. */
bool hash_hmac_key(struct hash *h, const void *key, size_t key_len);
bool hash_hmac_next(struct hash *h, const struct iov *v, unsigned n,
		    uint8_t out[32]);
void hash_hmac_done(struct hash *h);

/* constant time */
bool prim_equal(const void *a, const void *b, size_t n);
void prim_wipe(void *p, size_t n);

#endif
