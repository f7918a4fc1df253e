/* RFC 3168 6.1, rule by rule; then two ends and a router that marks */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "stack/wire/cksum.h"
#include "tests/lib/pair.h"

#define BOTH (TCP_ECE | TCP_CWR)

static struct tcp_ecn e;

static int setup(void **state)
{
	(void)state;
	e = (struct tcp_ecn){ 0 };
	return 0;
}

static void negotiated(void)
{
	e = (struct tcp_ecn){ .ok = true };
}

static void active(void **state)
{
	(void)state;
	assert_int_equal(tcp_ecn_syn(&e, TCP_ECN_ON, false), BOTH);
	tcp_ecn_peer_syn(&e, TCP_ECN_ON, TCP_SYN | TCP_ACK | TCP_ECE, 0, true);
	assert_true(e.ok);
	/* a SYN/ACK that reflects what it does not know (6.1.1.2) */
	setup(NULL);
	tcp_ecn_syn(&e, TCP_ECN_ON, false);
	tcp_ecn_peer_syn(&e, TCP_ECN_ON, TCP_SYN | TCP_ACK | BOTH, 0, true);
	assert_false(e.ok);
	tcp_ecn_peer_syn(&e, TCP_ECN_ON, TCP_SYN | TCP_ACK, 0, true);
	assert_false(e.ok);
	/* who did not ask gets nothing */
	setup(NULL);
	assert_int_equal(tcp_ecn_syn(&e, TCP_ECN_PASSIVE, false), 0);
	tcp_ecn_peer_syn(&e, TCP_ECN_PASSIVE, TCP_SYN | TCP_ACK | TCP_ECE, 0,
			 true);
	assert_false(e.ok);
}

/* 6.1.1.1; and one SYN without the flags is the end of it (6.1.1) */
static void falls_back(void **state)
{
	(void)state;
	assert_int_equal(tcp_ecn_syn(&e, TCP_ECN_ON, false), BOTH);
	assert_int_equal(tcp_ecn_syn(&e, TCP_ECN_ON, true), 0);
	tcp_ecn_peer_syn(&e, TCP_ECN_ON, TCP_SYN | TCP_ACK | TCP_ECE, 0, true);
	assert_false(e.ok);
}

static void passive(void **state)
{
	(void)state;
	tcp_ecn_peer_syn(&e, TCP_ECN_PASSIVE, TCP_SYN | BOTH, 0, false);
	assert_true(e.ok);
	assert_int_equal(tcp_ecn_synack(&e), TCP_ECE);
	tcp_ecn_syn_again(&e, TCP_SYN | BOTH);
	assert_true(e.ok);
	tcp_ecn_syn_again(&e, TCP_SYN); /* it has given up asking */
	assert_false(e.ok);
	assert_int_equal(tcp_ecn_synack(&e), 0);
	setup(NULL);
	tcp_ecn_peer_syn(&e, TCP_ECN_PASSIVE, TCP_SYN | TCP_ECE, 0, false);
	assert_false(e.ok);
	tcp_ecn_peer_syn(&e, TCP_ECN_OFF, TCP_SYN | BOTH, 0, false);
	assert_false(e.ok);
	/* a SYN is never ECT (6.1.1) */
	tcp_ecn_peer_syn(&e, TCP_ECN_PASSIVE, TCP_SYN | BOTH, 2, false);
	assert_false(e.ok);
}

static void simultaneous(void **state)
{
	(void)state;
	tcp_ecn_syn(&e, TCP_ECN_ON, false);
	tcp_ecn_peer_syn(&e, TCP_ECN_ON, TCP_SYN | BOTH, 0, true);
	assert_true(e.ok);
	setup(NULL);
	tcp_ecn_syn(&e, TCP_ECN_PASSIVE, false);
	tcp_ecn_peer_syn(&e, TCP_ECN_PASSIVE, TCP_SYN | BOTH, 0, true);
	assert_false(e.ok); /* our SYN did not ask */
}

static void receiver(void **state)
{
	(void)state;
	/* without negotiation a mark is nothing */
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK, 3, 100), TCP_ECN_NOTHING);
	assert_int_equal(tcp_ecn_flags(&e, false), 0);
	negotiated();
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK, 2, 100), TCP_ECN_NOTHING);
	assert_int_equal(tcp_ecn_flags(&e, false), 0);
	/* nor on a segment without data */
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK, 3, 0), TCP_ECN_NOTHING);
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK, 3, 100), TCP_ECN_MARKED);
	assert_int_equal(tcp_ecn_flags(&e, false), TCP_ECE);
	/* until CWR, whatever else comes */
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK, 2, 100), TCP_ECN_NOTHING);
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK, 3, 100), TCP_ECN_NOTHING);
	assert_int_equal(tcp_ecn_flags(&e, true), TCP_ECE);
	assert_int_equal(tcp_ecn_in(&e, TCP_ACK | TCP_CWR, 2, 100),
			 TCP_ECN_CALMED);
	assert_int_equal(tcp_ecn_flags(&e, false), 0);
	/* CWR and another mark in one segment: it goes on */
	tcp_ecn_in(&e, TCP_ACK, 3, 100);
	tcp_ecn_in(&e, TCP_ACK | TCP_CWR, 3, 100);
	assert_int_equal(tcp_ecn_flags(&e, false), TCP_ECE);
}

