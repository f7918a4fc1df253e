#include "shim/end.h"

#include <errno.h>
#include <signal.h>

#include "shim/ask.h"
#include "shim/init.h"
#include "shim/whose.h"

/* 0: a true end.  A dead stack gives `dead`. */
static int why(const struct whose *w, int dead)
{
	struct ask a;
	int err = ask_plain(&a, CHAN_OP_WHY, &w->id);

	return err == ENETDOWN ? dead : err;
}

static ssize_t fail(int err)
{
	errno = err;
	return -1;
}

ssize_t end_read(int fd, ssize_t got, size_t asked)
{
	int native = errno, err;
	struct whose w;

	if (got > 0 || (got == 0 && asked == 0) || !init_on() ||
	    init.sandboxed ||
	    (got < 0 && native != EINVAL && native != ECONNRESET)) {
		return got;
	}
	if (got == 0 && !whose_hung_up(fd)) {
		return 0; /* the peer's half is closed, ours is open */
	}
	if (!whose(fd, &w)) {
		errno = native;
		return got;
	}
	if (got < 0 && native == EINVAL) {
		return fail(w.peer ? EINVAL : ENOTCONN);
	}
	err = why(&w, ECONNRESET);
	/* EPIPE: reset after the peer's FIN; reads go on saying end of file */
	if (err == 0 || err == EPIPE) {
		return 0;
	}
	return fail(err);
}

ssize_t end_write(int fd, bool quiet, bool signalled)
{
	int native = errno, err = 0;
	bool ours = false;
	struct whose w;

	if (native != EPIPE && native != ENOTCONN && native != ECONNRESET) {
		return -1;
	}
	if (init_on() && !init.sandboxed) {
		ours = whose(fd, &w);
	}
	errno = native;
	if (ours && w.peer && native != ENOTCONN) {
		err = why(&w, 0);
		if (err && err != EPIPE && err != ENOTCONN) {
			return fail(err);
		}
	}
	if (ours && native == ENOTCONN) {
		signalled = false; /* TCP says EPIPE, and signals it */
		errno = EPIPE;
	}
	if (errno == EPIPE && !quiet && !signalled) {
		raise(SIGPIPE);
		errno = EPIPE;
	}
	return -1;
}
