/* crypt_cache.h - session secrets for resumption (RFC 8548 3.5)
 *
 * In memory only, bounded in number and age, each handed out once: what is
 * taken is gone from here.  That also settles crossing SYNs: a secret that we
 * have named in a SYN is not found when the peer names it.
 */
#ifndef CRYPT_CRYPT_CACHE_H
#define CRYPT_CRYPT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/crypt/crypt.h"

#define CRYPT_CACHE_ID 18

/* all that a resumed connection needs; wipe after use */
struct crypt_ticket {
	uint8_t ss[32];             /* ss[i], never used yet */
	uint8_t id[CRYPT_CACHE_ID]; /* resume[i] */
	uint8_t tep, kx;
	uint16_t aead;       /* not negotiated again, so it is kept */
	bool orig_b;         /* our role when ss[0] was made */
	struct instant born; /* set by crypt_cache_put() */
};

/* our half of the identifier, and the peer's */
static inline const uint8_t *crypt_ticket_own(const struct crypt_ticket *t)
{
	return t->id + (t->orig_b ? ENO_HALF : 0);
}

static inline const uint8_t *crypt_ticket_peer(const struct crypt_ticket *t)
{
	return t->id + (t->orig_b ? 0 : ENO_HALF);
}

struct crypt_cache {
	struct mem *mem;
	struct siphash_key key;
	struct hmap by_half, by_peer, by_serial;
	struct list lru; /* oldest first */
	uint32_t n, max;
	nanos age;
	uint64_t serial; /* of the last one put */
	uint64_t evicted;
};

bool crypt_cache_init(struct crypt_cache *c, const struct env *env,
		      uint32_t max, nanos age);
void crypt_cache_fini(struct crypt_cache *c);

/* A number to ask for it again; 0: no memory.  Makes room by dropping the
 * first that came.  born: since when it is kept.  peer_len 0: found only by
 * the peer's half. */
uint64_t crypt_cache_put(struct crypt_cache *c, struct instant born,
			 const struct crypt_ticket *t, const uint8_t *peer,
			 size_t peer_len);
/* A secret for this peer that fits; 0: none.  It stays here until it is
 * taken.  Of one ss[0] there is never more than one, the lowest unused. */
uint64_t crypt_cache_find_peer(struct crypt_cache *c, struct instant now,
			       const uint8_t *peer, size_t peer_len,
			       bool (*fits)(const void *ctx,
					    const struct crypt_ticket *t),
			       const void *ctx);
/* the one whose half the peer named (ENO_HALF octets), of that TEP; 0: none */
uint64_t crypt_cache_find_half(struct crypt_cache *c, struct instant now,
			       uint8_t tep, const uint8_t *half);
/* NULL when it is gone */
const struct crypt_ticket *crypt_cache_look(const struct crypt_cache *c,
					    uint64_t serial);
/* moves it out; false: gone meanwhile */
bool crypt_cache_take(struct crypt_cache *c, uint64_t serial,
		      struct crypt_ticket *out);
void crypt_cache_drop(struct crypt_cache *c, uint64_t serial);
void crypt_cache_clear(struct crypt_cache *c);

#endif
