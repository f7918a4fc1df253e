/* syscall() instead of the functions */
#include "t.h"

static void test(int fd, int far)
{
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof(in);
	char b[4];

	SHOW(syscall(SYS_getpeername, fd, &in, &len));
	say("family %d", in.sin_family);
	SHOW(syscall(SYS_write, fd, "abc", 3));
	SHOW(far_read(far, b, 4));
	far_reset(far);
	SHOW(syscall(SYS_read, fd, b, 4));
	SHOW(syscall(SYS_shutdown, fd, SHUT_RDWR));
	SHOW(syscall(SYS_getppid) > 0);
	SHOW(syscall(99999));
}

int main(void)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 4), type = 0;
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(type);

	SHOW(syscall(SYS_connect, fd, &at, sizeof(at)));
	SHOW(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &type, &len));
	say("domain %d", type);
	far_close(far_accept(l));
	each_kind(test);
	return 0;
}
