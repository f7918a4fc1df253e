/* tcp_keep.h - what happens when nothing happens: keep-alive (RFC 9293 3.8.4),
 * probes on demand, and the end of an orphan in FIN-WAIT-2
 */
#ifndef TCP_TCP_KEEP_H
#define TCP_TCP_KEEP_H

#include "stack/base/time.h"

struct tcb;

/* INSTANT_NEVER: nothing to wait for.  May be early, never late. */
struct instant tcp_keep_deadline(const struct tcb *tcb, struct instant now);
void tcp_keep_fire(struct tcb *tcb, struct instant now);
/* a segment of this connection arrived */
void tcp_keep_heard(struct tcb *tcb);
/* the orphan entered FIN-WAIT-2 (or was orphaned there) */
void tcp_keep_orphan(struct tcb *tcb, struct instant now);

#endif
