/* what sockets have of the listener that they were accepted from */
#include "t.h"

static long ms_of(int fd, int name)
{
	struct timeval tv = { 9, 0 };

	getsockopt(fd, SOL_SOCKET, name, &tv, &(socklen_t){ sizeof(tv) });
	return tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static int int_of(int fd, int level, int name)
{
	int v = -1;

	getsockopt(fd, level, name, &v, &(socklen_t){ sizeof(v) });
	return v;
}

static void set(int l, int what)
{
	struct timeval tv = { 0, 120000 };

	switch (what) {
	case 1:
		setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		break;
	case 2:
		setsockopt(l, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		break;
	case 3:
		setsockopt(l, SOL_SOCKET, SO_RCVLOWAT, &(int){ 5 }, 4);
		break;
	case 4:
		setsockopt(l, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, 4);
		break;
	}
}

static void accepts(int what, bool before)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0), far, fd;

	if (before) {
		set(l, what);
	}
	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 4) == 0 &&
		     getsockname(l, SA(&at), &len) == 0,
	     "listen");
	if (!before) {
		set(l, what);
	}
	far = far_connect(ntohs(at.sin_port));
	fd = accept(l, NULL, NULL);
	say("%d %s: rcvtimeo %ld sndtimeo %ld rcvlowat %d nodelay %d", what,
	    before ? "before" : "after", ms_of(fd, SO_RCVTIMEO),
	    ms_of(fd, SO_SNDTIMEO), int_of(fd, SOL_SOCKET, SO_RCVLOWAT),
	    int_of(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
	if (what == 1) {
		SHOW(recv(fd, (char[1]){ 0 }, 1, 0));
	}
	close(fd);
	far_close(far);
	close(l);
}

int main(void)
{
	for (int i = 0; i < 5; i++) {
		accepts(i, true);
		accepts(i, false);
	}
	return 0;
}
