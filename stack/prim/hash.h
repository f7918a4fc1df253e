/* hash.h - SHA-256 and HMAC-SHA256, by libcrypto
 *
 * struct hash holds the fetched algorithms: made once per stack, never per
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

/* constant time */
bool prim_equal(const void *a, const void *b, size_t n);
void prim_wipe(void *p, size_t n);

#endif
