/* eno_opt.h - TCP Encryption Negotiation Option (RFC 8547 4.1-4.4), kind 69,
 * and the suboption "SM" of the experimental TEP 0x20 (smtcp(7))
 *
 * Only what the octets say; what follows from them is stack/crypt's.
 * Pointers go into the option that was parsed.
 */
#ifndef WIRE_ENO_OPT_H
#define WIRE_ENO_OPT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"

#define ENO_OPT_KIND 69
#define ENO_OPT_MAX  40 /* all that a TCP header has for options */

/* global suboption (4.2) */
#define ENO_OPT_B 0x01 /* passive role */
#define ENO_OPT_A 0x02 /* application-aware */

/* TEP identifiers (RFC 8547 section 9, RFC 8548 section 7) */
enum eno_opt_tep {
	ENO_TEP_EXP = 0x20, /* experiments, told apart by magic octets */
	ENO_TEP_P256 = 0x21,
	ENO_TEP_P521 = 0x22,
	ENO_TEP_X25519 = 0x23,
	ENO_TEP_X448 = 0x24,
};

/* What the options of one segment said, filled while they are walked;
 * start with zero.  n counts up to 2, which means "more than one". */
struct eno_opt_seen {
	const uint8_t *opt; /* the first, kind and length included; or NULL */
	uint8_t len, n;
};

void eno_opt_note(struct eno_opt_seen *s, const uint8_t *opt, uint8_t len);

struct eno_opt_sub {
	uint8_t tep; /* glt, 0x20..0x7f */
	bool v;      /* data follow, if only zero octets */
	uint8_t len;
	const uint8_t *data; /* NULL unless v */
};

/* contents of a SYN-form option */
struct eno_opt {
	bool has_global;
	uint8_t global; /* the first global suboption; 0 when there is none */
	uint8_t n;      /* 0: vacuous */
	struct eno_opt_sub sub[ENO_OPT_MAX - 2];
};

/* opt: the whole option, len octets.  false: ill-formed (4.4), or kind or
 * length octet wrong; *out is unusable then. */
bool eno_opt_parse(const uint8_t *opt, uint8_t len, struct eno_opt *out);

/* Octets written, 0 when there is no room or a suboption cannot be written:
 * data before the last suboption are 1 to 32 octets.  global < 0: none. */
unsigned eno_opt_emit(struct wr *w, int global, const struct eno_opt_sub *sub,
		      unsigned n);
/* non-SYN form, no contents: 2, or 0 when there is no room */
unsigned eno_opt_emit_ack(struct wr *w);

/* Data of a resumption suboption (RFC 8548 3.5): half an identifier, then a
 * nonce.  Fewer or more octets are no resumption. */
#define ENO_HALF  9
#define ENO_NONCE 8 /* at most */

/* Data of TEP 0x20: 'S' 'M', then octets R S kx(6).  With R the half and the
 * nonce follow the only one; without R each octet is an alternative. */
#define ENO_SM_R   0x80
#define ENO_SM_S   0x40 /* signalling frames are understood */
#define ENO_SM_KX  0x3f /* TEP identifier of the key exchange - 0x20 */
#define ENO_SM_MAX ENO_OPT_MAX

struct eno_opt_sm {
	bool r;                 /* R of the first octet; elsewhere ignored */
	bool resume;            /* R, and data of a fitting length */
	bool sig;               /* S of the first octet */
	uint8_t n;              /* key exchanges named: at least 1 */
	uint8_t kx[ENO_SM_MAX]; /* as TEP identifiers, 0x20..0x5f */
	const uint8_t *half;    /* with resume */
	const uint8_t *nonce;
	uint8_t nonce_len;
};

/* false: not this experiment, or too short */
bool eno_opt_sm_parse(const struct eno_opt_sub *s, struct eno_opt_sm *out);
/* octets written at p, which has room for ENO_OPT_MAX; half NULL: fresh */
unsigned eno_opt_sm_emit(uint8_t *p, const uint8_t *kx, unsigned n_kx, bool sig,
			 const uint8_t *half, const uint8_t *nonce,
			 unsigned nonce_len);

#endif
