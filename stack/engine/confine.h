/* confine.h - giving up what a process does not need any more
 *
 * Best effort where the kernel may lack a part; what is missing is named.
 */
#ifndef ENGINE_CONFINE_H
#define ENGINE_CONFINE_H

#include <stdbool.h>

/* the keeper: CAP_NET_ADMIN stays if it was there, nothing else; never more
 * again.  0 or errno. */
int confine_keeper(void);

enum {
	CONFINE_NO_CAPS = 1,
	CONFINE_NO_FILES = 2, /* Landlock: no path can be opened */
	CONFINE_NO_CALLS = 4, /* seccomp: the list in confine.c, else EPERM */
};

/* The engine, after set-up: no capability, no file, few system calls.  The
 * bits of what was reached. */
unsigned confine_engine(void);

#endif
