/* mp_cksum.h - checksums of mappings (RFC 8684 3.3.1) */
#ifndef MPTCP_MP_CKSUM_H
#define MPTCP_MP_CKSUM_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"

struct mp_map;
struct mp_sub;

/* of a mapping that is about to be sent; computed once, kept in the mapping */
uint16_t mp_cksum_tx(struct mp_sub *s, struct mp_map *m, uint64_t dsn);
/* Is the checksum of a received mapping right?  held: slices by ssn, that
 * hold the whole mapping; dsn and len as declared, fin counted. */
bool mp_cksum_rx(const struct list *held, const struct mp_map *m,
		 uint64_t dsn);
/* of a DATA_FIN without data */
uint16_t mp_cksum_fin(uint64_t dsn);

#endif
