/* early.h - what is known of a socket before the stack hears of it
 *
 * A word that the descriptor itself keeps, so that it follows it through dup(),
 * fork() and exec: the switches of chan_early.h that were set, and whether a
 * plain connect() is all that this socket needs.  It counts only as long as the
 * socket was not connected.
 */
#ifndef SHIM_EARLY_H
#define SHIM_EARLY_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/ask.h"
#include "shim/whose.h"

/* bound, listening, connected before, or with an option that changes what
 * connect() itself does: the stack is asked and waited for */
#define EARLY_SLOW (1u << 15)

/* an option was set on it that sockets which it accepts have as well, and of
 * which the AF_UNIX socket is what obeys it */
#define EARLY_HEIRLOOM (1u << 14)

uint32_t early_word(int fd);
/* it is one of them: the stack says yes to any int */
bool early_is_switch(int level, int name, uint32_t len);
/* setsockopt() that the stack need not hear of now: true when it was kept */
bool early_keep(int fd, const struct whose *w, int level, int name,
		const void *val, uint32_t len);
void early_mark(int fd, uint32_t bits); /* EARLY_* */
/* what was kept goes with this request, and is kept until the stack has it */
void early_add(int fd, const struct whose *w, struct ask *a);
void early_heard(struct ask *a); /* it has */

#endif
