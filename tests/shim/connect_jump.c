/* a handler that jumps out of a blocking connect() leaves nothing behind */
#include "t.h"

#include <dirent.h>
#include <setjmp.h>

static sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d)) {
		n++;
	}
	closedir(d);
	return n;
}

int main(void)
{
	struct sockaddr_in full = far_full(), at;
	volatile int fd = -1;
	int l, far, before;
	struct sigaction sa = { .sa_handler = jump };

	sigaction(SIGALRM, &sa, NULL);
	before = descriptors();
	for (volatile int i = 0; i < 5; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (sigsetjmp(back, 1) == 0) {
			alarm_ms(50);
			connect(fd, SA(&full), sizeof(full));
			say("came back");
		} else {
			say("jumped");
		}
		close(fd);
	}
	say("left open: %d", descriptors() - before);
	l = far_listen(&at, 4);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	far = far_accept(l);
	SHOW(write(fd, "abc", 3));
	SHOW(far_read(far, (char[4]){ 0 }, 4));
	return 0;
}
