/* mp_watch.h - a peer that may seal where we do not: its first octets tell
 * (RFC 8547 4.6, smtcp(7), What is stripped)
 *
 * ENO was gone from the peer's ACK, or from its SYN when that came again, so
 * encryption is off here; but our ENO was under way, and if the path took the
 * peer's, the peer seals.  Its stream then begins with Init1, which is nothing
 * for a program: the connection ends.  First octets that are those of Init1, but
 * too few to tell, are held back until the next ones come: at most three, for
 * at most MP_WATCH_WAIT, not where the stream ends behind them, and not before
 * urgent data.  Held or not, the magic is looked for until it is whole or
 * another octet has come.
 */
#ifndef MPTCP_MP_WATCH_H
#define MPTCP_MP_WATCH_H

#include <stdbool.h>

#include "stack/base/time.h"

struct mp_conn;
struct mp_sub;
struct tcp_seg;

/* Who lost the rest sends it again within this: the first RTO (RFC 6298 2.1). */
#define MP_WATCH_WAIT NANOS_S

enum mp_watch {
	MP_WATCH_OFF,
	MP_WATCH_FIRST, /* nothing has come */
	MP_WATCH_HELD,  /* nothing that is here may be read */
	MP_WATCH_LATE,  /* it was held long enough */
};

/* A segment, before TCP takes it: the stream begins in it, with all of the
 * magic.  Then nobody has to learn of the connection. */
bool mp_watch_opens(const struct mp_sub *s, const struct tcp_seg *seg);
/* Octets were queued.  false: Init1; the connection was ended, and what is
 * queued will not be read. */
bool mp_watch_queued(struct mp_conn *c, struct instant now);
/* what is held may be read: the stream ends, or it was held long enough */
void mp_watch_release(struct mp_conn *c);

#endif
