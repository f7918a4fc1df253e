#include "stack/base/pkt.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

struct slice *slice_make(struct mem *mem, struct pkt *pkt, const uint8_t *p,
			 uint32_t len)
{
	bool copy = 4 * (uint64_t)len < pkt->truesize;
	uint32_t alloc = (uint32_t)sizeof(struct slice) + (copy ? len : 0);
	struct slice *s = mem_alloc(mem, alloc);

	if (!s) {
		return NULL;
	}
	*s = (struct slice){ .len = len, .alloc = alloc, .charge = alloc };
	list_init(&s->node);
	if (copy) {
		memcpy(s + 1, p, len);
		s->p = (const uint8_t *)(s + 1);
		return s;
	}
	pkt_get(pkt);
	s->pkt = pkt;
	s->p = p;
	s->charge += pkt->truesize;
	return s;
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
