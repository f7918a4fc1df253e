/* RFC 8684 3.3.8: which subflow carries what */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"

static void by_name(void **state)
{
	(void)state;
	assert_ptr_equal(sched_find(NULL), &sched_minrtt);
	assert_ptr_equal(sched_find("minrtt"), &sched_minrtt);
	assert_null(sched_find("random"));
}

/* little data: the faster path alone */
static void lowest_rtt_first(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 1);
	P.link[0].delay = 20 * NANOS_MS;
	P.link[1].delay = 2 * NANOS_MS;
	up(true);
	mpair_sleep(&P, NANOS_S);
	transfer(10000, 0, NANOS_S);
	get_info(0, &i);
	assert_int_equal(i.sub[0].bytes_sent, 1000);
	assert_int_equal(i.sub[1].bytes_sent, 10000);
	finish();
}

/* much: both */
static void the_other_when_full(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 2);
	P.link[0].rate = P.link[1].rate = 2500000;
	up(true);
	transfer(4000000, 0, 10 * NANOS_S);
	get_info(0, &i);
	assert_true(i.sub[0].bytes_sent > 1000000);
	assert_true(i.sub[1].bytes_sent > 1000000);
	finish();
}

static struct mp_sub *sub(unsigned n)
{
	struct list *l = P.end[0].app.c->subs.next;

	while (n--) {
		l = l->next;
	}
	return list_entry(l, struct mp_sub, node);
}

static void classes(void **state)
{
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 3);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = P.end[0].app.c;
	assert_ptr_equal(sched_minrtt.pick(c, NULL), sub(0));
	assert_ptr_equal(sched_minrtt.pick(c, sub(0)), sub(1));
	sub(0)->peer_backup = true;
	assert_ptr_equal(sched_minrtt.pick(c, NULL), sub(1));
	sub(1)->stale = true;
	assert_ptr_equal(sched_minrtt.pick(c, NULL), sub(0));
	sub(0)->stale = true; /* nothing else: one of them all the same */
	assert_ptr_equal(sched_minrtt.pick(c, NULL), sub(0));
	sub(0)->fin_out = true;
	assert_ptr_equal(sched_minrtt.pick(c, NULL), sub(1));
	ip_path_set_up(P.end[0].ip, 1, false);
	assert_null(sched_minrtt.pick(c, NULL));
	ip_path_set_up(P.end[0].ip, 1, true);
	sub(0)->fin_out = false;
	sub(0)->stale = sub(1)->stale = sub(0)->peer_backup = false;
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(lowest_rtt_first),
		cmocka_unit_test(the_other_when_full),
		cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
