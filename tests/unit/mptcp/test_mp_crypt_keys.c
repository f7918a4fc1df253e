/* smtcp(7), Key exchange, Mappings (Bad frames), Subflows and signals: a sealed
 * connection from its Init messages to its end */
#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

/* what the box does to segments without SYN */
static struct {
	bool mute[2];        /* drops all that this end sends */
	int flip;            /* octet of the payload to be altered, -1: none */
	unsigned from, link; /* ... of these */
	unsigned times;      /* so often */
	uint32_t min_len;    /* of payloads that count */
	unsigned join_syn, add_addr, early;
	bool rst_seen, rst_with, transient;
	uint8_t reason;
	bool close_seen;
	uint64_t close_key;
	bool mac_seen;
	uint8_t mac[20]; /* of the third ACK of a join */
} box;

static struct mp_conn *conn(unsigned end)
{
	return P.end[end].app.c;
}

static bool too_early(const struct mpair_pkt *p)
{
	const struct mp_conn *c = conn(p->from);

	return c && !(c->crypt.confirmed && c->crypt.peer_confirmed);
}

static void note(const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	if (o->have & MP_HAVE(MP_OPT_JOIN) && p->seg.flags & TCP_SYN) {
		box.join_syn += !p->from;
		box.early += too_early(p);
	}
	if (o->have & MP_HAVE(MP_OPT_ADD_ADDR)) {
		box.add_addr++;
		box.early += too_early(p);
	}
	if (o->have & MP_HAVE(MP_OPT_JOIN) && o->join.len == 24) {
		box.mac_seen = true;
		memcpy(box.mac, o->join.mac, 20);
	}
	if (p->seg.flags & TCP_RST && !box.rst_seen) {
		box.rst_seen = true;
		box.rst_with = o->have & MP_HAVE(MP_OPT_TCPRST);
		box.transient = o->rst_transient;
		box.reason = o->rst_reason;
	}
	if (o->have & MP_HAVE(MP_OPT_FASTCLOSE)) {
		box.close_seen = true;
		box.close_key = o->fastclose_key;
	}
}

static void mbox(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	note(p);
	if (p->seg.flags & TCP_SYN) {
		return;
	}
	if (box.times && p->from == box.from && p->link == box.link &&
	    p->seg.len > (uint32_t)box.flip && p->seg.len >= box.min_len) {
		box.times--;
		mpair_payload(p)[box.flip] ^= 0x10;
		mpair_fix(p->pkt);
	}
	p->drop = box.mute[p->from];
}

static void begin(uint64_t seed, unsigned paths)
{
	mpair_defaults(&P, seed);
	memset(&box, 0, sizeof(box));
	P.mbox = mbox;
	P.end[0].n_paths = paths;
	P.end[0].cfg.crypt_policy = MP_CRYPT_REQUIRE;
	P.end[1].cfg.crypt_policy = MP_CRYPT_REQUIRE;
}

static void connect_now(void)
{
	mpair_start(&P);
	mpair_connect(&P);
}

static void open_sealed(uint64_t seed, unsigned paths)
{
	begin(seed, paths);
	up(false);
	transfer(100, 100, 5 * NANOS_S);
	mpair_sleep(&P, 200 * NANOS_MS);
	assert_true(mp_crypt_may_join(conn(0)) && mp_crypt_may_join(conn(1)));
	if (paths > 1) {
		assert_true(mpair_run(&P, 5 * NANOS_S, mpair_two_subs));
	}
}

static bool both_closed(const struct mpair *p)
{
	return p->end[0].app.closed && p->end[1].app.closed;
}

static void stop(void)
{
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, true);
	mpair_sleep(&P, NANOS_S);
	mpair_stop(&P);
}

/* --- joins and announcements --------------------------------------------- */

/* Nobody joins before the other side has shown its keys, and then the HMAC is
 * not that of the keys which anybody could see. */
