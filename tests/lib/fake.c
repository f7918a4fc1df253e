#include "tests/lib/fake.h"

#include <stdio.h>
#include <stdlib.h>

#include "stack/base/check.h"

static void *fake_alloc(void *ctx, size_t size)
{
	struct fake *f = ctx;

	if (f->fail_at && --f->fail_at == 0) {
		return NULL;
	}
	return malloc(size);
}

static void fake_release(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static void fake_fill(void *ctx, void *buf, size_t n)
{
	struct fake *f = ctx;

	rng_fill(&f->rng, buf, n);
}

static void fake_line(void *ctx, const char *text)
{
	const struct fake *f = ctx;

	if (f->print) {
		fprintf(stderr, "%s\n", text);
	}
}

void fake_init(struct fake *f, uint64_t seed)
{
	*f = (struct fake){ .mem = { .alloc = fake_alloc,
				     .release = fake_release,
				     .ctx = f,
				     .limit = (uint64_t)1 << 30 },
			    .env = { .mem = &f->mem,
				     .entropy = { fake_fill, f },
				     .trace = { fake_line, f } } };
	rng_seed(&f->rng, seed);
}

void fake_fini(struct fake *f)
{
	if (f->mem.used) {
		fprintf(stderr, "%llu octets still allocated\n",
			(unsigned long long)f->mem.used);
	}
	check(f->mem.used == 0);
}
