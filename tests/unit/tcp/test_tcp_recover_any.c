/* A peer that says anything at all, at any time: what must hold whatever it
 * says.  Then it behaves, and everything arrives. */
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "tests/unit/tcp/recover_one.h"

#define ROUNDS 300u
#define STEPS  400u

static struct rng rng;
static nanos now;

static uint32_t below(uint32_t n)
{
	return (uint32_t)rng_below(&rng, n);
}

static void holds(void)
{
	const struct tcp_sent *s = &r.sent;
	uint32_t mss = r.cc.mss;

	assert_int_equal(s->in_flight + s->n_lost + s->n_sacked,
			 s->nxt - s->una);
	assert_true(r.newreno.left <= s->nxt - s->una);
	assert_true(r.cc.cwnd >= mss && r.cc.cwnd <= CC_INF / 2);
	assert_true(r.cc.ssthresh >= 2 * mss);
	assert_true(tcp_rtt_rto(&r.rtt) >= TCP_RTO_MIN);
	assert_true(tcp_rtt_rto(&r.rtt) <= TCP_RTO_MAX);
	assert_true(seq_geq(r.marked, s->una - 1));
	assert_int_equal(instant_never(r.alarm.rto), tcp_sent_empty(s));
	if (tcp_sent_empty(s)) {
		assert_true(instant_never(tcp_recover_deadline(&r)));
		assert_true(r.state == TCP_RECOVER_OPEN ||
			    r.state == TCP_RECOVER_DISORDER);
		assert_true(tcp_recover_room(&r) >= mss);
	}
	if (s->in_flight == 0 && s->n_lost > 0) { /* nothing stands still */
		assert_true(tcp_recover_room(&r) >= mss);
	}
}

/* once in a while with more than the quota: a caller's bursts are rounded up */
static void some_output(void)
{
	uint32_t quota = tcp_recover_quota(&r, at(now)), n;
	uint16_t mss = (uint16_t)r.cc.mss;
	struct tcp_sent_entry *e;

	while (quota > 0 && below(8)) {
		e = tcp_recover_next(&r, min_u32(quota / mss + 1, 8) * mss);
		if (e) {
			tcp_recover_resent(&r, at(now), e, mss);
		} else if (tcp_sent_can_add(&r.sent) && below(4)) {
			n = 1 + below(min_u32(quota, 20000));
			assert_true(tcp_recover_sent(&r, at(now), n, mss,
						     below(2)));
			if (r.mtup.size == 0 && below(20) == 0) {
				tcp_mtup_sent(&r.mtup, r.sent.nxt - n,
					      r.sent.nxt, 1500);
			}
		} else {
			tcp_recover_no_new(&r);
		}
		quota = tcp_recover_quota(&r, at(now));
	}
}

static void any_ack(void)
{
	uint32_t out = r.sent.nxt - r.sent.una;
	struct range32 b[4];
	struct tcp_recover_ack in = {
		.now = at(now),
		.ack = r.sent.una + (below(3) ? 0 : below(out + 1)),
		.sack = b,
		.n_sack = below(5),
		.has_data = below(8) == 0,
		.wnd_changed = below(8) == 0,
		.marked = below(12) == 0,
		.echo_before = INSTANT_NEVER,
		.echo_rtt = -1,
	};

	for (unsigned i = 0; i < 4; i++) {
		b[i].lo = r.sent.una + below(out + 4000) - 2000;
		b[i].hi = b[i].lo + below(4 * MSS);
	}
	if (below(2)) {
		in.echo_rtt = (nanos)below(300) * MS;
		in.echo_before = at(now - in.echo_rtt + MS);
	}
	tcp_recover_ack(&r, &in);
	if (r.mtup.size) {
		tcp_mtup_check(&r.mtup, &r.sent, at(now), MS, false);
	}
}

static void some_time(void)
{
	struct instant d = tcp_recover_deadline(&r);
	enum tcp_alarm_kind what;
	unsigned ev;

	if (!instant_never(d) && below(2)) {
		now = d.ns > now ? d.ns : now;
	} else {
		now += below(100) * MS / 4;
	}
	what = tcp_recover_fire(&r, at(now), &ev);
	if (what == TCP_ALARM_PROBE) {
		struct tcp_sent_entry *e = tcp_recover_probe(&r);

		if (e) {
			tcp_recover_resent(&r, at(now), e, (uint16_t)r.cc.mss);
		}
		tcp_recover_probed(&r, at(now), e != NULL, true);
	}
	if (r.mtup.size) {
		tcp_mtup_check(&r.mtup, &r.sent, at(now), MS,
			       what == TCP_ALARM_RTO);
	}
}

static void some_change(void)
{
	static const struct cc_ops *const cc[] = { &cc_reno, &cc_cubic,
						   &cc_bbr };

	if (below(40) == 0) {
		tcp_recover_mss(&r, at(now), (uint16_t)(48 + below(2000)));
	}
	if (below(40) == 0) {
		tcp_recover_set_cc(&r, cc[below(3)], at(now));
	}
}

/* everything that is sent arrives; ends when nothing is out */
static void good_peer(void)
{
	unsigned n = 0;

	while (!tcp_sent_empty(&r.sent)) {
		struct tcp_recover_ack in = { .now = at(now),
					      .echo_before = INSTANT_NEVER,
					      .echo_rtt = -1 };
		const struct tcp_sent_entry *e;

		assert_true(n++ < 20000);
		tcp_recover_no_new(&r);
		if (tcp_recover_quota(&r, at(now)) > 0 &&
		    tcp_recover_next(&r, r.cc.mss)) {
			tcp_recover_resent(&r, at(now),
					   tcp_recover_next(&r, r.cc.mss),
					   (uint16_t)r.cc.mss);
		}
		holds();
		e = tcp_sent_at(&r.sent, 0);
		if (e->state != TCP_SENT_LOST) {
			now += 20 * MS;
			in.now = at(now);
			in.ack = e->seq + e->len;
			tcp_recover_ack(&r, &in);
			if (r.mtup.size) {
				tcp_mtup_check(&r.mtup, &r.sent, at(now), MS,
					       false);
			}
		} else {
			some_time();
		}
		holds();
	}
}

static void anything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		rng_seed(&rng, i + 1);
		now = NANOS_S;
		begin(i % 4 != 0, i % 3 == 0 ? &cc_reno :
				  i % 3 == 1 ? &cc_cubic : &cc_bbr);
		for (unsigned k = 0; k < STEPS; k++) {
			some_output();
			holds();
			any_ack();
			holds();
			some_change();
			holds();
			if (below(2)) {
				some_time();
				holds();
			}
		}
		good_peer();
		tcp_recover_fini(&r);
		fake_fini(&fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
