#include "tests/unit/crypt/common.h"

#include "stack/crypt/crypt_memo.h"

static struct fake f;
static struct crypt_memo m;

static int start(void **st)
{
	(void)st;
	fake_init(&f, 1);
	return crypt_memo_init(&m, &f.env, 4) ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	crypt_memo_fini(&m);
	fake_fini(&f);
	return 0;
}

static bool put(const char *name, enum crypt_memo_level level, int64_t when)
{
	return crypt_memo_put(&m, name, strlen(name), level,
			      (struct instant){ when });
}

static const struct crypt_memo_entry *get(const char *name)
{
	return crypt_memo_get(&m, name, strlen(name));
}

static void holds(const char *name, enum crypt_memo_level level, int64_t when)
{
	const struct crypt_memo_entry *e = get(name);

	assert_non_null(e);
	assert_int_equal(e->level, level);
	assert_true(e->when.ns == when);
	assert_int_equal(e->name_len, strlen(name));
	assert_memory_equal(e->name, name, strlen(name));
}

static void a_level_only_rises(void **st)
{
	(void)st;
	assert_null(get("a"));
	assert_true(put("a", CRYPT_MEMO_TCPCRYPT, -5));
	holds("a", CRYPT_MEMO_TCPCRYPT, -5);
	assert_true(put("a", CRYPT_MEMO_SMTCP, 20));
	holds("a", CRYPT_MEMO_SMTCP, 20);
	assert_true(put("a", CRYPT_MEMO_TCPCRYPT, 30));
	holds("a", CRYPT_MEMO_SMTCP, 30);
	/* an older report does not make it older */
	assert_true(put("a", CRYPT_MEMO_TCPCRYPT, 10));
	holds("a", CRYPT_MEMO_SMTCP, 30);
	assert_int_equal(m.n, 1);
}

static void names_are_octets(void **st)
{
	uint8_t name[CRYPT_MEMO_NAME + 1] = { 0 };

	(void)st;
	assert_true(crypt_memo_put(&m, name, 2, 1, t0));
	assert_true(crypt_memo_put(&m, name, 3, 2, t0));
	assert_true(crypt_memo_put(&m, name, CRYPT_MEMO_NAME, 2, t0));
	assert_true(crypt_memo_put(&m, NULL, 0, 1, t0));
	assert_int_equal(crypt_memo_get(&m, name, 2)->level, 1);
	assert_int_equal(crypt_memo_get(&m, name, 3)->level, 2);
	assert_int_equal(crypt_memo_get(&m, NULL, 0)->level, 1);
	assert_null(crypt_memo_get(&m, name, 4));
	assert_int_equal(m.n, 4);
	assert_false(crypt_memo_put(&m, name, sizeof(name), 2, t0));
	assert_null(crypt_memo_get(&m, name, sizeof(name)));
}

static void nothing_is_not_kept(void **st)
{
	(void)st;
	assert_false(put("a", CRYPT_MEMO_NONE, 1));
	assert_false(put("a", (enum crypt_memo_level)3, 1));
	assert_null(get("a"));
	assert_true(put("a", CRYPT_MEMO_TCPCRYPT, 1));
	assert_false(put("a", CRYPT_MEMO_NONE, 2));
	holds("a", CRYPT_MEMO_TCPCRYPT, 1);
}

static void the_least_recently_used_goes(void **st)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		assert_true(put(names[i], CRYPT_MEMO_SMTCP, i));
	}
	/* asking for it and seeing it protected are uses */
	holds("a", CRYPT_MEMO_SMTCP, 0);
	assert_true(put("b", CRYPT_MEMO_TCPCRYPT, 9));
	assert_true(put("e", CRYPT_MEMO_TCPCRYPT, 5));
	assert_int_equal(m.n, 4);
	assert_true(m.evicted == 1);
	assert_null(get("c"));
	assert_true(put("f", CRYPT_MEMO_TCPCRYPT, 5));
	assert_null(get("d"));
	holds("a", CRYPT_MEMO_SMTCP, 0);
	holds("b", CRYPT_MEMO_SMTCP, 9);
}

static void can_be_forgotten(void **st)
{
	(void)st;
	assert_false(crypt_memo_forget(&m, "a", 1));
	put("a", CRYPT_MEMO_SMTCP, 1);
	put("b", CRYPT_MEMO_SMTCP, 2);
	assert_true(crypt_memo_forget(&m, "a", 1));
	assert_null(get("a"));
	holds("b", CRYPT_MEMO_SMTCP, 2);
	assert_int_equal(m.n, 1);
	assert_true(put("a", CRYPT_MEMO_TCPCRYPT, 3));
	holds("a", CRYPT_MEMO_TCPCRYPT, 3);
}

struct seen {
	char names[16];
	unsigned n, most;
};

static bool see(void *ctx, const struct crypt_memo_entry *e)
{
	struct seen *s = ctx;

	s->names[s->n++] = (char)e->name[0];
	return s->n < s->most;
}

static void is_walked_in_order_of_use(void **st)
{
	struct seen s = { .most = 9 };

	(void)st;
	crypt_memo_each(&m, see, &s);
	assert_int_equal(s.n, 0);
	put("a", CRYPT_MEMO_SMTCP, 1);
	put("b", CRYPT_MEMO_SMTCP, 1);
	put("c", CRYPT_MEMO_SMTCP, 1);
	get("a");
	crypt_memo_each(&m, see, &s);
	assert_string_equal(s.names, "bca");
	s = (struct seen){ .most = 2 };
	crypt_memo_each(&m, see, &s);
	assert_string_equal(s.names, "bc");
}

static void memory_may_be_refused(void **st)
{
	struct crypt_memo none = { .mem = NULL };

	(void)st;
	put("a", CRYPT_MEMO_TCPCRYPT, 1);
	f.fail_at = 1;
	assert_false(put("b", CRYPT_MEMO_SMTCP, 2));
	assert_null(get("b"));
	f.fail_at = 1;
	/* what is there needs none */
	assert_true(put("a", CRYPT_MEMO_SMTCP, 2));
	holds("a", CRYPT_MEMO_SMTCP, 2);
	f.fail_at = 1;
	assert_false(crypt_memo_init(&none, &f.env, 4));
	crypt_memo_fini(&none);
	f.fail_at = 0;
	assert_true(crypt_memo_init(&none, &f.env, 0));
	assert_false(crypt_memo_put(&none, "a", 1, CRYPT_MEMO_SMTCP, t0));
	crypt_memo_fini(&none);
	crypt_memo_fini(&none);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		T(a_level_only_rises),    T(names_are_octets),
		T(nothing_is_not_kept),   T(the_least_recently_used_goes),
		T(can_be_forgotten),      T(is_walked_in_order_of_use),
		T(memory_may_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
