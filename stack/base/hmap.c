#include "stack/base/hmap.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

#define BUCKETS_FIRST 16u

static struct hnode **bucket_of(const struct hmap *m, uint64_t hash)
{
	return &m->bucket[hash & (m->n_bucket - 1)];
}

static void link_first(struct hnode **head, struct hnode *node)
{
	node->next = *head;
	node->pprev = head;
	if (node->next) {
		node->next->pprev = &node->next;
	}
	*head = node;
}

bool hmap_init(struct hmap *m, struct mem *mem, uint32_t max)
{
	*m = (struct hmap){ .mem = mem, .n_bucket = BUCKETS_FIRST, .max = max };
	m->bucket = mem_zalloc(mem, BUCKETS_FIRST * sizeof(m->bucket[0]));
	return m->bucket != NULL;
}

void hmap_fini(struct hmap *m)
{
	mem_free(m->mem, m->bucket, m->n_bucket * sizeof(m->bucket[0]));
	m->bucket = NULL;
	m->n = 0;
}

static void grow(struct hmap *m)
{
	struct hnode **was = m->bucket;
	uint32_t n_was = m->n_bucket;
	struct hnode **now;

	if (n_was > UINT32_MAX / 2) {
		return;
	}
	now = mem_zalloc(m->mem, 2 * (size_t)n_was * sizeof(now[0]));
	if (!now) {
		return;
	}
	m->bucket = now;
	m->n_bucket = 2 * n_was;
	for (uint32_t i = 0; i < n_was; i++) {
		struct hnode *node = was[i], *next;

		for (; node; node = next) {
			next = node->next;
			link_first(bucket_of(m, node->hash), node);
		}
	}
	mem_free(m->mem, was, n_was * sizeof(was[0]));
}

bool hmap_add(struct hmap *m, struct hnode *node, uint64_t hash)
{
	if (m->n >= m->max) {
		return false;
	}
	if (m->n >= m->n_bucket) {
		grow(m);
	}
	node->hash = hash;
	link_first(bucket_of(m, hash), node);
	m->n++;
	return true;
}

void hmap_del(struct hmap *m, struct hnode *node)
{
	if (!node->pprev) {
		return;
	}
	check(m->n > 0);
	*node->pprev = node->next;
	if (node->next) {
		node->next->pprev = node->pprev;
	}
	node->next = NULL;
	node->pprev = NULL;
	m->n--;
}

static struct hnode *same_hash(struct hnode *node, uint64_t hash)
{
	while (node && node->hash != hash) {
		node = node->next;
	}
	return node;
}

struct hnode *hmap_find(const struct hmap *m, uint64_t hash)
{
	return same_hash(*bucket_of(m, hash), hash);
}

struct hnode *hmap_find_next(const struct hnode *node)
{
	return same_hash(node->next, node->hash);
}
