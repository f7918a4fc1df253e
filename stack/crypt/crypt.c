#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt_part.h"

#define CACHE_MAX 1024
#define CACHE_AGE (2 * 3600 * NANOS_S)

/* --- the part of a stack ------------------------------------------------- */

struct crypt *crypt_new(const struct env *env, const struct crypt_setup *s)
{
	struct crypt *c = mem_zalloc(env->mem, sizeof(*c));

	if (!c) {
		return NULL;
	}
	c->env = env;
	c->keylog = s->keylog;
	c->hash = hash_new();
	c->aead = aead_new();
	if (!c->hash || !c->aead || !crypt_pool_init(&c->pool, &env->entropy) ||
	    !crypt_cache_init(&c->cache, env,
			      s->cache_max ? s->cache_max : CACHE_MAX,
			      s->cache_age ? s->cache_age : CACHE_AGE)) {
		crypt_free(c);
		return NULL;
	}
	return c;
}

void crypt_free(struct crypt *c)
{
	struct mem *mem;

	if (!c) {
		return;
	}
	mem = c->env->mem;
	crypt_cache_fini(&c->cache);
	crypt_pool_fini(&c->pool);
	aead_free(c->aead);
	hash_free(c->hash);
	mem_free(mem, c, sizeof(*c));
}

bool crypt_prepare(struct crypt *c)
{
	return crypt_pool_fill(&c->pool);
}

void crypt_forget_all(struct crypt *c)
{
	crypt_cache_clear(&c->cache);
}

uint32_t crypt_cached(const struct crypt *c)
{
	return c->cache.n;
}

uint64_t crypt_counter(const struct crypt *c, enum crypt_reason r)
{
	if (r < 0 || r >= CRYPT_REASON_N) {
		return 0;
	}
	return r == CRYPT_CACHE_EVICTED ? c->cache.evicted : c->counter[r];
}

/* --- one connection ------------------------------------------------------ */

/* what this build and libcrypto can do of what the program wants */
static void sanitize(struct crypt_conn *k, bool active)
{
	struct crypt_conf *c = &k->conf;
	unsigned n = 0;

	if (active && c->b) {
		c->smtcp = false; /* its host A is who opens */
	}
	for (unsigned i = 0; i < c->n_kx && i < CRYPT_KX_MAX; i++) {
		enum dh_group g = crypt_hs_group(c->kx[i]);

		if (g != DH_N && dh_has(k->c->pool.dh, g)) {
			c->kx[n++] = c->kx[i];
		}
	}
	c->n_kx = (uint8_t)n;
	n = 0;
	for (unsigned i = 0; i < c->n_aead && i < CRYPT_AEAD_MAX; i++) {
		enum aead_alg alg = crypt_keys_alg(c->aead[i]);

		if (alg != AEAD_N && aead_has(k->c->aead, alg)) {
			c->aead[n++] = c->aead[i];
		}
	}
	c->n_aead = (uint8_t)n;
	if (c->nonce_len > ENO_NONCE) {
		c->nonce_len = ENO_NONCE;
	}
	if ((c->n_kx == 0 || n == 0 || !(c->plain || c->smtcp)) &&
	    !c->vacuous) {
		c->on = false;
	}
}

static struct eno_env eno_env(struct crypt_conn *k, struct instant now)
{
	return (struct eno_env){
		.conf = &k->conf,
		.cache = &k->c->cache,
		.entropy = &k->c->env->entropy,
		.counter = k->c->counter,
		.peer = k->early ? k->early->peer_name : NULL,
		.peer_len = k->early ? k->peer_name_len : 0,
		.now = now,
	};
}

struct crypt_conn *crypt_conn_new(struct crypt *c,
				  const struct crypt_conf *conf, bool active,
				  const void *peer, size_t peer_len)
{
	struct mem *mem = c->env->mem;
	struct crypt_conn *k = mem_zalloc(mem, sizeof(*k));
	struct early *early = k ? mem_zalloc(mem, sizeof(*early)) : NULL;
	struct eno_env env;

	check(peer_len <= CRYPT_PEER_MAX);
	if (!early) {
		mem_free(mem, k, sizeof(*k));
		return NULL;
	}
	k->c = c;
	k->early = early;
	k->conf = *conf;
	k->state = CRYPT_NEGOTIATING;
	k->why = CRYPT_OK;
	if (peer_len > 0) {
		memcpy(early->peer_name, peer, peer_len);
	}
	k->peer_name_len = (uint8_t)peer_len;
	sanitize(k, active);
	eno_init(&k->eno, &early->eno, active);
	if (!k->conf.on) {
		env = eno_env(k, (struct instant){ 0 });
		eno_give_up(&k->eno, &env, CRYPT_OFF_CONF);
	}
	return k;
}

