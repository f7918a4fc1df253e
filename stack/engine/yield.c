#include "stack/engine/yield.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t name_of(const char *device, struct sockaddr_un *un)
{
	int n;

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	n = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1,
		     "mptcprun-device-%s", device);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (unsigned)n);
}

int yield_listen(const char *device)
{
	struct sockaddr_un un;
	socklen_t len = name_of(device, &un);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0) {
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&un, len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void yield_ask(const char *device)
{
	struct sockaddr_un un;
	socklen_t len = name_of(device, &un);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0) {
		/* nobody there: the holder is another program, or was killed */
		sendto(fd, "", 1, MSG_NOSIGNAL, (struct sockaddr *)&un, len);
		close(fd);
	}
}

bool yield_asked(int fd)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(struct ucred))];
	} c = { 0 };

	char word;
	struct iovec v = { &word, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c.b) };
	const struct cmsghdr *h;
	struct ucred who;

	if (recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) {
		return false;
	}
	h = CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_level != SOL_SOCKET ||
	    h->cmsg_type != SCM_CREDENTIALS ||
	    h->cmsg_len != CMSG_LEN(sizeof(who))) {
		return false;
	}
	memcpy(&who, CMSG_DATA(h), sizeof(who));
	return who.uid == 0 || who.uid == getuid();
}
