/* every option of a received segment, on every state of a subflow */
#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct mp_conn *c;
static struct mp_sub *first, *second;
static struct tcp_seg seg;

static struct mp_opts *o(void)
{
	return &seg.opts.mp;
}

static void fresh(unsigned subtypes)
{
	seg = (struct tcp_seg){ .flags = TCP_ACK };
	o()->have = subtypes;
}

static enum tcp_verdict feed(struct mp_sub *s)
{
	return mp_sub_segment(s, P.now, &seg, 100000);
}

/* two subflows, 1000 octets sent by the client, as end sees it */
static void start(uint64_t seed, unsigned end)
{
	mpair_defaults(&P, seed);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = P.end[end].app.c;
	first = c->first;
	second = list_entry(c->subs.prev, struct mp_sub, node);
	assert_ptr_not_equal(first, second);
}

static void stop(void)
{
	mpair_stop(&P);
}

/* --- resets ------------------------------------------------------------------ */

static void rst_reason(void **state)
{
	(void)state;
	start(1, 0);
	fresh(MP_HAVE(MP_OPT_TCPRST));
	seg.flags = TCP_RST;
	o()->rst_reason = MP_RST_PERFORMANCE;
	o()->rst_transient = true;
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_true(second->rst_in);
	assert_true(second->rst_in_transient);
	assert_int_equal(second->rst_in_reason, MP_RST_PERFORMANCE);
	assert_false(first->rst_in);
	assert_int_equal(count(0, MP_RST_RX), 1);
	fresh(0);
	seg.flags = TCP_RST;
	assert_int_equal(feed(first), TCP_UP_OK);
	assert_false(first->rst_in);
	assert_int_equal(c->n_open, 2); /* TCP says when it is over */
	stop();
}

/* RFC 8684 3.5: with the right key only, and both forms */
static void fastclose(void **state)
{
	(void)state;
	for (int rst = 0; rst < 2; rst++) {
		start(2, 0);
		fresh(MP_HAVE(MP_OPT_FASTCLOSE) | MP_HAVE(MP_OPT_PRIO));
		seg.flags = rst ? TCP_RST : TCP_ACK;
		o()->fastclose_key = c->keys.remote;
		assert_int_equal(feed(second), TCP_UP_OK);
		o()->fastclose_key = c->keys.local ^ 1;
		assert_int_equal(feed(second), TCP_UP_OK);
		assert_int_equal(count(0, MP_FASTCLOSE_KEY), 2);
		assert_int_equal(count(0, MP_FASTCLOSE_RX), 0);
		assert_false(P.end[0].app.closed);
		assert_int_equal(c->fsm.state, MP_ST_ESTAB);
		/* the rest of the segment counts */
		assert_int_equal(count(0, MP_PRIO_RX), rst ? 0 : 2);
		o()->fastclose_key = c->keys.local;
		assert_int_equal(feed(second), rst ? TCP_UP_OK : TCP_UP_DROP);
		assert_int_equal(count(0, MP_FASTCLOSE_RX), 1);
		assert_int_equal(P.end[0].app.err, ECONNRESET);
		assert_int_equal(c->fsm.state, MP_ST_CLOSED);
		assert_int_equal(c->n_open, 0);
		assert_int_equal(feed(second), TCP_UP_OK); /* dead */
		assert_int_equal(count(0, MP_FASTCLOSE_RX), 1);
		stop();
	}
}

/* --- DSS ---------------------------------------------------------------------- */

static void ack(bool eight, uint64_t dsn)
{
	fresh(MP_HAVE(MP_OPT_DSS));
	o()->dss = (struct mp_opt_dss){ .ack = true, .ack8 = eight,
					.data_ack = eight ? dsn :
							    (uint32_t)dsn };
}

/* RFC 8684 3.3.2: 32 or 64 bits, ahead and behind, on either side of a wrap */
static void data_acks(void **state)
{
	static const uint64_t idsn[] = { UINT64_C(0xfffffb00),
					 UINT64_C(0x7ffffc00),
					 UINT64_C(0x12345678),
					 UINT64_C(0xfffffffffffffb00) };

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(idsn); i++) {
		uint64_t base = idsn[i / 2] + 1, edge;
		bool eight = i & 1;

		start(3, 0);
		c->keys.idsn_local = idsn[i / 2];
		mpair_send(&P, 0, 5000, false);
		assert_int_equal(c->snd.una, 1000);
		assert_int_equal(c->snd.nxt, 6000);
		edge = c->snd.edge;
		ack(eight, base + 900);
		assert_int_equal(feed(second), TCP_UP_OK);
		assert_int_equal(c->snd.una, 1000);
		ack(eight, base + 6001);
		assert_int_equal(feed(second), TCP_UP_OK);
		assert_int_equal(c->snd.una, 1000);
		assert_int_equal(c->snd.edge, edge);
		ack(eight, base + 3000);
		assert_int_equal(feed(second), TCP_UP_OK);
		assert_int_equal(c->snd.una, 3000);
		ack(eight, base + 2000);
		assert_int_equal(feed(first), TCP_UP_OK);
		assert_int_equal(c->snd.una, 3000);
		stop();
	}
}