void crypt_drop_alt(struct crypt_conn *k)
{
	if (k->alt) {
		crypt_set_fini(k->alt);
		mem_free(k->c->env->mem, k->alt, sizeof(*k->alt));
		k->alt = NULL;
	}
}

void crypt_drop_early(struct crypt_conn *k)
{
	if (k->early) {
		prim_wipe(k->early, sizeof(*k->early));
		mem_free(k->c->env->mem, k->early, sizeof(*k->early));
		k->early = NULL;
		k->eno.x = NULL;
	}
}

void crypt_drop_keys(struct crypt_conn *k)
{
	crypt_hs_free(k->hs);
	k->hs = NULL;
	crypt_drop_alt(k);
	crypt_set_fini(&k->set);
}

void crypt_conn_free(struct crypt_conn *k)
{
	struct eno_env env;
	struct mem *mem;

	if (!k) {
		return;
	}
	env = eno_env(k, (struct instant){ 0 });
	eno_fini(&k->eno, &env);
	crypt_drop_keys(k);
	crypt_drop_early(k);
	mem = k->c->env->mem;
	prim_wipe(k, sizeof(*k));
	mem_free(mem, k, sizeof(*k));
}

enum crypt_state crypt_state(const struct crypt_conn *k)
{
	if (k->state != CRYPT_NEGOTIATING) {
		return k->state;
	}
	switch (k->eno.state) {
	case ENO_AGREED:
		return CRYPT_AGREED;
	case ENO_OFF:
		return CRYPT_OFF;
	case ENO_OPEN:
	default:
		return CRYPT_NEGOTIATING;
	}
}

enum crypt_reason crypt_why(const struct crypt_conn *k)
{
	return k->state == CRYPT_DEAD ? k->why : k->eno.why;
}

void crypt_seg_in(struct crypt_conn *k, struct instant now, enum crypt_seg seg,
		  const struct eno_opt_seen *seen)
{
	struct eno_env env = eno_env(k, now);

	eno_in(&k->eno, &env, seg, seen);
}

unsigned crypt_seg_out(struct crypt_conn *k, struct instant now,
		       enum crypt_seg seg, uint8_t *buf, unsigned room)
{
	struct eno_env env = eno_env(k, now);

	return eno_out(&k->eno, &env, seg, buf, room);
}

bool crypt_would_resume(struct crypt_conn *k, struct instant now)
{
	struct eno_env env = eno_env(k, now);

	return eno_would_resume(&k->eno, &env);
}

uint8_t crypt_choice(const struct crypt_conn *k)
{
	return k->eno.state != ENO_OFF ? k->eno.tep : 0;
}

bool crypt_resumes(const struct crypt_conn *k)
{
	return k->eno.settled ? k->eno.resumed : k->eno.wanted != 0;
}

bool crypt_give_up(struct crypt_conn *k, enum crypt_reason why)
{
	struct eno_env env = eno_env(k, (struct instant){ 0 });

	return k->state == CRYPT_NEGOTIATING && eno_give_up(&k->eno, &env, why);
}

/* --- asking -------------------------------------------------------------- */

void crypt_info(const struct crypt_conn *k, struct crypt_info *out)
{
	*out = (struct crypt_info){
		.state = crypt_state(k),
		.why = crypt_why(k),
		.role_b = k->eno.role_b,
		.peer_aware = k->eno.peer_aware,
	};
	if (k->eno.settled && out->state != CRYPT_OFF) {
		out->smtcp = crypt_is_smtcp(k);
		out->sig = k->eno.sig;
		out->tep = k->eno.tep;
		out->kx = k->eno.kx;
	}
	if (out->state == CRYPT_KEYED) {
		out->resumed = k->resumed;
		out->aead = k->cipher;
		out->peer_fin = k->set.rec.rx_fin;
		out->tx_gen = k->set.rec.tx_gen;
		out->rx_gen = k->set.rec.rx_gen;
		out->tx_frames = k->set.rec.tx_frames;
		out->rx_frames = k->set.rec.rx_frames;
		out->tx_bytes = k->set.rec.tx_bytes;
		out->rx_bytes = k->set.rec.rx_bytes;
	}
}

bool crypt_session_id(const struct crypt_conn *k, uint8_t out[CRYPT_SESSION_ID])
{
	if (k->state != CRYPT_KEYED || k->alt) {
		return false;
	}
	memcpy(out, k->set.session_id, CRYPT_SESSION_ID);
	return true;
}

const struct crypt_sk *crypt_sk(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && crypt_is_smtcp(k) && !k->alt ? &k->set.sk
								 : NULL;
}

void crypt_forget(struct crypt_conn *k)
{
	crypt_set_no_next(&k->set);
	if (k->alt) {
		crypt_set_no_next(k->alt);
	}
	if (k->cached) {
		crypt_cache_drop(&k->c->cache, k->cached);
		k->cached = 0;
	}
	k->conf.no_cache = true;
}
