/* Opening: options agreed, lost SYNs, both at once, refusals (RFC 9293 3.5,
 * 7323 2) */
#include "tests/unit/tcp/pair_one.h"

#include <errno.h>

static struct tcp_info_core info(unsigned end)
{
	struct tcp_info_core i;

	tcp_info(p.end[end].conn.tcb, &i);
	return i;
}

static void done(void)
{
	assert_true(pair_prefix_ok(&p));
	pair_stop(&p);
}

static void test_options(void **state)
{
	const struct tcp_seg *syn, *synack;

	(void)state;
	pair_defaults(&p, 1);
	open_it();
	synack = pair_sent(&p, 1, 0);
	syn = pair_sent(&p, 0, 1);
	assert_int_equal(syn->flags, TCP_SYN);
	assert_int_equal(syn->opts.mss, 1460);
	assert_true(syn->opts.sack_perm && syn->opts.has_ts);
	assert_int_equal(syn->opts.wscale, 7); /* for 6 MiB */
	assert_int_equal(syn->opts.ts_ecr, 0);
	assert_int_equal(syn->wnd, 65535);
	assert_int_equal(synack->flags, TCP_SYN | TCP_ACK);
	assert_int_equal(synack->opts.ts_ecr, syn->opts.ts_val);
	assert_true(info(0).sack && info(0).ts && info(0).wscale_ok);
	assert_int_equal(info(0).snd_wscale, 7);
	assert_int_equal(info(0).mss, 1448);
	assert_in_range(info(0).srtt, 9 * NANOS_MS, 12 * NANOS_MS);
	assert_in_range(info(1).srtt, 9 * NANOS_MS, 12 * NANOS_MS);
	assert_int_equal(info(0).cwnd, 10 * 1448); /* RFC 6928 */
	done();
}

/* hides options of the SYN from the listener */
static struct pair_fate strip(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	if (k->seg.flags & TCP_SYN && k->from == 0) {
		uint8_t *opt = k->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;

		/* all NOPs; the tap has the checksum vouched for */
		for (unsigned i = 0; i < 20; i++) {
			opt[i] = 1;
		}
		k->pkt->csum_ok = true;
	}
	return (struct pair_fate){ 0 };
}

/* RFC 7323 2.2: only if both SYNs had it; RFC 9293 3.7.1: MSS 536 */
static void test_no_options(void **state)
{
	(void)state;
	pair_defaults(&p, 2);
	p.fate = strip;
	open_it();
	assert_false(pair_sent(&p, 1, 0)->opts.has_wscale);
	assert_false(pair_sent(&p, 1, 0)->opts.has_ts);
	assert_false(pair_sent(&p, 1, 0)->opts.sack_perm);
	assert_int_equal(info(1).mss, 536);
	for (unsigned e = 0; e < 2; e++) {
		assert_false(info(e).wscale_ok || info(e).ts || info(e).sack);
		assert_int_equal(info(e).snd_wscale, 0);
		assert_int_equal(info(e).rcv_wscale, 0);
	}
	pair_write(&p.end[0].conn, 300000, true);
	pair_write(&p.end[1].conn, 300000, true);
	assert_true(pair_run(&p, 20 * NANOS_S, pair_all_arrived));
	assert_int_equal(pair_sent(&p, 0, 0)->opts.has_ts, false);
	done();
}

static struct pair_fate lose_first(void *ctx, const struct pair_pkt *k)
{
	const unsigned *from = ctx;

	return (struct pair_fate){ .drop = k->from == *from && k->nr <= 3 };
}

/* RFC 6298 5.7 and the plain SYN after two that offer more */
static void test_lost_syns(void **state)
{
	(void)state;
	for (unsigned from = 0; from < 2; from++) {
		pair_defaults(&p, 3);
		p.fate = lose_first;
		p.fate_ctx = &from;
		pair_start(&p);
		pair_connect(&p);
		assert_true(pair_run(&p, 20 * NANOS_S, pair_established));
		assert_int_equal(count(from, TCP_SYN_RETRANS), 3);
		if (from == 0) {
			/* 1 + 2 + 4 s */
			assert_in_range(p.now.ns - 1000 * NANOS_S,
					7 * NANOS_S, 7200 * NANOS_MS);
		}
		pair_write(&p.end[0].conn, 100000, true);
		pair_write(&p.end[1].conn, 0, true);
		assert_true(pair_run(&p, 20 * NANOS_S, pair_both_closed));
		done();
	}
}

