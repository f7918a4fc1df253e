#include "stack/engine/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stack/base/check.h"
#include "stack/base/reasons.h"
#include "stack/engine/io_impl.h"
#include "stack/engine/io_tun.h"

static const struct reason reasons[] = { IO_REASONS(REASON) };

const char *io_reason_name(enum io_reason r)
{
	return reasons[r].name;
}

const char *io_reason_text(enum io_reason r)
{
	return reasons[r].text;
}

uint64_t io_counter(const struct io *io, enum io_reason r)
{
	return io->reasons[r];
}

struct io *io_new(enum io_backend want)
{
	char why[IO_WHY_MAX] = "";
	struct io *io = NULL;

	if (want != IO_EPOLL) {
		io = io_uring_open(why);
	}
	if (!io && want != IO_URING) {
		io = io_epoll_open();
	}
	if (!io) {
		return NULL;
	}
	list_init(&io->tuns);
	io->now = io_now();
	if (io->ops->backend == IO_EPOLL) {
		memcpy(io->why, why, sizeof(io->why));
	}
	return io;
}

void io_set_mem(struct io *io, struct mem *mem)
{
	io->mem = mem;
}

void io_free(struct io *io)
{
	struct list tuns;

	if (!io) {
		return;
	}
	/* the implementation goes first: it may still refer to buffers */
	list_init(&tuns);
	if (!list_empty(&io->tuns)) {
		list_insert(&io->tuns, &tuns);
		list_del(&io->tuns);
	}
	io->ops->free(io);
	list_each_safe (p, &tuns) {
		io_tun_free(list_entry(p, struct io_tun, node));
	}
}

enum io_backend io_backend(const struct io *io)
{
	return io->ops->backend;
}

const char *io_why(const struct io *io)
{
	return io->why;
}

static void start(struct io *io, struct io_op *op, int fd, enum io_kind kind)
{
	check(!op->pending);
	op->fd = fd;
	op->kind = (uint8_t)kind;
	op->pending = true;
	op->cancelled = false;
	list_init(&op->node);
	io->ops->start(io, op);
}

static void start_msg(struct io *io, struct io_op *op, int fd,
		      const struct iovec *v, unsigned n, enum io_kind kind)
{
	check(n > 0 && n <= ARRAY_SIZE(op->iov));
	memcpy(op->iov, v, n * sizeof(*v));
	memset(&op->msg, 0, sizeof(op->msg));
	op->msg.msg_iov = op->iov;
	op->msg.msg_iovlen = n;
	start(io, op, fd, kind);
}

void io_recv(struct io *io, struct io_op *op, int fd, void *p, uint32_t n)
{
	struct iovec v = { p, n };

	start_msg(io, op, fd, &v, 1, IO_KIND_RECV);
}

void io_recvv(struct io *io, struct io_op *op, int fd, const struct iovec *v,
	      unsigned n)
{
	start_msg(io, op, fd, v, n, IO_KIND_RECV);
}

void io_sendv(struct io *io, struct io_op *op, int fd, const struct iovec *v,
	      unsigned n)
{
	start_msg(io, op, fd, v, n, IO_KIND_SEND);
}

void io_poll(struct io *io, struct io_op *op, int fd, uint32_t events,
	     bool multi)
{
	op->arg = events;
	start(io, op, fd, multi ? IO_KIND_POLL_MULTI : IO_KIND_POLL);
}

void io_accept(struct io *io, struct io_op *op, int fd)
{
	start(io, op, fd, IO_KIND_ACCEPT);
}

void io_cancel(struct io *io, struct io_op *op)
{
	if (op->pending && !op->cancelled) {
		op->cancelled = true;
		io->ops->cancel(io, op);
	}
}

struct io_tun *io_tun_start(struct io *io, int fd, uint16_t path,
			    void (*rx)(void *ctx, struct pkt *p), void *ctx,
			    void (*dead)(void *ctx, int err))
{
	struct io_tun *t = io_tun_new(io, fd, path);
	int err;

	if (!t) {
		return NULL;
	}
	t->rx = rx;
	t->dead = dead;
	t->ctx = ctx;
	err = io->ops->tun_start(io, t);
	if (err) {
		io_tun_free(t);
		errno = err;
		return NULL;
	}
	list_push_back(&io->tuns, &t->node);
	return t;
}

void io_tun_stop(struct io *io, struct io_tun *t)
{
	if (!t->stopped) {
		t->stopped = true;
		io->ops->tun_stop(io, t);
	}
}

bool io_tun_write(struct io *io, struct io_tun *t, const struct pkt_out *p)
{
	if (t->stopped) {
		return true;
	}
	return io->ops->tun_write(io, t, p);
}

void io_flush(struct io *io)
{
	io->ops->flush(io);
}

int io_seal(struct io *io)
{
	return io->ops->seal(io);
}

const struct io_stats *io_stats(const struct io *io)
{
	return &io->stats;
}

void io_turn(struct io *io, struct instant deadline)
{
	io->stats.turns++;
	io->ops->turn(io, deadline);
}

struct instant io_time(const struct io *io)
{
	return io->now;
}

struct instant io_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct instant){ ts.tv_sec * NANOS_S + ts.tv_nsec };
}
