/* the options of every kind of segment, octet by octet (RFC 8684 3.1 - 3.6)
 *
 * Keys and nonces are fixed, so that what belongs to them (tokens, IDSNs,
 * HMACs) could be computed elsewhere.
 */
#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "tests/unit/wire/hex.h"

#define KEY_A   UINT64_C(0x0102030405060708)
#define KEY_B   UINT64_C(0x1112131415161718)
#define HEX_A   "0102030405060708"
#define HEX_B   "1112131415161718"
#define DSN_A   "f5a101d3d29d6f73" /* of the first octet that A sends */
#define DSN_B   "535beea38e087c8f"
#define LOW_B   "8e087c8f"

static struct mp_conn *c;
static struct mp_sub *s;
static struct tcp_tx tx;
static unsigned room;

/* a connection of one subflow, as its side A or B; nothing of it runs */
static void rig(bool side_b)
{
	mpair_defaults(&P, 1);
	mpair_start(&P);
	mpair_connect(&P);
	c = P.end[0].app.c;
	s = c->first;
	c->passive = s->passive = side_b;
	assert_true(mp_keys_set_local(c->mp->hash, &c->keys,
				      side_b ? KEY_B : KEY_A));
	assert_true(mp_keys_set_remote(c->mp->hash, &c->keys,
				       side_b ? KEY_A : KEY_B));
	tx = (struct tcp_tx){ .kind = TCP_TX_SYN, .now = P.now };
	room = 40;
}

static void open_rig(enum tcp_tx_kind kind)
{
	rig(false);
	c->mode = MP_MODE_MPTCP;
	s->state = MP_SUB_OPEN;
	tx.kind = kind;
	tx.ssn = 1;
}

static int done(void **state)
{
	(void)state;
	mpair_stop(&P);
	return 0;
}

static void is(const char *text)
{
	uint8_t want[64], got[64];
	unsigned n = hex(text, want);

	memset(got, 0xa5, sizeof(got));
	assert_int_equal(mp_sub_options(s, &tx, got, room), n);
	assert_memory_equal(got, want, n);
	for (unsigned i = room; i < sizeof(got); i++) {
		assert_int_equal(got[i], 0xa5);
	}
}

static void data(const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	uint32_t ssn = s->tx.n ? mp_map_last(&s->tx)->ssn +
					 mp_map_last(&s->tx)->len :
				 1;
	uint64_t off = c->snd.ring.tail;

	assert_int_equal(ring_put(&c->snd.ring, text, n), n);
	assert_non_null(mp_map_push(&s->tx, ssn, n, off, 0));
	tx.ssn = ssn;
	tx.len = n;
}

/* --- opening ----------------------------------------------------------------- */

static void capable_syn(void **state)
{
	(void)state;
	rig(false);
	is("1e040101");
	assert_int_equal(count(0, MP_CAPABLE_SYN_TX), 2);
	room = 3;
	is("");
	room = 4;
	c->checksum = true;
	is("1e040181");
	/* simultaneous open: our SYN/ACK offers nothing */
	tx.kind = TCP_TX_SYNACK;
	is("");
	tx.kind = TCP_TX_SYN;
	assert_false(c->plain_syn);
	tx.syns = 2;
	is("");
	assert_true(c->plain_syn);
	tx.syns = 0;
	c->mode = MP_MODE_TCP;
	is("");
}

static void capable_synack(void **state)
{
	(void)state;
	rig(true);
	tx.kind = TCP_TX_SYNACK;
	is("1e0c0101" HEX_B);
	c->checksum = true;
	is("1e0c0181" HEX_B);
	room = 11;
	is("");
	room = 40;
	c->keys.have_local = false;
	is("");
	c->keys.have_local = true;
	c->mode = MP_MODE_TCP;
	is("");
}

