/* crypt_pool.h - key pairs made ahead, in idle time; each is used once */
#ifndef CRYPT_CRYPT_POOL_H
#define CRYPT_CRYPT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/prim/dh.h"

#define CRYPT_POOL_DEPTH 16 /* of a group that is in use */

struct crypt_pool {
	struct dh *dh;
	struct entropy entropy;
	bool used[DH_N]; /* worth making ahead */
	uint8_t n[DH_N];
	struct dh_key key[DH_N][CRYPT_POOL_DEPTH];
};

/* false: libcrypto refuses */
bool crypt_pool_init(struct crypt_pool *p, const struct entropy *e);
void crypt_pool_fini(struct crypt_pool *p); /* wipes */
/* a key pair that was made ahead, or else is made now; false: libcrypto */
bool crypt_pool_take(struct crypt_pool *p, enum dh_group g, struct dh_key *out);
/* makes one; false: nothing to do */
bool crypt_pool_fill(struct crypt_pool *p);

#endif
