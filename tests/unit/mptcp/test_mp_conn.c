/* RFC 8684 Appendix D */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/mptcp/mp_conn.h"

static enum mp_state run(const enum mp_event *ev, unsigned n)
{
	struct mp_fsm f = { MP_ST_PRE };

	for (unsigned i = 0; i < n; i++) {
		assert_true(mp_fsm_event(&f, ev[i]));
	}
	return f.state;
}

static void orders_of_ending(void **state)
{
	static const enum mp_event we_first[] = { MP_EV_OPEN, MP_EV_CLOSE,
						  MP_EV_FIN_ACKED, MP_EV_FIN };
	static const enum mp_event peer_first[] = { MP_EV_OPEN, MP_EV_FIN,
						    MP_EV_CLOSE,
						    MP_EV_FIN_ACKED };
	static const enum mp_event at_once[] = { MP_EV_OPEN, MP_EV_CLOSE,
						 MP_EV_FIN, MP_EV_FIN_ACKED };

	(void)state;
	assert_int_equal(run(we_first, 3), MP_ST_FIN_WAIT_2);
	assert_int_equal(run(we_first, 4), MP_ST_TIME_WAIT);
	assert_int_equal(run(peer_first, 2), MP_ST_CLOSE_WAIT);
	assert_int_equal(run(peer_first, 3), MP_ST_LAST_ACK);
	assert_int_equal(run(peer_first, 4), MP_ST_TIME_WAIT);
	assert_int_equal(run(at_once, 3), MP_ST_CLOSING);
	assert_int_equal(run(at_once, 4), MP_ST_TIME_WAIT);
}

/* whatever happens in whatever order: only known transitions, and END always
 * ends */
static void unknown_events_change_nothing(void **state)
{
	(void)state;
	for (int s = 0; s < MP_ST_N; s++) {
		for (int e = 0; e < MP_EV_N; e++) {
			struct mp_fsm f = { (enum mp_state)s };
			bool known = mp_fsm_event(&f, (enum mp_event)e);

			assert_int_equal(known, (int)f.state != s);
			assert_true(f.state >= MP_ST_ESTAB || !known);
			if (e == MP_EV_END) {
				assert_int_equal(f.state, MP_ST_CLOSED);
			}
		}
		assert_non_null(mp_fsm_name((enum mp_state)s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_of_ending),
		cmocka_unit_test(unknown_events_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
