/* MSG_OOB, received, and in line */
#include "t.h"

static void in(int fd, int far)
{
	char b[16] = "";
	int mark = -1, on = 1;

	SHOW(recv(fd, b, 1, MSG_OOB));
	far_write(far, "abc", 3);
	far_oob(far, "X", 1);
	far_write(far, "def", 3);
	settle();
	show_poll("urgent", fd);
	SHOW(recv(fd, b, 1, MSG_OOB));
	say("%c", b[0]);
	SHOW(ioctl(fd, SIOCATMARK, &mark));
	say("at mark %d", mark);
	SHOW(recv(fd, b, 16, 0));
	SHOW(ioctl(fd, SIOCATMARK, &mark));
	say("at mark %d", mark);
	SHOW(recv(fd, b, 16, 0));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	far_write(far, "gh", 2);
	far_oob(far, "Y", 1);
	far_write(far, "ij", 2);
	settle();
	SHOW(recv(fd, b, 1, MSG_OOB));
	SHOW(recv(fd, b, 16, 0));
	say("%c%c", b[0], b[1]);
	SHOW(ioctl(fd, SIOCATMARK, &mark));
	say("at mark %d", mark);
	SHOW(recv(fd, b, 16, 0));
	say("%c%c%c", b[0], b[1], b[2]);
	on = 0;
	SHOW(setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	/* told by a signal */
	handle(SIGURG, 0);
	SHOW(fcntl(fd, F_SETOWN, getpid()));
	far_oob(far, "Z", 1);
	settle();
	say("signals %d", signals_seen);
	SHOW(recv(fd, b, 1, MSG_OOB));
	say("%c", b[0]);
	signals_seen = 0;
}

int main(void)
{
	each_kind(in);
	return 0;
}
