#include "shim/ask.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "shim/early.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "stack/chan/chan_addr.h"

/* the stack's user as first seen, plus one; 0: not seen yet */
static uint64_t stack_user;

void ask_init(struct ask *a, enum chan_op op, const struct chan_name *sock)
{
	chan_req_init(&a->q, &init.run, op, sock);
	a->n_fd = 0;
}

static socklen_t run_name(enum chan_kind kind, struct sockaddr_un *un)
{
	const struct chan_name n = { .kind = (uint8_t)kind };

	return chan_addr_un(&init.run, &n, un);
}

/* The secret goes to nobody but the user who answered the first time. */
bool ask_same_user(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	uint64_t known = __atomic_load_n(&stack_user, __ATOMIC_RELAXED);

	if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
		return false;
	}
	if (known == 0) {
		__atomic_store_n(&stack_user, cred.uid + 1ull,
				 __ATOMIC_RELAXED);
		return true;
	}
	return known == cred.uid + 1ull;
}

/* A full backlog cannot be waited for on a non-blocking socket, and a blocking
 * one could wait for ever: the stack drains it in microseconds. */
static int call_up(int s)
{
	const struct timespec ms = { 0, 1000000 };
	struct sockaddr_un un;
	socklen_t len = run_name(CHAN_KIND_CTL, &un);

	for (int i = 0; i < ASK_WAIT_MS; i++) {
		if (libc.connect(s, (struct sockaddr *)&un, len) == 0) {
			return ask_same_user(s) ? 0 : ENETDOWN;
		}
		if (errno != EAGAIN) {
			break;
		}
		nanosleep(&ms, NULL);
	}
	return ENETDOWN;
}

static bool say(int s, struct ask *a)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(a->fd))];
	} ctl;
	struct iovec v = { &a->q, chan_req_size(&a->q) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	a->q.n_fd = (uint8_t)a->n_fd;
	if (a->n_fd) {
		memset(&ctl, 0, sizeof(ctl));
		ctl.h.cmsg_level = SOL_SOCKET;
		ctl.h.cmsg_type = SCM_RIGHTS;
		ctl.h.cmsg_len = CMSG_LEN(a->n_fd * sizeof(int));
		memcpy(CMSG_DATA(&ctl.h), a->fd, a->n_fd * sizeof(int));
		m.msg_control = &ctl;
		m.msg_controllen = CMSG_SPACE(a->n_fd * sizeof(int));
	}
	n = libc.sendmsg(s, &m, MSG_NOSIGNAL);
	return n == (ssize_t)v.iov_len;
}

static bool hear(int s, struct chan_rep *p)
{
	struct pollfd pfd = { .fd = s, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, ASK_WAIT_MS) != 1) {
		return false;
	}
	n = libc.recv(s, p, sizeof(*p), MSG_DONTWAIT);
	return n > 0 && chan_rep_ok(p, (size_t)n);
}

static int converse(struct ask *a, bool answer)
{
	int err, s;

	s = libc.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	if (s < 0) {
		return errno == EMFILE || errno == ENFILE ? ENOBUFS : ENETDOWN;
	}
	err = call_up(s);
	if (!err) {
		err = !say(s, a) || (answer && !hear(s, &a->p)) ? ENETDOWN
			: answer ? a->p.err : 0;
	}
	close(s);
	return err;
}

void ask_calm(struct ask_calm *c)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &c->old);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &c->cancel);
}

void ask_calm_end(const struct ask_calm *c)
{
	pthread_setcancelstate(c->cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &c->old, NULL);
}

static int calmly(struct ask *a, bool answer)
{
	int saved = errno, err;
	struct ask_calm calm;

	ask_calm(&calm);
	err = converse(a, answer);
	ask_calm_end(&calm);
	errno = saved;
	return err;
}

int ask(struct ask *a)
{
	int err = calmly(a, true);

	if (a->q.early && err != ENETDOWN && err != ENOBUFS) {
		early_heard(a);
	}
	return err;
}

int ask_tell(struct ask *a)
{
	return calmly(a, false);
}

int ask_plain(struct ask *a, enum chan_op op, const struct chan_name *sock)
{
	ask_init(a, op, sock);
	return ask(a);
}

/* Its listening name can be taken exactly when the stack is gone. */
bool ask_dead(void)
{
	struct sockaddr_un un;
	socklen_t len = run_name(CHAN_KIND_DATA, &un);
	int saved = errno;
	int s = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool dead;

	if (s < 0) {
		errno = saved;
		return false;
	}
	dead = libc.bind(s, (struct sockaddr *)&un, len) == 0;
	close(s);
	errno = saved;
	return dead;
}

bool ask_is_stack(int fd)
{
	struct ask a;

	if (__atomic_load_n(&stack_user, __ATOMIC_RELAXED) == 0 &&
	    ask_plain(&a, CHAN_OP_HELLO, NULL) != 0) {
		return false;
	}
	return ask_same_user(fd);
}
