/* RFC 8684 3.3.3, 3.5, Appendix D: the orders in which a connection ends */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static bool client_closed(const struct mpair *p)
{
	return p->end[0].app.closed;
}

static bool server_closed(const struct mpair *p)
{
	return p->end[1].app.closed;
}

static bool both_closed(const struct mpair *p)
{
	return client_closed(p) && server_closed(p);
}

static unsigned fin_flags, data_fins;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (o->have & MP_HAVE(MP_OPT_DSS) && o->dss.fin) {
		data_fins++;
		/* statement 104 */
		if (p->seg.len == 0) {
			assert_int_equal(o->dss.ssn, 0);
			assert_int_equal(o->dss.data_len, 1);
		}
	}
	fin_flags += (p->seg.flags & TCP_FIN) != 0;
}

static void start(uint64_t seed)
{
	mpair_defaults(&P, seed);
	P.tap = watch;
	fin_flags = data_fins = 0;
	up(true);
}

/* the last of the two closes */
static void finish_by(unsigned end, nanos most)
{
	mpair_close(&P, end, false);
	assert_true(mpair_run(&P, most, mpair_gone));
	mpair_stop(&P);
}

/* statements 106, 108, 112 */
static void client_first(void **state)
{
	(void)state;
	start(1);
	mpair_send(&P, 0, 50000, true);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(fin_flags, 0);
	assert_false(P.end[0].app.closed);
	mpair_send(&P, 1, 200000, true); /* half closed: still flows */
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
	assert_true(mpair_run(&P, 5 * NANOS_S, both_closed));
	assert_int_equal(P.end[0].app.err, 0);
	assert_int_equal(P.end[1].app.err, 0);
	finish();
	assert_true(fin_flags >= 4);
}

/* statement 113 */
static void both_at_once(void **state)
{
	(void)state;
	start(2);
	mpair_send(&P, 0, 10000, true);
	mpair_send(&P, 1, 10000, true);
	assert_true(mpair_run(&P, 5 * NANOS_S, both_closed));
	assert_int_equal(P.end[0].app.err, 0);
	finish();
}

static void close_with_data_under_way(void **state)
{
	(void)state;
	start(3);
	mpair_send(&P, 0, 3000000, false);
	while (P.end[0].app.sent < P.end[0].app.to_send) {
		mpair_sleep(&P, 10 * NANOS_MS);
	}
	mpair_close(&P, 0, false);
	assert_int_equal(mp_count_owing(P.end[0].mp), 1);
	P.end[1].app.shut = true;
	P.end[0].app.shut = true;
	assert_true(mpair_run(&P, 20 * NANOS_S, server_closed));
	assert_true(P.end[1].app.eof);
	assert_true(P.end[1].app.got == P.end[0].app.to_send);
	assert_int_equal(P.end[1].app.err, 0);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_gone));
	assert_int_equal(mp_count_conns(P.end[0].mp), 0);
	mpair_stop(&P);
}

/* statement 114 */
static void passive_closer_has_no_time_wait(void **state)
{
	(void)state;
	start(4);
	mpair_send(&P, 0, 1000, true);
	mpair_run(&P, 5 * NANOS_S, mpair_arrived);
	mpair_send(&P, 1, 0, true);
	assert_true(mpair_run(&P, 5 * NANOS_S, both_closed));
	mpair_close(&P, 0, false);
	mpair_close(&P, 1, false);
	mpair_sleep(&P, 2 * NANOS_S);
	assert_int_equal(tcp_count_timewait(P.end[1].tcp), 0);
	assert_int_equal(tcp_count_timewait(P.end[0].tcp), 2);
	mpair_stop(&P);
}

static unsigned drop_fins;

static void lose_fins(void *ctx, struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (o->have & MP_HAVE(MP_OPT_DSS) && o->dss.fin && drop_fins) {
		drop_fins--;
		p->drop = true;
	}
}

