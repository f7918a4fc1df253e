/* TCP_INQ: how much more there is, with each receive */
#include "t.h"

static void receive(const char *when, int fd, size_t n, size_t room)
{
	char buf[64], ctl[64] = "";
	struct iovec v = { buf, n };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = room ? ctl : NULL,
			    .msg_controllen = room };
	struct cmsghdr *c;
	int inq = -1;

	show(when, recvmsg(fd, &m, MSG_DONTWAIT));
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_CM_INQ) {
		memcpy(&inq, CMSG_DATA(c), sizeof(inq));
		say("  inq %d, length %zu, flags %x", inq, m.msg_controllen,
		    m.msg_flags & MSG_CTRUNC);
	} else {
		say("  none");
	}
}

static void test(int fd, int far)
{
	int v = 2, on = 1;

	far_write(far, "abcdefghij", 10);
	settle();
	settle();
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_INQ, &v, sizeof(v)));
	receive("off", fd, 1, 64);
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof(on)));
	receive("on", fd, 1, 64);
	receive("no room", fd, 1, 0);
	receive("just room", fd, 1, CMSG_SPACE(sizeof(int)));
	receive("rest", fd, 10, 64);
	far_shutdown(far, SHUT_WR);
	settle();
	receive("end", fd, 10, 64);
	on = 0;
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof(on)));
	receive("off again", fd, 10, 64);
}

int main(void)
{
	each_kind(test);
	return 0;
}
