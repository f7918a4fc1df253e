/* no call leaves a descriptor open, and everything may be closed at any time */
#include "t.h"

#include <dirent.h>

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

static void test(int fd, int far)
{
	struct sockaddr_in at;
	int before = descriptors(), v = 1;
	socklen_t len;
	char b[4];

	for (int i = 0; i < 50; i++) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		len = sizeof(at);
		getpeername(fd, SA(&at), &len);
		getsockname(fd, SA(&at), &len);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v));
		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &len);
		sock_error_of(fd);
		ioctl(fd, TIOCOUTQ, &v);
		at = addr_of("T_PEER", 1);
		connect(s, SA(&at), sizeof(at));
		connect(s, SA(&at), sizeof(at));
		listen(s, 4);
		close(s);
	}
	say("left open: %d", descriptors() - before);
	far_reset(far);
	for (int i = 0; i < 5; i++) {
		recv(fd, b, sizeof(b), 0);
		send(fd, b, sizeof(b), MSG_NOSIGNAL);
		shutdown(fd, SHUT_RDWR);
	}
	say("left open: %d", descriptors() - before);
}

int main(void)
{
	struct sockaddr_in at;
	int l, fd;

	each_kind(test);
	say("-- closed all of them");
	close_range(3, ~0u, 0);
	l = far_listen(&at, 4);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	far_close(far_accept(l));
	settle();
	SHOW(read(fd, (char[4]){ 0 }, 4));
	return 0;
}
