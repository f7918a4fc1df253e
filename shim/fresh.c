#include "shim/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim/early.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/quick.h"
#include "shim/watch.h"
#include "stack/chan/chan_addr.h"

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#define SNDBUF_LOCK 1 /* SOCK_SNDBUF_LOCK of the kernel's headers */

static int bind_name(int fd, const struct chan_name *n)
{
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&init.run, n, &un);

	return libc.bind(fd, (struct sockaddr *)&un, len);
}

static int bind_new_name(int fd, uint8_t family, struct chan_name *n)
{
	for (int i = 0; i < 4; i++) {
		*n = (struct chan_name){ .kind = CHAN_KIND_SOCK,
					 .family = family };
		if (getrandom(&n->id, sizeof(n->id), 0) != sizeof(n->id)) {
			return -1;
		}
		if (bind_name(fd, n) == 0) {
			return 0;
		}
	}
	return -1;
}

int fresh_socket(uint8_t family, int flags)
{
	const struct chan_name data = { .kind = CHAN_KIND_DATA };
	struct chan_name name;
	int fd = libc.socket(AF_UNIX, SOCK_STREAM | flags, 0);

	if (fd < 0) {
		return -1;
	}
	/* the stack's own name is free exactly when the stack is gone */
	if (bind_name(fd, &data) == 0) {
		close(fd);
		errno = ENETDOWN;
		return -1;
	}
	if (bind_new_name(fd, family, &name) != 0) {
		close(fd);
		errno = ENOBUFS;
		return -1;
	}
	return fd;
}

static void copy_option(int from, int to, int name)
{
	char val[16];
	socklen_t len = sizeof(val);

	if (libc.getsockopt(from, SOL_SOCKET, name, val, &len) == 0) {
		libc.setsockopt(to, SOL_SOCKET, name, val, len);
	}
}

int fresh_renew(int fd, struct whose *w)
{
	int s = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int flags, err = 0;
	struct watch watch;

	if (s < 0) {
		return ENOBUFS;
	}
	watch_save(&watch, fd);
	copy_option(fd, s, SO_RCVTIMEO);
	copy_option(fd, s, SO_SNDTIMEO);
	copy_option(fd, s, SO_RCVLOWAT);
	copy_option(fd, s, FRESH_INQ);
	copy_option(fd, s, SO_OOBINLINE);
	fcntl(s, F_SETOWN, fcntl(fd, F_GETOWN));
	fcntl(s, F_SETFL, fcntl(fd, F_GETFL));
	flags = fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
	if (dup3(s, fd, flags) < 0) {
		err = errno;
	}
	close(s);
	/* the old name is free again if that was its last descriptor */
	if (!err && bind_name(fd, &w->own) != 0 &&
	    bind_new_name(fd, w->own.family, &w->own) != 0) {
		err = ENOBUFS;
	}
	if (!err) {
		/* the stack knows more of it than its name */
		early_mark(fd, EARLY_SLOW | EARLY_HEIRLOOM);
		watch_restore(&watch, fd);
	}
	w->id = w->own;
	w->peer = false;
	return err;
}

static void replay(int s, const struct chan_rep *p)
{
	for (uint32_t i = 0; i < p->n_opt; i++) {
		const struct chan_opt *o = &p->opt[i];

		if (o->len <= sizeof(o->val)) {
			libc.setsockopt(s, o->level, o->name, o->val, o->len);
		}
	}
}

static int bind_kernel(int s, struct ask *a)
{
	struct sockaddr_storage ss;
	socklen_t len =
		chan_addr_put(&a->q.addr, a->q.family, a->q.scope_id, &ss);

	if (libc.bind(s, (struct sockaddr *)&ss, len) != 0) {
		return -1;
	}
	len = sizeof(ss);
	if (libc.getsockname(s, (struct sockaddr *)&ss, &len) == 0) {
		struct endpoint got;

		if (chan_addr_get(&ss, len, &got, NULL)) {
			a->q.addr.port = got.port;
		}
	}
	return 0;
}

int fresh_kernel(struct ask *a, bool bind)
{
	int s = libc.socket(a->q.family == 6 ? AF_INET6 : AF_INET,
			    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    IPPROTO_TCP);

	if (s < 0) {
		return -1;
	}
	replay(s, &a->p);
	if (bind && bind_kernel(s, a) != 0) {
		int err = errno;

		close(s);
		errno = err;
		return -1;
	}
	return s;
}

static bool writable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT);
}

static bool chosen(int fd)
{
	int lock = 0;
	socklen_t len = sizeof(lock);

	return libc.getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &lock, &len) == 0 &&
	       (lock & SNDBUF_LOCK);
}

static bool narrowed(int fd)
{
	int n = 0;
	socklen_t len = sizeof(n);

	return libc.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, &len) == 0 &&
	       n == 2 * QUICK_SNDBUF;
}

void fresh_enlarge(int fd)
{
	const int size = FRESH_SNDBUF;
	int saved = errno;

	libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	errno = saved;
}

void fresh_roomy(int fd)
{
	int saved = errno;

	if ((!chosen(fd) || narrowed(fd)) && writable(fd)) {
		fresh_enlarge(fd);
	}
	errno = saved;
}

/* a time-out of calls on the listener is one of calls on what it accepts */
static void inherit_timeout(int from, int to, int name)
{
	struct timeval t = { 0, 0 };
	socklen_t len = sizeof(t);

	if (libc.getsockopt(from, SOL_SOCKET, name, &t, &len) == 0 &&
	    (t.tv_sec || t.tv_usec)) {
		libc.setsockopt(to, SOL_SOCKET, name, &t, len);
	}
}

/* what is obeyed here and not by the stack */
static void inherit_int(int listener, int fd, int name, int usual)
{
	int v = usual;
	socklen_t len = sizeof(v);

	if (libc.getsockopt(listener, SOL_SOCKET, name, &v, &len) == 0 &&
	    v != usual) {
		libc.setsockopt(fd, SOL_SOCKET, name, &v, sizeof(v));
	}
}

void fresh_accepted(int fd, int listener)
{
	int size = FRESH_SNDBUF, saved = errno;
	socklen_t len = sizeof(size);

	if (!(early_word(listener) & EARLY_HEIRLOOM)) {
		fresh_enlarge(fd);
		return;
	}
	inherit_timeout(listener, fd, SO_RCVTIMEO);
	inherit_timeout(listener, fd, SO_SNDTIMEO);
	inherit_int(listener, fd, SO_RCVLOWAT, 1);
	inherit_int(listener, fd, FRESH_INQ, 0);
	inherit_int(listener, fd, SO_OOBINLINE, 0);
	if (chosen(listener) && libc.getsockopt(listener, SOL_SOCKET, SO_SNDBUF,
						&size, &len) == 0) {
		size /= 2; /* what the kernel reports is doubled */
	}
	libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	errno = saved;
}
