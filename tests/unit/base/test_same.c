#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/same.h"
#include "tests/lib/fake.h"

struct opts {
	uint32_t a, b;
	uint64_t c;
};

static struct fake f;
static struct same s;

static int start(void **st)
{
	(void)st;
	fake_init(&f, 1);
	same_init(&s, &f.mem, sizeof(struct opts));
	return 0;
}

static int end(void **st)
{
	(void)st;
	assert_true(list_empty(&s.all));
	fake_fini(&f);
	return 0;
}

static void equal_ones_are_one(void **st)
{
	struct opts v = { .a = 5 };
	const struct opts *x, *y, *z;
	uint64_t one;

	(void)st;
	x = same_get(&s, &v);
	one = f.mem.used;
	y = same_get(&s, &v);
	assert_ptr_equal(x, y);
	assert_ptr_equal(same_share(x), x);
	assert_int_equal(f.mem.used, one);
	v.b = 1;
	z = same_get(&s, &v);
	assert_ptr_not_equal(x, z);
	assert_true(z->b == 1 && x->b == 0 && x->a == 5);
	assert_int_equal(f.mem.used, 2 * one);
	same_put(&s, x);
	same_put(&s, y);
	assert_int_equal(x->a, 5);
	same_put(&s, x);
	assert_int_equal(f.mem.used, one);
	same_put(&s, NULL);
	same_put(&s, z);
}

/* who changes something changes nobody else's */
static void an_edit_is_ones_own(void **st)
{
	struct opts v = { .a = 5 };
	const struct opts *x = same_get(&s, &v), *y = same_get(&s, &v), *z;
	struct opts *w = same_edit(&s, x);
	uint64_t two = f.mem.used;

	(void)st;
	assert_non_null(w);
	assert_ptr_not_equal(w, y);
	assert_int_equal(w->a, 5);
	w->c = 7;
	assert_int_equal(y->c, 0);
	/* nobody finds it half-written */
	v.c = 7;
	z = same_get(&s, &v);
	assert_ptr_not_equal(z, w);
	x = same_done(&s, w);
	assert_ptr_equal(x, z);
	assert_int_equal(f.mem.used, two);
	/* back to what the other has */
	w = same_edit(&s, x);
	w->c = 0;
	x = same_done(&s, w);
	assert_ptr_equal(x, y);
	same_put(&s, x);
	same_put(&s, y);
	/* the only user's is written where it is */
	f.fail_at = 1;
	w = same_edit(&s, z);
	assert_ptr_equal(w, z);
	w->a = 9;
	z = same_done(&s, w);
	assert_int_equal(z->a, 9);
	f.fail_at = 0;
	same_put(&s, z);
}

static void no_memory_changes_nothing(void **st)
{
	struct opts v = { .a = 5 };
	const struct opts *x = same_get(&s, &v), *y = same_share(x);

	(void)st;
	f.fail_at = 1;
	assert_null(same_edit(&s, x));
	assert_int_equal(x->a, 5);
	f.fail_at = 1;
	v.a = 6;
	assert_null(same_get(&s, &v));
	f.fail_at = 0;
	same_put(&s, x);
	assert_int_equal(y->a, 5);
	same_put(&s, y);
}

/* many different ones: a look at the last few, no more */
static void looking_is_bounded(void **st)
{
	const struct opts *v[100], *again[100];
	struct opts w = { .c = 1 };
	unsigned found = 0;

	(void)st;
	for (unsigned i = 0; i < 100; i++) {
		w.a = i;
		v[i] = same_get(&s, &w);
		assert_non_null(v[i]);
	}
	for (unsigned i = 100; i-- > 0;) {
		w.a = i;
		again[i] = same_get(&s, &w);
		found += again[i] == v[i];
		assert_int_equal(again[i]->a, i);
	}
	assert_int_equal(found, SAME_LOOK);
	for (unsigned i = 0; i < 100; i++) {
		same_put(&s, v[i]);
		same_put(&s, again[i]);
	}
}

#define T(t) cmocka_unit_test_setup_teardown(t, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(equal_ones_are_one),
		T(an_edit_is_ones_own),
		T(no_memory_changes_nothing),
		T(looking_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
