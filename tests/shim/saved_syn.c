/* TCP_SAVE_SYN, TCP_SAVED_SYN: the headers of the SYN, once */
#include "t.h"

static void saved(const char *when, int fd, socklen_t len)
{
	unsigned char b[600] = { 0 };
	const unsigned char *tcp;

	if (show(when, getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, b, &len))) {
		return;
	}
	if (len == 0) {
		say("  none");
		return;
	}
	tcp = b + (b[0] & 15) * 4;
	say("  length %u, IP version %d, protocol %d, TTL %d", len, b[0] >> 4,
	    b[9], b[8]);
	say("  total length right: %d, header %d, flags %x, ack %d",
	    (b[2] << 8 | b[3]) == (int)len, tcp[12] >> 4, tcp[13] & 0x3f,
	    tcp[8] | tcp[9] | tcp[10] | tcp[11]);
}

static int take(int l, int port)
{
	int far = far_connect(port), fd = accept(l, NULL, NULL);

	must(fd >= 0, "accept");
	far_close(far);
	return fd;
}

int main(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0), fd, v = 0, on = 1, two = 2;
	int port;

	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 8) == 0 &&
		     getsockname(l, SA(&at), &len) == 0,
	     "listen");
	port = ntohs(at.sin_port);
	fd = take(l, port);
	saved("not asked for", fd, 600);
	close(fd);
	v = 3;
	SHOW(setsockopt(l, IPPROTO_TCP, TCP_SAVE_SYN, &v, sizeof(v)));
	SHOW(setsockopt(l, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on)));
	saved("listener", l, 600);
	fd = take(l, port);
	len = sizeof(v);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &v, &len));
	say("inherited %d", v);
	saved("too short", fd, 10);
	saved("all", fd, 600);
	saved("again", fd, 600);
	close(fd);
	SHOW(setsockopt(l, IPPROTO_TCP, TCP_SAVE_SYN, &two, sizeof(two)));
	SHOW(getsockopt(l, IPPROTO_TCP, TCP_SAVE_SYN, &v, &len));
	say("value %d", v);
	return 0;
}
