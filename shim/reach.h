/* reach.h - starting a program so that it stays in the run
 *
 * Two steps of every exec: refuse what LD_PRELOAD cannot reach, and put back
 * what a cleaned environment has lost.
 */
#ifndef SHIM_REACH_H
#define SHIM_REACH_H

#include <stdbool.h>
#include <stddef.h>

/* 0, or EACCES after one line on stderr.  envp may say MPTCP_RUN_DISABLE: then
 * everything is allowed. */
int reach_check(const char *path, char *const envp[]);

/* memory for arguments or an environment: on the caller's stack while it is
 * small, since a child of vfork() leaves what it maps to its parent */
#define REACH_ROOM_MIN 3072

struct reach_room {
	size_t mapped; /* octets, 0: small is used */
	void *p;
	char *small[REACH_ROOM_MIN / sizeof(char *)];
};

/* NULL: no memory */
void *reach_get(struct reach_room *r, size_t size);
void reach_put(struct reach_room *r); /* errno stays */

/* envp, patched when it has to be; NULL: no memory */
char *const *reach_env(struct reach_room *r, char *const envp[]);

/* Where file is, as execvp() finds it: true and the path in out. */
bool reach_find(const char *file, char *out, size_t n);

#endif
