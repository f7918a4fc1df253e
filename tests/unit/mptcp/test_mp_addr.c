/* RFC 8684 3.4: ADD_ADDR and REMOVE_ADDR */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct {
	unsigned adds, echoes, joins_to_second;
	uint8_t last_id;
	uint64_t mac;
} seen;

static struct tuple down; /* of the first subflow, as the server sends */
static uint32_t down_seq, down_ack;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (o->have & MP_HAVE(MP_OPT_ADD_ADDR)) {
		seen.adds += !o->add_addr.echo;
		seen.echoes += o->add_addr.echo;
		seen.last_id = o->add_addr.id;
	}
	if (o->have & MP_HAVE(MP_OPT_JOIN) && p->seg.flags == TCP_SYN &&
	    addr_eq(&p->seg.t.local.addr, &P.end[1].addr[1])) {
		seen.joins_to_second++;
	}
	if (p->from == 1 && p->link == 0 && !(p->seg.flags & TCP_SYN) &&
	    addr_eq(&p->seg.t.remote.addr, &P.end[1].addr[0])) {
		down.local = p->seg.t.remote;
		down.remote = p->seg.t.local;
		down_seq = p->seg.seq + p->seg.len;
		down_ack = p->seg.ack;
	}
}

static void start(uint64_t seed)
{
	memset(&seen, 0, sizeof(seen));
	mpair_defaults(&P, seed);
	P.tap = watch;
	P.end[1].n_paths = 2;
	P.end[1].cfg.announce = true;
}

/* statements 116, 118, 124 */
static void announced_and_joined(void **state)
{
	(void)state;
	start(1);
	up(true);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(seen.adds, 1);
	assert_int_equal(seen.echoes, 1);
	assert_int_equal(count(0, MP_ADD_ADDR_RX), 1);
	assert_int_equal(count(1, MP_ADD_ADDR_ECHO_RX), 1);
	/* both paths of the client towards both addresses of the server */
	assert_int_equal(mpair_open_subs(&P, 0), 4);
	assert_int_equal(seen.joins_to_second, 2);
	transfer(500000, 500000, 10 * NANOS_S);
	finish();
}

static void ipv6(void **state)
{
	(void)state;
	start(2);
	P.v6 = true;
	up(true);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(seen.adds, 1);
	assert_int_equal(mpair_open_subs(&P, 0), 4);
	finish();
}

static unsigned drop_echoes;

static void lose_echoes(void *ctx, struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (o->have & MP_HAVE(MP_OPT_ADD_ADDR) && o->add_addr.echo &&
	    drop_echoes) {
		drop_echoes--;
		p->drop = true;
	}
}

/* statement 119 */
static void echo_lost(void **state)
{
	(void)state;
	start(3);
	P.mbox = lose_echoes;
	drop_echoes = 1;
	up(true);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_int_equal(seen.adds, 2);
	assert_int_equal(seen.echoes, 1);
	assert_int_equal(seen.joins_to_second, 2);
	finish();
	start(4);
	P.mbox = lose_echoes;
	drop_echoes = 100;
	up(true);
	mpair_sleep(&P, 60 * NANOS_S);
	assert_int_equal(seen.adds, 3); /* and no more */
	drop_echoes = 0;
	finish();
}

/* an option injected as if the server had sent it in an ACK */
static void from_server(const uint8_t *opt, unsigned n)
{
	mpair_inject(&P, 0, &down, down_seq, down_ack, TCP_ACK, 2000, opt, n,
		     NULL, 0);
	mpair_sleep(&P, 100 * NANOS_MS);
}

static unsigned make_add(uint8_t *out, uint8_t id, struct addr a,
			 uint16_t port)
{
	struct mp_conn *s = P.end[1].app.c;
	struct mp_opt_add_addr o = { .id = id, .addr = a, .port = port };
	struct wr w = wr_make(out, 40);

	mp_crypt_addr_mac(s, true, &o, o.mac);
	return mp_opt_emit_add_addr(&w, &o);
}

