/* whole sealed connections: what the program sees, and what the wire shows */
#include "tests/unit/mptcp/tapped.h"

#include "stack/wire/tcp_hdr.h"

static void assert_sealed(enum mp_sec sec)
{
	static struct mp_info i[2];

	for (unsigned k = 0; k < 2; k++) {
		get_info(k, &i[k]);
		assert_true(i[k].sealed);
		assert_int_equal(i[k].sec, sec);
		assert_true(i[k].have_session_id);
	}
	assert_memory_equal(i[0].session_id, i[1].session_id,
			    CRYPT_SESSION_ID);
}

/* --- bulk -------------------------------------------------------------------- */

static void bulk(bool gso, uint64_t rate)
{
	struct mp_info i;

	tapped_one_path(1);
	P.gso = gso;
	P.link[0].rate = rate;
	up(false);
	transfer(8000000, 8000000, 60 * NANOS_S);
	assert_sealed(MP_SEC_SMTCP);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 1);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_write_pending(tapped_conn(0)), 0);
	sealtap_check(&T);
	assert_int_equal(T.dir[0].data, 8000000);
	assert_int_equal(T.dir[1].data, 8000000);
	assert_int_equal(T.bare, 0);
	tapped_close();
}

static void megabytes(void **state)
{
	(void)state;
	bulk(true, 0);
	bulk(false, 12500000);
}

/* at most 0.3 % more octets */
static void overhead(void **state)
{
	(void)state;
	tapped_one_path(2);
	P.link[0].queue_max = 4 << 20;
	up(false);
	transfer(20000000, 0, 60 * NANOS_S);
	sealtap_check(&T);
	assert_true((T.dir[0].top - 20000000) * 1000 < 20000000ull * 3);
	tapped_close();
}

static void two_paths(void **state)
{
	struct mp_info i;

	(void)state;
	tapped_defaults(3);
	P.link[0].rate = P.link[1].rate = 12500000 / 8;
	up(true);
	transfer(3000000, 3000000, 20 * NANOS_S);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 2);
	assert_true(i.sub[0].bytes_sent > 500000);
	assert_true(i.sub[1].bytes_sent > 500000);
	assert_sealed(MP_SEC_SMTCP);
	tapped_close();
}

/* --- trouble ----------------------------------------------------------------- */

static void drop_some(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	p->drop = rng_below(&P.rng, 100) < 3;
	p->delay = (nanos)rng_below(&P.rng, 4) * NANOS_MS;
}

static void loss_and_reordering(void **state)
{
	(void)state;
	for (uint64_t seed = 20; seed < 40; seed++) {
		tapped_defaults(seed);
		P.mbox = drop_some;
		P.gso = seed & 1;
		P.end[0].cfg.crypt_conf.rekey_frames = seed & 2 ? 3 : 0;
		P.end[1].cfg.crypt_conf.rekey_frames = seed & 4 ? 5 : 0;
		up(false);
		transfer(400000, 400000, 120 * NANOS_S);
		tapped_close();
	}
}

static nanos arrival_gap; /* longest silence at the server's application */
static struct instant last_at;
static uint64_t last_got;

static bool watch(const struct mpair *p)
{
	if (p->end[1].app.got != last_got) {
		nanos gap = instant_since(p->now, last_at);

		if (last_got && gap > arrival_gap) {
			arrival_gap = gap;
		}
		last_got = p->end[1].app.got;
		last_at = p->now;
	}
	return mpair_arrived(p);
}

static void path_cut(void **state)
{
	struct mp_info i;

	(void)state;
	for (unsigned link = 0; link < 2; link++) {
		tapped_defaults(50 + link);
		P.link[0].rate = P.link[1].rate = 12500000;
		up(true);
		arrival_gap = 0;
		last_got = 0;
		mpair_send(&P, 0, 20000000, true);
		mpair_send(&P, 1, 10000000, true);
		mpair_run(&P, 500 * NANOS_MS, watch);
		P.link[link].cut = true;
		assert_true(mpair_run(&P, 30 * NANOS_S, watch));
		assert_true(arrival_gap < 1200 * NANOS_MS);
		assert_false(P.end[0].app.mangled);
		assert_false(P.end[1].app.mangled);
		get_info(0, &i);
		assert_true(i.bytes_reinjected > 0);
		assert_int_equal(i.mode, MP_MODE_MPTCP);
		tapped_close();
	}
}

