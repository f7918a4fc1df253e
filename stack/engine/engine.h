/* engine.h - what the parts of the engine process share
 *
 * engine.c owns the loop: io_turn(), then the core (input, tick, events,
 * output), then io_flush().  app.c owns the programs' sockets and requests,
 * relay.c the connections carried over kernel sockets.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/time.h"
#include "stack/chan/chan_name.h"
#include "stack/engine/idle.h"
#include "stack/engine/io.h"
#include "stack/sock/stack.h"

#define ENGINE_EXCLUDE_MAX 32

struct engine_net {
	struct addr addr;
	unsigned bits;
};

struct app;
struct heap;
struct past;

struct engine {
	struct io *io;
	struct stack *stack;
	struct app *app;
	struct heap *heap; /* of all that lives in this process */
	struct instant now; /* refreshed once a turn; app.c uses it for calls */
	struct chan_run run;
	struct engine_net exclude[ENGINE_EXCLUDE_MAX]; /* beside loopback */
	unsigned n_exclude;
	int verbose;       /* 0 quiet, 1 normal, 2 -v, 3 -vv */
	int keeper_fd;     /* requests to the keeper; -1 none */
	bool no_force;     /* the keeper cannot raise buffer sizes */
	struct past *past; /* NULL: nothing is remembered, nothing said */
	struct idle idle;  /* key pairs are made ahead */
};

/* one line to stderr when verbose reaches level; printf-like */
void engine_log(const struct engine *e, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* asks the keeper to raise SO_SNDBUF/SO_RCVBUF of fd beyond the limits
 * (SO_SNDBUFFORCE); falls back to plain SO_SNDBUF.  Synchronous, short. */
void engine_force_buf(struct engine *e, int fd, int sndbuf, int rcvbuf);
/* a process belongs to the run: its pidfd is watched while it lives */
void engine_watch_pid(struct engine *e, int pid);

/* --- app.c (and relay.c behind it) ---------------------------------------- */
/* binds the CTL and DATA names and starts listening; 0 or errno */
int app_start(struct engine *e);
/* drains stack_event() and acts; called every turn after the core was fed */
void app_turn(struct engine *e);
/* when app_turn() wants to be called although nothing came; in the past: at
 * once */
struct instant app_deadline(const struct engine *e);
/* looks for sockets whose program is gone in the next turn, not in a second */
void app_sweep_soon(struct engine *e);
/* sockets that some program still holds, or that still carry octets */
uint32_t app_busy(const struct engine *e);
void app_stop(
	struct engine *e); /* closes everything: programs see a dead stack */

#endif
