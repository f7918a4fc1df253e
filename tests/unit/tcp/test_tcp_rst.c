#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stack/tcp/tcp_rst.h"

/* RFC 9293 3.5.2, group 1 */
static void test_numbers(void **state)
{
	struct tcp_stray s;
	struct tcp_seg seg = { .seq = 1000, .ack = 77, .len = 10 };

	(void)state;
	seg.flags = TCP_ACK;
	assert_true(tcp_rst_answer(&s, &seg));
	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, 77);
	seg.flags = TCP_SYN | TCP_FIN;
	assert_true(tcp_rst_answer(&s, &seg));
	assert_int_equal(s.flags, TCP_RST | TCP_ACK);
	assert_int_equal(s.seq, 0);
	assert_int_equal(s.ack, 1012);
	seg.flags = TCP_RST;
	assert_false(tcp_rst_answer(&s, &seg));
}

static void test_queue(void **state)
{
	static struct tcp_rst r;
	struct tcp_seg_desc d;
	struct tcp_stray *s;

	(void)state;
	for (uint32_t i = 0; i < TCP_RST_QUEUE; i++) {
		s = tcp_rst_add(&r);
		assert_non_null(s);
		s->seq = i;
	}
	assert_null(tcp_rst_add(&r));
	for (uint32_t i = 0; i < TCP_RST_QUEUE; i++) {
		assert_true(tcp_rst_take(&r, &d));
		assert_int_equal(d.seq, i);
	}
	assert_false(tcp_rst_take(&r, &d));
}

static void test_options(void **state)
{
	static const uint8_t opt[41] = { 30, 4, 0x80, 1, 0xff };
	struct tcp_stray s = { .opt_len = 0 };

	(void)state;
	tcp_rst_options(&s, opt, 5);
	assert_int_equal(s.opt_len, 8);
	assert_memory_equal(s.opt, opt, 5);
	assert_int_equal(s.opt[5], 1);
	s.opt_len = 0;
	tcp_rst_options(&s, opt, 41); /* too long: none */
	assert_int_equal(s.opt_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