static void path_cut_and_back(void **state)
{
	(void)state;
	tapped_defaults(60);
	P.link[0].rate = P.link[1].rate = 2500000;
	P.end[0].conf.sndbuf = 256 << 10;
	up(true);
	mpair_send(&P, 0, 20000000, false);
	mpair_sleep(&P, 500 * NANOS_MS);
	P.link[1].cut = true;
	mpair_sleep(&P, 3 * NANOS_S);
	assert_true(count(0, MP_SUBFLOW_STALE) > 0);
	P.link[1].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	assert_true(count(0, MP_SUBFLOW_RECOVER) > 0);
	assert_false(P.end[1].app.mangled);
	mpair_sleep(&P, 30 * NANOS_S);
	tapped_close();
}

static void path_goes_down(void **state)
{
	(void)state;
	tapped_defaults(61);
	P.link[0].rate = P.link[1].rate = 2500000;
	up(true);
	mpair_send(&P, 0, 5000000, false);
	mpair_sleep(&P, 300 * NANOS_MS);
	mpair_path(&P, 0, 0, false);
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	mpair_path(&P, 0, 0, true);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_two_subs));
	transfer(1000000, 1000000, 20 * NANOS_S);
	tapped_close();
}

/* RFC 8684 3.3.3: break before make */
static void all_paths_cut_then_back(void **state)
{
	(void)state;
	tapped_defaults(62);
	P.end[0].cfg.crypt_conf.rekey_frames = 3;
	up(true);
	mpair_send(&P, 0, 3000000, false);
	mpair_sleep(&P, 50 * NANOS_MS);
	P.link[0].cut = P.link[1].cut = true;
	mpair_sleep(&P, 20 * NANOS_S);
	P.link[0].cut = P.link[1].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	tapped_close();
}

/* the window is full because of the slow subflow */
static void slow_subflow_does_not_block(void **state)
{
	(void)state;
	tapped_defaults(63);
	P.link[0].rate = 12500000;
	P.link[1].rate = 50000;
	P.link[1].delay = 300 * NANOS_MS;
	P.link[1].queue_max = 1 << 20;
	P.end[1].conf.rcvbuf = 128 << 10;
	up(true);
	transfer(6000000, 0, 30 * NANOS_S);
	assert_true(count(0, MP_REINJECT) > 0);
	tapped_close();
}

/* --- small things ------------------------------------------------------------- */

static void small_writes(void **state)
{
	(void)state;
	for (unsigned nodelay = 0; nodelay < 2; nodelay++) {
		tapped_one_path(70 + nodelay);
		P.end[0].conf.nodelay = nodelay;
		P.end[0].conf.sndbuf = 4096;
		P.end[0].app.chunk = 1;
		P.end[1].app.chunk = 7;
		up(false);
		transfer(3000, 20000, 300 * NANOS_S);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(mp_write_pending(tapped_conn(0)), 0);
		tapped_close();
	}
}

static void tiny_send_buffer(void **state)
{
	(void)state;
	tapped_defaults(72);
	P.end[0].conf.sndbuf = P.end[1].conf.sndbuf = 4096;
	P.mbox = drop_some;
	up(false);
	transfer(200000, 200000, 300 * NANOS_S);
	tapped_close();
}

/* the reader stops and goes on, with the smallest buffer there is */
static void shut_window(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		tapped_one_path(73 + n);
		if (n) {
			P.end[1].cfg.policy = MP_OFF;
		}
		P.end[1].conf.rcvbuf = 4096;
		up(false);
		for (unsigned i = 0; i < 20; i++) {
			mpair_hold(&P, 1, true);
			mpair_send(&P, 0, 300000 + i, false);
			mpair_sleep(&P, 3 * NANOS_S);
					assert_true(mp_write_pending(tapped_conn(0)) > 0);
			/* nothing is sealed that has no room there */
			assert_true(n || tapped_conn(0)->snd.ring.tail <=
						 tapped_conn(0)->snd.edge);
			mpair_hold(&P, 1, false);
			assert_true(mpair_run(&P, 30 * NANOS_S,
					      mpair_arrived));
		}
		assert_false(P.end[1].app.mangled);
		tapped_close();
	}
}

static bool swallow;

static void swallow_updates(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	p->drop = swallow && p->from == 1 && !p->seg.len;
}

/* ... and what would tell of it is lost: the sender asks */
static void window_update_lost(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		tapped_one_path(75 + n);
		if (n) {
			P.end[1].cfg.policy = MP_OFF;
		}
		P.mbox = swallow_updates;
		P.end[1].conf.rcvbuf = 4096;
		swallow = false;
		up(false);
		mpair_hold(&P, 1, true);
		mpair_send(&P, 0, 300000, false);
		mpair_sleep(&P, 5 * NANOS_S);
		swallow = true;
		mpair_hold(&P, 1, false);
		mpair_sleep(&P, NANOS_MS * 100);
		swallow = false;
		assert_true(mpair_run(&P, 30 * NANOS_S, mpair_arrived));
		tapped_close();
	}
}

