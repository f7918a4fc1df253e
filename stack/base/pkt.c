#include "stack/base/pkt.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

#define SMALL  512u  /* octets of a copy that may join the one before */
#define SHARED 2048u /* octets that such copies share */

/* len octets, with room for own of them behind the struct */
static struct slice *make(struct mem *mem, uint32_t len, uint32_t own)
{
	uint32_t alloc = (uint32_t)sizeof(struct slice) + own;
	struct slice *s = mem_alloc(mem, alloc);

	if (!s) {
		return NULL;
	}
	*s = (struct slice){ .len = len, .alloc = alloc, .charge = alloc };
	list_init(&s->node);
	s->p = (const uint8_t *)(s + 1);
	return s;
}

struct slice *slice_new(struct mem *mem, uint32_t len)
{
	return make(mem, len, len);
}

static struct slice *copy(struct mem *mem, const uint8_t *p, uint32_t len)
{
	struct slice *s = slice_new(mem, len);

	if (s) {
		memcpy(s + 1, p, len);
	}
	return s;
}

static struct slice *refer(struct mem *mem, struct pkt *pkt, const uint8_t *p,
			   uint32_t len)
{
	struct slice *s = make(mem, len, 0);

	if (s) {
		pkt_get(pkt);
		s->pkt = pkt;
		s->p = p;
		s->charge += pkt->truesize;
	}
	return s;
}

struct slice *slice_make(struct mem *mem, struct pkt *pkt, const uint8_t *p,
			 uint32_t len)
{
	if (4 * (uint64_t)len < pkt->truesize) {
		return copy(mem, p, len);
	}
	return refer(mem, pkt, p, len);
}

struct slice *slice_head(struct mem *mem, struct slice *s, uint32_t n)
{
	struct slice *h = s->pkt ? refer(mem, s->pkt, s->p, n) :
				   copy(mem, s->p, n);

	check(n < s->len);
	if (h) {
		h->seq = s->seq;
		slice_trim(s, n);
	}
	return h;
}

struct slice *slice_split(struct mem *mem, struct slice *s, uint32_t n)
{
	const uint8_t *p = s->p + n;
	uint32_t len = s->len - n;
	struct slice *rest = s->pkt ? slice_make(mem, s->pkt, p, len) :
				      copy(mem, p, len);

	check(n < s->len);
	if (rest) {
		rest->seq = s->seq + n;
		s->len = n;
	}
	return rest;
}

uint8_t *slice_bytes(struct slice *s)
{
	uint8_t *base = s->pkt ? s->pkt->data : (uint8_t *)s;

	return base + (s->p - base);
}

/* octets behind the last one that a copy's memory has */
static uint32_t slice_spare(const struct slice *s)
{
	const uint8_t *end = (const uint8_t *)s + s->alloc;

	return s->pkt ? 0 : (uint32_t)(end - (s->p + s->len));
}

/* s with room for more behind it; s itself when memory is refused */
static struct slice *slice_widen(struct mem *mem, struct slice *s)
{
	uint32_t alloc = (uint32_t)sizeof(*s) + SHARED;
	struct slice *wide = mem_alloc(mem, alloc);

	if (!wide) {
		return s;
	}
	*wide = *s;
	list_init(&wide->node);
	wide->alloc = alloc;
	wide->charge = alloc;
	wide->p = (const uint8_t *)(wide + 1);
	memcpy(wide + 1, s->p, s->len);
	slice_free(mem, s);
	return wide;
}

void slice_queue(struct mem *mem, struct list *q, struct slice *s)
{
	struct list *n = list_last(q);
	struct slice *last = n ? list_entry(n, struct slice, node) : NULL;

	if (last && !last->pkt && !s->pkt && s->len <= SMALL) {
		if (s->len <= slice_spare(last)) {
			memcpy((uint8_t *)last + (last->alloc -
						  slice_spare(last)),
			       s->p, s->len);
			last->len += s->len;
			slice_free(mem, s);
			return;
		}
		s = slice_widen(mem, s);
	}
	list_push_back(q, &s->node);
}

void slice_free(struct mem *mem, struct slice *s)
{
	list_del(&s->node);
	if (s->pkt) {
		pkt_put(s->pkt);
	}
	mem_free(mem, s, s->alloc);
}

void slice_free_all(struct mem *mem, struct list *head)
{
	list_each_safe (p, head) {
		slice_free(mem, list_entry(p, struct slice, node));
	}
}

void slice_trim(struct slice *s, uint32_t n)
{
	check(n < s->len);
	s->p += n;
	s->len -= n;
	s->seq += n;
}
