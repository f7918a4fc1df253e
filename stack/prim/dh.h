/* dh.h - key agreement of RFC 8548 section 5, by libcrypto
 *
 * struct dh holds what is fetched once per stack.  A key pair is a plain
 * value, so that pairs can be made ahead and handed over; wipe it after use.
 * Private keys come from the entropy handed in: the same seed makes the same
 * keys.
 */
#ifndef PRIM_DH_H
#define PRIM_DH_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"

enum dh_group {
	DH_P256,
	DH_P521,
	DH_X25519,
	DH_X448,
	DH_N,
};

#define DH_PUB_MAX    69
#define DH_PRIV_MAX   66
#define DH_SECRET_MAX 66

struct dh;

struct dh_key {
	enum dh_group group;
	uint8_t pub[DH_PUB_MAX]; /* as it is sent: dh_pub_len() octets */
	uint8_t priv[DH_PRIV_MAX];
};

enum dh_result {
	DH_OK,
	DH_BAD_PUB, /* no point of the curve, or not in the required form */
	DH_ZERO,    /* the secret is all zero (RFC 7748 section 6) */
	DH_FAILED,  /* libcrypto */
};

struct dh *dh_new(void); /* NULL: libcrypto refuses */
void dh_free(struct dh *d);
bool dh_has(const struct dh *d, enum dh_group g);

/* as sent: raw for X25519 (32) and X448 (56); for P-256 (35) and P-521 (69)
 * the compressed point behind its length of two octets, which counts itself */
unsigned dh_pub_len(enum dh_group g);
unsigned dh_priv_len(enum dh_group g);   /* 32, 66, 32, 56 */
unsigned dh_secret_len(enum dh_group g); /* 32, 66, 32, 56 */

/* false: libcrypto failed or lacks the group; *k is cleared */
bool dh_make(struct dh *d, enum dh_group g, const struct entropy *e,
	     struct dh_key *k);
/* the same of a known private key, dh_priv_len() octets big-endian, for the P
 * curves in [1, order-1] (tests, vectors) */
bool dh_set(struct dh *d, enum dh_group g, const uint8_t *priv,
	    struct dh_key *k);
/* peer: dh_pub_len() octets from the wire, checked here.  secret:
 * dh_secret_len() octets, cleared unless DH_OK */
enum dh_result dh_agree(struct dh *d, const struct dh_key *k,
			const uint8_t *peer, uint8_t *secret);
void dh_wipe(struct dh_key *k);

#endif
