/* mp_token.h - connections by the token a peer joins with (RFC 8684 3.2) */
#ifndef MPTCP_MP_TOKEN_H
#define MPTCP_MP_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/hmap.h"
#include "stack/base/siphash.h"

#define MP_TOKENS_MAX 262144

struct mp_tokens {
	struct hmap map;
	struct siphash_key key;
};

/* part of a connection */
struct mp_token {
	struct hnode node;
	uint32_t value;
};

bool mp_token_init(struct mp_tokens *ts, struct mem *mem,
		   const struct siphash_key *key);
void mp_token_fini(struct mp_tokens *ts);
/* false: the value is in use, or the table full */
bool mp_token_add(struct mp_tokens *ts, struct mp_token *t, uint32_t value);
void mp_token_del(struct mp_tokens *ts, struct mp_token *t); /* idempotent */
struct mp_token *mp_token_find(const struct mp_tokens *ts, uint32_t value);

#endif
