/* getsockname, getpeername */
#include "shim/export.h"

#include <errno.h>

#include "shim/ask.h"
#include "shim/copy.h"
#include "shim/fresh.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/whose.h"
#include "stack/chan/chan_addr.h"

/* An accepted socket's addresses are in its peer's name: no request.  Not
 * after its end: a reset socket has no peer any more. */
static int look_up(int fd, const struct whose *w, struct endpoint *local,
		   struct endpoint *remote)
{
	struct ask a;
	int err;

	if (w->id.kind == CHAN_KIND_CONN && !whose_hung_up(fd)) {
		*local = w->id.local;
		*remote = w->id.remote;
		return 0;
	}
	err = ask_plain(&a, CHAN_OP_NAMES, &w->id);
	*local = a.p.local;
	*remote = a.p.remote;
	return err;
}

static int answer(const struct endpoint *e, uint8_t family, struct sockaddr *sa,
		  socklen_t *len)
{
	struct sockaddr_storage ss;
	socklen_t n = chan_addr_put(e, family, 0, &ss);
	int err = copy_addr_out(sa, len, &ss, n);

	if (err) {
		errno = err;
		return -1;
	}
	return 0;
}

int shim_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	struct endpoint local, remote;
	struct whose w;
	int err;

	if (!init_on() || !whose(fd, &w)) {
		return libc.getsockname(fd, sa, len);
	}
	err = look_up(fd, &w, &local, &remote);
	if (err) {
		errno = err;
		return -1;
	}
	return answer(&local, w.own.family, sa, len);
}

int shim_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	struct endpoint local, remote;
	struct whose w;
	int err = 0;

	if (!init_on() || !whose(fd, &w)) {
		return libc.getpeername(fd, sa, len);
	}
	if (!w.peer) {
		err = ENOTCONN;
	} else {
		err = look_up(fd, &w, &local, &remote);
		if (err || remote.addr.family == 0) {
			err = ENOTCONN;
		}
	}
	if (err) {
		errno = err;
		return -1;
	}
	if (w.id.kind == CHAN_KIND_SOCK) {
		fresh_roomy(fd); /* some ask this and not for SO_ERROR */
	}
	return answer(&remote, w.own.family, sa, len);
}
