/* crypt_part.h - what the files behind crypt.h share: a connection's state
 *
 * crypt.c makes and asks, crypt_exchange.c comes to keys, crypt_frame.c uses
 * them.
 */
#ifndef CRYPT_CRYPT_PART_H
#define CRYPT_CRYPT_PART_H

#include "stack/crypt/crypt.h"
#include "stack/crypt/crypt_cache.h"
#include "stack/crypt/crypt_hs.h"
#include "stack/crypt/crypt_pool.h"
#include "stack/crypt/crypt_set.h"
#include "stack/crypt/eno.h"

#define MPC_MAX 64

struct crypt {
	const struct env *env;
	struct hash *hash;
	struct aead *aead;
	struct crypt_pool pool;
	struct crypt_cache cache;
	struct trace keylog;
	uint64_t counter[CRYPT_REASON_N];
};

/* what nobody needs once there are keys and the next secret is kept */
struct early {
	struct eno_early eno;
	struct crypt_ticket next[2]; /* of set, of alt */
	uint8_t mpc[MPC_MAX];
	uint8_t peer_name[CRYPT_PEER_MAX];
};

struct crypt_conn {
	struct crypt *c;
	struct early *early; /* NULL once it rested with keys */
	struct crypt_conf conf;
	enum crypt_state state; /* ENO's until it has AGREED */
	enum crypt_reason why;  /* DEAD */
	struct eno eno;
	struct crypt_hs *hs; /* INIT, and until our message is copied */
	bool init_sent;
	uint32_t mine_len, peer_len; /* of Init messages */
	struct crypt_set set;        /* KEYED */
	/* made without MP_CAPABLE transcript, until a frame decides which of
	 * the two is the peer's too */
	struct crypt_set *alt;
	bool doubtful; /* make it */
	uint16_t cipher;
	bool orig_b; /* our role when ss[0] was made: which keys are ours */
	bool resumed;
	uint64_t cached; /* number of the next secret in the cache, 0: none */
	struct instant next_born; /* the peer's first frame was opened */
	uint8_t mpc_len, peer_name_len;
};

/* why, counted unless it is CRYPT_OK */
static inline enum crypt_reason crypt_counted(struct crypt_conn *k,
					      enum crypt_reason r)
{
	if (r != CRYPT_OK) {
		k->c->counter[r]++;
	}
	return r;
}

static inline bool crypt_is_smtcp(const struct crypt_conn *k)
{
	return k->eno.tep == ENO_TEP_EXP;
}

void crypt_drop_alt(struct crypt_conn *k);
void crypt_drop_early(struct crypt_conn *k);
void crypt_drop_keys(struct crypt_conn *k);
/* one of two sets of keys was found to be the peer's, too: it is set now */
void crypt_decided(struct crypt_conn *k);
/* the key exchange's state, if nothing is to be done with it any more */
void crypt_drop_hs(struct crypt_conn *k);

#endif