/* statement 107 */
static void data_fin_lost(void **state)
{
	(void)state;
	mpair_defaults(&P, 5);
	P.mbox = lose_fins;
	drop_fins = 5;
	up(true);
	mpair_send(&P, 0, 1000, true);
	mpair_send(&P, 1, 1000, true);
	assert_true(mpair_run(&P, 30 * NANOS_S, both_closed));
	assert_int_equal(drop_fins, 0);
	finish();
}

/* statements 138..140 */
static void abort_resets_all(void **state)
{
	(void)state;
	start(6);
	mpair_close(&P, 0, true);
	assert_true(mpair_run(&P, NANOS_S, server_closed));
	assert_int_equal(P.end[1].app.err, ECONNRESET);
	assert_true(count(0, MP_FASTCLOSE_TX) >= 2);
	assert_int_equal(count(1, MP_FASTCLOSE_RX), 1);
	finish_by(1, NANOS_S);
}

static void unread_data_resets(void **state)
{
	(void)state;
	start(7);
	P.end[1].app.hold = true;
	mpair_send(&P, 0, 5000, false);
	mpair_sleep(&P, 200 * NANOS_MS);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, NANOS_S, client_closed));
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	finish_by(0, NANOS_S);
}

static void data_after_close_resets(void **state)
{
	(void)state;
	start(8);
	mpair_close(&P, 1, false);
	mpair_sleep(&P, 200 * NANOS_MS);
	mpair_send(&P, 0, 5000, false);
	assert_true(mpair_run(&P, NANOS_S, client_closed));
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	finish_by(0, NANOS_S);
}

/* statement 142 */
static void both_abort(void **state)
{
	(void)state;
	start(9);
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, true);
	assert_true(mpair_run(&P, NANOS_S, mpair_gone));
	mpair_stop(&P);
}

static struct tuple last_up; /* as the client sends it, on link 0 */
static uint32_t up_seq, up_ack;

static void note_numbers(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0 && p->link == 0) {
		last_up.local = p->seg.t.remote;
		last_up.remote = p->seg.t.local;
		up_seq = p->seg.seq + p->seg.len;
		up_ack = p->seg.ack;
	}
}

static void inject_up(uint8_t flags, const uint8_t *opt, unsigned n)
{
	mpair_inject(&P, 1, &last_up, up_seq, up_ack, flags, 500, opt, n,
		     NULL, 0);
}

/* an ACK with MP_FASTCLOSE: wrong key, then the right one */
static void fastclose_on_ack(void **state)
{
	uint8_t opt[12] = { 30, 12, 0x70, 0 };

	(void)state;
	mpair_defaults(&P, 10);
	P.tap = note_numbers;
	up(true);
	mpair_sleep(&P, NANOS_S);
	be64_put(opt + 4, 12345);
	inject_up(TCP_ACK, opt, sizeof(opt));
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(count(1, MP_FASTCLOSE_KEY), 1);
	assert_false(P.end[1].app.closed);
	be64_put(opt + 4, P.end[1].app.c->keys.local);
	inject_up(TCP_ACK, opt, sizeof(opt));
	assert_true(mpair_run(&P, NANOS_S, both_closed));
	assert_int_equal(P.end[1].app.err, ECONNRESET);
	mpair_close(&P, 0, false);
	mpair_close(&P, 1, false);
	mpair_sleep(&P, NANOS_S);
	mpair_stop(&P);
}

/* statement 143: a plain RST ends one subflow */
static void reset_of_one_subflow(void **state)
{
	(void)state;
	mpair_defaults(&P, 11);
	P.tap = note_numbers;
	up(true);
	mpair_sleep(&P, NANOS_S);
	inject_up(TCP_RST | TCP_ACK, NULL, 0);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(mpair_open_subs(&P, 1), 1);
	transfer(100000, 100000, 10 * NANOS_S);
	finish();
}

