#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_ts.h"

#define MS  NANOS_MS
#define DAY (86400 * NANOS_S)

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static void clock_ticks_from_the_offset(void **state)
{
	struct tcp_ts t;

	(void)state;
	tcp_ts_init(&t, UINT32_MAX - 4);
	assert_int_equal(tcp_ts_val(&t, at(0)), UINT32_MAX - 4);
	assert_int_equal(tcp_ts_val(&t, at(MS - 1)), UINT32_MAX - 4);
	assert_int_equal(tcp_ts_val(&t, at(10 * MS)), 5);
}

static void paws(void **state)
{
	struct tcp_ts t;

	(void)state;
	tcp_ts_init(&t, 0);
	assert_false(tcp_ts_paws(&t, at(0), 0)); /* nothing known */
	tcp_ts_first(&t, at(0), 0xfffffff0u);
	assert_true(tcp_ts_paws(&t, at(0), 0xffffffefu));
	assert_false(tcp_ts_paws(&t, at(0), 0xfffffff0u));
	assert_false(tcp_ts_paws(&t, at(0), 5)); /* wrapped: newer */
	/* RFC 7323 5.5: invalid after 24 idle days */
	assert_true(tcp_ts_paws(&t, at(24 * DAY - 1), 0xffffffefu));
	assert_false(tcp_ts_paws(&t, at(24 * DAY), 0xffffffefu));
	tcp_ts_update(&t, at(24 * DAY), 0xffffffefu, 10, 10);
	assert_int_equal(t.recent, 0xffffffefu);
	assert_true(tcp_ts_paws(&t, at(25 * DAY), 0xffffffeeu));
}

static void recent_follows_last_ack_sent(void **state)
{
	struct tcp_ts t;

	(void)state;
	tcp_ts_init(&t, 0);
	tcp_ts_first(&t, at(0), 100);
	tcp_ts_update(&t, at(1), 110, 1001, 1000); /* out of order: not */
	assert_int_equal(t.recent, 100);
	tcp_ts_update(&t, at(1), 105, 1000, 1000);
	assert_int_equal(t.recent, 105);
	tcp_ts_update(&t, at(1), 104, 900, 1000); /* older: not */
	assert_int_equal(t.recent, 105);
	tcp_ts_update(&t, at(1), 106, 0xfffffff0u, 5); /* wrap of seq */
	assert_int_equal(t.recent, 106);
}

static void rtt_by_echo(void **state)
{
	struct tcp_ts t;
	struct instant sent = at(5 * NANOS_S + 300 * NANOS_US);
	uint32_t v;

	(void)state;
	tcp_ts_init(&t, 0xfffff000u);
	v = tcp_ts_val(&t, sent);
	assert_int_equal(tcp_ts_rtt(&t, at(sent.ns + 30 * MS), v), 30 * MS);
	assert_int_equal(tcp_ts_rtt(&t, sent, v), 1 * MS);
	assert_int_equal(tcp_ts_rtt(&t, sent, v + 1), -1); /* the future */
	assert_int_equal(tcp_ts_rtt(&t, sent, 0), -1);
	assert_int_equal(tcp_ts_rtt(&t, at(sent.ns + 700 * NANOS_S), v), -1);
	/* the echo may mean a copy sent in its tick, none after */
	assert_int_equal(tcp_ts_echo_before(&t, at(sent.ns + 30 * MS), v).ns,
			 5 * NANOS_S + MS);
	assert_true(instant_never(tcp_ts_echo_before(&t, sent, v + 1)));
	assert_true(instant_never(tcp_ts_echo_before(&t, sent, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_ticks_from_the_offset),
		cmocka_unit_test(paws),
		cmocka_unit_test(recent_follows_last_ack_sent),
		cmocka_unit_test(rtt_by_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
