#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_round.h"

#define MSS 1000u
#define Q   0xfffff000u
#define INF UINT32_MAX

static void rounds(void **state)
{
	struct tcp_round r;

	(void)state;
	tcp_round_init(&r, Q);
	/* the first ACK begins one, up to what is out; numbers wrap */
	assert_true(tcp_round_ack(&r, Q + MSS, Q + 10 * MSS, 9 * MSS));
	assert_false(tcp_round_ack(&r, Q + 10 * MSS - 1, Q + 20 * MSS, MSS));
	assert_true(tcp_round_ack(&r, Q + 10 * MSS, Q + 20 * MSS, MSS));
}

static void slow_start_wants_half_of_the_window(void **state)
{
	struct tcp_round r;

	(void)state;
	tcp_round_init(&r, Q);
	tcp_round_sent(&r, 5 * MSS, 5 * MSS, 10 * MSS, MSS);
	assert_false(tcp_round_limited(&r, 10 * MSS, INF));
	tcp_round_sent(&r, 5 * MSS + 1, 5 * MSS - 1, 10 * MSS, MSS);
	assert_true(tcp_round_limited(&r, 10 * MSS, INF));
	/* and holds for the round of its ACKs, but no longer */
	assert_true(tcp_round_ack(&r, Q + MSS, Q + 2 * MSS, MSS));
	assert_true(tcp_round_limited(&r, 10 * MSS, INF));
	assert_true(tcp_round_ack(&r, Q + 2 * MSS, Q + 3 * MSS, MSS));
	assert_false(tcp_round_limited(&r, 10 * MSS, INF));
}

static void avoidance_wants_all_of_it(void **state)
{
	struct tcp_round r;

	(void)state;
	tcp_round_init(&r, Q);
	tcp_round_sent(&r, 70 * MSS, 30 * MSS, 100 * MSS, MSS);
	assert_false(tcp_round_limited(&r, 100 * MSS, 50 * MSS));
	/* less than a burst is left: whoever waits for more waits for us */
	tcp_round_sent(&r, 80 * MSS, 20 * MSS, 100 * MSS, MSS);
	assert_true(tcp_round_limited(&r, 100 * MSS, 50 * MSS));
	assert_true(tcp_round_ack(&r, Q + MSS, Q + 2 * MSS, MSS));
	assert_true(tcp_round_limited(&r, 100 * MSS, 50 * MSS));
	assert_true(tcp_round_ack(&r, Q + 2 * MSS, Q + 3 * MSS, MSS));
	assert_false(tcp_round_limited(&r, 100 * MSS, 50 * MSS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds),
		cmocka_unit_test(slow_start_wants_half_of_the_window),
		cmocka_unit_test(avoidance_wants_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
