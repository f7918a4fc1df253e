/* RFC 5682 3.1, step by step */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_frto.h"

#define Q 0xfffffffeu

static struct tcp_frto f;
static uint32_t point;

/* a timeout with [Q, Q + 10) out */
static int setup(void **state)
{
	(void)state;
	point = Q + 10;
	tcp_frto_timeout(&f, true);
	return 0;
}

static bool ack(uint32_t una, uint32_t acked, uint32_t delivered, uint32_t hi,
		bool rtx)
{
	struct tcp_sent_out o = { .acked = acked,
				  .delivered = delivered,
				  .hi = Q + hi,
				  .rtx_delivered = rtx,
				  .orig_delivered = !rtx };

	return tcp_frto_ack(&f, &o, Q + una, Q + 12, &point, acked == 0);
}

static void step1_not_within_a_recovery(void **state)
{
	(void)state;
	tcp_frto_timeout(&f, false);
	assert_false(tcp_frto_waits(&f));
	assert_false(ack(1, 1, 1, 1, true));
	assert_false(tcp_frto_holds(&f));
	assert_int_equal(point, Q + 10);
}

static void step2_waits_for_the_cumulative_ack(void **state)
{
	(void)state;
	assert_false(ack(0, 0, 3, 8, false)); /* SACKs */
	assert_true(tcp_frto_waits(&f));
	assert_false(tcp_frto_holds(&f));
	assert_false(ack(1, 1, 1, 1, true));
	assert_true(tcp_frto_holds(&f));
	assert_int_equal(point, Q + 12); /* all that was sent so far */
}

static void step2a_everything_is_acknowledged(void **state)
{
	(void)state;
	assert_false(ack(10, 10, 10, 10, true));
	assert_false(tcp_frto_waits(&f));
	assert_false(tcp_frto_holds(&f));
	assert_int_equal(point, Q + 10);
}

static void step2b_no_new_data(void **state)
{
	(void)state;
	ack(1, 1, 1, 1, true);
	tcp_frto_no_new(&f);
	assert_false(tcp_frto_holds(&f));
	/* one segment was there: it will tell */
	setup(NULL);
	ack(1, 1, 1, 1, true);
	tcp_frto_sent(&f);
	tcp_frto_no_new(&f);
	assert_true(tcp_frto_holds(&f));
}

static void sent(void)
{
	setup(NULL);
	ack(1, 1, 1, 1, true);
	tcp_frto_sent(&f);
}

static void step3a_the_loss_was_real(void **state)
{
	(void)state;
	sent();
	assert_false(ack(1, 0, 0, 0, false)); /* duplicate, nothing new */
	assert_false(tcp_frto_holds(&f));
	sent();
	assert_false(ack(1, 0, 1, 13, false)); /* the new data is SACKed */
	assert_false(tcp_frto_holds(&f));
	sent();
	assert_false(ack(14, 13, 13, 14, false)); /* all is acknowledged */
	assert_false(tcp_frto_holds(&f));
	/* a verdict is one */
	assert_false(ack(2, 1, 1, 2, false));
}

static void step3b_needless(void **state)
{
	(void)state;
	sent();
	assert_true(ack(3, 2, 2, 3, false)); /* cumulative */
	assert_false(tcp_frto_holds(&f));
	sent();
	assert_true(ack(1, 0, 1, 5, false)); /* SACK */
	sent();
	assert_true(ack(12, 11, 11, 12, false)); /* up to the point */
}

static void step3_ignores_the_rest(void **state)
{
	struct tcp_sent_out o = { .acked = 0 };

	(void)state;
	sent();
	/* data of the peer, or a window update */
	assert_false(tcp_frto_ack(&f, &o, Q + 1, Q + 12, &point, false));
	assert_true(tcp_frto_holds(&f));
	assert_true(ack(3, 2, 2, 3, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(step1_not_within_a_recovery, setup),
		cmocka_unit_test_setup(step2_waits_for_the_cumulative_ack,
				       setup),
		cmocka_unit_test_setup(step2a_everything_is_acknowledged,
				       setup),
		cmocka_unit_test_setup(step2b_no_new_data, setup),
		cmocka_unit_test_setup(step3a_the_loss_was_real, setup),
		cmocka_unit_test_setup(step3b_needless, setup),
		cmocka_unit_test_setup(step3_ignores_the_rest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
