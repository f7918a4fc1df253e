/* edit.h - a TCP packet taken apart, so that a middlebox or an attacker can
 * change it and put it together again with right lengths and checksums
 */
#ifndef TESTS_SIM_EDIT_H
#define TESTS_SIM_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/wire/ip_hdr.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/sim/sim.h"

#define EDIT_OPTS_MAX 20

struct edit_opt {
	uint8_t len; /* kind and length octets included; 0: taken out */
	uint8_t b[40];
};

struct edit {
	struct ip_hdr ip;
	struct tcp_seg seg; /* as it came; its seq .. flags go out */
	unsigned n;
	struct edit_opt opt[EDIT_OPTS_MAX];
	const uint8_t *data; /* of the packet that was opened, or replaced */
	uint32_t len;
};

/* false: no well-formed TCP packet */
bool edit_open(struct edit *e, const struct pkt *p);
/* a new packet; options that do not fit are left out */
struct pkt *edit_make(struct world *w, const struct edit *e);
/* options of this kind; for kind 30 only this subtype (-1: any) */
unsigned edit_count(const struct edit *e, uint8_t kind, int subtype);
unsigned edit_strip(struct edit *e, uint8_t kind, int subtype);
/* NULL: none */
struct edit_opt *edit_find(struct edit *e, uint8_t kind, int subtype);
void edit_add(struct edit *e, const uint8_t *opt, uint8_t len);

/* --- box.c, for the other parts of the middlebox ------------------------- */

/* takes the option out when f is on, and counts it */
bool box_strip(struct box *b, struct edit *e, enum sim_fault f, bool when,
	       uint8_t kind, int subtype);

/* --- frag.c: fragments ---------------------------------------------------- */

#define FRAG_MOST 4

bool frag_wanted(struct box *b, const struct pkt *p);
/* the pieces of p, of which there are so many */
unsigned frag_cut(struct box *b, const struct pkt *p,
		  struct pkt *out[FRAG_MOST]);

/* --- box_crypt.c: what a middlebox does to ENO, Init and frames ----------- */

/* the packet goes no further */
bool box_crypt_drops(struct box *b, const struct edit *e);
/* changes options, or octets of p's payload */
bool box_crypt_alter(struct box *b, struct edit *e, struct pkt *p);
/* sends something beside p */
void box_crypt_beside(struct box *b, const struct edit *e, const struct pkt *p,
		      bool out);
/* as a few packets, cut at any octets; false: it is not to be cut */
bool box_crypt_cut(struct box *b, struct edit *e, bool out);
/* both are of one mapping, or none: together they say as much as alone */
bool box_crypt_mergeable(const struct edit *a, const struct edit *b);

#endif
