/* What a client remembers of servers: by which key, how much, for how long */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_tfo_known.h"
#include "tests/lib/fake.h"

static struct fake fake;
static struct tcp_tfo_known known;

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	tcp_tfo_known_init(&known);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_tfo_known_fini(&known, fake.env.mem);
	fake_fini(&fake);
	return 0;
}

static struct tuple pair(uint8_t from, unsigned to, uint16_t port)
{
	struct tuple t = { 0 };

	t.local = endpoint_make(addr_v4(10, 0, 0, from), port);
	t.remote = endpoint_make(
		addr_v4(10, 9, (uint8_t)(to >> 8), (uint8_t)to), port);
	return t;
}

static struct tcp_tfo_server *add(uint8_t from, unsigned to)
{
	struct tuple t = pair(from, to, 80);

	return tcp_tfo_known_entry(&known, &fake.env, &t);
}

static struct tcp_tfo_server *find(uint8_t from, unsigned to)
{
	struct tuple t = pair(from, to, 443);

	return tcp_tfo_known_find(&known, &t);
}

/* RFC 7413 4.1.3: both addresses, because a cookie counts for the client's; and
 * no port */
static void by_addresses(void **state)
{
	struct tcp_tfo_server *k;

	(void)state;
	assert_null(find(1, 1));
	k = add(1, 1);
	assert_non_null(k);
	assert_int_equal(k->len, 0);
	assert_ptr_equal(find(1, 1), k);
	assert_ptr_equal(add(1, 1), k);
	assert_null(find(2, 1));
	assert_null(find(1, 2));
	assert_ptr_not_equal(add(2, 1), k);
	assert_int_equal(known.map.n, 2);
}

static void oldest_goes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TCP_TFO_CACHE_MAX; i++) {
		assert_non_null(add(1, i));
	}
	assert_non_null(add(1, 0)); /* used again */
	assert_non_null(find(1, 1)); /* looked at, which is no use */
	assert_non_null(add(1, TCP_TFO_CACHE_MAX));
	assert_int_equal(known.map.n, TCP_TFO_CACHE_MAX);
	assert_non_null(find(1, 0));
	assert_null(find(1, 1));
	assert_non_null(find(1, 2));
}

/* neither for the table nor for an entry: nothing is half there */
static void no_memory(void **state)
{
	unsigned n = 0;

	(void)state;
	do {
		fake.fail_at = ++n;
		assert_null(find(1, 1));
	} while (!add(1, 1));
	assert_int_equal(n, 3);
	fake.fail_at = 0;
	assert_int_equal(known.map.n, 1);
	assert_non_null(find(1, 1));
}

/* RFC 7413 4.1.3.1: once may be by chance, then it is four, eight .. minutes */
static void left_alone(void **state)
{
	struct instant now = { .ns = 5 * NANOS_S };
	struct tcp_tfo_server *k = add(1, 1);
	nanos wait;

	(void)state;
	assert_false(tcp_tfo_known_quiet(NULL, now));
	assert_false(tcp_tfo_known_quiet(k, now));
	tcp_tfo_known_lost(k, now);
	assert_false(tcp_tfo_known_quiet(k, now));
	for (unsigned i = 2; i < 300; i++) {
		tcp_tfo_known_lost(k, now);
		wait = TCP_TFO_QUIET << (i < 10 ? i : 10);
		assert_true(tcp_tfo_known_quiet(
			k, instant_add(now, wait - 1)));
		assert_false(tcp_tfo_known_quiet(k, instant_add(now, wait)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(by_addresses), T(oldest_goes), T(no_memory), T(left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
