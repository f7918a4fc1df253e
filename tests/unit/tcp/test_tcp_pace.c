/* When octets leave: driven as the output path drives it, by a timer with the
 * wheel's ticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/wheel.h"
#include "stack/tcp/tcp_pace.h"

#define MS  NANOS_MS
#define MSS 1000u

static struct tcp_pace p;
static struct cc cc;

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static int setup(void **state)
{
	(void)state;
	tcp_pace_init(&p);
	cc_init(&cc, &cc_cubic, MSS, at(0));
	return 0;
}

/* sends what it may in pieces until it is held; octets */
static uint32_t drain(nanos now, uint32_t piece)
{
	uint32_t n, sum = 0;

	while ((n = tcp_pace_quota(&p, at(now), MSS)) > 0) {
		n = min_u32(n, piece);
		tcp_pace_sent(&p, at(now), n);
		sum += n;
		assert_true(sum < 10000000);
	}
	assert_true(p.held);
	assert_true(tcp_pace_deadline(&p).ns > now);
	return sum;
}

/* a timer that fires at the tick behind the deadline */
static nanos tick_after(struct instant t)
{
	return (t.ns + WHEEL_TICK - 1) / WHEEL_TICK * WHEEL_TICK;
}

/* whatever the pieces: a quantum at once, and the rate over a second */
static void rate_is_kept(void **state)
{
	static const uint32_t pieces[] = { MSS, 3 * MSS, 65535 };
	static const uint64_t rates[] = { 100000,   1000000,   12345678,
					  40000000, 125000000, 500000000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(pieces); k++) {
			nanos now = 5 * NANOS_S + 12345;
			uint64_t sum, q;

			tcp_pace_init(&p);
			cc.pacing_rate = rates[i];
			tcp_pace_update(&p, &cc, 50 * MS, 50 * MS, 0, MSS);
			q = max_u64(min_u64(rates[i] / 1000, 65535), 2 * MSS);
			assert_int_equal(p.quantum, q - q % MSS);
			sum = drain(now, pieces[k]);
			assert_true(sum <= 2 * p.quantum);
			while (now < 6 * NANOS_S) {
				now = tick_after(tcp_pace_deadline(&p));
				sum += drain(now, pieces[k]);
			}
			q = (uint64_t)(now - 5 * NANOS_S) * rates[i] / NANOS_S;
			assert_true(sum <= q + 2 * p.quantum);
			assert_true(sum + 2 * p.quantum >= q);
		}
	}
}

/* a stopped process may not leave in one burst what it missed */
static void lateness_is_bounded(void **state)
{
	(void)state;
	cc.pacing_rate = 10000000;
	tcp_pace_update(&p, &cc, 50 * MS, 50 * MS, 0, MSS);
	assert_int_equal(drain(NANOS_S, 65535), 10 * MSS);
	/* four milliseconds and a quantum */
	assert_int_equal(drain(NANOS_S + 300 * MS, 65535), 50 * MSS);
	/* each time three milliseconds late: the rate is kept */
	for (nanos now = NANOS_S + 303 * MS; now < 2 * NANOS_S; now += 3 * MS) {
		assert_in_range(drain(now, 65535), 20 * MSS, 40 * MSS);
	}
	/* who waited for his window has nothing to make up for */
	tcp_pace_release(&p);
	assert_int_equal(drain(2 * NANOS_S + 4 * MS, 65535), 10 * MSS);
}

/* small writes below the rate cost no timer */
static void little_is_not_held(void **state)
{
	(void)state;
	cc.pacing_rate = 1000000;
	tcp_pace_update(&p, &cc, 50 * MS, 50 * MS, 0, MSS);
	for (nanos now = NANOS_S; now < 2 * NANOS_S; now += 5 * MS) {
		assert_true(tcp_pace_quota(&p, at(now), MSS) >= 100);
		tcp_pace_sent(&p, at(now), 100);
		assert_true(tcp_pace_quota(&p, at(now), MSS) > 0);
		assert_true(instant_never(tcp_pace_deadline(&p)));
	}
}

static void windows(void **state)
{
	(void)state;
	/* RFC 6928: ten segments at once; and so the next window */
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_int_equal(p.rate, 0);
	assert_int_equal(tcp_pace_quota(&p, at(0), MSS), CC_INF);
	assert_int_equal(tcp_pace_room(&p, 5000, MSS), CC_INF);
	cc.cwnd = 20 * MSS;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_int_equal(p.rate, 0);
	/* slow start: two windows per round trip */
	cc.cwnd = 40 * MSS;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_int_equal(p.rate, 4000000);
	cc.ssthresh = 79 * MSS; /* nearly over */
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_int_equal(p.rate, 2400000);
	/* a short path, one that is too fast, one without a sample */
	tcp_pace_update(&p, &cc, 20 * MS, MS, 0, MSS);
	assert_int_equal(p.rate, 0);
	cc.cwnd = 20000 * MSS;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_int_equal(p.rate, 0);
	cc.cwnd = 40 * MSS;
	tcp_pace_update(&p, &cc, 0, 0, 0, MSS);
	assert_int_equal(p.rate, 0);
}

