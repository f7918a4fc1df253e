/* io_uring.c - the loop over io_uring
 *
 * One system call per turn: submission and the wait for something to happen
 * are the same io_uring_enter().  Writes to TUN devices complete while they
 * are submitted, so their contents need to live no longer than that call; each
 * posts one completion, and the wait asks for one more than those.
 *
 * user_data is the address of what completes, with its kind in the low bits.
 */
#include "stack/engine/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stack/base/check.h"
#include "stack/engine/io_impl.h"
#include "stack/engine/io_tun.h"
#include "stack/engine/uring_compat.h"

#define SQ_ENTRIES 512
#define CQ_ENTRIES 8192
#define WRITES_MAX 128 /* TUN packets of one submission */

enum tag {
	TAG_OP,     /* struct io_op */
	TAG_READ,   /* struct io_tun: its multishot read */
	TAG_WRITE,  /* nothing: a TUN write */
	TAG_CANCEL, /* nothing: the cancellation itself */
	TAG_MASK,
};

static_assert(TAG_MASK <= _Alignof(struct io_op), "tags need the low bits");

struct slot {
	uint8_t vnet[VNET_LEN];
	struct iovec v[IO_TUN_IOV];
};

struct uring {
	struct io io;
	struct io_uring ring;
	bool enabled;   /* the ring starts disabled, to be limited */
	bool multishot; /* reads of TUN devices */
	uint16_t groups;
	unsigned writes, seen; /* TUN writes queued, and completions of them */
	unsigned scan; /* completions before this index are counted in seen */
	struct slot slot[WRITES_MAX];
};

static struct uring *of(struct io *io)
{
	return container_of(io, struct uring, io);
}

/* --- submission ----------------------------------------------------------- */

static void enable(struct uring *u)
{
	if (!u->enabled) {
		u->enabled = true;
		check(uring_register(&u->ring, IORING_REGISTER_ENABLE_RINGS,
				     NULL, 0) == 0);
	}
}

static struct io_uring_sqe *get_sqe(struct uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	/* full: what is queued goes to the kernel now, nothing waits */
	for (unsigned i = 0; !sqe && i < 100; i++) {
		enable(u);
		u->io.stats.syscalls++;
		io_uring_submit_and_get_events(&u->ring);
		sqe = io_uring_get_sqe(&u->ring);
	}
	check(sqe != NULL);
	return sqe;
}

static void set_data(struct io_uring_sqe *sqe, const void *p, enum tag tag)
{
	io_uring_sqe_set_data64(sqe, (uint64_t)(uintptr_t)p | tag);
}

static void start(struct io *io, struct io_op *op)
{
	struct uring *u = of(io);
	struct io_uring_sqe *sqe = get_sqe(u);

	op->priv[0] = u->ring.sq.sqe_tail - 1;
	op->priv[1] = 0;
	switch ((enum io_kind)op->kind) {
	case IO_KIND_RECV:
		if (op->msg.msg_iovlen == 1) {
			io_uring_prep_recv(sqe, op->fd, op->iov[0].iov_base,
					   op->iov[0].iov_len, 0);
		} else {
			io_uring_prep_recvmsg(sqe, op->fd, &op->msg, 0);
		}
		break;
	case IO_KIND_SEND:
		io_uring_prep_sendmsg(sqe, op->fd, &op->msg, MSG_NOSIGNAL);
		break;
	case IO_KIND_POLL:
		io_uring_prep_poll_add(sqe, op->fd, op->arg);
		break;
	case IO_KIND_POLL_MULTI:
		io_uring_prep_poll_multishot(sqe, op->fd, op->arg);
		break;
	case IO_KIND_ACCEPT:
		io_uring_prep_multishot_accept(sqe, op->fd, NULL, NULL,
					       SOCK_NONBLOCK | SOCK_CLOEXEC);
		break;
	}
	set_data(sqe, op, TAG_OP);
}

/* An entry that the kernel has not seen yet is made a no-op in place: its
 * descriptor number may belong to something else by the time it is read. */
