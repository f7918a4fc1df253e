#include "stack/base/env.h"

#include <string.h>

#include "stack/base/check.h"

/* ten full segments: enough to repair losses of a small window */
#define SHARE_TIGHT (16u << 10)

void *mem_alloc(struct mem *m, size_t size)
{
	void *p;

	if (size > m->limit || m->used > m->limit - size) {
		return NULL;
	}
	p = m->alloc(m->ctx, size);
	if (!p) {
		return NULL;
	}
	m->used += size;
	m->peak = max_u64(m->peak, m->used);
	return p;
}

void *mem_zalloc(struct mem *m, size_t size)
{
	void *p = mem_alloc(m, size);

	if (p) {
		memset(p, 0, size);
	}
	return p;
}

void mem_free(struct mem *m, void *p, size_t size)
{
	if (!p) {
		return;
	}
	check(m->used >= size);
	m->used -= size;
	m->release(m->ctx, p, size);
}

void mem_rest(struct mem *m)
{
	if (m->rest) {
		m->rest(m->ctx);
	}
}

bool mem_tight(const struct mem *m)
{
	return m->used >= m->limit / 2;
}

uint64_t mem_share(const struct mem *m, uint64_t most)
{
	return mem_tight(m) ? min_u64(most, SHARE_TIGHT) : most;
}

uint32_t entropy_u32(const struct entropy *e)
{
	uint32_t v;

	e->fill(e->ctx, &v, sizeof(v));
	return v;
}

uint64_t entropy_u64(const struct entropy *e)
{
	uint64_t v;

	e->fill(e->ctx, &v, sizeof(v));
	return v;
}
