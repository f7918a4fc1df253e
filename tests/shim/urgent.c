/* MSG_OOB, both ways */
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

static void out(int fd, int far)
{
	char b[16] = "";

	SHOW(write(fd, "abc", 3));
	SHOW(send(fd, "X", 1, MSG_OOB));
	settle();
	SHOW(write(fd, "def", 3));
	settle();
	SHOW(raw(SYS_recvfrom, far, (long)b, 1, MSG_OOB, 0, 0));
	say("%c", b[0]);
	SHOW(far_read(far, b, 16));
	SHOW(far_read(far, b, 16));
}

int main(void)
{
	say("== out");
	each_kind(out);
	say("== in");
	each_kind(in);
	return 0;
}
