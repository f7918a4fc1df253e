/* crypt_hs.h - key exchange by Init1 and Init2 (RFC 8548 3.3, 4.1)
 *
 * Lives only while it runs.  The peer's message may come in any segmentation;
 * both whole messages enter the key schedule as they were on the wire.
 */
#ifndef CRYPT_CRYPT_HS_H
#define CRYPT_CRYPT_HS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/crypt/crypt.h"
#include "stack/crypt/crypt_pool.h"
#include "stack/prim/aead.h"
#include "stack/prim/hash.h"

/* The RFC sets no limit; Init messages of today have at most 620 octets. */
#define CRYPT_HS_MAX 4096

struct crypt_hs {
	struct mem *mem;
	bool role_b, done;
	enum dh_group group;
	uint16_t cipher; /* known when done */
	uint8_t mine_len;
	uint8_t hdr_got; /* octets of hdr that came */
	uint8_t hdr[CRYPT_INIT_HDR];
	uint32_t peer_len, peer_got;
	uint8_t *peer; /* peer_len octets, once that is known */
	struct dh_key key;
	uint8_t mine[CRYPT_INIT1_LEN(CRYPT_AEAD_MAX, DH_PUB_MAX)];
	uint8_t es[DH_SECRET_MAX]; /* with done */
};

struct crypt_hs_env {
	struct mem *mem;
	const struct entropy *entropy;
	struct crypt_pool *pool;
	struct aead *aead;
	const struct crypt_conf *conf;
};

/* group of a key exchange, ENO_TEP_P256..; DH_N: not known */
enum dh_group crypt_hs_group(uint8_t kx);

/* NULL: no memory; *r says it, or what else is wrong */
struct crypt_hs *crypt_hs_new(const struct crypt_hs_env *env, bool role_b,
			      uint8_t kx, enum crypt_reason *r);
void crypt_hs_free(struct crypt_hs *h); /* wipes; NULL is allowed */
/* Octets of the peer's stream; *used: how many were of its Init.  done is set
 * with the last one: the cipher and ES are known then, and at host B Init2 is
 * made. */
enum crypt_reason crypt_hs_in(struct crypt_hs *h,
			      const struct crypt_hs_env *env, const uint8_t *p,
			      size_t n, size_t *used);
/* our message; empty at host B before it is done */
struct iov crypt_hs_mine(const struct crypt_hs *h);
/* N_A, Init1, Init2, ES; when done */
const uint8_t *crypt_hs_nonce_a(const struct crypt_hs *h);
void crypt_hs_parts(const struct crypt_hs *h, struct iov out[3]);

#endif