/* 32 bits are read near what was acknowledged last, not near the start */
static void far_into_the_stream(void **state)
{
	uint64_t at = UINT64_C(5) << 32, base;

	(void)state;
	start(18, 0);
	base = c->keys.idsn_local + 1;
	c->snd.ring.head = c->snd.ring.tail = at;
	c->snd.una = c->snd.nxt = at;
	c->snd.edge = at + 100000;
	mpair_send(&P, 0, 5000, false);
	assert_int_equal(c->snd.nxt, at + 5000);
	ack(false, base + at - 5);
	assert_int_equal(feed(first), TCP_UP_OK);
	assert_int_equal(c->snd.una, at);
	ack(false, base + at + 4000);
	assert_int_equal(feed(first), TCP_UP_OK);
	assert_int_equal(c->snd.una, at + 4000);
	stop();
}

/* the window belongs to the DATA_ACK (RFC 8684 3.3.5) */
static void window(void **state)
{
	uint64_t edge, base;

	(void)state;
	start(4, 0);
	edge = c->snd.edge;
	base = c->keys.idsn_local + 1;
	fresh(MP_HAVE(MP_OPT_PRIO));
	assert_int_equal(mp_sub_segment(first, P.now, &seg, 1 << 30),
			 TCP_UP_OK);
	assert_int_equal(c->snd.edge, edge);
	ack(true, base + 1000);
	assert_int_equal(mp_sub_segment(first, P.now, &seg, 1 << 30),
			 TCP_UP_OK);
	assert_int_equal(c->snd.edge, 1000 + (1 << 30));
	ack(true, base + 1000);
	assert_int_equal(mp_sub_segment(second, P.now, &seg, 5), TCP_UP_OK);
	assert_int_equal(c->snd.edge, 1000 + (1 << 30));
	stop();
}

static void dss_marks_its_subflow(void **state)
{
	(void)state;
	start(5, 0);
	first->dss_seen = second->dss_seen = false;
	first->acks_bare = second->acks_bare = true;
	ack(true, c->keys.idsn_local + 1001);
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_true(second->dss_seen);
	assert_false(second->acks_bare);
	assert_false(first->dss_seen);
	assert_true(first->acks_bare);
	assert_true(second->seg_dss);
	fresh(0);
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_false(second->seg_dss); /* of the segment in progress */
	assert_true(second->dss_seen);
	stop();
}

/* an infinite mapping where two subflows are is a contradiction */
static void infinite_of_two(void **state)
{
	(void)state;
	start(6, 0);
	fresh(MP_HAVE(MP_OPT_DSS));
	o()->dss = (struct mp_opt_dss){
		.map = true, .infinite = true, .dsn8 = true,
		.dsn = c->keys.idsn_remote + 1 + c->rcv.nxt,
		.ssn = second->rx_nxt,
	};
	mpair_send(&P, 0, 100, false);
	mp_reinject_range(c, 1000, 1100);
	assert_int_equal(feed(second), TCP_UP_RESET);
	assert_int_equal(second->rst.reason, MP_RST_MPTCP);
	assert_int_equal(c->mode, MP_MODE_MPTCP);
	stop();
}

/* --- MP_CAPABLE again ------------------------------------------------------------ */

/* RFC 8684 3.1: with data parameters it is a mapping; at the listening side,
 * on the first subflow, with both keys right */
