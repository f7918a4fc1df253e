#include "stack/crypt/crypt_hs.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt_keys.h"

enum dh_group crypt_hs_group(uint8_t kx)
{
	switch (kx) {
	case ENO_TEP_P256:
		return DH_P256;
	case ENO_TEP_P521:
		return DH_P521;
	case ENO_TEP_X25519:
		return DH_X25519;
	case ENO_TEP_X448:
		return DH_X448;
	default:
		return DH_N;
	}
}

static bool usable(const struct crypt_hs_env *env, uint16_t cipher)
{
	enum aead_alg alg = crypt_keys_alg(cipher);

	return alg != AEAD_N && aead_has(env->aead, alg);
}

static enum crypt_reason make_init1(struct crypt_hs *h,
				    const struct crypt_hs_env *env)
{
	struct wr w = wr_make(h->mine, sizeof(h->mine));
	uint16_t list[CRYPT_AEAD_MAX];
	uint8_t nonce[CRYPT_NONCE];
	unsigned n = 0;

	for (unsigned i = 0; i < env->conf->n_aead; i++) {
		if (usable(env, env->conf->aead[i])) {
			list[n++] = env->conf->aead[i];
		}
	}
	if (n == 0) {
		return CRYPT_NO_CIPHER;
	}
	env->entropy->fill(env->entropy->ctx, nonce, sizeof(nonce));
	h->mine_len = (uint8_t)crypt_msg_init1_emit(
		&w, list, n, nonce, h->key.pub, dh_pub_len(h->group));
	return CRYPT_OK;
}

struct crypt_hs *crypt_hs_new(const struct crypt_hs_env *env, bool role_b,
			      uint8_t kx, enum crypt_reason *r)
{
	struct crypt_hs *h = mem_zalloc(env->mem, sizeof(*h));

	if (!h) {
		*r = CRYPT_NOMEM;
		return NULL;
	}
	h->mem = env->mem;
	h->role_b = role_b;
	h->group = crypt_hs_group(kx);
	*r = h->group != DH_N && crypt_pool_take(env->pool, h->group, &h->key)
		     ? CRYPT_OK
		     : CRYPT_LIB;
	if (*r == CRYPT_OK && !role_b) {
		*r = make_init1(h, env);
	}
	if (*r != CRYPT_OK) {
		crypt_hs_free(h);
		return NULL;
	}
	return h;
}

void crypt_hs_free(struct crypt_hs *h)
{
	struct mem *mem;

	if (!h) {
		return;
	}
	mem = h->mem;
	mem_free(mem, h->peer, h->peer_len);
	prim_wipe(h, sizeof(*h));
	mem_free(mem, h, sizeof(*h));
}

static enum crypt_reason agree(struct crypt_hs *h,
			       const struct crypt_hs_env *env,
			       const uint8_t *pub)
{
	enum dh_result r = dh_agree(env->pool->dh, &h->key, pub, h->es);

	prim_wipe(h->key.priv, sizeof(h->key.priv));
	switch (r) {
	case DH_OK:
		return CRYPT_OK;
	case DH_BAD_PUB:
		return CRYPT_BAD_PUB;
	case DH_ZERO:
		return CRYPT_ZERO_SECRET;
	case DH_FAILED:
	default:
		return CRYPT_LIB;
	}
}

static bool listed(const struct crypt_init1 *m, uint16_t cipher)
{
	for (unsigned i = 0; i < m->n_cipher; i++) {
		if (be16_get(m->cipher + 2 * i) == cipher) {
			return true;
		}
	}
	return false;
}

/* host B: the cipher it likes best of those offered, and Init2 */
static enum crypt_reason got_init1(struct crypt_hs *h,
				   const struct crypt_hs_env *env)
{
	const struct crypt_conf *c = env->conf;
	struct wr w = wr_make(h->mine, sizeof(h->mine));
	uint8_t nonce[CRYPT_NONCE];
	struct crypt_init1 m;
	enum crypt_reason r;

	if (!crypt_msg_init1_parse(h->peer, h->peer_len, dh_pub_len(h->group),
				   &m)) {
		return CRYPT_BAD_INIT;
	}
	for (unsigned i = 0; i < c->n_aead && h->cipher == 0; i++) {
		if (listed(&m, c->aead[i]) && usable(env, c->aead[i])) {
			h->cipher = c->aead[i];
		}
	}
	if (h->cipher == 0) {
		return CRYPT_NO_CIPHER;
	}
	r = agree(h, env, m.pub);
	if (r != CRYPT_OK) {
		return r;
	}
	env->entropy->fill(env->entropy->ctx, nonce, sizeof(nonce));
	h->mine_len = (uint8_t)crypt_msg_init2_emit(
		&w, h->cipher, nonce, h->key.pub, dh_pub_len(h->group));
	return CRYPT_OK;
}

