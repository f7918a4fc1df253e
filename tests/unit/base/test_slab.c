#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/base/slab.h"

#define MANY 4000u

static unsigned out; /* blocks that the slab has */
static unsigned most;

static void *get(void *ctx)
{
	(void)ctx;
	if (out >= most) {
		return NULL;
	}
	out++;
	return aligned_alloc(SLAB_BLOCK, SLAB_BLOCK);
}

static void give(void *ctx, void *p)
{
	(void)ctx;
	assert_true(out > 0);
	out--;
	free(p);
}

static void start(struct slab *s)
{
	const struct slab_src src = { get, give, NULL };

	out = 0;
	most = 10000;
	slab_init(s, &src);
}

static void end(struct slab *s)
{
	assert_int_equal(s->n_blocks, out);
	slab_trim(s);
	assert_int_equal(s->n_blocks, 0);
	assert_int_equal(out, 0);
}

/* pieces of every size at once: none overlaps another, all are aligned */
static void pieces_are_their_owners(void **st)
{
	static struct {
		uint8_t *p;
		size_t n;
	} v[MANY];
	struct slab s;
	struct rng rng;

	(void)st;
	start(&s);
	rng_seed(&rng, 3);
	for (unsigned i = 0; i < 20 * MANY; i++) {
		unsigned k = (unsigned)rng_below(&rng, MANY);

		if (v[k].p) {
			for (size_t j = 0; j < v[k].n; j++) {
				assert_int_equal(v[k].p[j], (uint8_t)k);
			}
			slab_give(&s, v[k].p, v[k].n);
			v[k].p = NULL;
			continue;
		}
		v[k].n = 1 + (size_t)rng_below(&rng, SLAB_MAX);
		v[k].p = slab_get(&s, v[k].n);
		assert_non_null(v[k].p);
		assert_true((uintptr_t)v[k].p % SLAB_STEP == 0);
		memset(v[k].p, (int)(uint8_t)k, v[k].n);
	}
	for (unsigned k = 0; k < MANY; k++) {
		if (v[k].p) {
			slab_give(&s, v[k].p, v[k].n);
		}
	}
	assert_true(s.n_spare <= SLAB_SPARES);
	end(&s);
}

/* what stays does not keep what went */
static void sizes_do_not_mix(void **st)
{
	static void *stay[MANY], *go[MANY];
	struct slab s;

	(void)st;
	start(&s);
	for (unsigned i = 0; i < MANY; i++) {
		stay[i] = slab_get(&s, 400);
		go[i] = slab_get(&s, 1000);
		assert_non_null(stay[i]);
		assert_non_null(go[i]);
	}
	for (unsigned i = 0; i < MANY; i++) {
		slab_give(&s, go[i], 1000);
	}
	slab_trim(&s);
	/* 163 pieces of 400 octets to a block: less than 1 in 100 is lost */
	assert_int_equal(out, (MANY + 162) / 163);
	for (unsigned i = 0; i < MANY; i++) {
		slab_give(&s, stay[i], 400);
	}
	end(&s);
}

static void empty_blocks_are_kept_within_reason(void **st)
{
	static void *v[MANY];
	struct slab s;
	unsigned had;

	(void)st;
	start(&s);
	for (unsigned i = 0; i < MANY; i++) {
		v[i] = slab_get(&s, 2048);
	}
	had = out;
	assert_true(had > 2 * SLAB_SPARES);
	for (unsigned i = 0; i < MANY; i++) {
		slab_give(&s, v[i], 2048);
	}
	assert_int_equal(out, SLAB_SPARES);
	/* a spare one serves any size */
	v[0] = slab_get(&s, 16);
	assert_int_equal(out, SLAB_SPARES);
	assert_int_equal(s.n_spare, SLAB_SPARES - 1);
	slab_give(&s, v[0], 16);
	end(&s);
}

static void no_memory_is_said(void **st)
{
	struct slab s;
	void *v[31];

	(void)st;
	start(&s);
	most = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		v[i] = slab_get(&s, 2048);
		assert_non_null(v[i]);
	}
	assert_null(slab_get(&s, 2048));
	assert_null(slab_get(&s, 16));
	slab_give(&s, v[7], 2048);
	assert_ptr_equal(slab_get(&s, 2048), v[7]);
	assert_null(slab_get(&s, 2048));
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		slab_give(&s, v[i], 2048);
	}
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_their_owners),
		cmocka_unit_test(sizes_do_not_mix),
		cmocka_unit_test(empty_blocks_are_kept_within_reason),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
