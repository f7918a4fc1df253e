/* the object's life: limits, identity, errors, wrong orders of calls, queues
 * that are full, and memory refused at every single allocation */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/sock/sock_state.h"

static struct endpoint srv(uint16_t port)
{
	return endpoint_make(two.end[1].addr, port);
}

static void test_identity(void **state)
{
	struct stack *s = two.end[0].stack;
	struct sock *a = sock_open(s, 4), *b = sock_open(s, 6);
	uint64_t ia = sock_id(a), ib = sock_id(b);

	(void)state;
	assert_true(ia != 0 && ia != ib);
	assert_ptr_equal(sock_find(s, ia), a);
	assert_ptr_equal(sock_find(s, ib), b);
	assert_null(sock_find(s, 0));
	assert_null(sock_find(s, ib + 1));
	assert_ptr_equal(sock_stack(a), s);
	sock_close(a, two.now, false);
	assert_null(sock_find(s, ia));
	a = sock_open(s, 4); /* an ID never comes again */
	assert_true(sock_id(a) > ib);
	assert_null(sock_open(s, 0));
	assert_null(sock_open(s, 7));
}

static void test_fresh_has_nothing(void **state)
{
	struct sock *a = sock_open(two.end[0].stack, 4);
	struct endpoint e;
	struct mp_info m;

	(void)state;
	assert_false(sock_connected(a));
	assert_false(sock_local(a, &e));
	assert_false(sock_remote(a, &e));
	assert_false(sock_info(a, &m));
	assert_int_equal(sock_error_peek(a), 0);
	assert_int_equal(sock_error(a), 0);
	assert_null(sock_accept(a, two.now));
	sock_close(a, two.now, true);
}

static void test_names_by_state(void **state)
{
	struct stack *s = two.end[0].stack;
	struct sock *l = two_listen(80, 1), *c = sock_open(s, 6);
	struct endpoint e, to = endpoint_make(addr_map(two.end[1].addr), 80);

	(void)state;
	assert_int_equal(sock_connect(c, two.now, &to), EINPROGRESS);
	assert_true(sock_local(c, &e));
	assert_false(sock_remote(c, &e)); /* Linux: not before it is there */
	two_run(50 * NANOS_MS);
	assert_true(sock_remote(c, &e));
	assert_true(endpoint_eq(&e, &to)); /* mapped, as it was asked for */
	assert_true(sock_local(c, &e));
	assert_int_equal(e.addr.family, 6);
	assert_true(addr_is_v4mapped(&e.addr));
	assert_true(sock_local(l, &e));
	assert_int_equal(e.port, 80);
	assert_false(sock_remote(l, &e));
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_limit_counts_handles(void **state)
{
	struct stack_cfg cfg = { .mp = { .subflows_max = 1,
					 .scheduler = "minrtt" },
				 .socks_max = 3 };
	struct sock *sk[3];
	struct fake f;
	struct stack *s;

	(void)state;
	fake_init(&f, 3);
	s = stack_new(&f.env, &cfg, two.now);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 3; i++) {
			sk[i] = sock_open(s, 4);
			assert_non_null(sk[i]);
		}
		assert_null(sock_open(s, 4));
		for (unsigned i = 0; i < 3; i++) {
			sock_close(sk[i], two.now, i == 1);
		}
	}
	assert_int_equal(s->n_socks, 0);
	stack_free(s);
	fake_fini(&f);
}

/* every call in every state that is not its own */
static void test_wrong_orders(void **state)
{
	struct stack *s = two.end[0].stack;
	struct endpoint any = endpoint_make(addr_any(4), 90), e = srv(80);
	struct sock *l = two_listen(80, 1), *a, *c = sock_open(s, 4);

	(void)state;
	/* bound */
	assert_int_equal(sock_bind(c, &any), 0);
	assert_int_equal(sock_bind(c, &any), EINVAL);
	/* connecting */
	assert_int_equal(sock_connect(c, two.now, &e), EINPROGRESS);
	assert_int_equal(sock_connect(c, two.now, &e), EALREADY);
	assert_int_equal(sock_bind(c, &any), EINVAL);
	assert_int_equal(sock_listen(c, two.now, 1), EINVAL);
	assert_null(sock_accept(c, two.now));
	/* open */
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_connect(c, two.now, &e), EISCONN);
	assert_int_equal(sock_bind(c, &any), EINVAL);
	assert_int_equal(sock_listen(c, two.now, 1), EINVAL);
	assert_null(sock_accept(c, two.now));
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	/* ended: Linux still calls it connected */
	sock_close(a, two.now, true);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_error_peek(c), ECONNRESET);
	assert_int_equal(sock_connect(c, two.now, &e), EISCONN);
	assert_int_equal(sock_bind(c, &any), EINVAL);
	assert_int_equal(sock_listen(c, two.now, 1), EINVAL);
	assert_int_equal(sock_shutdown_write(c, two.now), ENOTCONN);
	assert_int_equal(sock_error(c), ECONNRESET);
	/* listening */
	assert_int_equal(sock_connect(l, two.now, &e), EISCONN);
	assert_int_equal(sock_bind(l, &any), EINVAL);
	assert_int_equal(sock_listen(l, two.now, 9), 0);
	assert_int_equal(l->q->backlog, 9);
	assert_int_equal(sock_listen(l, two.now, UINT32_MAX), 0);
	assert_int_equal(l->q->backlog, SOCK_BACKLOG_MAX);
	sock_close(c, two.now, false);
	sock_close(l, two.now, false);
	two_run(NANOS_S);
}

