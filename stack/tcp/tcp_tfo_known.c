#include "stack/tcp/tcp_tfo_known.h"

#include <string.h>

#include "stack/base/check.h"

#define QUIET_STEPS 10

void tcp_tfo_known_init(struct tcp_tfo_known *f)
{
	memset(f, 0, sizeof(*f));
	list_init(&f->used);
}

static void server_free(struct tcp_tfo_known *f, struct mem *mem,
			struct tcp_tfo_server *k)
{
	hmap_del(&f->map, &k->node);
	list_del(&k->link);
	mem_free(mem, k, sizeof(*k));
}

void tcp_tfo_known_fini(struct tcp_tfo_known *f, struct mem *mem)
{
	list_each_safe(n, &f->used) {
		server_free(f, mem, list_entry(n, struct tcp_tfo_server, link));
	}
	if (f->ready) {
		hmap_fini(&f->map);
	}
}

static uint64_t pair_hash(const struct tcp_tfo_known *f, const struct tuple *t)
{
	struct addr pair[2] = { t->local.addr, t->remote.addr };

	return siphash13(&f->hash, pair, sizeof(pair));
}

struct tcp_tfo_server *tcp_tfo_known_find(const struct tcp_tfo_known *f,
					  const struct tuple *t)
{
	if (!f->ready) {
		return NULL;
	}
	for (struct hnode *n = hmap_find(&f->map, pair_hash(f, t)); n;
	     n = hmap_find_next(n)) {
		struct tcp_tfo_server *k =
			container_of(n, struct tcp_tfo_server, node);

		if (addr_eq(&k->local, &t->local.addr) &&
		    addr_eq(&k->remote, &t->remote.addr)) {
			return k;
		}
	}
	return NULL;
}

static bool make_ready(struct tcp_tfo_known *f, const struct env *env)
{
	if (!f->ready) {
		env->entropy.fill(env->entropy.ctx, &f->hash, sizeof(f->hash));
		f->ready = hmap_init(&f->map, env->mem, TCP_TFO_CACHE_MAX);
	}
	return f->ready;
}

struct tcp_tfo_server *tcp_tfo_known_entry(struct tcp_tfo_known *f,
					   const struct env *env,
					   const struct tuple *t)
{
	struct tcp_tfo_server *k = tcp_tfo_known_find(f, t);
	struct list *oldest;

	if (k) {
		list_del(&k->link);
		list_push_back(&f->used, &k->link);
		return k;
	}
	if (!make_ready(f, env)) {
		return NULL;
	}
	oldest = f->map.n >= TCP_TFO_CACHE_MAX ? list_first(&f->used) : NULL;
	if (oldest) {
		server_free(f, env->mem,
			    list_entry(oldest, struct tcp_tfo_server, link));
	}
	k = mem_zalloc(env->mem, sizeof(*k));
	if (!k) {
		return NULL;
	}
	k->local = t->local.addr;
	k->remote = t->remote.addr;
	list_init(&k->link);
	hmap_add(&f->map, &k->node, pair_hash(f, t));
	list_push_back(&f->used, &k->link);
	return k;
}

void tcp_tfo_known_lost(struct tcp_tfo_server *k, struct instant now)
{
	k->lost = k->lost < QUIET_STEPS ? (uint8_t)(k->lost + 1) : QUIET_STEPS;
	k->again = instant_add(now, TCP_TFO_QUIET << k->lost);
}

/* once may be by chance (Linux's rule) */
bool tcp_tfo_known_quiet(const struct tcp_tfo_server *k, struct instant now)
{
	return k && k->lost > 1 && instant_before(now, k->again);
}
