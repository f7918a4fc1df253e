/* counters by name, connections as a list, obituaries, what is owed */
#include "tests/unit/sock/two.h"

#include "stack/mptcp/mp.h"
#include "stack/sock/sock_state.h"

struct seen {
	unsigned n;
	const char *name[300];
	uint64_t sum;
};

static void count(void *ctx, const char *name, const char *text, uint64_t v)
{
	struct seen *x = ctx;

	assert_true(name && *name && text && *text);
	assert_true(x->n < 300);
	x->name[x->n++] = name;
	x->sum += v;
}

static void test_counters_all_once_in_order(void **state)
{
	struct seen a = { 0 }, b = { 0 };
	const struct stack *s = two.end[0].stack;

	(void)state;
	stack_counters(s, count, &a);
	stack_counters(s, count, &b);
	assert_int_equal(a.n, IP_REASON_N + TCP_REASON_N + MP_REASON_N +
				      CRYPT_REASON_N);
	assert_int_equal(a.sum, 0);
	for (unsigned i = 0; i < a.n; i++) {
		assert_string_equal(a.name[i], b.name[i]);
		for (unsigned j = 0; j < i; j++) {
			assert_string_not_equal(a.name[i], a.name[j]);
		}
	}
	assert_string_equal(a.name[0], "IpInReceives");
	assert_string_equal(a.name[IP_REASON_N],
			    tcp_reason_name((enum tcp_reason)0));
	assert_string_equal(a.name[IP_REASON_N + TCP_REASON_N],
			    mp_reason_name((enum mp_reason)0));
	assert_string_equal(a.name[IP_REASON_N + TCP_REASON_N + MP_REASON_N],
			    crypt_reason_name((enum crypt_reason)0));
	ip_count(s->ip, IP_DROP_EXT);
	ip_count(s->ip, IP_DROP_EXT);
	b = (struct seen){ 0 };
	stack_counters(s, count, &b);
	assert_int_equal(b.sum, 2);
}

struct list_seen {
	unsigned n;
	struct mp_info last;
};

static struct list_seen now, dead;

static void conn(void *ctx, const struct mp_info *m)
{
	struct list_seen *x = ctx;

	x->n++;
	x->last = *m;
}

static void test_connections_and_obituaries(void **state)
{
	struct stack *s = two.end[0].stack;
	struct sock *l = two_listen(80, 5), *a = two_connect(80);
	struct sock *b = two_connect(80), *x;

	(void)state;
	now.n = dead.n = 0;
	sock_open(s, 4); /* no connection: not in the list */
	stack_set_obituary(s, conn, &dead);
	stack_each_conn(s, conn, &now);
	assert_int_equal(now.n, 2);
	assert_int_equal(stack_conns(s), 2);
	assert_int_equal(stack_owing(s), 0);
	two_run(50 * NANOS_MS);
	two_write(a, 100);
	two_run(50 * NANOS_MS);
	x = sock_accept(l, two.now);
	assert_non_null(x);
	sock_read_done(x, two.now, 100);
	two_write(a, 1000);
	two.cut = true;
	sock_close(a, two.now, false);
	two_run(50 * NANOS_MS);
	/* its owner is gone, it is still listed, and it owes */
	now.n = 0;
	stack_each_conn(s, conn, &now);
	assert_int_equal(now.n, 2);
	assert_int_equal(stack_owing(s), 1);
	assert_int_equal(dead.n, 0);
	two.cut = false;
	two_run(5 * NANOS_S);
	sock_read_done(x, two.now, 1000);
	sock_close(x, two.now, false);
	two_run(5 * NANOS_S);
	assert_int_equal(stack_owing(s), 0);
	assert_int_equal(dead.n, 1);
	assert_int_equal(dead.last.bytes_sent, 1100);
	assert_int_equal(stack_conns(s), 1);
	sock_close(b, two.now, true);
	two_run(NANOS_S);
	assert_int_equal(dead.n, 2); /* each exactly once */
	assert_int_equal(stack_conns(s), 0);
	now.n = 0;
	stack_each_conn(s, conn, &now);
	assert_int_equal(now.n, 0);
	sock_close(l, two.now, true);
}

static void test_none_to_tell(void **state)
{
	struct sock *c = two_connect(9);

	(void)state;
	two_run(50 * NANOS_MS); /* refused; nobody asked for obituaries */
	sock_close(c, two.now, false);
	two_run(NANOS_MS);
	assert_int_equal(stack_conns(two.end[0].stack), 0);
}

static void test_timewait_is_counted(void **state)
{
	struct sock *l, *c, *a;
	struct stack *s = two.end[0].stack;

	(void)state;
	/* plain TCP on both ends: the state is TCP's */
	two.end[0].stack->mp->cfg.policy = MP_OFF;
	l = two_listen(80, 5);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_int_equal(stack_timewait(s), 0);
	sock_close(c, two.now, false);
	two_run(50 * NANOS_MS);
	sock_close(a, two.now, false);
	two_run(50 * NANOS_MS);
	assert_int_equal(stack_timewait(s), 1);
	assert_int_equal(stack_timewait(two.end[1].stack), 0);
	assert_int_equal(stack_owing(s), 0);
	two_run(200 * NANOS_S);
	assert_int_equal(stack_timewait(s), 0);
	sock_close(l, two.now, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_counters_all_once_in_order),
		TWO_TEST(test_connections_and_obituaries),
		TWO_TEST(test_none_to_tell),
		TWO_TEST(test_timewait_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