static void test_listen_unbound_and_after_failure(void **state)
{
	struct sock *l = sock_open(two.end[1].stack, 4), *c;
	struct endpoint e = endpoint_make(two.end[0].addr, 9);

	(void)state;
	assert_int_equal(sock_connect(l, two.now, &e), EINPROGRESS);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_error_peek(l), ECONNREFUSED);
	assert_int_equal(sock_listen(l, two.now, 1), 0);
	assert_true(sock_local(l, &e));
	assert_true(e.port >= 32768);
	assert_true(addr_is_any(&e.addr));
	c = two_connect(e.port);
	two_run(50 * NANOS_MS);
	assert_true(sock_connected(c));
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_reset_and_refused_errors(void **state)
{
	struct sock *c = two_connect(9);
	struct endpoint e;

	(void)state;
	two_run(50 * NANOS_MS);
	assert_false(sock_remote(c, &e));
	assert_int_equal(sock_error_peek(c), ECONNREFUSED);
	assert_int_equal(sock_error_peek(c), ECONNREFUSED);
	assert_int_equal(sock_error(c), ECONNREFUSED);
	assert_int_equal(sock_error_peek(c), 0);
	sock_close(c, two.now, false);
}

static void test_linger_zero_resets(void **state)
{
	struct sock *l = two_listen(80, 1), *c = two_connect(80), *a;
	int lg[2] = { 1, 0 };

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	sock_read_done(a, two.now, 1);
	assert_int_equal(sock_setopt(c, two.now, 1, 13, lg, sizeof(lg)), 0);
	sock_close(c, two.now, false);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_error(a), ECONNRESET);
	assert_int_equal(stack_timewait(two.end[0].stack), 0);
	sock_close(a, two.now, false);
	sock_close(l, two.now, false);
}

/* --- queues ------------------------------------------------------------- */

/* connections from one client that nobody accepts, n tries */
static unsigned flood(struct sock **c, unsigned n, uint16_t port)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		c[i] = two_connect(port);
		two_run(5 * NANOS_MS);
		if (sock_connected(c[i])) {
			done++;
		}
	}
	return done;
}

static void drain(struct sock **c, unsigned n, struct sock *l)
{
	for (unsigned i = 0; i < n; i++) {
		sock_close(c[i], two.now, true);
	}
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* TCP_DEFER_ACCEPT: who sends nothing takes no more room than a half-open
 * connection */
static void test_deferred_are_bounded(void **state)
{
	struct sock *l = two_listen(80, 4), *c[200];

	(void)state;
	two_set(l, 6, 9, 60);
	flood(c, 200, 80);
	assert_null(sock_accept(l, two.now));
	assert_true(two.end[1].stack->n_socks <= 1 + SOCK_HALF_OPEN_MIN);
	assert_int_equal(l->q->n_half, SOCK_HALF_OPEN_MIN);
	/* data frees the place */
	two_write(c[0], 1);
	two_run(5 * NANOS_MS);
	assert_int_equal(l->q->n_half, SOCK_HALF_OPEN_MIN - 1);
	assert_int_equal(l->q->n_ready, 1);
	drain(c, 200, l);
	assert_int_equal(two.end[1].stack->n_socks, 0);
}

/* the time is over: it is handed out without data */
static void test_deferred_for_a_time(void **state)
{
	struct sock *l = two_listen(80, 4), *c[1];
	struct sock *a;

	(void)state;
	two_set(l, 6, 9, 3); /* 3 s */
	flood(c, 1, 80);
	two_run(2 * NANOS_S);
	assert_null(sock_accept(l, two.now));
	two_run(3 * NANOS_S);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_int_equal(sock_read_len(a), 0);
	assert_int_equal(l->q->n_half, 0);
	sock_close(a, two.now, true);
	drain(c, 1, l);
}

static void test_backlog_zero_takes_one(void **state)
{
	struct sock *l = two_listen(80, 0), *c[4], *a;
	unsigned ready = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		c[i] = two_connect(80);
		two_run(5 * NANOS_MS);
		if (sock_connected(c[i])) {
			two_write(c[i], 1);
			two_run(5 * NANOS_MS);
		}
	}
	assert_int_equal(l->q->n_ready, 1);
	while ((a = sock_accept(l, two.now)) != NULL) {
		ready++;
		sock_close(a, two.now, true);
	}
	assert_int_equal(ready, 1);
	assert_int_equal(l->q->n_ready, 0);
	drain(c, 4, l);
}

