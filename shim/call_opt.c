/* getsockopt, setsockopt, shutdown, ioctl
 *
 * Options live in the stack process, except those that the AF_UNIX socket
 * itself obeys: time-outs, type, the low-water mark of reads, and the room for
 * what is written.
 */
#include "shim/export.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shim/ask.h"
#include "shim/copy.h"
#include "shim/early.h"
#include "shim/fresh.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/quick.h"
#include "shim/say.h"
#include "shim/whose.h"
#include "stack/base/check.h"

/* numbers that older headers lack */
#define OPT_PEERGROUPS    59
#define OPT_NETNS_COOKIE  71
#define OPT_PEERPIDFD     77

#define IOCTL_SOCKET_BASE 0x8900ul /* SIOC*: 0x8900 to 0x89ff */

static int fail(int err)
{
	errno = err;
	return -1;
}

/* the AF_UNIX socket's own answer is the right one */
static bool is_native(int level, int name)
{
	if (level != SOL_SOCKET) {
		return false;
	}
	switch (name) {
	case SO_TYPE:
	case SO_ACCEPTCONN:
	case SO_RCVTIMEO_OLD:
	case SO_SNDTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
	case SO_SNDTIMEO_NEW:
	case SO_COOKIE:
	case SO_PEEK_OFF:
	case SO_OOBINLINE:
	case SO_BPF_EXTENSIONS:
	case OPT_NETNS_COOKIE:
		return true;
	default:
		return false;
	}
}

/* A filter on the AF_UNIX socket would see no packets; saying yes and not
 * filtering is worse than no. */
static bool is_filter(int level, int name)
{
	return level == SOL_SOCKET &&
	       (name == SO_ATTACH_FILTER || name == SO_ATTACH_BPF ||
		name == SO_ATTACH_REUSEPORT_CBPF ||
		name == SO_ATTACH_REUSEPORT_EBPF);
}

static int give(void *val, socklen_t *user_len, socklen_t room,
		const void *answer, socklen_t len)
{
	int err;

	len = len < room ? len : room;
	err = copy_out(val, answer, len);
	if (!err) {
		err = copy_out(user_len, &len, sizeof(len));
	}
	return err ? fail(err) : 0;
}

static int pending_error(int fd, const struct whose *w)
{
	int native = 0, result;
	socklen_t len = sizeof(native);
	struct ask a;

	/* of the AF_UNIX socket: consumed, so that a later read does not find
	 * it; it says ECONNRESET whatever happened */
	libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, &native, &len);
	if (ask_plain(&a, CHAN_OP_ERROR, &w->id) != 0) {
		return w->peer && whose_hung_up(fd) ? ECONNRESET : native;
	}
	memcpy(&result, a.p.val, sizeof(result));
	say_behind(&a.p);
	if (result == 0 && w->peer) {
		fresh_roomy(fd);
	}
	return result;
}

/* the native SO_ERROR is right, and what it says to bad pointers too */
static bool went_well(int fd, const struct whose *w)
{
	if (!w->peer || w->id.kind != CHAN_KIND_SOCK || !quick_went_well(fd)) {
		return false;
	}
	fresh_enlarge(fd);
	return true;
}

/* options with an answer of their own: true when handled, *rc then set */
static bool get_special(int fd, const struct whose *w, int name, void *val,
			socklen_t *len, socklen_t room, int *rc)
{
	const struct ucred nobody = { 0, (uid_t)-1, (gid_t)-1 };
	int n;

	switch (name) {
	case SO_DOMAIN:
		n = w->own.family == 6 ? AF_INET6 : AF_INET;
		break;
	case SO_PROTOCOL:
		n = IPPROTO_TCP;
		break;
	case SO_ERROR:
		n = pending_error(fd, w);
		break;
	case SO_PEERCRED:
		*rc = give(val, len, room, &nobody, sizeof(nobody));
		return true;
	case OPT_PEERGROUPS:
	case OPT_PEERPIDFD:
		*rc = fail(ENODATA);
		return true;
	case SO_PEERSEC:
		*rc = fail(ENOPROTOOPT);
		return true;
	default:
		return false;
	}
	*rc = give(val, len, room, &n, sizeof(n));
	return true;
}

int shim_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	struct whose w;
	struct ask a;
	int room, rc, err;

	if (!init_on() || is_native(level, name) || !whose(fd, &w)) {
		return libc.getsockopt(fd, level, name, val, len);
	}
	if (level == SOL_SOCKET && name == SO_ERROR && went_well(fd, &w)) {
		return libc.getsockopt(fd, level, name, val, len);
	}
	if (copy_in(&room, len, sizeof(room)) != 0) {
		return fail(EFAULT);
	}
	if (room < 0) {
		return fail(EINVAL);
	}
	if (level == SOL_SOCKET &&
	    get_special(fd, &w, name, val, len, (socklen_t)room, &rc)) {
		return rc;
	}
	ask_init(&a, CHAN_OP_GETSOCKOPT, &w.id);
	a.q.level = level;
	a.q.name = name;
	a.q.len = (uint32_t)room;
	early_add(fd, &w, &a);
	err = ask(&a);
	if (err) {
		return fail(err);
	}
	return give(val, len, (socklen_t)room, a.p.val,
		    min_u32(a.p.len, CHAN_VAL_MAX));
}

/* a listener's, which what it accepts has as well */
static int set_native(int fd, int level, int name, const void *val,
		      socklen_t len)
{
	int rc = libc.setsockopt(fd, level, name, val, len), saved = errno;
	struct whose w;

	if (rc == 0 && whose(fd, &w) && !w.peer) {
		early_mark(fd, EARLY_HEIRLOOM);
	}
	errno = saved;
	return rc;
}

