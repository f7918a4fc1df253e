/* mp_idle.h - connections at rest give their buffers back
 *
 * Rings, maps and tables are made when data moves and kept while it does: a
 * request every second must not pay for them anew.  Whoever had no turn for
 * MP_IDLE_STEP to twice that, and holds no octet, gives them back.  One timer
 * serves all connections, and it stops when none is left to look at: what rests
 * costs no time.
 */
#ifndef MPTCP_MP_IDLE_H
#define MPTCP_MP_IDLE_H

#include <stdbool.h>

#include "stack/base/env.h"
#include "stack/base/list.h"
#include "stack/base/wheel.h"

struct mp_conn;

#define MP_IDLE_STEP NANOS_S

struct mp_idle {
	struct wheel *wheel;
	struct wheel_timer timer;
	struct mem *mem; /* told of a rest */
	struct list conns; /* struct mp_idle_conn.node: may have buffers */
};

/* part of a connection */
struct mp_idle_conn {
	struct list node;
	bool busy; /* had a turn since the timer looked */
};

void mp_idle_init(struct mp_idle *i, struct wheel *wheel, struct mem *mem);
void mp_idle_fini(struct mp_idle *i);
/* the connection had a turn */
void mp_idle_turn(struct mp_conn *c, struct instant now);
/* gives back what holds nothing, at once */
void mp_idle_trim(struct mp_conn *c);

#endif
