/* common.h - what the tests of this folder begin with */
#ifndef TESTS_UNIT_MPTCP_COMMON_H
#define TESTS_UNIT_MPTCP_COMMON_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/mpair.h"

static struct mpair P; /* too large for a stack frame */

/* connection up; joined: both subflows, too */
static inline void up(bool joined)
{
	mpair_start(&P);
	mpair_connect(&P);
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_established));
	if (joined) {
		mpair_send(&P, 0, 1000, false);
		assert_true(mpair_run(&P, 5 * NANOS_S, mpair_two_subs));
	}
}

static inline void transfer(uint64_t up_octets, uint64_t down_octets,
			    nanos most)
{
	mpair_send(&P, 0, up_octets, false);
	mpair_send(&P, 1, down_octets, false);
	assert_true(mpair_run(&P, most, mpair_arrived));
	assert_false(P.end[0].app.mangled);
	assert_false(P.end[1].app.mangled);
}

/* closed at both ends, and forgotten */
static inline void all_gone(void)
{
	mpair_close(&P, 0, false);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, 120 * NANOS_S, mpair_gone));
}

static inline void finish(void)
{
	all_gone();
	mpair_stop(&P);
}

static inline void get_info(unsigned end, struct mp_info *i)
{
	mp_info(P.end[end].app.c, i);
}

static inline uint64_t count(unsigned end, enum mp_reason r)
{
	return mpair_count(&P, end, r);
}

#endif
