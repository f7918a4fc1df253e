/* keeper.h - the privileged half: parses no packet, serves the engine
 *
 * Keeps CAP_NET_ADMIN.  Raises buffer sizes of descriptors that the engine
 * sends, writes down which destinations were encrypted, and takes back what
 * tun_setup() added to devices that stay when the engine has ended, however it
 * ended.
 */
#ifndef ENGINE_KEEPER_H
#define ENGINE_KEEPER_H

#include <sys/types.h>

#include "stack/chan/conf.h"
#include "stack/engine/scribe.h"
#include "stack/engine/tun.h"

/* The keeper's end: SIGTERM goes on to the engine; returns the exit status
 * when that has ended and everything is written.  SIGTERM, SIGINT and SIGCHLD
 * are blocked before.  scribe may be NULL. */
int keeper_run(int sock, pid_t engine, const struct run_conf *conf,
	       struct tun *tuns, struct scribe *scribe);

/* the engine's end: 0 or errno; ETIMEDOUT or EPIPE: the keeper is gone */
int keeper_force(int sock, int fd, int sndbuf, int rcvbuf);
/* a destination is to be written down; not waited for */
void keeper_known(int sock, const struct known_entry *e);

#endif