/* RFC 8684 3.3.3, last paragraph: nobody comes back */
static void alone_for_too_long(void **state)
{
	(void)state;
	mpair_defaults(&P, 12);
	P.end[1].cfg.close_timeout = 5 * NANOS_S;
	P.tap = note_numbers;
	P.end[0].n_paths = 1;
	up(false);
	mpair_send(&P, 0, 1000, false);
	mpair_sleep(&P, NANOS_S);
	P.link[0].cut = true;
	inject_up(TCP_RST | TCP_ACK, NULL, 0);
	mpair_sleep(&P, NANOS_S);
	assert_false(P.end[1].app.closed);
	assert_true(mpair_run(&P, 10 * NANOS_S, server_closed));
	assert_int_equal(P.end[1].app.err, ETIMEDOUT);
	P.link[0].cut = false;
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, false);
	mpair_sleep(&P, 10 * NANOS_S);
	mpair_stop(&P);
}

/* the peer lost its state: rejoining tells */
static void peer_forgot(void **state)
{
	(void)state;
	mpair_defaults(&P, 13);
	P.tap = note_numbers;
	up(true);
	mpair_sleep(&P, NANOS_S);
	P.link[0].cut = P.link[1].cut = true;
	mpair_close(&P, 1, true);
	mpair_sleep(&P, NANOS_S);
	P.link[0].cut = P.link[1].cut = false;
	mpair_send(&P, 0, 1000, false);
	assert_true(mpair_run(&P, 20 * NANOS_S, client_closed));
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	finish_by(0, NANOS_S);
}

/* statement 101 */
static void zero_window(void **state)
{
	(void)state;
	start(14);
	P.end[1].app.hold = true;
	mpair_send(&P, 0, 9000000, true);
	mpair_sleep(&P, 10 * NANOS_S);
	/* statement 95: the window of both subflows is one */
	assert_true(mp_read_len(P.end[1].app.c) <= (6 << 20) + 4096);
	mpair_hold(&P, 1, false);
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	assert_int_equal(count(1, MP_DSS_WINDOW), 0);
	finish();
}

/* Nobody waits for long with what a peer does not take, while memory is scarce:
 * what is held for it is held from others. */
static void orphans_while_memory_is_scarce(void **state)
{
	(void)state;
	for (unsigned scarce = 0; scarce < 2; scarce++) {
		struct mem *mem = &P.end[0].fake.mem;

		start(16);
		P.end[1].app.hold = true;
		mpair_send(&P, 0, 9000000, true);
		mpair_sleep(&P, 10 * NANOS_S);
		mem->limit = mem->used * (scarce ? 2 : 10) - 1;
		mpair_close(&P, 0, false);
		mpair_sleep(&P, 20 * NANOS_S);
		assert_int_equal(P.end[0].app.gone, scarce);
		mpair_sleep(&P, 290 * NANOS_S);
		assert_true(P.end[0].app.gone);
		finish_by(1, 10 * NANOS_S);
	}
}

/* ..and there are only so many of them */
static void orphans_are_bounded(void **state)
{
	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		start(17);
		P.end[0].mp->n_owing += MP_ORPHANS_MAX - !more;
		mpair_close(&P, 0, false);
		mpair_sleep(&P, NANOS_S);
		P.end[0].mp->n_owing -= MP_ORPHANS_MAX - !more;
		assert_int_equal(P.end[0].app.gone, more);
		assert_int_equal(P.end[1].app.err, more ? ECONNRESET : 0);
		assert_int_equal(tcp_counter(P.end[0].tcp, TCP_ABORT_ORPHANS),
				 more);
		finish_by(1, 10 * NANOS_S);
	}
}

/* what has ended owes nothing: it is not counted as one that was reset */
static void over_is_no_orphan(void **state)
{
	(void)state;
	start(18);
	mpair_close(&P, 1, true);
	mpair_sleep(&P, NANOS_S);
	assert_true(P.end[0].app.closed);
	P.end[0].mp->n_owing += MP_ORPHANS_MAX;
	mpair_close(&P, 0, false);
	P.end[0].mp->n_owing -= MP_ORPHANS_MAX;
	assert_int_equal(tcp_counter(P.end[0].tcp, TCP_ABORT_ORPHANS), 0);
	assert_true(mpair_run(&P, 10 * NANOS_S, mpair_gone));
	mpair_stop(&P);
}

/* --- sealed ------------------------------------------------------------------ */

