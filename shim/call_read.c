/* read and its relatives: looked at only when they return no octets */
#include "shim/export.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "shim/copy.h"
#include "shim/end.h"
#include "shim/fresh.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/whose.h"
#include "stack/base/check.h"

#define DISCARD_CHUNK 4096
#define DISCARD_MAX   (1u << 30)

ssize_t shim_read(int fd, void *buf, size_t n)
{
	ssize_t got;

	init_on();
	got = libc.read(fd, buf, n);
	return got > 0 ? got : end_read(fd, got, n);
}

ssize_t shim_read_chk(int fd, void *buf, size_t n, size_t room)
{
	ssize_t got;

	init_on();
	got = libc.read_chk(fd, buf, n, room);
	return got > 0 ? got : end_read(fd, got, n);
}

/* only after a call that returned 0: the kernel has read v */
static size_t total(const struct iovec *v, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n && sum == 0; i++) {
		sum += v[i].iov_len;
	}
	return sum;
}

ssize_t shim_readv(int fd, const struct iovec *v, int n)
{
	ssize_t got;

	init_on();
	got = libc.readv(fd, v, n);
	if (got > 0) {
		return got;
	}
	return end_read(fd, got, got < 0 ? 1 : total(v, (size_t)n));
}

/* MSG_TRUNC on TCP: octets are counted and thrown away; there may be no
 * buffer. */
static ssize_t discard(int fd, size_t n, int flags)
{
	char chunk[DISCARD_CHUNK];
	size_t done = 0;

	flags &= ~MSG_TRUNC;
	n = min_size(n, DISCARD_MAX);
	while (done < n) {
		size_t want = min_size(n - done, sizeof(chunk));
		ssize_t got = libc.recv(fd, chunk, want, flags);

		if (got <= 0) {
			return done ? (ssize_t)done : end_read(fd, got, n);
		}
		done += (size_t)got;
		if (!(flags & MSG_WAITALL)) {
			flags |= MSG_DONTWAIT;
		}
		if (flags & MSG_PEEK) {
			break; /* a second look would see the same octets */
		}
	}
	return (ssize_t)done;
}

/* flags that AF_UNIX takes differently: true when handled */
static bool recv_special(int fd, size_t n, int flags, ssize_t *rc)
{
	struct whose w;

	if (!(flags & (MSG_TRUNC | MSG_ERRQUEUE)) || !init.on ||
	    !whose(fd, &w)) {
		return false;
	}
	if (flags & MSG_ERRQUEUE) {
		errno = EAGAIN; /* there is never anything in it */
		*rc = -1;
		return true;
	}
	if (flags & MSG_OOB) {
		return false;
	}
	*rc = discard(fd, n, flags);
	return true;
}

static ssize_t recv_end(int fd, ssize_t got, size_t n, int flags)
{
	/* no urgent octet is EINVAL on TCP as well */
	return got > 0 || (flags & MSG_OOB) ? got : end_read(fd, got, n);
}

ssize_t shim_recv(int fd, void *buf, size_t n, int flags)
{
	ssize_t got;

	init_on();
	if (recv_special(fd, n, flags, &got)) {
		return got;
	}
	got = libc.recv(fd, buf, n, flags);
	return recv_end(fd, got, n, flags);
}

ssize_t shim_recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
	ssize_t got;

	init_on();
	if (recv_special(fd, n, flags, &got)) {
		return got;
	}
	got = libc.recv_chk(fd, buf, n, room, flags);
	return recv_end(fd, got, n, flags);
}

#define OUR_LEN (offsetof(struct sockaddr_un, sun_path) + CHAN_NAME_LEN)

/* TCP gives no address with data: length 0.  AF_UNIX gave its peer's name,
 * which the kernel has just written, so the pointers are good; only a name of
 * that length can be ours, so other sockets cost nothing. */
static void no_address(int fd, void *addr, socklen_t *len)
{
	struct sockaddr *sa = addr;
	struct whose w;

	if (sa && *len == OUR_LEN && init.on && sa->sa_family == AF_UNIX &&
	    whose(fd, &w)) {
		sa->sa_family = AF_UNSPEC;
		*len = 0;
	}
}

static ssize_t recvfrom_end(int fd, ssize_t got, size_t n, int flags,
			    struct sockaddr *sa, socklen_t *len)
{
	if (got >= 0 && sa) {
		no_address(fd, sa, len);
	}
	return recv_end(fd, got, n, flags);
}

static ssize_t recvfrom_special(ssize_t got, const struct sockaddr *sa,
				socklen_t *len)
{
	const socklen_t none = 0;

	if (got >= 0 && sa && copy_out(len, &none, sizeof(none)) != 0) {
		errno = EFAULT;
		return -1;
	}
	return got;
}

ssize_t shim_recvfrom(int fd, void *buf, size_t n, int flags,
		      struct sockaddr *sa, socklen_t *len)
{
	ssize_t got;

