/* mp_sndbuf.h - how much of the program's data the send ring holds
 *
 * Enough to keep every path busy for the longest round trip, twice: once for
 * what is out, once for what follows while that is acknowledged.  Data of a
 * fast path waits for the head on a slow one (RFC 6182 5.3.2), so what counts
 * is the sum of the rates times the longest round trip.  It grows while a
 * writer waits, up to the send buffer, and never shrinks; a size that the
 * program chose is had at once.  The ring's memory follows what is in it.
 *
 * TCP_NOTSENT_LOWAT bounds what of it no path has taken yet.
 */
#ifndef MPTCP_MP_SNDBUF_H
#define MPTCP_MP_SNDBUF_H

#include <stdbool.h>
#include <stdint.h>

#define MP_SNDBUF_FIRST (256u << 10)

struct mp_conn;

/* conf was set, at first or anew */
void mp_sndbuf_conf(struct mp_conn *c);
/* something was acknowledged */
void mp_sndbuf_grow(struct mp_conn *c);
/* Of `free` octets of room, what a writer may have */
uint32_t mp_sndbuf_room(const struct mp_conn *c, uint32_t free);
/* octets that no path has taken yet */
uint64_t mp_sndbuf_unsent(const struct mp_conn *c);
/* no room, and there will be no more of it */
bool mp_sndbuf_full(const struct mp_conn *c);
/* the room that is worth waking a writer for: not a few octets with each
 * acknowledgement */
uint32_t mp_sndbuf_worth(const struct mp_conn *c);

#endif