static void joins_wait(void **state)
{
	const struct crypt_sk *sk;
	struct mp_mac_key key;
	const struct mp_sub *s;
	uint8_t mac[32];

	(void)state;
	open_sealed(1, 2);
	assert_true(box.join_syn > 0);
	assert_int_equal(box.early, 0);
	assert_true(box.mac_seen);
	s = list_entry(conn(0)->subs.prev, struct mp_sub, node);
	assert_false(s->first);
	assert_true(mp_crypt_join_mac(s, true, mac));
	assert_memory_equal(mac, box.mac, 20);
	/* SK-A | SK-B: host A sent it */
	sk = crypt_sk(conn(1)->crypt.k);
	key.n = 64;
	memcpy(key.k, sk->sk_a, 32);
	memcpy(key.k + 32, sk->sk_b, 32);
	assert_true(mp_keys_join_mac(P.end[0].mp->hash, &key,
				     s->join.nonce_local,
				     s->join.nonce_remote, mac));
	assert_memory_equal(mac, box.mac, 20);
	mp_keys_mac_key(&key, conn(0)->keys.local, conn(0)->keys.remote);
	assert_true(mp_keys_join_mac(P.end[0].mp->hash, &key,
				     s->join.nonce_local,
				     s->join.nonce_remote, mac));
	assert_memory_not_equal(mac, box.mac, 20);
	transfer(300000, 300000, 20 * NANOS_S);
	finish();
}

/* both sides must have shown their keys */
static void when_to_join(void **state)
{
	struct mp_crypt *y, was;
	uint64_t init;

	(void)state;
	begin(5, 1);
	connect_now();
	assert_true(mpair_run(&P, NANOS_S, mpair_established));
	/* host B has the keys, and Init2 is not yet its first frame */
	y = &conn(1)->crypt;
	init = crypt_init_len(y->k, false);
	assert_true(init > 0 && mp_crypt_keyed(conn(1)));
	mp_crypt_acked(conn(1), init);
	assert_false(y->peer_confirmed);
	mp_crypt_acked(conn(1), init + 20);
	assert_true(y->peer_confirmed);
	was = *y;
	for (unsigned k = 0; k < 4; k++) {
		y->confirmed = k & 1;
		y->peer_confirmed = k & 2;
		assert_int_equal(mp_crypt_may_join(conn(1)), k == 3);
		assert_int_equal(mp_crypt_early(conn(1)), !(k & 1));
	}
	y->confirmed = y->peer_confirmed = true;
	y->state = MP_CRYPT_ASKING;
	assert_false(mp_crypt_may_join(conn(1)));
	*y = was;
	stop();
}

static void announcements_wait(void **state)
{
	(void)state;
	begin(2, 1);
	P.end[1].n_paths = 2;
	P.end[1].cfg.announce = true;
	up(false);
	mpair_send(&P, 1, 1000, false);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_two_subs));
	assert_true(box.add_addr > 0);
	assert_int_equal(box.early, 0);
	assert_int_equal(count(0, MP_ADD_ADDR_RX), 1);
	assert_int_equal(count(0, MP_ADD_ADDR_MAC), 0);
	finish();
}

/* one that the peer's RFC 8684 keys would make, too early or in time */
static void forged_announcement(void **state)
{
	struct mp_opt_add_addr a = { .id = 7, .addr = addr_v4(10, 0, 9, 9) };
	struct mp_mac_key key;

	(void)state;
	begin(3, 1);
	connect_now();
	box.mute[1] = true;
	assert_true(mpair_run(&P, NANOS_S, mpair_established));
	mp_keys_mac_key(&key, conn(0)->keys.remote, conn(0)->keys.local);
	assert_true(mp_keys_addr_mac(P.end[0].mp->hash, &key, a.id, &a.addr, 0,
				     a.mac));
	mp_addr_rx_add(conn(0)->first, P.now, &a);
	assert_int_equal(count(0, MP_CRYPT_EARLY), 1);
	assert_int_equal(conn(0)->addrs.n_echo, 0);
	box.mute[1] = false;
	transfer(100, 100, 5 * NANOS_S);
	mp_addr_rx_add(conn(0)->first, P.now, &a);
	assert_int_equal(count(0, MP_CRYPT_EARLY), 1);
	assert_int_equal(count(0, MP_ADD_ADDR_MAC), 1);
	assert_int_equal(conn(0)->addrs.n_echo, 0);
	finish();
}

