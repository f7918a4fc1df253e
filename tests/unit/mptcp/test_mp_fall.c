/* RFC 8684 3.7: every way back to plain TCP, and that data never stalls */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static unsigned from_nr;
static uint32_t strip_mask;
static int strip_from; /* end, or -1: both */
static bool syn_only, not_syn;
static int only_link;

static void strip(void *ctx, struct mpair_pkt *p)
{
	bool syn = p->seg.flags & TCP_SYN;

	(void)ctx;
	if (p->nr < from_nr || (strip_from >= 0 &&
				p->from != (unsigned)strip_from) ||
	    (syn_only && !syn) || (not_syn && syn) ||
	    (only_link >= 0 && p->link != (unsigned)only_link)) {
		return;
	}
	mpair_strip(p, strip_mask);
}

static void stripping(uint64_t seed, int from, uint32_t mask)
{
	mpair_defaults(&P, seed);
	P.mbox = strip;
	from_nr = 0;
	strip_mask = mask;
	strip_from = from;
	syn_only = not_syn = false;
	only_link = -1;
}

#define ALL 0xffffffffu

static void is_plain(unsigned end, enum mp_reason why)
{
	struct mp_info i;

	get_info(end, &i);
	assert_int_equal(i.mode, MP_MODE_TCP);
	assert_string_equal(mp_reason_name(i.why_plain), mp_reason_name(why));
}

/* no option of ours leaves any more */
static void no_options(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	assert_int_equal(p->seg.opts.mp.have, 0);
}

static void plain_from_now_on(void)
{
	mpair_sleep(&P, 2 * NANOS_S);
	P.tap = no_options;
	P.mbox = NULL;
	transfer(300000, 300000, 20 * NANOS_S);
	P.tap = NULL;
	finish();
}

static void off_here(void **state)
{
	(void)state;
	mpair_defaults(&P, 1);
	P.end[0].cfg.policy = MP_OFF;
	up(false);
	transfer(200000, 200000, 10 * NANOS_S);
	is_plain(0, MP_FALLBACK_OFF);
	is_plain(1, MP_FALLBACK_PEER);
	plain_from_now_on();
}

/* statements 10, 11 */
static void peer_has_none(void **state)
{
	(void)state;
	mpair_defaults(&P, 2);
	P.end[1].cfg.policy = MP_OFF;
	up(false);
	is_plain(0, MP_FALLBACK_SYNACK);
	is_plain(1, MP_FALLBACK_OFF);
	transfer(200000, 200000, 10 * NANOS_S);
	plain_from_now_on();
}

static void syn_stripped(void **state)
{
	(void)state;
	stripping(3, 0, ALL);
	syn_only = true;
	up(false);
	is_plain(0, MP_FALLBACK_SYNACK);
	is_plain(1, MP_FALLBACK_PEER);
	plain_from_now_on();
}

static void synack_stripped(void **state)
{
	(void)state;
	stripping(4, 1, ALL);
	syn_only = true;
	up(false);
	is_plain(0, MP_FALLBACK_SYNACK);
	/* statement 12: the third ACK tells the listener */
	is_plain(1, MP_FALLBACK_ACK);
	plain_from_now_on();
}

/* options pass in SYNs only */
static void third_ack_stripped(void **state)
{
	(void)state;
	stripping(5, -1, ALL);
	not_syn = true;
	up(false);
	is_plain(1, MP_FALLBACK_ACK);
	transfer(200000, 0, 10 * NANOS_S);
	is_plain(0, MP_FALLBACK_NO_DATA_ACK);
	plain_from_now_on();
}

static void third_ack_stripped_server_first(void **state)
{
	(void)state;
	stripping(5, -1, ALL);
	not_syn = true;
	up(false);
	transfer(0, 200000, 10 * NANOS_S);
	is_plain(0, MP_FALLBACK_NO_DSS);
	transfer(200000, 0, 10 * NANOS_S);
	plain_from_now_on();
}

/* DSS is removed, MP_CAPABLE passes */
static void dss_stripped_up(void **state)
{
	(void)state;
	stripping(6, 0, MP_HAVE(MP_OPT_DSS));
	up(false);
	transfer(200000, 0, 20 * NANOS_S);
	is_plain(1, MP_FALLBACK_NO_DSS);
	mpair_sleep(&P, NANOS_S);
	is_plain(0, MP_FALLBACK_NO_DATA_ACK);
	transfer(1000, 1000, NANOS_S); /* with the infinite mappings */
	plain_from_now_on();
}

