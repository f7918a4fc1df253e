/* IPv6 sockets, and IPv4 behind them (the loopback only: the far end is IPv4) */
#include "t.h"

static void show6(const char *what, int rc, const struct sockaddr_in6 *a,
		  socklen_t len)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (rc) {
		say("%s: %s", what, strerrorname_np(errno));
		return;
	}
	inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
	say("%s: family %d, %s, port %s, length %u", what, a->sin6_family,
	    text, a->sin6_port ? "set" : "0", len);
}

static void names(int fd)
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);
	int rc = getsockname(fd, SA(&a), &len);

	show6("getsockname", rc, &a, len);
	len = sizeof(a);
	rc = getpeername(fd, SA(&a), &len);
	show6("getpeername", rc, &a, len);
}

static int listener(const char *at, bool only, struct sockaddr_in6 *a)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0), on = only;
	socklen_t len = sizeof(*a);

	memset(a, 0, sizeof(*a));
	a->sin6_family = AF_INET6;
	inet_pton(AF_INET6, at, &a->sin6_addr);
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	SHOW(bind(fd, SA(a), sizeof(*a)));
	SHOW(listen(fd, 4));
	getsockname(fd, SA(a), &len);
	return fd;
}

static void accept_show(int l)
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);
	int fd = accept(l, SA(&a), &len);

	show6("accept", fd < 0 ? -1 : 0, &a, len);
	names(fd);
	close(fd);
}

int main(void)
{
	struct sockaddr_in6 a, b;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	int l = listener("::1", true, &a), fd = socket(AF_INET6, SOCK_STREAM, 0);

	names(fd);
	SHOW(connect(fd, SA(&a), sizeof(a)));
	names(fd);
	accept_show(l);
	close(fd);
	close(l);
	say("-- mapped");
	l = listener("::", false, &a);
	names(l);
	v4.sin_port = a.sin6_port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(fd, SA(&v4), sizeof(v4)));
	accept_show(l);
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	b = a;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &b.sin6_addr);
	SHOW(connect(fd, SA(&b), sizeof(b)));
	names(fd);
	accept_show(l);
	close(fd);
	close(l);
	say("-- both families on one port");
	l = socket(AF_INET, SOCK_STREAM, 0);
	v4.sin_addr.s_addr = htonl(INADDR_ANY);
	v4.sin_port = 0;
	SHOW(bind(l, SA(&v4), sizeof(v4)));
	SHOW(listen(l, 4));
	getsockname(l, SA(&v4), &(socklen_t){ sizeof(v4) });
	b = (struct sockaddr_in6){ .sin6_family = AF_INET6,
				   .sin6_port = v4.sin_port };
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	SHOW(bind(fd, SA(&b), sizeof(b)));
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, 4));
	SHOW(bind(fd, SA(&b), sizeof(b)));
	SHOW(listen(fd, 4));
	close(fd);
	close(l);
	b = a;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &b.sin6_addr);
	say("-- only IPv6");
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, 4));
	SHOW(connect(fd, SA(&b), sizeof(b)));
	return 0;
}
