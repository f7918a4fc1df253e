/* Whole transfers over a path that drops, delays and reorders, to a receiver
 * that is a map of octets. */
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "tests/unit/tcp/recover_one.h"

enum {
	WIRE_MAX = 4096,
	TOTAL = 1500000
};

struct wire {
	nanos at;
	uint64_t id; /* the order of sending */
	bool is_ack;
	uint32_t seq, len; /* data, from Q on */
	nanos ts;          /* when it was sent; of an ACK: the echo, -1 none */
	uint32_t ack;
	struct range32 sack[4];
	unsigned n_sack;
};

struct path {
	unsigned loss, ack_loss; /* percent */
	unsigned dup;            /* ..of first copies that come twice, and ACKs */
	nanos delay, jitter;
	nanos hole_from, hole_to; /* drops everything */
	nanos still_from, still_to; /* what is on its way waits */
	bool sack, ts;
	bool no_dsack;
	const struct cc_ops *cc;
};

static struct {
	struct wire v[WIRE_MAX];
	unsigned n;
	uint64_t id;
	uint8_t got[TOTAL + MSS];
	uint32_t nxt; /* receiver: octets in order */
	nanos echo;
	struct rng rng;
	const struct path *p;
	uint64_t resent;
	bool again; /* what is put is sent again */
	unsigned rto, fast, undo, lost_rtx, probes;
} w;

static void put(nanos now, const struct wire *m, unsigned loss)
{
	nanos d = w.p->delay;

	if (rng_below(&w.rng, 100) < loss ||
	    (now >= w.p->hole_from && now < w.p->hole_to) || w.n == WIRE_MAX) {
		return;
	}
	if (w.p->jitter) {
		d += (nanos)rng_below(&w.rng, (uint64_t)w.p->jitter);
	}
	if (now + d >= w.p->still_from && now + d < w.p->still_to) {
		d = w.p->still_to - now;
	}
	do {
		w.v[w.n] = *m;
		w.v[w.n].id = w.id++;
		w.v[w.n++].at = now + d;
	} while (w.n < WIRE_MAX && !w.again &&
		 rng_below(&w.rng, 100) < w.p->dup);
}

static void put_data(nanos now, uint32_t seq, uint32_t len)
{
	for (uint32_t o = 0; o < len; o += MSS) {
		struct wire m = { .seq = seq - Q + o,
				  .len = min_u32(MSS, len - o),
				  .ts = now };

		put(now, &m, w.p->loss);
	}
}

static uint32_t run_end(uint32_t i)
{
	while (i < TOTAL && w.got[i]) {
		i++;
	}
	return i;
}

/* RFC 2018 4 and RFC 2883 by hand: the run of what came, then others */
static void receive(nanos now, const struct wire *m)
{
	struct wire a = { .is_ack = true };
	bool dup = true;
	uint32_t lo, i;

	for (i = m->seq; i < m->seq + m->len; i++) {
		dup = dup && w.got[i];
		w.got[i] = 1;
	}
	if (m->seq <= w.nxt) {
		w.echo = m->ts;
	}
	w.nxt = run_end(w.nxt);
	a.ack = Q + w.nxt;
	a.ts = w.p->ts ? w.echo : -1;
	if (w.p->sack && dup && !w.p->no_dsack) {
		a.sack[a.n_sack++] =
			(struct range32){ Q + m->seq, Q + m->seq + m->len };
	}
	if (w.p->sack && m->seq > w.nxt) {
		for (lo = m->seq; w.got[lo - 1]; lo--) {
		}
		a.sack[a.n_sack++] =
			(struct range32){ Q + lo, Q + run_end(lo) };
	}
	for (i = w.nxt;
	     w.p->sack && i < w.nxt + 100 * MSS && i < TOTAL && a.n_sack < 3;
	     i++) {
		if (w.got[i]) {
			lo = i;
			i = run_end(i);
			if (m->seq < lo || m->seq >= i) {
				a.sack[a.n_sack++] =
					(struct range32){ Q + lo, Q + i };
			}
		}
	}
	put(now, &a, w.p->ack_loss);
}

static void transmit(nanos now)
{
	uint32_t left, n, quota;
	struct tcp_sent_entry *e;

	while ((quota = tcp_recover_quota(&r, at(now))) > 0) {
		e = tcp_recover_next(&r, min_u32(quota / MSS, 20) * MSS);
		if (e) {
			w.resent += e->len;
			w.again = true;
			put_data(now, e->seq, e->len);
			w.again = false;
			tcp_recover_resent(&r, at(now), e, MSS);
			continue;
		}
		left = TOTAL - (r.sent.nxt - Q);
		n = min_u32(left, min_u32(quota / MSS, 20) * MSS);
		if (n == 0) {
			return;
		}
		put_data(now, r.sent.nxt, n);
		assert_true(tcp_recover_sent(&r, at(now), n, MSS, n == left));
	}
}

