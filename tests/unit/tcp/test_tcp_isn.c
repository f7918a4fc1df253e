#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcp_isn.h"

static const struct siphash_key key = { 1, 2 };

/* RFC 6528 3: M is a 4 microsecond timer */
static void test_clock(void **state)
{
	struct tuple t = { .local = endpoint_make(addr_v4(10, 0, 0, 1), 1000),
			   .remote = endpoint_make(addr_v4(10, 0, 0, 2), 80) };
	struct instant a = { 5 * NANOS_S };

	(void)state;
	assert_int_equal(tcp_isn(&key, &t, instant_add(a, 4 * NANOS_US)) -
				 tcp_isn(&key, &t, a),
			 1);
	assert_int_equal(tcp_isn(&key, &t, instant_add(a, NANOS_S)) -
				 tcp_isn(&key, &t, a),
			 250000);
}

/* F differs for each part of the tuple and for each secret */
static void test_hash(void **state)
{
	struct tuple t = { .local = endpoint_make(addr_v4(10, 0, 0, 1), 1000),
			   .remote = endpoint_make(addr_v4(10, 0, 0, 2), 80) };
	struct tuple u = t;
	struct siphash_key other = { 1, 3 };
	struct instant a = { 5 * NANOS_S };
	uint32_t was = tcp_isn(&key, &t, a);

	(void)state;
	assert_int_not_equal(was, tcp_isn(&other, &t, a));
	u.local.port++;
	assert_int_not_equal(was, tcp_isn(&key, &u, a));
	u = t;
	u.remote.port++;
	assert_int_not_equal(was, tcp_isn(&key, &u, a));
	u = t;
	u.remote.addr.b[3]++;
	assert_int_not_equal(was, tcp_isn(&key, &u, a));
	u = t;
	u.local.addr.b[3]++;
	assert_int_not_equal(was, tcp_isn(&key, &u, a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
