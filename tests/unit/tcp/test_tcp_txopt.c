#include "tests/unit/tcp/pair_one.h"

#include "stack/tcp/tcp_txopt.h"

static int setup(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	open_it();
	pair_run(&p, NANOS_S, NULL);
	return 0;
}

static uint8_t write_opts(struct tcp_opts *o, unsigned upper, bool sack)
{
	struct tcp_tx tx = { .kind = TCP_TX_ACK, .now = p.now };
	uint8_t buf[TCP_HDR_OPT_MAX];
	struct pair_conn *c = &p.end[1].conn;
	uint8_t n;

	c->opt_len = upper;
	memset(c->opt, 1, sizeof(c->opt));
	n = tcp_txopt_write(c->tcb, &tx, sack, buf);
	tcp_hdr_parse_opts(buf, n, o);
	assert_int_equal(n % 4, 0);
	assert_false(o->malformed);
	return n;
}

/* runs of one octet with holes between, at end 1 */
static void make_holes(unsigned n)
{
	static const uint8_t x[1];
	struct tcp_seg s = pair_forge(&p, 0);

	for (unsigned i = 0; i < n; i++) {
		s.seq += 10;
		s.len = 1;
		s.data = x;
		pair_inject(&p, 1, &s);
	}
	p.end[0].conn.in_len = 0;
}

/* blocks take what the upper leaves of 40 octets */
static void test_sack_room(void **state)
{
	static const struct {
		unsigned upper, blocks, total;
	} v[] = {
		{ 0, 3, 40 },  { 8, 2, 40 },  { 12, 1, 36 }, { 16, 1, 40 },
		{ 17, 0, 32 }, { 20, 0, 32 }, { 28, 0, 40 },
	};
	struct tcp_opts o;

	(void)state;
	make_holes(6);
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		assert_int_equal(write_opts(&o, v[i].upper, true),
				 v[i].total);
		assert_int_equal(o.n_sack, v[i].blocks);
		assert_true(o.has_ts);
	}
	assert_int_equal(write_opts(&o, 0, false), 12);
	assert_int_equal(o.n_sack, 0);
	/* RFC 2018 4: the latest first */
	write_opts(&o, 0, true);
	assert_true(seq_gt(o.sack[0].lo, o.sack[1].lo));
	/* not agreed: none */
	p.end[1].conn.tcb->sack_ok = false;
	write_opts(&o, 0, true);
	assert_int_equal(o.n_sack, 0);
	p.end[1].conn.tcb->ts_ok = false;
	assert_int_equal(write_opts(&o, 3, true), 4);
}

/* RFC 2018 3: a FIN has a number, too; not in the block of a duplicate */
static void test_sack_fin(void **state)
{
	static const uint8_t x[10];
	struct tcp_seg s = pair_forge(&p, 0);
	struct tcp_opts o;

	(void)state;
	s.seq += 100;
	s.len = sizeof(x);
	s.data = x;
	s.flags |= TCP_FIN;
	pair_inject(&p, 1, &s);
	p.end[0].conn.in_len = 0;
	write_opts(&o, 0, true);
	assert_int_equal(o.n_sack, 1);
	assert_int_equal(o.sack[0].hi - o.sack[0].lo, 11);
	pair_inject(&p, 1, &s);
	write_opts(&o, 0, true);
	assert_int_equal(o.n_sack, 2);
	assert_int_equal(o.sack[0].hi - o.sack[0].lo, 10);
	assert_int_equal(o.sack[1].hi - o.sack[1].lo, 11);
}

static unsigned upper_len, upper_room;

static unsigned upper_options(void *up, const struct tcp_tx *tx, uint8_t *buf,
			      unsigned room)
{
	(void)up;
	(void)tx;
	upper_room = room;
	memset(buf, 1, upper_len);
	return upper_len;
}

/* Without timestamps our own options take 9 octets, not 12: MP_CAPABLE and the
 * 25 octets of ENO that resume a session beside an offer of a fresh one fit. */
static void test_no_ts(void **state)
{
	struct tcp_tx tx = { .kind = TCP_TX_SYN, .now = p.now };
	struct pair_conn *c = &p.end[1].conn;
	const struct tcp_upper *own = c->tcb->upper;
	struct tcp_upper upper = *own;
	uint8_t buf[TCP_HDR_OPT_MAX];
	struct tcp_opts o;

	(void)state;
	upper.options = upper_options;
	c->tcb->upper = &upper;
	upper_len = 4 + 25;
	c->tcb->no_ts = true;
	assert_int_equal(tcp_txopt_write(c->tcb, &tx, false, buf), 40);
	assert_int_equal(upper_room, 31);
	tcp_hdr_parse_opts(buf, 40, &o);
	assert_true(o.has_mss && o.sack_perm && o.has_wscale && !o.has_ts);
	c->tcb->no_ts = false;
	upper_len = 20;
	assert_int_equal(tcp_txopt_write(c->tcb, &tx, false, buf), 40);
	assert_int_equal(upper_room, 20);
	tcp_hdr_parse_opts(buf, 40, &o);
	assert_true(o.has_ts && !o.malformed);
	c->tcb->upper = own;
}

/* RFC 7323 3.2: the echo is what came last in order */
static void test_echo(void **state)
{
	struct tcp_opts o;
	uint32_t sent;

	(void)state;
	pair_write(&p.end[0].conn, 10, false);
	pair_run(&p, 0, NULL);
	sent = pair_sent(&p, 0, 0)->opts.ts_val;
	pair_run(&p, 200 * NANOS_MS, NULL);
	write_opts(&o, 0, true);
	assert_int_equal(o.ts_ecr, sent);
	assert_in_range(o.ts_val - pair_sent(&p, 1, 0)->opts.ts_val, 190,
			201);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_sack_room),
		T(test_sack_fin),
		T(test_no_ts),
		T(test_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
