#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_rack.h"
#include "tests/lib/fake.h"

#define MS NANOS_MS
#define Q  0xfffffff0u

static struct fake fake;
static struct tcp_sent s;
static struct tcp_rack r;

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	tcp_sent_init(&s, &fake.mem, Q, at(0));
	tcp_rack_init(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_sent_fini(&s);
	fake_fini(&fake);
	return 0;
}

static struct tcp_sent_out ack(nanos now, uint32_t a, uint32_t lo, uint32_t hi)
{
	struct range32 b = { Q + lo, Q + hi };
	struct tcp_sent_in in = { .now = at(now),
				  .ack = Q + a,
				  .sack = &b,
				  .n_sack = lo < hi,
				  .echo_before = INSTANT_NEVER };
	struct tcp_sent_out o;

	tcp_sent_ack(&s, &in, &o);
	tcp_rack_update(&r, at(now), &o, s.una, s.nxt);
	return o;
}

/* Thousands of holes, and the reordering window is not over: the ACK looks at
 * some of them, and looks again no later than the last is due. */
static void many_holes(void **state)
{
	struct instant again;
	bool rtx;

	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		assert_true(tcp_sent_add(&s, at(i * NANOS_US), 10, 10, false));
	}
	ack(20 * MS, 0, 29990, 30000);
	assert_int_equal(r.tx.ns, 2999 * NANOS_US);
	assert_int_equal(tcp_rack_detect(&r, &s, at(20 * MS), 5 * MS, &rtx,
					 &again), 0);
	assert_int_equal(again.ns, r.tx.ns + r.rtt + 5 * MS);
	/* when that comes everything is found at once */
	assert_int_equal(tcp_rack_detect(&r, &s, again, 5 * MS, &rtx, &again),
			 29990);
	assert_true(instant_never(again));
}

/* RFC 8985 3.4: P1 P2 P3 sent, P1 and P2 dropped, P3 SACKed */
static void sent_later_and_delivered(void **state)
{
	struct instant again;
	bool rtx;

	(void)state;
	for (int i = 0; i < 3; i++) {
		tcp_sent_add(&s, at(i * MS), 100, 100, false);
	}
	assert_int_equal(tcp_rack_detect(&r, &s, at(5 * MS), 0, &rtx, &again),
			 0);
	assert_true(instant_never(again));
	ack(12 * MS, 0, 200, 300);
	assert_int_equal(r.rtt, 10 * MS);
	/* with a reordering window of 2.5 ms: P1 due at 12.5, P2 at 13.5 */
	assert_int_equal(
		tcp_rack_detect(&r, &s, at(12 * MS), 2500000, &rtx, &again), 0);
	assert_int_equal(again.ns, 13500000);
	assert_int_equal(tcp_rack_detect(&r, &s, at(12500000), 2500000, &rtx,
					 &again),
			 100);
	assert_int_equal(again.ns, 13500000);
	assert_int_equal(tcp_rack_detect(&r, &s, again, 2500000, &rtx, &again),
			 100);
	assert_true(instant_never(again));
	assert_false(rtx);
	assert_int_equal(s.n_lost, 200);
}

/* ties in time are broken by sequence number */
static void same_instant(void **state)
{
	struct instant again;
	bool rtx;

	(void)state;
	for (int i = 0; i < 3; i++) {
		tcp_sent_add(&s, at(0), 100, 100, false);
	}
	ack(10 * MS, 0, 100, 200);
	assert_int_equal(tcp_rack_detect(&r, &s, at(10 * MS), 0, &rtx, &again),
			 100);
	assert_int_equal(tcp_sent_at(&s, 0)->state, TCP_SENT_LOST);
	assert_int_equal(tcp_sent_at(&s, 2)->state, TCP_SENT_FLIGHT);
}

static void lost_retransmission(void **state)
{
	struct instant again;
	struct tcp_sent_entry *e;
	bool rtx;

	(void)state;
	tcp_sent_add(&s, at(0), 100, 100, false);
	tcp_sent_add(&s, at(0), 100, 100, false);
	ack(10 * MS, 0, 100, 200);
	tcp_rack_detect(&r, &s, at(10 * MS), 0, &rtx, &again);
	e = tcp_sent_next_lost(&s, 100);
	tcp_sent_resent(&s, e, at(10 * MS), 100);
	tcp_sent_add(&s, at(11 * MS), 100, 100, false);
	assert_int_equal(tcp_rack_detect(&r, &s, at(20 * MS), 0, &rtx, &again),
			 0);
	ack(21 * MS, 0, 200, 300); /* sent after the retransmission */
	assert_int_equal(tcp_rack_detect(&r, &s, at(21 * MS), 0, &rtx, &again),
			 100);
	assert_true(rtx);
}

