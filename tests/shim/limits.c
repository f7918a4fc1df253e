/* no descriptors left, and what socket() takes */
#include "t.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit r;
	int fd, last = -1;

	show_fd("tcp", socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
	show_fd("udp protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	show_fd("bad flags", socket(AF_INET, SOCK_STREAM | 0x40, 0));
	show_fd("bad type", socket(AF_INET, 77, 0));
	show_fd("bad family", socket(177, SOCK_STREAM, 0));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	say("cloexec %d, nonblock %d", fcntl(fd, F_GETFD),
	    (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	say("cloexec %d, flags %d", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
	r.rlim_cur = r.rlim_max = 64;
	setrlimit(RLIMIT_NOFILE, &r);
	for (;;) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0) {
			break;
		}
		last = fd;
	}
	show("exhausted", fd);
	say("last %d", last);
	return 0;
}
