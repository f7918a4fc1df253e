#include "shim/whose.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>

#include "shim/init.h"
#include "shim/libc.h"
#include "stack/chan/chan_addr.h"

bool whose(int fd, struct whose *w)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	int saved = errno;

	if (libc.getsockname(fd, (struct sockaddr *)&un, &len) != 0) {
		return false;
	}
	if (un.sun_family != AF_UNIX ||
	    !chan_addr_un_get(&init.run, &un, len,
			      &w->own) ||
	    w->own.kind != CHAN_KIND_SOCK) {
		return false;
	}
	w->id = w->own;
	len = sizeof(un);
	w->peer = libc.getpeername(fd, (struct sockaddr *)&un, &len) == 0;
	if (w->peer) {
		struct chan_name n;

		if (chan_addr_un_get(&init.run, &un, len,
				     &n) &&
		    n.kind == CHAN_KIND_CONN) {
			w->id = n;
		}
	}
	errno = saved;
	return true;
}

bool whose_listens(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return libc.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	       on;
}

bool whose_blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

bool whose_hung_up(int fd)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP);
}
