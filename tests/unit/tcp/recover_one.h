/* recover_one.h - one sender's loss recovery, driven by hand */
#ifndef TESTS_UNIT_TCP_RECOVER_ONE_H
#define TESTS_UNIT_TCP_RECOVER_ONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_recover.h"
#include "tests/lib/fake.h"

#define MS  NANOS_MS
#define MSS 1000u
#define Q   0xfffff000u

static struct fake fake;
static struct tcp_recover r;

static inline struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static inline void begin(bool sack, const struct cc_ops *cc)
{
	fake_init(&fake, 1);
	tcp_recover_init(&r, &fake.mem, cc, MSS, Q, at(0));
	tcp_recover_start(&r, at(0), MSS, sack, 50 * MS, false);
}

static inline int setup(void **state)
{
	(void)state;
	begin(true, &cc_reno);
	return 0;
}

static inline int setup_nosack(void **state)
{
	(void)state;
	begin(false, &cc_reno);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	tcp_recover_fini(&r);
	fake_fini(&fake);
	return 0;
}

/* n segments at now, as the quota lets */
static inline void send(nanos now, unsigned n)
{
	while (n-- > 0) {
		assert_true(tcp_recover_quota(&r, at(now)) >= MSS);
		assert_true(tcp_recover_sent(&r, at(now), MSS, MSS, false));
	}
}

static inline unsigned ack(nanos now, uint32_t a, uint32_t lo, uint32_t hi,
			   nanos echo)
{
	struct range32 b = { Q + lo * MSS, Q + hi * MSS };
	struct tcp_recover_ack in = { .now = at(now),
				      .ack = Q + a * MSS,
				      .sack = &b,
				      .n_sack = lo < hi,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };

	if (echo >= 0) {
		in.echo_before = at(echo + MS);
		in.echo_rtt = now - echo;
	}
	return tcp_recover_ack(&r, &in);
}

static inline uint32_t resend(nanos now)
{
	struct tcp_sent_entry *e = tcp_recover_next(&r, MSS);
	uint32_t seq;

	assert_non_null(e);
	seq = (e->seq - Q) / MSS;
	tcp_recover_resent(&r, at(now), e, MSS);
	return seq;
}

/* fires what is due until the RTO is */
static inline struct instant until_rto(void)
{
	struct instant d;
	unsigned ev;

	r.alarm.probe = INSTANT_NEVER;
	do {
		d = tcp_recover_deadline(&r);
	} while (tcp_recover_fire(&r, d, &ev) != TCP_ALARM_RTO);
	return d;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
