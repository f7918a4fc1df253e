/* a reset is an error of the next read, once; then the end */
#include "t.h"

static void test(int fd, int far)
{
	char b[8];

	far_reset(far);
	show_poll_reset("after reset", fd);
	SHOW(recv(fd, b, sizeof(b), 0));
	SHOW(recv(fd, b, sizeof(b), 0));
	SHOW(read(fd, b, sizeof(b)));
	show_so_error(fd);
	SHOW(getpeername(fd, SA(&(struct sockaddr_in){ 0 }),
			 &(socklen_t){ 16 }));
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	SHOW(shutdown(fd, SHUT_RDWR));
}

static void by_option(int fd, int far)
{
	char b[8];

	far_reset(far);
	show_so_error(fd);
	show_so_error(fd);
	SHOW(read(fd, b, sizeof(b)));
}

static void while_blocked(int fd, int far)
{
	char b[8];

	if (fork() == 0) {
		const struct linger l = { 1, 0 };

		close(fd);
		settle();
		raw(SYS_setsockopt, far, SOL_SOCKET, SO_LINGER, (long)&l,
		    sizeof(l), 0);
		_exit(0);
	}
	far_close(far);
	SHOW(recv(fd, b, sizeof(b), 0));
	wait(NULL);
}

/* a clean end is none */
static void clean(int fd, int far)
{
	char b[8];

	far_write(far, "abc", 3);
	far_close(far);
	settle();
	SHOW(recv(fd, b, sizeof(b), 0));
	SHOW(recv(fd, b, sizeof(b), 0));
	show_poll("after FIN", fd);
	show_so_error(fd);
}

int main(void)
{
	say("== read");
	each_kind(test);
	say("== SO_ERROR");
	each_kind(by_option);
	say("== blocked");
	each_kind(while_blocked);
	say("== clean");
	each_kind(clean);
	return 0;
}
