#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcp_fsm.h"

static void expect(enum tcp_state from, enum tcp_event ev, enum tcp_state to)
{
	struct tcp_fsm f = { from };

	assert_int_equal(tcp_fsm_event(&f, ev), from != to);
	assert_int_equal(f.state, to);
}

/* RFC 9293 figure 5 */
static void test_figure5(void **state)
{
	(void)state;
	expect(TCP_CLOSED, TCP_EV_ACTIVE, TCP_SYN_SENT);
	expect(TCP_CLOSED, TCP_EV_PASSIVE, TCP_SYN_RECEIVED);
	expect(TCP_SYN_SENT, TCP_EV_OPEN, TCP_ESTABLISHED);
	expect(TCP_SYN_SENT, TCP_EV_SYN, TCP_SYN_RECEIVED);
	expect(TCP_SYN_RECEIVED, TCP_EV_OPEN, TCP_ESTABLISHED);
	expect(TCP_ESTABLISHED, TCP_EV_CLOSE, TCP_FIN_WAIT_1);
	expect(TCP_ESTABLISHED, TCP_EV_FIN, TCP_CLOSE_WAIT);
	expect(TCP_FIN_WAIT_1, TCP_EV_FIN_ACKED, TCP_FIN_WAIT_2);
	expect(TCP_FIN_WAIT_1, TCP_EV_FIN, TCP_CLOSING);
	expect(TCP_FIN_WAIT_2, TCP_EV_FIN, TCP_TIME_WAIT);
	expect(TCP_CLOSING, TCP_EV_FIN_ACKED, TCP_TIME_WAIT);
	expect(TCP_CLOSE_WAIT, TCP_EV_CLOSE, TCP_LAST_ACK);
}

static void test_everything_else_stays(void **state)
{
	unsigned moves = 0;
	struct tcp_fsm f;

	(void)state;
	for (int s = TCP_CLOSED; s <= TCP_LAST_ACK; s++) {
		for (int e = 0; e < TCP_EV_END; e++) {
			f.state = (enum tcp_state)s;
			moves += tcp_fsm_event(&f, (enum tcp_event)e);
		}
		f.state = (enum tcp_state)s;
		assert_true(tcp_fsm_event(&f, TCP_EV_END));
		assert_int_equal(f.state, TCP_CLOSED);
	}
	assert_int_equal(moves, 12);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(tcp_fsm_name(TCP_CLOSED), "CLOSED");
	assert_string_equal(tcp_fsm_name(TCP_LAST_ACK), "LAST-ACK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figure5),
		cmocka_unit_test(test_everything_else_stays),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
