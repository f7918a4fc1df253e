/* io_epoll.c - the same loop over epoll, where io_uring is refused
 *
 * An operation is first tried in the next turn.  If the descriptor is not
 * ready it is parked there, and the descriptor is (re-)registered for the
 * union of what is waited for: edge-triggered, and EPOLL_CTL_MOD looks at the
 * present state too, so nothing between the try and the registration is lost.
 * epoll forgets a closed descriptor by itself; registering says ENOENT then.
 */
#include "stack/engine/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/engine/io_impl.h"
#include "stack/engine/io_tun.h"

#define EVENTS_MAX 128
#define ACCEPT_MAX 64 /* connections of one listener in one turn */

struct seat {
	struct list parked; /* struct io_op waiting for this descriptor */
};

struct poller {
	struct io io;
	int ep;
	struct list todo; /* to be tried, or cancelled: told in the next turn */
	struct seat **seat; /* by descriptor; an entry is made when needed */
	unsigned n_seat;
};

static struct poller *of(struct io *io)
{
	return container_of(io, struct poller, io);
}

/* --- parking -------------------------------------------------------------- */

static struct seat *seat_at(struct poller *p, int fd)
{
	unsigned want = (unsigned)fd;

	if (want >= p->n_seat) {
		unsigned n = max_u32(want + 1, p->n_seat * 2);
		struct seat **v = realloc(p->seat, n * sizeof(*v));

		if (!v) {
			return NULL;
		}
		memset(v + p->n_seat, 0, (n - p->n_seat) * sizeof(*v));
		p->seat = v;
		p->n_seat = n;
	}
	if (!p->seat[want]) {
		p->seat[want] = malloc(sizeof(**p->seat));
		if (p->seat[want]) {
			list_init(&p->seat[want]->parked);
		}
	}
	return p->seat[want];
}

static uint32_t wanted(const struct io_op *op)
{
	switch ((enum io_kind)op->kind) {
	case IO_KIND_RECV:
	case IO_KIND_ACCEPT:
		return EPOLLIN;
	case IO_KIND_SEND:
		return EPOLLOUT;
	case IO_KIND_POLL:
	case IO_KIND_POLL_MULTI:
		break;
	}
	return op->arg; /* POLL* and EPOLL* have the same values */
}

static int watch(struct poller *p, int fd, const struct seat *s)
{
	struct epoll_event ev = { .events = EPOLLET, .data.fd = fd };

	list_each (n, &s->parked) {
		ev.events |= wanted(list_entry(n, struct io_op, node));
	}
	p->io.stats.syscalls++;
	if (epoll_ctl(p->ep, EPOLL_CTL_MOD, fd, &ev) == 0) {
		return 0;
	}
	if (errno == ENOENT && epoll_ctl(p->ep, EPOLL_CTL_ADD, fd, &ev) == 0) {
		return 0;
	}
	return errno;
}

/* fails over to the completion when the descriptor cannot be waited for */
static void park(struct poller *p, struct io_op *op)
{
	struct seat *s = op->fd < 0 ? NULL : seat_at(p, op->fd);
	int err = op->fd < 0 ? EBADF : ENOMEM;

	if (s) {
		list_push_back(&s->parked, &op->node);
		err = watch(p, op->fd, s);
	}
	if (err) {
		list_del(&op->node);
		io_finish(&p->io, op, -err);
	}
}

/* --- trying --------------------------------------------------------------- */

