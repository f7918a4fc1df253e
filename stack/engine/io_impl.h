/* io_impl.h - private to io*.c: what the two implementations share */
#ifndef ENGINE_IO_IMPL_H
#define ENGINE_IO_IMPL_H

#include "stack/engine/io.h"

enum io_kind {
	IO_KIND_RECV, /* op->msg */
	IO_KIND_SEND, /* op->msg */
	IO_KIND_POLL, /* op->arg: events; IO_KIND_POLL_MULTI again and again */
	IO_KIND_POLL_MULTI,
	IO_KIND_ACCEPT,
};

struct io_tun;

struct io_ops {
	enum io_backend backend;
	void (*free)(struct io *io);
	int (*seal)(struct io *io);
	void (*start)(struct io *io, struct io_op *op);
	void (*cancel)(struct io *io, struct io_op *op);
	int (*tun_start)(struct io *io, struct io_tun *t); /* 0 or errno */
	void (*tun_stop)(struct io *io, struct io_tun *t);
	bool (*tun_write)(struct io *io, struct io_tun *t,
			  const struct pkt_out *p);
	void (*flush)(struct io *io);
	void (*turn)(struct io *io, struct instant deadline);
};

#define IO_WHY_MAX 160

struct io {
	const struct io_ops *ops;
	struct instant now;
	struct mem *mem;  /* of packets beyond a pool; NULL: the system's */
	struct list tuns; /* struct io_tun, also stopped ones */
	struct io_stats stats;
	uint64_t reasons[IO_REASON_N];
	char why[IO_WHY_MAX]; /* why not io_uring */
};

/* NULL and errno; why is filled in */
struct io *io_uring_open(char why[IO_WHY_MAX]);
struct io *io_epoll_open(void);

/* the last call for this start: op is no longer pending */
static inline void io_finish(struct io *io, struct io_op *op, int res)
{
	io->stats.completions++;
	op->pending = false;
	op->done(op, res, 0);
}

#endif
