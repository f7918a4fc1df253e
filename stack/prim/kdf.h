/* kdf.h - HKDF with SHA-256 (RFC 5869), as RFC 8548 3.1 uses it
 *
 * Extract(S, IKM) and CPRF(K, CONST, L).  Inputs come as pieces, so that
 * nobody has to join secrets in a buffer of his own.
 */
#ifndef PRIM_KDF_H
#define PRIM_KDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/prim/hash.h"

#define KDF_LEN      32
#define KDF_INFO_MAX 6 /* pieces of info */

/* ikm: n pieces.  false: libcrypto failed; out is cleared */
bool kdf_extract(struct hash *h, const void *salt, size_t salt_len,
		 const struct iov *ikm, unsigned n, uint8_t out[KDF_LEN]);
/* len octets, at most 255 * 32; info: at most KDF_INFO_MAX pieces.
 * false: libcrypto failed; out is cleared */
bool kdf_expand(struct hash *h, const uint8_t key[KDF_LEN],
		const struct iov *info, unsigned n, uint8_t *out, size_t len);

#endif
