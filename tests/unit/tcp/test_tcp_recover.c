/* Single rules first; then whole transfers over a path that drops, delays and
 * reorders, to a receiver that is a map of octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/tcp/tcp_recover.h"
#include "tests/lib/fake.h"

#define MS  NANOS_MS
#define MSS 1000u
#define Q   0xfffff000u

static struct fake fake;
static struct tcp_recover r;

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static void begin(bool sack, const struct cc_ops *cc)
{
	fake_init(&fake, 1);
	tcp_recover_init(&r, &fake.mem, cc, MSS, Q, at(0));
	tcp_recover_start(&r, at(0), MSS, sack, 50 * MS, false);
}

static int setup(void **state)
{
	(void)state;
	begin(true, &cc_reno);
	return 0;
}

static int setup_nosack(void **state)
{
	(void)state;
	begin(false, &cc_reno);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_recover_fini(&r);
	fake_fini(&fake);
	return 0;
}

/* n segments at now, as the quota lets */
static void send(nanos now, unsigned n)
{
	while (n-- > 0) {
		assert_true(tcp_recover_quota(&r, at(now)) >= MSS);
		assert_true(tcp_recover_sent(&r, at(now), MSS, MSS, false));
	}
}

static unsigned ack(nanos now, uint32_t a, uint32_t lo, uint32_t hi, nanos echo)
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

static uint32_t resend(nanos now)
{
	struct tcp_sent_entry *e = tcp_recover_next(&r, MSS);
	uint32_t seq;

	assert_non_null(e);
	seq = (e->seq - Q) / MSS;
	tcp_recover_resent(&r, at(now), e, MSS);
	return seq;
}

static void fast_recovery(void **state)
{
	unsigned ev;
	uint32_t sent = 1;

	(void)state;
	send(0, 10);
	assert_int_equal(tcp_recover_quota(&r, at(0)), 0);
	ack(50 * MS, 0, 1, 2, -1);
	assert_int_equal(r.state, TCP_RECOVER_DISORDER);
	ack(50 * MS, 0, 1, 3, -1);
	ev = ack(50 * MS, 0, 1, 4, -1); /* three segments SACKed */
	assert_int_equal(ev & TCP_RECOVER_EV_FAST, TCP_RECOVER_EV_FAST);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_true(tcp_recover_quota(&r, at(50 * MS)) >= MSS);
	assert_int_equal(resend(50 * MS), 0);
	/* PRR: about one segment out for two delivered */
	for (uint32_t i = 5; i <= 10; i++) {
		ack((50 + i) * MS, 0, 1, i, -1);
		while (tcp_recover_quota(&r, at(60 * MS)) >= MSS) {
			send((50 + i) * MS, 1);
			sent++;
		}
	}
	assert_in_range(sent, 4, 5);
	assert_true(r.sent.in_flight <= 5 * MSS);
	ev = ack(100 * MS, 10, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_DONE);
	assert_int_equal(r.cc.cwnd, 5 * MSS + 0);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
}

static void reno_without_sack(void **state)
{
	unsigned ev = 0;

	(void)state;
	send(0, 10);
	ack(50 * MS, 0, 0, 0, -1);
	ack(50 * MS, 0, 0, 0, -1);
	/* limited transmit (RFC 3042): one new segment per duplicate */
	send(50 * MS, 2);
	assert_int_equal(tcp_recover_quota(&r, at(50 * MS)), 0);
	ev = ack(50 * MS, 0, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_FAST);
	assert_int_equal(resend(50 * MS), 0);
	assert_null(tcp_recover_next(&r, MSS));
	for (int i = 0; i < 6; i++) {
		ack(51 * MS, 0, 0, 0, -1);
	}
	/* a partial ACK: the next hole (RFC 6582) */
	ev = ack(100 * MS, 4, 0, 0, -1);
	assert_false(ev & TCP_RECOVER_EV_DONE);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	assert_true(tcp_recover_quota(&r, at(100 * MS)) >= MSS);
	assert_int_equal(resend(100 * MS), 4);
	ev = ack(150 * MS, 12, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_DONE);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	/* duplicates that data or windows explain are none */
	send(200 * MS, 5);
	for (int i = 0; i < 5; i++) {
		struct tcp_recover_ack in = { .now = at(210 * MS),
					      .ack = Q + 12 * MSS,
					      .has_data = i % 2,
					      .wnd_changed = i % 2 == 0,
					      .echo_before = INSTANT_NEVER,
					      .echo_rtt = -1 };

		assert_int_equal(tcp_recover_ack(&r, &in), 0);
	}
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
}

