/* a program that gave up its user and changed its root still has its network */
#include "t.h"

#include <grp.h>

#define NOBODY 65534

static int part(int l)
{
	struct sockaddr_in at, peer = { 0 };
	socklen_t len = sizeof(at);
	int fl = far_listen(&at, 4), fd = socket(AF_INET, SOCK_STREAM, 0), far;

	SHOW(connect(fd, SA(&at), sizeof(at)));
	far = far_accept(fl);
	SHOW(write(fd, "abc", 3));
	SHOW(far_read(far, (char[4]){ 0 }, 4));
	far_reset(far);
	SHOW(read(fd, (char[4]){ 0 }, 4));
	SHOW(getsockname(l, SA(&at), &len));
	far = far_connect(ntohs(at.sin_port));
	len = sizeof(peer);
	fd = show_fd("accept", accept(l, SA(&peer), &len));
	say("family %d", peer.sin_family);
	SHOW(write(fd, "abc", 3));
	SHOW(far_read(far, (char[4]){ 0 }, 4));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	at = addr_of("", 81); /* the kernel's to allow: the loopback */
	SHOW(bind(fd, SA(&at), sizeof(at)));
	return 0;
}

int main(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	int l = socket(AF_INET, SOCK_STREAM, 0), status;

	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 4) == 0, "listen");
	if (fork() == 0) {
		must(chroot("/proc/self/fdinfo") == 0 && chdir("/") == 0,
		     "change the root");
		must(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 &&
			     setuid(NOBODY) == 0,
		     "change the user");
		_exit(part(l));
	}
	wait(&status);
	say("status %d", status);
	return 0;
}
