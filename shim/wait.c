#include "shim/wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "shim/ask.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/whose.h"

#define LOOK_MS 1000 /* how soon a blocking accept() sees that the stack died */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* SO_RCVTIMEO of the listener: -1 none */
static int64_t timeout_ms(int fd)
{
	struct timeval tv = { 0, 0 };
	socklen_t len = sizeof(tv);

	if (libc.getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len) != 0 ||
	    (tv.tv_sec == 0 && tv.tv_usec == 0)) {
		return -1;
	}
	return (int64_t)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
}

/* poll() never restarts after a handler, accept() does if the handler was
 * installed so.  Which handler ran is unknown: EINTR if any of the program's
 * would interrupt, since such a program expects it. */
static bool some_handler_interrupts(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa;

		if (sigaction(sig, NULL, &sa) == 0 &&
		    sa.sa_handler != SIG_DFL && sa.sa_handler != SIG_IGN &&
		    !(sa.sa_flags & SA_RESTART)) {
			return true;
		}
	}
	return false;
}

/* Nothing tells a listener that the stack is gone: look now and then. */
static int wait_listener(int fd)
{
	int64_t timeout = timeout_ms(fd), end = now_ms() + timeout;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left = timeout < 0 ? LOOK_MS : end - now_ms();
		int n;

		if (left <= 0) {
			return EAGAIN;
		}
		n = poll(&pfd, 1, left < LOOK_MS ? (int)left : LOOK_MS);
		if (n > 0) {
			return 0;
		}
		if (n < 0 && errno != EINTR) {
			return 0;
		}
		if (n < 0 && (timeout >= 0 || some_handler_interrupts())) {
			return EINTR;
		}
		if (n == 0 && ask_dead()) {
			return ENETDOWN;
		}
	}
}

int wait_accept(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int saved = errno, err = 0;
	struct whose w;

	if (init.sandboxed || !whose_blocks(fd) || poll(&pfd, 1, 0) != 0) {
		errno = saved;
		return 0;
	}
	if (whose(fd, &w) && whose_listens(fd)) {
		err = ask_dead() ? ENETDOWN : wait_listener(fd);
	}
	errno = saved;
	return err;
}

/* The one call that blocks until a socket is writable, restarts after signals
 * as connect() does, honours SO_SNDTIMEO, and writes nothing: sending an octet
 * from an address where there is none.  EFAULT comes after the wait for room.
 * A peer that closed ends the wait with EPIPE or ECONNRESET. */
int wait_connected(int fd)
{
	const struct timespec ms = { 0, 1000000 };
	int saved = errno, err = 0;

	for (int i = 0; i < ASK_WAIT_MS; i++) {
		err = libc.send(fd, init.nowhere, 1, MSG_NOSIGNAL) < 0 ? errno
								       : 0;
		/* the stack's backlog was full: it connects the socket soon */
		if (err != ENOTCONN) {
			break;
		}
		nanosleep(&ms, NULL);
	}
	errno = saved;
	return err == EINTR || err == EAGAIN ? err : 0;
}