static void timeouts(void **state)
{
	enum tcp_recover_timer which;
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 10);
	/* the probe first: 2 SRTT */
	d = tcp_recover_deadline(&r, &which);
	assert_int_equal(which, TCP_RECOVER_T_PROBE);
	assert_int_equal(d.ns, 100 * MS);
	assert_int_equal(tcp_recover_fire(&r, at(d.ns - 1), &ev),
			 TCP_RECOVER_T_NONE);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_RECOVER_T_PROBE);
	tcp_recover_probed(&r, d, false, false);
	d = tcp_recover_deadline(&r, &which);
	assert_int_equal(which, TCP_RECOVER_T_RTO);
	/* SRTT 50, RTTVAR 25: the floor makes it 250 */
	assert_int_equal(d.ns, 350 * MS);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_RECOVER_T_RTO);
	assert_int_equal(r.rtt.timeouts, 1);
	assert_int_equal(r.cc.cwnd, MSS);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_int_equal(tcp_recover_quota(&r, d), MSS);
	assert_int_equal(resend(d.ns), 0);
	assert_int_equal(tcp_recover_quota(&r, d), 0);
	d = tcp_recover_deadline(&r, &which);
	assert_int_equal(d.ns, (350 + 500) * MS);
	tcp_recover_fire(&r, d, &ev);
	assert_int_equal(r.rtt.timeouts, 2);
	assert_int_equal(r.cc.ssthresh, 5 * MSS); /* held: RFC 5681 3.1 */
	assert_int_equal(resend(d.ns), 0);
	/* slow start through the hole */
	ev = ack(d.ns + 50 * MS, 1, 0, 0, d.ns);
	assert_int_equal(ev & TCP_RECOVER_EV_UNDO, 0);
	assert_int_equal(r.cc.cwnd, 2 * MSS);
	assert_int_equal(r.rtt.timeouts, 0);
	tcp_recover_no_new(&r); /* F-RTO would rather send new data */
	assert_int_equal(resend(d.ns + 50 * MS), 1);
	assert_int_equal(resend(d.ns + 50 * MS), 2);
	assert_int_equal(tcp_recover_quota(&r, d), 0);
	ev = ack(d.ns + 100 * MS, 10, 0, 0, d.ns + 50 * MS);
	assert_true(ev & TCP_RECOVER_EV_DONE);
	assert_true(instant_never(tcp_recover_deadline(&r, &which)));
	assert_int_equal(which, TCP_RECOVER_T_NONE);
}

static void reneging(void **state)
{
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 6);
	ack(50 * MS, 0, 2, 4, -1);
	ack(60 * MS, 2, 0, 0, -1); /* and yet not [2, 4) */
	d = tcp_recover_deadline(&r, NULL);
	while (tcp_recover_fire(&r, d, &ev) != TCP_RECOVER_T_RTO) {
		d = tcp_recover_deadline(&r, NULL);
	}
	assert_true(ev & TCP_RECOVER_EV_RENEGED);
	assert_int_equal(r.sent.n_lost, 4 * MSS);
	assert_int_equal(resend(d.ns), 2);
}

static void eifel_undo_of_a_timeout(void **state)
{
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 10);
	r.probe_at = INSTANT_NEVER;
	d = tcp_recover_deadline(&r, NULL);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_RECOVER_T_RTO);
	resend(d.ns);
	/* the ACK of the first copy comes late */
	ev = ack(d.ns + 5 * MS, 1, 0, 0, 0);
	assert_true(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	assert_in_range(r.cc.cwnd, 10 * MSS, 11 * MSS);
	assert_int_equal(r.sent.n_lost, 0);
	assert_null(tcp_recover_next(&r, MSS));
}

