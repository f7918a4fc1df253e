#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/tcp/tcp_rtt.h"

#define MS NANOS_MS

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static void first_and_second_sample(void **state)
{
	struct tcp_rtt r;

	(void)state;
	tcp_rtt_init(&r);
	assert_int_equal(tcp_rtt_rto(&r), 1 * NANOS_S); /* RFC 6298 2.1 */
	assert_int_equal(tcp_rtt_min(&r), 0);
	tcp_rtt_sample(&r, at(0), 100 * MS); /* 2.2 */
	assert_int_equal(r.srtt, 100 * MS);
	assert_int_equal(r.rttvar, 50 * MS);
	assert_int_equal(tcp_rtt_rto(&r), 300 * MS);
	tcp_rtt_sample(&r, at(0), 200 * MS); /* 2.3 */
	assert_int_equal(r.rttvar, 62500 * NANOS_US);
	assert_int_equal(r.srtt, 112500 * NANOS_US);
	assert_int_equal(tcp_rtt_rto(&r), 362500 * NANOS_US);
	tcp_rtt_sample(&r, at(0), 50 * MS);
	assert_int_equal(r.rttvar,
			 62500 * NANOS_US * 3 / 4 + 62500 * NANOS_US / 4);
	assert_int_equal(r.latest, 50 * MS);
}

static void floor_and_ceiling(void **state)
{
	struct tcp_rtt r;

	(void)state;
	tcp_rtt_init(&r);
	for (int i = 0; i < 200; i++) {
		tcp_rtt_sample(&r, at(0), 300 * NANOS_US);
	}
	assert_int_equal(tcp_rtt_rto(&r), 200 * MS + 300 * NANOS_US);
	tcp_rtt_sample(&r, at(0), -1);
	assert_int_equal(r.srtt, 300 * NANOS_US);
	tcp_rtt_sample(&r, at(0), 0); /* counts as 1 us */
	assert_true(r.srtt > 0);
	tcp_rtt_init(&r);
	tcp_rtt_sample(&r, at(0), 500 * NANOS_S);
	assert_int_equal(tcp_rtt_rto(&r), 120 * NANOS_S);
	tcp_rtt_sample(&r, at(0), INT64_MAX);
	assert_int_equal(tcp_rtt_rto(&r), 120 * NANOS_S);
}

static void backoff_doubles_and_ends_with_a_sample(void **state)
{
	struct tcp_rtt r;
	nanos want = 300 * MS;

	(void)state;
	tcp_rtt_init(&r);
	tcp_rtt_sample(&r, at(0), 100 * MS);
	for (unsigned i = 1; i < 100; i++) {
		tcp_rtt_backoff(&r);
		want = nanos_min(2 * want, 120 * NANOS_S);
		assert_int_equal(tcp_rtt_rto(&r), want);
		assert_int_equal(r.timeouts, i);
	}
	tcp_rtt_progress(&r); /* Karn: the timeout stays long */
	assert_int_equal(r.timeouts, 0);
	assert_int_equal(tcp_rtt_rto(&r), 120 * NANOS_S);
	tcp_rtt_sample(&r, at(0), 100 * MS);
	assert_int_equal(r.backoff, 0);
	assert_true(tcp_rtt_rto(&r) <= 400 * MS);
}

static void lost_syn(void **state)
{
	struct tcp_rtt r;

	(void)state;
	tcp_rtt_init(&r);
	tcp_rtt_backoff(&r);
	assert_int_equal(tcp_rtt_rto(&r), 2 * NANOS_S);
	tcp_rtt_syn_lost(&r);
	assert_int_equal(tcp_rtt_rto(&r), 3 * NANOS_S); /* RFC 6298 5.7 */
	tcp_rtt_init(&r);
	tcp_rtt_sample(&r, at(0), 100 * MS);
	tcp_rtt_syn_lost(&r);
	assert_int_equal(tcp_rtt_rto(&r), 300 * MS);
}

/* The estimate is a real sample of the window and never below its least;
 * within a window without expiry it is exact. */
static void minimum_against_a_model(void **state)
{
	enum {
		N = 4000
	};

	static nanos v[N];
	static nanos t[N];
	struct rng rng;
	struct tcp_rtt r;
	nanos now = 0;

	(void)state;
	rng_seed(&rng, 7);
	tcp_rtt_init(&r);
	for (int i = 0; i < N; i++) {
		nanos least = INT64_MAX;
		bool found = false;

		now += (nanos)rng_below(&rng, 2 * NANOS_S);
		t[i] = now;
		v[i] = MS + (nanos)rng_below(&rng, 1000) * NANOS_US;
		tcp_rtt_min_sample(&r, at(now), v[i]);
		for (int k = i; k >= 0 && now - t[k] <= TCP_RTT_WINDOW; k--) {
			least = nanos_min(least, v[k]);
			found |= v[k] == tcp_rtt_min(&r);
		}
		assert_true(tcp_rtt_min(&r) >= least);
		assert_true(found);
		if (now < TCP_RTT_WINDOW) {
			assert_int_equal(tcp_rtt_min(&r), least);
		}
	}
	tcp_rtt_min_sample(&r, at(now + 2 * TCP_RTT_WINDOW), 5 * NANOS_S);
	assert_int_equal(tcp_rtt_min(&r), 5 * NANOS_S);
	tcp_rtt_min_sample(&r, at(now + 2 * TCP_RTT_WINDOW), -1);
	assert_int_equal(tcp_rtt_min(&r), 5 * NANOS_S);
}

/* TCP_RTO_MIN_US, TCP_RTO_MAX_MS, TCP_THIN_LINEAR_TIMEOUTS */
static void other_bounds(void **state)
{
	struct tcp_rtt r;

	(void)state;
	tcp_rtt_init(&r);
	tcp_rtt_bounds(&r, 20000, 1500);
	assert_true(tcp_rtt_rto(&r) == TCP_RTO_INIT);
	tcp_rtt_sample(&r, (struct instant){ 1 }, NANOS_MS);
	assert_true(tcp_rtt_rto(&r) == 21 * NANOS_MS);
	for (unsigned i = 0; i < 20; i++) {
		tcp_rtt_backoff(&r);
	}
	assert_true(tcp_rtt_rto(&r) == 1500 * NANOS_MS);
	tcp_rtt_bounds(&r, 0, 0);
	assert_true(tcp_rtt_rto(&r) <= TCP_RTO_MAX);
	tcp_rtt_sample(&r, (struct instant){ 2 }, NANOS_MS);
	assert_true(tcp_rtt_rto(&r) == 201 * NANOS_MS);
}

static void thin_streams_wait_less(void **state)
{
	struct tcp_rtt r;

	(void)state;
	tcp_rtt_init(&r);
	tcp_rtt_sample(&r, (struct instant){ 1 }, NANOS_MS);
	for (unsigned i = 1; i <= TCP_RTT_LINEAR; i++) {
		tcp_rtt_backoff_thin(&r);
		assert_int_equal(r.timeouts, i);
		assert_true(tcp_rtt_rto(&r) == 201 * NANOS_MS);
	}
	tcp_rtt_backoff_thin(&r);
	assert_true(tcp_rtt_rto(&r) == 402 * NANOS_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_and_second_sample),
		cmocka_unit_test(floor_and_ceiling),
		cmocka_unit_test(backoff_doubles_and_ends_with_a_sample),
		cmocka_unit_test(lost_syn),
		cmocka_unit_test(minimum_against_a_model),
		cmocka_unit_test(other_bounds),
		cmocka_unit_test(thin_streams_wait_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
