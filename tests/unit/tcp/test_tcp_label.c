/* IPv6 flow labels: when one is changed, and who forbids it */
#include "tests/unit/tcp/pair_one.h"

static int open_pair(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.v6 = true;
	open_it();
	return 0;
}

static void test_change(void **state)
{
	struct tcb *tcb = p.end[0].conn.tcb;
	uint32_t first = tcb->label.now;

	(void)state;
	assert_int_not_equal(first, 0);
	tcp_label_change(tcb);
	assert_int_not_equal(tcb->label.now, first);
	assert_int_equal(count(0, TCP_REHASH), 1);
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
	assert_int_equal(count(0, TCP_REHASH), 1);
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
	assert_int_equal(count(0, TCP_REHASH_DUP), 1);
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
