/* MSG_OOB, sent */
#include "t.h"

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
	each_kind(out);
	return 0;
}
