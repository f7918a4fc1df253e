#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/hmap.h"
#include "tests/lib/fake.h"

#define N 600

struct item {
	struct hnode node;
	unsigned key;
	bool in;
};

static struct item *look(const struct hmap *m, uint64_t hash, unsigned key)
{
	struct hnode *p = hmap_find(m, hash);

	for (; p; p = hmap_find_next(p)) {
		struct item *it = container_of(p, struct item, node);

		assert_true(p->hash == hash);
		if (it->key == key) {
			return it;
		}
	}
	return NULL;
}

/* against a flag per item; many keys share a hash */
static void model(uint64_t fail_every)
{
	static struct item item[N];
	struct fake f;
	struct hmap m;
	uint32_t n = 0;

	fake_init(&f, 3);
	memset(item, 0, sizeof(item));
	assert_true(hmap_init(&m, &f.mem, N - 50));
	for (unsigned i = 0; i < 60000; i++) {
		unsigned k = (unsigned)rng_below(&f.rng, N);
		uint64_t hash = (k % 97) * 0x9e3779b97f4a7c15u;
		struct item *it = &item[k];

		f.fail_at = fail_every;
		it->key = k;
		if (it->in) {
			assert_ptr_equal(look(&m, hash, k), it);
			hmap_del(&m, &it->node);
			hmap_del(&m, &it->node);
			it->in = false;
			n--;
		} else {
			assert_null(look(&m, hash, k));
			it->in = hmap_add(&m, &it->node, hash);
			assert_int_equal(it->in, n < N - 50);
			n += it->in;
		}
		assert_int_equal(m.n, n);
	}
	assert_int_equal(m.n_bucket > 16, fail_every == 0);
	hmap_fini(&m);
	fake_fini(&f);
}

static void agrees_with_a_model(void **st)
{
	(void)st;
	model(0);
}

static void works_when_growth_is_refused(void **st)
{
	(void)st;
	model(1);
}

static void refuses_without_memory(void **st)
{
	struct fake f;
	struct hmap m;

	(void)st;
	fake_init(&f, 1);
	f.fail_at = 1;
	assert_false(hmap_init(&m, &f.mem, 10));
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(works_when_growth_is_refused),
		cmocka_unit_test(refuses_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
