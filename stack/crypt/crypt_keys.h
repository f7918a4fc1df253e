/* crypt_keys.h - the key schedule of RFC 8548 3.3 to 3.5, and what smtcp(7)
 * adds to it
 *
 * One function per formula.  Every one returns false when libcrypto failed,
 * and clears its output then.
 *
 * A key log line is
 *   TCPCRYPT_MK0 ID CIPHER ab|ba MK0 SESSION_ID
 * in hexadecimal.  ID is N_A (32 octets, in the clear in Init1), or for a
 * resumed session the ENO option of host A; ab: host A of this connection
 * seals with k_ab.  All later keys follow from mk[0].
 */
#ifndef CRYPT_CRYPT_KEYS_H
#define CRYPT_CRYPT_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/crypt/crypt.h"
#include "stack/crypt/crypt_cache.h"
#include "stack/prim/aead.h"
#include "stack/prim/hash.h"

#define CRYPT_K_LEN       32 /* of each TEP there is */
#define CRYPT_TRAFFIC_MAX (AEAD_KEY_MAX + AEAD_NONCE)

/* ss[0] = PRK; parts in this order: eno_transcript (two pieces), mpc, Init1,
 * Init2, ES */
bool crypt_keys_prk(struct hash *h, const uint8_t nonce_a[CRYPT_NONCE],
		    const struct iov part[6], uint8_t out[CRYPT_K_LEN]);
/* ss[i+1] of ss[i] */
bool crypt_keys_next(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
		     uint8_t out[CRYPT_K_LEN]);
/* resume[i] of ss[i] */
bool crypt_keys_resume(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
		       uint8_t out[CRYPT_CACHE_ID]);
/* sn: session nonces, none for a fresh session */
bool crypt_keys_mk0(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
		    struct iov sn, uint8_t out[CRYPT_K_LEN]);
bool crypt_keys_mk_next(struct hash *h, const uint8_t mk[CRYPT_K_LEN],
			uint8_t out[CRYPT_K_LEN]);
/* k_ab or k_ba: key, then nonce randomizer */
bool crypt_keys_traffic(struct hash *h, const uint8_t mk[CRYPT_K_LEN], bool ab,
			unsigned key_len, uint8_t out[CRYPT_TRAFFIC_MAX]);
/* tep_byte: as host B sent it, v included */
bool crypt_keys_session_id(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
			   struct iov sn, uint8_t tep_byte,
			   uint8_t out[CRYPT_SESSION_ID]);
bool crypt_keys_sk(struct hash *h, const uint8_t ss[CRYPT_K_LEN], struct iov sn,
		   struct crypt_sk *out);
/* sn of a resumed SMTCP session: parts are eno_transcript (two) and mpc */
bool crypt_keys_smtcp_sn(struct hash *h, const struct iov part[3],
			 uint8_t out[32]);

/* the library's cipher for a sym_cipher identifier; AEAD_N: not known */
enum aead_alg crypt_keys_alg(uint16_t cipher);

struct crypt_keys_line {
	struct iov id;
	uint16_t cipher;
	bool ab;
	const uint8_t *mk0;
	const uint8_t *session_id;
};

#define CRYPT_KEYS_LINE 320

void crypt_keys_line(const struct crypt_keys_line *l,
		     char out[CRYPT_KEYS_LINE]);

#endif
