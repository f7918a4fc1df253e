/* crypt_set.h - all that one session secret makes: the keys of frames, session
 * id, SMTCP's other keys, and the secret of the next session
 *
 * A connection has one, and for a while two, when host A cannot know which
 * transcript host B made its keys from (smtcp(7), Transcripts).
 */
#ifndef CRYPT_CRYPT_SET_H
#define CRYPT_CRYPT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/crypt/crypt.h"
#include "stack/crypt/crypt_cache.h"
#include "stack/crypt/crypt_rec.h"

struct crypt_set {
	struct crypt_rec rec;
	struct crypt_ticket *next; /* ss[i+1], until it is kept; NULL none */
	uint8_t session_id[CRYPT_SESSION_ID];
	struct crypt_sk sk; /* zero unless smtcp */
};

struct crypt_set_spec {
	const struct crypt_rec *rec; /* hash to rx_start, tx_next */
	/* NULL: none is kept; tep to orig_b of the next session's secret, which
	 * is written there */
	struct crypt_ticket *next;
	bool smtcp;
	uint8_t tep_byte;
	const uint8_t *ss;
	struct iov sn; /* session nonces, none for a fresh session */
};

/* false: libcrypto refuses; *s is wiped */
bool crypt_set_make(struct crypt_set *s, struct instant now,
		    const struct crypt_set_spec *spec);
void crypt_set_fini(struct crypt_set *s); /* wipes; zeros are allowed */
/* forgets the secret of the next session */
void crypt_set_no_next(struct crypt_set *s);
/* Opens a first frame with the keys of s, and if it is not authentic, with
 * those of alt; if these fit, the two change places.  As crypt_open() else;
 * CRYPT_NOMEM: no memory for a copy. */
enum crypt_reason crypt_set_choose(struct crypt_set *s, struct crypt_set *alt,
				   struct mem *mem, uint64_t offset,
				   const struct iov_mut *v, unsigned n,
				   size_t len, struct crypt_opened *out);

#endif
