/* the first write after a reset gives its error and no signal, then EPIPE */
#include "t.h"

static void by_send(int fd, int far)
{
	signals_seen = 0;
	far_reset(far);
	SHOW(send(fd, "x", 1, 0));
	say("signals %d", signals_seen);
	SHOW(send(fd, "x", 1, 0));
	say("signals %d", signals_seen);
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	say("signals %d", signals_seen);
}

static void by_write(int fd, int far)
{
	signal(SIGPIPE, SIG_IGN);
	far_reset(far);
	SHOW(write(fd, "x", 1));
	SHOW(write(fd, "x", 1));
	handle(SIGPIPE, 0);
}

/* the peer closed: a write, its reset, then EPIPE */
static void after_fin(int fd, int far)
{
	char b[8];

	signals_seen = 0;
	far_close(far);
	settle();
	SHOW(send(fd, "x", 1, 0));
	settle();
	show_poll_reset("after the reset", fd);
	SHOW(send(fd, "x", 1, 0));
	SHOW(recv(fd, b, sizeof(b), 0));
	say("signals %d", signals_seen);
	SHOW(send(fd, "x", 1, 0));
	say("signals %d", signals_seen);
}

/* a writer that waits for room */
static void blocked(int fd, int far)
{
	static char big[1 << 20];
	ssize_t n = 0;

	if (fork() == 0) {
		for (int i = 0; i < 4; i++) {
			settle();
		}
		close(fd);
		far_reset(far);
		_exit(0);
	}
	far_close(far);
	for (int i = 0; i < 1000 && n >= 0; i++) {
		n = send(fd, big, sizeof(big), MSG_NOSIGNAL);
	}
	show("send until reset", n);
	wait(NULL);
}

static void shut(int fd, int far)
{
	char b[8];

	(void)far;
	signals_seen = 0;
	SHOW(shutdown(fd, SHUT_WR));
	SHOW(write(fd, "x", 1));
	say("signals %d", signals_seen);
	far_write(far, "hi", 2);
	SHOW(read(fd, b, sizeof(b)));
}

int main(void)
{
	handle(SIGPIPE, 0);
	say("== send");
	each_kind(by_send);
	say("== write");
	each_kind(by_write);
	say("== after FIN");
	each_kind(after_fin);
	say("== blocked");
	each_kind(blocked);
	say("== after shutdown");
	each_kind(shut);
	return 0;
}
