#include <string.h>

#include "stack/base/check.h"
#include "stack/ip/ip_frag_part.h"
#include "stack/wire/cksum.h"

struct whole {
	struct pkt pkt;
	struct mem *mem;
	size_t size;
	uint8_t p[];
};

static void whole_release(struct pkt *p)
{
	struct whole *w = container_of(p, struct whole, pkt);

	mem_free(w->mem, w, w->size);
}

/* the first fragment's headers, as if nothing had been cut */
static void mend_header(const struct datagram *d, const struct piece *first,
			uint8_t *p, uint32_t hdr, uint16_t name_at)
{
	bool v6 = d->src.family == 6;

	memcpy(p, first->p, hdr);
	if (v6) {
		p[name_at] = first->p[hdr];
		be16_put(p + 4, (uint16_t)(hdr - IP6_HDR_LEN + d->total));
		p[1] |= d->ce ? IP_FRAG_CE << 4 : 0;
		return;
	}
	be16_put(p + 2, (uint16_t)(hdr + d->total));
	be16_put(p + 6, 0);
	p[1] |= d->ce ? IP_FRAG_CE : 0; /* RFC 3168 5.3 */
	be16_put(p + 10, 0);
	be16_put(p + 10, cksum_finish(cksum_add(0, p, hdr)));
}

struct pkt *ip_frag_join(struct ip_frag *f, const struct datagram *d)
{
	struct list *head = list_first(&d->pieces);
	const struct piece *first;
	struct ip_hdr h;
	uint32_t hdr, at;
	struct whole *w;
	size_t size;

	first = head ? list_entry(head, struct piece, node) : NULL;
	if (!first ||
	    ip_hdr_parse(first->p, first->size, &h) != IP_HDR_FRAGMENT) {
		return NULL;
	}
	hdr = h.frag.at;
	/* its headers may be longer than those of the last one, by which the
	 * length was examined */
	if (hdr - (h.src.family == 6 ? IP6_HDR_LEN : 0u) + d->total >
	    IP_FRAG_TOTAL) {
		return NULL;
	}
	size = sizeof(*w) + hdr + d->total;
	w = mem_alloc(f->mem, size);
	if (!w) {
		return NULL;
	}
	*w = (struct whole){ .pkt = { .data = w->p,
				      .len = hdr + d->total,
				      .truesize = (uint32_t)size,
				      .dev = d->dev,
				      .refs = 1,
				      .release = whole_release },
			     .mem = f->mem,
			     .size = size };
	mend_header(d, first, w->p, hdr, h.frag.name_at);
	at = hdr;
	list_each(n, &d->pieces) {
		const struct piece *q = list_entry(n, struct piece, node);

		memcpy(w->p + at, q->p + q->skip, q->len);
		at += q->len;
	}
	check(at == w->pkt.len);
	return &w->pkt;
}