static void inject_join(uint16_t port, bool eno)
{
	struct tuple t = { .local = endpoint_make(P.end[0].addr[1], port),
			   .remote = endpoint_make(P.end[1].addr[0], 80) };
	struct mp_opt_join j = { .len = 12, .nonce = 77, .addr_id = 2,
				 .token = conn(1)->keys.token_local };
	uint8_t opt[24];
	struct wr w = wr_make(opt, sizeof(opt));

	mp_opt_emit_join(&w, &j);
	if (eno) {
		wr_copy(&w, "\x45\x03\x23", 3);
	}
	mpair_inject(&P, 1, &t, 1000, 0, TCP_SYN, 65535, opt,
		     (unsigned)wr_len(&w), NULL, 0);
	mpair_sleep(&P, NANOS_MS);
}

static unsigned answers, answers_eno;

static void watch_answers(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from && p->seg.t.local.port >= 7000 &&
	    p->seg.t.local.port < 7010) {
		answers++;
		answers_eno += p->seg.opts.eno.n;
	}
}

/* an early join is as if it were lost; ENO on any means nothing */
static void join_comes_early(void **state)
{
	(void)state;
	answers = answers_eno = 0;
	begin(4, 2);
	P.tap = watch_answers;
	connect_now();
	box.mute[1] = true;
	assert_true(mpair_run(&P, NANOS_S, mpair_established));
	inject_join(7000, false);
	inject_join(7001, true);
	assert_int_equal(count(1, MP_CRYPT_EARLY), 2);
	assert_int_equal(answers, 0);
	assert_int_equal(conn(1)->n_joining, 0);
	box.mute[1] = false;
	transfer(100, 100, 5 * NANOS_S);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(count(1, MP_CRYPT_EARLY), 2);
	inject_join(7002, true);
	assert_true(answers > 0);
	assert_int_equal(answers_eno, 0);
	stop();
}

/* --- Init messages ------------------------------------------------------- */

/* Init1 or Init2 altered: never a fallback, never plaintext */
static void init_altered(void **state)
{
	static const struct {
		int octet;
		bool reason; /* known at once, not only by the first frame */
	} t[] = {
		{ 0, true },   /* magic */
		{ 4, true },   /* an absurd length */
		{ 20, false }, /* nonce */
		{ 60, false }, /* key */
	};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(t) * 2; k++) {
		unsigned from = k & 1;

		begin(10 + k, 1);
		box.flip = t[k / 2].octet;
		box.from = from;
		box.times = 1;
		box.min_len = 70;
		connect_now();
		mpair_send(&P, 0, 100, false);
		mpair_send(&P, 1, 100, false);
		assert_true(mpair_run(&P, 5 * NANOS_S, both_closed));
		assert_int_equal(P.end[0].app.got + P.end[1].app.got, 0);
		/* one or both see it, by the other's first frame */
		assert_true(count(0, MP_CRYPT_ABORT) +
				    count(1, MP_CRYPT_ABORT) >
			    0);
		assert_true(box.rst_seen);
		if (t[k / 2].reason) {
			assert_true(box.rst_with);
			assert_int_equal(box.reason, MP_RST_MPTCP);
			assert_int_equal(P.end[!from].app.err, ECONNABORTED);
			assert_int_equal(P.end[from].app.err, ECONNRESET);
		}
		stop();
	}
}

/* Where there is no Multipath TCP, nothing of it is said at the end either. */
static void init_altered_on_a_single_stream(void **state)
{
	(void)state;
	for (unsigned from = 0; from < 2; from++) {
		begin(30 + from, 1);
		P.end[0].cfg.crypt_policy = MP_CRYPT_REQUIRE_ANY;
		P.end[1].cfg.crypt_policy = MP_CRYPT_REQUIRE_ANY;
		P.end[1].cfg.policy = MP_OFF;
		box.from = from;
		box.times = 1;
		box.min_len = 70;
		connect_now();
		mpair_send(&P, 0, 100, false);
		assert_true(mpair_run(&P, 5 * NANOS_S, both_closed));
		assert_int_equal(P.end[!from].app.err, ECONNABORTED);
		assert_true(box.rst_seen);
		assert_false(box.rst_with);
		stop();
	}
}

