/* daemon.h - leaving the caller: no child, no terminal, no descriptor of it
 */
#ifndef ENGINE_DAEMON_H
#define ENGINE_DAEMON_H

#include <stdbool.h>

#define DAEMON_KEEP_MAX 8

/* Closes every descriptor beyond 2 except those of keep (-1 is skipped). */
void daemon_close_others(const int keep[], unsigned n);
/* In the child: own session, umask 022, /, standard input and output to
 * /dev/null.  Returns the child's process ID in the parent, 0 in the child,
 * -1 and errno. */
int daemon_fork(void);
/* Standard error to null_fd, an open /dev/null: works after confinement. */
void daemon_silence(int null_fd);

#endif