static void capable_again(void **state)
{
	struct mp_opt_capable m = { .version = 1, .flags = MP_CAP_SHA256,
				    .len = 22, .data_len = 500 };

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		start(7, i == 1 ? 0 : 1);
		m.len = i == 4 ? 20 : 22;
		m.data_len = i == 5 ? 0 : 500;
		m.key_snd = c->keys.remote ^ (i == 2);
		m.key_rcv = c->keys.local ^ (i == 3);
		c->confirmed = false;
		first->seg_dss = false;
		/* as if nothing had come in yet */
		first->rx_nxt = 1;
		mp_map_fini(&first->rx);
		fresh(MP_HAVE(MP_OPT_CAPABLE));
		o()->capable = m;
		seg.seq = first->irs + 1;
		seg.len = i == 6 ? 0 : 500;
		assert_int_equal(feed(i == 7 ? second : first), TCP_UP_OK);
		assert_int_equal(first->rx.n, i == 0);
		assert_int_equal(c->confirmed, i == 0);
		if (i == 0) {
			assert_int_equal(mp_map_at(&first->rx, 0)->ssn, 1);
			assert_int_equal(mp_map_at(&first->rx, 0)->off, 0);
			assert_int_equal(mp_map_at(&first->rx, 0)->len, 500);
		}
		stop();
	}
}

/* a checksum that was not agreed upon is no better here */
static void capable_with_checksum(void **state)
{
	(void)state;
	start(8, 1);
	fresh(MP_HAVE(MP_OPT_CAPABLE));
	o()->capable = (struct mp_opt_capable){ .version = 1, .len = 24,
						.flags = MP_CAP_SHA256,
						.key_snd = c->keys.remote,
						.key_rcv = c->keys.local,
						.data_len = 500 };
	seg.seq = first->irs + 1;
	seg.len = 500;
	assert_int_equal(feed(first), TCP_UP_RESET);
	assert_int_equal(count(1, MP_DSS_CORRUPT), 1);
	stop();
}

/* --- joins ------------------------------------------------------------------------ */

/* what arrives on a join that waits for its answer is the answer */
static void answer_to_third(void **state)
{
	uint64_t was;

	(void)state;
	start(9, 0);
	second->state = MP_SUB_PRE;
	c->n_open--;
	was = count(0, MP_JOIN_DONE);
	fresh(0);
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_int_equal(second->state, MP_SUB_OPEN);
	assert_int_equal(c->n_open, 2);
	assert_int_equal(count(0, MP_JOIN_DONE), was + 1);
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_int_equal(c->n_open, 2);
	stop();
}

static unsigned acks[2];

static void count_acks(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 1) {
		acks[p->link]++;
	}
}

/* the third ACK comes again: ours was lost */
static void third_again(void **state)
{
	(void)state;
	start(10, 1);
	P.tap = count_acks;
	acks[0] = acks[1] = 0;
	fresh(MP_HAVE(MP_OPT_JOIN));
	o()->join.len = 16;
	assert_int_equal(feed(second), TCP_UP_OK);
	mpair_sleep(&P, 0);
	assert_int_equal(acks[1], 0);
	o()->join.len = 24;
	assert_int_equal(feed(second), TCP_UP_OK);
	mpair_sleep(&P, 0);
	assert_int_equal(acks[1], 1);
	assert_int_equal(acks[0], 0);
	stop();
}

static void join_of_none(void **state)
{
	static const uint8_t right[] = { 1, 0, 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(right); i++) {
		uint8_t mac[32];

		start(11, 1);
		second->state = MP_SUB_SYN;
		c->n_open--;
		c->n_joining++;
		c->mp->n_half_open++;
		assert_true(mp_crypt_join_mac(second, false, mac));
		fresh(i == 2 ? 0 : MP_HAVE(MP_OPT_JOIN));
		o()->join.len = 24;
		memcpy(o()->join.mac, mac, 20);
		o()->join.mac[19] ^= i == 1;
		assert_int_equal(feed(second),
				 right[i] ? TCP_UP_OK : TCP_UP_RESET);
		assert_int_equal(count(1, MP_JOIN_ACK_MAC), i == 1);
		assert_int_equal(count(1, MP_JOIN_STRIPPED), i == 2);
		stop();
	}
}

/* --- paths -------------------------------------------------------------------------- */

static void prio(void **state)
{
	(void)state;
	start(12, 0);
	fresh(MP_HAVE(MP_OPT_PRIO));
	o()->prio_backup = true;
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_true(second->peer_backup);
	assert_false(first->peer_backup); /* the subflow it came on */
	assert_false(second->backup);
	o()->prio_backup = false;
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_false(second->peer_backup);
	assert_int_equal(count(0, MP_PRIO_RX), 2);
	stop();
}

