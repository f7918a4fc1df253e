/* tcp_demux.h - who a segment belongs to, and which local port is free
 *
 * One map of four-tuples holds connections and TIME-WAIT remainders alike; a
 * second one holds listeners by port.
 */
#ifndef TCP_TCP_DEMUX_H
#define TCP_TCP_DEMUX_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/base/hmap.h"
#include "stack/base/ports.h"
#include "stack/base/siphash.h"

#define TCP_DEMUX_MAX      262144 /* connections and TIME-WAITs together */
#define TCP_DEMUX_LISTENERS 4096
#define TCP_PORT_FIRST     32768 /* ephemeral range: Linux's */
#define TCP_PORT_LAST      60999

/* part of a connection or of a TIME-WAIT remainder */
struct tcp_entry {
	struct hnode node;
	struct ports_node same_port;
	struct tuple t;
	bool timewait;
};

static inline struct tcp_entry *tcp_entry_of(struct ports_node *n)
{
	return n ? container_of(n, struct tcp_entry, same_port) : NULL;
}

/* part of a listener */
struct tcp_bound {
	struct hnode node;
	struct endpoint local; /* an IPv4 address or any; never v4-mapped */
	bool dual;             /* IPv6 any that takes IPv4, too */
	bool reuseport;
};

struct tcp_demux {
	struct hmap map;
	struct hmap ports;
	struct ports local; /* of all entries: who has which port */
	struct siphash_key key;
	uint32_t next_port; /* RFC 6056 3.3.3: next_ephemeral */
};

bool tcp_demux_init(struct tcp_demux *d, struct mem *mem,
		    const struct siphash_key *key);
void tcp_demux_fini(struct tcp_demux *d);

/* NULL: none */
struct tcp_entry *tcp_demux_find(const struct tcp_demux *d,
				 const struct tuple *t);
/* e->t is set; false: the tuple is taken, the map full, or no memory */
bool tcp_demux_add(struct tcp_demux *d, struct tcp_entry *e);
void tcp_demux_del(struct tcp_demux *d, struct tcp_entry *e);

/* The listener for a SYN to t->local: exact address before any of the family
 * before dual any; among reuseport equals chosen by the tuple's hash. */
struct tcp_bound *tcp_demux_bound(const struct tcp_demux *d,
				  const struct tuple *t);
/* false: in the way of another listener, or too many */
bool tcp_demux_bind(struct tcp_demux *d, struct tcp_bound *b);
void tcp_demux_unbind(struct tcp_demux *d, struct tcp_bound *b);

/* nobody has t, and no listener its port */
bool tcp_demux_free(const struct tcp_demux *d, const struct tuple *t);
/* A local port such that t with it is free; 0: none.  t->local.port is
 * ignored. */
uint16_t tcp_demux_ephemeral(struct tcp_demux *d, const struct tuple *t);
/* as tcp_port_get() in tcp.h */
uint16_t tcp_demux_port(struct tcp_demux *d, const struct endpoint *want,
			bool reuse);

#endif