/* fires what is due until the RTO is */
static struct instant until_rto(void)
{
	struct instant d;
	unsigned ev;

	r.probe_at = INSTANT_NEVER;
	do {
		d = tcp_recover_deadline(&r, NULL);
	} while (tcp_recover_fire(&r, d, &ev) != TCP_RECOVER_T_RTO);
	return d;
}

/* RFC 5682: late ACKs of first copies, without timestamps */
static void frto_undo_of_a_timeout(void **state)
{
	nanos t;
	unsigned ev;

	(void)state;
	send(0, 10);
	t = until_rto().ns;
	resend(t);
	ev = ack(t + 5 * MS, 1, 0, 0, -1);
	assert_false(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.sent.n_lost, 9 * MSS);
	/* new data before what is lost */
	assert_null(tcp_recover_next(&r, MSS));
	assert_int_equal(tcp_recover_due(&r), 0);
	assert_int_equal(tcp_recover_quota(&r, at(t + 5 * MS)), 2 * MSS);
	send(t + 5 * MS, 2);
	tcp_recover_no_new(&r); /* there is no more: it waits all the same */
	assert_null(tcp_recover_next(&r, MSS));
	ev = ack(t + 6 * MS, 2, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_FRTO);
	assert_true(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	assert_int_equal(r.sent.n_lost, 0);
	assert_true(r.cc.cwnd >= 10 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
	assert_false(r.rack.reordering); /* it was delay */
}

static void frto_finds_the_loss(void **state)
{
	nanos t;
	unsigned ev;

	(void)state;
	send(0, 10);
	t = until_rto().ns;
	resend(t);
	ack(t + 50 * MS, 1, 0, 0, -1);
	send(t + 50 * MS, 2);
	/* the new data arrives, what was before it has not */
	ev = ack(t + 100 * MS, 1, 10, 11, -1);
	assert_false(ev & TCP_RECOVER_EV_UNDO);
	assert_int_equal(r.state, TCP_RECOVER_LOSS);
	assert_int_equal(resend(t + 100 * MS), 1);
	/* in conventional recovery the timer does not begin it anew */
	t = until_rto().ns;
	assert_false(tcp_frto_waits(&r.frto));
}

/* RFC 8985 6.3: what left a moment ago is not lost because the head is */
static void a_timeout_spares_the_recent(void **state)
{
	nanos t;

	(void)state;
	send(0, 3);
	ack(50 * MS, 1, 0, 0, -1); /* RACK.rtt is known: 50 ms */
	r.probe_at = INSTANT_NEVER;
	send(280 * MS, 1);
	t = until_rto().ns;
	assert_in_range(t, 281 * MS, 329 * MS);
	assert_int_equal(r.sent.n_lost, 2 * MSS);
	assert_int_equal(r.sent.in_flight, MSS);
	assert_int_equal(tcp_recover_quota(&r, at(t)), MSS);
	assert_int_equal(resend(t), 1);
	assert_int_equal(tcp_recover_quota(&r, at(t)), 0);
}

/* A lost retransmission that only the timer finds: the window was reduced
 * already, and FlightSize has not shrunk since. */
static void timeout_in_recovery(void **state)
{
	nanos t;
	uint32_t ssthresh;

	(void)state;
	r.cc.cwnd = 20 * MSS;
	send(0, 20);
	ack(50 * MS, 0, 1, 20, -1);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	ssthresh = r.cc.ssthresh;
	assert_int_equal(resend(50 * MS), 0);
	t = until_rto().ns;
	assert_int_equal(r.cc.ssthresh, ssthresh);
	assert_int_equal(r.cc.cwnd, MSS);
	assert_int_equal(resend(t), 0);
}

static void dsack_undo_of_a_recovery(void **state)
{
	struct range32 b[2];
	struct tcp_recover_ack in = { .now = at(70 * MS),
				      .sack = b,
				      .n_sack = 2,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };
	unsigned ev;

	(void)state;
	send(0, 10);
	ack(50 * MS, 0, 1, 4, -1);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	resend(50 * MS);
	ack(55 * MS, 4, 0, 0, -1); /* reordering it was */
	in.ack = Q + 4 * MSS;
	b[0] = (struct range32){ Q, Q + MSS };
	b[1] = (struct range32){ Q + 5 * MSS, Q + 6 * MSS };
	ev = tcp_recover_ack(&r, &in);
	assert_true(ev & TCP_RECOVER_EV_UNDO);
	assert_in_range(r.cc.cwnd, 10 * MSS, 11 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
	assert_true(r.rack.reordering);
	assert_int_equal(r.rack.mult, 2);
}

/* an ACK with ECE */
static unsigned marked(nanos now, uint32_t a)
{
	struct tcp_recover_ack in = { .now = at(now),
				      .ack = Q + a * MSS,
				      .marked = true,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };

	return tcp_recover_ack(&r, &in);
}

/* RFC 3168 6.1.2 */
static void marks_reduce_once_per_window(void **state)
{
	uint32_t cwnd;

	(void)state;
	send(0, 10);
	assert_true(marked(50 * MS, 1) & TCP_RECOVER_EV_MARKED);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_int_equal(r.cc.cwnd, 5 * MSS);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	/* the rest of the window: no further reduction, and no growth */
	assert_false(marked(51 * MS, 5) & TCP_RECOVER_EV_MARKED);
	ack(52 * MS, 6, 0, 0, -1);
	assert_int_equal(r.cc.cwnd, 5 * MSS);
	/* a loss in it: the same congestion */
	send(52 * MS, 1);
	ack(53 * MS, 6, 7, 10, -1);
	assert_int_equal(r.state, TCP_RECOVER_RECOVERY);
	assert_int_equal(r.cc.ssthresh, 5 * MSS);
	assert_false(marked(54 * MS, 6) & TCP_RECOVER_EV_MARKED);
	assert_int_equal(resend(54 * MS), 6);
	ack(104 * MS, 11, 0, 0, -1);
	assert_int_equal(r.state, TCP_RECOVER_OPEN);
	cwnd = r.cc.cwnd;
	send(105 * MS, 4);
	assert_true(marked(155 * MS, 12) & TCP_RECOVER_EV_MARKED);
	assert_true(r.cc.cwnd < cwnd && r.cc.cwnd >= 2 * MSS);
}

/* RFC 8985 6.2 step 4: RACK.segs_sacked counts segments, however small */
static void three_small_segments(void **state)
{
	struct range32 b = { Q + 100, Q + 300 };
	struct tcp_recover_ack in = { .now = at(50 * MS),
				      .ack = Q,
				      .sack = &b,
				      .n_sack = 1,
				      .echo_before = INSTANT_NEVER,
				      .echo_rtt = -1 };

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		assert_true(tcp_recover_sent(&r, at(0), 100, MSS, false));
	}
	tcp_recover_ack(&r, &in);
	assert_int_equal(r.sent.sacked_segs, 2);
	assert_int_equal(r.state, TCP_RECOVER_DISORDER);
	b.hi += 100;
	assert_true(tcp_recover_ack(&r, &in) & TCP_RECOVER_EV_FAST);
	assert_int_equal(r.sent.sacked_segs, 3);
	assert_int_equal(r.sent.n_lost, 100);
	in.ack = Q + 500;
	in.n_sack = 0;
	tcp_recover_ack(&r, &in);
	assert_int_equal(r.sent.sacked_segs, 0);
}

static void probe_repairs_the_tail(void **state)
{
	struct tcp_sent_entry *e;
	struct instant d;
	unsigned ev;

	(void)state;
	send(0, 4);
	ack(50 * MS, 3, 0, 0, -1);
	d = tcp_recover_deadline(&r, NULL);
	assert_int_equal(tcp_recover_fire(&r, d, &ev), TCP_RECOVER_T_PROBE);
	e = tcp_recover_probe(&r);
	assert_int_equal(e->seq, Q + 3 * MSS);
	tcp_recover_resent(&r, d, e, MSS);
	tcp_recover_probed(&r, d, true, true);
	ack(d.ns + 50 * MS, 4, 0, 0, -1);
	send(d.ns + 60 * MS, 1);
	ev = ack(d.ns + 110 * MS, 5, 0, 0, -1);
	assert_true(ev & TCP_RECOVER_EV_REPAIRED);
	assert_true(r.cc.ssthresh < 10 * MSS);
	assert_in_range(r.cc.cwnd, r.cc.ssthresh, r.cc.ssthresh + MSS);
}

static void mtu_fell(void **state)
{
	struct tcp_sent_entry *e;

	(void)state;
	send(0, 10);
	tcp_recover_mss(&r, at(MS), 700);
	assert_int_equal(r.cc.cwnd, 10 * MSS);
	assert_int_equal(r.cc.ssthresh, CC_INF);
	assert_int_equal(r.sent.n_lost, 10 * MSS);
	e = tcp_recover_next(&r, 700);
	assert_int_equal(e->len, 700);
	tcp_recover_resent(&r, at(MS), e, 700);
	assert_true(tcp_recover_quota(&r, at(MS)) > 8 * MSS);
}

static void idle_restart(void **state)
{
	(void)state;
	send(0, 10);
	ack(50 * MS, 10, 0, 0, -1);
	r.cc.cwnd = 50 * MSS;
	assert_int_equal(tcp_recover_quota(&r, at(100 * MS)), 50 * MSS);
	assert_int_equal(tcp_recover_quota(&r, at(10 * NANOS_S)), 10 * MSS);
}

static void switching_cc(void **state)
{
	(void)state;
	send(0, 10);
	ack(50 * MS, 10, 0, 0, -1);
	tcp_recover_set_cc(&r, &cc_cubic, at(50 * MS));
	assert_ptr_equal(r.cc.ops, &cc_cubic);
	assert_int_equal(r.cc.cwnd, 20 * MSS);
}

/* --- transfers ------------------------------------------------------------------ */

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
	nanos delay, jitter;
	nanos hole_from, hole_to; /* drops everything */
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
	w.v[w.n] = *m;
	w.v[w.n].id = w.id++;
	w.v[w.n++].at = now + d;
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
			put_data(now, e->seq, e->len);
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
		put_data(now, e->seq, e->len);
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
		assert_false(instant_never(r.rto_at));
	} else {
		assert_true(instant_never(tcp_recover_deadline(&r, NULL)));
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
		struct instant d = tcp_recover_deadline(&r, NULL);
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
			enum tcp_recover_timer t;

			now = d.ns > now ? d.ns : now;
			t = tcp_recover_fire(&r, d, &ev);
			w.rto += t == TCP_RECOVER_T_RTO;
			w.fast += (ev & TCP_RECOVER_EV_FAST) != 0;
			if (t == TCP_RECOVER_T_PROBE) {
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

static void random_loss(void **state)
{
	static const unsigned loss[] = { 1, 5, 20 };
	unsigned rto = 0, fast = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		for (uint64_t seed = 1; seed < 10; seed++) {
			struct path p = { .delay = 10 * MS,
					  .loss = loss[i],
					  .ack_loss = loss[i],
					  .ts = seed % 2,
					  .sack = seed % 3 != 0,
					  .no_dsack = seed % 4 == 0,
					  .cc = seed % 2 ? &cc_cubic
							 : &cc_reno };

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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(fast_recovery),
		cmocka_unit_test_setup_teardown(reno_without_sack, setup_nosack,
						teardown),
		T(timeouts),
		T(reneging),
		T(eifel_undo_of_a_timeout),
		T(frto_undo_of_a_timeout),
		T(frto_finds_the_loss),
		T(a_timeout_spares_the_recent),
		T(timeout_in_recovery),
		T(dsack_undo_of_a_recovery),
		T(marks_reduce_once_per_window),
		T(three_small_segments),
		T(probe_repairs_the_tail),
		T(mtu_fell),
		T(idle_restart),
		T(switching_cc),
		cmocka_unit_test(clean_path),
		cmocka_unit_test(random_loss),
		cmocka_unit_test(reordering_adapts),
		cmocka_unit_test(outage),
		cmocka_unit_test(lost_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
