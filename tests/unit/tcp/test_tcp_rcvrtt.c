/* the round trip of who only receives */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_rcvrtt.h"

static struct instant at(nanos t)
{
	return (struct instant){ t };
}

static void by_echo(void **state)
{
	struct tcp_rcvrtt r = { 0 };

	(void)state;
	tcp_rcvrtt_echo(&r, 1, -1); /* not an echo of ours */
	assert_int_equal(r.rtt, 0);
	tcp_rcvrtt_echo(&r, 10, 50 * NANOS_MS);
	assert_int_equal(r.rtt, 50 * NANOS_MS);
	/* the rest of the burst came later for other reasons */
	tcp_rcvrtt_echo(&r, 10, 90 * NANOS_MS);
	assert_int_equal(r.rtt, 50 * NANOS_MS);
	tcp_rcvrtt_echo(&r, 11, 20 * NANOS_MS);
	assert_int_equal(r.rtt, 20 * NANOS_MS);
	/* the peer was idle for a second: hardly believed */
	tcp_rcvrtt_echo(&r, 12, 1020 * NANOS_MS);
	assert_int_equal(r.rtt, 145 * NANOS_MS);
	tcp_rcvrtt_echo(&r, 13, 21 * NANOS_MS);
	assert_int_equal(r.rtt, 21 * NANOS_MS);
}

static void by_window(void **state)
{
	struct tcp_rcvrtt r = { 0 };

	(void)state;
	tcp_rcvrtt_window(&r, at(NANOS_S), 0xfffff000, 0x2000);
	assert_int_equal(r.rtt, 0);
	tcp_rcvrtt_window(&r, at(NANOS_S + 10), 0xfffffff0, 0x2000);
	assert_int_equal(r.rtt, 0); /* not all of it is here */
	tcp_rcvrtt_window(&r, at(NANOS_S + 30 * NANOS_MS), 0x1000, 0x2000);
	assert_int_equal(r.rtt, 30 * NANOS_MS);
	tcp_rcvrtt_window(&r, at(NANOS_S + 80 * NANOS_MS), 0x3000, 0x2000);
	assert_int_equal(r.rtt, 30 * NANOS_MS); /* the least is the nearest */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_echo),
		cmocka_unit_test(by_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
