/* somebody else connects to the AF_UNIX side of a listener: never accepted */
#include "../t.h"

int main(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	struct sockaddr_un un;
	socklen_t len = sizeof(un), n = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), fd, far;
	char b[4];

	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 4) == 0, "listen");
	getsockname(l, SA(&at), &n);
	raw(SYS_getsockname, l, (long)&un, (long)&len, 0, 0, 0);
	say("name of a run %d", memcmp(un.sun_path + 1, "mptcprun", 8) == 0);
	/* without a name, and under one that looks right */
	SHOW(connect(s, SA(&un), len));
	un.sun_path[17] = 4;
	un.sun_path[20] ^= 1;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(bind(fd, SA(&un), len));
	un.sun_path[17] = 3;
	un.sun_path[20] ^= 1;
	SHOW(connect(fd, SA(&un), len));
	far = far_connect(ntohs(at.sin_port));
	far_write(far, "abc", 3);
	fd = show_fd("accept", accept(l, NULL, NULL));
	SHOW(read(fd, b, 4));
	settle();
	SHOW(recv(s, b, 4, 0));
	fcntl(l, F_SETFL, O_NONBLOCK);
	show_fd("accept", accept(l, NULL, NULL));
	return 0;
}