/* statement 86: one infinite mapping gets through, then nothing */
static void dss_stripped_down(void **state)
{
	(void)state;
	stripping(7, 1, MP_HAVE(MP_OPT_DSS));
	up(false);
	transfer(200000, 0, 20 * NANOS_S);
	is_plain(0, MP_FALLBACK_NO_DATA_ACK);
	is_plain(1, MP_FALLBACK_INFINITE_RX);
	assert_true(count(0, MP_INFINITE_TX) > 0);
	plain_from_now_on();
}

/* in the middle of a transfer, on a path alone */
static void stripped_midway(void **state)
{
	(void)state;
	for (int from = -1; from < 2; from++) {
		stripping(8 + (uint64_t)(from + 1), from, ALL);
		from_nr = 400;
		P.end[0].n_paths = 1;
		P.link[0].rate = 2000000;
		up(false);
		transfer(1500000, 1500000, 60 * NANOS_S);
		assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_TCP);
		plain_from_now_on();
	}
}

/* what a mapping puts behind octets that have none decides whether these can be
 * taken for the stream */
static void not_before_a_repeat(void **state)
{
	struct mp_map m = { .len = 100 };
	struct mp_conn *c;
	struct mp_sub *s;

	(void)state;
	mpair_defaults(&P, 23);
	P.end[0].n_paths = 1;
	up(false);
	transfer(1000, 0, NANOS_S);
	c = P.end[1].app.c;
	s = c->first;
	m.ssn = s->rx_nxt + 100;
	m.off = c->rcv.nxt - 100;
	assert_int_equal(mp_map_insert(&s->rx, &m), MP_MAP_ADDED);
	assert_false(mp_fall(c, P.now, MP_FALLBACK_NO_DSS));
	mp_map_fini(&s->rx);
	m.off = c->rcv.nxt + 100;
	assert_int_equal(mp_map_insert(&s->rx, &m), MP_MAP_ADDED);
	assert_true(mp_fall(c, P.now, MP_FALLBACK_NO_DSS));
	is_plain(1, MP_FALLBACK_NO_DSS);
	transfer(1000, 1000, 10 * NANOS_S);
	finish();
}

/* statements 59, 87: only the joined path removes options */
static void second_path_strips_syn(void **state)
{
	(void)state;
	stripping(12, -1, ALL);
	only_link = 1;
	syn_only = true;
	up(false);
	transfer(400000, 400000, 20 * NANOS_S);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	finish();
}

static void second_path_strips_later(void **state)
{
	(void)state;
	stripping(13, -1, MP_HAVE(MP_OPT_DSS));
	only_link = 1;
	up(true);
	transfer(800000, 800000, 30 * NANOS_S);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	finish();
}

/* SYNs with the option are dropped */
static void drop_mp_syn(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	p->drop = p->seg.flags & TCP_SYN && p->seg.opts.mp.have;
}

/* statement 32 */
static void syn_dropped(void **state)
{
	(void)state;
	mpair_defaults(&P, 14);
	P.mbox = drop_mp_syn;
	mpair_start(&P);
	mpair_connect(&P);
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_established));
	is_plain(0, MP_FALLBACK_SYN_TIMEOUT);
	transfer(100000, 100000, 10 * NANOS_S);
	finish();
}

static void required(void **state)
{
	(void)state;
	mpair_defaults(&P, 15);
	P.end[0].cfg.policy = MP_REQUIRE;
	P.end[1].cfg.policy = MP_OFF;
	mpair_start(&P);
	mpair_connect(&P);
	mpair_sleep(&P, NANOS_S);
	assert_true(P.end[0].app.closed);
	assert_int_equal(P.end[0].app.err, EPROTO);
	assert_true(count(0, MP_REQUIRE_REFUSED) > 0);
	mpair_close(&P, 0, false);
	mpair_stop(&P);

	mpair_defaults(&P, 16);
	P.end[0].cfg.policy = MP_OFF;
	P.end[1].cfg.policy = MP_REQUIRE;
	mpair_start(&P);
	mpair_connect(&P);
	mpair_sleep(&P, NANOS_S);
	assert_true(P.end[0].app.closed);
	assert_int_equal(P.end[0].app.err, ECONNREFUSED);
	mpair_close(&P, 0, false);
	mpair_stop(&P);
}

