#include "tests/unit/tcp/recover_one.h"

static void idle_restart(void **state)
{
	(void)state;
	send(0, 10);
	ack(50 * MS, 10, 0, 0, -1);
	r.cc.cwnd = 50 * MSS;
	assert_int_equal(tcp_recover_quota(&r, at(100 * MS)), 50 * MSS);
	assert_int_equal(tcp_recover_quota(&r, at(10 * NANOS_S)), 10 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(idle_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
