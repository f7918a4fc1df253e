#include "stack/ip/ip_frag.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/ip/ip_frag_part.h"
#include "stack/wire/tcp_hdr.h"

void ip_frag_init(struct ip_frag *f, struct mem *mem)
{
	*f = (struct ip_frag){ .mem = mem };
	list_init(&f->all);
}

static void drop_pieces(struct ip_frag *f, struct datagram *d)
{
	struct list *n;

	while ((n = list_pop_front(&d->pieces)) != NULL) {
		struct piece *q = list_entry(n, struct piece, node);
		uint32_t size = (uint32_t)sizeof(*q) + q->size;

		f->used -= size;
		mem_free(f->mem, q, size);
	}
	d->n = d->have = 0;
}

static void drop(struct ip_frag *f, struct datagram *d)
{
	drop_pieces(f, d);
	list_del(&d->node);
	f->n--;
	f->used -= (uint32_t)sizeof(*d);
	mem_free(f->mem, d, sizeof(*d));
}

static struct datagram *oldest(const struct ip_frag *f)
{
	struct list *n = list_first(&f->all);

	return n ? list_entry(n, struct datagram, node) : NULL;
}

void ip_frag_fini(struct ip_frag *f)
{
	struct datagram *d;

	if (f->said) {
		drop(f, f->said);
		f->said = NULL;
	}
	while ((d = oldest(f)) != NULL) {
		drop(f, d);
	}
}

/* --- finding and making ------------------------------------------------------ */

/* IPv6 fragments belong together by addresses and identification alone; only
 * the first one's next header counts (RFC 8200 4.5). */
static struct datagram *find(const struct ip_frag *f, const struct pkt *p,
			     const struct ip_hdr *h)
{
	list_each(n, &f->all) {
		struct datagram *d = list_entry(n, struct datagram, node);

		if (d->id == h->frag.id && d->dev == p->dev &&
		    addr_eq(&d->src, &h->src) && addr_eq(&d->dst, &h->dst) &&
		    (h->src.family == 6 || d->proto == h->proto)) {
			return d;
		}
	}
	return NULL;
}

/* Memory for n octets more, within the bound; the oldest but keep makes
 * room. */
static void *get(struct ip_frag *f, uint32_t n, const struct datagram *keep,
		 unsigned *dropped)
{
	void *v;

	while (f->used + n > IP_FRAG_MEM) {
		struct datagram *d = oldest(f);

		if (!d || d == keep) {
			return NULL;
		}
		drop(f, d);
		++*dropped;
	}
	v = mem_alloc(f->mem, n);
	f->used += v ? n : 0;
	return v;
}

static struct datagram *make(struct ip_frag *f, struct instant now,
			     const struct pkt *p, const struct ip_hdr *h,
			     unsigned *dropped)
{
	struct datagram *d = oldest(f);

	if (d && f->n == IP_FRAG_DATAGRAMS) {
		drop(f, d);
		++*dropped;
	}
	d = get(f, sizeof(*d), NULL, dropped);
	if (!d) {
		return NULL;
	}
	*d = (struct datagram){
		.src = h->src,
		.dst = h->dst,
		.id = h->frag.id,
		.dev = p->dev,
		.proto = h->proto,
		.until = instant_add(now, h->src.family == 6 ? IP_FRAG_LIFE6 :
							      IP_FRAG_LIFE4),
	};
	list_init(&d->pieces);
	list_init(&d->node);
	list_push_back(&f->all, &d->node);
	f->n++;
	return d;
}

/* --- one fragment --------------------------------------------------------------- */

static enum ip_frag_what refuse(struct ip_hdr *h, uint8_t code, uint32_t at)
{
	h->bad = (struct ip_hdr_bad){ h->src.family == 6, code, (uint16_t)at };
	return h->bad.tell ? IP_FRAG_REFUSED : IP_FRAG_FAILED;
}

/* Are all headers up to the transport's in the first fragment?  The walk goes
 * on behind the fragment header, which names what follows. */
static bool whole_chain(const struct pkt *p, const struct ip_hdr *h)
{
	struct ip_hdr q;

	if (h->src.family == 6 &&
	    ip_hdr_parse_quoted(p->data, p->len, &q) != IP_HDR_OK) {
		return false;
	}
	if (h->src.family == 4) {
		q = *h;
	}
	return q.proto != IP_PROTO_TCP || q.body_len >= TCP_HDR_LEN;
}

static enum ip_frag_what examine(const struct pkt *p, struct ip_hdr *h)
{
	bool v6 = h->src.family == 6;

	if (h->body_len == 0) {
		return IP_FRAG_FAILED;
	}
	/* RFC 8200 4.5: pointers to payload length and fragment offset */
	if (h->frag.more && h->body_len % 8) {
		return refuse(h, 0, 4);
	}
	if (h->frag.off + h->body_len + h->frag.at - (v6 ? IP6_HDR_LEN : 0u) >
	    IP_FRAG_TOTAL) {
		return refuse(h, 0, h->frag.at + 2u);
	}
	if (h->frag.off == 0 && !whole_chain(p, h)) {
		return refuse(h, 3, 0);
	}
	/* RFC 3128: a second fragment that begins within the flags */
	if (h->frag.off > 0 && h->frag.off < TCP_HDR_LEN && !v6 &&
	    h->proto == IP_PROTO_TCP) {
		return IP_FRAG_FAILED;
	}
	return IP_FRAG_KEPT;
}

