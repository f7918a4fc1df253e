#include "stack/engine/daemon.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int lowest_from(const int keep[], unsigned n, int from)
{
	int best = INT_MAX;

	for (unsigned i = 0; i < n; i++) {
		if (keep[i] >= from && keep[i] < best) {
			best = keep[i];
		}
	}
	return best;
}

void daemon_close_others(const int keep[], unsigned n)
{
	int from = STDERR_FILENO + 1;

	for (;;) {
		int next = lowest_from(keep, n, from);

		if (next > from) {
			close_range((unsigned)from,
				    next == INT_MAX ? UINT_MAX
						    : (unsigned)next - 1,
				    0);
		}
		if (next == INT_MAX) {
			return;
		}
		from = next + 1;
	}
}

static void to_null(int fd, int flags)
{
	int null = open("/dev/null", flags);

	if (null < 0) {
		close(fd);
		return;
	}
	if (null != fd) {
		dup2(null, fd);
		close(null);
	}
}

int daemon_fork(void)
{
	pid_t pid = fork();

	if (pid != 0) {
		return pid;
	}
	setsid();
	umask(022);
	(void)!chdir("/");
	to_null(STDIN_FILENO, O_RDONLY);
	to_null(STDOUT_FILENO, O_WRONLY);
	return 0;
}

void daemon_silence(int null_fd)
{
	dup3(null_fd, STDERR_FILENO, 0);
}