/* --- ends ----------------------------------------------------------------------- */

static void ends(uint64_t seed, uint64_t a, uint64_t b, bool first)
{
	tapped_one_path(seed);
	up(false);
	mpair_send(&P, first, first ? b : a, true);
	mpair_sleep(&P, seed & 1 ? 0 : NANOS_S);
	mpair_send(&P, !first, first ? a : b, true);
	assert_true(mpair_run(&P, 10 * NANOS_S, mpair_arrived));
	assert_false(P.end[0].app.mangled);
	assert_false(P.end[1].app.mangled);
	tapped_close();
}

static void shutdown_orders(void **state)
{
	(void)state;
	for (uint64_t seed = 90; seed < 94; seed++) {
		ends(seed, 0, 0, seed & 2);
		ends(seed, 100000, 0, seed & 2);
		ends(seed, 0, 100000, seed & 2);
		ends(seed, 100000, 50000, seed & 2);
	}
}

/* written and closed before there are keys */
static void close_at_once(void **state)
{
	(void)state;
	tapped_one_path(95);
	mpair_start(&P);
	P.end[0].app.to_send = 5000;
	P.end[0].app.shut = true;
	mpair_connect(&P);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_established));
	mpair_close(&P, 0, false);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
	assert_int_equal(P.end[1].app.got, 5000);
	tapped_close();
}

/* not one octet of the end of file without the authentic one */
static void single_stream(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		tapped_one_path(96 + n);
		P.end[n & 1].cfg.policy = MP_OFF;
		P.gso = n & 2;
		P.end[0].cfg.crypt_conf.rekey_frames = 3;
		up(false);
		transfer(500000, 500000, 30 * NANOS_S);
		assert_sealed(MP_SEC_TCPCRYPT);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(mp_write_pending(tapped_conn(0)), 0);
		assert_false(T.mapped);
		tapped_close();
	}
}

static void single_stream_with_loss(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 10; n++) {
		tapped_one_path(100 + n);
		P.end[n & 1].cfg.policy = MP_OFF;
		P.end[1].cfg.crypt_conf.rekey_frames = 3;
		P.end[0].conf.sndbuf = n & 2 ? 4096 : 0;
		P.mbox = drop_some;
		up(false);
		transfer(200000, 200000, 300 * NANOS_S);
		tapped_close();
	}
}

/* --- rekeying, urgent ------------------------------------------------------------ */

static void rekeying_under_load(void **state)
{
	(void)state;
	tapped_defaults(110);
	P.link[0].rate = P.link[1].rate = 12500000;
	P.end[0].cfg.crypt_conf.rekey_frames = 3;
	P.end[1].cfg.crypt_conf.rekey_frames = 3;
	up(true);
	transfer(5000000, 5000000, 30 * NANOS_S);
	sealtap_check(&T);
	assert_true(T.dir[0].rekeys > 5);
	assert_true(T.dir[1].rekeys > 5);
	tapped_close();
}

/* asked for, and answered, without any data */
static void rekeying_when_idle(void **state)
{
	struct mp_info i;

	(void)state;
	tapped_one_path(111);
	up(false);
	mpair_sleep(&P, NANOS_S);
	for (unsigned n = 1; n < 5; n++) {
		assert_int_equal(mp_rekey(tapped_conn(n & 1), P.now), 0);
		mpair_sleep(&P, NANOS_S);
		get_info(0, &i);
		assert_int_equal(i.crypt.tx_gen, n);
		assert_int_equal(i.crypt.rx_gen, n);
	}
	tapped_close();
}

static void urgent(void **state)
{
	(void)state;
	tapped_defaults(112);
	up(false);
	mpair_send(&P, 0, 1000, false);
	mpair_sleep(&P, NANOS_S);
	P.end[0].app.to_send += 70000; /* written with the next step */
	mp_write_urgent(tapped_conn(0), P.now); /* nothing there to be marked */
	mpair_sleep(&P, NANOS_S);
	for (unsigned i = 0; i < 20; i++) {
		P.link[0].cut = i & 1;
		mpair_send(&P, 0, 3000, false);
		mp_write_urgent(tapped_conn(0), P.now);
	}
	P.link[0].cut = false;
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	assert_false(P.end[1].app.mangled);
	tapped_close();
}

