/* crypt_msg.h - messages of tcpcrypt (RFC 8548 section 4): Init1, Init2, and
 * the clear header of encryption frames
 *
 * How long a public key is depends on the TEP: the caller says.
 */
#ifndef WIRE_CRYPT_MSG_H
#define WIRE_CRYPT_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"

#define CRYPT_INIT1_MAGIC 0x15101a0eu
#define CRYPT_INIT2_MAGIC 0x097105e0u
#define CRYPT_INIT_HDR    8  /* magic and message_len */
#define CRYPT_NONCE       32 /* N_A, N_B */

/* sym_cipher identifiers (section 7) */
enum crypt_cipher {
	CRYPT_AES128_GCM = 0x0001,
	CRYPT_AES256_GCM = 0x0002,
	CRYPT_CHACHA20_POLY1305 = 0x0010,
};

/* message_len of what begins at p; needs CRYPT_INIT_HDR octets.  false: not
 * this magic */
bool crypt_msg_init_len(const uint8_t *p, uint32_t magic, uint32_t *len);

/* pointers go into the message */
struct crypt_init1 {
	unsigned n_cipher;
	const uint8_t *cipher; /* 2 octets each */
	const uint8_t *nonce;
	const uint8_t *pub;
	uint32_t ignored; /* octets behind pub: allowed, never sent */
};

struct crypt_init2 {
	uint16_t cipher;
	const uint8_t *nonce;
	const uint8_t *pub;
	uint32_t ignored;
};

/* p: the whole message, as long as its message_len says.  false: its fields
 * do not fit in it, or magic or length are others. */
bool crypt_msg_init1_parse(const uint8_t *p, size_t len, unsigned pub_len,
			   struct crypt_init1 *out);
bool crypt_msg_init2_parse(const uint8_t *p, size_t len, unsigned pub_len,
			   struct crypt_init2 *out);

#define CRYPT_INIT1_LEN(n_cipher, pub_len) \
	(CRYPT_INIT_HDR + 1u + 2u * (n_cipher) + CRYPT_NONCE + (pub_len))
#define CRYPT_INIT2_LEN(pub_len) (CRYPT_INIT_HDR + 2u + CRYPT_NONCE + (pub_len))

/* at most 255 ciphers; octets written, 0: no room */
unsigned crypt_msg_init1_emit(struct wr *w, const uint16_t *cipher, unsigned n,
			      const uint8_t nonce[CRYPT_NONCE],
			      const uint8_t *pub, unsigned pub_len);
unsigned crypt_msg_init2_emit(struct wr *w, uint16_t cipher,
			      const uint8_t nonce[CRYPT_NONCE],
			      const uint8_t *pub, unsigned pub_len);

/* control | clen: also the associated data of the frame (4.2.2) */
#define CRYPT_FRAME_HDR   3
#define CRYPT_FRAME_TAG   16
#define CRYPT_FRAME_REKEY 0x01 /* control */
/* smtcp(7): generation modulo 4, in bits that RFC 8548 reserves */
#define CRYPT_FRAME_PHASE_SHIFT 1
#define CRYPT_FRAME_PHASE_MASK  0x06

/* flags, first octet of the plaintext (4.2.1) */
#define CRYPT_FRAME_FIN 0x01 /* FINp */
#define CRYPT_FRAME_URG 0x02 /* URGp: an urgent field of 2 octets follows */
#define CRYPT_FRAME_SIG 0x04 /* smtcp(7): data are signals, not the program's */

/* clen of the shortest frame: flags and tag */
#define CRYPT_FRAME_CLEN_MIN (1 + CRYPT_FRAME_TAG)
/* octets that a frame has besides data; with an urgent field 2 more */
#define CRYPT_FRAME_OVERHEAD (CRYPT_FRAME_HDR + CRYPT_FRAME_CLEN_MIN)
#define CRYPT_FRAME_DATA_MAX (65535 - CRYPT_FRAME_CLEN_MIN)
/* of a whole frame: by RFC 8548, and under SMTCP */
#define CRYPT_FRAME_MAX       (65535 + CRYPT_FRAME_HDR)
#define CRYPT_FRAME_SMTCP_MAX 16384

struct crypt_frame_hdr {
	uint8_t control;
	uint16_t clen;
};

/* needs CRYPT_FRAME_HDR octets; false: too short to hold flags and tag */
bool crypt_msg_frame_parse(const uint8_t *p, struct crypt_frame_hdr *out);
void crypt_msg_frame_emit(uint8_t *p, const struct crypt_frame_hdr *h);

#endif