/* While a connect is pending more room would make it look connected. */
static void set_native_room(int fd, const struct whose *w, int n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	bool connected = w->peer && poll(&pfd, 1, 0) == 1;
	int most = FRESH_PENDING, now = 0;
	socklen_t len = sizeof(now);

	if (!w->peer) {
		/* quick_begin() has a size of its own */
		early_mark(fd, EARLY_SLOW | EARLY_HEIRLOOM);
	} else if (!connected && libc.getsockopt(fd, SOL_SOCKET, SO_SNDBUF,
						 &now, &len) == 0) {
		most = now / 2; /* what the kernel reports is doubled */
	}
	if (!connected && n > most) {
		n = most;
	}
	libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
}

/* What the stack agreed to and the AF_UNIX socket has to do as well. */
static void set_native_too(int fd, const struct whose *w, int level, int name,
			   const void *val, socklen_t len)
{
	int n;

	if (len < sizeof(n)) {
		return;
	}
	memcpy(&n, val, sizeof(n));
	if (level == SOL_SOCKET &&
	    (name == SO_SNDBUF || name == SO_SNDBUFFORCE)) {
		set_native_room(fd, w, n);
	} else if (level == SOL_SOCKET && name == SO_RCVLOWAT) {
		set_native(fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n));
	} else if (level == IPPROTO_TCP && name == TCP_NOTSENT_LOWAT) {
		/* what waits here is not sent either */
		n = n > 0 && n < FRESH_SNDBUF ? n : FRESH_SNDBUF;
		set_native_room(fd, w, n);
	} else if (level == IPPROTO_TCP && name == TCP_INQ) {
		set_native(fd, SOL_SOCKET, FRESH_INQ, &n, sizeof(n));
	}
}

int shim_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	struct whose w;
	struct ask a;
	int err, saved;

	if (init_on() && is_native(level, name)) {
		return set_native(fd, level, name, val, len);
	}
	if (!init_on() || !whose(fd, &w)) {
		return libc.setsockopt(fd, level, name, val, len);
	}
	if ((int)len < 0) {
		return fail(EINVAL);
	}
	if (is_filter(level, name)) {
		return fail(EOPNOTSUPP);
	}
	len = min_u32(len, CHAN_VAL_MAX);
	ask_init(&a, CHAN_OP_SETSOCKOPT, &w.id);
	a.q.level = level;
	a.q.name = name;
	a.q.len = len;
	err = val || len == 0 ? copy_in(a.q.val, val, len) : EFAULT;
	if (!err && early_keep(fd, &w, level, name, a.q.val, len)) {
		return 0;
	}
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_CONNECT && !w.peer) {
		early_mark(fd, EARLY_SLOW); /* connect() may be done at once */
	}
	if (!err && w.peer && early_is_switch(level, name, len)) {
		err = ask_tell(&a);
	} else if (!err) {
		early_add(fd, &w, &a);
		err = ask(&a);
	}
	if (err) {
		return fail(err);
	}
	saved = errno;
	set_native_too(fd, &w, level, name, a.q.val, len);
	if (w.peer && w.id.kind == CHAN_KIND_SOCK) {
		fresh_roomy(fd);
	}
	errno = saved;
	return 0;
}

int shim_shutdown(int fd, int how)
{
	struct whose w;
	struct ask a;
	bool listens;
	int err;

	/* a program in a sandbox may not ask, and the native call suffices */
	if (!init_on() || init.sandboxed || !whose(fd, &w)) {
		return libc.shutdown(fd, how);
	}
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
		return fail(EINVAL);
	}
	listens = whose_listens(fd);
	if (!w.peer && !listens) {
		return fail(ENOTCONN);
	}
	ask_init(&a, CHAN_OP_SHUTDOWN, &w.id);
	a.q.level = how;
	err = ask(&a);
	if (err) {
		return fail(err == ENETDOWN ? ENOTCONN : err);
	}
	if (listens) {
		/* of a listener SHUT_RD wakes accept(), SHUT_WR is nothing */
		return how == SHUT_WR ? 0 : libc.shutdown(fd, SHUT_RD);
	}
	/* SHUT_RD is the stack's: here it would make its writes fail */
	if (how != SHUT_RD) {
		libc.shutdown(fd, SHUT_WR);
	}
	return 0;
}

static int outq(const struct whose *w, int name, void *arg)
{
	struct ask a;
	int err;

	ask_init(&a, CHAN_OP_OUTQ, &w->id);
	a.q.name = name;
	err = ask(&a);
	if (!err) {
		err = copy_out(arg, a.p.val, sizeof(int));
	}
	return err ? fail(err) : 0;
}

/* Interface requests (SIOCGIFADDR and the like) are answered by any INET
 * socket and by no AF_UNIX one. */
static int ask_any_inet(uint8_t family, unsigned long request, void *arg)
{
	int s = libc.socket(family == 6 ? AF_INET6 : AF_INET,
			    SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc, err;

	if (s < 0) {
		return -1;
	}
	rc = libc.ioctl(s, request, arg);
	err = errno;
	close(s);
	errno = err;
	return rc;
}

int shim_ioctl(int fd, unsigned long request, ...)
{
	struct whose w;
	va_list ap;
	void *arg;
	int rc;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!init_on()) {
		return libc.ioctl(fd, request, arg);
	}
	if ((request == SIOCOUTQ || request == SIOCOUTQNSD) && whose(fd, &w)) {
		return outq(&w, (int)request, arg);
	}
	rc = libc.ioctl(fd, request, arg);
	if (rc == -1 && (errno == ENOTTY || errno == EINVAL) &&
	    (request & ~0xfful) == IOCTL_SOCKET_BASE && whose(fd, &w)) {
		return ask_any_inet(w.own.family, request, arg);
	}
	return rc;
}
