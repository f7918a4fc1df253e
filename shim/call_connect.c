/* connect
 *
 * One request; the stack connects the program's socket to itself and keeps its
 * send buffer full until the handshake has ended.  A blocking call then waits
 * for room, holding nothing: programs jump out of it.  A call that does not
 * block need not wait for the stack either, once that is known to carry the
 * destination: quick.h.
 */
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
#include "shim/quick.h"
#include "shim/say.h"
#include "shim/wait.h"
#include "shim/whose.h"
#include "stack/chan/chan_addr.h"

#define REPEATS 4 /* NEED_FRESH and NEED_KERNEL, each once, and to spare */

/* tcp_v4_connect() and tcp_v6_connect(): the order of Linux's checks.  With
 * AF_INET6 an old structure without scope is enough. */
static int destination(const struct sockaddr_storage *ss, socklen_t len,
		       uint8_t family, struct ask *a)
{
	if (len < (family == 6 ? 24 : sizeof(struct sockaddr_in))) {
		return EINVAL;
	}
	if (ss->ss_family != (family == 6 ? AF_INET6 : AF_INET) ||
	    !chan_addr_get(ss, len, &a->q.addr,
			   &a->q.scope_id)) {
		return EAFNOSUPPORT;
	}
	a->q.addr.addr = addr_unmap(a->q.addr.addr);
	return 0;
}

static int ask_connect(int fd, struct whose *w, struct ask *a)
{
	int err = EIO;

	for (int i = 0; i < REPEATS; i++) {
		int kernel = -1;

		a->q.id = w->id.id; /* of what is in its place by now */
		a->fd[0] = fd;
		a->n_fd = 1;
		if (i > 0 && err == CHAN_NEED_KERNEL) {
			kernel = fresh_kernel(a, false);
			if (kernel < 0) {
				return ENOBUFS;
			}
			a->fd[a->n_fd++] = kernel;
		}
		err = ask(a);
		if (kernel >= 0) {
			close(kernel);
		}
		if (err == CHAN_NEED_FRESH) {
			err = fresh_renew(fd, w);
			if (err) {
				return err;
			}
			err = CHAN_NEED_FRESH;
		} else if (err != CHAN_NEED_KERNEL) {
			return err;
		}
	}
	return EADDRNOTAVAIL;
}

/* AF_UNSPEC: back to an unconnected socket */
static int disconnect(int fd, struct whose *w)
{
	struct ask a;
	int err;

	if (!w->peer) {
		return 0;
	}
	ask_init(&a, CHAN_OP_CONNECT, &w->id);
	a.fd[0] = fd;
	a.n_fd = 1;
	err = ask(&a);
	return err ? err : fresh_renew(fd, w);
}

/* The handshake has ended; or the time is over: EINPROGRESS of the first call,
 * EALREADY of a later one. */
static int finish(int fd, const struct whose *w, int pending)
{
	struct ask a;
	int err = wait_connected(fd), result;

	if (err) {
		return err == EAGAIN ? pending : err;
	}
	err = ask_plain(&a, CHAN_OP_ERROR, &w->id);
	if (err) {
		return err;
	}
	memcpy(&result, a.p.val, sizeof(result));
	say_behind(&a.p);
	return result;
}

static int start(int fd, const struct sockaddr *sa, socklen_t len,
		 struct whose *w)
{
	struct sockaddr_storage ss;
	bool blocks = whose_blocks(fd);
	struct ask a;
	int err = copy_addr_in(&ss, sa, len);

	if (err) {
		return err;
	}
	if (len < sizeof(ss.ss_family)) {
		return EINVAL;
	}
	if (ss.ss_family == AF_UNSPEC) {
		return disconnect(fd, w);
	}
	ask_init(&a, CHAN_OP_CONNECT, &w->id);
	a.q.flags = blocks ? 0 : CHAN_F_NONBLOCK;
	err = destination(&ss, len, w->id.family, &a);
	if (err) {
		return w->peer && !whose_hung_up(fd) ? EISCONN : err;
	}
	if (!blocks && quick_begin(fd, w, &a)) {
		return EINPROGRESS;
	}
	if (w->id.kind == CHAN_KIND_CONN || whose_listens(fd)) {
		return EISCONN;
	}
	early_add(fd, w, &a);
	err = ask_connect(fd, w, &a);
	if (err == EINPROGRESS) {
		quick_learn(&a);
	}
	if (blocks && (err == EINPROGRESS || err == EALREADY)) {
		err = finish(fd, w, err);
	} else if (err == EPROTO && ask_plain(&a, CHAN_OP_ERROR, &w->id) == 0) {
		say_behind(&a.p); /* refused before it began */
	}
	if (err == 0) {
		fresh_roomy(fd);
	}
	return err;
}

int shim_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct whose w;
	int err;

	if (!init_on() || !whose(fd, &w)) {
		return libc.connect(fd, sa, len);
	}
	err = start(fd, sa, len, &w);
	if (err) {
		errno = err;
		return -1;
	}
	return 0;
}