static enum crypt_reason got_init2(struct crypt_hs *h,
				   const struct crypt_hs_env *env)
{
	struct crypt_init1 own;
	struct crypt_init2 m;
	unsigned pub_len = dh_pub_len(h->group);

	if (!crypt_msg_init2_parse(h->peer, h->peer_len, pub_len, &m)) {
		return CRYPT_BAD_INIT;
	}
	check(crypt_msg_init1_parse(h->mine, h->mine_len, pub_len, &own));
	if (!listed(&own, m.cipher)) {
		return CRYPT_BAD_CIPHER;
	}
	h->cipher = m.cipher;
	return agree(h, env, m.pub);
}

/* the header is there: is the rest worth waiting for? */
static enum crypt_reason got_hdr(struct crypt_hs *h)
{
	uint32_t magic = h->role_b ? CRYPT_INIT1_MAGIC : CRYPT_INIT2_MAGIC;
	unsigned pub = dh_pub_len(h->group);
	uint32_t least =
		h->role_b ? CRYPT_INIT1_LEN(0, pub) : CRYPT_INIT2_LEN(pub);
	uint32_t len;

	if (!crypt_msg_init_len(h->hdr, magic, &len)) {
		return CRYPT_BAD_MAGIC;
	}
	if (len < least || len > CRYPT_HS_MAX) {
		return CRYPT_BAD_INIT;
	}
	h->peer = mem_alloc(h->mem, len);
	if (!h->peer) {
		return CRYPT_NOMEM;
	}
	h->peer_len = len;
	memcpy(h->peer, h->hdr, CRYPT_INIT_HDR);
	h->peer_got = CRYPT_INIT_HDR;
	return CRYPT_OK;
}

enum crypt_reason crypt_hs_in(struct crypt_hs *h,
			      const struct crypt_hs_env *env, const uint8_t *p,
			      size_t n, size_t *used)
{
	enum crypt_reason r = CRYPT_OK;
	size_t part;

	*used = 0;
	if (h->done) {
		return CRYPT_OK;
	}
	if (h->hdr_got < CRYPT_INIT_HDR) {
		part = min_size(n, (size_t)(CRYPT_INIT_HDR - h->hdr_got));
		memcpy(h->hdr + h->hdr_got, p, part);
		h->hdr_got = (uint8_t)(h->hdr_got + part);
		*used += part;
		if (h->hdr_got < CRYPT_INIT_HDR) {
			return CRYPT_OK;
		}
		r = got_hdr(h);
	}
	if (r != CRYPT_OK) {
		return r;
	}
	part = min_size(n - *used, h->peer_len - h->peer_got);
	memcpy(h->peer + h->peer_got, p + *used, part);
	h->peer_got += (uint32_t)part;
	*used += part;
	if (h->peer_got == h->peer_len) {
		r = h->role_b ? got_init1(h, env) : got_init2(h, env);
		h->done = r == CRYPT_OK;
	}
	return r;
}

struct iov crypt_hs_mine(const struct crypt_hs *h)
{
	return (struct iov){ h->mine, h->mine_len };
}

const uint8_t *crypt_hs_nonce_a(const struct crypt_hs *h)
{
	const uint8_t *init1 = h->role_b ? h->peer : h->mine;

	return init1 + CRYPT_INIT_HDR + 1 + 2 * init1[CRYPT_INIT_HDR];
}

void crypt_hs_parts(const struct crypt_hs *h, struct iov out[3])
{
	struct iov mine = { h->mine, h->mine_len };
	struct iov peer = { h->peer, h->peer_len };

	out[0] = h->role_b ? peer : mine;
	out[1] = h->role_b ? mine : peer;
	out[2] = (struct iov){ h->es, dh_secret_len(h->group) };
}
