/* tapped.h - whole sealed connections under the eyes of sealtap */
#ifndef TESTS_UNIT_MPTCP_TAPPED_H
#define TESTS_UNIT_MPTCP_TAPPED_H

#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "tests/lib/sealtap.h"

static struct sealtap T;

static inline void tap(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	sealtap_packet(&T, p);
}

/* between mpair_defaults() and mpair_start() */
static inline void tapped_defaults(uint64_t seed)
{
	mpair_defaults(&P, seed);
	sealtap_init(&T);
	P.tap = tap;
	for (unsigned i = 0; i < 2; i++) {
		P.end[i].cfg.crypt_policy = MP_CRYPT_PREFER;
	}
}

static inline void tapped_one_path(uint64_t seed)
{
	tapped_defaults(seed);
	P.end[0].n_paths = 1;
}

static inline struct mp_conn *tapped_conn(unsigned end)
{
	return P.end[end].app.c;
}

/* an orderly end, and what the wire has shown */
static inline void tapped_close(void)
{
	all_gone();
	assert_int_equal(P.end[0].app.err, 0);
	assert_int_equal(P.end[1].app.err, 0);
	sealtap_check(&T);
	sealtap_fini(&T);
	mpair_stop(&P);
}

#endif
