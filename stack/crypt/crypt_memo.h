/* crypt_memo.h - which destinations were reached with encryption before, and
 * with which: what falls short of that later was perhaps stripped on the way
 *
 * A bounded table.  A name is whatever the caller compares destinations by (an
 * address and a port, say), at most CRYPT_MEMO_NAME octets.  Nothing in it is
 * secret.  Times are of the core's clock; who keeps the table across runs
 * translates them.  What other folders need of it is in crypt.h.
 */
#ifndef CRYPT_CRYPT_MEMO_H
#define CRYPT_CRYPT_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/crypt/crypt.h"

#define CRYPT_MEMO_NAME 40

struct crypt_memo_entry {
	enum crypt_memo_level level; /* the best there was */
	struct instant when;         /* it was protected last */
	uint8_t name_len;
	uint8_t name[CRYPT_MEMO_NAME];
};

struct crypt_memo {
	struct mem *mem;
	struct siphash_key key;
	struct hmap by_name;
	struct list lru; /* least recently used first */
	uint32_t n, max;
	uint64_t evicted;
};

/* false: no memory */
bool crypt_memo_init(struct crypt_memo *m, const struct env *env, uint32_t max);
void crypt_memo_fini(struct crypt_memo *m); /* zeros are allowed */

/* What is known, or NULL; that is a use.  Valid until the next call. */
const struct crypt_memo_entry *crypt_memo_get(struct crypt_memo *m,
					      const void *name, size_t len);
/* false: it was not there */
bool crypt_memo_forget(struct crypt_memo *m, const void *name, size_t len);
/* Calls back for each, least recently used first, so that putting them into an
 * empty table in this order makes the same one; until false. */
void crypt_memo_each(const struct crypt_memo *m,
		     bool (*fn)(void *ctx, const struct crypt_memo_entry *e),
		     void *ctx);

#endif