/* --- resumption -------------------------------------------------------------- */

static unsigned client_data, client_bare, server_heard;

static void watch_first_flight(void *ctx, const struct mpair_pkt *p)
{
	tap(ctx, p);
	if (p->seg.flags & TCP_SYN) {
		return;
	}
	if (p->from == 1) {
		server_heard += (p->seg.opts.mp.have & MP_HAVE(MP_OPT_DSS)) != 0;
	} else if (!server_heard) {
		client_data += p->seg.len > 0;
		client_bare += !p->seg.len;
		assert_false(p->seg.opts.mp.have & MP_HAVE(MP_OPT_DSS));
	}
}

/* a connection between the same two, which may resume what is kept */
static void again(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct mpair_app *a = &P.end[i].app;

		*a = (struct mpair_app){ .end = a->end };
	}
	sealtap_fini(&T);
	sealtap_init(&T);
	client_data = client_bare = server_heard = 0;
}

static void first_connection(uint64_t seed)
{
	tapped_one_path(seed);
	up(false);
	transfer(1000, 1000, 5 * NANOS_S);
	all_gone();
	sealtap_check(&T);
	assert_int_equal(T.dir[0].init > 0, true);
	again();
	T.resumed = true;
	P.tap = watch_first_flight;
}

/* smtcp(7), Init messages: one mapping, which brings the keys, and nothing
 * behind it, no DATA_FIN either, before the other side was heard of */
static void resumed_first_flight(void **state)
{
	struct mp_info i;

	(void)state;
	for (unsigned n = 0; n < 6; n++) {
		first_connection(120 + n);
		P.end[0].app.to_send = (const uint64_t[]){ 0, 10, 50000 }[n % 3];
		P.end[0].app.shut = n >= 3;
		mpair_connect(&P);
		assert_true(mpair_run(&P, 5 * NANOS_S, mpair_established));
		assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
		mpair_sleep(&P, NANOS_S);
		get_info(0, &i);
		assert_true(i.crypt.resumed);
		assert_sealed(MP_SEC_SMTCP);
		/* with nothing to say both first frames are held, A's first */
		assert_int_equal(client_data, 1);
		sealtap_check(&T);
		assert_int_equal(T.dir[0].empty, n % 3 == 0);
		transfer(n < 3 ? 100000 : 0, 100000, 20 * NANOS_S);
		tapped_close();
	}
}

static void lose_first(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0 && p->seg.len && client_bare < 3) {
		client_bare++;
		p->drop = true;
	}
}

static void resumed_first_flight_lost(void **state)
{
	(void)state;
	first_connection(125);
	P.mbox = lose_first;
	P.end[0].app.to_send = 50000;
	mpair_connect(&P);
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	assert_sealed(MP_SEC_SMTCP);
	tapped_close();
}

/* --- memory ------------------------------------------------------------------- */

static void refuse_some(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	(void)p;
	if (rng_below(&P.rng, 4) == 0) {
		P.end[0].fake.fail_at = 1 + rng_below(&P.rng, 3);
	}
}

/* what could be sealed and not mapped, or written and not sealed, is not lost
 * nor sealed again */
static void refused_memory(void **state)
{
	(void)state;
	for (uint64_t seed = 130; seed < 140; seed++) {
		tapped_one_path(seed);
		up(false);
		P.mbox = refuse_some;
		transfer(2000000, 0, 120 * NANOS_S);
		P.mbox = NULL;
		P.end[0].fake.fail_at = 0;
		tapped_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(megabytes),
		cmocka_unit_test(overhead),
		cmocka_unit_test(two_paths),
		cmocka_unit_test(loss_and_reordering),
		cmocka_unit_test(path_cut),
		cmocka_unit_test(path_cut_and_back),
		cmocka_unit_test(path_goes_down),
		cmocka_unit_test(all_paths_cut_then_back),
		cmocka_unit_test(slow_subflow_does_not_block),
		cmocka_unit_test(small_writes),
		cmocka_unit_test(tiny_send_buffer),
		cmocka_unit_test(shut_window),
		cmocka_unit_test(window_update_lost),
		cmocka_unit_test(shutdown_orders),
		cmocka_unit_test(close_at_once),
		cmocka_unit_test(single_stream),
		cmocka_unit_test(single_stream_with_loss),
		cmocka_unit_test(rekeying_under_load),
		cmocka_unit_test(rekeying_when_idle),
		cmocka_unit_test(urgent),
		cmocka_unit_test(resumed_first_flight),
		cmocka_unit_test(resumed_first_flight_lost),
		cmocka_unit_test(refused_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