static struct pair_fate lose_all(void *ctx, const struct pair_pkt *k)
{
	(void)ctx;
	(void)k;
	return (struct pair_fate){ .drop = true };
}

static void test_syn_timeout(void **state)
{
	(void)state;
	pair_defaults(&p, 4);
	p.end[0].conf.syn_retries = 3;
	p.fate = lose_all;
	pair_start(&p);
	pair_connect(&p);
	pair_run(&p, 60 * NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_TIMEOUT);
	assert_int_equal(p.sent[0], 4);
	assert_int_equal(p.end[0].conn.timeouts, 3);
	assert_int_equal(tcp_count_conns(p.end[0].tcp), 0);
	done();
}

static void test_refused(void **state)
{
	struct tcp_open o;
	int err;

	(void)state;
	pair_defaults(&p, 5);
	pair_start(&p);
	pair_connect(&p);
	tcp_unlisten(p.end[1].tcp, p.end[1].listener);
	p.end[1].listener = NULL;
	pair_run(&p, NANOS_S, NULL);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_REFUSED);
	assert_int_equal(count(1, TCP_OUT_RSTS), 1);
	assert_int_equal(count(0, TCP_ATTEMPT_FAILS), 1);
	/* no address of that family */
	o = (struct tcp_open){ 0 };
	o.t.remote = endpoint_make(addr_any(6), 80);
	o.t.remote.addr.b[15] = 9;
	o.t.local.addr = addr_any(6);
	assert_null(tcp_connect(p.end[0].tcp, p.now, &o, &err));
	assert_int_equal(err, EADDRNOTAVAIL);
	done();
}

/* RFC 9293 figure 8 */
static void test_both(void **state)
{
	(void)state;
	for (unsigned loss = 0; loss < 3; loss++) {
		unsigned from = loss - 1;

		pair_defaults(&p, 6 + loss);
		if (loss) {
			p.fate = lose_first;
			p.fate_ctx = &from;
		}
		pair_start(&p);
		pair_connect_both(&p);
		assert_true(pair_run(&p, 30 * NANOS_S, pair_established));
		if (!loss) {
			assert_int_equal(count(0, TCP_SIMULTANEOUS), 1);
			assert_int_equal(count(1, TCP_SIMULTANEOUS), 1);
			assert_int_equal(p.sent[0] + p.sent[1], 4);
		}
		pair_write(&p.end[0].conn, 200000, true);
		pair_write(&p.end[1].conn, 200000, true);
		assert_true(pair_run(&p, 20 * NANOS_S, pair_both_closed));
		assert_int_equal(p.end[0].conn.end_why, TCP_END_NORMAL);
		assert_int_equal(p.end[1].conn.end_why, TCP_END_NORMAL);
		done();
	}
}

/* RFC 9293 3.10.7.3: a wrong ACK in SYN-SENT is answered with a reset and
 * changes nothing; a reset counts only with a right ACK */
static void test_syn_sent_strays(void **state)
{
	struct tcp_seg s = { .flags = TCP_ACK };

	(void)state;
	pair_defaults(&p, 9);
	pair_start(&p);
	pair_connect(&p);
	pair_run(&p, 0, NULL);
	s.t.local = tcp_tuple(p.end[0].conn.tcb)->local;
	s.t.remote = tcp_tuple(p.end[0].conn.tcb)->remote;
	s.ack = pair_sent(&p, 0, 0)->seq + 2;
	pair_inject(&p, 0, &s);
	s.flags = TCP_RST | TCP_ACK;
	pair_inject(&p, 0, &s);
	s.flags = TCP_RST;
	pair_inject(&p, 0, &s);
	pair_run(&p, 0, NULL);
	assert_int_equal(count(0, TCP_OUT_RSTS), 1);
	assert_int_equal(pair_sent(&p, 0, 0)->flags, TCP_RST);
	assert_int_equal(pair_sent(&p, 0, 0)->seq, s.ack);
	assert_false(p.end[0].conn.closed);
	s.flags = TCP_RST | TCP_ACK;
	s.ack--;
	pair_inject(&p, 0, &s);
	assert_true(p.end[0].conn.closed);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_REFUSED);
	done();
}

