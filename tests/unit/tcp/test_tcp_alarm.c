#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_alarm.h"

static struct instant at(nanos ms)
{
	return (struct instant){ ms * NANOS_MS };
}

static void the_earliest(void **state)
{
	enum tcp_alarm_kind which;
	struct tcp_alarm a;

	(void)state;
	tcp_alarm_init(&a);
	assert_true(instant_never(tcp_alarm_next(&a, &which)));
	assert_int_equal(which, TCP_ALARM_NONE);
	tcp_alarm_rto_only(&a, at(0), 200 * NANOS_MS);
	assert_int_equal(tcp_alarm_next(&a, &which).ns, at(200).ns);
	assert_int_equal(which, TCP_ALARM_RTO);
	tcp_alarm_probe(&a, at(0), 100 * NANOS_MS);
	assert_int_equal(tcp_alarm_next(&a, &which).ns, at(100).ns);
	assert_int_equal(which, TCP_ALARM_PROBE);
	/* at the same time what is likelier to be news goes first */
	a.reo = at(100);
	assert_int_equal(tcp_alarm_next(&a, &which).ns, at(100).ns);
	assert_int_equal(which, TCP_ALARM_REO);
	tcp_alarm_rto_only(&a, at(100), 400 * NANOS_MS);
	assert_int_equal(tcp_alarm_next(&a, &which).ns, at(500).ns);
	assert_int_equal(which, TCP_ALARM_RTO);
}

/* RFC 8985 7.2: "If Now() + PTO > TCP_RTO_expiration()" */
static void the_probe_is_not_later_than_the_timeout(void **state)
{
	enum tcp_alarm_kind which;
	struct tcp_alarm a;

	(void)state;
	tcp_alarm_rto_only(&a, at(0), 200 * NANOS_MS);
	tcp_alarm_probe(&a, at(50), 400 * NANOS_MS);
	assert_int_equal(tcp_alarm_next(&a, &which).ns, at(200).ns);
	assert_int_equal(which, TCP_ALARM_PROBE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_earliest),
		cmocka_unit_test(the_probe_is_not_later_than_the_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
