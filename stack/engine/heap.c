#include "stack/engine/heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

/* free in malloc's pages, and not worth a walk over them */
#define FREE_LITTLE (512u << 10)

/* Free at the end of malloc()'s pages, and kept for the next connection's ring
 * until there is a rest; free() by itself would give back what exceeds 128 KiB,
 * to ask for it again at once. */
#define FREE_BUSY (2 << 20)
/* the ring of a bulk transfer: pages of its own, gone when it is */
#define LARGE (1 << 20)

/* a tool that looks for misused memory is to see each piece */
#ifdef __has_feature
#define HAS(what) __has_feature(what)
#else
#define HAS(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS(address_sanitizer)
#define SLAB false
#else
#define SLAB true
#endif

static void *pages(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The kernel puts each mapping right below the last one, so that only the
 * first, and few others, have to be cut to the right place. */
static void *block_get(void *ctx)
{
	uint8_t *p = pages(SLAB_BLOCK);
	size_t low;

	(void)ctx;
	if (!p || ((uintptr_t)p & (SLAB_BLOCK - 1)) == 0) {
		return p;
	}
	munmap(p, SLAB_BLOCK);
	p = pages(2 * SLAB_BLOCK);
	if (!p) {
		return NULL;
	}
	low = SLAB_BLOCK - ((uintptr_t)p & (SLAB_BLOCK - 1));
	munmap(p, low);
	if (low < SLAB_BLOCK) {
		munmap(p + low + SLAB_BLOCK, SLAB_BLOCK - low);
	}
	return p + low;
}

static void block_give(void *ctx, void *block)
{
	(void)ctx;
	munmap(block, SLAB_BLOCK);
}

static void *get(void *ctx, size_t size)
{
	struct heap *h = ctx;

	return SLAB && size > 0 && size <= SLAB_MAX
		       ? slab_get(&h->slab, size)
		       : malloc(size);
}

static void give(void *ctx, void *p, size_t size)
{
	struct heap *h = ctx;

	if (SLAB && size > 0 && size <= SLAB_MAX) {
		slab_give(&h->slab, p, size);
	} else {
		free(p);
	}
}

static void rest(void *ctx)
{
	struct heap *h = ctx;

	slab_trim(&h->slab);
#ifdef __GLIBC__
	if (mallinfo2().fordblks > FREE_LITTLE) {
		malloc_trim(0);
		h->rests++;
	}
#endif
}

void heap_init(struct heap *h)
{
	struct slab_src src = { block_get, block_give, NULL };

#ifdef __GLIBC__
	mallopt(M_TRIM_THRESHOLD, FREE_BUSY);
	mallopt(M_MMAP_THRESHOLD, LARGE);
#endif
	*h = (struct heap){ .rests = 0 };
	slab_init(&h->slab, &src);
}

void heap_fini(struct heap *h)
{
	slab_trim(&h->slab);
}

struct mem heap_mem(struct heap *h, uint64_t limit)
{
	return (struct mem){ .alloc = get,
			     .release = give,
			     .rest = rest,
			     .ctx = h,
			     .limit = limit };
}
