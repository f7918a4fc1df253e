/* chan_msg.h - requests of the shim to the stack process, and answers
 *
 * One request per connection to the run's CTL name (SOCK_SEQPACKET): connect,
 * send one struct chan_req (with descriptors by SCM_RIGHTS where said), receive
 * one struct chan_rep, close.  Both ends run on one machine and are built
 * together: the structs are the format; CHAN_MSG_VERSION changes with them.
 *
 * Which socket: kind and id of its name (CHAN_KIND_SOCK for sockets of the
 * program's own, CHAN_KIND_CONN for accepted ones).  The stack makes an entry
 * for an unknown SOCK id at the first request that names it.
 *
 * CHAN_OP_BEGIN alone has no connection of its own and no answer: it is the
 * beginning of the stream of the socket that it is about.
 *
 * Kernel sockets: where an address is out of the stack's scope (loopback,
 * excluded networks, a wildcard listener's local clients) the stack process
 * carries the connection over an ordinary kernel socket.  That socket is made,
 * and bound, by the shim in the program's own process (its network namespace,
 * its user, its right to low ports) and handed over: the stack answers
 * CHAN_NEED_KERNEL, and the shim repeats the request with it.
 */
#ifndef CHAN_CHAN_MSG_H
#define CHAN_CHAN_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/chan/chan_name.h"

#define CHAN_MSG_VERSION 3
#define CHAN_MSG_MAGIC   0x4d504348u
#define CHAN_VAL_MAX     512
#define CHAN_OPT_REPLAY  48

enum chan_op {
	/* fd[0]: the program's socket.  addr: destination.  Second try:
	 * fd[1]: a kernel socket, unbound or as bound before.
	 * The stack connects fd[0] to its DATA listener itself, stuffs its send
	 * buffer until EAGAIN and keeps no duplicate.  Answer: 0, EINPROGRESS
	 * (the handshake runs: the socket polls writable when it ended; then
	 * ask CHAN_OP_ERROR), or an error for the caller.  local is set.
	 * A blocking connect() is this, a wait for POLLOUT, then ERROR.
	 * addr.family 0 is AF_UNSPEC: drop the connection; answer 0, and the
	 * entry lives on unconnected, as after a failed attempt.
	 * Answer CHAN_NEED_FRESH: the entry is unconnected, but fd[0] was
	 * connected before (connect() on it says EISCONN or EINVAL) and no
	 * AF_UNIX socket connects twice.  The shim puts a new one of the same
	 * name in its place and repeats. */
	CHAN_OP_CONNECT = 1,
	/* addr.  Answer CHAN_NEED_KERNEL: make a kernel socket, replay opts,
	 * bind it to addr (its error is the program's) and repeat with fd[0] =
	 * that socket; addr then holds the port it got.  EADDRINUSE with
	 * CHAN_F_AGAIN: port 0 was asked and the stack cannot have the same
	 * port: try another. */
	CHAN_OP_BIND,
	/* level: backlog.  Sent after the program's socket listens natively.
	 * On an unbound socket as CHAN_OP_BIND to the wildcard, port 0, first. */
	CHAN_OP_LISTEN,
	/* local and remote of the socket; ENOTCONN is told by remote.addr
	 * .family 0, "unbound" by local.port 0 */
	CHAN_OP_NAMES,
	CHAN_OP_SETSOCKOPT, /* level, name, val, len */
	CHAN_OP_GETSOCKOPT, /* level, name, len: the caller's buffer size */
	/* level: SHUT_*.  Answer ENOTCONN, or 0; the shim then does the native
	 * shutdown too (SHUT_RD not: the stack discards instead) */
	CHAN_OP_SHUTDOWN,
	/* why did a read return 0 with POLLHUP: 0 a true end, else the errno.
	 * Reading it consumes it as a read of a reset socket does: the second
	 * answer is 0 */
	CHAN_OP_WHY,
	/* SO_ERROR: returns in val (int) and clears.  Octets behind the int
	 * are a line about this connection for the program's standard error,
	 * without prefix and newline; it is given out once. */
	CHAN_OP_ERROR,
	/* val: int; name: SIOCOUTQ (unacknowledged) or SIOCOUTQNSD (unsent) */
	CHAN_OP_OUTQ,
	CHAN_OP_URGENT, /* MSG_OOB: what was written so far ends urgent data */
	CHAN_OP_HELLO,  /* the run is alive?  nothing else; level: CHAN_MSG_VERSION */
	/* connect() that does not wait.  The program's socket is connected to
	 * the DATA listener by the shim, and this is what it sends first; addr:
	 * destination, one that CHAN_F_QUICK was told of.  Behind it, from the
	 * same sendmsg(), len - 1 octets that keep the send buffer full, and one
	 * more as a message of its own.  The stack takes them out when the
	 * handshake has ended, the last one when it has no line for standard
	 * error either: what SIOCOUTQ counts means "ask CHAN_OP_ERROR".
	 * Whatever fails is told as a failed handshake is: the stack closes its
	 * end, and answers CHAN_OP_ERROR. */
	CHAN_OP_BEGIN,
};

