/* io.h - asynchronous operations of the engine's loop, by io_uring or epoll
 *
 * Everything is an operation with a completion: start it, and done() is called
 * from io_turn() exactly once (multishot: until a call without IO_MORE).  The
 * struct io_op and the memory it points to must live until then.  Starting an
 * operation never completes it inline.
 */
#ifndef ENGINE_IO_H
#define ENGINE_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"
#include "stack/base/time.h"

struct io;

#define IO_MORE 1u /* this multishot operation stays armed */

struct io_op {
	/* res: octets, a descriptor, poll events; or a negative errno
	 * (-ECANCELED after io_cancel()) */
	void (*done)(struct io_op *op, int res, unsigned flags);
	/* private to the implementation */
	struct list node;
	uint8_t kind;
	bool pending, cancelled;
	int fd;
	uint32_t arg;
	struct iovec iov[18];
	struct msghdr msg;
	uint64_t priv[4];
};

enum io_backend {
	IO_AUTO, /* io_uring; epoll where it is refused */
	IO_URING,
	IO_EPOLL,
};

/* NULL and errno: neither works */
struct io *io_new(enum io_backend want);
/* Packets that are kept for so long that a pool runs short are charged to mem,
 * or a peer could have more kept than its limit.  It outlives all packets. */
void io_set_mem(struct io *io, struct mem *mem);
void io_free(struct io *io);
enum io_backend io_backend(const struct io *io);
/* why not io_uring: "" or a reason in words */
const char *io_why(const struct io *io);

/* recv(2) into one buffer: at least 1 octet, 0 at EOF.  Descriptors that come
 * along are discarded by the kernel (no control buffer). */
void io_recv(struct io *io, struct io_op *op, int fd, void *p, uint32_t n);
void io_recvv(struct io *io, struct io_op *op, int fd, const struct iovec *v,
	      unsigned n);
/* sendmsg(2) with MSG_NOSIGNAL; may be short; up to 16 pieces, copied into op */
void io_sendv(struct io *io, struct io_op *op, int fd, const struct iovec *v,
	      unsigned n);
/* POLL*; multi: reports again and again */
void io_poll(struct io *io, struct io_op *op, int fd, uint32_t events,
	     bool multi);
/* multishot accept4(SOCK_NONBLOCK|SOCK_CLOEXEC): res is the new descriptor */
void io_accept(struct io *io, struct io_op *op, int fd);
/* done() will come with -ECANCELED, or with a result that was faster.  The
 * descriptor may be closed as soon as this returned, not before: an operation
 * that has not begun would act on whatever gets the number next. */
void io_cancel(struct io *io, struct io_op *op);

static inline bool io_pending(const struct io_op *op)
{
	return op->pending;
}

/* --- TUN devices ---------------------------------------------------------- */

/* Reads packets (with virtio-net header) from a TUN queue for ever: rx gets
 * one reference of a filled-in pkt (dev set to `path`). */
struct io_tun;
struct io_tun *io_tun_start(struct io *io, int fd, uint16_t path,
			    void (*rx)(void *ctx, struct pkt *p), void *ctx,
			    void (*dead)(void *ctx, int err));
void io_tun_stop(struct io *io, struct io_tun *t);
/* Queues a packet for writing; the contents must stay until io_flush()
 * returned.  False: the batch is full, flush first. */
bool io_tun_write(struct io *io, struct io_tun *t, const struct pkt_out *p);
/* Submits everything queued and waits until all TUN writes are done (they
 * complete inline); also starts what io_recv() etc. queued.  One submission.
 * Errors of single packets are counted, not returned. */
void io_flush(struct io *io);

/* Nothing new from here on: the ring is limited to the operations that it
 * uses (io_uring would bypass a seccomp filter).  To be called before the first
 * io_turn() or io_flush(); after it no io_tun_start().  Returns 0, or an errno
 * when the kernel cannot limit the ring. */
int io_seal(struct io *io);

/* what became of packets between the device and the core */
#define IO_REASONS(X)                                                       \
	X(IO_TUN_SHORT, "TunDropShort",                                     \
	  "packet from a TUN device shorter than its virtio header")        \
	X(IO_TUN_GSO, "TunDropGso",                                         \
	  "virtio header with an impossible or unasked segmentation type")  \
	X(IO_TUN_CSUM, "TunDropCsum",                                       \
	  "virtio header with a checksum outside of the packet")            \
	X(IO_TUN_NOMEM, "TunDropNoMem",                                     \
	  "packet dropped: no memory for a copy while buffers were scarce") \
	X(IO_TUN_COPIED, "TunCopied",                                       \
	  "packets copied because too many buffers were held")              \
	X(IO_TUN_REARM, "TunRearm",                                         \
	  "times that reading had to be started again")                     \
	X(IO_TUN_WRITE, "TunOutErrors", "packets that a TUN device refused")

enum io_reason {
#define X(id, name, text) id,
	IO_REASONS(X)
#undef X
	IO_REASON_N
};

const char *io_reason_name(enum io_reason r);
const char *io_reason_text(enum io_reason r);
uint64_t io_counter(const struct io *io, enum io_reason r);

struct io_stats {
	uint64_t syscalls, turns, tun_in, tun_out, tun_out_errors, completions;
};
const struct io_stats *io_stats(const struct io *io);

/* One turn: submit what is queued, wait until something completes or the
 * deadline, call done() for all completions.  The clock is CLOCK_MONOTONIC. */
void io_turn(struct io *io, struct instant deadline);
/* the clock as read once after the wait of the current turn: `now` for
 * everything done() handlers call */
struct instant io_time(const struct io *io);
struct instant io_now(void);

#endif
