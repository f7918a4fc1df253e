/* tcp_tfo_known.h - the servers that a client knows by its Fast Open: their
 * cookies, and how often data in the SYN went wrong (RFC 7413 4.1.3)
 *
 * A bounded table, by the pair of addresses; the entry not used for longest
 * makes room.  It takes no memory before the first entry.
 */
#ifndef TCP_TCP_TFO_KNOWN_H
#define TCP_TCP_TFO_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/env.h"
#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/wire/tcp_hdr.h"

#define TCP_TFO_CACHE_MAX 256
#define TCP_TFO_QUIET     (60 * NANOS_S) /* times two for each lost SYN */

/* a server's cookie; len 0: none yet */
struct tcp_tfo_server {
	struct hnode node;
	struct list link; /* in tcp_tfo_known.used */
	struct addr local, remote;
	uint16_t mss; /* 0: not known */
	uint8_t len;
	uint8_t cookie[TCP_HDR_TFO_MAX];
	uint8_t lost; /* SYNs in a row that only went through without */
	struct instant again;
};

struct tcp_tfo_known {
	bool ready; /* hash and map are there */
	struct siphash_key hash;
	struct hmap map;
	struct list used; /* oldest first */
};

void tcp_tfo_known_init(struct tcp_tfo_known *f);
void tcp_tfo_known_fini(struct tcp_tfo_known *f, struct mem *mem);
/* the entry of this pair; NULL: none */
struct tcp_tfo_server *tcp_tfo_known_find(const struct tcp_tfo_known *f,
					  const struct tuple *t);
/* ... perhaps a new one; it is the one used last then.  NULL: no memory */
struct tcp_tfo_server *tcp_tfo_known_entry(struct tcp_tfo_known *f,
					   const struct env *env,
					   const struct tuple *t);
/* data in the SYN, or the option, did not go through */
void tcp_tfo_known_lost(struct tcp_tfo_server *k, struct instant now);
/* it is left alone for now; k may be NULL: it is not */
bool tcp_tfo_known_quiet(const struct tcp_tfo_server *k, struct instant now);

#endif
