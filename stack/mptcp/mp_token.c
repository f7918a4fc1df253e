#include "stack/mptcp/mp_token.h"

#include "stack/base/check.h"

static uint64_t hash_of(const struct mp_tokens *ts, uint32_t value)
{
	return siphash13(&ts->key, &value, sizeof(value));
}

bool mp_token_init(struct mp_tokens *ts, struct mem *mem,
		   const struct siphash_key *key)
{
	ts->key = *key;
	return hmap_init(&ts->map, mem, MP_TOKENS_MAX);
}

void mp_token_fini(struct mp_tokens *ts)
{
	hmap_fini(&ts->map);
}

struct mp_token *mp_token_find(const struct mp_tokens *ts, uint32_t value)
{
	for (struct hnode *n = hmap_find(&ts->map, hash_of(ts, value)); n;
	     n = hmap_find_next(n)) {
		struct mp_token *t = container_of(n, struct mp_token, node);

		if (t->value == value) {
			return t;
		}
	}
	return NULL;
}

bool mp_token_add(struct mp_tokens *ts, struct mp_token *t, uint32_t value)
{
	if (mp_token_find(ts, value)) {
		return false;
	}
	t->value = value;
	return hmap_add(&ts->map, &t->node, hash_of(ts, value));
}

void mp_token_del(struct mp_tokens *ts, struct mp_token *t)
{
	hmap_del(&ts->map, &t->node);
}
