#include "stack/tcp/tcp_demux.h"

#include "stack/base/check.h"

#define PORTS (TCP_PORT_LAST - TCP_PORT_FIRST + 1)

bool tcp_demux_init(struct tcp_demux *d, struct mem *mem,
		    const struct siphash_key *key)
{
	d->key = *key;
	d->next_port = (uint32_t)(key->k0 ^ key->k1);
	ports_init(&d->local, mem);
	if (!hmap_init(&d->map, mem, TCP_DEMUX_MAX)) {
		return false;
	}
	if (!hmap_init(&d->ports, mem, TCP_DEMUX_LISTENERS)) {
		hmap_fini(&d->map);
		return false;
	}
	return true;
}

void tcp_demux_fini(struct tcp_demux *d)
{
	hmap_fini(&d->map);
	hmap_fini(&d->ports);
	ports_fini(&d->local);
}

static uint64_t demux_hash(const struct tcp_demux *d, const struct tuple *t)
{
	return siphash13(&d->key, t, sizeof(*t));
}

static uint64_t demux_port_hash(const struct tcp_demux *d, uint16_t port)
{
	return siphash13(&d->key, &port, sizeof(port));
}

static struct tcp_entry *demux_lookup(const struct tcp_demux *d,
				      const struct tuple *t, uint64_t hash)
{
	struct hnode *n;

	for (n = hmap_find(&d->map, hash); n; n = hmap_find_next(n)) {
		struct tcp_entry *e = container_of(n, struct tcp_entry, node);

		if (tuple_eq(&e->t, t)) {
			return e;
		}
	}
	return NULL;
}

struct tcp_entry *tcp_demux_find(const struct tcp_demux *d,
				 const struct tuple *t)
{
	return demux_lookup(d, t, demux_hash(d, t));
}

bool tcp_demux_add(struct tcp_demux *d, struct tcp_entry *e)
{
	uint64_t hash = demux_hash(d, &e->t);

	if (demux_lookup(d, &e->t, hash) ||
	    !ports_add(&d->local, &e->same_port, e->t.local.port)) {
		return false;
	}
	if (!hmap_add(&d->map, &e->node, hash)) {
		ports_del(&d->local, &e->same_port, e->t.local.port);
		return false;
	}
	return true;
}

void tcp_demux_del(struct tcp_demux *d, struct tcp_entry *e)
{
	ports_del(&d->local, &e->same_port, e->t.local.port);
	hmap_del(&d->map, &e->node);
}

/* how well a listener fits: 0 not at all, 3 exactly */
static unsigned bound_fit(const struct tcp_bound *b, const struct endpoint *to)
{
	if (b->local.port != to->port) {
		return 0;
	}
	if (b->local.addr.family == to->addr.family) {
		if (addr_eq(&b->local.addr, &to->addr)) {
			return 3;
		}
		return addr_is_any(&b->local.addr) ? 2 : 0;
	}
	return b->dual && to->addr.family == 4 ? 1 : 0;
}

struct tcp_bound *tcp_demux_bound(const struct tcp_demux *d,
				  const struct tuple *t)
{
	uint64_t hash = demux_port_hash(d, t->local.port);
	struct tcp_bound *best = NULL;
	struct hnode *n;
	unsigned fit = 1, equals = 0;
	uint64_t pick;

	for (n = hmap_find(&d->ports, hash); n; n = hmap_find_next(n)) {
		struct tcp_bound *b = container_of(n, struct tcp_bound, node);
		unsigned f = bound_fit(b, &t->local);

		if (f > fit || (f == fit && !best)) {
			best = b;
			fit = f;
			equals = 1;
		} else if (f == fit) {
			equals++;
		}
	}
	if (equals < 2) {
		return best;
	}
	pick = demux_hash(d, t) % equals;
	for (n = hmap_find(&d->ports, hash); n; n = hmap_find_next(n)) {
		struct tcp_bound *b = container_of(n, struct tcp_bound, node);

		if (bound_fit(b, &t->local) == fit && pick-- == 0) {
			return b;
		}
	}
	return best;
}

