/* addresses: who gets which, and how they are given out */
#include "t.h"

static void show_name(const char *what, int rc, const struct sockaddr_in *in,
		      socklen_t len)
{
	char text[INET_ADDRSTRLEN];

	if (rc) {
		say("%s: %s", what, strerrorname_np(errno));
		return;
	}
	say("%s: family %d, %s, port %s, length %u", what, in->sin_family,
	    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)) &&
			    (strcmp(text, getenv("T_LOCAL") ?: "127.0.0.1") ==
				     0 ||
			     strcmp(text, getenv("T_PEER") ?: "127.0.0.1") ==
				     0) ?
		    "ours" :
		    text,
	    in->sin_port ? "set" : "0", len);
}

static void both(const char *when, int fd)
{
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof(in);
	int rc = getsockname(fd, SA(&in), &len);

	say("-- %s", when);
	show_name("getsockname", rc, &in, len);
	memset(&in, 0, sizeof(in));
	len = sizeof(in);
	rc = getpeername(fd, SA(&in), &len);
	show_name("getpeername", rc, &in, len);
}

static void forms(int fd, int far)
{
	char b[32];
	socklen_t len = 4;

	(void)far;
	memset(b, 'x', sizeof(b));
	SHOW(getsockname(fd, SA(b), &len));
	say("length %u, fifth octet %c", len, b[4]);
	len = 0;
	SHOW(getpeername(fd, SA(b), &len));
	say("length %u", len);
	len = 100;
	SHOW(getpeername(fd, SA(b), &len));
	say("length %u", len);
	len = (socklen_t)-1;
	SHOW(getsockname(fd, SA(b), &len));
	len = 16;
	SHOW(getsockname(fd, SA(8), &len));
	SHOW(getpeername(fd, SA(b), (socklen_t *)8));
	SHOW(getsockname(-1, SA(b), &len));
}

static void ends_agree(int fd, int far)
{
	struct sockaddr_in a = { 0 }, b = { 0 };
	socklen_t len = sizeof(a);

	getsockname(fd, SA(&a), &len);
	raw(SYS_getpeername, far, (long)&b, (long)&len, 0, 0, 0);
	say("our name is the far end's peer: %d",
	    a.sin_port == b.sin_port &&
		    a.sin_addr.s_addr == b.sin_addr.s_addr);
	getpeername(fd, SA(&a), &len);
	raw(SYS_getsockname, far, (long)&b, (long)&len, 0, 0, 0);
	say("our peer is the far end: %d",
	    a.sin_port == b.sin_port &&
		    a.sin_addr.s_addr == b.sin_addr.s_addr);
	both("both", fd);
	far_reset(far);
	both("reset", fd);
}

int main(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	both("fresh", fd);
	SHOW(bind(fd, SA(&at), 15));
	SHOW(bind(fd, SA(&at), 200));
	SHOW(bind(fd, SA(8), sizeof(at)));
	SHOW(bind(fd, SA(&at), sizeof(at)));
	both("bound", fd);
	SHOW(bind(fd, SA(&at), sizeof(at)));
	SHOW(listen(fd, 3));
	both("listening", fd);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	any.sin_family = AF_UNSPEC;
	SHOW(bind(fd, SA(&any), sizeof(any)));
	both("any", fd);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(listen(fd, 3));
	both("listening unbound", fd);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, "203.0.113.77", &at.sin_addr);
	SHOW(bind(fd, SA(&at), sizeof(at)));
	each_kind(ends_agree);
	each_kind(forms);
	return 0;
}