static void probe(nanos now)
{
	uint32_t left = TOTAL - (r.sent.nxt - Q), n = min_u32(left, MSS);
	struct tcp_sent_entry *e;

	w.probes++;
	if (n) {
		put_data(now, r.sent.nxt, n);
		tcp_recover_sent(&r, at(now), n, MSS, false);
		tcp_recover_probed(&r, at(now), true, false);
		return;
	}
	e = tcp_recover_probe(&r);
	if (e) {
		w.again = true;
		put_data(now, e->seq, e->len);
		w.again = false;
		tcp_recover_resent(&r, at(now), e, MSS);
	}
	tcp_recover_probed(&r, at(now), e != NULL, true);
}

static void on_ack(nanos now, const struct wire *m)
{
	struct tcp_recover_ack a = { .now = at(now),
				     .ack = m->ack,
				     .sack = m->sack,
				     .n_sack = m->n_sack,
				     .echo_before = INSTANT_NEVER,
				     .echo_rtt = -1 };
	unsigned ev;

	if (seq_lt(m->ack, r.sent.una)) {
		return;
	}
	if (m->ts >= 0) {
		a.echo_before = at(m->ts + MS);
		a.echo_rtt = now - m->ts;
	}
	ev = tcp_recover_ack(&r, &a);
	w.fast += (ev & TCP_RECOVER_EV_FAST) != 0;
	w.undo += (ev & TCP_RECOVER_EV_UNDO) != 0;
	w.lost_rtx += (ev & TCP_RECOVER_EV_LOST_RTX) != 0;
}

static void invariants(void)
{
	const struct tcp_sent *s = &r.sent;

	assert_int_equal(s->in_flight + s->n_lost + s->n_sacked,
			 s->nxt - s->una);
	assert_true(r.cc.cwnd >= MSS);
	assert_true(r.cc.ssthresh >= 2 * MSS);
	/* something outstanding always has a timer */
	if (!tcp_sent_empty(s)) {
		assert_false(instant_never(r.alarm.rto));
	} else {
		assert_true(instant_never(tcp_recover_deadline(&r)));
	}
	/* SACKed is only what the receiver has */
	for (uint32_t i = 0; i < s->n; i++) {
		const struct tcp_sent_entry *e = tcp_sent_at(s, i);

		for (uint32_t k = 0; e->state == TCP_SENT_SACKED && k < e->len;
		     k += MSS / 2) {
			assert_true(w.got[e->seq - Q + k]);
		}
	}
}

static unsigned next_wire(void)
{
	unsigned first = 0;

	for (unsigned i = 1; i < w.n; i++) {
		const struct wire *a = &w.v[i], *b = &w.v[first];

		if (a->at < b->at || (a->at == b->at && a->id < b->id)) {
			first = i;
		}
	}
	return first;
}

/* returns the virtual time it took */
static nanos transfer(const struct path *p, uint64_t seed)
{
	nanos now = 0;
	unsigned ev;

	memset(&w, 0, sizeof(w));
	w.p = p;
	rng_seed(&w.rng, seed);
	begin(p->sack, p->cc);
	transmit(now);
	while (r.sent.una - Q < TOTAL) {
		struct instant d = tcp_recover_deadline(&r);
		unsigned first = next_wire();

		assert_true(w.n > 0 || !instant_never(d));
		if (w.n > 0 && w.v[first].at <= d.ns) {
			struct wire m = w.v[first];

			now = m.at > now ? m.at : now;
			w.v[first] = w.v[--w.n];
			if (!m.is_ack) {
				receive(now, &m);
				continue;
			}
			on_ack(now, &m);
		} else {
			enum tcp_alarm_kind t;

			now = d.ns > now ? d.ns : now;
			t = tcp_recover_fire(&r, d, &ev);
			w.rto += t == TCP_ALARM_RTO;
			w.fast += (ev & TCP_RECOVER_EV_FAST) != 0;
			if (t == TCP_ALARM_PROBE) {
				probe(now);
			}
		}
		transmit(now);
		invariants();
		assert_true(now < 3000 * NANOS_S);
	}
	assert_int_equal(w.nxt, TOTAL);
	invariants();
	tcp_recover_fini(&r);
	fake_fini(&fake);
	return now;
}

static void clean_path(void **state)
{
	struct path p = { .delay = 10 * MS, .sack = true, .cc = &cc_cubic };
	nanos t;

	(void)state;
	t = transfer(&p, 1);
	assert_int_equal(w.resent, 0);
	assert_int_equal(w.rto + w.fast + w.probes, 0);
	/* slow start doubles: 1500 segments in 8 round trips */
	assert_true(t <= 10 * 20 * MS);
}

