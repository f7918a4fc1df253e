#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/engine/heap.h"

#define CONNS 10000u

/* resident octets of this process */
static uint64_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all = 0, here = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &here), 2);
	fclose(f);
	return here * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void accounts_are_separate(void **st)
{
	struct heap h;
	struct mem a, b;
	uint8_t *p, *q;

	(void)st;
	heap_init(&h);
	a = heap_mem(&h, 100000);
	b = heap_mem(&h, 1000);
	p = mem_zalloc(&a, 70000);
	q = mem_zalloc(&b, 1000);
	assert_non_null(p);
	assert_non_null(q);
	assert_null(mem_alloc(&b, 1));
	assert_null(mem_alloc(&a, 30001));
	memset(p, 1, 70000);
	memset(q, 2, 1000);
	assert_int_equal(p[69999], 1);
	mem_free(&a, p, 70000);
	mem_free(&b, q, 1000);
	assert_int_equal(a.used + b.used, 0);
	mem_rest(&a);
	heap_fini(&h);
}

/* connections that were opened one after the other, each with a ring that it
 * gave back a little later: at rest they cost what they hold */
static void rest_gives_pages_back(void **st)
{
	static struct {
		void *conn, *ring, *slice;
	} v[CONNS];
	struct heap h;
	struct mem m;
	uint64_t before, now;

	(void)st;
	memset(v, 0, sizeof(v)); /* its pages are not counted below */
	heap_init(&h);
	m = heap_mem(&h, UINT64_MAX);
	before = resident();
	for (unsigned i = 0; i < CONNS; i++) {
		v[i].ring = mem_zalloc(&m, 4096);
		v[i].conn = mem_zalloc(&m, 1000);
		v[i].slice = mem_zalloc(&m, 100);
		assert_non_null(v[i].ring);
		assert_non_null(v[i].conn);
	}
	for (unsigned i = 0; i < CONNS; i++) {
		mem_free(&m, v[i].ring, 4096);
		mem_free(&m, v[i].slice, 100);
	}
	mem_rest(&m);
	now = resident();
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
	assert_true(now > before);
	assert_true(now - before < CONNS * 1000 * 11 / 10);
#else
	(void)now;
	(void)before;
#endif
	for (unsigned i = 0; i < CONNS; i++) {
		mem_free(&m, v[i].conn, 1000);
	}
	assert_int_equal(m.used, 0);
	heap_fini(&h);
	assert_int_equal(h.slab.n_blocks, 0);
}

/* rings of short connections come and go: their pages stay until there is a
 * rest, and go then */
static void pages_stay_while_busy(void **st)
{
	unsigned moves = 0;
	struct heap h;
	struct mem m;
	void *p[64], *was, *before;

	(void)st;
	heap_init(&h);
	m = heap_mem(&h, UINT64_MAX);
	mem_rest(&m);
	before = was = sbrk(0);
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = mem_alloc(&m, 16u << 10);
			assert_non_null(p[i]);
			moves += sbrk(0) != was;
			was = sbrk(0);
		}
		for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
			mem_free(&m, p[i], 16u << 10);
			moves += sbrk(0) != was;
			was = sbrk(0);
		}
	}
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
	assert_true(moves < 20);
	mem_rest(&m);
	assert_true((uint8_t *)sbrk(0) <= (uint8_t *)before + (256u << 10));
#else
	(void)moves;
	(void)before;
#endif
	heap_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_are_separate),
		cmocka_unit_test(rest_gives_pages_back),
		cmocka_unit_test(pages_stay_while_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
