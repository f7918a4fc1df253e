/* end.h - what a read or write that did not move any octets means
 *
 * Called only then, so data costs nothing.  An AF_UNIX socket says end of file
 * and EPIPE where TCP tells how a connection ended: a reset must never look
 * like the end of the data.
 */
#ifndef SHIM_END_H
#define SHIM_END_H

#include <stdbool.h>
#include <sys/types.h>

/* got, errno: what the C library's call returned; asked: octets of room.
 * Returns what the program sees. */
ssize_t end_read(int fd, ssize_t got, size_t asked);

/* The same for a failed write (got is -1).  quiet: MSG_NOSIGNAL was the
 * program's wish.  signalled: the kernel has already sent SIGPIPE where it
 * does so. */
ssize_t end_write(int fd, bool quiet, bool signalled);

#endif
