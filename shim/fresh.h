/* fresh.h - making the sockets that a program or the stack asks for */
#ifndef SHIM_FRESH_H
#define SHIM_FRESH_H

#include <stdint.h>

#include "shim/ask.h"
#include "shim/whose.h"

/* An unconnected AF_UNIX stream socket with a name of the run: the descriptor,
 * or -1 with errno.  flags: SOCK_NONBLOCK, SOCK_CLOEXEC. */
int fresh_socket(uint8_t family, int flags);

/* Puts a new socket in the place of one that was connected before: same
 * number, same flags and timeouts, and the same name, unless another
 * descriptor still holds that (w gets the new one).  It takes the old one's
 * place in epoll sets.  0 or errno. */
int fresh_renew(int fd, struct whose *w);

/* A kernel TCP socket for a connection that the stack does not carry itself,
 * with the options that a->p tells; bound to a->q.addr, which then holds the
 * port it got, when bind is true.  The descriptor, or -1 with errno. */
int fresh_kernel(struct ask *a, bool bind);

/* Room for what a program writes: each write to an AF_UNIX socket is charged
 * at least 768 octets, so the default holds 278 small ones.  Not while a
 * pending connect keeps the buffer full, and not when the program chose. */
void fresh_roomy(int fd);
void fresh_enlarge(int fd); /* of a socket of which both are known */
/* the same for a socket just accepted, which inherits what the listener has:
 * its size, its time-outs */
void fresh_accepted(int fd, int listener);
#define FRESH_SNDBUF (2 << 20) /* the kernel doubles it */
/* TCP_INQ is on: kept where a descriptor can keep it, in an option of the
 * AF_UNIX socket that means nothing to a stream */
#define FRESH_INQ SO_RXQ_OVFL
/* most while a connect is pending, as the kernel counts before doubling */
#define FRESH_PENDING 106496

#endif
