/* accept() and accept4() */
#include "t.h"

static int l;

static void try_one(const char *what, struct sockaddr *sa, socklen_t *len,
		    int flags)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	int far, fd;

	getsockname(l, SA(&at), &n);
	far = far_connect(ntohs(at.sin_port));
	settle();
	fd = show_fd(what, accept4(l, sa, len, flags));
	if (fd >= 0) {
		say("cloexec %d, nonblock %d", fcntl(fd, F_GETFD),
		    (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		SHOW(write(fd, "ab", 2));
		SHOW(far_read(far, (char[4]){ 0 }, 4));
		close(fd);
	} else {
		settle();
		SHOW(far_read(far, (char[4]){ 0 }, 4));
	}
	far_close(far);
}

int main(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0), peer = { 0 };
	struct timeval tv = { 0, 100000 };
	socklen_t len = sizeof(peer);

	l = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(accept(l, NULL, NULL));
	SHOW(bind(l, SA(&at), sizeof(at)));
	SHOW(accept(l, NULL, NULL));
	SHOW(listen(l, 4));
	try_one("with address", SA(&peer), &len, 0);
	say("family %d, length %u", peer.sin_family, len);
	try_one("without", NULL, NULL, 0);
	try_one("flags", NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	len = 3;
	try_one("short address", SA(&peer), &len, 0);
	say("length %u", len);
	try_one("address without length", SA(&peer), NULL, 0);
	try_one("length without address", NULL, &len, 0);
	len = (socklen_t)-5;
	try_one("negative length", SA(&peer), &len, 0);
	len = 16;
	try_one("bad address", SA(8), &len, 0);
	SHOW(accept4(l, NULL, NULL, 1));
	SHOW(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	SHOW(accept(l, NULL, NULL));
	tv.tv_usec = 0;
	SHOW(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	handle(SIGALRM, 0);
	alarm_ms(100);
	SHOW(accept(l, NULL, NULL));
	SHOW(fcntl(l, F_SETFL, O_NONBLOCK));
	SHOW(accept(l, NULL, NULL));
	SHOW(accept(-1, NULL, NULL));
	SHOW(accept(0, NULL, NULL) == -1);
	return 0;
}