static void application_limit(void **state)
{
	(void)state;
	cc.cwnd = 40 * MSS;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 1000000, MSS);
	assert_int_equal(p.rate, 1000000);
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 50000000, MSS);
	assert_int_equal(p.rate, 4000000); /* the lower one */
	/* also where nothing else would be paced, and however fast */
	tcp_pace_update(&p, &cc, 0, 0, 700000000, MSS);
	assert_int_equal(p.rate, 700000000);
	assert_int_equal(p.quantum, 65000);
	/* at one octet a second nothing overflows */
	tcp_pace_update(&p, &cc, 0, 0, 1, MSS);
	assert_int_equal(drain(NANOS_S, 65535), 2 * MSS);
	assert_int_equal(tcp_pace_deadline(&p).ns, 2001 * NANOS_S);
}

/* a limit that is raised counts at once */
static void raised_limit(void **state)
{
	(void)state;
	tcp_pace_update(&p, &cc, 0, 0, 1, MSS);
	assert_int_equal(drain(NANOS_S, 65535), 2 * MSS);
	tcp_pace_update(&p, &cc, 0, 0, 1000000, MSS);
	assert_int_equal(tcp_pace_quota(&p, at(NANOS_S), MSS), 0);
	assert_true(tcp_pace_deadline(&p).ns <= NANOS_S + 4 * MS);
	assert_int_equal(drain(NANOS_S + 4 * MS, 65535), 2 * MSS);
}

/* Whoever was given room for a quantum only is asked once more when that is
 * gone, also where the rate is gone meanwhile. */
static void asked_once(void **state)
{
	(void)state;
	assert_false(tcp_pace_ask(&p)); /* not paced: all the room there is */
	cc.pacing_rate = 1000000;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	tcp_pace_quota(&p, at(NANOS_S), MSS);
	tcp_pace_sent(&p, at(NANOS_S), MSS);
	assert_true(tcp_pace_ask(&p));
	assert_false(tcp_pace_ask(&p));
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_false(tcp_pace_ask(&p));
	cc.pacing_rate = 0;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_true(tcp_pace_ask(&p));
	assert_false(tcp_pace_ask(&p));
}

/* before it has a rate a model begins at 2/ln 2 windows per round trip */
static void model_begins(void **state)
{
	(void)state;
	cc_init(&cc, &cc_bbr, MSS, at(0));
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	assert_in_range(p.rate, 1440000, 1450000);
	cc.pacing_rate = 300000;
	tcp_pace_update(&p, &cc, 20 * MS, MS, 0, MSS);
	assert_int_equal(p.rate, 300000);
}

/* what the upper may push: a quantum, nothing while time holds */
static void room(void **state)
{
	(void)state;
	cc.pacing_rate = 5000000;
	tcp_pace_update(&p, &cc, 20 * MS, 20 * MS, 0, MSS);
	tcp_pace_quota(&p, at(NANOS_S), MSS);
	assert_int_equal(tcp_pace_room(&p, 0, MSS), 5 * MSS);
	assert_int_equal(tcp_pace_room(&p, 2500, MSS), 3 * MSS);
	assert_int_equal(tcp_pace_room(&p, 9000, MSS), 0);
	drain(NANOS_S, MSS);
	assert_int_equal(tcp_pace_room(&p, 0, MSS), 0);
	tcp_pace_due(&p, at(NANOS_S + MS / 2));
	assert_int_equal(tcp_pace_room(&p, 0, MSS), 0);
	tcp_pace_due(&p, at(NANOS_S + MS));
	assert_int_equal(tcp_pace_room(&p, 0, MSS), 5 * MSS);
	drain(NANOS_S + MS, MSS);
	tcp_pace_release(&p); /* the window is used up: time is not awaited */
	assert_true(instant_never(tcp_pace_deadline(&p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rate_is_kept, setup),
		cmocka_unit_test_setup(lateness_is_bounded, setup),
		cmocka_unit_test_setup(little_is_not_held, setup),
		cmocka_unit_test_setup(windows, setup),
		cmocka_unit_test_setup(application_limit, setup),
		cmocka_unit_test_setup(raised_limit, setup),
		cmocka_unit_test_setup(asked_once, setup),
		cmocka_unit_test_setup(model_begins, setup),
		cmocka_unit_test_setup(room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
