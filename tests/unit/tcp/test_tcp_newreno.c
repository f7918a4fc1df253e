#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_newreno.h"
#include "tests/lib/fake.h"

#define MSS 1000u

static void duplicates_say_what_has_left(void **state)
{
	struct tcp_newreno n;

	(void)state;
	tcp_newreno_reset(&n);
	assert_int_equal(tcp_newreno_dup(&n, 4 * MSS, MSS), MSS);
	assert_int_equal(tcp_newreno_dup(&n, 4 * MSS, MSS), MSS);
	assert_int_equal(tcp_newreno_dup(&n, 4 * MSS, MSS), MSS);
	/* all but the head: more duplicates are no more segments */
	assert_int_equal(tcp_newreno_dup(&n, 4 * MSS, MSS), 0);
	assert_int_equal(n.left, 3 * MSS);
	assert_int_equal(n.dupacks, 4);
	/* the head was new, two others were counted */
	assert_int_equal(tcp_newreno_acked(&n, 3 * MSS, MSS, MSS), MSS);
	assert_int_equal(n.left, 0); /* one is out: the next hole */
	assert_int_equal(n.dupacks, 0);
	assert_int_equal(tcp_newreno_acked(&n, MSS, 0, MSS), MSS);
	assert_int_equal(n.left, 0);
}

static void less_than_a_segment(void **state)
{
	struct tcp_newreno n;

	(void)state;
	tcp_newreno_reset(&n);
	assert_int_equal(tcp_newreno_dup(&n, 1, MSS), 0);
	assert_int_equal(tcp_newreno_dup(&n, MSS + 1, MSS), 0);
	assert_int_equal(n.left, 0);
	assert_int_equal(tcp_newreno_acked(&n, 1, MSS, MSS), 1);
}

/* each duplicate was of a tenth of a segment */
static void small_segments(void **state)
{
	struct tcp_newreno n;

	(void)state;
	tcp_newreno_reset(&n);
	for (unsigned i = 0; i < 9; i++) {
		tcp_newreno_dup(&n, 5 * MSS, MSS);
	}
	assert_int_equal(n.left, 4 * MSS);
	for (uint32_t out = 5 * MSS - 100; out > 0; out -= 100) {
		tcp_newreno_acked(&n, 100, out, MSS);
		assert_true(n.left <= out);
	}
}

static void what_is_lost(void **state)
{
	static struct fake fake;
	struct instant now = { 0 };
	struct tcp_newreno n;
	struct tcp_sent s;

	(void)state;
	fake_init(&fake, 1);
	tcp_sent_init(&s, &fake.mem, 0, now);
	assert_true(tcp_sent_add(&s, now, 3 * MSS, MSS, false));
	tcp_newreno_reset(&n);
	for (unsigned i = 1; i <= 4; i++) {
		uint32_t lost;

		tcp_newreno_dup(&n, 3 * MSS, MSS);
		/* not where a recovery may not begin: duplicates of what was
		 * sent again (RFC 6582 3.2 step 1) */
		assert_int_equal(tcp_newreno_detect(&n, &s, MSS, false, false,
						    false), 0);
		lost = tcp_newreno_detect(&n, &s, MSS, false, false, true);
		assert_int_equal(lost, i == 3 ? MSS : 0);
	}
	/* in recovery the next hole is that of a partial ACK */
	assert_int_equal(tcp_newreno_detect(&n, &s, MSS, true, false, false),
			 0);
	tcp_sent_resent(&s, tcp_sent_next_lost(&s, MSS), now, MSS);
	assert_int_equal(tcp_newreno_detect(&n, &s, MSS, true, true, false),
			 MSS);
	assert_int_equal(s.n_lost, MSS);
	tcp_sent_fini(&s);
	fake_fini(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duplicates_say_what_has_left),
		cmocka_unit_test(less_than_a_segment),
		cmocka_unit_test(small_segments),
		cmocka_unit_test(what_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
