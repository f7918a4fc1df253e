/* wait.h - blocking without end is allowed only while the stack lives */
#ifndef SHIM_WAIT_H
#define SHIM_WAIT_H

/* Before a native accept() of any descriptor.  0: go on.  For a blocking
 * listener of the run: waits for a connection; EINTR, EAGAIN (SO_RCVTIMEO) or
 * ENETDOWN when the stack has died. */
int wait_accept(int fd);

/* Waits until a pending connect has ended, restarting after signals as
 * connect() does: 0 ended, EINTR, EAGAIN (SO_SNDTIMEO). */
int wait_connected(int fd);

#endif
