/* addresses and ancillary data that TCP ignores */
#include "t.h"

static char room[CMSG_SPACE(64)];

static struct cmsghdr *control(struct msghdr *m, int level, int type,
			       size_t n)
{
	struct cmsghdr *h;

	memset(room, 0, sizeof(room));
	m->msg_control = room;
	m->msg_controllen = CMSG_SPACE(n);
	h = CMSG_FIRSTHDR(m);
	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(n);
	return h;
}

static void test(int fd, int far)
{
	struct sockaddr_in to = addr_of("T_PEER", 9);
	struct iovec v = { (char[]){ "abc" }, 3 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct mmsghdr mm[2];
	char b[64];
	int p[2];

	SHOW(sendto(fd, "abc", 3, 0, SA(&to), sizeof(to)));
	SHOW(sendto(fd, "abc", 3, 0, SA(&to), 2));
	SHOW(sendto(fd, "abc", 3, 0, SA(8), 16));
	m.msg_name = &to;
	m.msg_namelen = sizeof(to);
	SHOW(sendmsg(fd, &m, 0));
	mm[0].msg_hdr = m;
	mm[1].msg_hdr = m;
	SHOW(sendmmsg(fd, mm, 2, 0));
	say("lengths %u %u", mm[0].msg_len, mm[1].msg_len);
	m.msg_name = NULL;
	m.msg_namelen = 0;
	must(pipe(p) == 0, "make a pipe");
	memcpy(CMSG_DATA(control(&m, SOL_SOCKET, SCM_RIGHTS, sizeof(int))), p,
	       sizeof(int));
	SHOW(sendmsg(fd, &m, 0));
	control(&m, SOL_SOCKET, 4711, 4);
	SHOW(sendmsg(fd, &m, 0));
	control(&m, 4711, 1, 4);
	SHOW(sendmsg(fd, &m, 0));
	SHOW(sendmsg(fd, NULL, 0));
	SHOW(recv(fd, b, 1, MSG_DONTWAIT));
	shutdown(fd, SHUT_WR);
	settle();
	SHOW(far_read(far, b, sizeof(b)));
	close(p[0]);
	close(p[1]);
}

static void fast_open(void)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 4), fd = socket(AF_INET, SOCK_STREAM, 0), far;
	char b[8];

	SHOW(sendto(fd, "abc", 3, MSG_FASTOPEN, SA(&at), sizeof(at)));
	far = far_accept(l);
	SHOW(far_read(far, b, sizeof(b)));
	close(fd);
}

int main(void)
{
	handle(SIGPIPE, 0);
	each_kind(test);
	fast_open();
	return 0;
}
