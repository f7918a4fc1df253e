/* RFC 8684 3.2: MP_JOIN, both roles */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct {
	unsigned syns, thirds, fourths, data_before_fourth;
	bool dss_before_syn, any_dss;
	uint32_t nonce[8];
	unsigned n_nonce;
	uint8_t rst_reason;
	unsigned rsts;
} seen;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;
	bool join = o->have & MP_HAVE(MP_OPT_JOIN);

	(void)ctx;
	seen.any_dss = seen.any_dss || o->have & MP_HAVE(MP_OPT_DSS);
	if (join && p->seg.flags == TCP_SYN) {
		seen.syns++;
		seen.dss_before_syn = seen.any_dss;
		if (seen.n_nonce < 8) {
			seen.nonce[seen.n_nonce++] = o->join.nonce;
		}
		assert_int_equal(o->join.len, 12);
		assert_int_not_equal(o->join.addr_id, 0);
	}
	if (join && o->join.len == 24) {
		seen.thirds++;
	}
	if (p->seg.flags & TCP_RST) {
		seen.rsts++;
		if (o->have & MP_HAVE(MP_OPT_TCPRST)) {
			seen.rst_reason = o->rst_reason;
		}
	}
}

static void start(uint64_t seed)
{
	memset(&seen, 0, sizeof(seen));
	seen.rst_reason = 99;
	mpair_defaults(&P, seed);
	P.tap = watch;
}

/* statements 31, 38, 52 */
static void not_before_a_dss(void **state)
{
	(void)state;
	start(1);
	up(false);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(seen.syns, 0);
	mpair_send(&P, 0, 100, false);
	assert_true(mpair_run(&P, NANOS_S, mpair_two_subs));
	assert_true(seen.dss_before_syn);
	assert_int_equal(count(0, MP_JOIN_DONE), 1);
	assert_int_equal(count(1, MP_JOIN_ACK_RX), 1);
	finish();
}

static unsigned drop_thirds, drop_answers;

static void lose(void *ctx, struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;
	bool third = o->have & MP_HAVE(MP_OPT_JOIN) && o->join.len == 24;

	(void)ctx;
	if (third && drop_thirds) {
		drop_thirds--;
		p->drop = true;
	}
	if (p->from == 1 && p->link == 1 && !(p->seg.flags & TCP_SYN) &&
	    drop_answers) {
		drop_answers--;
		p->drop = true;
	}
}

/* statements 46, 47 */
static void third_ack_lost(void **state)
{
	(void)state;
	start(2);
	P.mbox = lose;
	drop_thirds = 2;
	drop_answers = 0;
	up(true);
	assert_true(seen.thirds >= 1);
	transfer(100000, 100000, 10 * NANOS_S);
	finish();
	start(3);
	P.mbox = lose;
	drop_thirds = 0;
	drop_answers = 2;
	up(true);
	assert_true(seen.thirds >= 3);
	transfer(100000, 100000, 10 * NANOS_S);
	finish();
}

static int break_len; /* of the MP_JOIN whose HMAC is altered */

static void break_mac(void *ctx, struct mpair_pkt *p)
{
	uint8_t *b = p->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;
	uint8_t *end = b - TCP_HDR_LEN + (b[-8] >> 4) * 4;

	(void)ctx;
	while (b < end && *b) {
		uint8_t len = *b == 1 ? 1 : b[1];

		if (*b == MP_OPT_KIND && b[2] >> 4 == MP_OPT_JOIN &&
		    len == break_len) {
			b[5] ^= 1;
			mpair_fix(p->pkt);
		}
		b += len;
	}
}

/* statements 41, 43, 57 */
static void wrong_macs(void **state)
{
	(void)state;
	start(4);
	P.mbox = break_mac;
	break_len = 16;
	up(false);
	transfer(100000, 100000, 10 * NANOS_S);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_int_equal(count(0, MP_JOIN_SYNACK_MAC), 1);
	assert_int_equal(seen.rst_reason, MP_RST_MPTCP);
	assert_int_equal(seen.syns, 1); /* not tried again */
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	finish();

	start(5);
	P.mbox = break_mac;
	break_len = 24;
	up(false);
	transfer(100000, 100000, 10 * NANOS_S);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_int_equal(count(1, MP_JOIN_ACK_MAC), 1);
	assert_int_equal(seen.rst_reason, MP_RST_MPTCP);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	assert_int_equal(mpair_open_subs(&P, 1), 1);
	finish();
}

static void inject_join(uint16_t port, uint32_t token, uint16_t sport)
{
	uint8_t opt[12] = { 30, 12, 0x10, 9 };
	struct tuple t = { endpoint_make(P.end[0].addr[1], sport),
			   endpoint_make(P.end[1].addr[0], port) };

	be32_put(opt + 4, token);
	be32_put(opt + 8, 77);
	mpair_inject(&P, 1, &t, 1000, 0, TCP_SYN, 65535, opt, 12, NULL, 0);
}

