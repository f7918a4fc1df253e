/* how the far end sees a close */
#include "t.h"

static void plain(int fd, int far)
{
	char b[8];

	write(fd, "abc", 3);
	close(fd);
	settle();
	SHOW(far_read(far, b, 8));
	SHOW(far_read(far, b, 8));
}

static void unread(int fd, int far)
{
	char b[8];

	far_write(far, "abc", 3);
	settle();
	close(fd);
	settle();
	SHOW(far_read(far, b, 8));
}

static void linger_zero(int fd, int far)
{
	const struct linger z = { 1, 0 };
	struct linger got = { 7, 7 };
	char b[8];

	SHOW(setsockopt(fd, SOL_SOCKET, SO_LINGER, &z, sizeof(z)));
	SHOW(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got,
			&(socklen_t){ sizeof(got) }));
	say("%d %d", got.l_onoff, got.l_linger);
	close(fd);
	settle();
	SHOW(far_read(far, b, 8));
}

static void not_last(int fd, int far)
{
	int fd2 = dup(fd);
	char b[8];

	close(fd);
	settle();
	SHOW(raw(SYS_recvfrom, far, (long)b, 8, MSG_DONTWAIT, 0, 0));
	write(fd2, "abc", 3);
	SHOW(far_read(far, b, 8));
	close(fd2);
	SHOW(far_read(far, b, 8));
}

static void by_exit(int fd, int far)
{
	static char big[200000];
	size_t sum = 0;
	ssize_t n;

	if (fork() == 0) {
		far_close(far);
		_exit(write(fd, big, sizeof(big)) != sizeof(big));
	}
	close(fd);
	while ((n = far_read(far, big, sizeof(big))) > 0) {
		sum += (size_t)n;
	}
	say("got %zu, then %zd", sum, n);
	wait(NULL);
}

int main(void)
{
	say("== plain");
	each_kind(plain);
	say("== unread data");
	each_kind(unread);
	say("== linger zero");
	each_kind(linger_zero);
	say("== another descriptor");
	each_kind(not_last);
	say("== exit after the last write");
	each_kind(by_exit);
	return 0;
}
