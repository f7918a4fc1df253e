#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/mptcp/mp_timer.h"

static unsigned fired[MP_T_N];
static nanos again;

static struct instant at(nanos t)
{
	return (struct instant){ t };
}

static void fire(struct mp_timers *t, enum mp_timer which, struct instant now)
{
	fired[which]++;
	if (which == MP_T_PM && again) {
		mp_timer_set(t, MP_T_PM, instant_add(now, again));
		again = 0;
	}
	if (which == MP_T_ALONE) {
		mp_timer_stop_all(t);
	}
}

static void each_at_its_time(void **state)
{
	struct wheel w;
	struct mp_timers t;
	struct instant due[MP_T_CONN_N];

	(void)state;
	wheel_init(&w, at(0));
	mp_timer_init(&t, &w, due, MP_T_DATA, MP_T_CONN_N, fire);
	mp_timer_set(&t, MP_T_DATA, at(200 * NANOS_MS));
	mp_timer_set(&t, MP_T_PM, at(100 * NANOS_MS));
	mp_timer_set(&t, MP_T_CORK, at(50 * NANOS_MS));
	mp_timer_stop(&t, MP_T_CORK);
	again = 5 * NANOS_S;
	wheel_advance(&w, at(99 * NANOS_MS));
	assert_int_equal(fired[MP_T_PM], 0);
	wheel_advance(&w, at(101 * NANOS_MS));
	assert_int_equal(fired[MP_T_PM], 1);
	assert_int_equal(fired[MP_T_CORK], 0);
	assert_true(mp_timer_on(&t, MP_T_DATA));
	mp_timer_set(&t, MP_T_DATA, at(2 * NANOS_S)); /* later */
	wheel_advance(&w, at(300 * NANOS_MS));
	assert_int_equal(fired[MP_T_DATA], 0);
	mp_timer_set(&t, MP_T_ALONE, at(340 * NANOS_MS));
	wheel_advance(&w, at(NANOS_S));
	wheel_advance(&w, at(3 * NANOS_S));
	/* ALONE stopped the rest */
	assert_int_equal(fired[MP_T_ALONE], 1);
	assert_int_equal(fired[MP_T_DATA], 0);
	assert_int_equal(fired[MP_T_PM], 1);
	assert_true(instant_never(wheel_deadline(&w)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_at_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
