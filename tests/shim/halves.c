/* half-closed connections */
#include "t.h"

static void ours_first(int fd, int far)
{
	char b[8];

	SHOW(write(fd, "abc", 3));
	SHOW(shutdown(fd, SHUT_WR));
	settle();
	SHOW(far_read(far, b, 8));
	SHOW(far_read(far, b, 8));
	show_poll("we shut", fd);
	far_write(far, "de", 2);
	settle();
	show_poll("with data", fd);
	SHOW(read(fd, b, 8));
	far_close(far);
	settle();
	show_poll("both", fd);
	SHOW(read(fd, b, 8));
	SHOW(read(fd, b, 8));
	show_so_error(fd);
}

static void theirs_first(int fd, int far)
{
	char b[8];

	far_write(far, "abc", 3);
	far_shutdown(far, SHUT_WR);
	show_poll("they shut", fd);
	SHOW(read(fd, b, 8));
	SHOW(read(fd, b, 8));
	SHOW(write(fd, "defg", 4));
	SHOW(far_read(far, b, 8));
	SHOW(shutdown(fd, SHUT_WR));
	settle();
	show_poll("both", fd);
	SHOW(far_read(far, b, 8));
	SHOW(read(fd, b, 8));
	SHOW(getpeername(fd, SA(&(struct sockaddr_in){ 0 }),
			 &(socklen_t){ 16 }) != 1);
}

static void reads_shut(int fd, int far)
{
	char b[8];

	SHOW(shutdown(fd, SHUT_RD));
	show_poll("reads shut", fd);
	SHOW(read(fd, b, 8));
	SHOW(write(fd, "abc", 3));
	SHOW(far_read(far, b, 8));
	SHOW(shutdown(fd, SHUT_WR));
	settle();
	SHOW(far_read(far, b, 8));
	SHOW(read(fd, b, 8));
	show_poll("all shut", fd);
}

static void shut_both(int fd, int far)
{
	char b[8];

	far_write(far, "abc", 3);
	settle();
	SHOW(shutdown(fd, SHUT_RDWR));
	show_poll("all shut", fd);
	SHOW(read(fd, b, 8));
	SHOW(read(fd, b, 8));
	SHOW(far_read(far, b, 8));
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
}

int main(void)
{
	say("== ours first");
	each_kind(ours_first);
	say("== theirs first");
	each_kind(theirs_first);
	say("== reads");
	each_kind(reads_shut);
	say("== both at once");
	each_kind(shut_both);
	return 0;
}
