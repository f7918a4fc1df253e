#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcp_wnd.h"

#define MSS 1448

static void test_shift(void **state)
{
	(void)state;
	assert_int_equal(tcp_wnd_shift(65535), 0);
	assert_int_equal(tcp_wnd_shift(65536), 1);
	assert_int_equal(tcp_wnd_shift(6 << 20), 7);
	assert_int_equal(tcp_wnd_shift(UINT32_MAX), 14); /* RFC 7323 2.3 */
}

/* RFC 7323 2.2: the window in a SYN is not scaled */
static void test_syn(void **state)
{
	struct tcp_wnd w;

	(void)state;
	tcp_wnd_init(&w, 1 << 20);
	w.shift = 7;
	assert_int_equal(tcp_wnd_field(&w, 0, 1 << 20, MSS, true), 65535);
	tcp_wnd_start(&w, 5001);
	assert_int_equal(tcp_wnd_acceptable(&w, 5001), 65535);
}

/* RFC 9293 3.8.6: the right edge never moves left */
static void test_no_shrinking(void **state)
{
	struct tcp_wnd w;

	(void)state;
	tcp_wnd_init(&w, 65535);
	tcp_wnd_start(&w, 1000);
	assert_int_equal(tcp_wnd_field(&w, 1000, 50000, MSS, false), 50000);
	assert_int_equal(tcp_wnd_field(&w, 1000, 0, MSS, false), 50000);
	/* 10,000 octets came and nobody read them; 30,000 more are gone */
	assert_int_equal(tcp_wnd_field(&w, 11000, 10000, MSS, false), 40000);
	assert_int_equal(tcp_wnd_acceptable(&w, 11000), 40000);
	assert_int_equal(tcp_wnd_acceptable(&w, 51000), 0);
	assert_int_equal(tcp_wnd_field(&w, 51000, 0, MSS, false), 0);
}

/* A window that may grow beyond the buffer for a while: steps are those of the
 * buffer, or one below a segment would never open again. */
static void test_small_buffer(void **state)
{
	struct tcp_wnd w;

	(void)state;
	tcp_wnd_init(&w, 1 << 17);
	w.buffer = 1000;
	w.shift = 2;
	tcp_wnd_start(&w, 1);
	assert_int_equal(tcp_wnd_field(&w, 1, 1000, MSS, false) << 2, 1000);
	assert_int_equal(tcp_wnd_field(&w, 1001, 0, MSS, false), 0);
	assert_true(tcp_wnd_update_due(&w, 1001, 1000, MSS));
	assert_int_equal(tcp_wnd_field(&w, 1001, 1000, MSS, false) << 2, 1000);
	assert_int_equal(tcp_wnd_field(&w, 1001, 100000, MSS, false) << 2,
			 100000);
}

/* rounding to the scale does not move it left either */
static void test_rounding(void **state)
{
	struct tcp_wnd w;
	uint32_t nxt = 1000;

	(void)state;
	tcp_wnd_init(&w, 1 << 20);
	tcp_wnd_start(&w, nxt);
	w.shift = 7;
	tcp_wnd_field(&w, nxt, 1 << 20, MSS, false);
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t edge = w.adv;

		nxt += 333;
		if (tcp_wnd_acceptable(&w, nxt) == 0) {
			break;
		}
		uint16_t f = tcp_wnd_field(&w, nxt, 0, MSS, false);

		assert_true(nxt + ((uint32_t)f << 7) - edge < 128);
		assert_int_equal(nxt + ((uint32_t)f << 7), w.adv);
	}
}

/* RFC 9293 3.8.6.2.2: no small steps */
static void test_silly(void **state)
{
	struct tcp_wnd w;

	(void)state;
	tcp_wnd_init(&w, 20000);
	tcp_wnd_start(&w, 0);
	assert_int_equal(tcp_wnd_field(&w, 0, 0, MSS, false), 0);
	assert_int_equal(tcp_wnd_field(&w, 0, MSS - 1, MSS, false), 0);
	assert_false(tcp_wnd_update_due(&w, 0, MSS - 1, MSS));
	assert_true(tcp_wnd_update_due(&w, 0, MSS, MSS));
	assert_int_equal(tcp_wnd_field(&w, 0, MSS, MSS, false), MSS);
	/* a buffer smaller than a segment moves by half of itself */
	tcp_wnd_init(&w, 1000);
	tcp_wnd_start(&w, 0);
	assert_int_equal(tcp_wnd_field(&w, 0, 499, MSS, false), 0);
	assert_int_equal(tcp_wnd_field(&w, 0, 500, MSS, false), 500);
}

/* an open window needs no segment of its own to open a little more */
static void test_update(void **state)
{
	struct tcp_wnd w;

	(void)state;
	tcp_wnd_init(&w, 60000);
	tcp_wnd_start(&w, 0);
	tcp_wnd_field(&w, 0, 40000, MSS, false);
	assert_false(tcp_wnd_update_due(&w, 0, 60000, MSS));
	assert_true(tcp_wnd_update_due(&w, 10000, 60000, MSS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_no_shrinking),
		cmocka_unit_test(test_small_buffer),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_silly),
		cmocka_unit_test(test_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
