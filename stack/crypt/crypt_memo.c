#include "stack/crypt/crypt_memo.h"

#include <string.h>

#include "stack/base/check.h"

struct node {
	struct hnode by_name;
	struct list lru;
	struct crypt_memo_entry e;
};

bool crypt_memo_init(struct crypt_memo *m, const struct env *env, uint32_t max)
{
	*m = (struct crypt_memo){ .mem = env->mem, .max = max };
	m->key.k0 = entropy_u64(&env->entropy);
	m->key.k1 = entropy_u64(&env->entropy);
	list_init(&m->lru);
	return hmap_init(&m->by_name, env->mem, max);
}

static void drop(struct crypt_memo *m, struct node *n)
{
	hmap_del(&m->by_name, &n->by_name);
	list_del(&n->lru);
	m->n--;
	mem_free(m->mem, n, sizeof(*n));
}

static struct node *least(const struct crypt_memo *m)
{
	struct list *l = list_first(&m->lru);

	return l ? list_entry(l, struct node, lru) : NULL;
}

void crypt_memo_fini(struct crypt_memo *m)
{
	if (m->mem) {
		for (struct node *n = least(m); n; n = least(m)) {
			drop(m, n);
		}
		hmap_fini(&m->by_name);
		*m = (struct crypt_memo){ .mem = NULL };
	}
}

struct crypt_memo *crypt_memo_new(const struct env *env, uint32_t max)
{
	struct crypt_memo *m = mem_zalloc(env->mem, sizeof(*m));

	if (m && !crypt_memo_init(m, env, max)) {
		mem_free(env->mem, m, sizeof(*m));
		return NULL;
	}
	return m;
}

void crypt_memo_free(struct crypt_memo *m)
{
	struct mem *mem = m ? m->mem : NULL;

	if (m) {
		crypt_memo_fini(m);
		mem_free(mem, m, sizeof(*m));
	}
}

static uint64_t hash(const struct crypt_memo *m, const void *name, size_t len)
{
	return siphash13(&m->key, name, len);
}

static struct node *find(const struct crypt_memo *m, const void *name,
			 size_t len)
{
	struct hnode *h = hmap_find(&m->by_name, hash(m, name, len));

	for (; h; h = hmap_find_next(h)) {
		struct node *n = container_of(h, struct node, by_name);

		if (n->e.name_len == len &&
		    (len == 0 || memcmp(n->e.name, name, len) == 0)) {
			return n;
		}
	}
	return NULL;
}

static void used(struct crypt_memo *m, struct node *n)
{
	list_del(&n->lru);
	list_push_back(&m->lru, &n->lru);
}

const struct crypt_memo_entry *crypt_memo_get(struct crypt_memo *m,
					      const void *name, size_t len)
{
	struct node *n = find(m, name, len);

	if (!n) {
		return NULL;
	}
	used(m, n);
	return &n->e;
}

static struct node *add(struct crypt_memo *m, const void *name, size_t len)
{
	struct node *n = least(m);

	if (n && m->n >= m->max) {
		drop(m, n);
		m->evicted++;
	}
	n = m->max > 0 ? mem_zalloc(m->mem, sizeof(*n)) : NULL;
	if (!n) {
		return NULL;
	}
	n->e.name_len = (uint8_t)len;
	if (len > 0) {
		memcpy(n->e.name, name, len);
	}
	n->e.when = (struct instant){ INT64_MIN };
	hmap_add(&m->by_name, &n->by_name, hash(m, name, len));
	list_push_back(&m->lru, &n->lru);
	m->n++;
	return n;
}

enum crypt_memo_level crypt_memo_level(struct crypt_memo *m, const void *name,
				       size_t len)
{
	const struct crypt_memo_entry *e = crypt_memo_get(m, name, len);

	return e ? e->level : CRYPT_MEMO_NONE;
}

bool crypt_memo_put(struct crypt_memo *m, const void *name, size_t len,
		    enum crypt_memo_level level, struct instant when)
{
	struct node *n;

	if (level <= CRYPT_MEMO_NONE || level > CRYPT_MEMO_SMTCP ||
	    len > CRYPT_MEMO_NAME) {
		return false;
	}
	n = find(m, name, len);
	if (!n) {
		n = add(m, name, len);
	}
	if (!n) {
		return false;
	}
	if (level > n->e.level) {
		n->e.level = level;
	}
	if (instant_before(n->e.when, when)) {
		n->e.when = when;
	}
	used(m, n);
	return true;
}

bool crypt_memo_forget(struct crypt_memo *m, const void *name, size_t len)
{
	struct node *n = find(m, name, len);

	if (n) {
		drop(m, n);
	}
	return n != NULL;
}

void crypt_memo_each(const struct crypt_memo *m,
		     bool (*fn)(void *ctx, const struct crypt_memo_entry *e),
		     void *ctx)
{
	list_each (pos, &m->lru) {
		if (!fn(ctx, &list_entry(pos, struct node, lru)->e)) {
			return;
		}
	}
}
