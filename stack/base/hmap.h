/* hmap.h - intrusive chained hash map with a bound, grown by doubling
 *
 * The caller hashes (siphash13 with a secret key) and compares.  Removing
 * needs no lookup.  The bucket array comes from mem; growth that mem refuses
 * leaves the map correct, only slower.
 */
#ifndef BASE_HMAP_H
#define BASE_HMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;

struct hnode {
	struct hnode *next, **pprev; /* pprev NULL: not in a map */
	uint64_t hash;
};

struct hmap {
	struct mem *mem;
	struct hnode **bucket;
	uint32_t n_bucket; /* power of two */
	uint32_t n;        /* nodes in the map */
	uint32_t max;      /* hmap_add refuses beyond */
};

bool hmap_init(struct hmap *m, struct mem *mem, uint32_t max);
void hmap_fini(struct hmap *m); /* the map must be empty or abandoned */
/* false: full; node must not be in a map */
bool hmap_add(struct hmap *m, struct hnode *node, uint64_t hash);
void hmap_del(struct hmap *m, struct hnode *node); /* idempotent */
/* first candidate of that hash, then the next; compare keys yourself */
struct hnode *hmap_find(const struct hmap *m, uint64_t hash);
struct hnode *hmap_find_next(const struct hnode *node);

#endif
