#include "stack/crypt/crypt_cache.h"

#include <string.h>

#include "stack/prim/hash.h"

struct entry {
	struct hnode by_half, by_peer, by_serial;
	struct list lru;
	uint64_t serial;
	struct crypt_ticket t;
	uint8_t peer[CRYPT_PEER_MAX];
	uint8_t peer_len;
};

static struct entry *from_half(struct hnode *n)
{
	return n ? container_of(n, struct entry, by_half) : NULL;
}

static struct entry *from_peer(struct hnode *n)
{
	return n ? container_of(n, struct entry, by_peer) : NULL;
}

static uint64_t hash(const struct crypt_cache *c, const void *p, size_t n)
{
	return siphash13(&c->key, p, n);
}

bool crypt_cache_init(struct crypt_cache *c, const struct env *env,
		      uint32_t max, nanos age)
{
	*c = (struct crypt_cache){ .mem = env->mem, .max = max, .age = age };
	c->key.k0 = entropy_u64(&env->entropy);
	c->key.k1 = entropy_u64(&env->entropy);
	list_init(&c->lru);
	return hmap_init(&c->by_half, env->mem, max) &&
	       hmap_init(&c->by_peer, env->mem, max) &&
	       hmap_init(&c->by_serial, env->mem, max);
}

static void drop(struct crypt_cache *c, struct entry *e)
{
	hmap_del(&c->by_half, &e->by_half);
	hmap_del(&c->by_peer, &e->by_peer);
	hmap_del(&c->by_serial, &e->by_serial);
	list_del(&e->lru);
	c->n--;
	prim_wipe(e, sizeof(*e));
	mem_free(c->mem, e, sizeof(*e));
}

static struct entry *oldest(const struct crypt_cache *c)
{
	struct list *l = list_first(&c->lru);

	return l ? list_entry(l, struct entry, lru) : NULL;
}

void crypt_cache_clear(struct crypt_cache *c)
{
	for (struct entry *e = oldest(c); e; e = oldest(c)) {
		drop(c, e);
	}
}

void crypt_cache_fini(struct crypt_cache *c)
{
	if (c->mem) {
		crypt_cache_clear(c);
		hmap_fini(&c->by_half);
		hmap_fini(&c->by_peer);
		hmap_fini(&c->by_serial);
		prim_wipe(c, sizeof(*c));
	}
}

static bool too_old(const struct crypt_cache *c, const struct entry *e,
		    struct instant now)
{
	return instant_since(now, e->t.born) > c->age;
}

/* One that was given back is young in the list though old in years: it goes
 * when it comes to the front, and until then is not found. */
static void expire(struct crypt_cache *c, struct instant now)
{
	for (struct entry *e = oldest(c); e && too_old(c, e, now);
	     e = oldest(c)) {
		drop(c, e);
		c->evicted++;
	}
}

static struct entry *find(const struct crypt_cache *c, uint64_t serial)
{
	struct hnode *n =
		hmap_find(&c->by_serial, hash(c, &serial, sizeof(serial)));

	for (; n; n = hmap_find_next(n)) {
		struct entry *e = container_of(n, struct entry, by_serial);

		if (e->serial == serial) {
			return e;
		}
	}
	return NULL;
}

uint64_t crypt_cache_put(struct crypt_cache *c, struct instant born,
			 const struct crypt_ticket *t, const uint8_t *peer,
			 size_t peer_len)
{
	struct entry *e;

	check(peer_len <= CRYPT_PEER_MAX);
	if (c->n > 0 && c->n >= c->max) {
		drop(c, oldest(c));
		c->evicted++;
	}
	e = c->max > 0 ? mem_zalloc(c->mem, sizeof(*e)) : NULL;
	if (!e) {
		return 0;
	}
	e->t = *t;
	e->t.born = born;
	e->serial = ++c->serial;
	e->peer_len = (uint8_t)peer_len;
	if (peer_len > 0) {
		memcpy(e->peer, peer, peer_len);
		hmap_add(&c->by_peer, &e->by_peer, hash(c, peer, peer_len));
	}
	hmap_add(&c->by_half, &e->by_half,
		 hash(c, crypt_ticket_peer(t), ENO_HALF));
	hmap_add(&c->by_serial, &e->by_serial,
		 hash(c, &e->serial, sizeof(e->serial)));
	list_push_back(&c->lru, &e->lru);
	c->n++;
	return e->serial;
}

uint64_t crypt_cache_find_peer(struct crypt_cache *c, struct instant now,
			       const uint8_t *peer, size_t peer_len,
			       bool (*fits)(const void *ctx,
					    const struct crypt_ticket *t),
			       const void *ctx)
{
	struct hnode *n;

	if (peer_len == 0) {
		return 0;
	}
	expire(c, now);
	n = hmap_find(&c->by_peer, hash(c, peer, peer_len));
	for (; n; n = hmap_find_next(n)) {
		const struct entry *e = from_peer(n);

		if (e->peer_len == peer_len && !too_old(c, e, now) &&
		    memcmp(e->peer, peer, peer_len) == 0 && fits(ctx, &e->t)) {
			return e->serial;
		}
	}
	return 0;
}

uint64_t crypt_cache_find_half(struct crypt_cache *c, struct instant now,
			       uint8_t tep, const uint8_t *half)
{
	struct hnode *n;

	expire(c, now);
	n = hmap_find(&c->by_half, hash(c, half, ENO_HALF));
	for (; n; n = hmap_find_next(n)) {
		const struct entry *e = from_half(n);

		if (e->t.tep == tep && !too_old(c, e, now) &&
		    prim_equal(crypt_ticket_peer(&e->t), half, ENO_HALF)) {
			return e->serial;
		}
	}
	return 0;
}

const struct crypt_ticket *crypt_cache_look(const struct crypt_cache *c,
					    uint64_t serial)
{
	const struct entry *e = find(c, serial);

	return e ? &e->t : NULL;
}

bool crypt_cache_take(struct crypt_cache *c, uint64_t serial,
		      struct crypt_ticket *out)
{
	struct entry *e = find(c, serial);

	if (!e) {
		return false;
	}
	*out = e->t;
	drop(c, e);
	return true;
}

void crypt_cache_drop(struct crypt_cache *c, uint64_t serial)
{
	struct entry *e = find(c, serial);

	if (e) {
		drop(c, e);
	}
}