/* RFC 8684 3.1: both keys, until a DSS proves that they arrived */
static void capable_third(void **state)
{
	(void)state;
	open_rig(TCP_TX_ACK);
	is("1e140101" HEX_A HEX_B);
	is("1e140101" HEX_A HEX_B); /* any number of times */
	assert_true(s->third_out);
	c->checksum = true;
	is("1e140181" HEX_A HEX_B);
	c->checksum = false;
	room = 19;
	is("");
	room = 40;
	s->dss_seen = true;
	is("1e082001" LOW_B);
	s->dss_seen = false;
	c->passive = true; /* the other side never does */
	is("1e082001" LOW_B);
	c->passive = false;
	c->mode = MP_MODE_PENDING;
	is("");
}

/* the keys come before the DATA_FIN, and again before its repetition */
static void third_then_fin(void **state)
{
	(void)state;
	open_rig(TCP_TX_ACK);
	s->sig.fin = true;
	is("1e140101" HEX_A HEX_B);
	assert_true(s->sig.fin);
	is("1e16201d" LOW_B DSN_A "00000000" "0001");
	assert_false(s->sig.fin);
	s->sig.fin = true;
	is("1e140101" HEX_A HEX_B);
	assert_true(s->sig.fin);
}

static void capable_data(void **state)
{
	(void)state;
	open_rig(TCP_TX_DATA);
	data("hello");
	is("1e160101" HEX_A HEX_B "0005");
	assert_int_equal(s->opt_len, 24);
	assert_true(mp_map_find(&s->tx, 1)->declared);
	room = 21;
	is("");
	room = 40;
	c->checksum = true;
	is("1e180181" HEX_A HEX_B "0005" "82a1");
	tx.retransmit = true;
	is("1e180181" HEX_A HEX_B "0005" "82a1");
	/* what follows has a DSS */
	data("0123456789");
	assert_int_equal(tx.ssn, 6);
	c->checksum = false;
	is("1e16200d" LOW_B "f5a101d3d29d6f78" "00000006" "000a");
	/* and so has the first when it is repeated later */
	tx.ssn = 1;
	s->dss_seen = true;
	is("1e16200d" LOW_B DSN_A "00000001" "0005");
}

/* --- DSS ---------------------------------------------------------------------- */

static void dss_data(void **state)
{
	(void)state;
	open_rig(TCP_TX_DATA);
	s->dss_seen = true;
	data("hello");
	c->ack8 = true;
	is("1e1a200f" DSN_B DSN_A "00000001" "0005");
	assert_int_equal(s->opt_len, 28); /* padded */
	c->checksum = true;
	is("1e1c200f" DSN_B DSN_A "00000001" "0005" "82a1");
	assert_int_equal(s->opt_len, 28);
	/* a segment from the middle carries the whole mapping */
	tx.ssn = 4;
	is("1e1c200f" DSN_B DSN_A "00000001" "0005" "82a1");
	c->rcv.nxt = 0x10;
	c->checksum = c->ack8 = false;
	is("1e16200d" "8e087c9f" DSN_A "00000001" "0005");
	c->rcv.fin_in = true; /* their DATA_FIN is an octet */
	is("1e16200d" "8e087ca0" DSN_A "00000001" "0005");
	tx.ssn = 6; /* none is known: only what we have */
	is("1e082001" "8e087ca0");
}

/* room for less: first half of the DATA_ACK goes, then all of it, never the
 * mapping in part */
static void dss_no_room(void **state)
{
	(void)state;
	open_rig(TCP_TX_DATA);
	s->dss_seen = true;
	c->ack8 = true;
	data("hello");
	room = 26;
	is("1e1a200f" DSN_B DSN_A "00000001" "0005");
	room = 25;
	is("1e16200d" LOW_B DSN_A "00000001" "0005");
	room = 22;
	is("1e16200d" LOW_B DSN_A "00000001" "0005");
	room = 21;
	is("1e12200c" DSN_A "00000001" "0005");
}

static void dss_no_room_at_all(void **state)
{
	(void)state;
	open_rig(TCP_TX_DATA);
	s->dss_seen = true;
	c->checksum = true;
	data("hello");
	room = 20;
	is("1e14200c" DSN_A "00000001" "0005" "82a1");
	room = 19;
	is("");
	c->checksum = false;
	room = 18;
	is("1e12200c" DSN_A "00000001" "0005");
	room = 17;
	is("");
	assert_int_equal(s->opt_len, 0);
}

