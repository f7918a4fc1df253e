/* RFC 8684 3.1: SYNs with MP_CAPABLE, and listeners */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct {
	bool synack, capable;
	struct mp_opt_capable cap;
} seen;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (p->seg.flags == (TCP_SYN | TCP_ACK)) {
		seen.synack = true;
		seen.capable = o->have & MP_HAVE(MP_OPT_CAPABLE);
		seen.cap = o->capable;
	}
}

static void start(uint64_t seed)
{
	memset(&seen, 0, sizeof(seen));
	mpair_defaults(&P, seed);
	P.tap = watch;
}

static void answer_to(uint8_t len, uint8_t version, uint8_t flags)
{
	uint8_t opt[24] = { 30, len, version, flags };
	struct tuple t;

	mpair_sleep(&P, 10 * NANOS_MS);
	seen.synack = false;
	t.local = endpoint_make(P.end[0].addr[0], (uint16_t)(5000 + P.nr));
	t.remote = endpoint_make(P.end[1].addr[0], 80);
	mpair_inject(&P, 1, &t, 1, 0, TCP_SYN, 65535, opt, len, NULL, 0);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_true(seen.synack);
}

/* statements 10, 13..16, 24, 26 */
static void syn_forms(void **state)
{
	static const struct {
		uint8_t len, version, flags;
		bool yes;
	} t[] = {
		{ 4, 1, 0x01, true },  { 4, 1, 0x03, true },
		{ 4, 2, 0x01, true },  { 4, 1, 0x81, true },
		{ 4, 1, 0x21, true },  { 4, 1, 0x00, false },
		{ 4, 1, 0x02, false }, { 4, 1, 0x41, false },
		{ 4, 0, 0x01, false }, { 12, 0, 0x01, false },
		{ 12, 1, 0x01, false }, { 20, 1, 0x01, false },
	};

	(void)state;
	start(1);
	up(false);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		answer_to(t[i].len, t[i].version, t[i].flags);
		assert_int_equal(seen.capable, t[i].yes);
		if (t[i].yes) {
			/* statement 2: and exactly one algorithm */
			assert_int_equal(seen.cap.len, 12);
			assert_int_equal(seen.cap.version, 1);
			assert_int_equal(seen.cap.flags,
					 MP_CAP_SHA256 |
						 (t[i].flags & MP_CAP_CSUM));
		}
	}
	mpair_stop(&P);
}

static void unlistened_while_opening(void **state)
{
	(void)state;
	start(24);
	mpair_start(&P);
	mpair_connect(&P);
	mpair_sleep(&P, 6 * NANOS_MS); /* SYN arrived, third ACK not */
	mp_unlisten(P.end[1].mp, P.end[1].listener);
	P.end[1].listener = NULL;
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_count_conns(P.end[1].mp), 0);
	assert_true(P.end[0].app.closed);
	mpair_close(&P, 0, false);
	mpair_sleep(&P, NANOS_S);
	mpair_stop(&P);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_forms),
		cmocka_unit_test(unlistened_while_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
