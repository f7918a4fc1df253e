/* tcp_persist.h - probing a shut window (RFC 9293 3.8.6.1), and the override
 * timeout for one that is open a little (3.8.6.2.1)
 */
#ifndef TCP_TCP_PERSIST_H
#define TCP_TCP_PERSIST_H

#include <stdbool.h>

#include "stack/base/time.h"

struct tcb;

/* nothing is out, something waits, and something keeps it back */
bool tcp_persist_wanted(const struct tcb *tcb);
/* when the next probe is due, counted from now */
struct instant tcp_persist_next(const struct tcb *tcb, struct instant now);
/* the timer fired: a probe is owed, or the connection ends */
void tcp_persist_fire(struct tcb *tcb, struct instant now);
/* any acceptable segment: the peer is alive; moved: its window opened */
void tcp_persist_heard(struct tcb *tcb, bool moved);

#endif
