/* tcp_saved.h - TCP_SAVE_SYN: the headers of the SYN that began a connection
 *
 * Kept for who asks: one piece of memory, with the connection until its owner
 * takes it.  A SYN that was answered with a cookie is gone when its connection
 * begins, and has none, as on Linux.
 */
#ifndef TCP_TCP_SAVED_H
#define TCP_TCP_SAVED_H

#include "stack/tcp/tcp.h"

#define TCP_SAVED_MAX 512 /* octets; of a longer one nothing is kept */

/* NULL: nothing to keep, or no memory */
struct tcp_saved *tcp_saved_make(struct mem *mem, const struct tcp_seg *syn);

#endif
