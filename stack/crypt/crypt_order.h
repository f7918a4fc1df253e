/* crypt_order.h - generations in the order of the stream (smtcp(7), Rekeying)
 *
 * Frames of two generations come in any order.  In the order of their offsets
 * generations go up by one exactly at a frame with rekey = 1; this tells when
 * verified frames contradict that.
 */
#ifndef CRYPT_CRYPT_ORDER_H
#define CRYPT_CRYPT_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/* what is known of one generation's frames */
struct crypt_span {
	bool any, first_known;
	uint64_t lo, hi; /* offsets of verified frames, with any */
	uint64_t first;  /* that of the one with rekey = 1 */
};

struct crypt_order {
	uint64_t gen;               /* highest of a verified frame */
	struct crypt_span old, cur; /* gen - 1, gen */
	uint64_t through;           /* all before this was verified */
	bool broken;                /* a generation began without rekey = 1 */
};

/* which: -1, 0 or 1 from gen on */
#define CRYPT_ORDER_OLD (-1)
#define CRYPT_ORDER_CUR 0
#define CRYPT_ORDER_NEW 1

/* first: offset of the stream's first frame, which begins generation 0 */
void crypt_order_init(struct crypt_order *o, uint64_t first);
/* Can a frame of that generation begin at this offset?  Copies can. */
bool crypt_order_fits(const struct crypt_order *o, int which, uint64_t offset,
		      bool rekey);
/* it fits, and was verified; CRYPT_ORDER_NEW: gen rises */
void crypt_order_note(struct crypt_order *o, int which, uint64_t offset,
		      bool rekey);
/* everything before this offset was verified */
void crypt_order_received(struct crypt_order *o, uint64_t offset);
/* ... the first frame of gen, and what is before it, too */
bool crypt_order_settled(const struct crypt_order *o);

#endif