static void never_confirmed(void **state)
{
	(void)state;
	begin(20, 1);
	connect_now();
	box.mute[1] = true;
	assert_true(mpair_run(&P, NANOS_S, mpair_established));
	mpair_sleep(&P, NANOS_S);
	box.mute[0] = true;
	mpair_sleep(&P, 57 * NANOS_S);
	assert_false(P.end[0].app.closed || P.end[1].app.closed);
	mpair_sleep(&P, 2 * NANOS_S);
	for (unsigned e = 0; e < 2; e++) {
		assert_int_equal(P.end[e].app.err, ECONNABORTED);
		assert_int_equal(count(e, MP_CRYPT_UNCONFIRMED), 1);
	}
	assert_false(box.close_seen); /* no keys, or not shown */
	stop();
}

/* the only subflow ends before there are keys: the end, at both sides */
static void lost_before(void **state)
{
	(void)state;
	for (unsigned from = 0; from < 2; from++) {
		begin(21 + from, 1);
		connect_now();
		box.mute[1] = true;
		assert_true(mpair_run(&P, NANOS_S, mpair_established));
		box.mute[1] = false;
		mp_sub_broken(conn(from)->first, P.now, MP_RST_PERFORMANCE);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(P.end[from].app.err, ECONNABORTED);
		assert_int_equal(P.end[!from].app.err, ECONNRESET);
		stop();
	}
}

/* --- bad frames ---------------------------------------------------------- */

static void bad_frame_costs_its_subflow(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		unsigned from = k & 1;

		open_sealed(30 + k, 2);
		box.flip = 700;
		box.from = from;
		box.link = k >> 1;
		box.times = 1;
		box.rst_seen = false;
		transfer(400000, 400000, 30 * NANOS_S);
		assert_int_equal(box.times, 0);
		assert_int_equal(count(!from, MP_CRYPT_BAD_FRAME), 1);
		assert_int_equal(count(from, MP_CRYPT_BAD_FRAME), 0);
		assert_true(box.rst_with && box.transient);
		assert_int_equal(box.reason, MP_RST_MIDDLEBOX);
		assert_int_equal(conn(0)->crypt.bad + conn(1)->crypt.bad, 0);
		finish();
	}
}

/* without another one host A comes back at once */
static void bad_frame_on_the_only_subflow(void **state)
{
	struct instant then;

	(void)state;
	for (unsigned from = 0; from < 2; from++) {
		open_sealed(40 + from, 1);
		box.flip = 700;
		box.from = from;
		box.times = 1;
		then = P.now;
		transfer(20000, 20000, 10 * NANOS_S);
		assert_int_equal(count(!from, MP_CRYPT_BAD_FRAME), 1);
		assert_true(instant_since(P.now, then) < NANOS_S / 2);
		assert_int_equal(mpair_open_subs(&P, 0), 1);
		assert_int_equal(box.early, 0);
		finish();
	}
}

static void bad_frames_without_end(void **state)
{
	(void)state;
	open_sealed(45, 1);
	box.flip = 700;
	box.times = 1000;
	mpair_send(&P, 0, 100000, false);
	assert_true(mpair_run(&P, 120 * NANOS_S, both_closed));
	assert_int_equal(count(1, MP_CRYPT_BAD_FRAME), 8);
	assert_int_equal(count(1, MP_CRYPT_BAD_LIMIT), 1);
	assert_int_equal(P.end[1].app.err, ECONNABORTED);
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	assert_int_equal(P.end[1].app.got, 100);
	/* with MP_FASTCLOSE: B has shown its keys */
	assert_true(box.close_seen);
	stop();
}