static void reordering_window(void **state)
{
	struct tcp_sent_out o = { .rtt = -1 };

	(void)state;
	assert_int_equal(tcp_rack_reo_wnd(&r, false, 20 * MS, 40 * MS), 5 * MS);
	assert_int_equal(tcp_rack_reo_wnd(&r, true, 20 * MS, 40 * MS), 0);
	o.reordered = true;
	tcp_rack_update(&r, at(0), &o, Q, Q + 1000);
	assert_int_equal(tcp_rack_reo_wnd(&r, true, 20 * MS, 40 * MS), 5 * MS);
	/* one more quarter per round with D-SACK, up to SRTT */
	o.dsack = true;
	tcp_rack_update(&r, at(0), &o, Q, Q + 1000);
	tcp_rack_update(&r, at(0), &o, Q + 500, Q + 1500);
	assert_int_equal(tcp_rack_reo_wnd(&r, true, 20 * MS, 40 * MS), 10 * MS);
	tcp_rack_update(&r, at(0), &o, Q + 1000, Q + 2000);
	assert_int_equal(tcp_rack_reo_wnd(&r, true, 20 * MS, 40 * MS), 15 * MS);
	for (uint32_t i = 2; i < 1000; i++) {
		tcp_rack_update(&r, at(0), &o, Q + i * 1000,
				Q + (i + 1) * 1000);
	}
	assert_int_equal(tcp_rack_reo_wnd(&r, true, 20 * MS, 40 * MS), 40 * MS);
	for (unsigned i = 0; i < TCP_RACK_PERSIST; i++) {
		assert_true(r.mult > 1);
		tcp_rack_recovered(&r);
	}
	assert_int_equal(tcp_rack_reo_wnd(&r, true, 20 * MS, 40 * MS), 5 * MS);
}

static void probe_timeout(void **state)
{
	(void)state;
	assert_int_equal(tcp_rack_pto(0, true), 1 * NANOS_S);
	assert_int_equal(tcp_rack_pto(50 * MS, false), 100 * MS);
	assert_int_equal(tcp_rack_pto(50 * MS, true), 300 * MS);
	assert_int_equal(tcp_rack_pto(10, false), TCP_TLP_MIN);
}

static void probe_episodes(void **state)
{
	struct tcp_sent_out o = { .rtt = -1 };

	(void)state;
	assert_true(tcp_rack_probe_ok(&r));
	tcp_rack_probe_sent(&r, false, Q + 100); /* new data */
	assert_false(tcp_rack_probe_ok(&r));
	assert_false(tcp_rack_probe_ack(&r, Q + 99, &o, false));
	assert_true(r.tlp);
	assert_false(tcp_rack_probe_ack(&r, Q + 100, &o, false));
	assert_false(r.tlp);
	assert_false(tcp_rack_probe_ok(&r)); /* no RTT sample since */
	o.rtt = MS;
	tcp_rack_update(&r, at(0), &o, Q, Q);
	assert_true(tcp_rack_probe_ok(&r));
	/* retransmission that repaired a loss */
	tcp_rack_probe_sent(&r, true, Q + 100);
	assert_false(tcp_rack_probe_ack(&r, Q + 100, &o, false));
	assert_true(tcp_rack_probe_ack(&r, Q + 101, &o, false));
	assert_false(r.tlp);
	/* case 1: D-SACK of the probe */
	tcp_rack_probe_sent(&r, true, Q + 100);
	o.dsack = true;
	o.dsack_range = (struct range32){ Q + 50, Q + 100 };
	assert_false(tcp_rack_probe_ack(&r, Q + 100, &o, false));
	assert_false(r.tlp);
	/* case 2: a duplicate ACK */
	o.dsack = false;
	tcp_rack_probe_sent(&r, true, Q + 100);
	assert_false(tcp_rack_probe_ack(&r, Q + 100, &o, true));
	assert_false(r.tlp);
	tcp_rack_probe_sent(&r, true, Q + 100);
	tcp_rack_probe_cancel(&r);
	assert_false(tcp_rack_probe_ack(&r, Q + 101, &o, false));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_holes, setup, teardown),
		T(sent_later_and_delivered),
		T(same_instant),
		T(lost_retransmission),
		T(reordering_window),
		T(probe_timeout),
		T(probe_episodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
