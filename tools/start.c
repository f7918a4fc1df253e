#include "tools/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* in the child: becomes the stack */
static void become_stack(const char *stackd, const struct run_conf *conf,
			 int ready, int secret)
{
	static char *argv[CONF_ARGS_MAX + 1];
	static char text[CONF_ARGS_TEXT];
	static struct run_conf c;

	c = *conf;
	c.ready_fd = ready;
	c.run_fd = secret;
	c.watch_pid = getppid();
	if (conf_argv(&c, stackd, argv, text, sizeof(text)) < 0) {
		dprintf(ready, "error: the options are too long\n");
		_exit(125);
	}
	fcntl(ready, F_SETFD, 0);
	fcntl(secret, F_SETFD, 0);
	execv(stackd, argv);
	dprintf(ready, "error: cannot run %s: %s\n", stackd, strerror(errno));
	_exit(125);
}

/* the first line that the stack says: "ok PID", or "error: ..." */
static bool read_answer(int fd, pid_t *stack, char *err, size_t n)
{
	char line[1024];
	size_t len = 0;

	while (len < sizeof(line) - 1) {
		ssize_t got = read(fd, line + len, sizeof(line) - 1 - len);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			break;
		}
		len += (size_t)got;
		if (memchr(line, '\n', len)) {
			break;
		}
	}
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "ok ", 3) == 0) {
		*stack = atoi(line + 3);
		return true;
	}
	if (strncmp(line, "error: ", 7) == 0) {
		snprintf(err, n, "%s", line + 7);
	} else {
		snprintf(err, n, "the stack ended before it was ready%s%s",
			 len ? ": " : "", line);
	}
	return false;
}

bool start_stack(const char *stackd, const struct run_conf *conf,
		 const struct chan_run *run, int *life, pid_t *stack,
		 char *err, size_t n)
{
	char text[CHAN_RUN_TEXT];
	int ready[2], secret[2];
	pid_t pid;
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready) < 0) {
		snprintf(err, n, "cannot make a socket: %s", strerror(errno));
		return false;
	}
	if (pipe2(secret, O_CLOEXEC) < 0) {
		snprintf(err, n, "cannot make a pipe: %s", strerror(errno));
		close(ready[0]);
		close(ready[1]);
		return false;
	}
	chan_run_text(run, text);
	if (write(secret[1], text, strlen(text)) != (ssize_t)strlen(text)) {
		text[0] = '\0';
	}
	close(secret[1]);
	pid = fork();
	if (pid == 0) {
		become_stack(stackd, conf, ready[1], secret[0]);
	}
	close(ready[1]);
	close(secret[0]);
	if (pid < 0) {
		snprintf(err, n, "cannot fork: %s", strerror(errno));
		close(ready[0]);
		return false;
	}
	ok = read_answer(ready[0], stack, err, n);
	/* it made itself a daemon: this one is gone, and must be reaped, or
	 * the program would find a child it never had */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	if (!ok) {
		close(ready[0]);
		return false;
	}
	*life = ready[0];
	return true;
}