/* could one incoming SYN go to either, with neither more exact in a way that
 * Linux would accept?  Linux refuses any overlap of two listeners. */
static bool bound_overlap(const struct endpoint *a, bool a_dual,
			  const struct endpoint *b, bool b_dual)
{
	if (a->port != b->port) {
		return false;
	}
	if (a->addr.family == b->addr.family) {
		return addr_eq(&a->addr, &b->addr) || addr_is_any(&a->addr) ||
		       addr_is_any(&b->addr);
	}
	return (a_dual && b->addr.family == 4) ||
	       (b_dual && a->addr.family == 4);
}

static bool demux_listener_in_way(const struct tcp_demux *d,
				  const struct endpoint *e, bool dual,
				  bool reuseport)
{
	struct hnode *n = hmap_find(&d->ports, demux_port_hash(d, e->port));

	for (; n; n = hmap_find_next(n)) {
		struct tcp_bound *b = container_of(n, struct tcp_bound, node);

		if (bound_overlap(&b->local, b->dual, e, dual) &&
		    !(b->reuseport && reuseport)) {
			return true;
		}
	}
	return false;
}

bool tcp_demux_bind(struct tcp_demux *d, struct tcp_bound *b)
{
	if (demux_listener_in_way(d, &b->local, b->dual, b->reuseport)) {
		return false;
	}
	return hmap_add(&d->ports, &b->node,
			demux_port_hash(d, b->local.port));
}

void tcp_demux_unbind(struct tcp_demux *d, struct tcp_bound *b)
{
	hmap_del(&d->ports, &b->node);
}

bool tcp_demux_free(const struct tcp_demux *d, const struct tuple *t)
{
	return !demux_listener_in_way(d, &t->local, false, false) &&
	       (!ports_first(&d->local, t->local.port) ||
		!tcp_demux_find(d, t));
}

/* RFC 6056 3.3.3 (hash-based selection): a per-destination offset keeps
 * sequences to different peers apart, a shared counter keeps a port from
 * coming back soon. */
uint16_t tcp_demux_ephemeral(struct tcp_demux *d, const struct tuple *t)
{
	struct tuple try = *t;
	uint64_t offset;
	unsigned i;

	try.local.port = 0;
	offset = demux_hash(d, &try);
	for (i = 0; i < PORTS; i++) {
		uint64_t at = (offset + d->next_port++) % PORTS;

		try.local.port = (uint16_t)(TCP_PORT_FIRST + at);
		if (tcp_demux_free(d, &try)) {
			return try.local.port;
		}
	}
	return 0;
}

static bool demux_port_used(const struct tcp_demux *d,
			    const struct endpoint *e)
{
	struct ports_node *n = ports_first(&d->local, e->port);

	for (; n; n = n->next) {
		if (bound_overlap(&tcp_entry_of(n)->t.local, false, e,
				  addr_is_any(&e->addr))) {
			return true;
		}
	}
	return false;
}

uint16_t tcp_demux_port(struct tcp_demux *d, const struct endpoint *want,
			bool reuse)
{
	struct endpoint e = *want;
	bool dual = e.addr.family == 6 && addr_is_any(&e.addr);
	unsigned i;

	/* whether [::] takes IPv4 too is the listener's to say: it asks again,
	 * when it listens */
	if (e.port) {
		if (demux_listener_in_way(d, &e, false, reuse) ||
		    (!reuse && demux_port_used(d, &e))) {
			return 0;
		}
		return e.port;
	}
	for (i = 0; i < PORTS; i++) {
		e.port = (uint16_t)(TCP_PORT_FIRST + d->next_port++ % PORTS);
		if (!demux_listener_in_way(d, &e, dual, false) &&
		    !demux_port_used(d, &e)) {
			return e.port;
		}
	}
	return 0;
}