/* statements 117, 122, 123, 125, 126 */
static void forged_and_odd(void **state)
{
	uint8_t opt[40];
	unsigned n;

	(void)state;
	start(5);
	P.end[1].cfg.announce = false;
	up(true);
	mpair_sleep(&P, NANOS_S);
	n = make_add(opt, 9, addr_v4(10, 0, 3, 2), 0);
	opt[n - 1] ^= 1;
	from_server(opt, n);
	assert_int_equal(count(0, MP_ADD_ADDR_MAC), 1);
	assert_int_equal(seen.echoes, 0);
	opt[n - 1] ^= 1;
	from_server(opt, n);
	assert_int_equal(count(0, MP_ADD_ADDR_RX), 1);
	assert_int_equal(seen.echoes, 1);
	assert_int_equal(count(0, MP_JOIN_SYN_TX), 3);
	/* the same ID, another address */
	n = make_add(opt, 9, addr_v4(10, 0, 3, 3), 0);
	from_server(opt, n);
	assert_int_equal(count(0, MP_ADD_ADDR_DROP), 1);
	assert_int_equal(seen.echoes, 1);
	/* nobody is there: SYNs end, and no other attempt follows */
	mpair_sleep(&P, 120 * NANOS_S);
	n = (unsigned)count(0, MP_JOIN_SYN_TX);
	mpair_sleep(&P, 120 * NANOS_S);
	assert_int_equal(count(0, MP_JOIN_SYN_TX), n);
	/* another port: a new attempt */
	from_server(opt, make_add(opt, 9, addr_v4(10, 0, 3, 2), 81));
	assert_int_equal(count(0, MP_JOIN_SYN_TX), n + 2);
	/* a family that this side does not have */
	struct addr v6;

	assert_true(addr_parse("2001:db8::7", &v6));
	from_server(opt, make_add(opt, 10, v6, 0));
	assert_int_equal(count(0, MP_ADD_ADDR_DROP), 1);
	/* 0 is that of the initial subflow's address (RFC 8684 3.4.1) */
	from_server(opt, make_add(opt, 0, addr_v4(10, 0, 3, 4), 0));
	assert_int_equal(count(0, MP_ADD_ADDR_DROP), 2);
	transfer(10000, 10000, NANOS_S);
	finish();
}

static void table_is_bounded(void **state)
{
	uint8_t opt[40];

	(void)state;
	start(6);
	P.end[1].cfg.announce = false;
	up(true);
	for (uint8_t i = 0; i < 20; i++) {
		from_server(opt, make_add(opt, (uint8_t)(50 + i),
					  addr_v4(10, 9, 9, i), 0));
	}
	assert_int_equal(count(0, MP_ADD_ADDR_DROP), 20 - MP_ADDRS_MAX);
	assert_true(mpair_open_subs(&P, 0) <= 8);
	assert_true(P.end[0].app.c->n_subs <= 8);
	transfer(10000, 10000, NANOS_S);
	finish();
}

/* statements 128, 129, 131: subflows are probed; an answer keeps them */
static void removed_but_alive(void **state)
{
	uint8_t opt[40];
	uint8_t ids[2] = { 77, 0 };
	struct wr w = wr_make(opt, sizeof(opt));

	(void)state;
	start(7);
	up(true);
	mpair_sleep(&P, NANOS_S);
	ids[1] = seen.last_id;
	from_server(opt, mp_opt_emit_remove(&w, ids, 2));
	assert_int_equal(count(0, MP_RM_ADDR_RX), 1);
	mpair_sleep(&P, 10 * NANOS_S);
	assert_int_equal(mpair_open_subs(&P, 0), 4);
	finish();
}

/* ID 0 is the initial subflow's address: it stays, and nobody joins there */
static void removed_initial(void **state)
{
	uint8_t opt[40];
	uint8_t id = 0;
	struct wr w = wr_make(opt, sizeof(opt));

	(void)state;
	start(9);
	up(true);
	mpair_sleep(&P, NANOS_S);
	assert_false(P.end[0].app.c->peer_deny_join);
	from_server(opt, mp_opt_emit_remove(&w, &id, 1));
	mpair_sleep(&P, 10 * NANOS_S);
	assert_true(P.end[0].app.c->peer_deny_join);
	assert_int_equal(mpair_open_subs(&P, 0), 4);
	finish();
}

static void cut_second(void *ctx, struct mpair_pkt *p)
{
	const struct addr *server = p->from ? &p->seg.t.remote.addr :
					      &p->seg.t.local.addr;

	(void)ctx;
	p->drop = addr_eq(server, &P.end[1].addr[1]);
}

/* statement 130 */
static void removed_and_dead(void **state)
{
	uint8_t opt[40];
	struct wr w = wr_make(opt, sizeof(opt));

	(void)state;
	start(8);
	up(true);
	mpair_sleep(&P, NANOS_S);
	P.mbox = cut_second;
	from_server(opt, mp_opt_emit_remove(&w, &seen.last_id, 1));
	mpair_sleep(&P, 20 * NANOS_S);
	assert_int_equal(mpair_open_subs(&P, 0), 2);
	assert_int_equal(count(0, MP_RM_SUBFLOW), 2);
	transfer(100000, 100000, 10 * NANOS_S);
	finish();
}

/* statements 127, 132: our own address goes */
static void server_path_down(void **state)
{
	(void)state;
	start(9);
	up(true);
	mpair_sleep(&P, NANOS_S);
	mpair_path(&P, 1, 1, false);
	mpair_sleep(&P, NANOS_S);
	assert_true(count(1, MP_RM_ADDR_TX) > 0);
	assert_int_equal(mpair_open_subs(&P, 0), 2);
	transfer(100000, 100000, 10 * NANOS_S);
	mpair_path(&P, 1, 1, true);
	mpair_sleep(&P, 2 * NANOS_S);
	assert_int_equal(mpair_open_subs(&P, 0), 4);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced_and_joined),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(echo_lost),
		cmocka_unit_test(forged_and_odd),
		cmocka_unit_test(table_is_bounded),
		cmocka_unit_test(removed_but_alive),
		cmocka_unit_test(removed_initial),
		cmocka_unit_test(removed_and_dead),
		cmocka_unit_test(server_path_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