static void nobody_comes_back(void **state)
{
	(void)state;
	begin(46, 1);
	P.end[1].cfg.close_timeout = P.end[0].cfg.close_timeout =
		300 * NANOS_S;
	up(false);
	transfer(100, 100, 5 * NANOS_S);
	mpair_sleep(&P, NANOS_S);
	box.flip = 10;
	box.times = 1;
	mpair_send(&P, 0, 1000, false);
	while (!count(1, MP_CRYPT_BAD_FRAME)) {
		mpair_sleep(&P, NANOS_MS);
	}
	P.link[0].cut = true;
	mpair_sleep(&P, 59 * NANOS_S);
	assert_false(P.end[1].app.closed);
	mpair_sleep(&P, 2 * NANOS_S);
	assert_int_equal(P.end[1].app.err, ECONNABORTED);
	stop();
}

/* on one TCP stream there is nowhere else to go */
static void bad_frame_on_a_single_stream(void **state)
{
	(void)state;
	begin(47, 1);
	P.end[0].cfg.policy = MP_OFF;
	P.end[0].cfg.crypt_policy = MP_CRYPT_REQUIRE_ANY;
	P.end[1].cfg.crypt_policy = MP_CRYPT_REQUIRE_ANY;
	up(false);
	transfer(100, 100, 5 * NANOS_S);
	box.flip = 10;
	box.times = 1;
	mpair_send(&P, 0, 1000, false);
	assert_true(mpair_run(&P, 5 * NANOS_S, both_closed));
	assert_int_equal(P.end[1].app.err, ECONNABORTED);
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	assert_int_equal(P.end[1].app.got, 100);
	assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
	assert_false(box.close_seen);
	stop();
}

/* --- FASTCLOSE, MP_FAIL -------------------------------------------------- */

static void fastclose_keys(void **state)
{
	(void)state;
	for (unsigned by = 0; by < 2; by++) {
		const struct crypt_sk *sk;
		struct mp_conn *c;
		uint64_t key;

		open_sealed(50 + by, 2);
		c = conn(!by);
		sk = crypt_sk(c->crypt.k);
		assert_non_null(sk);
		/* whoever saw the keys of RFC 8684 */
		assert_int_equal(mp_close_fast_rx(c->first, P.now,
						  c->keys.local),
				 TCP_UP_OK);
		assert_int_equal(mp_close_fast_rx(c->first, P.now,
						  c->keys.remote),
				 TCP_UP_OK);
		assert_int_equal(count(!by, MP_FASTCLOSE_KEY), 2);
		key = be64_get(by ? sk->fc_a : sk->fc_b);
		mpair_close(&P, by, true);
		assert_true(box.close_seen);
		assert_true(box.close_key == key);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(P.end[!by].app.err, ECONNRESET);
		assert_int_equal(count(!by, MP_FASTCLOSE_RX), 1);
		stop();
	}
}

static void close_without_keys(void **state)
{
	(void)state;
	for (unsigned by = 0; by < 2; by++) {
		begin(52 + by, 1);
		connect_now();
		box.mute[1] = true;
		assert_true(mpair_run(&P, NANOS_S, mpair_established));
		box.mute[1] = false;
		mpair_close(&P, by, true);
		assert_true(box.rst_seen);
		assert_false(box.close_seen);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(P.end[!by].app.err, ECONNRESET);
		stop();
	}
}

static void mp_fail_is_nothing(void **state)
{
	struct tuple t;
	struct wr w;
	uint8_t opt[12];

	(void)state;
	open_sealed(54, 1);
	t = (struct tuple){ .local = conn(1)->t.remote,
			    .remote = conn(1)->t.local };
	w = wr_make(opt, sizeof(opt));
	mp_opt_emit_fail(&w, conn(1)->keys.idsn_remote + 1);
	mpair_inject(&P, 1, &t,
		     conn(1)->first->irs + conn(1)->first->rx_nxt,
		     conn(0)->first->irs + 0, TCP_ACK, 1000, opt,
		     (unsigned)wr_len(&w), NULL, 0);
	mpair_sleep(&P, 10 * NANOS_MS);
	assert_int_equal(count(1, MP_CRYPT_SIGNAL), 1);
	transfer(1000, 1000, 5 * NANOS_S);
	assert_int_equal(conn(1)->mode, MP_MODE_MPTCP);
	assert_int_equal(count(0, MP_FAIL_TX) + count(1, MP_FAIL_TX), 0);
	finish();
}

/* --- rekeying ------------------------------------------------------------ */

