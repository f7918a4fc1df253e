/* quick.h - connect() that does not wait for the stack's answer
 *
 * The socket is connected to the stack right here, says where it wants to go
 * (CHAN_OP_BEGIN) and is filled until no write would succeed; the stack takes
 * that out again when the handshake has ended.  Only towards addresses of which
 * the stack has said a moment ago that it carries them: errors that the call
 * itself gives (no route, no such scope) come from that question.
 */
#ifndef SHIM_QUICK_H
#define SHIM_QUICK_H

#include <stdbool.h>

#include "shim/ask.h"
#include "shim/whose.h"

/* SO_SNDBUF of a socket that quick_begin() filled, until it is enlarged: as
 * asked for; the kernel doubles it.  A number that nobody else picks. */
#define QUICK_SNDBUF 8209

/* a->p, the answer to CHAN_OP_CONNECT with a->q, is what later calls go by */
void quick_learn(const struct ask *a);
/* true: it begins, EINPROGRESS is the answer.  False: nothing happened, ask.
 * a: CHAN_OP_CONNECT as it would be asked; the socket does not block. */
bool quick_begin(int fd, struct whose *w, const struct ask *a);
/* This is the first question after quick_begin(), the handshake went well and
 * the stack has nothing to say. */
bool quick_went_well(int fd);

#endif
