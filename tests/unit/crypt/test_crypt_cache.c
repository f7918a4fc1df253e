#include "tests/unit/crypt/common.h"

#include "stack/crypt/crypt_cache.h"

static struct fake f;
static struct crypt_cache c;

static int start(void **st)
{
	(void)st;
	fake_init(&f, 1);
	return crypt_cache_init(&c, &f.env, 8, 100) ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	crypt_cache_fini(&c);
	fake_fini(&f);
	return 0;
}

static struct crypt_ticket ticket(unsigned i, bool orig_b)
{
	struct crypt_ticket t = {
		.tep = 0x23, .kx = 0x23, .aead = 1, .orig_b = orig_b
	};

	memset(t.ss, (int)i, sizeof(t.ss));
	for (unsigned j = 0; j < CRYPT_CACHE_ID; j++) {
		t.id[j] = (uint8_t)(16 * i + j);
	}
	return t;
}

static struct instant at(int64_t ns)
{
	return (struct instant){ ns };
}

static bool any(const void *ctx, const struct crypt_ticket *t)
{
	(void)ctx;
	(void)t;
	return true;
}

static bool never(const void *ctx, const struct crypt_ticket *t)
{
	(void)ctx;
	(void)t;
	return false;
}

static uint64_t find(const char *peer)
{
	return crypt_cache_find_peer(&c, at(0), (const uint8_t *)peer,
				     strlen(peer), any, NULL);
}

static uint64_t put(unsigned i, bool orig_b, const char *peer, int64_t now)
{
	struct crypt_ticket t = ticket(i, orig_b);

	return crypt_cache_put(&c, at(now), &t, (const uint8_t *)peer,
			       strlen(peer));
}

/* RFC 8548 3.5: the first half names it when A sends, the second when B */
static void is_found_by_the_peers_half(void **st)
{
	struct crypt_ticket a = ticket(1, false), b = ticket(2, true);
	uint64_t sa = put(1, false, "", 0), sb = put(2, true, "", 0);

	(void)st;
	assert_memory_equal(crypt_ticket_own(&a), a.id, 9);
	assert_memory_equal(crypt_ticket_peer(&a), a.id + 9, 9);
	assert_memory_equal(crypt_ticket_own(&b), b.id + 9, 9);
	assert_memory_equal(crypt_ticket_peer(&b), b.id, 9);
	assert_true(sa && sb && sa != sb);
	assert_true(crypt_cache_find_half(&c, at(0), 0x23, a.id + 9) == sa);
	assert_true(crypt_cache_find_half(&c, at(0), 0x23, a.id) == 0);
	assert_true(crypt_cache_find_half(&c, at(0), 0x23, b.id) == sb);
	assert_true(crypt_cache_find_half(&c, at(0), 0x23, b.id + 9) == 0);
	/* only with the TEP it was made with */
	assert_true(crypt_cache_find_half(&c, at(0), 0x24, b.id) == 0);
	assert_true(find("") == 0);
}

static void is_handed_out_once(void **st)
{
	struct crypt_ticket t, want = ticket(3, false);
	uint64_t s = put(3, false, "host", 0);

	(void)st;
	assert_true(find("host") == s);
	assert_true(find("hos") == 0 && find("hosu") == 0);
	assert_true(crypt_cache_find_peer(&c, at(0), (const uint8_t *)"host", 4,
					  never, NULL) == 0);
	assert_non_null(crypt_cache_look(&c, s));
	assert_true(crypt_cache_take(&c, s, &t));
	assert_memory_equal(t.ss, want.ss, 32);
	assert_false(crypt_cache_take(&c, s, &t));
	assert_null(crypt_cache_look(&c, s));
	assert_true(find("host") == 0);
	assert_true(crypt_cache_find_half(&c, at(0), 0x23, want.id + 9) == 0);
}

static void is_bounded(void **st)
{
	uint64_t s[20];

	(void)st;
	for (unsigned i = 0; i < 20; i++) {
		s[i] = put(i, false, i & 1 ? "odd" : "even", 0);
		assert_true(s[i] != 0);
		assert_true(c.n <= 8);
	}
	assert_true(c.evicted >= 12);
	assert_null(crypt_cache_look(&c, s[11]));
	assert_non_null(crypt_cache_look(&c, s[12]));
	assert_non_null(crypt_cache_look(&c, s[19]));
	crypt_cache_drop(&c, s[19]);
	crypt_cache_drop(&c, s[19]);
	assert_int_equal(c.n, 7);
	crypt_cache_clear(&c);
	assert_int_equal(c.n, 0);
}

static void grows_old(void **st)
{
	struct crypt_ticket t = ticket(1, false);
	uint64_t young;

	(void)st;
	crypt_cache_clear(&c);
	put(1, false, "x", 0);
	young = put(2, false, "x", 50);
	assert_true(crypt_cache_find_half(&c, at(100), 0x23, t.id + 9) != 0);
	assert_true(crypt_cache_find_half(&c, at(101), 0x23, t.id + 9) == 0);
	assert_int_equal(c.n, 1);
	/* one that was given back keeps its age, and is not found by it */
	put(3, false, "", 10);
	t = ticket(3, false);
	assert_true(crypt_cache_find_half(&c, at(110), 0x23, t.id + 9) != 0);
	assert_true(crypt_cache_find_half(&c, at(111), 0x23, t.id + 9) == 0);
	assert_non_null(crypt_cache_look(&c, young));
	assert_true(crypt_cache_find_half(&c, at(151), 0x23, t.id + 9) == 0);
	assert_int_equal(c.n, 0);
}

static void lives_without_memory(void **st)
{
	(void)st;
	f.fail_at = 1;
	assert_true(put(1, false, "x", 0) == 0);
	assert_int_equal(c.n, 0);
	for (unsigned i = 1; i <= 3; i++) {
		struct crypt_cache d;

		f.fail_at = i;
		assert_false(crypt_cache_init(&d, &f.env, 8, 1));
		f.fail_at = 0;
		crypt_cache_fini(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_found_by_the_peers_half),
		cmocka_unit_test(is_handed_out_once),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(grows_old),
		cmocka_unit_test(lives_without_memory),
	};

	return cmocka_run_group_tests(tests, start, end);
}
