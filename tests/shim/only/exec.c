/* what is started stays in the run, or is refused: argv[1] is a static program,
 * argv[2] a script whose interpreter it is
 */
#include "../t.h"

#include <spawn.h>
#include <sys/prctl.h>

extern char **environ;

static bool in_run(void)
{
	const char *preload = getenv("LD_PRELOAD");
	int fd = socket(AF_INET, SOCK_STREAM, 0), domain = 0;
	socklen_t len = sizeof(domain);

	/* past the shim: what is it really? */
	raw(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain,
	    (long)&len, 0);
	close(fd);
	return domain == AF_UNIX && getenv("MPTCP_RUN_ID") && preload &&
	       strstr(preload, "libmptcp-shim.so");
}

static int child_status(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static char self[4096];

/* each way of starting ourselves with nothing in the environment */
static int start(int how)
{
	char *argv[] = { self, (char[]){ "child" }, NULL };
	char *empty[] = { NULL };
	char *other[] = { (char[]){ "LD_PRELOAD=libm.so.6" }, NULL };
	char *blank[] = { (char[]){ "MPTCP_RUN_ID=" }, NULL };
	char *off[] = { (char[]){ "MPTCP_RUN_DISABLE=1" }, NULL };
	char *const *envs[] = { empty, other, blank, off, NULL };
	pid_t pid = how == 5 || how == 6 ? 0 : vfork();

	if (how == 5) {
		posix_spawn(&pid, self, NULL, NULL, argv, empty);
	} else if (how == 6) {
		posix_spawnp(&pid, self, NULL, NULL, argv, empty);
	} else if (pid == 0) {
		if (how < 5) {
			execve(self, argv, envs[how]);
		} else if (how == 7) {
			execle(self, self, "child", NULL, empty);
		} else if (how == 8) {
			execvpe(self, argv, empty);
		} else if (how == 9) {
			fexecve(open(self, O_RDONLY | O_CLOEXEC), argv, empty);
		} else if (how == 10) {
			syscall(SYS_execve, self, argv, empty);
		} else {
			execveat(AT_FDCWD, self, argv, empty, 0);
		}
		_exit(99);
	}
	return child_status(pid);
}

static void by_shell(void)
{
	char command[5000];
	FILE *f;

	snprintf(command, sizeof(command), "%s child", self);
	environ = NULL;
	say("system: %d", WEXITSTATUS(system(command)));
	f = popen(command, "r");
	say("popen: %d", WEXITSTATUS(pclose(f)));
	say("environment untouched: %d", environ == NULL);
}

static void refused(const char *what, char *path)
{
	char *argv[] = { path, NULL };
	char *off[] = { (char[]){ "MPTCP_RUN_DISABLE=1" }, NULL };
	pid_t pid;

	say("-- %s", what);
	SHOW(execv(path, argv));
	SHOW(execvp(path, argv));
	SHOW(syscall(SYS_execve, path, argv, environ));
	errno = posix_spawn(&pid, path, NULL, NULL, argv, environ);
	show("posix_spawn", errno ? -1 : 0);
	errno = posix_spawn(&pid, path, NULL, NULL, argv, off);
	show("posix_spawn outside of the run", errno ? -1 : 0);
	say("status %d", child_status(pid));
}

int main(int argc, char **argv)
{
	if (argc == 2) {
		return in_run() ? 42 : 43;
	}
	must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0,
	     "find myself");
	for (int how = 0; how < 12; how++) {
		say("way %d: %d", how, start(how));
	}
	refused("static", argv[1]);
	refused("script", argv[2]);
	SHOW(execl("/nonexistent", "x", NULL));
	SHOW(execlp("nonexistent-program", "x", NULL));
	by_shell();
	return 0;
}
