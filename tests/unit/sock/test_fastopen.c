/* Fast Open between two stacks, with packets lost at every place: what is
 * written arrives, once, and both ends come to an end (RFC 7413) */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static unsigned lose[2], n_lose; /* packets by number, from 1 */

static void lossy(void *ctx, struct pkt *p)
{
	two.packets++;
	for (unsigned i = 0; i < n_lose; i++) {
		if (two.packets == lose[i]) {
			pkt_put(p);
			return;
		}
	}
	stack_input(((struct two_end *)ctx)->stack, two.now, p);
}

static void move(void)
{
	struct pkt_out out[4];
	struct stack_event ev;
	unsigned n, any;

	do {
		any = 0;
		for (unsigned from = 0; from < 2; from++) {
			struct stack *s = two.end[from].stack;

			while (stack_event(s, &ev)) {
			}
			n = stack_output(s, two.now, out, 4);
			any += n;
			for (unsigned i = 0; i < n; i++) {
				wirepkt_split(&out[i], 0, lossy,
					      &two.end[!from]);
			}
		}
	} while (any);
}

static void pass(nanos d)
{
	struct instant until = instant_add(two.now, d);

	for (;;) {
		struct instant a;

		move();
		a = instant_min(stack_deadline(two.end[0].stack),
				stack_deadline(two.end[1].stack));
		if (instant_before(until, a)) {
			break;
		}
		two.now = instant_before(a, two.now) ? two.now : a;
		stack_tick(two.end[0].stack, two.now);
		stack_tick(two.end[1].stack, two.now);
	}
	two.now = until;
}

static int setup(void **state)
{
	int rc;

	two_policy = MP_OFF;
	rc = two_setup(state);
	two_policy = MP_PREFER;
	n_lose = 0;
	return rc;
}

static struct sock *open_to(uint16_t port)
{
	struct endpoint e = endpoint_make(two.end[1].addr, port);
	struct sock *c = sock_open(two.end[0].stack, 4);

	two_set(c, LX_IPPROTO_TCP, LX_TCP_FASTOPEN_CONNECT, 1);
	assert_int_equal(sock_connect(c, two.now, &e), EINPROGRESS);
	return c;
}

/* one request and one answer; which packets are lost is set */
static void exchange(struct sock *l, uint32_t ask, uint32_t answer)
{
	struct sock *c = open_to(80), *a;

	assert_true(sock_connected(c));
	two.packets = 0;
	two_write(c, ask);
	pass(NANOS_MS);
	for (unsigned i = 0; !(a = sock_accept(l, two.now)); i++) {
		assert_true(i < 100);
		pass(NANOS_S);
	}
	for (unsigned i = 0; sock_read_len(a) < ask; i++) {
		assert_true(i < 100);
		pass(NANOS_S);
	}
	two_write(a, answer);
	sock_shutdown_write(a, two.now);
	pass(30 * NANOS_S);
	assert_int_equal(sock_read_len(a), ask);
	assert_int_equal(sock_read_len(c), answer);
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	pass(NANOS_S);
}

static void test_losses(void **state)
{
	struct sock *l = two_listen(80, 16), *c, *a;

	(void)state;
	two_set(l, LX_IPPROTO_TCP, LX_TCP_FASTOPEN, 16);
	c = open_to(80);
	pass(NANOS_MS);
	a = sock_accept(l, two.now);
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	pass(NANOS_S);
	for (unsigned i = 0; i < 9; i++) {
		for (unsigned j = i; j < 9; j++) {
			lose[0] = i;
			lose[1] = j;
			n_lose = 2;
			/* the table's memory of lost SYNs is not the matter */
			two.now = instant_add(two.now, 86400 * NANOS_S / 4);
			stack_tick(two.end[0].stack, two.now);
			stack_tick(two.end[1].stack, two.now);
			n_lose = 0;
			c = open_to(80); /* a cookie for sure */
			if (sock_connected(c)) {
				two_write(c, 1);
			}
			pass(NANOS_S);
			a = sock_accept(l, two.now);
			sock_close(c, two.now, true);
			sock_close(a, two.now, true);
			pass(NANOS_S);
			n_lose = 2;
			exchange(l, 700, 5000);
			exchange(l, 4000, 1);
		}
	}
	n_lose = 0;
	assert_true(tcp_counter(two.end[0].stack->tcp, TCP_TFO_ACTIVE) > 50);
	assert_true(tcp_counter(two.end[0].stack->tcp, TCP_TFO_ACTIVE_FAIL) >
		    5);
	sock_close(l, two.now, true);
	pass(NANOS_S);
	assert_int_equal(stack_conns(two.end[1].stack), 0);
}

/* the listener goes while connections of its Fast Open queue wait */
static void test_listener_goes(void **state)
{
	struct sock *l = two_listen(80, 16), *c, *a;

	(void)state;
	two_set(l, LX_IPPROTO_TCP, LX_TCP_FASTOPEN, 16);
	c = open_to(80);
	pass(NANOS_MS);
	a = sock_accept(l, two.now);
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	pass(NANOS_S);
	c = open_to(80);
	two.packets = 0;
	lose[0] = 2; /* the SYN-ACK */
	n_lose = 1;
	two_write(c, 10);
	pass(NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_close(l, two.now, false);
	pass(5 * NANOS_S);
	assert_int_equal(sock_read_len(a), 10);
	assert_true(sock_connected(c));
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	pass(NANOS_S);
}

/* as many as TCP_FASTOPEN says wait for their third ACK; data of the next come
 * again */
static void test_queue(void **state)
{
	struct sock *l = two_listen(80, 16), *c[3], *a[3];
	struct tcp *tcp = two.end[1].stack->tcp;

	(void)state;
	two_set(l, LX_IPPROTO_TCP, LX_TCP_FASTOPEN, 1);
	c[0] = open_to(80);
	pass(NANOS_MS);
	a[0] = sock_accept(l, two.now);
	two.packets = 0;
	lose[0] = 2; /* the SYN-ACK */
	n_lose = 1;
	c[1] = open_to(80);
	two_write(c[1], 10);
	pass(NANOS_MS);
	a[1] = sock_accept(l, two.now);
	assert_non_null(a[1]);
	c[2] = open_to(80);
	two_write(c[2], 10);
	pass(NANOS_MS);
	a[2] = sock_accept(l, two.now);
	assert_non_null(a[2]);
	assert_int_equal(sock_read_len(a[2]), 10);
	assert_int_equal(tcp_counter(tcp, TCP_TFO_OVERFLOW), 1);
	assert_int_equal(tcp_counter(tcp, TCP_TFO_PASSIVE), 1);
	for (unsigned i = 0; i < 3; i++) {
		sock_close(c[i], two.now, true);
		sock_close(a[i], two.now, true);
	}
	sock_close(l, two.now, true);
	pass(NANOS_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, two_teardown)
		T(test_losses), T(test_listener_goes), T(test_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
