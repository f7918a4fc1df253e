#include "stack/engine/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stack/engine/yield.h"

#define WAIT_MS 500 /* the engine waits for an answer: it may be short */

enum what {
	FORCE, /* with a descriptor; is answered */
	KNOWN,
};

struct request {
	enum what what;
	uint32_t serial;
	int32_t sndbuf, rcvbuf; /* FORCE; 0: leave */
	struct known_entry known;
};

struct answer {
	uint32_t serial;
	int32_t err;
};

union control {
	struct cmsghdr h;
	char b[CMSG_SPACE(sizeof(int))];
};

/* --- the keeper ----------------------------------------------------------- */

static int force(int fd, const struct request *r)
{
	int err = 0;

	if (r->sndbuf > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE,
					&r->sndbuf, sizeof(r->sndbuf)) != 0) {
		err = errno;
	}
	if (r->rcvbuf > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE,
					&r->rcvbuf, sizeof(r->rcvbuf)) != 0) {
		err = errno;
	}
	return err;
}

static struct instant now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct instant){ ts.tv_sec * NANOS_S + ts.tv_nsec };
}

static void answer(int sock, const struct request *r, int fd, bool whole)
{
	struct answer a = { r->serial, EINVAL };

	if (whole && fd >= 0) {
		a.err = force(fd, r);
	}
	send(sock, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* one request; false: the engine has closed its end */
static bool serve(int sock, struct scribe *scribe)
{
	struct request r = { 0 };
	union control c = { 0 };
	struct iovec v = { &r, sizeof(r) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c) };
	ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	const struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	bool whole = n == (ssize_t)sizeof(r);
	int fd = -1;

	if (n == 0) {
		return false;
	}
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	if (h && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	}
	if (!whole || r.what == FORCE) {
		answer(sock, &r, fd, whole);
	} else if (scribe && r.what == KNOWN) {
		scribe_add(scribe, now(), &r.known);
	}
	if (fd >= 0) {
		close(fd);
	}
	return true;
}

/* true and the exit status when the engine has ended */
static bool ended(pid_t engine, int *status)
{
	int st;

	if (waitpid(engine, &st, WNOHANG) != engine) {
		return false;
	}
	*status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	return true;
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum {
	AT_ENGINE,
	AT_SIGNAL,
	AT_DEVICE
}; /* of struct pollfd[] */

/* one round; SIGTERM goes on as it is, a wish for a device as SIGUSR1 */
static void serve_all(struct pollfd *p, unsigned n, pid_t engine,
		      struct scribe *scribe)
{
	struct signalfd_siginfo si;

	/* the timeout is for what is to be written, and for a signal that could
	 * not be watched */
	poll(p, n, 1000);
	if ((p[AT_ENGINE].revents & (POLLIN | POLLHUP)) &&
	    !serve(p[AT_ENGINE].fd, scribe)) {
		p[AT_ENGINE].fd = -1;
	}
	if (p[AT_SIGNAL].fd >= 0 &&
	    read(p[AT_SIGNAL].fd, &si, sizeof(si)) > 0 &&
	    si.ssi_signo != SIGCHLD) {
		kill(engine, SIGTERM);
	}
	for (unsigned i = AT_DEVICE; i < n; i++) {
		if ((p[i].revents & POLLIN) && yield_asked(p[i].fd)) {
			kill(engine, SIGUSR1);
		}
	}
	if (scribe) {
		scribe_turn(scribe, now());
	}
}

/* what is left in the socket of an engine that has ended */
static void last_words(int sock, struct scribe *scribe)
{
	for (unsigned i = 0; i < KNOWN_MAX && serve(sock, scribe); i++) {
	}
}

int keeper_run(int sock, pid_t engine, const struct run_conf *conf,
	       struct tun *tuns, struct scribe *scribe)
{
	struct pollfd p[AT_DEVICE + CONF_TUNS_MAX] = {
		[AT_ENGINE] = { .fd = sock, .events = POLLIN },
		[AT_SIGNAL] = { .fd = signals(), .events = POLLIN },
	};
	int status = 0;

	for (unsigned i = 0; i < conf->n_tun; i++) {
		p[AT_DEVICE + i] = (struct pollfd){
			.fd = yield_listen(conf->tun[i].name),
			.events = POLLIN,
		};
	}
	while (!ended(engine, &status)) {
		serve_all(p, AT_DEVICE + conf->n_tun, engine, scribe);
	}
	for (unsigned i = 0; i < conf->n_tun; i++) {
		tun_undo(&tuns[i], &conf->tun[i]);
	}
	if (scribe) {
		last_words(sock, scribe);
		scribe_end(scribe);
	}
	return status;
}

/* --- the engine's end ----------------------------------------------------- */

static int await(int sock, uint32_t serial)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct answer a;

	for (;;) {
		ssize_t n;

		if (poll(&p, 1, WAIT_MS) == 0) {
			return ETIMEDOUT;
		}
		n = recv(sock, &a, sizeof(a), MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(a) && a.serial == serial) {
			return a.err;
		}
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			return EPIPE;
		}
	}
}

int keeper_force(int sock, int fd, int sndbuf, int rcvbuf)
{
	/* the descriptor's number is serial enough: one request at a time, and
	 * after a timeout the engine does not ask again */
	struct request r = { .what = FORCE,
			     .serial = (uint32_t)fd,
			     .sndbuf = sndbuf,
			     .rcvbuf = rcvbuf };
	struct iovec v = { &r, sizeof(r) };
	union control c = { 0 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c.b) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	if (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		return EPIPE;
	}
	return await(sock, r.serial);
}

void keeper_known(int sock, const struct known_entry *e)
{
	struct request r = { .what = KNOWN, .known = *e };

	/* a keeper that is full or gone: remembered for this run only */
	send(sock, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT);
}
