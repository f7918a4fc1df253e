/* pair_one.h - one pair of ends, and what most of its tests begin and end with
 */
#ifndef TESTS_UNIT_TCP_PAIR_ONE_H
#define TESTS_UNIT_TCP_PAIR_ONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/tcp/tcb.h"
#include "tests/lib/pair.h"

static struct pair p;

/* with what was set since pair_defaults(), until both ends are established */
static inline void open_it(void)
{
	pair_start(&p);
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
}

/* a teardown: nothing arrived that was not sent, and no memory is left */
static inline int close_pair(void **state)
{
	(void)state;
	assert_true(pair_prefix_ok(&p));
	pair_stop(&p);
	return 0;
}

static inline uint64_t count(unsigned end, enum tcp_reason r)
{
	return tcp_counter(p.end[end].tcp, r);
}

#endif