/* no DATA_FIN before FINp is on its way, nor FIN */
static void fin_behind_finp(void **state)
{
	(void)state;
	for (unsigned plain = 0; plain < 2; plain++) {
		struct mp_conn *c;

		tapped_one_path(50 + plain);
		if (plain) {
			P.end[1].cfg.policy = MP_OFF;
		}
		P.end[1].conf.rcvbuf = 4096;
		up(false);
		c = tapped_conn(0);
		mpair_hold(&P, 1, true);
		mpair_send(&P, 0, 400000, true);
		mpair_sleep(&P, 5 * NANOS_S);
		assert_true(P.end[0].app.shut_done);
		assert_true(mp_tx_waiting(c));
		assert_false(c->seal->fin);
		assert_false(c->snd.fin_sent);
		assert_false(c->first->fin_out);
		mpair_hold(&P, 1, false);
		assert_true(mpair_run(&P, 30 * NANOS_S, mpair_arrived));
		assert_true(c->seal->fin);
		assert_false(mp_tx_waiting(c));
		assert_true(plain ? c->first->fin_out : c->snd.fin_sent);
		tapped_close();
	}
}

/* cuts what end 0 says last, behind its first octet */
static void cut_last(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0 && p->seg.len == 20) {
		p->split = 1;
	}
}

static void sealed_stream(uint64_t seed)
{
	mpair_defaults(&P, seed);
	P.end[0].cfg.crypt_policy = MP_CRYPT_REQUIRE_ANY;
	P.end[1].cfg.crypt_policy = MP_CRYPT_REQUIRE_ANY;
	P.end[1].cfg.policy = MP_OFF;
	up(false);
	transfer(100, 100, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	mpair_send(&P, 1, 500, true);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, NANOS_S, mpair_arrived));
}

/* A frame that only says that nothing follows is no data that nobody reads,
 * however it comes. */
static void end_of_a_sealed_stream(void **state)
{
	(void)state;
	for (unsigned cut = 0; cut < 2; cut++) {
		sealed_stream(60 + cut);
		P.mbox = cut ? cut_last : NULL;
		mpair_send(&P, 0, 0, true);
		mpair_sleep(&P, NANOS_S);
		assert_true(P.end[0].app.closed);
		assert_int_equal(P.end[0].app.err, 0);
		finish_by(0, 10 * NANOS_S);
	}
}

/* ... and data is */
static void data_for_nobody(void **state)
{
	(void)state;
	sealed_stream(62);
	mpair_send(&P, 0, 10, false);
	mpair_sleep(&P, NANOS_S);
	/* a reset behind the end of its stream: as Linux in CLOSE-WAIT */
	assert_int_equal(P.end[0].app.err, EPIPE);
	finish_by(0, 10 * NANOS_S);
}

/* A peer that never ends is not waited for without end. */
static void stream_without_end(void **state)
{
	(void)state;
	sealed_stream(63);
	mpair_sleep(&P, 50 * NANOS_S);
	assert_false(P.end[1].app.gone);
	mpair_sleep(&P, 20 * NANOS_S);
	assert_true(P.end[1].app.gone);
	finish_by(0, 10 * NANOS_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_first),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(close_with_data_under_way),
		cmocka_unit_test(passive_closer_has_no_time_wait),
		cmocka_unit_test(data_fin_lost),
		cmocka_unit_test(abort_resets_all),
		cmocka_unit_test(unread_data_resets),
		cmocka_unit_test(data_after_close_resets),
		cmocka_unit_test(both_abort),
		cmocka_unit_test(fastclose_on_ack),
		cmocka_unit_test(reset_of_one_subflow),
		cmocka_unit_test(alone_for_too_long),
		cmocka_unit_test(end_of_a_sealed_stream),
		cmocka_unit_test(data_for_nobody),
		cmocka_unit_test(stream_without_end),
		cmocka_unit_test(peer_forgot),
		cmocka_unit_test(zero_window),
		cmocka_unit_test(orphans_while_memory_is_scarce),
		cmocka_unit_test(orphans_are_bounded),
		cmocka_unit_test(over_is_no_orphan),
		cmocka_unit_test(fin_behind_finp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