static void bare_ack(void **state)
{
	(void)state;
	open_rig(TCP_TX_ACK);
	s->dss_seen = true;
	c->ack8 = true;
	is("1e0c2003" DSN_B);
	room = 11;
	is("1e082001" LOW_B);
	room = 7;
	is("");
	assert_true(s->sig.dss); /* the next ACK makes up for it */
	room = 40;
	c->ack8 = false;
	is("1e082001" LOW_B);
	assert_false(s->sig.dss);
}

static void data_fin(void **state)
{
	(void)state;
	open_rig(TCP_TX_ACK);
	s->dss_seen = true;
	data("0123456789");
	tx.kind = TCP_TX_ACK;
	tx.ssn = 11;
	s->sig.fin = s->sig.prio = true;
	room = 17;
	is("");
	assert_true(s->sig.fin);
	room = 40;
	is("1e16201d" LOW_B "f5a101d3d29d6f7d" "00000000" "0001");
	assert_false(s->sig.fin);
	assert_true(s->sig.prio); /* alone only */
	is("1e0350" "1e082001" LOW_B);
	/* with the checksum of an octet that is not there: the words of the
	 * DSN (with their carries) and the length */
	s->sig.fin = true;
	c->checksum = true;
	is("1e18201d" LOW_B "f5a101d3d29d6f7d" "00000000" "0001" "c66e");
}

/* --- signals --------------------------------------------------------------------- */

static void signals(void **state)
{
	(void)state;
	open_rig(TCP_TX_ACK);
	s->dss_seen = true;
	s->sig.fail = s->sig.prio = true;
	s->sig.fail_dsn = 0x1122334455667788;
	s->sig.n_rm = 2;
	s->sig.rm[0] = 3;
	s->sig.rm[1] = 9;
	s->backup = true;
	is("1e0c60001122334455667788" "1e0351" "1e05400309" "1e082001" LOW_B);
	assert_false(s->sig.fail || s->sig.prio || s->sig.n_rm || s->sig.dss);
	assert_int_equal(count(0, MP_FAIL_TX), 1);
	assert_int_equal(count(0, MP_PRIO_TX), 1);
	assert_int_equal(count(0, MP_RM_ADDR_TX), 1);
	is("1e082001" LOW_B);
}

/* what does not fit waits, and somebody asks for another ACK */
static void signals_no_room(void **state)
{
	(void)state;
	open_rig(TCP_TX_ACK);
	s->dss_seen = true;
	s->sig.fail = s->sig.prio = true;
	s->sig.fail_dsn = 1;
	s->sig.n_rm = 1;
	s->sig.rm[0] = 5;
	list_del(&c->dirty);
	room = 14;
	is("1e0c60000000000000000001");
	assert_false(s->sig.fail);
	assert_true(s->sig.prio && s->sig.n_rm == 1 && s->sig.dss);
	assert_true(list_linked(&c->dirty));
	list_del(&c->dirty);
	room = 11;
	is("1e0350" "1e044005");
	assert_true(!s->sig.prio && !s->sig.n_rm && s->sig.dss);
	assert_true(list_linked(&c->dirty));
	list_del(&c->dirty);
	is("1e082001" LOW_B);
	assert_false(list_linked(&c->dirty));
	/* segments with data carry none of this: they would not be full */
	s->sig.prio = true;
	data("hello");
	tx.kind = TCP_TX_DATA;
	room = 40;
	is("1e16200d" LOW_B DSN_A "00000001" "0005");
	assert_true(s->sig.prio);
}

/* --- joins ------------------------------------------------------------------------- */

