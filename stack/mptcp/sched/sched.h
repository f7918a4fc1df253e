/* sched.h - which subflow carries the next burst (RFC 8684 3.3.8) */
#ifndef MPTCP_SCHED_SCHED_H
#define MPTCP_SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct mp_conn;
struct mp_sub;

struct sched_ops {
	const char *name;
	/* A usable subflow with room for new data, or NULL.  not: a subflow
	 * that must not be taken (reinjection), or NULL. */
	struct mp_sub *(*pick)(struct mp_conn *c, const struct mp_sub *not);
};

extern const struct sched_ops sched_minrtt;

/* NULL name: the default; NULL result: unknown */
const struct sched_ops *sched_find(const char *name);

#endif
