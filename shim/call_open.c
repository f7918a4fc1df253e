/* socket, bind, listen, accept */
#include "shim/export.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "shim/ask.h"
#include "shim/copy.h"
#include "shim/early.h"
#include "shim/fresh.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/wait.h"
#include "shim/whose.h"
#include "stack/chan/chan_addr.h"

#define TYPE_MASK   0xf /* SOCK_TYPE_MASK of the kernel */
#define PROTO_MPTCP 262
#define PORT_TRIES  64

static int fail(int err)
{
	errno = err;
	return -1;
}

static bool is_ours(int domain, int type, int protocol)
{
	return (domain == AF_INET || domain == AF_INET6) &&
	       (type & TYPE_MASK) == SOCK_STREAM &&
	       (type & ~(TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0 &&
	       (protocol == 0 || protocol == IPPROTO_TCP ||
		protocol == PROTO_MPTCP);
}

int shim_socket(int domain, int type, int protocol)
{
	if (!init_on() || !is_ours(domain, type, protocol)) {
		return libc.socket(domain, type, protocol);
	}
	return fresh_socket(domain == AF_INET6 ? 6 : 4,
			    type & (SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/* inet_bind() and inet6_bind(): the order of Linux's checks */
static int bind_addr(const struct sockaddr_storage *ss, socklen_t len,
		     uint8_t family, struct ask *a)
{
	struct sockaddr_in in;

	if (len < (family == 6 ? 24 : sizeof(in))) {
		return EINVAL;
	}
	if (family == 4 && ss->ss_family == AF_UNSPEC) {
		memcpy(&in, ss, sizeof(in));
		if (in.sin_addr.s_addr != htonl(INADDR_ANY)) {
			return EAFNOSUPPORT;
		}
		a->q.addr = endpoint_make(addr_any(4), ntohs(in.sin_port));
		return 0;
	}
	if (ss->ss_family != (family == 6 ? AF_INET6 : AF_INET) ||
	    !chan_addr_get(ss, len, &a->q.addr,
			   &a->q.scope_id)) {
		return EAFNOSUPPORT;
	}
	a->q.addr.addr = addr_unmap(a->q.addr.addr);
	return 0;
}

/* BIND, and LISTEN of an unbound socket: with a kernel socket where the stack
 * wants one.  A port that the kernel chose may be taken in the stack: again. */
static int ask_bound(struct ask *a)
{
	uint16_t port = a->q.addr.port;
	int err = ask(a);

	for (int i = 0; err == CHAN_NEED_KERNEL && i < PORT_TRIES; i++) {
		int s;

		a->q.addr.port = port;
		s = fresh_kernel(a, true);
		if (s < 0) {
			return errno;
		}
		a->fd[0] = s;
		a->n_fd = 1;
		err = ask(a);
		close(s);
		if (err == EADDRINUSE && (a->p.flags & CHAN_F_AGAIN)) {
			err = CHAN_NEED_KERNEL;
		}
	}
	return err == CHAN_NEED_KERNEL ? EADDRINUSE : err;
}

int shim_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_storage ss;
	struct whose w;
	struct ask a;
	int err;

	if (!init_on() || !whose(fd, &w)) {
		return libc.bind(fd, sa, len);
	}
	ask_init(&a, CHAN_OP_BIND, &w.id);
	err = copy_addr_in(&ss, sa, len);
	if (!err) {
		err = bind_addr(&ss, len, w.id.family, &a);
	}
	if (!err) {
		early_mark(fd, EARLY_SLOW);
		early_add(fd, &w, &a);
		err = ask_bound(&a);
	}
	return err ? fail(err) : 0;
}

int shim_listen(int fd, int backlog)
{
	struct whose w;
	struct ask a;
	int err;

	if (!init_on() || !whose(fd, &w)) {
		return libc.listen(fd, backlog);
	}
	/* first here: the stack may connect to it as soon as it is asked */
	if (libc.listen(fd, backlog) != 0) {
		return -1;
	}
	ask_init(&a, CHAN_OP_LISTEN, &w.id);
	early_mark(fd, EARLY_SLOW);
	early_add(fd, &w, &a);
	a.q.level = backlog;
	a.q.addr = endpoint_make(addr_any(w.id.family), 0);
	err = ask_bound(&a);
	return err ? fail(err) : 0;
}

/* What accept() returned comes from one of our listeners, although its peer
 * does not have a name of the run: an intruder. */
static bool at_our_listener(int fd)
{
	struct whose w;

	return whose(fd, &w);
}

enum verdict {
	FOREIGN,
	OURS,
	DROP
};

static enum verdict judge(int fd, const struct sockaddr_storage *ss,
			  socklen_t len, struct chan_name *n)
{
	if (ss->ss_family != AF_UNIX) {
		return FOREIGN;
	}
	if (chan_addr_un_get(&init.run, ss, len, n) &&
	    n->kind == CHAN_KIND_CONN) {
		return ask_is_stack(fd) ? OURS : DROP;
	}
	return at_our_listener(fd) ? DROP : FOREIGN;
}

static int give_out(int fd, struct sockaddr *sa, socklen_t *user_len,
		    const struct sockaddr_storage *ss, socklen_t len)
{
	int err = sa ? copy_addr_out(sa, user_len, ss, len) : 0;

	if (err) {
		close(fd);
		return fail(err);
	}
	return fd;
}

int shim_accept4(int fd, struct sockaddr *sa, socklen_t *user_len, int flags)
{
	struct sockaddr_storage ss;
	struct chan_name n;

	if (!init_on() || (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))) {
		return libc.accept4(fd, sa, user_len, flags);
	}
	for (;;) {
		socklen_t len = sizeof(ss);
		int err = wait_accept(fd), s;

		if (err) {
			return fail(err);
		}
		ss.ss_family = AF_UNSPEC;
		s = libc.accept4(fd, (struct sockaddr *)&ss, &len, flags);
		if (s < 0) {
			return -1;
		}
		switch (judge(s, &ss, len, &n)) {
		case FOREIGN:
			return give_out(s, sa, user_len, &ss, len);
		case OURS:
			fresh_accepted(s, fd);
			len = chan_addr_put(&n.remote, n.family, 0, &ss);
			return give_out(s, sa, user_len, &ss, len);
		case DROP:
			close(s);
			break;
		}
	}
}

int shim_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	return shim_accept4(fd, sa, len, 0);
}