static void cancel(struct io *io, struct io_op *op)
{
	struct uring *u = of(io);
	struct io_uring_sq *sq = &u->ring.sq;
	unsigned at = (unsigned)op->priv[0];
	struct io_uring_sqe *sqe;

	if (sq->sqe_tail - at <= sq->sqe_tail - sq->sqe_head) {
		sqe = &sq->sqes[at & sq->ring_mask];
		io_uring_prep_nop(sqe);
		set_data(sqe, op, TAG_OP);
		op->priv[1] = 1;
		return;
	}
	sqe = get_sqe(u);
	io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)op | TAG_OP, 0);
	set_data(sqe, NULL, TAG_CANCEL);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

/* --- TUN ------------------------------------------------------------------ */

static void put_ring(struct io_tun *t, struct io_buf *b)
{
	io_uring_buf_ring_add(t->ring, io_tun_space(t, b), IO_TUN_ROOM, b->idx,
			      io_uring_buf_ring_mask(IO_TUN_BUFS), 0);
	io_uring_buf_ring_advance(t->ring, 1);
}

static size_t ring_size(void)
{
	return IO_TUN_BUFS * sizeof(struct io_uring_buf);
}

static bool tun_ring(struct uring *u, struct io_tun *t)
{
	struct io_uring_buf_reg reg = { 0 };
	void *m = mmap(NULL, ring_size(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED) {
		return false;
	}
	io_uring_buf_ring_init(m);
	reg.ring_addr = (uint64_t)(uintptr_t)m;
	reg.ring_entries = IO_TUN_BUFS;
	reg.bgid = u->groups;
	if (io_uring_register_buf_ring(&u->ring, &reg, 0) != 0) {
		munmap(m, ring_size());
		return false;
	}
	t->ring = m;
	t->group = u->groups++;
	t->put = put_ring;
	while (t->free) {
		struct io_buf *b = t->free;

		t->free = b->next;
		put_ring(t, b);
	}
	return true;
}

static void arm_read(struct uring *u, struct io_tun *t)
{
	struct io_uring_sqe *sqe = get_sqe(u);

	uring_prep_read_multishot(sqe, t->fd, t->group);
	set_data(sqe, t, TAG_READ);
	t->armed = true;
}

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

/* Without multishot reads: a poll and plain reads.  Several reads in flight
 * would put packets out of order. */
static int tun_start(struct io *io, struct io_tun *t)
{
	struct uring *u = of(io);

	if (u->multishot && tun_ring(u, t)) {
		arm_read(u, t);
		return 0;
	}
	return io_tun_poll_start(io, t, tun_readable);
}

static void tun_stop(struct io *io, struct io_tun *t)
{
	struct io_uring_sqe *sqe;

	io_cancel(io, &t->poll);
	if (t->armed) {
		sqe = get_sqe(of(io));
		io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)t | TAG_READ,
				       0);
		set_data(sqe, NULL, TAG_CANCEL);
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	}
}

static void tun_read_done(struct uring *u, struct io_tun *t, int res,
			  unsigned flags)
{
	if (flags & IORING_CQE_F_BUFFER) {
		unsigned idx = flags >> IORING_CQE_BUFFER_SHIFT;

		if (res > 0) {
			io_tun_deliver(t, &t->buf[idx], (uint32_t)res);
		} else {
			put_ring(t, &t->buf[idx]);
		}
	}
	if (flags & IORING_CQE_F_MORE) {
		return;
	}
	t->armed = false;
	if (t->stopped) {
		return;
	}
	if (res > 0 || res == -ENOBUFS || res == -EAGAIN || res == -EINTR) {
		u->io.reasons[IO_TUN_REARM]++;
		arm_read(u, t);
	} else {
		io_tun_dead(t, res ? -res : EIO);
	}
}

static bool tun_write(struct io *io, struct io_tun *t, const struct pkt_out *p)
{
	struct uring *u = of(io);
	struct io_uring_sqe *sqe;
	struct slot *s;
	unsigned n;

	if (u->writes == WRITES_MAX) {
		return false;
	}
	sqe = get_sqe(u);
	s = &u->slot[u->writes++];
	n = io_tun_iov(p, s->vnet, s->v);
	io_uring_prep_writev(sqe, t->fd, s->v, n, 0);
	set_data(sqe, NULL, TAG_WRITE);
	return true;
}

/* --- completion ----------------------------------------------------------- */

static void count_write(struct uring *u, int res)
{
	u->seen++;
	u->io.stats.tun_out++;
	if (res < 0) {
		u->io.stats.tun_out_errors++;
		u->io.reasons[IO_TUN_WRITE]++;
	}
}

