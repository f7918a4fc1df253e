/* What leaves: bursts, windows, acknowledgements (RFC 9293 3.8.6.2.1) */
#include "tests/unit/tcp/out_one.h"

/* a packet never crosses what burst() allows, also when sent again */
static struct pair_fate lossy(void *ctx, const struct pair_pkt *k)
{
	struct pair_fate f = watch(NULL, k);

	f.drop = rng_unit(ctx) < 0.05 && !(k->seg.flags & TCP_SYN);
	return f;
}

static void test_burst(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct rng rng;

		begin(4 + i);
		rng_seed(&rng, i);
		p.gso = i & 1;
		p.gro = i & 1;
		p.fate = lossy;
		p.fate_ctx = &rng;
		w.burst = i & 2 ? 10001 : 65000;
		p.end[0].conn.burst_max = w.burst;
		open_it();
		transfer(2000000);
		assert_false(w.crossed);
	}
}

/* RFC 6928: ten segments at first; RFC 5681 4.1: again after idling */
static void test_initial_window(void **state)
{
	uint32_t cwnd;

	(void)state;
	begin(20);
	open_it();
	pair_write(&p.end[0].conn, 4000000, false);
	pair_run(&p, 9 * NANOS_MS, NULL);
	assert_int_equal(w.max_ahead, 10 * 1448);
	assert_true(pair_run(&p, 10 * NANOS_S, pair_all_arrived));
	cwnd = p.end[0].conn.tcb->rec.cc.cwnd;
	assert_true(cwnd > 100 * 1448);
	pair_run(&p, 20 * NANOS_S, NULL);
	w.max_ahead = 0;
	pair_write(&p.end[0].conn, 1000000, false);
	pair_run(&p, 9 * NANOS_MS, NULL);
	assert_int_equal(w.max_ahead, 10 * 1448);
	transfer(0);
}

/* never beyond the window, whatever the reader does */
static void test_window(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin(30 + i);
		p.gso = i & 1;
		p.end[1].conn.rcv_max = 20000 + i * 5001;
		open_it();
		p.end[1].conn.hold = true;
		pair_write(&p.end[0].conn, 500000, true);
		for (unsigned k = 0; k < 2000 && !p.end[1].conn.fin; k++) {
			struct pair_conn *c = &p.end[1].conn;

			pair_run(&p, 7 * NANOS_MS, NULL);
			/* reads little by little */
			c->in_read = min_u64(c->in_len, c->in_read + 777);
			if (c->tcb) {
				tcp_window_opened(c->tcb, p.now);
			}
		}
		assert_true(p.end[1].conn.fin);
		assert_false(w.beyond);
		/* silly window avoidance at both ends: whole segments */
		assert_true(w.small < 10);
		assert_true(pair_prefix_ok(&p));
		pair_stop(&p);
	}
}

/* at least an ACK for every second segment, or for each merged burst; not one
 * for each octet */
static void test_acks(void **state)
{
	(void)state;
	begin(40);
	open_it();
	transfer(3000000);
	assert_in_range(w.bare_acks[1], w.data[0] / 2 - 10,
			w.data[0] / 2 + 60);
	begin(41);
	p.gro = true;
	open_it();
	transfer(3000000);
	assert_in_range(w.bare_acks[1], w.data[0] - 10, w.data[0] + 10);
	assert_true(w.data[0] < 150); /* large bursts */
}

/* tcp_ack_now(): one ACK however often, marked for the upper */
static void test_ack_now(void **state)
{
	uint64_t n;

	(void)state;
	begin(60);
	open_it();
	pair_run(&p, NANOS_S, NULL);
	n = p.sent[0];
	tcp_ack_now(p.end[0].conn.tcb);
	tcp_ack_now(p.end[0].conn.tcb);
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(p.sent[0], n + 1);
	assert_int_equal(p.end[0].conn.acks_forced, 1);
	assert_int_equal(pair_sent(&p, 0, 0)->flags, TCP_ACK);
	transfer(0);
}

static struct pair_fate lose(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	(void)k;
	return (struct pair_fate){ .drop = true };
}

/* The peer reported all but the first segment, and took that back: one long
 * range is to be sent again, and no memory is left to cut it. */
static void test_uncut(void **state)
{
	struct tcp_sent_in in = { .echo_before = INSTANT_NEVER, .n_sack = 1 };
	struct tcp_sent_out got;
	struct range32 all;
	struct pkt_out out;
	struct tcp_sent *s;
	struct tcb *tcb;

	(void)state;
	begin(80);
	p.gso = true;
	p.csum_offload = true;
	open_it();
	tcb = p.end[0].conn.tcb;
	s = &tcb->rec.sent;
	p.fate = lose;
	tcb->rec.cc.cwnd = 1u << 20;
	tcb->snd.wnd = 1u << 20;
	pair_write(&p.end[0].conn, 200000, false);
	pair_run(&p, 10 * NANOS_MS, NULL);
	all = (struct range32){ s->una + tcp_mss(tcb), s->nxt };
	assert_true(all.hi - all.lo > 2 * UINT16_MAX);
	in.now = p.now;
	in.ack = s->una;
	in.sack = &all;
	tcp_sent_ack(s, &in, &got);
	in.ack = all.lo;
	in.n_sack = 0;
	tcp_sent_ack(s, &in, &got);
	assert_true(tcp_sent_reneged(s));
	tcp_sent_mark_all_lost(s, true);
	tcp_sent_trim(s);
	p.end[0].fake.mem.limit = p.end[0].fake.mem.used;
	tcb->rec.cc.cwnd = 1u << 20;
	tcp_push(tcb, p.now, 0, false);
	assert_true(tcp_output(p.end[0].tcp, p.now, &out));
	assert_int_equal(out.hdr[0], 0x45);
	assert_true(out.len > 1000 && out.len <= UINT16_MAX);
	pair_stop(&p);
}

static bool waits_for_time(const struct pair *q)
{
	const struct pair_conn *c = &q->end[0].conn;

	return c->tcb && c->tcb->pace.held &&
	       tcp_sent_empty(&c->tcb->rec.sent) && c->pushed < c->out_len;
}

/* The upper was refused room for the time being; then something else has us
 * look for output, a little after that time and before the timer wheel's tick:
 * the upper is told at once (what leaves is lost here). */
static void test_pace_late(void **state)
{
	struct pkt_out out;
	struct tcb *tcb;
	bool told = false;

	(void)state;
	begin(13);
	p.delay = 50 * NANOS_US;
	p.end[0].conf.max_pacing_rate = 1000000;
	open_it();
	tcb = p.end[0].conn.tcb;
	pair_write(&p.end[0].conn, 100000, true);
	pair_write(&p.end[1].conn, 0, true);
	assert_true(pair_run(&p, NANOS_S, waits_for_time));
	tcp_ack_now(tcb);
	p.now = instant_add(tcb->pace.next, NANOS_US);
	while (tcp_output(p.end[0].tcp, p.now, &out)) {
		told = told || out.n_iov > 0;
	}
	assert_true(told);
	assert_true(pair_run(&p, 2 * NANOS_S, pair_all_arrived));
	pair_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_initial_window),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_acks),
		cmocka_unit_test(test_ack_now),
		cmocka_unit_test(test_uncut),
		cmocka_unit_test(test_pace_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
