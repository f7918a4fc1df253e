/* RFC 8684 3.3: mappings received, whatever happened to them on the way */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

/* every DSS with 32-bit numbers */
static void shorten(void *ctx, struct mpair_pkt *p)
{
	uint8_t *b = p->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;
	uint8_t *end = b - TCP_HDR_LEN + (b[-8] >> 4) * 4;

	(void)ctx;
	while (b < end && *b) {
		uint8_t len = *b == 1 ? 1 : b[1];

		if (*b == MP_OPT_KIND && b[2] >> 4 == MP_OPT_DSS) {
			struct mp_opt_dss d = p->seg.opts.mp.dss;
			struct wr w = wr_make(b, len);

			d.dsn8 = d.ack8 = false;
			memset(b, 1, len);
			assert_true(mp_opt_emit_dss(&w, &d) > 0);
			mpair_fix(p->pkt);
			return;
		}
		b += len;
	}
}

static void shorten_and_reorder(void *ctx, struct mpair_pkt *p)
{
	shorten(ctx, p);
	p->delay = (nanos)rng_below(&P.rng, 8) * NANOS_MS;
	p->drop = rng_below(&P.rng, 100) < 2;
}

static void set_idsn(unsigned from, uint64_t idsn)
{
	P.end[from].app.c->keys.idsn_local = idsn;
	P.end[!from].app.c->keys.idsn_remote = idsn;
}

/* statements 73, 75, 80, 81: across 2^32 and 2^64, both directions */
static void short_numbers_wrap(void **state)
{
	static const uint64_t at[] = { UINT64_C(0x1234fffff000),
				       UINT64_C(0xfffffffffffff000),
				       UINT64_C(0xfffff000) };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		mpair_defaults(&P, 100 + i);
		P.mbox = i < 3 ? shorten : shorten_and_reorder;
		up(false);
		set_idsn(0, at[i % 3]);
		set_idsn(1, at[(i + 1) % 3]);
		transfer(400000, 400000, 60 * NANOS_S);
		assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
		assert_int_equal(mpair_open_subs(&P, 0), 2);
		finish();
	}
}

/* 64-bit numbers over both wraps, with checksums */
static void long_numbers_wrap(void **state)
{
	(void)state;
	mpair_defaults(&P, 110);
	P.end[0].cfg.checksum = true;
	up(false);
	set_idsn(0, UINT64_C(0xffffffffffff0000));
	set_idsn(1, UINT64_C(0x00000000ffff0000));
	transfer(400000, 400000, 20 * NANOS_S);
	assert_int_equal(count(0, MP_CSUM_ERROR), 0);
	assert_int_equal(count(1, MP_CSUM_ERROR), 0);
	finish();
}

/* --- one packet is made into two, or loses its mapping ------------------- */

/* a part of a segment, with all of its options */
static void inject_part(struct mpair_pkt *p, uint32_t at, uint32_t len)
{
	const uint8_t *opt = p->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;
	unsigned opt_len = (unsigned)(mpair_payload(p) - opt);
	struct tuple t = { p->seg.t.remote, p->seg.t.local };

	mpair_inject(&P, !p->from, &t, p->seg.seq + at, p->seg.ack,
		     p->seg.flags, p->seg.wnd, opt, opt_len,
		     mpair_payload(p) + at, len);
}

/* statement 69: halves with the same option */
static void halve(void *ctx, struct mpair_pkt *p)
{
	uint32_t half = p->seg.len / 2;

	(void)ctx;
	if (p->seg.len < 200 || p->seg.flags & (TCP_SYN | TCP_FIN)) {
		return;
	}
	inject_part(p, 0, half);
	inject_part(p, half, p->seg.len - half);
	p->drop = true;
}

static void split_segments(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		mpair_defaults(&P, 120 + i);
		P.mbox = halve;
		P.end[0].cfg.checksum = i;
		up(true);
		transfer(300000, 300000, 60 * NANOS_S);
		assert_int_equal(mpair_open_subs(&P, 0), 2);
		finish();
	}
}

static uint64_t held_before, held_most;
static bool crumbled;

/* one segment comes as single octets, and the last of them is late */
static void crumble(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (crumbled) {
		held_most = max_u64(held_most, P.end[1].fake.mem.used);
	}
	if (crumbled || p->from == 1 || p->seg.len < 1000) {
		return;
	}
	crumbled = true;
	held_before = P.end[1].fake.mem.used;
	for (uint32_t i = 0; i + 1 < p->seg.len; i++) {
		inject_part(p, i, 1);
	}
	p->drop = true;
}

/* What waits for its checksum takes memory by its length, not by the number of
 * segments that it came in. */
static void crumbs_share_memory(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		mpair_defaults(&P, 125 + i);
		P.mbox = crumble;
		P.end[0].cfg.checksum = i;
		crumbled = false;
		held_most = 0;
		up(true);
		transfer(20000, 0, 60 * NANOS_S);
		assert_true(crumbled);
		assert_int_equal(count(1, MP_CSUM_ERROR), 0);
		assert_true(held_most - held_before < 8000);
		finish();
	}
}

static unsigned stripped;

