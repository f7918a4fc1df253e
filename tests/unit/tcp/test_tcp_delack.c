#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/tcp/tcp_delack.h"

#define MS  NANOS_MS
#define MSS 1448u
#define RTO (300 * NANOS_MS)

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

/* past the quick phase, segment size known, last data at 0 */
static struct tcp_delack quiet(void)
{
	struct tcp_delack d;

	tcp_delack_init(&d, MSS);
	for (unsigned i = 0; i < TCP_DELACK_QUICK; i++) {
		tcp_delack_data(&d, at(0), MSS, 0, 0, 0, RTO);
		assert_true(tcp_delack_now(&d));
		tcp_delack_sent(&d, at(0), false);
	}
	assert_int_equal(d.quick, 0);
	assert_int_equal(d.rcv_mss, MSS);
	return d;
}

static void every_second_segment(void **state)
{
	struct tcp_delack d = quiet();

	(void)state;
	tcp_delack_data(&d, at(MS), MSS, 0, 0, 0, RTO);
	assert_false(tcp_delack_now(&d));
	assert_int_equal(tcp_delack_deadline(&d).ns, 41 * MS);
	tcp_delack_data(&d, at(2 * MS), MSS, 0, 0, 0, RTO);
	assert_true(tcp_delack_now(&d));
	tcp_delack_sent(&d, at(2 * MS), false);
	assert_false(tcp_delack_now(&d));
	assert_true(instant_never(tcp_delack_deadline(&d)));
	/* a merged burst counts as its segments */
	tcp_delack_data(&d, at(3 * MS), 2 * MSS, MSS, 0, 0, RTO);
	assert_true(tcp_delack_now(&d));
	assert_int_equal(d.rcv_mss, MSS);
}

static void at_once(void **state)
{
	static const unsigned flags[] = { TCP_DELACK_FIN, TCP_DELACK_OOO,
					  TCP_DELACK_GAP, TCP_DELACK_PSH };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct tcp_delack d = quiet();

		tcp_delack_data(&d, at(MS), i == 0 ? 0 : 100, 0, flags[i], 0,
				RTO);
		assert_true(tcp_delack_now(&d));
	}
}

static void loss_makes_it_quick_again(void **state)
{
	struct tcp_delack d = quiet();

	(void)state;
	tcp_delack_data(&d, at(MS), MSS, 0, TCP_DELACK_OOO, 0, RTO);
	tcp_delack_sent(&d, at(MS), false);
	tcp_delack_data(&d, at(2 * MS), MSS, 0, 0, 0, RTO);
	assert_true(tcp_delack_now(&d));
}

static void timer(void **state)
{
	struct tcp_delack d = quiet();

	(void)state;
	tcp_delack_data(&d, at(MS), 10, 0, 0, 0, RTO);
	assert_false(tcp_delack_fire(&d, at(41 * MS - 1)));
	assert_false(tcp_delack_now(&d));
	assert_true(tcp_delack_fire(&d, at(41 * MS)));
	assert_true(tcp_delack_now(&d));
	assert_false(tcp_delack_fire(&d, at(42 * MS)));
}

static void answering_application_delays(void **state)
{
	struct tcp_delack d = quiet();

	(void)state;
	tcp_delack_data(&d, at(MS), 10, 0, TCP_DELACK_PSH, 0, RTO);
	assert_true(tcp_delack_now(&d));
	tcp_delack_sent(&d, at(2 * MS), true); /* with the answer */
	assert_true(d.pingpong);
	tcp_delack_data(&d, at(10 * MS), 10, 0, TCP_DELACK_PSH, 0, RTO);
	assert_false(tcp_delack_now(&d));
	tcp_delack_data(&d, at(11 * MS), 10, 0, TCP_DELACK_PSH, 0, RTO);
	assert_true(tcp_delack_now(&d)); /* the second one pushed */
	tcp_delack_sent(&d, at(12 * MS), true);
	tcp_delack_data(&d, at(20 * MS), 10, 0, TCP_DELACK_PSH, 0, RTO);
	assert_true(tcp_delack_fire(&d, tcp_delack_deadline(&d)));
	assert_false(d.pingpong); /* no answer came in time */
}