/* a wrong third ACK is answered with a reset, the connection goes on */
static void test_syn_received_strays(void **state)
{
	struct tcp_seg s = { .flags = TCP_ACK };
	unsigned from = 1;

	(void)state;
	pair_defaults(&p, 10);
	p.fate = lose_first;
	p.fate_ctx = &from;
	pair_start(&p);
	pair_connect(&p);
	pair_run(&p, 6 * NANOS_MS, NULL);
	assert_int_equal(info(1).state, TCP_SYN_RECEIVED);
	s.t = *tcp_tuple(p.end[1].conn.tcb);
	s.seq = pair_sent(&p, 0, 0)->seq + 1;
	s.ack = pair_sent(&p, 1, 0)->seq + 2;
	pair_inject(&p, 1, &s);
	pair_run(&p, 0, NULL);
	assert_int_equal(pair_sent(&p, 1, 0)->flags, TCP_RST);
	assert_int_equal(info(1).state, TCP_SYN_RECEIVED);
	/* a reset at the left edge ends it */
	s.flags = TCP_RST;
	pair_inject(&p, 1, &s);
	assert_true(p.end[1].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_RESET);
	done();
}

/* the upper refuses the SYN-ACK: the peer must hear of it, in its numbers */
static void test_refused_by_upper(void **state)
{
	uint32_t iss;

	(void)state;
	pair_defaults(&p, 11);
	pair_start(&p);
	pair_connect(&p);
	p.end[0].conn.verdict = TCP_UP_RESET;
	pair_run(&p, 0, NULL);
	iss = pair_sent(&p, 0, 0)->seq;
	pair_run(&p, NANOS_S, NULL);
	assert_int_equal(p.end[0].conn.end_why, TCP_END_ABORTED);
	assert_int_equal(pair_sent(&p, 0, 0)->flags, TCP_RST | TCP_ACK);
	assert_int_equal(pair_sent(&p, 0, 0)->seq, iss + 1);
	assert_true(p.end[1].conn.closed);
	assert_int_equal(p.end[1].conn.end_why, TCP_END_RESET);
	done();
}

/* The SYN comes again: the upper sees it, since an option may be gone from it
 * (RFC 8547 4.6), and what it says counts. */
static void test_syn_again(void **state)
{
	unsigned from = 1;

	(void)state;
	for (unsigned v = TCP_UP_OK; v <= TCP_UP_RESET; v++) {
		uint64_t sent;

		pair_defaults(&p, 13);
		p.fate = lose_first;
		p.fate_ctx = &from;
		pair_start(&p);
		pair_connect(&p);
		pair_run(&p, 500 * NANOS_MS, NULL);
		assert_int_equal(info(1).state, TCP_SYN_RECEIVED);
		sent = p.sent[1];
		p.end[1].conn.verdict = v;
		pair_inject(&p, 1, pair_sent(&p, 0, 0));
		pair_run(&p, 0, NULL);
		assert_int_equal(p.end[1].conn.verdict, TCP_UP_OK);
		assert_int_equal(p.sent[1] - sent, v != TCP_UP_DROP);
		assert_int_equal(p.end[1].conn.closed, v == TCP_UP_RESET);
		if (v == TCP_UP_OK) {
			assert_int_equal(pair_sent(&p, 1, 0)->flags,
					 TCP_SYN | TCP_ACK);
		} else if (v == TCP_UP_RESET) {
			assert_true(pair_sent(&p, 1, 0)->flags & TCP_RST);
			assert_int_equal(p.end[1].conn.end_why,
					 TCP_END_ABORTED);
		}
		done();
	}
}

/* numbers that wrap soon, in both directions */
static void test_wrap(void **state)
{
	(void)state;
	for (unsigned end = 0; end < 2; end++) {
		uint32_t iss, ahead;

		pair_defaults(&p, 12);
		open_it();
		iss = p.end[end].conn.tcb->snd.iss;
		done();
		/* the clock of RFC 6528 brings it near the end */
		ahead = 0 - iss - 100000;
		pair_defaults(&p, 12);
		p.now = instant_add(p.now, ahead * (4 * NANOS_US));
		open_it();
		assert_in_range(p.end[end].conn.tcb->snd.iss,
				UINT32_MAX - 100000, UINT32_MAX - 90000);
		pair_write(&p.end[0].conn, 1000000, true);
		pair_write(&p.end[1].conn, 1000000, true);
		assert_true(pair_run(&p, 20 * NANOS_S, pair_both_closed));
		assert_int_equal(count(0, TCP_RETRANS_SEGS), 0);
		done();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_no_options),
		cmocka_unit_test(test_lost_syns),
		cmocka_unit_test(test_syn_timeout),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_syn_sent_strays),
		cmocka_unit_test(test_syn_received_strays),
		cmocka_unit_test(test_refused_by_upper),
		cmocka_unit_test(test_syn_again),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
