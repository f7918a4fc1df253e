#include "stack/engine/life.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/base/list.h"
#include "stack/engine/io.h"

struct watch {
	struct io_op op;
	struct list node;
	struct life *l;
	int pid, pidfd;
};

struct life {
	struct io *io;
	struct list pids;
	unsigned n_pids;
	struct instant last_alive; /* when the last process went */
	struct instant idle; /* nothing but TIME-WAIT since; NEVER: busy */
	struct instant term; /* SIGTERM: the latest end; NEVER: none */
	struct instant deadline;
	bool nobody; /* mptcp-run said so */
	bool went;   /* somebody ended: life_went() */
	bool wanted; /* another start waits for our device: no grace */
	struct io_op sig_op, life_op;
	int sig_fd, life_fd;
	char word[16];
};

/* --- processes ------------------------------------------------------------ */

static void watch_done(struct io_op *op, int res, unsigned flags)
{
	struct watch *w = container_of(op, struct watch, op);
	struct life *l = w->l;

	(void)res;
	(void)flags;
	list_del(&w->node);
	close(w->pidfd);
	free(w);
	l->last_alive = io_time(l->io);
	l->n_pids--;
	l->went = true;
}

void life_watch_pidfd(struct life *l, int pid, int pidfd)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w) {
		close(pidfd);
		return;
	}
	w->l = l;
	w->pid = pid;
	w->pidfd = pidfd;
	w->op.done = watch_done;
	l->n_pids++;
	/* in front: the next request is likely from the same process */
	list_push_front(&l->pids, &w->node);
	io_poll(l->io, &w->op, pidfd, POLLIN, false);
}

void life_watch_pid(struct life *l, int pid)
{
	int fd;

	list_each (p, &l->pids) {
		if (list_entry(p, struct watch, node)->pid == pid) {
			return;
		}
	}
	if (l->n_pids >= LIFE_PIDS_MAX || pid <= 0) {
		return;
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		life_watch_pidfd(l, pid, fd);
	}
}

/* --- words from outside --------------------------------------------------- */

static void sig_done(struct io_op *op, int res, unsigned flags)
{
	struct life *l = container_of(op, struct life, sig_op);
	struct signalfd_siginfo si;

	(void)flags;
	if (res <= 0) {
		return;
	}
	while (read(l->sig_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGUSR1) {
			l->wanted = true;
		} else if (instant_never(l->term)) {
			l->term = instant_add(io_time(l->io), LIFE_DRAIN);
		}
	}
}

static void life_done(struct io_op *op, int res, unsigned flags)
{
	struct life *l = container_of(op, struct life, life_op);

	(void)flags;
	if (res >= 4 && memcmp(l->word, "end\n", 4) == 0) {
		l->nobody = true;
		l->went = true;
	}
}

struct life *life_new(struct io *io, int life_fd)
{
	struct life *l = calloc(1, sizeof(*l));
	sigset_t set;

	if (!l) {
		return NULL;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->sig_fd < 0) {
		free(l);
		return NULL;
	}
	l->io = io;
	list_init(&l->pids);
	l->last_alive = io_now();
	l->idle = INSTANT_NEVER;
	l->term = INSTANT_NEVER;
	l->deadline = INSTANT_NEVER;
	l->life_fd = life_fd;
	l->sig_op.done = sig_done;
	io_poll(io, &l->sig_op, l->sig_fd, POLLIN, true);
	if (life_fd >= 0) {
		l->life_op.done = life_done;
		io_recv(io, &l->life_op, life_fd, l->word, sizeof(l->word));
	}
	return l;
}

/* after io_free(): nothing refers to the operations any more */
void life_free(struct life *l)
{
	if (!l) {
		return;
	}
	list_each_safe (p, &l->pids) {
		struct watch *w = list_entry(p, struct watch, node);

		close(w->pidfd);
		free(w);
	}
	close(l->sig_fd);
	free(l);
}

bool life_went(struct life *l)
{
	bool went = l->went;

	l->went = false;
	return went;
}

/* --- the question --------------------------------------------------------- */

bool life_goes_on(struct life *l, struct instant now, struct life_load load)
{
	struct instant grace = instant_add(l->last_alive, LIFE_GRACE);
	bool term = !instant_never(l->term);
	bool alive, lingers;

	lingers = l->n_pids == 0 && !l->wanted && !instant_due(grace, now);
	alive = !l->nobody && (l->n_pids > 0 || lingers);
	l->deadline = instant_min(l->term, lingers ? grace : INSTANT_NEVER);
	if (instant_due(l->term, now)) {
		return false;
	}
	if (load.busy || load.owing || (alive && !term)) {
		l->idle = INSTANT_NEVER;
		return true;
	}
	if (instant_never(l->idle)) {
		l->idle = now;
	}
	l->deadline = instant_add(l->idle, LIFE_TIMEWAIT);
	return load.timewait > 0 && !instant_due(l->deadline, now);
}

struct instant life_deadline(const struct life *l)
{
	return l->deadline;
}
