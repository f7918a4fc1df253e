/* IPv6 flow labels: when one is changed, and who forbids it */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "tests/lib/pair.h"

static struct pair p;

static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.v6 = true;
	pair_start(&p);
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	pair_stop(&p);
	return 0;
}

static uint64_t count(enum tcp_reason r)
{
	return tcp_counter(p.end[0].tcp, r);
}

static void test_change(void **state)
{
	struct tcb *tcb = p.end[0].conn.tcb;
	uint32_t first = tcb->label.now;

	(void)state;
	assert_int_not_equal(first, 0);
	tcp_label_change(tcb);
	assert_int_not_equal(tcb->label.now, first);
	assert_int_equal(count(TCP_REHASH), 1);
	first = tcb->label.now;
	tcb->conf.no_rehash = true;
	tcp_label_change(tcb);
	assert_int_equal(tcb->label.now, first);
	tcb->conf.no_label = true;
	tcp_label_set(tcb);
	assert_int_equal(tcb->label.now, 0);
	tcb->conf.no_rehash = false;
	tcp_label_change(tcb);
	assert_int_equal(tcb->label.now, 0);
	assert_int_equal(count(TCP_REHASH), 1);
	tcb->conf.no_label = false;
	tcp_label_set(tcb);
	assert_int_equal(tcb->label.now, first);
}

static void test_duplicates(void **state)
{
	struct tcb *tcb = p.end[0].conn.tcb;
	uint32_t first = tcb->label.now;
	struct tcp_seg seg = { .label = 7 };

	(void)state;
	tcp_label_data(tcb, &seg);
	tcp_label_dup(tcb, &seg);
	assert_int_equal(tcb->label.now, first);
	seg.label = 8;
	tcp_label_dup(tcb, &seg);
	assert_int_not_equal(tcb->label.now, first);
	first = tcb->label.now;
	tcp_label_dup(tcb, &seg);
	assert_int_equal(tcb->label.now, first);
	assert_int_equal(count(TCP_REHASH_DUP), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(test_duplicates, open_pair,
						close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
