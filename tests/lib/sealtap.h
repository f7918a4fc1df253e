/* sealtap.h - what every packet of a sealed connection must keep to, seen from
 * the wire and without keys (smtcp(7), Sizes, Sealed once, Mappings)
 *
 * No place in the stream ever carries two different octets; every mapping holds
 * one Init message alone or whole frames; no frame is too long; no segment has
 * URG, no DSS a checksum; as long as there is one subflow, mappings are the
 * identity.  Fails the program.
 */
#ifndef TESTS_LIB_SEALTAP_H
#define TESTS_LIB_SEALTAP_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/mpair.h"

#define SEALTAP_STREAM (48u << 20) /* octets looked at, each way */
#define SEALTAP_MAPS   65536
#define SEALTAP_SUBS   64

struct sealtap_map {
	uint32_t off, len;
};

struct sealtap_dir {
	uint8_t *stream, *seen;
	uint64_t top;  /* behind the last octet seen */
	uint64_t base; /* DSN of the first octet */
	bool have_base;
	struct sealtap_map *map;
	unsigned n_map;
	/* results of sealtap_check() */
	unsigned frames, empty, rekeys;
	uint64_t data; /* octets that are the program's, unless urgent */
	uint32_t init, longest;
};

struct sealtap {
	struct sealtap_dir dir[2]; /* by sender */
	struct {
		uint16_t port[2];
		unsigned link;
		uint32_t isn[2];
	} sub[SEALTAP_SUBS];
	unsigned n_sub;
	bool resumed; /* no Init messages */
	bool mapped;  /* any mapping was seen */
	unsigned packets, bare; /* with data; without any mapping */
};

void sealtap_init(struct sealtap *t);
void sealtap_fini(struct sealtap *t);
void sealtap_packet(struct sealtap *t, const struct mpair_pkt *p);
/* After the last packet: walks over both streams as far as they are known. */
void sealtap_check(struct sealtap *t);

#endif
