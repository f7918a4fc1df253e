/* life.h - how long the stack lives
 *
 * As long as a process of the run is alive and LIFE_GRACE longer; as long as a
 * program holds a socket of it; as long as it owes a peer data or a FIN.  After
 * that connections in TIME-WAIT keep it LIFE_TIMEWAIT.  SIGTERM: it ends when
 * nothing is held and owed, after LIFE_DRAIN at the latest.  "end" from
 * mptcp-run: no process of the run is left.  SIGUSR1 from the keeper: another
 * start waits for our device, so there is no grace.
 */
#ifndef ENGINE_LIFE_H
#define ENGINE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

#define LIFE_GRACE    (10 * NANOS_S)
#define LIFE_TIMEWAIT (1 * NANOS_S)
#define LIFE_DRAIN    (5 * NANOS_S)
#define LIFE_PIDS_MAX 4096

struct io;
struct life;

/* watches SIGTERM, SIGINT and SIGUSR1 (blocked before) and life_fd (-1: none),
 * which stays open; NULL: no memory or descriptor */
struct life *life_new(struct io *io, int life_fd);
void life_free(struct life *l);
/* a process of the run; one that is gone already is no error */
void life_watch_pid(struct life *l, int pid);
void life_watch_pidfd(struct life *l, int pid, int pidfd); /* takes pidfd */

/* since the last call a process ended, or mptcp-run said that none is left:
 * sockets may be nobody's any more */
bool life_went(struct life *l);

/* what is left to do: sockets held, connections owing, in TIME-WAIT */
struct life_load {
	uint32_t busy, owing, timewait;
};

/* false: the end has come */
bool life_goes_on(struct life *l, struct instant now, struct life_load load);
/* when to ask again at the latest */
struct instant life_deadline(const struct life *l);

#endif
