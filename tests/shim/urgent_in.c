/* MSG_OOB, received.  Loopback only: the stack delivers urgent data in line. */
#include "t.h"

static void in(int fd, int far)
{
	char b[16] = "";
	int mark = -1;

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
}

int main(void)
{
	each_kind(in);
	return 0;
}