#define CHAN_NEED_KERNEL 10001 /* in chan_rep.err: beside errno values */
#define CHAN_NEED_FRESH  10002

#define CHAN_F_NONBLOCK 1u /* request: the descriptor is O_NONBLOCK */
#define CHAN_F_AGAIN    2u /* answer to BIND */
#define CHAN_F_KERNEL   4u /* answer: this socket is carried by the kernel */
#define CHAN_F_QUICK    8u /* answer to CONNECT: next time BEGIN will do */

#define CHAN_STUFF_MAX (1u << 20) /* most that a BEGIN may have behind it */

struct chan_req {
	uint32_t magic, version;
	uint8_t secret[CHAN_SECRET_LEN];
	uint8_t op, kind, family, n_fd;
	uint32_t flags;
	uint64_t id;
	int32_t level, name;
	uint32_t len; /* of val, or the caller's buffer for GETSOCKOPT */
	uint32_t scope_id; /* IPv6 */
	uint32_t early;    /* options of a fresh socket, to be set before this
			    * is done: chan_early.h */
	struct endpoint addr;
	uint8_t val[CHAN_VAL_MAX]; /* only len octets are sent */
};

/* an option set earlier that a kernel socket needs before bind or connect */
struct chan_opt {
	int32_t level, name;
	uint32_t len; /* at most 32 */
	uint8_t val[32];
};

struct chan_rep {
	uint32_t magic;
	int32_t err; /* 0, errno, CHAN_NEED_KERNEL */
	uint32_t flags;
	uint32_t len; /* of val; GETSOCKOPT: may exceed the buffer asked */
	struct endpoint local, remote;
	uint32_t n_opt;
	struct chan_opt opt[CHAN_OPT_REPLAY];
	uint8_t val[CHAN_VAL_MAX];
};

/* --- helpers of both ends (chan_msg.c) ----------------------------------- */

enum chan_bad {
	CHAN_GOOD,
	CHAN_BAD_FORMAT,
	CHAN_BAD_SECRET,
	CHAN_BAD_VERSION,
};

/* in constant time */
bool chan_secret_eq(const uint8_t a[CHAN_SECRET_LEN],
		    const uint8_t b[CHAN_SECRET_LEN]);
/* clears all but val; sock may be NULL (HELLO) */
void chan_req_init(struct chan_req *q, const struct chan_run *run,
		   enum chan_op op, const struct chan_name *sock);
/* octets to send: without the unused end of val */
size_t chan_req_size(const struct chan_req *q);
/* got: octets received, of a struct cleared or not; lengths first, then the
 * secret, before anything else is looked at */
enum chan_bad chan_req_check(const struct chan_req *q, size_t got,
			     const struct chan_run *run);
size_t chan_rep_size(const struct chan_rep *p);
bool chan_rep_ok(const struct chan_rep *p, size_t got);
const char *chan_op_name(unsigned op); /* "?" when unknown */

#endif
