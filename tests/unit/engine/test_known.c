#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/engine/known.h"

#define NOW 1800000000

static struct endpoint v4(unsigned i)
{
	return endpoint_make(addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				     (uint8_t)i),
			     443);
}

static struct known_entry entry(struct endpoint to, enum known_mode m,
				int64_t at)
{
	return (struct known_entry){ to, m, at, at };
}

static bool add(struct known *k, struct endpoint to, enum known_mode m,
		int64_t at)
{
	struct known_entry e = entry(to, m, at);

	return known_add(k, &e);
}

static void test_find(void **state)
{
	struct endpoint a = v4(1), b = a, six;
	struct addr addr6;
	struct known k;

	(void)state;
	known_init(&k);
	assert_true(addr_parse("2001:db8::1", &addr6));
	six = endpoint_make(addr6, 443);
	b.port = 80;
	assert_null(known_find(&k, &a, NOW));
	assert_true(add(&k, a, KNOWN_SMTCP, NOW));
	assert_true(add(&k, six, KNOWN_TCPCRYPT, NOW));
	assert_false(add(&k, v4(9), KNOWN_NONE, NOW));
	assert_int_equal(k.n, 2);
	assert_int_equal(known_find(&k, &a, NOW)->mode, KNOWN_SMTCP);
	assert_int_equal(known_find(&k, &six, NOW)->mode, KNOWN_TCPCRYPT);
	assert_null(known_find(&k, &b, NOW)); /* another port */
	/* not seen for half a year: as if never */
	assert_non_null(known_find(&k, &a, NOW + KNOWN_AGE));
	assert_null(known_find(&k, &a, NOW + KNOWN_AGE + 1));
	known_expire(&k, NOW + KNOWN_AGE);
	assert_int_equal(k.n, 2);
	known_expire(&k, NOW + KNOWN_AGE + 1);
	assert_int_equal(k.n, 0);
	known_fini(&k);
}

/* what is worth a write: new, better, a day later; nothing else */
static void test_news(void **state)
{
	struct endpoint a = v4(1);
	const struct known_entry *e;
	struct known k;

	(void)state;
	known_init(&k);
	assert_true(add(&k, a, KNOWN_TCPCRYPT, NOW));
	assert_false(add(&k, a, KNOWN_TCPCRYPT, NOW + KNOWN_REFRESH - 1));
	assert_true(add(&k, a, KNOWN_SMTCP, NOW + 5));
	assert_false(add(&k, a, KNOWN_TCPCRYPT, NOW + 6));
	assert_true(add(&k, a, KNOWN_TCPCRYPT, NOW + 5 + KNOWN_REFRESH));
	e = known_find(&k, &a, NOW);
	assert_int_equal(e->mode, KNOWN_SMTCP); /* never forgets the better */
	assert_int_equal(e->first, NOW);
	assert_int_equal(e->last, NOW + 5 + KNOWN_REFRESH);
	assert_false(add(&k, a, KNOWN_SMTCP, NOW - 100)); /* of another run */
	assert_int_equal(e->first, NOW - 100);
	assert_int_equal(e->last, NOW + 5 + KNOWN_REFRESH);
	known_fini(&k);
}

/* sorted whatever the order; full: who was not seen for longest goes */
static void test_full(void **state)
{
	struct known k;

	(void)state;
	known_init(&k);
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		unsigned at = i * 2654435761u % KNOWN_MAX;

		assert_true(add(&k, v4(at), KNOWN_SMTCP, NOW + at));
	}
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		struct endpoint to = v4(i);

		assert_non_null(known_find(&k, &to, NOW));
	}
	assert_true(add(&k, v4(70000), KNOWN_SMTCP, NOW + 70000));
	assert_int_equal(k.n, KNOWN_MAX);
	assert_null(known_find(
		&k, &(struct endpoint){ .addr = v4(0).addr, .port = 443 },
		NOW));
	for (unsigned i = 1; i < k.n; i++) {
		assert_true(memcmp(k.e[i - 1].to.addr.b, k.e[i].to.addr.b, 4) <
			    0);
	}
	known_fini(&k);
}

static void test_lines(void **state)
{
	static const char *const good[] = {
		"192.0.2.1 443 smtcp 1764115200 1764201600",
		"2001:db8::1 65535 tcpcrypt 0 0",
	};
	static const char *const bad[] = {
		"",
		"# a comment",
		"192.0.2.1 443 smtcp 1764115200",
		"192.0.2.1 443 smtcp 1764115200 1764201600 more",
		"192.0.2.1 443 smtcp 2 1",
		"192.0.2.1 443 smtcp -2 1",
		"192.0.2.1 443 none 1 2",
		"192.0.2.1 443 tls 1 2",
		"192.0.2.1 0 smtcp 1 2",
		"192.0.2.1 65536 smtcp 1 2",
		"192.0.2 443 smtcp 1 2",
		"192.0.2.1 https smtcp 1 2",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 smtcp 1 2",
	};
	struct known_entry e;
	char text[KNOWN_LINE];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(known_parse(good[i], &e));
		known_text(&e, text);
		assert_string_equal(text, good[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(known_parse(bad[i], &e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
