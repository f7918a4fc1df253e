/* execvp and the variadic ones, down to execve
 *
 * The C library's own call its execve from inside, past any preload, so the
 * search of PATH is done again here, with its rules.
 */
#include "shim/export.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/init.h"
#include "shim/reach.h"

#define SHELL "/bin/sh"

static int fail(int err)
{
	errno = err;
	return -1;
}

/* a text file without "#!" is a shell's */
static void exec_shell(const char *path, char *const argv[], char *const envp[])
{
	static char shell[] = SHELL;
	struct reach_room room;
	size_t n = 0;
	char **out;

	union {
		const char *in;
		char *out;
	} p = { .in = path };

	while (argv && argv[n]) {
		n++;
	}
	out = reach_get(&room, (n + 3) * sizeof(char *));
	if (!out) {
		errno = ENOMEM;
		return;
	}
	out[0] = shell;
	out[1] = p.out;
	for (size_t i = 1; i < n; i++) {
		out[i + 1] = argv[i];
	}
	out[n > 1 ? n + 1 : 2] = NULL;
	shim_execve(SHELL, out, envp);
	reach_put(&room);
}

/* returns when the file could not be run: errno says why */
static void exec_one(const char *path, char *const argv[], char *const envp[])
{
	shim_execve(path, argv, envp);
	if (errno == ENOEXEC) {
		exec_shell(path, argv, envp);
	}
}

/* the next directory may have a file that runs */
static bool goes_on(int err)
{
	return err == EACCES || err == ENOENT || err == ESTALE ||
	       err == ENOTDIR || err == ENODEV || err == ETIMEDOUT;
}

int shim_execvpe(const char *file, char *const argv[], char *const envp[])
{
	const char *list = getenv("PATH");
	char path[PATH_MAX];
	bool denied = false;

	if (!*file) {
		return fail(ENOENT);
	}
	if (strchr(file, '/')) {
		exec_one(file, argv, envp);
		return -1;
	}
	list = list ? list : "/bin:/usr/bin";
	errno = ENOENT;
	for (;;) {
		size_t len = strcspn(list, ":");
		int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)len, list,
				 len ? "/" : "", file);

		if (n > 0 && (size_t)n < sizeof(path)) {
			/* one line for one refusal, not one per link to it */
			if (init_on() && access(path, X_OK) == 0 &&
			    reach_check(path, envp) != 0) {
				return fail(EACCES);
			}
			exec_one(path, argv, envp);
			denied = denied || errno == EACCES;
			if (!goes_on(errno)) {
				return -1;
			}
		}
		if (!list[len]) {
			break;
		}
		list += len + 1;
	}
	return fail(denied ? EACCES : errno);
}

int shim_execvp(const char *file, char *const argv[])
{
	return shim_execvpe(file, argv, environ);
}

static size_t count(const char *arg, va_list ap)
{
	size_t n = arg ? 1 : 0;

	while (n > 0 && va_arg(ap, char *)) {
		n++;
	}
	return n;
}

/* arg and what follows up to and with NULL */
static void collect(char **argv, const char *arg, va_list ap)
{
	union {
		const char *in;
		char *out;
	} first = { .in = arg };

	size_t n = 0;

	for (char *p = first.out; p; p = va_arg(ap, char *)) {
		argv[n++] = p;
	}
	argv[n] = NULL;
}

enum last {
	EXEC_PATH,
	EXEC_SEARCH,
	EXEC_ENV
};

static int exec_list(enum last how, const char *path, const char *arg,
		     va_list ap)
{
	struct reach_room room;
	char **argv;
	va_list look;
	size_t n;

	va_copy(look, ap);
	n = count(arg, look);
	va_end(look);
	argv = reach_get(&room, (n + 1) * sizeof(char *));
	if (!argv) {
		return fail(ENOMEM);
	}
	collect(argv, arg, ap);
	switch (how) {
	case EXEC_PATH:
		shim_execve(path, argv, environ);
		break;
	case EXEC_SEARCH:
		shim_execvpe(path, argv, environ);
		break;
	case EXEC_ENV:
		shim_execve(path, argv, va_arg(ap, char *const *));
		break;
	}
	reach_put(&room);
	return -1;
}

int shim_execl(const char *path, const char *arg, ...)
{
	va_list ap;

	va_start(ap, arg);
	exec_list(EXEC_PATH, path, arg, ap);
	va_end(ap);
	return -1;
}

int shim_execlp(const char *file, const char *arg, ...)
{
	va_list ap;

	va_start(ap, arg);
	exec_list(EXEC_SEARCH, file, arg, ap);
	va_end(ap);
	return -1;
}

int shim_execle(const char *path, const char *arg, ...)
{
	va_list ap;

	va_start(ap, arg);
	exec_list(EXEC_ENV, path, arg, ap);
	va_end(ap);
	return -1;
}
