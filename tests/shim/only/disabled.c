/* MPTCP_RUN_DISABLE, no run, a broken run: the library does nothing */
#include "../t.h"

static char self[4096];

static int domain_of(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), domain = 0;
	socklen_t len = sizeof(domain);

	raw(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain,
	    (long)&len, 0);
	return domain;
}

static void with(const char *text)
{
	char preload[4096], *env[] = { preload, (char *)(long)text, NULL };
	char *argv[] = { self, (char[]){ "child" }, NULL };
	int status = -1;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 getenv("LD_PRELOAD"));
	if (fork() == 0) {
		/* past the shim, which would put the run back */
		raw(SYS_execve, (long)self, (long)argv, (long)env, 0, 0, 0);
		_exit(99);
	}
	wait(&status);
	say("%s: family %d", text, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 2) {
		return domain_of();
	}
	must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0,
	     "find myself");
	say("in the run: family %d", domain_of());
	with("NOTHING=1");
	with("MPTCP_RUN_ID=");
	with("MPTCP_RUN_ID=0123456789abcdef");
	with("MPTCP_RUN_ID=0123456789abcdef:0123456789abcdef0123456789abcdeg");
	return 0;
}
