/* TCP_INQ: how much more there is, with each receive; it and SO_RCVLOWAT are
 * inherited from a listener */
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

static void inherited(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	const struct timeval most = { 0, 300000 };
	int l = socket(AF_INET, SOCK_STREAM, 0), on = 1, five = 5, far, fd;
	socklen_t len = sizeof(at);
	struct timespec a, b;
	char buf[16];

	SHOW(setsockopt(l, IPPROTO_TCP, TCP_INQ, &on, sizeof(on)));
	SHOW(setsockopt(l, SOL_SOCKET, SO_RCVLOWAT, &five, sizeof(five)));
	SHOW(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)));
	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 8) == 0 &&
		     getsockname(l, SA(&at), &len) == 0,
	     "listen");
	far = far_connect(ntohs(at.sin_port));
	fd = accept(l, NULL, NULL);
	must(fd >= 0, "accept");
	on = -1;
	len = sizeof(on);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, &len));
	say("  %d", on);
	far_write(far, "abcdefghij", 10);
	settle();
	settle();
	receive("asked for by the listener", fd, 7, 64);
	/* three are left, five are waited for */
	clock_gettime(CLOCK_MONOTONIC, &a);
	SHOW(recv(fd, buf, sizeof(buf), 0));
	clock_gettime(CLOCK_MONOTONIC, &b);
	say("waited %d", (b.tv_sec - a.tv_sec) * 1000 +
				 (b.tv_nsec - a.tv_nsec) / 1000000 > 200);
	close(fd);
	close(l);
	far_close(far);
}

int main(void)
{
	each_kind(test);
	inherited();
	return 0;
}
