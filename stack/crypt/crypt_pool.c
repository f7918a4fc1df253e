#include "stack/crypt/crypt_pool.h"

#include "stack/base/check.h"
#include "stack/prim/hash.h"

bool crypt_pool_init(struct crypt_pool *p, const struct entropy *e)
{
	*p = (struct crypt_pool){ .entropy = *e, .dh = dh_new() };
	p->used[DH_X25519] = true;
	return p->dh != NULL;
}

void crypt_pool_fini(struct crypt_pool *p)
{
	dh_free(p->dh);
	prim_wipe(p, sizeof(*p));
}

bool crypt_pool_take(struct crypt_pool *p, enum dh_group g, struct dh_key *out)
{
	check(g < DH_N);
	p->used[g] = true;
	if (p->n[g] == 0) {
		return dh_make(p->dh, g, &p->entropy, out);
	}
	*out = p->key[g][--p->n[g]];
	dh_wipe(&p->key[g][p->n[g]]);
	return true;
}

bool crypt_pool_fill(struct crypt_pool *p)
{
	for (unsigned g = 0; g < DH_N; g++) {
		if (!p->used[g] || p->n[g] == CRYPT_POOL_DEPTH) {
			continue;
		}
		if (dh_make(p->dh, g, &p->entropy, &p->key[g][p->n[g]])) {
			p->n[g]++;
			return true;
		}
		p->used[g] = false;
	}
	return false;
}
