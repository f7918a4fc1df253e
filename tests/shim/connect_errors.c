/* errors of connect() itself, and what the socket is good for afterwards */
#include "t.h"

static void refused(int fd)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 1);

	far_close(l); /* nobody there any more */
	SHOW(connect(fd, SA(&at), sizeof(at)));
}

int main(void)
{
	struct sockaddr_in at;
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6 };
	struct sockaddr un = { .sa_family = AF_UNSPEC };
	int l = far_listen(&at, 8), fd = socket(AF_INET, SOCK_STREAM, 0), far;
	int l2;

	at6.sin6_addr = in6addr_loopback;
	SHOW(connect(fd, SA(&at), 0));
	SHOW(connect(fd, SA(&at), 1));
	SHOW(connect(fd, SA(&at), 8));
	SHOW(connect(fd, SA(&at), 15));
	SHOW(connect(fd, SA(&at), 200));
	SHOW(connect(fd, SA(&at6), sizeof(at6)));
	SHOW(connect(fd, SA(8), sizeof(at)));
	SHOW(connect(fd, &un, sizeof(un)));
	SHOW(connect(-1, SA(&at), sizeof(at)));
	SHOW(connect(0, SA(&at), sizeof(at)) == -1);
	say("-- refused, and then accepted");
	refused(fd);
	show_so_error(fd);
	refused(fd);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	far = far_accept(l);
	SHOW(far_write(far, "abc", 3));
	SHOW(recv(fd, (char[4]){ 0 }, 3, MSG_WAITALL));
	say("-- connected");
	SHOW(connect(fd, SA(&at), sizeof(at)));
	SHOW(connect(fd, SA(&at), 8));
	SHOW(listen(fd, 1));
	SHOW(bind(fd, SA(&at), sizeof(at)));
	say("-- dissolved, and connected again");
	SHOW(connect(fd, &un, sizeof(un)));
	settle();
	SHOW(far_read(far, (char[4]){ 0 }, 3));
	SHOW(getpeername(fd, &un, &(socklen_t){ sizeof(un) }));
	far_close(far);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	far = far_accept(l);
	SHOW(send(fd, "xyz", 3, 0));
	SHOW(far_read(far, (char[4]){ 0 }, 3));
	say("-- a listener");
	l2 = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(listen(l2, 1));
	SHOW(connect(l2, SA(&at), sizeof(at)));
	say("-- IPv6 socket");
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	SHOW(connect(fd, SA(&at6), 23));
	SHOW(bind(fd, SA(&at), sizeof(at)));
	SHOW(bind(fd, SA(&at6), 23));
	return 0;
}
