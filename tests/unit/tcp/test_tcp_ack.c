/* What an ACK means (RFC 9293 3.10.7.4, fifth) */
#include "tests/unit/tcp/pair_one.h"

static int setup(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	open_it();
	pair_write(&p.end[1].conn, 5000, false);
	pair_run(&p, NANOS_S, NULL);
	return 0;
}

/* SND.WL1 and SND.WL2: an older segment does not move the window */
static void test_window(void **state)
{
	struct tcp_snd *s = &p.end[0].conn.tcb->snd;
	struct tcp_seg seg = pair_forge(&p, 1);

	(void)state;
	seg.wnd = 100;
	pair_inject(&p, 0, &seg);
	assert_int_equal(s->wnd, 100 << 7);
	assert_int_equal(p.end[0].conn.last_wnd, 100 << 7);
	/* the same numbers, a newer window: taken (it may even shrink) */
	seg.wnd = 50;
	pair_inject(&p, 0, &seg);
	assert_int_equal(s->wnd, 50 << 7);
	/* our number advances, the peer's ACK does not: newer by SEG.ACK only */
	pair_write(&p.end[0].conn, 1000, false);
	pair_run(&p, 0, NULL);
	seg.ack += 1000;
	seg.wnd = 70;
	pair_inject(&p, 0, &seg);
	assert_int_equal(s->wnd, 70 << 7);
	seg.ack -= 1000;
	seg.wnd = 90; /* overtaken on the way */
	pair_inject(&p, 0, &seg);
	assert_int_equal(s->wnd, 70 << 7);
	assert_true(s->max_wnd > 100 << 7);
}

/* the upper hears of octets, not of the FIN */
static void test_acked(void **state)
{
	(void)state;
	pair_write(&p.end[0].conn, 3000, true);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(p.end[0].conn.acked, 3000);
	assert_int_equal(tcp_state(p.end[0].conn.tcb), TCP_FIN_WAIT_2);
	assert_int_equal(p.end[0].conn.tcb->stats.bytes_acked, 3000);
}

/* an ACK in the middle of a burst releases that much */
static void test_partial(void **state)
{
	struct tcp_seg seg = pair_forge(&p, 1);
	uint32_t room;

	(void)state;
	pair_write(&p.end[0].conn, 10 * 1448, false);
	pair_run(&p, 0, NULL);
	assert_int_equal(tcp_room(p.end[0].conn.tcb), 0);
	seg.ack += 3 * 1448;
	pair_inject(&p, 0, &seg);
	assert_int_equal(p.end[0].conn.acked, 3 * 1448);
	room = tcp_room(p.end[0].conn.tcb);
	assert_int_equal(room, 6 * 1448); /* slow start */
	assert_true(p.end[0].conn.can_sends > 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_window),
		T(test_acked),
		T(test_partial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