static enum tag tag_of(const struct io_uring_cqe *cqe)
{
	return (enum tag)(cqe->user_data & (TAG_MASK - 1));
}

/* takes counted completions off the front: only news may cut a wait short */
static void drop_counted(struct uring *u)
{
	struct io_uring_cq *cq = &u->ring.cq;

	while ((int)(u->scan - *cq->khead) > 0 &&
	       tag_of(&cq->cqes[*cq->khead & cq->ring_mask]) == TAG_WRITE) {
		io_uring_cq_advance(&u->ring, 1);
	}
}

/* Counts the completions of TUN writes without taking anything off the queue,
 * until all are in.  They are when the submission returns, unless a device's
 * own send buffer was limited by whoever made it. */
static void wait_writes(struct uring *u)
{
	struct io_uring_cq *cq = &u->ring.cq;

	while (u->seen < u->writes) {
		unsigned tail = io_uring_smp_load_acquire(cq->ktail);

		if ((int)(*cq->khead - u->scan) > 0) {
			u->scan = *cq->khead;
		}
		for (; u->scan != tail; u->scan++) {
			struct io_uring_cqe *cqe =
				&cq->cqes[u->scan & cq->ring_mask];

			if (tag_of(cqe) == TAG_WRITE) {
				count_write(u, cqe->res);
			}
		}
		/* a full queue: what is missing is done but has no room */
		if (u->seen >= u->writes ||
		    tail - *cq->khead == cq->ring_entries) {
			break;
		}
		u->io.stats.syscalls++;
		io_uring_submit_and_wait(&u->ring, tail - *cq->khead + 1);
	}
	u->writes = 0;
	u->seen = 0;
	drop_counted(u);
}

static void op_done(struct uring *u, struct io_op *op, int res, unsigned flags)
{
	struct io *io = &u->io;

	if (flags & IORING_CQE_F_MORE) {
		io->stats.completions++;
		op->done(op, res, IO_MORE);
		return;
	}
	if (op->priv[1]) {
		res = -ECANCELED;
	}
	/* the kernel ends a multishot also when its queue was full */
	if (res >= 0 && !op->cancelled &&
	    (op->kind == IO_KIND_ACCEPT || op->kind == IO_KIND_POLL_MULTI)) {
		start(io, op);
		io->stats.completions++;
		op->done(op, res, IO_MORE);
		return;
	}
	io_finish(io, op, res);
}

static void dispatch(struct uring *u)
{
	unsigned n = io_uring_cq_ready(&u->ring);

	for (unsigned i = 0; i < n; i++) {
		struct io_uring_cq *cq = &u->ring.cq;
		unsigned at = *cq->khead;
		struct io_uring_cqe c = cq->cqes[at & cq->ring_mask];
		void *p = (void *)(uintptr_t)(c.user_data &
					      ~(uint64_t)(TAG_MASK - 1));

		io_uring_cq_advance(&u->ring, 1);
		switch (tag_of(&c)) {
		case TAG_OP:
			op_done(u, p, c.res, c.flags);
			break;
		case TAG_READ:
			tun_read_done(u, p, c.res, c.flags);
			break;
		case TAG_WRITE:  /* counted by wait_writes() */
		case TAG_CANCEL: /* what it cancelled says so itself */
		case TAG_MASK:
			break;
		}
	}
}

static void flush(struct io *io)
{
	struct uring *u = of(io);

	if (io_uring_sq_ready(&u->ring)) {
		enable(u);
		io->stats.syscalls++;
		io_uring_submit(&u->ring);
	}
	wait_writes(u);
}

static void submit_and_wait(struct uring *u, struct instant deadline,
			    bool hurry)
{
	struct __kernel_timespec ts = { 0 };
	struct io_uring_cqe *cqe = NULL;
	nanos left = instant_since(deadline, io_now());

	enable(u);
	u->io.stats.syscalls++;
	if (hurry || left <= 0 || io_uring_cq_ready(&u->ring)) {
		io_uring_submit_and_get_events(&u->ring);
		return;
	}
	ts.tv_sec = left / NANOS_S;
	ts.tv_nsec = left % NANOS_S;
	io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1 + u->writes,
					 instant_never(deadline) ? NULL : &ts,
					 NULL);
}

