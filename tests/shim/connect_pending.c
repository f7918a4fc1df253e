/* a connect() that gets no answer: the far end's backlog is full */
#include "t.h"

int main(void)
{
	struct sockaddr_in at = far_full();
	struct timeval tv = { 0, 200000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char b[4];

	handle(SIGALRM, 0);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	SHOW(connect(fd, SA(&at), sizeof(at)));
	settle();
	show_poll("pending", fd);
	show_so_error(fd);
	SHOW(send(fd, "x", 1, 0));
	SHOW(recv(fd, b, 4, 0));
	SHOW(getpeername(fd, SA(&(struct sockaddr_in){ 0 }),
			 &(socklen_t){ 16 }));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 1000000 }, 4));
	show_poll("pending still", fd);
	SHOW(close(fd));

	say("-- a signal");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	alarm_ms(150);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	say("signals %d", signals_seen);
	close(fd);

	say("-- SO_SNDTIMEO");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	SHOW(connect(fd, SA(&at), sizeof(at)));
	SHOW(connect(fd, SA(&at), sizeof(at)));
	close(fd);

	say("-- a signal that restarts");
	handle(SIGALRM, SA_RESTART);
	signals_seen = 0;
	if (fork() == 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		alarm_ms(100);
		connect(fd, SA(&at), sizeof(at));
		_exit(1);
	}
	for (int i = 0; i < 8; i++) {
		settle();
	}
	SHOW(waitpid(-1, NULL, WNOHANG));
	kill(0, SIGCONT);
	return 0;
}