static void addresses(void **state)
{
	(void)state;
	start(13, 0);
	fresh(MP_HAVE(MP_OPT_ADD_ADDR) | MP_HAVE(MP_OPT_REMOVE_ADDR));
	o()->add_addr = (struct mp_opt_add_addr){
		.id = 9, .addr = addr_v4(10, 0, 7, 7)
	};
	o()->remove_n = 1;
	o()->remove_id[0] = 9;
	assert_int_equal(feed(first), TCP_UP_OK);
	assert_int_equal(count(0, MP_ADD_ADDR_MAC), 1); /* HMAC wrong */
	assert_int_equal(count(0, MP_RM_ADDR_RX), 1);
	assert_true(mp_crypt_addr_mac(c, false, &o()->add_addr,
				      o()->add_addr.mac));
	assert_int_equal(feed(first), TCP_UP_OK);
	assert_int_equal(count(0, MP_ADD_ADDR_RX), 1);
	/* first added, then removed: nothing is left of it */
	assert_int_equal(c->addrs.n_echo, 0);
	stop();
}

/* --- MP_FAIL ------------------------------------------------------------------------- */

static void mp_fail(void **state)
{
	(void)state;
	/* several subflows: this one goes, and says so */
	start(14, 0);
	fresh(MP_HAVE(MP_OPT_FAIL));
	assert_int_equal(feed(second), TCP_UP_RESET);
	assert_true(second->rst.fail);
	assert_int_equal(second->sig.fail_dsn, c->keys.idsn_remote + 1);
	assert_int_equal(c->mode, MP_MODE_MPTCP);
	assert_int_equal(count(0, MP_FAIL_RX), 1);
	stop();
	/* alone: plain TCP from here on, and the answer is MP_FAIL */
	mpair_defaults(&P, 15);
	P.end[0].n_paths = 1;
	up(false);
	transfer(1000, 70, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	c = P.end[0].app.c;
	assert_int_equal(feed(c->first), TCP_UP_OK);
	assert_int_equal(c->mode, MP_MODE_TCP);
	assert_int_equal(c->why_plain, MP_FALLBACK_CSUM);
	assert_true(c->first->sig.fail);
	assert_int_equal(c->first->sig.fail_dsn, c->keys.idsn_remote + 71);
	stop();
}

/* --- who does not listen ------------------------------------------------------------- */

/* plain TCP: no option means anything any more (statement 88) */
static void plain(void **state)
{
	(void)state;
	mpair_defaults(&P, 16);
	P.end[0].n_paths = 1;
	P.end[1].cfg.policy = MP_OFF;
	up(false);
	transfer(1000, 70, NANOS_S);
	c = P.end[0].app.c;
	fresh(0xffff);
	o()->dss = (struct mp_opt_dss){ .map = true, .infinite = true,
					.ack = true };
	o()->fastclose_key = c->keys.local;
	assert_int_equal(feed(c->first), TCP_UP_OK);
	seg.flags = TCP_RST;
	assert_int_equal(feed(c->first), TCP_UP_OK);
	assert_int_equal(c->first->state, MP_SUB_OPEN);
	assert_int_equal(count(0, MP_FASTCLOSE_RX), 0);
	assert_int_equal(count(0, MP_FAIL_RX), 0);
	assert_int_equal(count(0, MP_PRIO_RX), 0);
	assert_int_equal(count(0, MP_RM_ADDR_RX), 0);
	stop();
}

static void dead(void **state)
{
	(void)state;
	start(17, 0);
	mp_sub_abort(second, P.now);
	ack(true, c->keys.idsn_local + 1001);
	o()->have |= MP_HAVE(MP_OPT_PRIO) | MP_HAVE(MP_OPT_FAIL);
	assert_int_equal(feed(second), TCP_UP_OK);
	assert_int_equal(count(0, MP_PRIO_RX), 0);
	assert_int_equal(count(0, MP_FAIL_RX), 0);
	assert_int_equal(c->mode, MP_MODE_MPTCP);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rst_reason),
		cmocka_unit_test(fastclose),
		cmocka_unit_test(data_acks),
		cmocka_unit_test(far_into_the_stream),
		cmocka_unit_test(window),
		cmocka_unit_test(dss_marks_its_subflow),
		cmocka_unit_test(infinite_of_two),
		cmocka_unit_test(capable_again),
		cmocka_unit_test(capable_with_checksum),
		cmocka_unit_test(answer_to_third),
		cmocka_unit_test(third_again),
		cmocka_unit_test(join_of_none),
		cmocka_unit_test(prio),
		cmocka_unit_test(addresses),
		cmocka_unit_test(mp_fail),
		cmocka_unit_test(plain),
		cmocka_unit_test(dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
