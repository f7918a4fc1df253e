/* A router that cuts packets into fragments, whatever they say of it. */
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "tests/sim/edit.h"
#include "tests/sim/watch.h"

#define LEAST 200u /* octets of a packet that is cut */
#define MOST  4u   /* fragments */

static struct pkt *piece4(struct world *w, const struct pkt *p, uint32_t from,
			  uint32_t n, bool more, uint32_t id)
{
	struct pkt *q = world_pkt(w, NULL, 20 + n);
	uint8_t *b = q->data;

	memcpy(b, p->data, 20);
	memcpy(b + 20, p->data + 20 + from, n);
	be16_put(b + 2, (uint16_t)q->len);
	be16_put(b + 4, (uint16_t)id);
	be16_put(b + 6, (uint16_t)(from / 8 | (more ? 0x2000 : 0)));
	be16_put(b + 10, 0);
	be16_put(b + 10, cksum_finish(cksum_add(0, b, 20)));
	return q;
}

static struct pkt *piece6(struct world *w, const struct pkt *p, uint32_t from,
			  uint32_t n, bool more, uint32_t id)
{
	struct pkt *q = world_pkt(w, NULL, 48 + n);
	uint8_t *b = q->data;

	memcpy(b, p->data, 40);
	memcpy(b + 48, p->data + 40 + from, n);
	be16_put(b + 4, (uint16_t)(8 + n));
	b[6] = 44;
	b[40] = p->data[6];
	be16_put(b + 42, (uint16_t)(from | (more ? 1 : 0)));
	be32_put(b + 44, id);
	return q;
}

/* Options of a handshake are looked at on their way in (watch_in()), which
 * knows no fragments. */
static bool may_cut(struct box *b, const struct pkt *p)
{
	struct conn *c;
	struct edit e;

	if (p->len < LEAST || !world_chance(b->w, 0.3) || !edit_open(&e, p) ||
	    (p->data[0] >> 4 == 4 ? p->data[0] != 0x45
				  : p->data[6] != IP_PROTO_TCP)) {
		return false;
	}
	if (!b->w->watch) {
		return true;
	}
	c = watch_conn(b->w, &e.seg);
	return c && watch_of(c)->x.ack_in.there;
}

unsigned frag_cut(struct box *b, const struct pkt *p,
		  struct pkt *out[FRAG_MOST])
{
	bool v4 = p->data[0] >> 4 == 4, turned = world_chance(b->w, 0.5);
	uint32_t hdr = v4 ? 20 : 40, whole = p->len - hdr, at = 0, id, size;
	unsigned n = 0;

	check(MOST <= FRAG_MOST);
	id = (uint32_t)rng_u64(&b->w->rng);
	size = (whole / (2 + (uint32_t)world_below(b->w, MOST - 2)) + 8) & ~7u;
	while (at < whole) {
		uint32_t len = min_u32(size, whole - at);
		bool more = at + len < whole;

		out[n++] = v4 ? piece4(b->w, p, at, len, more, id)
			      : piece6(b->w, p, at, len, more, id);
		at += len;
	}
	for (unsigned i = 0; turned && i < n / 2; i++) {
		struct pkt *t = out[i];

		out[i] = out[n - 1 - i];
		out[n - 1 - i] = t;
	}
	world_fault(b->w, F_FRAGMENT);
	return n;
}

bool frag_wanted(struct box *b, const struct pkt *p)
{
	return box_has(b, F_FRAGMENT) && may_cut(b, p);
}
