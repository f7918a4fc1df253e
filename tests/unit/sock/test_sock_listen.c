#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/sock/sock_state.h"

/* SO_REUSEPORT: the listeners share what comes, by the four-tuple; and one takes
 * over what came to another */
static void test_reuseport_shares(void **state)
{
	struct endpoint e = endpoint_make(addr_any(4), 80);
	struct sock *l[2], *c[40], *a;
	unsigned got[2] = { 0, 0 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		l[i] = sock_open(two.end[1].stack, 4);
		two_set(l[i], 1, 15, 1); /* SO_REUSEPORT */
		assert_int_equal(sock_bind(l[i], &e), 0);
		assert_int_equal(sock_listen(l[i], two.now, 50), 0);
	}
	for (unsigned i = 0; i < 40; i++) {
		c[i] = two_connect(80);
	}
	two_run(50 * NANOS_MS);
	for (unsigned i = 0; i < 40; i++) {
		two_write(c[i], 1);
	}
	two_run(50 * NANOS_MS);
	a = sock_accept(l[0], two.now);
	assert_non_null(a);
	sock_pass_on(l[1], a);
	for (unsigned i = 0; i < 2; i++) {
		while ((a = sock_accept(l[i], two.now)) != NULL) {
			got[i]++;
			sock_close(a, two.now, true);
		}
		sock_close(l[i], two.now, true);
	}
	assert_int_equal(got[0] + got[1], 40);
	assert_true(got[0] >= 8 && got[1] >= 8);
	for (unsigned i = 0; i < 40; i++) {
		sock_close(c[i], two.now, true);
	}
	two_run(NANOS_S);
}

static void test_backlog(void **state)
{
	struct sock *l = two_listen(80, 1), *c[6], *a;
	unsigned done = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		c[i] = two_connect(80);
		two_run(50 * NANOS_MS);
		if (sock_connected(c[i])) {
			two_write(c[i], 1);
			two_run(50 * NANOS_MS);
			done++;
		}
	}
	assert_int_equal(done, 2); /* backlog + 1 */
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_unaccept(l, a);
	assert_ptr_equal(sock_accept(l, two.now), a); /* in front again */
	two_run(10 * NANOS_S); /* a SYN sent again gets the free place */
	done = 0;
	for (unsigned i = 0; i < 6; i++) {
		done += sock_connected(c[i]);
		sock_close(c[i], two.now, true);
	}
	assert_true(done >= 3);
	sock_close(a, two.now, true);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

/* nothing but SYNs arrives */
static void only_syns(struct pkt *p)
{
	if (p->data[IP4_HDR_LEN + 13] & TCP_ACK) {
		p->data[0] = 0;
	}
}

/* Of a larger backlog as many may be half open as may wait, and one more; the
 * next one is answered with a cookie. */
static void test_half_open(void **state)
{
	static struct sock *c[SOCK_HALF_OPEN_MIN + 12];
	const struct tcp *tcp = two.end[1].stack->tcp;
	struct sock *l = two_listen(80, SOCK_HALF_OPEN_MIN + 10);

	(void)state;
	two.mbox = only_syns;
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		assert_int_equal(tcp_counter(tcp, TCP_COOKIE_SENT), 0);
		c[i] = two_connect(80);
		two_run(NANOS_MS);
	}
	assert_int_equal(tcp_counter(tcp, TCP_COOKIE_SENT), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		sock_close(c[i], two.now, true);
	}
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_listener_closes_with_a_queue(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80);

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	sock_close(l, two.now, false);
	two_run(50 * NANOS_MS);
	assert_false(sock_connected(c));
	assert_int_equal(sock_error(c), ECONNRESET);
	sock_close(c, two.now, false);
}

static void test_defer_accept(void **state)
{
	struct sock *l = two_listen(80, 5), *c, *a;

	(void)state;
	two_set(l, 6, 9, 3); /* TCP_DEFER_ACCEPT */
	c = two_connect(80);
	two_run(200 * NANOS_MS);
	assert_null(sock_accept(l, two.now));
	two_write(c, 1);
	two_run(100 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_close(a, two.now, true);
	sock_close(c, two.now, true);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_reuseport_shares),
		TWO_TEST(test_backlog),
		TWO_TEST(test_half_open),
		TWO_TEST(test_listener_closes_with_a_queue),
		TWO_TEST(test_defer_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
