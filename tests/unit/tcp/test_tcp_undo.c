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
	tcp_undo_init(&u, Q);
	tcp_undo_arm(&u, Q);
	return 0;
}

static void resent(nanos now, uint32_t lo, uint32_t n)
{
	tcp_undo_resent(&u, at(now), Q + lo, n);
}

/* acknowledged up to una, octets that had been sent again among it; echo: of a
 * segment sent then */
static bool acked(uint32_t una, nanos echo, bool recovering)
{
	struct tcp_sent_out o = { .acked = 1000, .rtx_delivered = true };

	return tcp_undo_ack(&u, &o, Q + una, at(echo), recovering);
}

static bool dsack(uint32_t lo, uint32_t n)
{
	struct tcp_sent_out o = { .dsack = true,
				  .dsack_range = { Q + lo, Q + lo + n } };

	return tcp_undo_ack(&u, &o, Q, INSTANT_NEVER, false);
}

static void eifel(void **state)
{
	(void)state;
	assert_false(acked(0, 100 * MS, true)); /* nothing was sent again */
	resent(200 * MS, 0, 1000);
	resent(300 * MS, 1000, 1000);
	assert_false(acked(0, 201 * MS, true)); /* answers the retransmission */
	assert_false(acked(0, 100 * MS, false)); /* recovery is over */
	assert_true(acked(1000, 200 * MS, true)); /* what was sent before it */
}

static void eifel_needs_the_octets(void **state)
{
	struct tcp_sent_out o = { .acked = 1000 };

	(void)state;
	resent(200 * MS, 0, 1000);
	/* nothing of what was sent again is acknowledged */
	assert_false(tcp_undo_ack(&u, &o, Q, at(100 * MS), true));
	o.rtx_delivered = true;
	/* no timestamps */
	assert_false(tcp_undo_ack(&u, &o, Q, INSTANT_NEVER, true));
	/* a duplicate brings the echo of what was there before it */
	o.dsack = true;
	o.dsack_range = (struct range32){ Q, Q + 10 };
	assert_false(tcp_undo_ack(&u, &o, Q, at(100 * MS), true));
}

static void dsacks_for_all(void **state)
{
	(void)state;
	assert_false(dsack(0, 1000)); /* no retransmission of ours */
	tcp_undo_init(&u, Q);
	tcp_undo_arm(&u, Q);
	resent(MS, 0, 1000);
	resent(MS, 1000, 500);
	assert_false(dsack(0, 1000));
	assert_false(dsack(0u - 1000, 1000)); /* of an earlier recovery */
	assert_true(dsack(1000, 500));        /* across the wrap */
}

/* The network duplicates: octets that were sent once, and acknowledgements. */
static void dsacks_of_the_network(void **state)
{
	(void)state;
	resent(MS, 0, 1000);
	assert_false(dsack(1000, 1000));
	assert_false(dsack(500, 1000));
	resent(MS, 3000, 1000);
	assert_false(dsack(0, 1000));
	assert_false(dsack(0, 1000));
	assert_true(dsack(3000, 1000));
}

static void dsacks_long_afterwards(void **state)
{
	(void)state;
	resent(MS, 0, 1000);
	for (uint32_t i = 0; i < 16; i++) {
		acked(i * 0x10000000u, 2 * MS, false);
		assert_false(dsack(i * 0x10000000u + 5000, 1000));
	}
	acked(1000, 2 * MS, false);
	assert_false(dsack(0, 1000));
}

static void only_while_armed(void **state)
{
	(void)state;
	resent(MS, 0, 1000);
	tcp_undo_cancel(&u);
	assert_false(acked(0, 0, true));
	assert_false(dsack(0, 1000));
	assert_false(acked(1000, 0, true));
	/* armed again: retransmissions that are acknowledged do not count */
	tcp_undo_arm(&u, Q + 1000);
	assert_false(acked(2000, 0, true));
}

/* A second recovery begins while a retransmission of the first is out: its ACK
 * echoes what was sent before the second one's first retransmission, which is
 * no sign of anything. */
static void one_after_another(void **state)
{
	(void)state;
	resent(100 * MS, 0, 1000);
	resent(110 * MS, 5000, 1000);
	assert_false(acked(4000, 100 * MS + 1, true));
	tcp_undo_arm(&u, Q + 4000);
	resent(120 * MS, 9000, 1000);
	assert_false(acked(8000, 110 * MS + 1, true));
	/* nor is one D-SACK, for either of the two */
	assert_false(dsack(9000, 1000));
	/* all of that is over: from here on as at first */
	assert_false(acked(10000, 120 * MS + 1, true));
	tcp_undo_arm(&u, Q + 10000);
	resent(200 * MS, 10000, 1000);
	assert_true(acked(11000, 200 * MS, true));
}

/* the end of what was sent again does not come back with the wrap */
static void far_apart(void **state)
{
	(void)state;
	resent(MS, 0, 1000);
	for (uint32_t at = 0; at < 0xc0000000u; at += 0x10000000u) {
		acked(at, 2 * MS, false);
	}
	acked(0xc0000000u, 2 * MS, false);
	tcp_undo_arm(&u, Q + 0xc0000000u);
	assert_false(acked(0xc0001000u, 0, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(eifel, setup),
		cmocka_unit_test_setup(eifel_needs_the_octets, setup),
		cmocka_unit_test_setup(dsacks_for_all, setup),
		cmocka_unit_test_setup(dsacks_of_the_network, setup),
		cmocka_unit_test_setup(dsacks_long_afterwards, setup),
		cmocka_unit_test_setup(only_while_armed, setup),
		cmocka_unit_test_setup(one_after_another, setup),
		cmocka_unit_test_setup(far_apart, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
