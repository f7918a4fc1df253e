/* eno.h - negotiation of one connection (RFC 8547 4.3 to 4.8), and which
 * session secret it resumes (RFC 8548 3.5)
 *
 * Fed with the options of segments in order of arrival; says what to send.
 * What is negotiated is a function of the two SYN-form options alone, so that
 * both sides come to the same, also in a simultaneous open.
 */
#ifndef CRYPT_ENO_H
#define CRYPT_ENO_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/crypt/crypt.h"
#include "stack/crypt/crypt_cache.h"

enum eno_state {
	ENO_OPEN,
	ENO_AGREED, /* an ACK segment with ENO came, all rules kept */
	ENO_OFF,
};

/* what nobody needs once there are keys */
struct eno_early {
	uint8_t mine[ENO_OPT_MAX], peer[ENO_OPT_MAX]; /* SYN-form options */
	struct crypt_ticket ticket; /* out of the cache: named, or resumed */
	uint8_t sn[2 * ENO_NONCE];
};

struct eno {
	struct eno_early *x; /* the user's; NULL: there are keys */
	uint8_t state;
	bool active;
	bool sent_ack, got_ack; /* ACK segments with ENO */
	bool got_nonsyn;        /* no ENO any more */
	bool simultaneous;      /* active, and a SYN came */
	enum crypt_reason why;  /* OFF */
	uint8_t mine_len, peer_len; /* of x; 0: not made, not come */
	bool have_ticket;
	uint64_t wanted; /* passive: secret to resume, still in the cache */
	/* what was negotiated: since the peer's SYN form came and ours is made */
	bool settled;
	bool role_b, peer_aware, sig, resumed;
	uint8_t tep, kx;
	uint8_t tep_byte; /* as host B sent it */
	uint8_t sn_len;   /* nonces in the order of the original roles */
};

/* what the negotiation draws on */
struct eno_env {
	const struct crypt_conf *conf;
	struct crypt_cache *cache;
	const struct entropy *entropy;
	uint64_t *counter;   /* by enum crypt_reason */
	const uint8_t *peer; /* active: whom; see crypt_conn_new() */
	size_t peer_len;
	struct instant now;
};

/* x: cleared, and there until there are keys */
void eno_init(struct eno *e, struct eno_early *x, bool active);
/* Gives a secret that was named by the peer, but not used, back to the cache;
 * wipes. */
void eno_fini(struct eno *e, const struct eno_env *env);
void eno_in(struct eno *e, const struct eno_env *env, enum crypt_seg seg,
	    const struct eno_opt_seen *seen);
unsigned eno_out(struct eno *e, const struct eno_env *env, enum crypt_seg seg,
		 uint8_t *buf, unsigned room);
/* active: would eno_out() of the first SYN name a secret, if there were room? */
bool eno_would_resume(const struct eno *e, const struct eno_env *env);
bool eno_give_up(struct eno *e, const struct eno_env *env,
		 enum crypt_reason why);
/* host A's option, then host B's; AGREED */
void eno_transcript(const struct eno *e, struct iov out[2]);

#endif