static int again(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void try_accept(struct poller *p, struct io_op *op)
{
	for (unsigned i = 0; i < ACCEPT_MAX; i++) {
		int fd = accept4(op->fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		p->io.stats.syscalls++;
		if (again(fd)) {
			park(p, op);
			return;
		}
		if (fd < 0) {
			io_finish(&p->io, op, -errno);
			return;
		}
		p->io.stats.completions++;
		op->done(op, fd, IO_MORE);
		if (op->cancelled) {
			return;
		}
	}
	list_push_back(&p->todo, &op->node);
}

static void try_poll(struct poller *p, struct io_op *op)
{
	struct pollfd f = { .fd = op->fd, .events = (short)op->arg };

	p->io.stats.syscalls++;
	if (op->kind == IO_KIND_POLL && poll(&f, 1, 0) > 0) {
		io_finish(&p->io, op,
			  f.revents & POLLNVAL ? -EBADF : f.revents);
		return;
	}
	park(p, op); /* registering reports the present state */
}

static void try_op(struct poller *p, struct io_op *op)
{
	ssize_t n = 0;

	switch ((enum io_kind)op->kind) {
	case IO_KIND_ACCEPT:
		try_accept(p, op);
		return;
	case IO_KIND_POLL:
	case IO_KIND_POLL_MULTI:
		try_poll(p, op);
		return;
	case IO_KIND_RECV:
		n = recvmsg(op->fd, &op->msg, MSG_DONTWAIT);
		break;
	case IO_KIND_SEND:
		n = sendmsg(op->fd, &op->msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	}
	p->io.stats.syscalls++;
	if (again(n)) {
		park(p, op);
		return;
	}
	io_finish(&p->io, op, n < 0 ? -errno : (int)n);
}

/* what was on the list at the start; more may be added behind it */
static void try_all(struct poller *p)
{
	struct list now;

	list_init(&now);
	if (list_empty(&p->todo)) {
		return;
	}
	list_insert(&p->todo, &now);
	list_del(&p->todo);
	for (struct list *n; (n = list_pop_front(&now)) != NULL;) {
		struct io_op *op = list_entry(n, struct io_op, node);

		if (op->cancelled) {
			io_finish(&p->io, op, -ECANCELED);
		} else {
			try_op(p, op);
		}
	}
}

static void start(struct io *io, struct io_op *op)
{
	list_push_back(&of(io)->todo, &op->node);
}

static void cancel(struct io *io, struct io_op *op)
{
	list_del(&op->node);
	list_push_back(&of(io)->todo, &op->node);
}

/* --- TUN ------------------------------------------------------------------ */

static void tun_readable(struct io_op *op, int res, unsigned flags)
{
	struct io_tun *t = container_of(op, struct io_tun, poll);

	if (res < 0 && res != -ECANCELED) {
		io_tun_dead(t, -res);
	} else {
		t->more = !t->stopped;
	}
	(void)flags;
}

static int tun_start(struct io *io, struct io_tun *t)
{
	return io_tun_poll_start(io, t, tun_readable);
}

static void tun_stop(struct io *io, struct io_tun *t)
{
	t->more = false;
	io_cancel(io, &t->poll);
}

static bool tun_write(struct io *io, struct io_tun *t, const struct pkt_out *p)
{
	struct iovec v[IO_TUN_IOV];
	uint8_t vnet[VNET_LEN];
	unsigned n = io_tun_iov(p, vnet, v);

	io->stats.syscalls++;
	io->stats.tun_out++;
	if (writev(t->fd, v, (int)n) < 0) {
		io->stats.tun_out_errors++;
		io->reasons[IO_TUN_WRITE]++;
	}
	return true;
}

static void flush(struct io *io)
{
	(void)io; /* written already */
}

/* --- the turn ------------------------------------------------------------- */

static void wake(struct poller *p, const struct epoll_event *ev)
{
	unsigned fd = (unsigned)ev->data.fd;
	struct list hit;

	if (fd >= p->n_seat || !p->seat[fd]) {
		return;
	}
	list_init(&hit);
	list_each_safe (n, &p->seat[fd]->parked) {
		struct io_op *op = list_entry(n, struct io_op, node);
		uint32_t mask = wanted(op) | EPOLLERR | EPOLLHUP;

		if (ev->events & mask) {
			list_del(n);
			op->priv[0] = ev->events & mask;
			list_push_back(&hit, n);
		}
	}
	/* a handler may cancel others of the list: that moves them to todo */
	for (struct list *n; (n = list_pop_front(&hit)) != NULL;) {
		struct io_op *op = list_entry(n, struct io_op, node);

		if (op->kind == IO_KIND_POLL) {
			io_finish(&p->io, op, (int)op->priv[0]);
		} else if (op->kind == IO_KIND_POLL_MULTI) {
			list_push_back(&p->seat[fd]->parked, &op->node);
			p->io.stats.completions++;
			op->done(op, (int)op->priv[0], IO_MORE);
		} else {
			list_push_back(&p->todo, &op->node);
		}
	}
}

static int timeout_of(const struct poller *p, struct instant deadline)
{
	nanos left = instant_since(deadline, io_now());

	if (!list_empty(&p->todo) || io_tun_pump_wanted(&p->io) || left <= 0) {
		return 0;
	}
	if (left > 3600 * NANOS_S) {
		return instant_never(deadline) ? -1 : 3600 * 1000;
	}
	return (int)((left + NANOS_MS - 1) / NANOS_MS);
}

/* Trying before the wait, so that a send which fits does not need two turns;
 * what became ready during the wait is tried after it. */
static void turn(struct io *io, struct instant deadline)
{
	struct epoll_event ev[EVENTS_MAX];
	struct poller *p = of(io);
	uint64_t before = io->stats.completions;
	int n, timeout;

	io->now = io_now();
	try_all(p);
	timeout = io->stats.completions != before ? 0 : timeout_of(p, deadline);
	io->stats.syscalls++;
	n = epoll_wait(p->ep, ev, EVENTS_MAX, timeout);
	io->now = io_now();
	for (int i = 0; i < n; i++) {
		wake(p, &ev[i]);
	}
	try_all(p);
	io_tun_pump_all(io);
}

static int seal(struct io *io)
{
	(void)io; /* nothing bypasses the filter here */
	return 0;
}

static void poller_free(struct io *io)
{
	struct poller *p = of(io);

	for (unsigned i = 0; i < p->n_seat; i++) {
		free(p->seat[i]);
	}
	free(p->seat);
	close(p->ep);
	free(p);
}

static const struct io_ops ops = {
	.backend = IO_EPOLL,
	.free = poller_free,
	.seal = seal,
	.start = start,
	.cancel = cancel,
	.tun_start = tun_start,
	.tun_stop = tun_stop,
	.tun_write = tun_write,
	.flush = flush,
	.turn = turn,
};

struct io *io_epoll_open(void)
{
	struct poller *p = calloc(1, sizeof(*p));

	if (!p) {
		return NULL;
	}
	p->io.ops = &ops;
	list_init(&p->todo);
	p->ep = epoll_create1(EPOLL_CLOEXEC);
	if (p->ep < 0) {
		free(p);
		return NULL;
	}
	return &p->io;
}