static void quickack_option(void **state)
{
	struct tcp_delack d = quiet();

	(void)state;
	d.quick = TCP_DELACK_QUICK;
	tcp_delack_option(&d, 0);
	tcp_delack_data(&d, at(0), 100, 0, TCP_DELACK_PSH, 0, RTO);
	assert_false(tcp_delack_now(&d));
	assert_int_equal(tcp_delack_deadline(&d).ns, 40 * MS);
	tcp_delack_option(&d, 1); /* what is owed goes.. */
	assert_true(tcp_delack_now(&d));
	tcp_delack_sent(&d, at(MS), false);
	assert_false(d.pingpong);
	tcp_delack_option(&d, 0);
	tcp_delack_data(&d, at(2 * MS), 100, 0, 0, 0, RTO);
	tcp_delack_option(&d, 2); /* ..for once */
	assert_true(tcp_delack_now(&d));
	assert_true(d.pingpong);
	tcp_delack_sent(&d, at(3 * MS), false);
	tcp_delack_option(&d, 2); /* nothing is owed */
	assert_false(tcp_delack_now(&d));
	assert_false(d.pingpong);
}

static void silence_is_no_end_of_answers(void **state)
{
	struct tcp_delack d = quiet();

	(void)state;
	tcp_delack_option(&d, 0);
	tcp_delack_data(&d, at(NANOS_S), 100, 0, TCP_DELACK_PSH, 0, RTO);
	assert_true(d.pingpong);
	assert_false(tcp_delack_now(&d));
	assert_int_equal(d.quick, TCP_DELACK_QUICK);
}

static void first_waits_for_data(void **state)
{
	struct tcp_delack d;

	(void)state;
	tcp_delack_init(&d, MSS);
	tcp_delack_option(&d, 0);
	tcp_delack_first(&d, at(MS));
	assert_false(tcp_delack_now(&d));
	assert_false(d.pingpong);
	assert_int_equal(tcp_delack_deadline(&d).ns, 201 * MS);
	tcp_delack_sent(&d, at(2 * MS), true);
	assert_true(instant_never(tcp_delack_deadline(&d)));
}

/* RFC 9293 3.8.6.3: at least every second full segment, within 0.5 s */
static void random_bounds(void **state)
{
	struct tcp_delack d;
	struct rng rng;
	struct instant now = at(0), first = INSTANT_NEVER;
	uint32_t held = 0;

	(void)state;
	rng_seed(&rng, 3);
	tcp_delack_init(&d, MSS);
	for (int i = 0; i < 20000; i++) {
		uint32_t n = (uint32_t)rng_below(&rng, MSS) + 1;

		now.ns += (nanos)rng_below(&rng, 60 * MS);
		if (tcp_delack_fire(&d, now) || rng_below(&rng, 9) == 0) {
			tcp_delack_sent(&d, now, rng_below(&rng, 2));
			first = INSTANT_NEVER;
			held = 0;
		}
		if (rng_below(&rng, 3) == 0) {
			n = MSS;
		}
		tcp_delack_data(&d, now, n, 0, (unsigned)rng_below(&rng, 2),
				(nanos)rng_below(&rng, 500 * MS), RTO);
		held += n;
		first = instant_min(first, now);
		if (tcp_delack_now(&d)) {
			tcp_delack_sent(&d, now, false);
			first = INSTANT_NEVER;
			held = 0;
			continue;
		}
		assert_true(held < 2 * MSS);
		assert_true(tcp_delack_deadline(&d).ns - first.ns <=
			    TCP_DELACK_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_second_segment),
		cmocka_unit_test(at_once),
		cmocka_unit_test(loss_makes_it_quick_again),
		cmocka_unit_test(timer),
		cmocka_unit_test(answering_application_delays),
		cmocka_unit_test(quickack_option),
		cmocka_unit_test(silence_is_no_end_of_answers),
		cmocka_unit_test(first_waits_for_data),
		cmocka_unit_test(random_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
