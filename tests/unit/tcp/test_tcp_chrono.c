/* time is counted for what it was spent on */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_chrono.h"

static struct instant at(nanos t)
{
	return (struct instant){ t };
}

static void counts(void **state)
{
	struct tcp_chrono c = { .kind = TCP_CHRONO_REST };

	(void)state;
	assert_int_equal(tcp_chrono_busy(&c, at(100)), 0);
	tcp_chrono_set(&c, at(100), TCP_CHRONO_BUSY);
	assert_int_equal(tcp_chrono_busy(&c, at(150)), 50);
	tcp_chrono_set(&c, at(160), TCP_CHRONO_BUSY); /* still */
	tcp_chrono_set(&c, at(200), TCP_CHRONO_WINDOW);
	assert_int_equal(tcp_chrono_busy(&c, at(300)), 200);
	assert_int_equal(tcp_chrono_window(&c, at(300)), 100);
	tcp_chrono_set(&c, at(400), TCP_CHRONO_REST);
	assert_int_equal(tcp_chrono_busy(&c, at(900)), 300);
	assert_int_equal(tcp_chrono_window(&c, at(900)), 200);
	tcp_chrono_set(&c, at(1000), TCP_CHRONO_BUSY);
	assert_int_equal(tcp_chrono_busy(&c, at(1001)), 301);
	assert_int_equal(tcp_chrono_window(&c, at(1001)), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
