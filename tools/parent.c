#include "tools/parent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/base/check.h"

/* signals somebody sends to us and means for the program */
static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				 SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH };

static sigset_t before;

void parent_prepare(void)
{
	sigset_t block;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&block);
	for (unsigned i = 0; i < ARRAY_SIZE(forwarded); i++) {
		sigaddset(&block, forwarded[i]);
	}
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &before);
}

void parent_child(void)
{
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* has this process a child beside `stack`?  As PID 1 it inherits the stack
 * too, which is no process of the run. */
static bool other_children(pid_t stack)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	bool found = !d;

	while (d && !found && (e = readdir(d))) {
		char path[300], text[512];
		const char *after;
		int pid = atoi(e->d_name), fd;
		ssize_t n;

		if (pid <= 0 || pid == stack) {
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0) {
			close(fd);
		}
		text[n > 0 ? n : 0] = '\0';
		/* pid (name) state parent: the name may hold anything */
		after = strrchr(text, ')');
		found = after && strlen(after) > 4 && atoi(after + 4) == getpid();
	}
	if (d) {
		closedir(d);
	}
	return found;
}

/* reaps what ended; false when no process of the run is left */
static bool reap(pid_t program, pid_t stack, int *result)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == 0) {
			return getpid() != 1 || other_children(stack);
		}
		if (pid < 0) {
			return errno == EINTR;
		}
		if (pid == program && (WIFEXITED(status) ||
				       WIFSIGNALED(status))) {
			*result = status_of(status);
		}
	}
}

int parent_wait(pid_t program, int life, pid_t stack)
{
	int result = 125;
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	for (unsigned i = 0; i < ARRAY_SIZE(forwarded); i++) {
		sigaddset(&wanted, forwarded[i]);
	}
	while (reap(program, stack, &result)) {
		siginfo_t info;
		int sig = sigwaitinfo(&wanted, &info);

		/* what the terminal sent, it sent to the program as well */
		if (sig > 0 && sig != SIGCHLD && info.si_code != SI_KERNEL) {
			kill(program, sig);
		}
	}
	if (life >= 0) {
		char c;

		(void)!send(life, "end\n", 4, MSG_NOSIGNAL);
		while (read(life, &c, 1) > 0 || errno == EINTR) {
			errno = 0;
		}
	}
	return result;
}
