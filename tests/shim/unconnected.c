/* what a socket says that was never connected, and a listener */
#include "t.h"

static void try_all(int fd)
{
	char b[4];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	signals_seen = 0;
	SHOW(read(fd, b, sizeof(b)));
	SHOW(recv(fd, b, sizeof(b), 0));
	SHOW(recvfrom(fd, b, sizeof(b), 0, NULL, NULL));
	SHOW(recvmsg(fd, &m, 0));
	SHOW(readv(fd, &v, 1));
	SHOW(write(fd, "x", 1));
	SHOW(writev(fd, &v, 1));
	say("signals %d", signals_seen);
	SHOW(send(fd, "x", 1, 0));
	SHOW(sendto(fd, "x", 1, 0, NULL, 0));
	SHOW(sendmsg(fd, &m, 0));
	say("signals %d", signals_seen);
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	say("signals %d", signals_seen);
	SHOW(getpeername(fd, SA(&(struct sockaddr_in){ 0 }),
			 &(socklen_t){ 16 }));
	show_so_error(fd);
}

int main(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	handle(SIGPIPE, 0);
	say("-- fresh");
	try_all(fd);
	show_poll("fresh", fd);
	SHOW(shutdown(fd, SHUT_RD));
	SHOW(shutdown(fd, SHUT_WR));
	SHOW(shutdown(fd, SHUT_RDWR));
	SHOW(shutdown(fd, 7));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	say("-- listening");
	SHOW(listen(fd, 1));
	try_all(fd);
	show_poll("listening", fd);
	SHOW(shutdown(fd, SHUT_WR));
	return 0;
}
