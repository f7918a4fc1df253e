/* crypt_rec.h - encryption frames (RFC 8548 3.6 to 3.8, 4.2), and with phases
 * as smtcp(7) has them
 *
 * A nonce follows from the offset of a frame's first octet; sealing refuses an
 * offset that lies before the end of what was sealed, so that none is used
 * twice.  Plain tcpcrypt opens frames in order, with one set of keys; with
 * phases frames of three generations may come in any order.
 */
#ifndef CRYPT_CRYPT_REC_H
#define CRYPT_CRYPT_REC_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/crypt/crypt.h"
#include "stack/crypt/crypt_keys.h"
#include "stack/crypt/crypt_order.h"
#include "stack/prim/aead.h"
#include "stack/prim/hash.h"

/* one direction under one key */
struct crypt_rec_key {
	struct aead_key *k; /* NULL: none, or it rests */
	uint8_t nr[AEAD_NONCE];
	bool rests; /* to be made again from the master key when needed */
};

struct crypt_rec {
	struct hash *hash;
	struct aead *aead;
	const struct crypt_conf *conf;
	enum aead_alg alg;
	bool phases;
	bool sig;
	bool ab;                   /* we seal with k_ab, and open with k_ba */
	uint64_t tx_base, rx_base; /* subtracted from offsets */
	uint64_t rx_start;         /* offset of the peer's first frame */

	struct crypt_rec_key tx;
	uint8_t tx_mk[CRYPT_K_LEN];
	uint64_t tx_gen;
	uint64_t tx_next; /* least offset that may be sealed */
	uint64_t tx_mark; /* end of the first frame of tx_gen */
	bool tx_first;    /* the next frame is the first of tx_gen */
	bool tx_marked;   /* it has been acknowledged */
	bool tx_fin;
	struct instant tx_since;
	uint64_t key_frames, key_bytes; /* under this key */
	uint64_t tx_frames, tx_bytes;

	struct crypt_rec_key rx, rx_old, rx_new; /* rx_gen, -1, +1 */
	uint8_t rx_mk[CRYPT_K_LEN];
	uint64_t rx_gen;
	struct crypt_order order; /* with phases */
	uint64_t rx_end;          /* end of the last frame opened */
	bool rx_fin; /* a FINp frame was opened; it ends at rx_end */
	uint64_t rx_frames, rx_bytes;
};

/* mk0 is copied.  false: libcrypto refuses; nothing to undo */
bool crypt_rec_init(struct crypt_rec *r, const uint8_t mk0[CRYPT_K_LEN],
		    struct instant now);
void crypt_rec_fini(struct crypt_rec *r); /* wipes */

size_t crypt_rec_max(const struct crypt_rec *r); /* octets of a frame */
enum crypt_reason crypt_rec_seal(struct crypt_rec *r,
				 const struct crypt_seal *s,
				 const struct iov_mut *out, unsigned n_out,
				 size_t *len);
enum crypt_reason crypt_rec_open(struct crypt_rec *r, uint64_t offset,
				 const struct iov_mut *v, unsigned n,
				 size_t len, struct crypt_opened *out);
enum crypt_reason crypt_rec_end(const struct crypt_rec *r, uint64_t end);
void crypt_rec_received(struct crypt_rec *r, uint64_t offset);
void crypt_rec_acked(struct crypt_rec *r, uint64_t offset);
bool crypt_rec_rekey(struct crypt_rec *r, struct instant now);
bool crypt_rec_due(const struct crypt_rec *r);
/* Gives back what libcrypto keeps for the keys; the next frame makes it again.
 * rx_old stays, if it is there: its master key is gone. */
void crypt_rec_rest(struct crypt_rec *r);

#endif
