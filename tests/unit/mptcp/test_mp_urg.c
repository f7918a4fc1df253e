/* The place of the peer's urgent octet: one, the newest, not yet read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/mptcp/mp.h"
#include "tests/lib/fake.h"

static struct mp_conn c;
static struct mp_sub s;
static struct fake f;

static int setup(void **state)
{
	(void)state;
	fake_init(&f, 1);
	c = (struct mp_conn){ .mode = MP_MODE_TCP };
	s = (struct mp_sub){ .c = &c, .rx_nxt = 1 };
	mp_map_init(&s.rx, &f.mem, 8);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mp_map_fini(&s.rx);
	fake_fini(&f);
	return 0;
}

/* n octets come, and k are read */
static void pass(uint64_t n, uint64_t k)
{
	c.rcv.nxt += n;
	s.rx_nxt += (uint32_t)n;
	c.rcv.q_len += n - k;
	mp_urg_read(&c);
}

static void test_plain(void **state)
{
	(void)state;
	assert_true(mp_read_mark(&c) == UINT64_MAX);
	mp_urg_header(&s, 5); /* the fifth octet */
	assert_int_equal(mp_read_mark(&c), 4);
	pass(10, 0);
	assert_int_equal(mp_read_mark(&c), 4);
	pass(0, 4);
	assert_int_equal(mp_read_mark(&c), 0);
	pass(0, 1);
	assert_true(mp_read_mark(&c) == UINT64_MAX);
	assert_int_equal(c.rcv.urg.at, 0);
}

static void test_newest(void **state)
{
	(void)state;
	mp_urg_header(&s, 5);
	mp_urg_header(&s, 9);
	mp_urg_header(&s, 7);
	assert_int_equal(mp_read_mark(&c), 8);
	/* whoever reads nothing is told nothing */
	pass(20, 20);
	c.rcv.discard = true;
	mp_urg_header(&s, 30);
	assert_true(mp_read_mark(&c) == UINT64_MAX);
}

/* numbers of TCP wrap, offsets do not */
static void test_wrap(void **state)
{
	(void)state;
	s.rx_nxt = UINT32_MAX - 1;
	c.rcv.nxt = 1ull << 40;
	mp_urg_header(&s, 2);
	assert_int_equal(mp_read_mark(&c), 4);
}

static void test_mapped(void **state)
{
	struct mp_map m = { .ssn = 100, .len = 50, .off = 1000,
			    .declared = true };

	(void)state;
	c.mode = MP_MODE_MPTCP;
	mp_urg_header(&s, 110); /* of no mapping: in line */
	assert_true(mp_read_mark(&c) == UINT64_MAX);
	assert_int_equal(mp_map_insert(&s.rx, &m), MP_MAP_ADDED);
	mp_urg_header(&s, 110);
	assert_int_equal(mp_read_mark(&c), 1010);
	c.rcv.nxt = 1011; /* by another subflow, and read */
	mp_urg_read(&c);
	mp_urg_header(&s, 110);
	assert_true(mp_read_mark(&c) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mapped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