/* RFC 3708: D-SACKs without retransmissions, and every ACK perhaps twice */
static void duplicates_are_no_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 5; seed++) {
		struct path p = { .delay = 10 * MS,
				  .dup = 20,
				  .ts = seed % 2,
				  .sack = true,
				  .cc = &cc_cubic };

		transfer(&p, seed);
		assert_int_equal(w.resent, 0);
		assert_int_equal(w.rto + w.fast + w.undo, 0);
		assert_int_equal(r.cc.ssthresh, CC_INF);
	}
}

/* ..and take back no reduction that was right */
static void duplicates_undo_nothing(void **state)
{
	unsigned fast = 0, undo = 0;

	(void)state;
	for (uint64_t seed = 1; seed < 5; seed++) {
		struct path p = { .delay = 10 * MS,
				  .loss = 2,
				  .dup = 20,
				  .ts = seed % 2,
				  .sack = true,
				  .cc = &cc_cubic };

		transfer(&p, seed);
		fast += w.fast;
		undo += w.undo;
	}
	assert_true(fast >= 20);
	assert_int_equal(undo, 0);
}

static void random_loss(void **state)
{
	static const unsigned loss[] = { 1, 5, 20 };
	static const struct cc_ops *const cc[] = { &cc_reno, &cc_cubic,
						   &cc_bbr };
	unsigned rto = 0, fast = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		for (uint64_t seed = 1; seed < 10; seed++) {
			struct path p = { .delay = 10 * MS,
					  .loss = loss[i],
					  .ack_loss = loss[i],
					  .ts = seed % 2,
					  .sack = seed / 3 % 3 != 0,
					  .no_dsack = seed % 4 == 0,
					  .cc = cc[seed % 3] };

			transfer(&p, seed);
			rto += w.rto;
			fast += w.fast;
			/* not much more is sent again than was lost */
			if (p.sack) {
				assert_true(w.resent <
					    TOTAL * (3 * loss[i] + 5) / 100);
			}
		}
	}
	assert_true(rto > 0 && fast > 0);
}

static void reordering_adapts(void **state)
{
	struct path p = { .delay = 20 * MS,
			  .jitter = 25 * MS,
			  .sack = true,
			  .ts = true,
			  .cc = &cc_cubic };

	(void)state;
	transfer(&p, 3);
	assert_true(r.rack.reordering);
	assert_true(w.undo > 0);
	/* after the first surprise retransmissions end */
	assert_true(w.resent < TOTAL / 10);
	assert_int_equal(w.rto, 0);
}

/* RFC 5682, 3522: nothing is lost, and the timer fires all the same */
static void delay_spike(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct path p = { .delay = 20 * MS,
				  .still_from = 110 * MS + (nanos)seed * 14 * MS,
				  .sack = true,
				  .ts = seed % 2,
				  .cc = seed % 3 ? &cc_cubic : &cc_reno };

		p.still_to = p.still_from + (seed / 2 % 2 ? 400 : 1500) * MS;
		transfer(&p, seed);
		assert_true(w.rto >= 1 && w.rto <= 2);
		assert_int_equal(w.undo, 1);
		assert_int_equal(w.resent, w.rto * MSS);
		assert_int_equal(r.cc.ssthresh, CC_INF);
	}
}

static void outage(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 9; seed++) {
		struct path p = { .delay = 20 * MS,
				  .hole_from = 90 * MS,
				  .hole_to = 5 * NANOS_S,
				  .sack = seed % 2,
				  .ts = seed % 4 < 2,
				  .cc = &cc_cubic };
		nanos t = transfer(&p, seed);

		assert_true(w.rto >= 3 && w.rto <= 8);
		/* the next try comes at most one doubling later */
		assert_true(t < 14 * NANOS_S);
	}
}

static void lost_tail(void **state)
{
	struct path p = { .delay = 10 * MS, .sack = true, .cc = &cc_cubic };
	nanos whole = transfer(&p, 1), t;

	(void)state;
	p.hole_from = whole - 25 * MS; /* the last flight */
	p.hole_to = whole - 1 * MS;
	t = transfer(&p, 1);
	assert_true(w.probes > 0);
	assert_int_equal(w.rto, 0);
	assert_true(t < whole + 250 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_path),
		cmocka_unit_test(duplicates_are_no_loss),
		cmocka_unit_test(duplicates_undo_nothing),
		cmocka_unit_test(random_loss),
		cmocka_unit_test(reordering_adapts),
		cmocka_unit_test(delay_spike),
		cmocka_unit_test(outage),
		cmocka_unit_test(lost_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
