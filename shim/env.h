/* env.h - what a program that is about to be started must have in its
 * environment, when whoever starts it has cleaned it
 *
 * No allocation: this runs in the child of vfork().
 */
#ifndef SHIM_ENV_H
#define SHIM_ENV_H

#include <stdbool.h>
#include <stddef.h>

#define ENV_KEEP_MAX  32
#define ENV_KEEP_TEXT 4096

/* The run's variables (all MPTCP_*) as they were at the start.  Copied: a
 * program may write over its environment (nginx and sshd do, for their
 * titles). */
struct env_keep {
	const char *preload; /* path of this library */
	unsigned n;
	unsigned at[ENV_KEEP_MAX]; /* offset of "NAME=value" in text */
	size_t used;
	char text[ENV_KEEP_TEXT];
};

void env_keep(struct env_keep *k, const char *preload, char *const envp[]);

/* nothing is missing in envp (may be NULL: empty) */
bool env_complete(const struct env_keep *k, char *const envp[]);
/* envp says MPTCP_RUN_DISABLE: that program is to run without us */
bool env_disabled(char *const envp[]);
/* octets that env_patch() needs in buf */
size_t env_patch_size(const struct env_keep *k, char *const envp[]);
/* envp with what is missing: every variable kept that is not there, and our
 * library at the end of LD_PRELOAD.  buf: of that size, pointer-aligned; it
 * holds the result.  Values that are there stay as they are: a nested run has
 * its own. */
char *const *env_patch(const struct env_keep *k, char *const envp[], void *buf);

#endif
