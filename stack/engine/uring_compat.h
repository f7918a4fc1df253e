/* uring_compat.h - what the kernel has and liburing 2.3 does not name
 *
 * Numbers of the kernel's own interface; probed before they are used.
 */
#ifndef ENGINE_URING_COMPAT_H
#define ENGINE_URING_COMPAT_H

#include <errno.h>
#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

/* since Linux 6.7: one read of a pollable file that yields a completion, with
 * a buffer of a provided ring, each time that something can be read */
#define URING_OP_READ_MULTISHOT 49

/* since Linux 5.19, the version that brought multishot accept, which has no
 * feature flag of its own: known opcode means known multishot */
#define URING_OP_SOCKET 45

static inline void uring_prep_read_multishot(struct io_uring_sqe *sqe, int fd,
					     uint16_t group)
{
	io_uring_prep_rw(URING_OP_READ_MULTISHOT, sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = group;
}

/* liburing 2.3 declares io_uring_enable_rings() and
 * io_uring_register_restrictions() and its shared object lacks both; 0 or
 * errno */
static inline int uring_register(const struct io_uring *ring, unsigned opcode,
				 const void *arg, unsigned n)
{
	long r = syscall(__NR_io_uring_register, ring->ring_fd, opcode, arg, n);

	return r < 0 ? errno : 0;
}

#endif