/* --- checksums ---------------------------------------------------------- */

static int corrupt_link;
static unsigned corrupted;

static void corrupt(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (p->nr > 60 && p->seg.len > 100 && p->from == 0 && !corrupted &&
	    p->link == (unsigned)corrupt_link) {
		mpair_payload(p)[50] ^= 0x40;
		mpair_fix(p->pkt);
		corrupted++;
	}
}

/* statement 147: one subflow: MP_FAIL, infinite mapping, go on */
static void bad_checksum_alone(void **state)
{
	(void)state;
	mpair_defaults(&P, 17);
	P.mbox = corrupt;
	corrupt_link = 0;
	corrupted = 0;
	P.end[0].n_paths = 1;
	P.end[1].cfg.checksum = true;
	up(false);
	mpair_send(&P, 0, 400000, false);
	mpair_send(&P, 1, 400000, false);
	assert_true(mpair_run(&P, 30 * NANOS_S, mpair_arrived));
	assert_int_equal(corrupted, 1);
	assert_int_equal(count(1, MP_CSUM_ERROR), 1);
	assert_true(count(1, MP_FAIL_TX) > 0);
	assert_true(count(0, MP_FAIL_RX) > 0);
	is_plain(1, MP_FALLBACK_CSUM);
	is_plain(0, MP_FALLBACK_CSUM);
	assert_true(P.end[1].app.mangled); /* as TCP would have it */
	assert_false(P.end[0].app.mangled);
	finish();
}

/* statement 146: several: RST with MP_FAIL, sent again elsewhere */
static void bad_checksum_of_two(void **state)
{
	(void)state;
	mpair_defaults(&P, 18);
	P.mbox = corrupt;
	corrupt_link = 1;
	corrupted = 0;
	P.end[0].cfg.checksum = true;
	P.link[0].rate = P.link[1].rate = 1000000;
	up(true);
	transfer(1000000, 400000, 30 * NANOS_S);
	assert_int_equal(corrupted, 1);
	assert_int_equal(count(1, MP_CSUM_ERROR), 1);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
	assert_true(count(0, MP_FAIL_RX) > 0);
	finish();
}

static bool saw_csum;

static void watch_csum(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (o->have & MP_HAVE(MP_OPT_DSS) && o->dss.map) {
		saw_csum = saw_csum || o->dss.has_csum;
	}
	if (o->have & MP_HAVE(MP_OPT_CAPABLE) && o->capable.len >= 20) {
		saw_csum = saw_csum || o->capable.flags & MP_CAP_CSUM;
	}
}

/* statements 19, 20 */
static void checksums_when_either_asks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		mpair_defaults(&P, 19 + i);
		P.end[0].cfg.checksum = i & 1;
		P.end[1].cfg.checksum = i & 2;
		P.tap = watch_csum;
		saw_csum = false;
		up(true);
		transfer(300001, 300001, 20 * NANOS_S);
		assert_int_equal(saw_csum, i != 0);
		assert_int_equal(count(0, MP_CSUM_ERROR), 0);
		finish();
	}
}

/* --- sealed (smtcp(7), Fallback) ------------------------------------------ */

static void sealing(uint64_t seed, int from, uint32_t mask)
{
	stripping(seed, from, mask);
	P.end[0].cfg.crypt_policy = MP_CRYPT_PREFER;
	P.end[1].cfg.crypt_policy = MP_CRYPT_PREFER;
	P.end[0].n_paths = 1;
}

/* both go on as one stream, sealed as before */
static void alone_and_sealed(void)
{
	static struct mp_info i[2];

	for (unsigned k = 0; k < 2; k++) {
		get_info(k, &i[k]);
		assert_int_equal(i[k].mode, MP_MODE_TCP);
		assert_int_equal(i[k].sec, MP_SEC_TCPCRYPT);
		assert_true(i[k].sealed);
		assert_int_equal(i[k].n_subs, 1);
		assert_int_equal(count(k, MP_CRYPT_ALONE), 1);
		assert_false(P.end[k].app.closed);
	}
	assert_memory_equal(i[0].session_id, i[1].session_id,
			    CRYPT_SESSION_ID);
}

