#include "stack/base/slab.h"

#include "stack/base/check.h"

/* at the start of every block */
struct block {
	struct list node;  /* in some[] while it has room, or spare */
	uint32_t size;     /* of its pieces, a multiple of SLAB_STEP */
	uint32_t used;     /* pieces handed out */
	uint32_t made;     /* octets from which pieces were ever cut */
	struct free *free; /* given back */
};

struct free {
	struct free *next;
};

#define ROUND(n) (((uint32_t)(n) + SLAB_STEP - 1) & ~(SLAB_STEP - 1))
#define FIRST    ROUND(sizeof(struct block))

static uint32_t rounded(size_t size)
{
	check(size > 0 && size <= SLAB_MAX);
	return ROUND(size);
}

static struct list *some(struct slab *s, uint32_t size)
{
	return &s->some[size / SLAB_STEP - 1];
}

static bool full(const struct block *b)
{
	return !b->free && b->made + b->size > SLAB_BLOCK;
}

void slab_init(struct slab *s, const struct slab_src *src)
{
	*s = (struct slab){ .src = *src };
	for (unsigned i = 0; i < ARRAY_SIZE(s->some); i++) {
		list_init(&s->some[i]);
	}
	list_init(&s->spare);
}

void slab_trim(struct slab *s)
{
	struct list *n;

	while ((n = list_pop_front(&s->spare)) != NULL) {
		s->n_spare--;
		s->n_blocks--;
		s->src.give(s->src.ctx, list_entry(n, struct block, node));
	}
}

/* an empty block for pieces of that size, on its list */
static struct block *block_new(struct slab *s, uint32_t size)
{
	struct list *n = list_pop_front(&s->spare);
	struct block *b;

	if (n) {
		b = list_entry(n, struct block, node);
		s->n_spare--;
	} else {
		b = s->src.get(s->src.ctx);
		if (!b) {
			return NULL;
		}
		s->n_blocks++;
	}
	*b = (struct block){ .size = size, .made = FIRST };
	list_init(&b->node);
	list_push_front(some(s, size), &b->node);
	return b;
}

void *slab_get(struct slab *s, size_t size)
{
	uint32_t n = rounded(size);
	struct list *first = list_first(some(s, n));
	struct block *b = first ? list_entry(first, struct block, node)
				: block_new(s, n);
	void *p;

	if (!b) {
		return NULL;
	}
	if (b->free) {
		p = b->free;
		b->free = b->free->next;
	} else {
		/* cut when first needed: pages nobody used stay untouched */
		p = (uint8_t *)b + b->made;
		b->made += n;
	}
	b->used++;
	if (full(b)) {
		list_del(&b->node);
	}
	return p;
}

static void block_empty(struct slab *s, struct block *b)
{
	list_del(&b->node);
	if (s->n_spare < SLAB_SPARES) {
		list_push_front(&s->spare, &b->node);
		s->n_spare++;
		return;
	}
	s->n_blocks--;
	s->src.give(s->src.ctx, b);
}

void slab_give(struct slab *s, void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p & ((uintptr_t)SLAB_BLOCK - 1);
	struct block *b = (void *)((uint8_t *)p - at);
	struct free *f = p;
	bool was_full = full(b);

	check(b->size == rounded(size) && b->used > 0);
	f->next = b->free;
	b->free = f;
	b->used--;
	if (b->used == 0) {
		block_empty(s, b);
	} else if (was_full) {
		/* last in line: the fewer blocks are cut from, the more of
		 * them become empty */
		list_push_back(some(s, b->size), &b->node);
	}
}
