/* exec*, posix_spawn*, system, popen: what is started stays in the run */
#include "shim/export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim/init.h"
#include "shim/libc.h"
#include "shim/reach.h"

static int fail(int err)
{
	errno = err;
	return -1;
}

int shim_execve(const char *path, char *const argv[], char *const envp[])
{
	struct reach_room room;
	char *const *env;
	int err;

	if (!init_on()) {
		return libc.execve(path, argv, envp);
	}
	err = reach_check(path, envp);
	if (err) {
		return fail(err);
	}
	env = reach_env(&room, envp);
	if (!env && envp) {
		return fail(ENOMEM);
	}
	libc.execve(path, argv, env);
	reach_put(&room);
	return -1;
}

int shim_execv(const char *path, char *const argv[])
{
	return shim_execve(path, argv, environ);
}

int shim_fexecve(int fd, char *const argv[], char *const envp[])
{
	struct reach_room room;
	char path[32];
	char *const *env;
	int err;

	if (!init_on()) {
		return libc.fexecve(fd, argv, envp);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = reach_check(path, envp);
	if (err) {
		return fail(err);
	}
	env = reach_env(&room, envp);
	if (!env && envp) {
		return fail(ENOMEM);
	}
	libc.fexecve(fd, argv, env);
	reach_put(&room);
	return -1;
}

int shim_execveat(int dir, const char *path, char *const argv[],
		  char *const envp[], int flags)
{
	struct reach_room room;
	char full[PATH_MAX + 32];
	char *const *env;
	int err;

	if (!init_on() || !path) {
		return libc.execveat(dir, path, argv, envp, flags);
	}
	if (*path == '/' || (dir == AT_FDCWD && *path)) {
		snprintf(full, sizeof(full), "%s", path);
	} else {
		snprintf(full, sizeof(full), "/proc/self/fd/%d%s%s", dir,
			 *path ? "/" : "", path);
	}
	err = reach_check(full, envp);
	if (err) {
		return fail(err);
	}
	env = reach_env(&room, envp);
	if (!env && envp) {
		return fail(ENOMEM);
	}
	libc.execveat(dir, path, argv, env, flags);
	reach_put(&room);
	return -1;
}

int shim_posix_spawn(pid_t *pid, const char *path,
		     const posix_spawn_file_actions_t *fa,
		     const posix_spawnattr_t *attr, char *const argv[],
		     char *const envp[])
{
	struct reach_room room;
	char *const *env;
	int err;

	if (!init_on()) {
		return libc.posix_spawn(pid, path, fa, attr, argv, envp);
	}
	err = reach_check(path, envp);
	if (err) {
		return err;
	}
	env = reach_env(&room, envp);
	if (!env && envp) {
		return ENOMEM;
	}
	err = libc.posix_spawn(pid, path, fa, attr, argv, env);
	reach_put(&room);
	return err;
}

int shim_posix_spawnp(pid_t *pid, const char *file,
		      const posix_spawn_file_actions_t *fa,
		      const posix_spawnattr_t *attr, char *const argv[],
		      char *const envp[])
{
	struct reach_room room;
	char path[PATH_MAX];
	char *const *env;
	int err = 0;

	if (!init_on()) {
		return libc.posix_spawnp(pid, file, fa, attr, argv, envp);
	}
	if (file && reach_find(file, path, sizeof(path))) {
		err = reach_check(path, envp);
	}
	if (err) {
		return err;
	}
	env = reach_env(&room, envp);
	if (!env && envp) {
		return ENOMEM;
	}
	err = libc.posix_spawnp(pid, file, fa, attr, argv, env);
	reach_put(&room);
	return err;
}

/* The C library starts these from the process's environment, by calls that no
 * preload sees.  Changing it for a moment is all that is left; a program that
 * has not cleaned it never gets here. */
struct lent {
	struct reach_room room;
	char **old;
};

static void lend(struct lent *l)
{
	char *const *env = reach_env(&l->room, environ);

	union {
		char *const *in;
		char **out;
	} u = { .in = env };

	l->old = environ;
	if (env && env != environ) {
		environ = u.out;
	}
}

static void give_back(struct lent *l)
{
	environ = l->old;
	reach_put(&l->room);
}

int shim_system(const char *command)
{
	struct lent l;
	int rc;

	if (!init_on() || env_complete(&init.keep, environ)) {
		return libc.system(command);
	}
	lend(&l);
	rc = libc.system(command);
	give_back(&l);
	return rc;
}

FILE *shim_popen(const char *command, const char *type)
{
	struct lent l;
	FILE *f;

	if (!init_on() || env_complete(&init.keep, environ)) {
		return libc.popen(command, type);
	}
	lend(&l);
	f = libc.popen(command, type);
	give_back(&l);
	return f;
}
