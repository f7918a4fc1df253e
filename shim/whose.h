/* whose.h - is this descriptor a socket of the run, and which
 *
 * Asks the kernel each time: descriptor numbers change hands behind a
 * library's back, names do not.
 */
#ifndef SHIM_WHOSE_H
#define SHIM_WHOSE_H

#include <stdbool.h>

#include "stack/chan/chan_name.h"

struct whose {
	struct chan_name id;  /* SOCK, or CONN of an accepted socket */
	struct chan_name own; /* SOCK: its own name */
	bool peer; /* it has, or had, an AF_UNIX peer: a connection was at
		    * least tried.  False: fresh, or a listener. */
};

/* errno stays when true; when false it may say why (EBADF, ENOTSOCK) */
bool whose(int fd, struct whose *w);

bool whose_listens(int fd); /* natively */
bool whose_blocks(int fd);  /* O_NONBLOCK is not set */
/* POLLHUP: the stack closed its end, or both directions are shut */
bool whose_hung_up(int fd);

#endif
