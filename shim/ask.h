/* ask.h - one request to the stack process
 *
 * Connects, sends, receives, closes: no descriptor outlives the call.  Signals
 * wait meanwhile (some tens of microseconds), so that no handler that jumps
 * away leaves anything behind.  The stack is given ASK_WAIT_MS; after that it
 * counts as dead.
 */
#ifndef SHIM_ASK_H
#define SHIM_ASK_H

#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "stack/chan/chan_msg.h"

#define ASK_WAIT_MS 10000
#define ASK_FD_MAX  2

struct ask {
	struct chan_req q;
	struct chan_rep p; /* valid when ask() did not return ENETDOWN */
	int fd[ASK_FD_MAX];
	unsigned n_fd;
	int early_fd; /* whose switches q.early is: early.h */
};

/* clears the request; sock may be NULL for HELLO */
void ask_init(struct ask *a, enum chan_op op, const struct chan_name *sock);
/* The stack's answer: 0, an errno or a CHAN_NEED_ value.  ENETDOWN: there is no
 * stack; ENOBUFS: this process has no descriptor left to ask with.  errno
 * stays. */
int ask(struct ask *a);
/* The same of what cannot fail: the answer is not waited for.  Requests are
 * handled in the order in which they were made. */
int ask_tell(struct ask *a);
/* ask_init() and ask() of a request without more to it */
int ask_plain(struct ask *a, enum chan_op op, const struct chan_name *sock);

/* true when nobody listens for this run any more; wakes nobody */
bool ask_dead(void);
/* the other end of this connection to the run is who answered the first time */
bool ask_same_user(int fd);
/* this peer of an accepted socket is the stack's user: names are unforgeable,
 * but somebody may reuse a true one that he saw */
bool ask_is_stack(int fd);

/* between the two no signal handler runs and no thread is cancelled */
struct ask_calm {
	sigset_t old;
	int cancel;
};
void ask_calm(struct ask_calm *c);
void ask_calm_end(const struct ask_calm *c);

#endif