/* one segment of the second subflow loses its option (statement 70) */
static void strip_one(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (p->link == 1 && p->from == 0 && p->seg.len == 1420 &&
	    stripped < 1) {
		stripped++;
		mpair_strip(p, MP_HAVE(MP_OPT_DSS));
	}
}

/* The mapping comes again with another segment of the burst, or the data by
 * the other subflow; nothing is lost, nothing is delivered twice. */
static void one_mapping_lost(void **state)
{
	(void)state;
	mpair_defaults(&P, 130);
	P.mbox = strip_one;
	P.link[0].rate = P.link[1].rate = 1000000;
	stripped = 0;
	up(true);
	transfer(2000000, 100000, 60 * NANOS_S);
	assert_int_equal(stripped, 1);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
	finish();
}

static void strip_all_of_second(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (p->link == 1 && p->from == 0 && p->seg.len) {
		mpair_strip(p, MP_HAVE(MP_OPT_DSS));
	}
}

/* statement 77: no mapping arrives: RST, and the data goes elsewhere */
static void no_mapping_ever(void **state)
{
	(void)state;
	mpair_defaults(&P, 131);
	P.link[0].rate = P.link[1].rate = 1000000;
	up(true);
	P.mbox = strip_all_of_second;
	transfer(2000000, 100000, 60 * NANOS_S);
	mpair_sleep(&P, 5 * NANOS_S);
	assert_true(count(1, MP_DSS_NO_MAP) > 0);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	finish();
}

/* --- surplus and missing checksums ------------------------------------------ */

static bool lie_checksum;

static void toggle_checksum(void *ctx, struct mpair_pkt *p)
{
	uint8_t *b = p->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;
	uint8_t *end = b - TCP_HDR_LEN + (b[-8] >> 4) * 4;

	(void)ctx;
	if (!lie_checksum || p->link != 1 || p->from != 0 || !p->seg.len) {
		return;
	}
	while (b < end && *b) {
		uint8_t len = *b == 1 ? 1 : b[1];

		if (*b == MP_OPT_KIND && b[2] >> 4 == MP_OPT_DSS) {
			struct mp_opt_dss d = p->seg.opts.mp.dss;
			struct wr w = wr_make(b, len);

			d.ack = false; /* room for two more */
			d.has_csum = !d.has_csum;
			memset(b, 1, len);
			assert_true(mp_opt_emit_dss(&w, &d) > 0);
			mpair_fix(p->pkt);
			return;
		}
		b += len;
	}
}

/* statements 64, 65 */
static void checksum_not_as_agreed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		mpair_defaults(&P, 140 + i);
		P.mbox = toggle_checksum;
		lie_checksum = false;
		P.end[0].cfg.checksum = i;
		P.link[0].rate = P.link[1].rate = 1000000;
		up(true);
		lie_checksum = true;
		transfer(1000000, 10000, 30 * NANOS_S);
		assert_true(count(1, MP_DSS_CORRUPT) > 0);
		assert_true(count(0, MP_RST_RX) > 0);
		lie_checksum = false;
		finish();
	}
}

/* --- windows --------------------------------------------------------------------- */

static void window_stays_open_while_read(void **state)
{
	(void)state;
	mpair_defaults(&P, 150);
	P.link[0].rate = P.link[1].rate = 12500000;
	P.link[0].delay = P.link[1].delay = 40 * NANOS_MS;
	P.link[0].queue_max = P.link[1].queue_max = 2 << 20;
	up(true);
	/* two paths of 1 MB bandwidth-delay product each: the window and the
	 * ring must grow to carry both */
	nanos t0 = P.now.ns;
	transfer(40000000, 0, 20 * NANOS_S);
	assert_true(P.now.ns - t0 < 3 * NANOS_S);
	finish();
}

static void random_drops(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	p->drop = rng_below(&P.rng, 200) == 0;
}

/* memory is refused here and there: nothing breaks, nothing leaks */
static void memory_refused(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 400; n += 3) {
		mpair_defaults(&P, 160 + n);
		P.mbox = random_drops;
		mpair_start(&P);
		mpair_connect(&P);
		P.end[1].fake.fail_at = n;
		P.end[0].fake.fail_at = n % 60 + 1;
		mpair_run(&P, 5 * NANOS_S, mpair_established);
		mpair_send(&P, 0, 60000, true);
		mpair_send(&P, 1, 60000, true);
		mpair_run(&P, 30 * NANOS_S, mpair_arrived);
		assert_false(P.end[0].app.mangled);
		assert_false(P.end[1].app.mangled);
		mpair_close(&P, 0, false);
		mpair_close(&P, 1, false);
		mpair_sleep(&P, 10 * NANOS_S);
		mpair_stop(&P);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_numbers_wrap),
		cmocka_unit_test(long_numbers_wrap),
		cmocka_unit_test(split_segments),
		cmocka_unit_test(crumbs_share_memory),
		cmocka_unit_test(one_mapping_lost),
		cmocka_unit_test(no_mapping_ever),
		cmocka_unit_test(checksum_not_as_agreed),
		cmocka_unit_test(window_stays_open_while_read),
		cmocka_unit_test(memory_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