/* The place of [off, off + len) among the pieces: behind *after.  FAILED: it is
 * there already; OVERLAP. */
static enum ip_frag_what place(struct datagram *d, uint32_t off, uint32_t len,
			       struct list **after)
{
	*after = &d->pieces;
	list_each(n, &d->pieces) {
		struct piece *q = list_entry(n, struct piece, node);

		if (q->off == off && q->len == len) {
			return IP_FRAG_FAILED;
		}
		if (q->off + q->len > off && off + len > q->off) {
			return IP_FRAG_OVERLAP;
		}
		if (q->off < off) {
			*after = n;
		}
	}
	return IP_FRAG_KEPT;
}

/* does it agree with what is known of the datagram's end? */
static bool end_agrees(struct datagram *d, const struct ip_hdr *h)
{
	uint32_t end = h->frag.off + h->body_len;

	if (h->frag.more) {
		return !d->ended || end < d->total;
	}
	if (d->ended) {
		return end == d->total;
	}
	list_each(n, &d->pieces) {
		const struct piece *q = list_entry(n, struct piece, node);

		if (q->off + q->len > end) {
			return false;
		}
	}
	d->ended = true;
	d->total = end;
	return true;
}

/* RFC 5722 4: this datagram is never put together */
static enum ip_frag_what spoil(struct ip_frag *f, struct datagram *d,
			       enum ip_frag_what why)
{
	drop_pieces(f, d);
	d->dead = true;
	return why;
}

static enum ip_frag_what keep(struct ip_frag *f, struct datagram *d,
			      const struct pkt *p, const struct ip_hdr *h,
			      unsigned *dropped)
{
	uint32_t skip = (uint32_t)(h->body - p->data);
	uint32_t size = skip + h->body_len;
	enum ip_frag_what what;
	struct list *after;
	struct piece *q;

	what = place(d, h->frag.off, h->body_len, &after);
	if (what == IP_FRAG_FAILED) {
		return IP_FRAG_KEPT; /* the same again: harmless (RFC 8200) */
	}
	if (what == IP_FRAG_OVERLAP || !end_agrees(d, h)) {
		return spoil(f, d, IP_FRAG_OVERLAP);
	}
	if (d->n == IP_FRAG_PIECES) {
		return spoil(f, d, IP_FRAG_FAILED);
	}
	q = get(f, (uint32_t)sizeof(*q) + size, d, dropped);
	if (!q) {
		return spoil(f, d, IP_FRAG_NOMEM);
	}
	*q = (struct piece){ .off = h->frag.off,
			     .len = h->body_len,
			     .size = size,
			     .skip = skip };
	memcpy(q->p, p->data, size);
	list_init(&q->node);
	list_insert(after->next, &q->node);
	d->n++;
	d->have += q->len;
	d->ce |= (h->tos & IP_FRAG_ECN) == IP_FRAG_CE;
	d->not_ect |= (h->tos & IP_FRAG_ECN) == 0;
	return IP_FRAG_KEPT;
}

enum ip_frag_what ip_frag_add(struct ip_frag *f, struct instant now,
			      const struct pkt *p, struct ip_hdr *h,
			      struct pkt **whole, unsigned *dropped)
{
	enum ip_frag_what what = examine(p, h);
	struct datagram *d = find(f, p, h);

	*dropped = 0;
	if (what != IP_FRAG_KEPT) {
		if (d) {
			spoil(f, d, what);
		}
		return what;
	}
	d = d ? d : make(f, now, p, h, dropped);
	if (!d) {
		return IP_FRAG_NOMEM;
	}
	if (d->dead) {
		return IP_FRAG_FAILED;
	}
	what = keep(f, d, p, h, dropped);
	if (what != IP_FRAG_KEPT || !d->ended || d->have < d->total) {
		return what;
	}
	/* RFC 3168 5.3: congestion cannot have been marked on some */
	*whole = d->ce && d->not_ect ? NULL : ip_frag_join(f, d);
	drop(f, d);
	return *whole ? IP_FRAG_DONE : IP_FRAG_FAILED;
}

/* --- time --------------------------------------------------------------------------- */

static struct datagram *next_late(const struct ip_frag *f)
{
	struct datagram *first = NULL;

	list_each(n, &f->all) {
		struct datagram *d = list_entry(n, struct datagram, node);

		if (!first || instant_before(d->until, first->until)) {
			first = d;
		}
	}
	return first;
}

struct instant ip_frag_deadline(const struct ip_frag *f)
{
	const struct datagram *d = next_late(f);

	return d ? d->until : INSTANT_NEVER;
}

bool ip_frag_late(struct ip_frag *f, struct instant now,
		  struct ip_frag_late *late)
{
	struct datagram *d = next_late(f);
	const struct piece *q;
	struct list *n;

	*late = (struct ip_frag_late){ 0 };
	if (f->said) {
		drop(f, f->said);
		f->said = NULL;
	}
	if (!d || !instant_due(d->until, now)) {
		return false;
	}
	n = list_first(&d->pieces);
	q = n ? list_entry(n, struct piece, node) : NULL;
	if (!q || q->off > 0) {
		drop(f, d);
		return true;
	}
	late->p = q->p;
	late->len = q->size;
	late->dev = d->dev;
	list_del(&d->node);
	f->said = d;
	return true;
}
