/* mptcp-run - runs an unmodified program over Multipath TCP in userspace
 *
 * Starts a private stack (mptcp-stackd), waits until it is ready, and becomes
 * the program: its process ID, signals and exit status are its own.  See
 * mptcp-run(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include "stack/chan/chan_name.h"
#include "stack/chan/conf.h"
#include "tools/file.h"
#include "tools/parent.h"
#include "tools/place.h"
#include "tools/start.h"

enum { EXIT_OWN = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

static int complain(int status, const char *text)
{
	fprintf(stderr, "mptcp-run: %s\n", text);
	return status;
}

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static int print_help(void)
{
	size_t n = conf_help(CONF_RUN, NULL, 0) + 1;
	char *text = malloc(n);

	if (!text) {
		return complain(EXIT_OWN, "out of memory");
	}
	conf_help(CONF_RUN, text, n);
	fputs(text, stdout);
	free(text);
	return fflush(stdout) == 0 ? 0 : EXIT_OWN;
}

/* The loader takes LD_PRELOAD apart at blanks and colons; the user's own
 * preloads stay in front. */
static bool set_preload(const char *shim, const struct chan_run *run, char *err,
			size_t n)
{
	const char *old = getenv("LD_PRELOAD");
	char text[CHAN_RUN_TEXT];
	char *joined;
	bool ok;

	if (strpbrk(shim, " :")) {
		snprintf(err, n, "%s: the loader cannot preload a path with a "
			 "blank or colon; install elsewhere", shim);
		return false;
	}
	if (asprintf(&joined, "%s%s%s", old ? old : "", old && *old ? ":" : "",
		     shim) < 0) {
		snprintf(err, n, "out of memory");
		return false;
	}
	chan_run_text(run, text);
	ok = setenv("LD_PRELOAD", joined, 1) == 0 &&
	     setenv("MPTCP_RUN_ID", text, 1) == 0;
	free(joined);
	if (!ok) {
		snprintf(err, n, "cannot set the environment: %s",
			 strerror(errno));
	}
	return ok;
}

static int run_program(const char *path, char *const argv[])
{
	int err;

	execv(path, argv);
	err = errno;
	fprintf(stderr, "mptcp-run: cannot run %s: %s\n", path, strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int run_as_parent(const char *path, char *const argv[], int life,
			 pid_t stack)
{
	pid_t pid;

	parent_prepare();
	pid = fork();

	if (pid < 0) {
		return complain(EXIT_OWN, "cannot fork; lower the load or "
				"raise the process limit");
	}
	if (pid == 0) {
		close(life);
		parent_child();
		_exit(run_program(path, argv));
	}
	return parent_wait(pid, life, stack);
}

/* 0, or the exit status after its line was printed */
static int find_command(char *const argv[], char path[PATH_MAX])
{
	static char line[PATH_MAX + CONF_ERR_MAX + 64];
	char why[CONF_ERR_MAX];

	switch (place_command(argv[0], path, PATH_MAX)) {
	case 0:
		break;
	case EACCES:
		snprintf(line, sizeof(line), "%.4000s: permission denied; it must "
			 "be an executable file", argv[0]);
		return complain(EXIT_NOT_EXECUTABLE, line);
	default:
		snprintf(line, sizeof(line), "%.4000s: not found; check the name "
			 "or PATH", argv[0]);
		return complain(EXIT_NOT_FOUND, line);
	}
	if (elf_reach(&file_sys, path, why, sizeof(why)) != 0) {
		snprintf(line, sizeof(line), "%s: %s", path, why);
		return complain(EXIT_OWN, line);
	}
	return 0;
}

/* A set-user-ID copy, or one with capabilities: the stack that it starts would
 * not know any more. */
static bool may_log_keys(const struct run_conf *conf)
{
	return !conf->crypt.keylog || getauxval(AT_SECURE) == 0;
}

static int run_all(const struct run_conf *conf, char *const argv[])
{
	static char path[PATH_MAX], stackd[PATH_MAX], shim[PATH_MAX];
	char err[PATH_MAX + 256];
	bool stay = conf_waits(conf) || getpid() == 1;
	struct chan_run run;
	int life = -1;
	pid_t stack = 0;
	int rc = find_command(argv, path);

	if (rc) {
		return rc;
	}
	if (!may_log_keys(conf)) {
		return complain(EXIT_OWN, "--keylog: refused to a process with "
				"rights that its user does not have; start it "
				"without them");
	}
	if (!place_part("mptcp-stackd", "libexec/mptcp-run", stackd,
			sizeof(stackd), err, sizeof(err)) ||
	    !place_part("libmptcp-shim.so", "lib/mptcp-run", shim,
			sizeof(shim), err, sizeof(err))) {
		return complain(EXIT_OWN, err);
	}
	if (getrandom(&run, sizeof(run), 0) != (ssize_t)sizeof(run)) {
		return complain(EXIT_OWN, "the kernel gives no random octets; "
				"try again");
	}
	if (!start_stack(stackd, conf, &run, &life, &stack, err, sizeof(err)) ||
	    !set_preload(shim, &run, err, sizeof(err))) {
		return complain(EXIT_OWN, err);
	}
	if (stay) {
		return run_as_parent(path, argv, life, stack);
	}
	close(life);
	return run_program(path, argv);
}

int main(int argc, char *argv[])
{
	static struct run_conf conf;
	char err[CONF_ERR_MAX];
	int rest;

	conf_init(&conf);
	switch (conf_args(&conf, CONF_RUN, argc, argv, &rest, err)) {
	case CONF_HELP:
		return print_help();
	case CONF_VERSION:
		puts("mptcp-run " MPTCP_RUN_VERSION);
		return fflush(stdout) == 0 ? 0 : EXIT_OWN;
	case CONF_ERROR:
		return complain(EXIT_OWN, err);
	case CONF_OK:
		break;
	}
	if (!conf_env(&conf, CONF_RUN, from_environment, NULL, err) ||
	    !conf_check(&conf, err)) {
		return complain(EXIT_OWN, err);
	}
	if (rest >= argc) {
		return complain(EXIT_OWN, "no command given; write one after "
				"the options");
	}
	return run_all(&conf, argv + rest);
}