static uint64_t generation(unsigned end)
{
	struct mp_info i;

	get_info(end, &i);
	return i.crypt.tx_gen;
}

static void rekeying(void **state)
{
	(void)state;
	open_sealed(60, 2);
	for (unsigned k = 1; k < 6; k++) {
		assert_int_equal(mp_rekey(conn(k & 1), P.now), 0);
		assert_int_equal(mp_rekey(conn(k & 1), P.now), EALREADY);
		transfer(50000, 50000, 10 * NANOS_S);
		mpair_sleep(&P, 200 * NANOS_MS);
		assert_int_equal(generation(0), k);
		assert_int_equal(generation(1), k);
	}
	finish();
	/* by the clock, also where nothing else is said */
	begin(61, 1);
	P.end[0].cfg.crypt_conf.rekey_time = NANOS_S;
	up(false);
	transfer(100, 100, 5 * NANOS_S);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_true(generation(0) >= 4 && generation(0) == generation(1));
	finish();
}

static void forgotten(void **state)
{
	(void)state;
	open_sealed(62, 1);
	assert_int_equal(crypt_cached(P.end[0].crypt), 1);
	mp_forget(conn(0));
	assert_int_equal(crypt_cached(P.end[0].crypt), 0);
	assert_int_equal(crypt_cached(P.end[1].crypt), 1);
	finish();
}

/* --- memory refused ------------------------------------------------------ */

static bool ended(const struct mpair *p)
{
	return p->end[0].app.closed || mpair_arrived(p);
}

/* a connection that is not even begun */
static bool refused_at_once(unsigned n)
{
	struct tuple t = { .remote = endpoint_make(P.end[1].addr[0], 80),
			   .local.addr = P.end[0].addr[0] };
	struct mp_conn *c;
	int err;

	P.end[0].fake.fail_at = n;
	c = mp_connect(P.end[0].mp, P.now, &t, 0, &P.end[0].conf, NULL, NULL,
		       &err);
	P.end[0].fake.fail_at = 0;
	if (c) {
		mp_close(c, P.now, true);
		return false;
	}
	assert_int_equal(err, ENOBUFS);
	return true;
}

/* Each allocation of either end is refused once.  What may happen: nothing
 * but a delay, or an error; what not: other octets, a leak. */
static void no_memory(void **state)
{
	unsigned at_once = 0, failed = 0;

	(void)state;
	for (unsigned n = 1; n < 60; n++) {
		for (unsigned who = 0; who < 2; who++) {
			begin(1000 + n * 2 + who, 2);
			mpair_start(&P);
			at_once += who == 0 && refused_at_once(n);
			mpair_connect(&P);
			P.end[who].fake.fail_at = n;
			mpair_send(&P, 0, 3000, false);
			mpair_send(&P, 1, 3000, false);
			mpair_run(&P, 150 * NANOS_S, ended);
			P.end[who].fake.fail_at = 0;
			assert_false(P.end[0].app.mangled);
			assert_false(P.end[1].app.mangled);
			failed += P.end[0].app.closed;
			stop();
		}
	}
	assert_true(at_once >= 3);
	assert_true(failed > 0 && failed < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_wait),
		cmocka_unit_test(when_to_join),
		cmocka_unit_test(announcements_wait),
		cmocka_unit_test(forged_announcement),
		cmocka_unit_test(join_comes_early),
		cmocka_unit_test(init_altered),
		cmocka_unit_test(init_altered_on_a_single_stream),
		cmocka_unit_test(never_confirmed),
		cmocka_unit_test(lost_before),
		cmocka_unit_test(bad_frame_costs_its_subflow),
		cmocka_unit_test(bad_frame_on_the_only_subflow),
		cmocka_unit_test(bad_frames_without_end),
		cmocka_unit_test(nobody_comes_back),
		cmocka_unit_test(bad_frame_on_a_single_stream),
		cmocka_unit_test(fastclose_keys),
		cmocka_unit_test(close_without_keys),
		cmocka_unit_test(mp_fail_is_nothing),
		cmocka_unit_test(rekeying),
		cmocka_unit_test(forgotten),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