	init_on();
	if (recv_special(fd, n, flags, &got)) {
		return recvfrom_special(got, sa, len);
	}
	got = libc.recvfrom(fd, buf, n, flags, sa, len);
	return recvfrom_end(fd, got, n, flags, sa, len);
}

ssize_t shim_recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags,
			  struct sockaddr *sa, socklen_t *len)
{
	ssize_t got;

	init_on();
	if (recv_special(fd, n, flags, &got)) {
		return recvfrom_special(got, sa, len);
	}
	got = libc.recvfrom_chk(fd, buf, n, room, flags, sa, len);
	return recvfrom_end(fd, got, n, flags, sa, len);
}

/* MSG_TRUNC or MSG_ERRQUEUE: true when handled */
static bool recvmsg_special(int fd, struct msghdr *m, int flags, ssize_t *rc)
{
	struct iovec v[16];
	struct msghdr copy;
	size_t n = 0;

	if (!(flags & (MSG_TRUNC | MSG_ERRQUEUE)) || !init.on ||
	    copy_in(&copy, m, sizeof(copy)) != 0) {
		return false;
	}
	copy.msg_iovlen = min_size(copy.msg_iovlen, ARRAY_SIZE(v));
	if (copy_in(v, copy.msg_iov, copy.msg_iovlen * sizeof(v[0])) != 0) {
		return false;
	}
	for (size_t i = 0; i < copy.msg_iovlen; i++) {
		n += min_size(v[i].iov_len, DISCARD_MAX);
	}
	if (!recv_special(fd, n, flags, rc)) {
		return false;
	}
	if (*rc >= 0) {
		m->msg_namelen = 0;
		m->msg_controllen = 0;
		m->msg_flags = 0;
	}
	return true;
}

/* TCP_INQ: how much more could be read now.  At the end of the stream 1, as on
 * TCP, so that who asks reads once more. */
static int inq_of(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLRDHUP };
	int n = 0;

	libc.ioctl(fd, FIONREAD, &n);
	if (n == 0 && poll(&pfd, 1, 0) == 1) {
		n = 1;
	}
	return n;
}

/* room: what the program gave for ancillary data, before the call */
static void put_inq(int fd, struct msghdr *m, size_t room)
{
	struct cmsghdr *c = m->msg_control;
	socklen_t len = sizeof(int);
	int on = 0, saved = errno, inq;
	struct whose w;

	if (!init.on || !c || room < sizeof(*c) ||
	    libc.getsockopt(fd, SOL_SOCKET, FRESH_INQ, &on, &len) != 0 || !on ||
	    !whose(fd, &w)) {
		errno = saved;
		return;
	}
	if (room < CMSG_LEN(sizeof(inq))) {
		m->msg_flags |= MSG_CTRUNC;
		errno = saved;
		return;
	}
	inq = inq_of(fd);
	c->cmsg_level = IPPROTO_TCP;
	c->cmsg_type = TCP_CM_INQ;
	c->cmsg_len = CMSG_LEN(sizeof(inq));
	memcpy(CMSG_DATA(c), &inq, sizeof(inq));
	m->msg_controllen = min_size(room, CMSG_SPACE(sizeof(inq)));
	errno = saved;
}

/* after the kernel's answer m can be read */
static ssize_t recvmsg_end(int fd, ssize_t got, struct msghdr *m, int flags)
{
	if (got > 0) {
		no_address(fd, m->msg_name, &m->msg_namelen);
		return got;
	}
	if (got == 0) {
		no_address(fd, m->msg_name, &m->msg_namelen);
		return recv_end(fd, got, total(m->msg_iov, m->msg_iovlen),
				flags);
	}
	return recv_end(fd, got, 1, flags);
}

ssize_t shim_recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t got;
	size_t room;

	init_on();
	if (recvmsg_special(fd, m, flags, &got)) {
		return got;
	}
	room = m ? m->msg_controllen : 0;
	got = recvmsg_end(fd, libc.recvmsg(fd, m, flags), m, flags);
	if (got >= 0 && room) {
		put_inq(fd, m, room);
	}
	return got;
}

int shim_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
		  struct timespec *timeout)
{
	int done;

	init_on();
	done = libc.recvmmsg(fd, m, n, flags, timeout);
	if (done <= 0) {
		return done < 0 ? (int)recv_end(fd, done, 1, flags) : done;
	}
	for (int i = 0; i < done; i++) {
		no_address(fd, m[i].msg_hdr.msg_name,
			   &m[i].msg_hdr.msg_namelen);
	}
	if (m[0].msg_len == 0 && recvmsg_end(fd, 0, &m[0].msg_hdr, flags) < 0) {
		return -1;
	}
	return done;
}

/* from a socket into a pipe: the other way is a write */
ssize_t shim_splice(int in, off64_t *off_in, int out, off64_t *off_out,
		    size_t n, unsigned flags)
{
	ssize_t got;

	init_on();
	got = libc.splice(in, off_in, out, off_out, n, flags);
	if (got != 0 && !(got < 0 && errno == ECONNRESET)) {
		return got;
	}
	return end_read(in, got, n);
}
