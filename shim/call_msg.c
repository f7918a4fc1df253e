/* write and its relatives: looked at only when they fail
 *
 * Calls with flags ask for MSG_NOSIGNAL, because the first write after a reset
 * gives ECONNRESET and no signal on TCP.  write() and writev() cannot: turning
 * them into send() would cost every file write a system call, and kill
 * programs in a sandbox.
 */
#include "shim/export.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>

#include "shim/ask.h"
#include "shim/copy.h"
#include "shim/end.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/whose.h"
#include "stack/base/check.h"

#define CONTROL_MAX 1024 /* octets of ancillary data that are looked at */

ssize_t shim_write(int fd, const void *buf, size_t n)
{
	ssize_t put;

	init_on();
	put = libc.write(fd, buf, n);
	return put >= 0 ? put : end_write(fd, false, true);
}

ssize_t shim_writev(int fd, const struct iovec *v, int n)
{
	ssize_t put;

	init_on();
	put = libc.writev(fd, v, n);
	return put >= 0 ? put : end_write(fd, false, true);
}

static int fail(int err)
{
	errno = err;
	return -1;
}

/* In line, on a kernel whose AF_UNIX has no urgent data: the stack learns of
 * it afterwards, so what is on its way already is not marked. */
static ssize_t mark_urgent(int fd, const struct whose *w,
			   const struct msghdr *m, int flags)
{
	ssize_t put = libc.sendmsg(fd, m, flags & ~MSG_OOB);
	struct ask a;

	if (put > 0) {
		ask_plain(&a, CHAN_OP_URGENT, &w->id);
	}
	return put;
}

/* MSG_FASTOPEN connects; with a cookie the stack's SYN waits for the data */
static ssize_t open_and_send(int fd, const struct msghdr *m, int flags)
{
	struct msghdr plain = *m;
	int on = 1;

	if (!m->msg_name) {
		return fail(EINVAL);
	}
	shim_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
	if (shim_connect(fd, m->msg_name, m->msg_namelen) != 0) {
		return -1;
	}
	plain.msg_name = NULL;
	plain.msg_namelen = 0;
	return libc.sendmsg(fd, &plain, (flags & ~MSG_FASTOPEN) | MSG_NOSIGNAL);
}

enum control {
	CONTROL_PASS,  /* nothing in it that AF_UNIX or TCP would act on */
	CONTROL_STRIP, /* TCP lets it pass without effect */
	CONTROL_BAD,   /* TCP says EINVAL */
};

/* TCP looks only at SOL_SOCKET's ancillary data, ignores SCM_RIGHTS and
 * SCM_CREDENTIALS, and refuses what it does not know.  AF_UNIX would really
 * pass descriptors. */
static enum control control_of(const struct msghdr *m)
{
	char buf[CONTROL_MAX];
	struct msghdr c = { .msg_control = buf };
	enum control verdict = CONTROL_PASS;

	c.msg_controllen = min_size(m->msg_controllen, sizeof(buf));
	if (!m->msg_control ||
	    copy_in(buf, m->msg_control, c.msg_controllen) != 0) {
		return CONTROL_PASS;
	}
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&c); h; h = CMSG_NXTHDR(&c, h)) {
		if (h->cmsg_level != SOL_SOCKET) {
			continue;
		}
		switch (h->cmsg_type) {
		case SCM_RIGHTS:
		case SCM_CREDENTIALS:
		case SO_MARK:
		case SO_PRIORITY:
		case SO_TIMESTAMPING:
			verdict = CONTROL_STRIP;
			break;
		default:
			return CONTROL_BAD;
		}
	}
	return verdict;
}

/* one message on a socket of ours, as TCP sends it: no address, no ancillary
 * data */
static ssize_t send_ours(int fd, const struct whose *w, const struct msghdr *m,
			 int flags)
{
	struct msghdr plain = *m;
	ssize_t put;

	if ((flags & MSG_FASTOPEN) && !w->peer) {
		return open_and_send(fd, m, flags);
	}
	plain.msg_name = NULL;
	plain.msg_namelen = 0;
	plain.msg_control = NULL;
	plain.msg_controllen = 0;
	flags = (flags & ~MSG_FASTOPEN) | MSG_NOSIGNAL;
	put = libc.sendmsg(fd, &plain, flags);
	if (put < 0 && (flags & MSG_OOB) && errno == EOPNOTSUPP) {
		put = mark_urgent(fd, w, &plain, flags);
	}
	return put;
}