static void test_half_open_are_bounded(void **state)
{
	struct sock *l = two_listen(80, 1);
	struct stack *s = two.end[1].stack;
	struct pkt_out out[4];
	unsigned syns = 0;

	(void)state;
	/* SYNs whose answers never arrive */
	for (unsigned i = 0; i < 300; i++) {
		struct sock *c = two_connect(80);

		while (two_move(0)) {
		}
		while (stack_output(s, two.now, out, 4)) {
			syns++;
		}
		sock_close(c, two.now, true);
		while (stack_output(two.end[0].stack, two.now, out, 4)) {
		}
	}
	/* all were answered, but not all are remembered (SYN cookies) */
	assert_true(syns >= 300);
	assert_int_equal(tcp_count_conns(s->tcp), SOCK_HALF_OPEN_MIN);
	assert_int_equal(l->q->n_half, SOCK_HALF_OPEN_MIN);
	two_run(300 * NANOS_S); /* they are given up, and the room is back */
	assert_int_equal(l->q->n_half, 0);
	assert_int_equal(s->n_socks, 1);
	sock_close(l, two.now, false);
}

/* --- memory ------------------------------------------------------------- */

/* A whole life, in which any step may be refused; true when all went well */
static bool life(void)
{
	struct stack *s0 = two.end[0].stack, *s1 = two.end[1].stack;
	struct endpoint any = endpoint_make(addr_any(6), 80), e = srv(80);
	struct sock *l = sock_open(s1, 6), *c = sock_open(s0, 4), *a = NULL;
	struct iov_mut w[2];
	bool ok = false;
	int err;

	if (l && c && sock_bind(l, &any) == 0) {
		err = sock_listen(l, two.now, 5);
		assert_true(err == 0 || err == ENOBUFS || err == ENOMEM);
		err = sock_connect(c, two.now, &e);
		assert_true(err == EINPROGRESS || err == ENOBUFS ||
			    err == ENOMEM);
		two_run(20 * NANOS_MS);
		if (sock_write_vec(c, 3000, w) > 0) {
			memset(w[0].p, 'x', w[0].n);
			sock_write_done(c, two.now,
					(uint32_t)min_size(w[0].n, 3000));
		}
		two_run(400 * NANOS_MS);
		a = sock_accept(l, two.now);
		ok = a && sock_read_len(a) == 3000;
		if (ok) {
			sock_read_done(a, two.now, 3000);
		}
	}
	if (a) {
		sock_close(a, two.now, false);
	}
	if (c) {
		sock_close(c, two.now, false);
	}
	if (l) {
		sock_close(l, two.now, false);
	}
	two_run(200 * NANOS_S);
	assert_int_equal(stack_conns(s0), 0);
	assert_int_equal(stack_conns(s1), 0);
	assert_int_equal(s0->n_socks + s1->n_socks, 0);
	return ok;
}

static void refuse_each(unsigned end)
{
	void *state = NULL;
	unsigned k, bad = 0;

	for (k = 1; k < 400; k++) {
		bool hit;

		two_setup(&state);
		two.end[end].fake.fail_at = k;
		bad += !life();
		hit = two.end[end].fake.fail_at == 0;
		two.end[end].fake.fail_at = 0;
		/* one refusal does no lasting harm */
		assert_true(life());
		two_teardown(&state); /* and nothing is left */
		if (!hit) {
			break;
		}
	}
	assert_true(k > 10 && k < 400);
	assert_true(bad > 0);
}

static void test_memory_refused_client(void **state)
{
	(void)state;
	refuse_each(0);
}

static void test_memory_refused_server(void **state)
{
	(void)state;
	refuse_each(1);
}

/* from the k-th on every allocation is refused */
static void test_memory_used_up(void **state)
{
	void *st = NULL;

	(void)state;
	for (unsigned end = 0; end < 2; end++) {
		for (uint64_t room = 0; room < 24; room++) {
			struct mem *m;

			two_setup(&st);
			m = &two.end[end].fake.mem;
			m->limit = m->used + room * 512;
			life();
			m->limit = (uint64_t)1 << 30;
			assert_true(life());
			two_teardown(&st);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_identity),
		TWO_TEST(test_fresh_has_nothing),
		TWO_TEST(test_names_by_state),
		TWO_TEST(test_limit_counts_handles),
		TWO_TEST(test_wrong_orders),
		TWO_TEST(test_listen_unbound_and_after_failure),
		TWO_TEST(test_reset_and_refused_errors),
		TWO_TEST(test_linger_zero_resets),
		TWO_TEST(test_deferred_are_bounded),
		TWO_TEST(test_deferred_for_a_time),
		TWO_TEST(test_backlog_zero_takes_one),
		TWO_TEST(test_half_open_are_bounded),
		cmocka_unit_test(test_memory_refused_client),
		cmocka_unit_test(test_memory_refused_server),
		cmocka_unit_test(test_memory_used_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