/* orderly: FINp and FIN, end of file on both sides */
static void sealed_end(void)
{
	mpair_send(&P, 0, 0, true);
	mpair_send(&P, 1, 0, true);
	assert_true(mpair_run(&P, 10 * NANOS_S, mpair_arrived));
	assert_int_equal(count(0, MP_CRYPT_TRUNCATED), 0);
	assert_int_equal(count(1, MP_CRYPT_TRUNCATED), 0);
	finish();
}

/* DSS never passes, one way or both; who writes first makes no difference */
static void sealed_without_dss(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		sealing(40 + i, (int)(i % 3) - 1, MP_HAVE(MP_OPT_DSS));
		up(false);
		if (i < 3) {
			transfer(300000, 300000, 60 * NANOS_S);
		} else if (i < 6) {
			transfer(300000, 0, 60 * NANOS_S);
			transfer(0, 300000, 60 * NANOS_S);
		} else {
			transfer(0, 300000, 60 * NANOS_S);
			transfer(300000, 0, 60 * NANOS_S);
		}
		alone_and_sealed();
		transfer(300000, 300000, 20 * NANOS_S);
		sealed_end();
	}
}

/* only what host B sends when it falls back says so, and it has nothing */
static void sealed_nothing_to_say(void **state)
{
	(void)state;
	sealing(50, 0, MP_HAVE(MP_OPT_DSS));
	up(false);
	transfer(300000, 0, 60 * NANOS_S);
	mpair_send(&P, 0, 0, true);
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	mpair_sleep(&P, 10 * NANOS_S);
	assert_int_equal(mp_mode(P.end[1].app.c), MP_MODE_TCP);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_TCP);
	transfer(0, 1000, 10 * NANOS_S);
	alone_and_sealed();
	finish();
}

static void sealed_third_ack_stripped(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		sealing(55 + i, 0, ALL);
		not_syn = true;
		up(false);
		transfer(i ? 0 : 200000, i ? 200000 : 0, 60 * NANOS_S);
		transfer(200000, 200000, 60 * NANOS_S);
		assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_TCP);
		assert_int_equal(mp_mode(P.end[1].app.c), MP_MODE_TCP);
		sealed_end();
	}
}

/* DSS disappears later: never plaintext, never a stream with holes; the
 * subflow goes, and host A comes back */
static void sealed_stripped_midway(void **state)
{
	(void)state;
	for (int from = -1; from < 2; from++) {
		sealing(60 + (uint64_t)(from + 1), from, MP_HAVE(MP_OPT_DSS));
		from_nr = 400;
		P.link[0].rate = 2000000;
		up(false);
		mpair_send(&P, 0, 1500000, false);
		mpair_send(&P, 1, 1500000, false);
		mpair_sleep(&P, 3 * NANOS_S);
		P.mbox = NULL;
		mpair_run(&P, 120 * NANOS_S, mpair_arrived);
		for (unsigned k = 0; k < 2; k++) {
			assert_false(P.end[k].app.mangled);
			assert_false(P.end[k].app.closed);
			assert_int_equal(P.end[k].app.got, 1500000);
		}
		finish();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_here),
		cmocka_unit_test(peer_has_none),
		cmocka_unit_test(syn_stripped),
		cmocka_unit_test(synack_stripped),
		cmocka_unit_test(third_ack_stripped),
		cmocka_unit_test(third_ack_stripped_server_first),
		cmocka_unit_test(dss_stripped_up),
		cmocka_unit_test(dss_stripped_down),
		cmocka_unit_test(stripped_midway),
		cmocka_unit_test(not_before_a_repeat),
		cmocka_unit_test(second_path_strips_syn),
		cmocka_unit_test(second_path_strips_later),
		cmocka_unit_test(syn_dropped),
		cmocka_unit_test(required),
		cmocka_unit_test(bad_checksum_alone),
		cmocka_unit_test(bad_checksum_of_two),
		cmocka_unit_test(checksums_when_either_asks),
		cmocka_unit_test(sealed_without_dss),
		cmocka_unit_test(sealed_nothing_to_say),
		cmocka_unit_test(sealed_third_ack_stripped),
		cmocka_unit_test(sealed_stripped_midway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
