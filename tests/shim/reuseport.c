/* SO_REUSEPORT: several listeners of one port share what comes, and what is bound
 * without it is in the way */
#include "t.h"

#define CONNECTIONS 60

static int listener(struct sockaddr_in *at, bool reuse)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = reuse;
	socklen_t len = sizeof(*at);

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, SA(at), sizeof(*at)) != 0) {
		say("bind: %s", strerrorname_np(errno));
		close(fd);
		return -1;
	}
	must(listen(fd, CONNECTIONS) == 0 && getsockname(fd, SA(at), &len) == 0,
	     "listen");
	return fd;
}

static void nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int drain(int l)
{
	int n = 0, fd;

	while ((fd = accept(l, NULL, NULL)) >= 0) {
		close(fd);
		n++;
	}
	return n;
}

int main(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	int a = listener(&at, true), b = listener(&at, true), n = 0, m = 0;
	int far[CONNECTIONS];

	SHOW(listener(&at, false));
	nonblocking(a);
	nonblocking(b);
	for (int i = 0; i < CONNECTIONS; i++) {
		far[i] = far_connect(ntohs(at.sin_port));
	}
	for (int i = 0; i < 20 && n + m < CONNECTIONS; i++) {
		settle();
		n += drain(a);
		m += drain(b);
	}
	say("all %d, shared %d", n + m == CONNECTIONS,
	    n > CONNECTIONS / 10 && m > CONNECTIONS / 10);
	/* one is left: it gets all */
	close(a);
	settle();
	for (int i = 0; i < CONNECTIONS; i++) {
		far_close(far[i]);
		far[i] = i < 10 ? far_connect(ntohs(at.sin_port)) : -1;
	}
	m = 0;
	for (int i = 0; i < 20 && m < 10; i++) {
		settle();
		m += drain(b);
	}
	say("the other %d", m);
	return 0;
}
