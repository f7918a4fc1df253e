/* who carries an address: the stack, the kernel, or both */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/engine/app.h"

static struct engine e;

static struct addr at(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static void exclude(const char *net)
{
	assert_true(addr_parse_net(net, &e.exclude[e.n_exclude].addr,
				   &e.exclude[e.n_exclude].bits));
	e.n_exclude++;
}

static int setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	exclude("10.9.0.0/16");
	exclude("fd00:9::/32");
	exclude("192.0.2.7/32");
	return 0;
}

static void both(const char *text, enum app_scope want)
{
	struct addr a = at(text);

	if (app_scope_bind(&e, &a) != want ||
	    app_scope_connect(&e, &a) != want) {
		fail_msg("%s: bind %d, connect %d, wanted %d", text,
			 app_scope_bind(&e, &a), app_scope_connect(&e, &a),
			 want);
	}
}

static void test_loopback(void **state)
{
	(void)state;
	both("127.0.0.1", APP_SCOPE_KERNEL);
	both("127.255.255.254", APP_SCOPE_KERNEL);
	both("::1", APP_SCOPE_KERNEL);
	both("::ffff:127.0.0.1", APP_SCOPE_KERNEL);
	both("126.255.255.255", APP_SCOPE_CORE);
	both("128.0.0.1", APP_SCOPE_CORE);
	both("::2", APP_SCOPE_CORE);
}

static void test_excluded(void **state)
{
	(void)state;
	both("10.9.0.0", APP_SCOPE_KERNEL);
	both("10.9.255.255", APP_SCOPE_KERNEL);
	both("10.8.255.255", APP_SCOPE_CORE);
	both("10.10.0.0", APP_SCOPE_CORE);
	both("::ffff:10.9.1.1", APP_SCOPE_KERNEL); /* the same address */
	both("::ffff:10.10.1.1", APP_SCOPE_CORE);
	both("fd00:9:ffff::1", APP_SCOPE_KERNEL);
	both("fd00:a::1", APP_SCOPE_CORE);
	both("192.0.2.7", APP_SCOPE_KERNEL);
	both("192.0.2.6", APP_SCOPE_CORE);
	both("192.0.2.8", APP_SCOPE_CORE);
	e.n_exclude = 2; /* only as many as are filled in */
	both("192.0.2.7", APP_SCOPE_CORE);
	e.n_exclude = 0;
	both("10.9.0.1", APP_SCOPE_CORE);
	both("127.0.0.1", APP_SCOPE_KERNEL); /* always */
}

/* a listener on all addresses serves both; connecting to it is the host's own */
static void test_wildcards(void **state)
{
	static const char *const any[] = { "0.0.0.0", "::", "::ffff:0.0.0.0" };

	(void)state;
	exclude("0.0.0.0/1");
	for (unsigned i = 0; i < ARRAY_SIZE(any); i++) {
		struct addr a = at(any[i]);

		assert_int_equal(app_scope_bind(&e, &a), APP_SCOPE_BOTH);
		assert_int_equal(app_scope_connect(&e, &a), APP_SCOPE_KERNEL);
	}
}

static void test_all_excluded(void **state)
{
	(void)state;
	e.exclude[0].bits = 0;
	both("8.8.8.8", APP_SCOPE_KERNEL);
	both("2001:db8::1", APP_SCOPE_CORE); /* of the other family */
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_loopback),
		T(test_excluded),
		T(test_wildcards),
		T(test_all_excluded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
