/* RFC 3522 (Eifel) and RFC 3708 (D-SACK): which reductions were needless */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_undo.h"

#define MS NANOS_MS
#define Q  0xffffff00u

static struct tcp_undo u;

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static int setup(void **state)
{
	(void)state;
	tcp_undo_init(&u);
	tcp_undo_arm(&u, Q);
	return 0;
}

/* acknowledged octets that had been sent again; echo: of a segment sent then */
static bool acked(nanos echo, bool recovering)
{
	struct tcp_sent_out o = { .acked = 1000, .rtx_delivered = true };

	return tcp_undo_ack(&u, &o, at(echo), recovering);
}

static bool dsack(uint32_t lo, uint32_t n)
{
	struct tcp_sent_out o = { .dsack = true,
				  .dsack_range = { lo, lo + n } };

	return tcp_undo_ack(&u, &o, INSTANT_NEVER, false);
}

static void eifel(void **state)
{
	(void)state;
	assert_false(acked(100 * MS, true)); /* nothing was sent again */
	tcp_undo_resent(&u, at(200 * MS), 1000);
	tcp_undo_resent(&u, at(300 * MS), 1000);
	assert_false(acked(201 * MS, true)); /* answers the retransmission */
	assert_false(acked(100 * MS, false)); /* recovery is over */
	assert_true(acked(200 * MS, true)); /* what was sent before it */
}

static void eifel_needs_the_octets(void **state)
{
	struct tcp_sent_out o = { .acked = 1000 };

	(void)state;
	tcp_undo_resent(&u, at(200 * MS), 1000);
	/* nothing of what was sent again is acknowledged */
	assert_false(tcp_undo_ack(&u, &o, at(100 * MS), true));
	o.rtx_delivered = true;
	/* no timestamps */
	assert_false(tcp_undo_ack(&u, &o, INSTANT_NEVER, true));
	/* a duplicate brings the echo of what was there before it */
	o.dsack = true;
	o.dsack_range = (struct range32){ Q, Q + 10 };
	assert_false(tcp_undo_ack(&u, &o, at(100 * MS), true));
}

static void dsacks_for_all(void **state)
{
	(void)state;
	assert_false(dsack(Q, 1000)); /* no retransmission of ours */
	tcp_undo_arm(&u, Q);
	tcp_undo_resent(&u, at(MS), 1000);
	tcp_undo_resent(&u, at(MS), 500);
	assert_false(dsack(Q, 1000));
	assert_false(dsack(Q - 1000, 1000)); /* of an earlier recovery */
	assert_true(dsack(Q + 1000, 500));   /* across the wrap */
}

static void only_while_armed(void **state)
{
	(void)state;
	tcp_undo_resent(&u, at(MS), 1000);
	tcp_undo_cancel(&u);
	assert_false(acked(0, true));
	assert_false(dsack(Q, 1000));
	/* armed again: the retransmissions of before do not count */
	tcp_undo_arm(&u, Q);
	assert_false(acked(0, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(eifel, setup),
		cmocka_unit_test_setup(eifel_needs_the_octets, setup),
		cmocka_unit_test_setup(dsacks_for_all, setup),
		cmocka_unit_test_setup(only_while_armed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