/* flags that AF_UNIX takes differently */
static bool is_special(int flags)
{
	return (flags & (MSG_OOB | MSG_FASTOPEN)) != 0;
}

/* AF_UNIX refuses an address, TCP ignores it */
static bool refused_address(ssize_t put)
{
	return put < 0 && (errno == EISCONN || errno == EOPNOTSUPP);
}

/* A message with special flags or ancillary data, before anything was sent:
 * true when it was for a socket of ours, with the result in *put. */
static bool sent_special(int fd, const struct msghdr *m, int flags,
			 ssize_t *put)
{
	enum control control;
	struct whose w;

	if ((!m->msg_controllen && !is_special(flags)) || !whose(fd, &w)) {
		return false;
	}
	control = m->msg_controllen ? control_of(m) : CONTROL_PASS;
	if (control == CONTROL_PASS && !is_special(flags)) {
		return false;
	}
	*put = control == CONTROL_BAD && w.peer ? fail(EINVAL)
						: send_ours(fd, &w, m, flags);
	return true;
}

/* the one way for everything with flags; m is readable */
static ssize_t send_any(int fd, const struct msghdr *m, int flags)
{
	struct whose w;
	ssize_t put;

	if (!sent_special(fd, m, flags, &put)) {
		put = libc.sendmsg(fd, m, flags | MSG_NOSIGNAL);
		if (m->msg_name && refused_address(put) && whose(fd, &w)) {
			put = send_ours(fd, &w, m, flags);
		}
	}
	return put >= 0 ? put : end_write(fd, flags & MSG_NOSIGNAL, false);
}

ssize_t shim_sendto(int fd, const void *buf, size_t n, int flags,
		    const struct sockaddr *sa, socklen_t len)
{
	union {
		const void *in;
		void *out;
	} data = { .in = buf }, addr = { .in = sa };
	struct iovec v = { data.out, n };
	struct msghdr m = { .msg_name = addr.out,
			    .msg_namelen = len,
			    .msg_iov = &v,
			    .msg_iovlen = 1 };
	ssize_t put;

	if (!init_on()) {
		return libc.sendto(fd, buf, n, flags, sa, len);
	}
	if (!is_special(flags)) {
		put = libc.sendto(fd, buf, n, flags | MSG_NOSIGNAL, sa, len);
		if (put >= 0) {
			return put;
		}
		if (!sa || !refused_address(put)) {
			return end_write(fd, flags & MSG_NOSIGNAL, false);
		}
	}
	return send_any(fd, &m, flags);
}

ssize_t shim_send(int fd, const void *buf, size_t n, int flags)
{
	ssize_t put;

	if (!init_on()) {
		return libc.send(fd, buf, n, flags);
	}
	if (is_special(flags)) {
		return shim_sendto(fd, buf, n, flags, NULL, 0);
	}
	put = libc.send(fd, buf, n, flags | MSG_NOSIGNAL);
	return put >= 0 ? put : end_write(fd, flags & MSG_NOSIGNAL, false);
}

ssize_t shim_sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (!init_on() || !m) {
		return libc.sendmsg(fd, m, flags);
	}
	return send_any(fd, m, flags);
}

/* several at once, unless one of them needs a look */
int shim_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	bool look = is_special(flags);
	struct whose w;
	unsigned done;

	if (!init_on()) {
		return libc.sendmmsg(fd, m, n, flags);
	}
	for (unsigned i = 0; i < n && !look; i++) {
		look = m[i].msg_hdr.msg_controllen || m[i].msg_hdr.msg_name;
	}
	if (!look || !whose(fd, &w)) {
		int put = libc.sendmmsg(fd, m, n, flags | MSG_NOSIGNAL);

		return put >= 0 ? put
				: (int)end_write(fd, flags & MSG_NOSIGNAL,
						 false);
	}
	for (done = 0; done < n; done++) {
		ssize_t put = send_any(fd, &m[done].msg_hdr, flags);

		if (put < 0) {
			break;
		}
		m[done].msg_len = (unsigned)put;
	}
	return done || n == 0 ? (int)done : -1;
}