static void join_syn(void **state)
{
	(void)state;
	rig(false);
	c->mode = MP_MODE_MPTCP;
	s->first = false;
	s->local_id = 2;
	s->join.nonce_local = 0xaabbccdd;
	s->join.nonce_remote = 0x11223344;
	is("1e0c1002ccad45acaabbccdd");
	s->backup = true;
	is("1e0c1102ccad45acaabbccdd");
	room = 11;
	is("");
	room = 40;
	/* the third ACK, alone and whatever waits */
	s->state = MP_SUB_PRE;
	s->sig.prio = true;
	tx.kind = TCP_TX_ACK;
	is("1e181000c2986b9ffe33dedc10955fc5c9c31544e3ac05c0");
	is("1e181000c2986b9ffe33dedc10955fc5c9c31544e3ac05c0");
	room = 23;
	is("");
}

static void join_synack(void **state)
{
	(void)state;
	rig(true);
	c->mode = MP_MODE_MPTCP;
	s->first = false;
	s->join.nonce_local = 0x11223344;
	s->join.nonce_remote = 0xaabbccdd;
	tx.kind = TCP_TX_SYNACK;
	is("1e10100072bea43c69c0c20611223344");
	s->backup = true;
	s->local_id = 7;
	is("1e10110772bea43c69c0c20611223344");
}

/* --- the end ---------------------------------------------------------------------- */

static void resets(void **state)
{
	(void)state;
	open_rig(TCP_TX_RST);
	is("");
	mp_sub_reset_why(s, MP_RST_MIDDLEBOX, false);
	is("1e048006");
	mp_sub_reset_why(s, MP_RST_RESOURCES, true);
	is("1e048102");
	s->rst.fail = true;
	s->sig.fail_dsn = 0x99;
	is("1e0c60000000000000000099" "1e048102");
	s->rst.fail = false;
	s->rst.fastclose = true;
	s->state = MP_SUB_DEAD; /* it is, when its reset leaves */
	is("1e0c7000" HEX_B "1e048102");
	room = 12;
	is("1e0c7000" HEX_B);
	room = 40;
	c->keys.have_remote = false;
	is("1e048102");
	tx.kind = TCP_TX_ACK;
	is("");
	s->state = MP_SUB_OPEN;
}

/* RFC 8684 3.7: the infinite mapping leaves with the packet that holds its
 * place, again when that is repeated, and nothing else does */
static void fallen(void **state)
{
	(void)state;
	open_rig(TCP_TX_DATA);
	c->mode = MP_MODE_TCP;
	c->fall.infinite = true;
	c->fall.inf_at = 1000;
	c->fall.inf_ssn = 900;
	c->fall.inf_off = 13;
	tx.len = 100;
	tx.ssn = 900;
	is("");
	tx.ssn = 1001;
	is("");
	tx.ssn = 901;
	is("1e12200c" "f5a101d3d29d6f80" "00000384" "0000");
	tx.ssn = 1000;
	is("1e12200c" "f5a101d3d29d6f80" "00000384" "0000");
	assert_int_equal(count(0, MP_INFINITE_TX), 2);
	tx.retransmit = true;
	is("1e12200c" "f5a101d3d29d6f80" "00000384" "0000");
	assert_int_equal(count(0, MP_INFINITE_TX), 2);
	room = 17;
	is("");
	room = 40;
	c->checksum = true;
	is("1e14200c" "f5a101d3d29d6f80" "00000384" "0000" "0000");
	s->sig.fail = true;
	s->sig.fail_dsn = 2;
	tx.kind = TCP_TX_ACK;
	is("1e0c60000000000000000002"); /* the last word, once */
	is("");
	c->fall.infinite = false;
	tx.kind = TCP_TX_DATA;
	is("");
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, done)
	const struct CMUnitTest tests[] = {
		T(capable_syn),
		T(capable_synack),
		T(capable_third),
		T(third_then_fin),
		T(capable_data),
		T(dss_data),
		T(dss_no_room),
		T(dss_no_room_at_all),
		T(bare_ack),
		T(data_fin),
		T(signals),
		T(signals_no_room),
		T(join_syn),
		T(join_synack),
		T(resets),
		T(fallen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
