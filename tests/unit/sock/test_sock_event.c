/* one entry per socket, bits merged, nothing from who is not the program's */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/sock/sock_state.h"

static struct stack *s;

static int setup(void **state)
{
	two_setup(state);
	s = two.end[0].stack;
	return 0;
}

static void test_none(void **state)
{
	struct stack_event ev;

	(void)state;
	assert_false(stack_event(s, &ev));
	sock_event_resume(sock_open(s, 4)); /* no bits: no event */
	assert_false(stack_event(s, &ev));
}

static void test_merged_and_in_order(void **state)
{
	struct sock *a = sock_open(s, 4), *b = sock_open(s, 4);
	struct stack_event ev;
	int ua, ub;

	(void)state;
	sock_set_user(a, &ua);
	sock_set_user(b, &ub);
	sock_event(a, SOCK_EV_READ);
	sock_event(b, SOCK_EV_CLOSED);
	sock_event(a, SOCK_EV_WRITE);
	sock_event(a, SOCK_EV_READ);
	assert_true(stack_event(s, &ev));
	assert_ptr_equal(ev.sk, a);
	assert_ptr_equal(ev.user, &ua);
	assert_int_equal(ev.bits, SOCK_EV_READ | SOCK_EV_WRITE);
	sock_event(a, SOCK_EV_ACCEPT); /* behind b now, old bits are gone */
	assert_true(stack_event(s, &ev));
	assert_ptr_equal(ev.sk, b);
	assert_ptr_equal(ev.user, &ub);
	assert_int_equal(ev.bits, SOCK_EV_CLOSED);
	assert_true(stack_event(s, &ev));
	assert_ptr_equal(ev.sk, a);
	assert_int_equal(ev.bits, SOCK_EV_ACCEPT);
	assert_false(stack_event(s, &ev));
}

static void test_dropped_or_freed(void **state)
{
	struct sock *a = sock_open(s, 4), *b = sock_open(s, 4);
	struct stack_event ev;

	(void)state;
	sock_event(a, SOCK_EV_READ);
	sock_event(b, SOCK_EV_READ);
	sock_close(a, two.now, false);
	assert_true(stack_event(s, &ev));
	assert_ptr_equal(ev.sk, b);
	assert_false(stack_event(s, &ev));
	sock_event(b, SOCK_EV_READ);
	sock_event_drop(b);
	assert_false(stack_event(s, &ev));
	sock_event_drop(b); /* not on the list: no harm */
	sock_event_resume(b); /* the bits are still there */
	assert_true(stack_event(s, &ev));
	assert_int_equal(ev.bits, SOCK_EV_READ);
}

static void test_silent_until_accepted(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80), *a;
	struct stack_event ev;
	unsigned n = 0;

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 10);
	for (unsigned i = 0; i < 50; i++) {
		struct pkt_out out[4];
		unsigned k;

		two.now = instant_add(two.now, NANOS_MS);
		for (unsigned e = 0; e < 2; e++) {
			k = stack_output(two.end[e].stack, two.now, out, 4);
			for (unsigned j = 0; j < k; j++) {
				wirepkt_split(&out[j], 0, two_rx,
					      &two.end[!e]);
			}
		}
	}
	while (stack_event(two.end[1].stack, &ev)) {
		assert_ptr_equal(ev.sk, l);
		assert_int_equal(ev.bits, SOCK_EV_ACCEPT);
		n++;
	}
	assert_true(n <= 1);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_true(stack_event(two.end[1].stack, &ev));
	assert_ptr_equal(ev.sk, a);
	assert_int_equal(ev.bits, SOCK_EV_READ);
	assert_null(ev.user);
	/* back on the queue it is silent again, and keeps what happened */
	sock_event(a, SOCK_EV_WRITE);
	sock_unaccept(l, a);
	assert_false(stack_event(two.end[1].stack, &ev));
	sock_event(a, SOCK_EV_READ);
	assert_false(stack_event(two.end[1].stack, &ev));
	assert_ptr_equal(sock_accept(l, two.now), a);
	assert_true(stack_event(two.end[1].stack, &ev));
	assert_int_equal(ev.bits, SOCK_EV_READ | SOCK_EV_WRITE);
	sock_close(a, two.now, true);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_orphan_is_silent(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80);
	struct stack_event ev;

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 1000);
	sock_close(c, two.now, false);
	sock_event(c, SOCK_EV_WRITE); /* owed octets keep it: an orphan */
	assert_false(stack_event(s, &ev));
	sock_close(l, two.now, false);
	two_run(200 * NANOS_S);
	assert_int_equal(stack_conns(s), 0);
}

/* every state change is told once, and only to its socket */
static void test_life_in_events(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80), *a;

	(void)state;
	two.end[0].watch = c;
	two_run(50 * NANOS_MS);
	assert_int_equal(two.end[0].events, SOCK_EV_CONNECTED);
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	two.end[0].events = 0;
	two_write(a, 5);
	two_run(50 * NANOS_MS);
	assert_int_equal(two.end[0].events, SOCK_EV_READ);
	two.end[0].events = 0;
	sock_read_done(a, two.now, 1);
	assert_int_equal(sock_shutdown_write(a, two.now), 0);
	two_run(50 * NANOS_MS);
	assert_int_equal(two.end[0].events, SOCK_EV_READ); /* EOF */
	two.end[0].events = 0;
	two_run(500 * NANOS_MS);
	assert_int_equal(two.end[0].events, 0);
	sock_read_done(c, two.now, 5);
	assert_true(sock_read_eof(c));
	sock_shutdown_write(c, two.now);
	two_run(500 * NANOS_MS);
	assert_int_equal(two.end[0].events, SOCK_EV_CLOSED);
	assert_int_equal(sock_error_peek(c), 0);
	sock_close(c, two.now, false);
	sock_close(a, two.now, false);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, two_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_none),
		T(test_merged_and_in_order),
		T(test_dropped_or_freed),
		T(test_silent_until_accepted),
		T(test_orphan_is_silent),
		T(test_life_in_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
