/* flags of recv and send */
#include "t.h"

static void test(int fd, int far)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char b[16] = "";
	struct iovec v = { b, 4 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_name = &from,
			    .msg_namelen = sizeof(from) };

	SHOW(recv(fd, b, 4, MSG_DONTWAIT));
	far_write(far, "abcdefghijklmnopqrst", 20);
	settle();
	SHOW(recv(fd, b, 4, MSG_PEEK));
	SHOW(recv(fd, b, 4, 0));
	say("%.4s", b);
	SHOW(recv(fd, NULL, 3, MSG_TRUNC));
	SHOW(recv(fd, b, 4, 0));
	say("%.4s", b);
	SHOW(recvfrom(fd, b, 2, 0, SA(&from), &len));
	say("length %u", len);
	SHOW(recvmsg(fd, &m, 0));
	say("%.4s, name length %u, flags %x", b, m.msg_namelen, m.msg_flags);
	SHOW(recv(fd, b, 4, MSG_ERRQUEUE));
	m.msg_namelen = 0;
	m.msg_name = NULL;
	v.iov_base = NULL;
	SHOW(recvmsg(fd, &m, MSG_TRUNC));
	say("flags %x", m.msg_flags);
	SHOW(read(fd, b, 0));
	SHOW(recv(fd, NULL, 1, MSG_TRUNC | MSG_DONTWAIT));
	SHOW(recv(fd, NULL, 5, MSG_TRUNC | MSG_DONTWAIT));
	SHOW(recv(fd, (char *)8, 4, MSG_DONTWAIT));
	far_write(far, "zz", 2);
	settle();
	SHOW(recv(fd, (char *)8, 4, 0));
	SHOW(recv(fd, b, 4, 0));
	SHOW(send(fd, (char *)8, 4, 0));
	SHOW(send(fd, "x", 1, MSG_MORE));
	SHOW(send(fd, "y", 1, MSG_DONTROUTE));
	SHOW(send(fd, "", 0, 0));
	settle();
	SHOW(far_read(far, b, 2));
	far_close(far);
	SHOW(recv(fd, NULL, 5, MSG_TRUNC));
}

int main(void)
{
	each_kind(test);
	return 0;
}