static void sender(void **state)
{
	(void)state;
	tcp_ecn_reduced(&e);
	assert_int_equal(tcp_ecn_flags(&e, true), 0); /* not negotiated */
	assert_false(tcp_ecn_asked(&e, TCP_ACK | TCP_ECE));
	assert_int_equal(tcp_ecn_codepoint(&e, true, true), 0);
	negotiated();
	assert_true(tcp_ecn_asked(&e, TCP_ACK | TCP_ECE));
	assert_false(tcp_ecn_asked(&e, TCP_ACK | TCP_CWR));
	tcp_ecn_reduced(&e);
	assert_int_equal(tcp_ecn_flags(&e, false), 0);
	assert_int_equal(tcp_ecn_flags(&e, true), TCP_CWR);
	assert_int_equal(tcp_ecn_flags(&e, true), 0); /* once */
	assert_int_equal(tcp_ecn_codepoint(&e, true, true), TCP_ECN_ECT0);
	assert_int_equal(tcp_ecn_codepoint(&e, false, true), 0);
	assert_int_equal(tcp_ecn_codepoint(&e, true, false), 0);
}

/* --- whole transfers -------------------------------------------------------- */

static struct pair p;

struct watch {
	uint64_t mark_every; /* data packets of end 0, 0: none */
	uint64_t data, ect, marked, cwr, ece;
	uint32_t high; /* of the data seen, to know what is sent again */
	bool any, ect_rtx, ect_other, cwr_large, cwr_rtx;
};

static struct watch w;

/* a router with a long queue; TOS is in the IPv4 header's checksum */
static void mark(uint8_t *ip)
{
	uint16_t was = (uint16_t)(ip[0] << 8 | ip[1]);
	uint16_t sum = (uint16_t)(ip[10] << 8 | ip[11]);

	ip[1] |= TCP_ECN_CE;
	sum = cksum_update(sum, was, (uint16_t)(was | TCP_ECN_CE));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static struct pair_fate watch(void *ctx, const struct pair_pkt *k)
{
	const struct tcp_seg *s = &k->seg;
	bool again;

	(void)ctx;
	if (k->from == 1) {
		w.ece += (s->flags & TCP_ECE) && !(s->flags & TCP_SYN);
		w.ect_other |= s->tos & 3;
		return (struct pair_fate){ 0 };
	}
	if (s->len == 0) {
		w.ect_other |= s->tos & 3;
		return (struct pair_fate){ 0 };
	}
	again = w.any && seq_lt(s->seq, w.high);
	w.high = w.any ? seq_max(w.high, s->seq + s->len) : s->seq + s->len;
	w.any = true;
	w.ect += (s->tos & 3) == 2;
	w.ect_rtx |= again && (s->tos & 3);
	w.cwr += (s->flags & TCP_CWR) != 0;
	w.cwr_large |= (s->flags & TCP_CWR) && s->len > 1460;
	w.cwr_rtx |= again && (s->flags & TCP_CWR);
	if (++w.data && w.mark_every && w.data % w.mark_every == 0 &&
	    (s->tos & 3) == 2) {
		mark(k->pkt->data);
		w.marked++;
	}
	return (struct pair_fate){ .drop = w.data == 40 };
}

static void transfer(enum tcp_ecn_mode client, enum tcp_ecn_mode server,
		     uint64_t every)
{
	w = (struct watch){ .mark_every = every };
	pair_defaults(&p, 7);
	p.fate = watch;
	p.gso = true;
	p.end[0].conf.ecn = client;
	p.end[1].conf.ecn = server;
	pair_start(&p);
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	pair_write(&p.end[0].conn, 2000000, true);
	pair_write(&p.end[1].conn, 0, true);
	assert_true(pair_run(&p, 100 * NANOS_S, pair_both_closed));
	assert_true(pair_prefix_ok(&p));
	assert_int_equal(p.end[1].conn.in_len, 2000000);
	assert_false(w.ect_rtx || w.ect_other || w.cwr_large || w.cwr_rtx);
}

static void test_not_asked(void **state)
{
	(void)state;
	transfer(TCP_ECN_PASSIVE, TCP_ECN_ON, 50);
	assert_int_equal(w.ect, 0);
	assert_int_equal(w.cwr + w.ece, 0);
	pair_stop(&p);
	transfer(TCP_ECN_ON, TCP_ECN_OFF, 50);
	assert_int_equal(w.ect, 0);
	assert_int_equal(w.cwr + w.ece, 0);
	pair_stop(&p);
}

static void test_no_mark(void **state)
{
	(void)state;
	transfer(TCP_ECN_ON, TCP_ECN_PASSIVE, 0);
	assert_true(w.ect >= w.data - 2); /* what was lost, again */
	assert_int_equal(w.ece, 0);
	assert_int_equal(w.cwr, 1); /* for the loss */
	assert_int_equal(tcp_counter(p.end[0].tcp, TCP_ECE_CUT), 0);
	pair_stop(&p);
}

static void test_marks(void **state)
{
	uint64_t cuts;

	(void)state;
	transfer(TCP_ECN_ON, TCP_ECN_PASSIVE, 60);
	cuts = tcp_counter(p.end[0].tcp, TCP_ECE_CUT);
	assert_true(w.marked >= 3);
	assert_int_equal(tcp_counter(p.end[1].tcp, TCP_CE_IN), w.marked);
	assert_true(w.ece >= w.marked);
	/* every mark is answered, a round trip's together */
	assert_in_range(cuts, 2, w.marked);
	assert_in_range(w.cwr, cuts, w.marked + 1);
	/* and nothing but what was lost is sent again for it */
	assert_in_range(tcp_counter(p.end[0].tcp, TCP_RETRANS_SEGS), 1, 2);
	assert_int_equal(tcp_counter(p.end[0].tcp, TCP_RTO), 0);
	pair_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(active, setup),
		cmocka_unit_test_setup(falls_back, setup),
		cmocka_unit_test_setup(passive, setup),
		cmocka_unit_test_setup(simultaneous, setup),
		cmocka_unit_test_setup(receiver, setup),
		cmocka_unit_test_setup(sender, setup),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_no_mark),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
