/* t.h - for programs that show one behaviour of sockets as text
 *
 * Each is run on kernel TCP and under the shim, and what it prints must be the
 * same.  The far end (far_*) is always the kernel's: it makes its system calls
 * past any preload.  Nothing that differs from run to run is printed.
 */
#ifndef TESTS_SHIM_T_H
#define TESTS_SHIM_T_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* a system call that no preload sees; -1 and errno as usual */
static inline long raw(long n, long a, long b, long c, long d, long e, long f)
{
	long rc;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			   "r"(x5)
			 : "memory");
	rc = x0;
#else
#error "how does this machine make a system call?"
#endif
	if (rc < 0 && rc > -4096) {
		errno = (int)-rc;
		return -1;
	}
	return rc;
}

static inline void say(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
static inline void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* prints what a call returned, or which error; returns it */
static inline long show(const char *what, long rc)
{
	int err = errno;

	if (rc == -1) {
		say("%s: %s", what, strerrorname_np(err));
	} else {
		say("%s: %ld", what, rc);
	}
	errno = err;
	return rc;
}
/* the same for a call whose value is a descriptor */
static inline int show_fd(const char *what, int fd)
{
	show(what, fd < 0 ? -1 : 0);
	return fd;
}
#define SHOW(call) show(#call, (long)(call))

static inline void must(bool ok, const char *what)
{
	if (!ok) {
		say("cannot %s: %s", what, strerrorname_np(errno));
		exit(1);
	}
}

static inline void settle(void)
{
	const struct timespec t = { 0, 60000000 };

	nanosleep(&t, NULL);
}

/* where the far end listens, and where it reaches the program's listeners */
static inline struct sockaddr_in addr_of(const char *var, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *text = getenv(var);

	inet_pton(AF_INET, text ? text : "127.0.0.1", &in.sin_addr);
	in.sin_port = htons((uint16_t)port);
	return in;
}

#define SA(p) ((struct sockaddr *)(p))

/* --- the far end ------------------------------------------------------------- */

static inline int far_socket(void)
{
	return (int)raw(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, 0,
			0, 0);
}

/* listens at T_PEER; *at is where to connect to */
static inline int far_listen(struct sockaddr_in *at, int backlog)
{
	int fd = far_socket();
	socklen_t len = sizeof(*at);

	*at = addr_of("T_PEER", 0);
	must(fd >= 0 &&
		     raw(SYS_bind, fd, (long)at, sizeof(*at), 0, 0, 0) == 0 &&
		     raw(SYS_listen, fd, backlog, 0, 0, 0, 0) == 0 &&
		     raw(SYS_getsockname, fd, (long)at, (long)&len, 0, 0,
			 0) == 0,
	     "listen at the far end");
	return fd;
}

static inline int far_accept(int fd)
{
	int s = (int)raw(SYS_accept4, fd, 0, 0, SOCK_CLOEXEC, 0, 0);

	must(s >= 0, "accept at the far end");
	return s;
}

/* where nobody is let in: the backlog is full */
static inline struct sockaddr_in far_full(void)
{
	struct sockaddr_in at;

	far_listen(&at, 0);
	for (int i = 0; i < 3; i++) {
		int s = far_socket();

		raw(SYS_fcntl, s, F_SETFL, O_NONBLOCK, 0, 0, 0);
		raw(SYS_connect, s, (long)&at, sizeof(at), 0, 0, 0);
	}
	return at;
}

/* connects to a port of the program's */
static inline int far_connect(int port)
{
	struct sockaddr_in at = addr_of("T_LOCAL", port);
	int fd = far_socket();

	must(fd >= 0 && raw(SYS_connect, fd, (long)&at, sizeof(at), 0, 0,
			    0) == 0,
	     "connect from the far end");
	return fd;
}

static inline ssize_t far_write(int fd, const void *p, size_t n)
{
	return raw(SYS_sendto, fd, (long)p, (long)n, MSG_NOSIGNAL, 0, 0);
}

static inline ssize_t far_oob(int fd, const void *p, size_t n)
{
	return raw(SYS_sendto, fd, (long)p, (long)n, MSG_OOB | MSG_NOSIGNAL, 0,
		   0);
}

static inline ssize_t far_read(int fd, void *p, size_t n)
{
	return raw(SYS_recvfrom, fd, (long)p, (long)n, 0, 0, 0);
}

static inline void far_close(int fd)
{
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline void far_reset(int fd)
{
	const struct linger l = { 1, 0 };

	raw(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, (long)&l, sizeof(l), 0);
	far_close(fd);
	settle();
}

static inline void far_shutdown(int fd, int how)
{
	raw(SYS_shutdown, fd, how, 0, 0, 0, 0);
	settle();
}

/* --- the program's end ------------------------------------------------------- */

/* a connected pair: the program's end, *far the other */
static inline int connected(int *far)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 8), fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0 && connect(fd, SA(&at), sizeof(at)) == 0, "connect");
	*far = far_accept(l);
	far_close(l);
	return fd;
}

/* the same the other way round: the program accepted */
static inline int accepted(int *far)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0), fd;

	must(l >= 0 && bind(l, SA(&at), sizeof(at)) == 0 &&
		     listen(l, 8) == 0 &&
		     getsockname(l, SA(&at), &len) == 0,
	     "listen");
	*far = far_connect(ntohs(at.sin_port));
	fd = accept(l, NULL, NULL);
	must(fd >= 0, "accept");
	close(l);
	return fd;
}

/* both kinds of connection, one after the other */
static inline void each_kind(void (*fn)(int fd, int far))
{
	for (int i = 0; i < 2; i++) {
		int far, fd = i ? accepted(&far) : connected(&far);

		say("-- %s", i ? "accepted" : "connected");
		fn(fd, far);
		close(fd);
		far_close(far);
	}
}

static inline int sock_error_of(int fd)
{
	int err = -1;
	socklen_t len = sizeof(err);

	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0,
	     "get SO_ERROR");
	return err;
}

static inline void show_so_error(int fd)
{
	int err = sock_error_of(fd);

	say("SO_ERROR: %s", err ? strerrorname_np(err) : "0");
}

/* but: bits that are not looked at */
static inline void show_poll_but(const char *when, int fd, int but)
{
	struct pollfd p = { .fd = fd,
			    .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	poll(&p, 1, 0);
	p.revents &= (short)~but;
	say("poll %s:%s%s%s%s%s%s", when, p.revents & POLLIN ? " IN" : "",
	    p.revents & POLLOUT ? " OUT" : "",
	    p.revents & POLLPRI ? " PRI" : "",
	    p.revents & POLLERR ? " ERR" : "",
	    p.revents & POLLHUP ? " HUP" : "",
	    p.revents & POLLRDHUP ? " RDHUP" : "");
}

static inline void show_poll(const char *when, int fd)
{
	show_poll_but(when, fd, 0);
}

/* what epoll has to tell now, of all that it looks at */
static inline unsigned edges_of(int ep)
{
	struct epoll_event ev[4];
	unsigned all = 0;
	int n = epoll_wait(ep, ev, 4, 0);

	for (int i = 0; i < n; i++) {
		all |= ev[i].events;
	}
	return all;
}

/* A reset: POLLERR is missing under the shim (the kernel sets it on an AF_UNIX
 * socket only when its peer closed with unread data). */
static inline void show_poll_reset(const char *when, int fd)
{
	show_poll_but(when, fd, POLLERR);
}

static int signals_seen;
static inline void on_signal(int sig)
{
	(void)sig;
	signals_seen++;
}

static inline void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static inline void alarm_ms(int ms)
{
	struct itimerval it = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

#endif
