/* Life and memory: every allocation may fail, nothing leaks, hooks may end
 * their own connection at any point */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "tests/lib/pair.h"

static struct pair p;

static struct pair_fate lossy(void *ctx, const struct pair_pkt *k)
{
	(void)k;
	return (struct pair_fate){ .drop = rng_unit(ctx) < 0.05 };
}

/* the n-th allocation of each end is refused: it may take longer or end, but
 * what arrives is right, and pair_stop() finds no leak */
static void test_no_memory(void **state)
{
	unsigned done = 0;

	(void)state;
	for (uint64_t n = 1; n < 400; n += 1 + n / 8) {
		struct rng rng;

		pair_defaults(&p, n);
		rng_seed(&rng, n);
		p.fate = lossy;
		p.fate_ctx = &rng;
		pair_start(&p);
		pair_connect(&p);
		p.end[0].fake.fail_at = n;
		p.end[1].fake.fail_at = n;
		pair_write(&p.end[0].conn, 200000, true);
		pair_write(&p.end[1].conn, 100000, true);
		done += pair_run(&p, 60 * NANOS_S, pair_all_arrived);
		assert_true(pair_prefix_ok(&p));
		pair_stop(&p);
	}
	assert_in_range(done, 25, 100);
}

/* a limit that never lifts: no progress beyond it, no crash, no growth */
static void test_memory_limit(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	pair_start(&p);
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	p.end[0].fake.mem.limit = p.end[0].fake.mem.used;
	p.end[1].fake.mem.limit = p.end[1].fake.mem.used;
	pair_write(&p.end[0].conn, 200000, true);
	pair_run(&p, 5 * NANOS_S, NULL);
	assert_true(p.end[0].fake.mem.used <= p.end[0].fake.mem.limit);
	p.end[0].fake.mem.limit = (uint64_t)1 << 30;
	p.end[1].fake.mem.limit = (uint64_t)1 << 30;
	pair_write(&p.end[1].conn, 0, true);
	assert_true(pair_run(&p, 60 * NANOS_S, pair_both_closed));
	assert_true(pair_prefix_ok(&p));
	pair_stop(&p);
}

/* --- ending from within a hook ------------------------------------------- */

enum where {
	IN_SEGMENT,
	IN_ESTABLISHED,
	IN_DELIVER,
	IN_FIN,
	IN_ACKED,
	IN_CAN_SEND,
	IN_TIMEOUT,
	WHERE_N
};

static struct tcp_upper spy;
static const struct tcp_upper *real;
static enum where where;
static bool detach;
static struct pair_conn *victim;

static void strike(enum where w, struct instant now)
{
	struct tcb *tcb = victim->tcb;

	if (w != where || !tcb) {
		return;
	}
	victim->tcb = NULL;
	if (detach) {
		tcp_detach(tcb, now);
	} else {
		tcp_abort(tcb, now);
	}
}

static enum tcp_verdict spy_segment(void *up, struct instant now,
				    const struct tcp_seg *seg, uint32_t wnd)
{
	enum tcp_verdict v = real->segment(up, now, seg, wnd);

	if (seg->len) {
		strike(IN_SEGMENT, now);
	}
	return v;
}

static void spy_established(void *up, struct instant now)
{
	strike(IN_ESTABLISHED, now);
	if (victim->tcb) {
		real->established(up, now);
	}
}

static void spy_deliver(void *up, struct instant now, struct slice *s)
{
	real->deliver(up, now, s);
	strike(IN_DELIVER, now);
}

static void spy_fin(void *up, struct instant now)
{
	real->fin(up, now);
	strike(IN_FIN, now);
}

static void spy_acked(void *up, struct instant now, uint32_t una)
{
	real->acked(up, now, una);
	strike(IN_ACKED, now);
}

static void spy_can_send(void *up, struct instant now)
{
	strike(IN_CAN_SEND, now);
	if (victim->tcb) {
		real->can_send(up, now);
	}
}

static void spy_timeout(void *up, struct instant now, unsigned n)
{
	real->timeout(up, now, n);
	strike(IN_TIMEOUT, now);
}

static struct pair_fate cut_some(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	return (struct pair_fate){ .drop = k->from == 0 && k->nr > 20 &&
					   k->nr < 40 };
}

static void test_end_in_hook(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4 * WHERE_N; i++) {
		where = i % WHERE_N;
		detach = i / WHERE_N & 1;
		pair_defaults(&p, i);
		p.fate = cut_some;
		pair_start(&p);
		pair_connect(&p);
		if (i / WHERE_N / 2) {
			pair_run(&p, 7 * NANOS_MS, NULL);
		}
		victim = &p.end[i / WHERE_N / 2].conn;
		real = victim->tcb->upper;
		spy = *real;
		spy.segment = spy_segment;
		spy.established = spy_established;
		spy.deliver = spy_deliver;
		spy.fin = spy_fin;
		spy.acked = spy_acked;
		spy.can_send = spy_can_send;
		spy.timeout = spy_timeout;
		victim->tcb->upper = &spy;
		pair_write(&p.end[0].conn, 100000, true);
		pair_write(&p.end[1].conn, 100000, true);
		pair_run(&p, 400 * NANOS_S, NULL);
		assert_null(victim->tcb);
		assert_int_equal(tcp_count_conns(p.end[0].tcp), 0);
		assert_int_equal(tcp_count_conns(p.end[1].tcp), 0);
		assert_true(pair_prefix_ok(&p));
		pair_stop(&p);
	}
}

/* tcp_free() with connections in every state */
static void test_free_any_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		pair_defaults(&p, i);
		p.delay = 3 * NANOS_MS;
		pair_start(&p);
		pair_connect(&p);
		pair_write(&p.end[0].conn, 100000, true);
		pair_write(&p.end[1].conn, 100000, true);
		pair_run(&p, i * NANOS_MS, NULL);
		pair_stop(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_end_in_hook),
		cmocka_unit_test(test_free_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
