#include "stack/base/same.h"

#include <stddef.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

struct piece {
	struct list node;
	uint64_t users;
	uint64_t v[]; /* aligned as any option is */
};

static struct piece *of(const void *v)
{
	/* the octets are the users'; what is around them is ours */
	return (void *)((uintptr_t)v - offsetof(struct piece, v));
}

static size_t whole(const struct same *s)
{
	return sizeof(struct piece) + s->size;
}

void same_init(struct same *s, struct mem *mem, uint32_t size)
{
	*s = (struct same){ .mem = mem, .size = size };
	list_init(&s->all);
}

static struct piece *find(const struct same *s, const void *v)
{
	unsigned left = SAME_LOOK;

	list_each (n, &s->all) {
		struct piece *p = list_entry(n, struct piece, node);

		if (left-- == 0) {
			return NULL;
		}
		if (memcmp(p->v, v, s->size) == 0) {
			return p;
		}
	}
	return NULL;
}

/* on no list */
static struct piece *make(struct same *s, const void *v)
{
	struct piece *p = mem_alloc(s->mem, whole(s));

	if (p) {
		list_init(&p->node);
		p->users = 0;
		memcpy(p->v, v, s->size);
	}
	return p;
}

static void *use(struct same *s, struct piece *p)
{
	list_del(&p->node);
	list_push_front(&s->all, &p->node);
	p->users++;
	return p->v;
}

static void drop(struct same *s, struct piece *p)
{
	list_del(&p->node);
	mem_free(s->mem, p, whole(s));
}

void *same_get(struct same *s, const void *v)
{
	struct piece *p = find(s, v);

	if (!p) {
		p = make(s, v);
	}
	return p ? use(s, p) : NULL;
}

void *same_share(const void *piece)
{
	struct piece *p = of(piece);

	p->users++;
	return p->v;
}

void same_put(struct same *s, const void *piece)
{
	struct piece *p = piece ? of(piece) : NULL;

	if (p && --p->users == 0) {
		drop(s, p);
	}
}

void *same_edit(struct same *s, const void *piece)
{
	struct piece *p = of(piece), *own;

	if (p->users == 1) {
		/* nobody else has it, nor finds it meanwhile */
		p->users = 0;
		list_del(&p->node);
		return p->v;
	}
	own = make(s, piece);
	if (!own) {
		return NULL;
	}
	p->users--;
	return own->v;
}

void *same_done(struct same *s, void *own)
{
	struct piece *p = of(own), *equal = find(s, own);

	check(p->users == 0);
	if (equal) {
		drop(s, p);
		p = equal;
	}
	return use(s, p);
}