/* statements 44, 49, 50 */
static void unknown_token(void **state)
{
	(void)state;
	start(6);
	up(true);
	inject_join(80, 12345, 1111);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(count(1, MP_JOIN_NO_TOKEN), 1);
	assert_int_equal(seen.rst_reason, MP_RST_MPTCP);
	assert_int_equal(P.end[1].app.accepted, 1);
	/* a port without listener, but the right token */
	inject_join(4444, P.end[1].app.c->keys.token_local, 1112);
	mpair_sleep(&P, 10 * NANOS_MS);
	assert_int_equal(P.end[1].app.c->n_joining, 1);
	finish();
}

/* statement 60 */
static void half_open_joins_are_bounded(void **state)
{
	(void)state;
	start(7);
	up(true);
	for (unsigned i = 0; i < 20; i++) {
		inject_join(80, P.end[1].app.c->keys.token_local,
			    (uint16_t)(2000 + i));
	}
	mpair_sleep(&P, 10 * NANOS_MS);
	assert_int_equal(P.end[1].app.c->n_joining, MP_HALF_OPEN_MAX);
	/* the newest are kept: whoever filled the places gives way */
	assert_int_equal(count(1, MP_JOIN_EVICTED), 20 - MP_HALF_OPEN_MAX);
	assert_int_equal(count(1, MP_JOIN_LIMIT), 0);
	list_each(n, &P.end[1].mp->half) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, half);

		assert_true(s->t.remote.port >= 2000 + 20 - MP_HALF_OPEN_MAX);
	}
	transfer(100000, 100000, 10 * NANOS_S);
	mpair_sleep(&P, 200 * NANOS_S); /* SYN-ACKs go unanswered */
	assert_int_equal(P.end[1].app.c->n_joining, 0);
	assert_int_equal(P.end[1].mp->n_half_open, 0);
	assert_int_equal(mpair_open_subs(&P, 1), 2);
	finish();
}

/* statement 88: after the fallback no join is accepted, and its token is
 * unknown */
static void no_join_after_fallback(void **state)
{
	uint32_t token;

	(void)state;
	start(8);
	P.end[0].n_paths = 1;
	up(false);
	token = P.end[1].app.c->keys.token_local;
	assert_true(mp_fall(P.end[1].app.c, P.now, MP_FALLBACK_NO_DSS));
	P.end[0].addr[1] = addr_v4(10, 0, 0, 1);
	inject_join(80, token, 999);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(count(1, MP_JOIN_NO_TOKEN), 1);
	transfer(10000, 10000, NANOS_S);
	finish();
}

/* statement 22 */
static void denied_by_the_peer(void **state)
{
	(void)state;
	start(9);
	up(false);
	P.end[0].app.c->peer_deny_join = true;
	transfer(10000, 10000, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(seen.syns, 0);
	finish();
}

/* statement 53: every attempt has a nonce of its own */
static void retry_after_a_loss(void **state)
{
	(void)state;
	start(10);
	up(true);
	mp_sub_abort(list_entry(P.end[1].app.c->subs.prev, struct mp_sub, node),
		     P.now);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_true(mpair_two_subs(&P));
	assert_int_equal(seen.n_nonce, 2);
	assert_int_not_equal(seen.nonce[0], seen.nonce[1]);
	finish();
}

/* statement 55: backup paths are silent while another works */
static void backup_path(void **state)
{
	struct mp_info i;

	(void)state;
	start(11);
	P.end[0].backup[1] = true;
	up(true);
	transfer(500000, 500000, 10 * NANOS_S);
	get_info(0, &i);
	assert_true(i.sub[1].backup);
	assert_int_equal(i.sub[1].bytes_sent, 0);
	assert_int_equal(i.sub[1].bytes_received, 0);
	get_info(1, &i);
	assert_true(i.sub[1].peer_backup);
	/* statement 134: MP_PRIO lets it take part, then withdraws it */
	ip_path_set_backup(P.end[0].ip, 1, false);
	mp_path_changed(P.end[0].mp, P.now, 1);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(count(1, MP_PRIO_RX), 1);
	get_info(1, &i);
	assert_false(i.sub[1].peer_backup);
	finish();
}

static void only_backups(void **state)
{
	(void)state;
	start(12);
	P.end[0].backup[0] = P.end[0].backup[1] = true;
	up(true);
	transfer(500000, 500000, 10 * NANOS_S);
	finish();
}

static void ipv6(void **state)
{
	(void)state;
	start(13);
	P.v6 = true;
	up(true);
	transfer(500000, 500000, 10 * NANOS_S);
	finish();
}

/* more paths than subflows allowed */
static void limited(void **state)
{
	(void)state;
	start(14);
	P.end[0].n_paths = 4;
	P.end[0].cfg.subflows_max = 3;
	up(true);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mpair_open_subs(&P, 0), 3);
	transfer(500000, 500000, 10 * NANOS_S);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_before_a_dss),
		cmocka_unit_test(third_ack_lost),
		cmocka_unit_test(wrong_macs),
		cmocka_unit_test(unknown_token),
		cmocka_unit_test(half_open_joins_are_bounded),
		cmocka_unit_test(no_join_after_fallback),
		cmocka_unit_test(denied_by_the_peer),
		cmocka_unit_test(retry_after_a_loss),
		cmocka_unit_test(backup_path),
		cmocka_unit_test(only_backups),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
