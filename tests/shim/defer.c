/* TCP_DEFER_ACCEPT: a listener is readable when there is something to read */
#include "t.h"

int main(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0), wait = 5, v, fd, far;
	struct pollfd p = { .fd = l, .events = POLLIN };
	char b[8] = "";

	SHOW(setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait, sizeof(wait)));
	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 8) == 0 &&
		     getsockname(l, SA(&at), &len) == 0,
	     "listen");
	far = far_connect(ntohs(at.sin_port));
	settle();
	say("connected: %d", poll(&p, 1, 0));
	far_write(far, "hello", 5);
	say("data: %d", poll(&p, 1, 1000));
	fd = accept(l, NULL, NULL);
	must(fd >= 0, "accept");
	len = sizeof(v);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &v, &len));
	say("  %d", v);
	/* what the kernel carries for the stack may come a moment later */
	settle();
	SHOW(recv(fd, b, sizeof(b), MSG_DONTWAIT));
	far_close(far);
	close(fd);
	far = far_connect(ntohs(at.sin_port));
	settle();
	say("connected: %d", poll(&p, 1, 0));
	far_shutdown(far, SHUT_WR);
	say("end: %d", poll(&p, 1, 1000));
	fd = accept(l, NULL, NULL);
	must(fd >= 0, "accept");
	SHOW(recv(fd, b, sizeof(b), 0));
	close(fd);
	far_close(far);
	close(l);
	return 0;
}