static void turn(struct io *io, struct instant deadline)
{
	struct uring *u = of(io);

	submit_and_wait(u, deadline, io_tun_pump_wanted(io));
	wait_writes(u);
	io->now = io_now();
	dispatch(u);
	io_tun_pump_all(io);
}

/* --- life ----------------------------------------------------------------- */

static int seal(struct io *io)
{
	static const uint8_t ops[] = {
		IORING_OP_NOP,           IORING_OP_RECV,
		IORING_OP_RECVMSG,       IORING_OP_SENDMSG,
		IORING_OP_POLL_ADD,      IORING_OP_ACCEPT,
		IORING_OP_WRITEV,        IORING_OP_ASYNC_CANCEL,
		URING_OP_READ_MULTISHOT,
	};
	struct io_uring_restriction res[ARRAY_SIZE(ops) + 1];
	struct uring *u = of(io);
	int err;

	if (u->enabled) {
		return EBUSY;
	}
	memset(res, 0, sizeof(res));
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		res[i].opcode = IORING_RESTRICTION_SQE_OP;
		res[i].sqe_op = ops[i];
	}
	res[ARRAY_SIZE(ops)].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	res[ARRAY_SIZE(ops)].sqe_flags =
		IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
	err = uring_register(&u->ring, IORING_REGISTER_RESTRICTIONS, res,
			     ARRAY_SIZE(res));
	enable(u);
	return err;
}

static void ring_free(struct io *io)
{
	struct uring *u = of(io);

	io_uring_queue_exit(&u->ring);
	free(u);
}

static const struct io_ops ops = {
	.backend = IO_URING,
	.free = ring_free,
	.seal = seal,
	.start = start,
	.cancel = cancel,
	.tun_start = tun_start,
	.tun_stop = tun_stop,
	.tun_write = tun_write,
	.flush = flush,
	.turn = turn,
};

/* newest first; a kernel says EINVAL to a flag that it does not know */
static int ring_init(struct io_uring *ring)
{
	static const unsigned flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		0,
	};
	int r = -EINVAL;

	for (unsigned i = 0; i < ARRAY_SIZE(flags) && r == -EINVAL; i++) {
		struct io_uring_params p = { 0 };

		p.flags = flags[i] | IORING_SETUP_CQSIZE |
			  IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED;
		p.cq_entries = CQ_ENTRIES;
		r = io_uring_queue_init_params(SQ_ENTRIES, ring, &p);
	}
	return -r;
}

static void explain(int err, char why[IO_WHY_MAX])
{
	const char *text = strerror(err);

	switch (err) {
	case ENOSYS:
		text = "this kernel has no io_uring, or a container hides it";
		break;
	case EPERM:
	case EACCES:
		text = "io_uring is forbidden here (kernel.io_uring_disabled, "
		       "or a container's filter)";
		break;
	case ENOMEM:
		text = "io_uring may lock no more memory (ulimit -l)";
		break;
	case EINVAL:
		text = "this kernel's io_uring is older than Linux 5.19";
		break;
	default:
		break;
	}
	snprintf(why, IO_WHY_MAX, "%s", text);
}

static int probe(struct uring *u)
{
	unsigned need = IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP |
			IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE;
	struct io_uring_probe *p = io_uring_get_probe_ring(&u->ring);
	bool old = !p || !io_uring_opcode_supported(p, URING_OP_SOCKET);

	u->multishot =
		p && io_uring_opcode_supported(p, URING_OP_READ_MULTISHOT);
	io_uring_free_probe(p);
	return old || (u->ring.features & need) != need ? EINVAL : 0;
}

struct io *io_uring_open(char why[IO_WHY_MAX])
{
	struct uring *u = calloc(1, sizeof(*u));
	int err = ENOMEM;

	if (!u) {
		goto out;
	}
	u->io.ops = &ops;
	err = ring_init(&u->ring);
	if (err) {
		goto out;
	}
	err = probe(u);
	if (err) {
		io_uring_queue_exit(&u->ring);
		goto out;
	}
	/* saves a look-up per call; does no harm where it is unknown */
	io_uring_register_ring_fd(&u->ring);
	return &u->io;
out:
	explain(err, why);
	free(u);
	errno = err;
	return NULL;
}
