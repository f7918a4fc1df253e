/* connect() without waiting to an address that was connected to before: the
 * stack is told and its answer is not waited for */
#include "t.h"

#include <sys/select.h>

static char self[4096];

/* the address is known from here on */
static void once(const struct sockaddr_in *at, int l)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	connect(fd, SA(at), sizeof(*at));
	far_close(far_accept(l));
	close(fd);
}

static int begin(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	SHOW(connect(fd, SA(at), sizeof(*at)));
	return fd;
}

static void show_select(int fd)
{
	struct timeval tv = { 0, 0 };
	fd_set w, r;

	FD_ZERO(&w);
	FD_ZERO(&r);
	FD_SET(fd, &w);
	FD_SET(fd, &r);
	SHOW(select(fd + 1, &r, &w, NULL, &tv));
}

static int ep;

static void show_edges(const char *when)
{
	say("edges %s: %x", when, edges_of(ep));
}

/* silent until there is an answer, which never comes */
static void pending(const struct sockaddr_in *at)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					    EPOLLET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), two;
	struct sockaddr_in me;
	socklen_t len = sizeof(me);
	char b[4];

	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	show_edges("before");
	SHOW(connect(fd, SA(at), sizeof(*at)));
	SHOW(getsockname(fd, SA(&me), &len));
	say("a port %d", me.sin_port != 0);
	settle();
	show_edges("pending");
	show_poll("pending", fd);
	show_select(fd);
	SHOW(send(fd, "x", 1, 0));
	SHOW(write(fd, "x", 1));
	SHOW(recv(fd, b, 4, 0));
	show_so_error(fd);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 1000000 }, 4));
	show_poll("pending still", fd);
	SHOW(connect(fd, SA(at), sizeof(*at)));
	two = dup(fd);
	SHOW(connect(two, SA(at), sizeof(*at)));
	close(fd);
	show_poll("the other", two);
	SHOW(shutdown(two, SHUT_WR));
	close(two);
	close(ep);
}

static void established(const struct sockaddr_in *at, int l)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	static char big[100000];
	int fd = begin(at), far = far_accept(l), n, got = 0;
	char b[8];

	ep = epoll_create1(0);
	settle();
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	show_edges("up");
	show_so_error(fd);
	show_so_error(fd);
	SHOW(send(fd, "abc", 3, 0));
	SHOW(far_read(far, b, 8));
	SHOW(connect(fd, SA(at), sizeof(*at)));
	SHOW(connect(fd, SA(at), sizeof(*at)));
	SHOW(send(fd, big, sizeof(big), 0));
	while (got < (int)sizeof(big) &&
	       (n = (int)far_read(far, big, sizeof(big))) > 0) {
		got += n;
	}
	say("got %d", got);
	far_write(far, "xyz", 3);
	settle();
	SHOW(recv(fd, b, 8, 0));
	far_close(far);
	settle();
	SHOW(recv(fd, b, 8, 0));
	close(fd);
	close(ep);
}

/* the first octets right after the event, without a question */
static void unasked(const struct sockaddr_in *at, int l)
{
	int fd = begin(at), far = far_accept(l);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	char b[8];

	SHOW(poll(&p, 1, 5000));
	SHOW(write(fd, "hello", 5));
	SHOW(far_read(far, b, 8));
	close(fd);
	SHOW(far_read(far, b, 8));
	far_close(far);
}

static void reset(const struct sockaddr_in *at, int l)
{
	int fd = begin(at), far = far_accept(l);

	settle();
	far_reset(far);
	show_so_error(fd);
	show_so_error(fd);
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static void refused(const struct sockaddr_in *at)
{
	int fd = begin(at);

	settle();
	show_poll("refused", fd);
	show_select(fd);
	show_so_error(fd);
	show_so_error(fd);
	SHOW(connect(fd, SA(at), sizeof(*at)));
	close(fd);
	fd = begin(at);
	settle();
	SHOW(connect(fd, SA(at), sizeof(*at)));
	SHOW(recv(fd, (char[1]){ 0 }, 1, 0));
	close(fd);
}

/* one SYN and one more, which is given up after 3 seconds */
static void timed_out(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &(int){ 1 }, 4));
	SHOW(connect(fd, SA(at), sizeof(*at)));
	SHOW(poll(&p, 1, 1500));
	SHOW(poll(&p, 1, 8000));
	show_poll("timed out", fd);
	show_so_error(fd);
	close(fd);
}

static void closed_at_once(const struct sockaddr_in *at, int l)
{
	int far;

	for (int i = 0; i < 20; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		connect(fd, SA(at), sizeof(*at));
		close(fd);
	}
	settle();
	raw(SYS_fcntl, l, F_SETFL, O_NONBLOCK, 0, 0, 0);
	while ((far = (int)raw(SYS_accept4, l, 0, 0, SOCK_CLOEXEC, 0, 0)) >=
	       0) {
		far_close(far);
	}
	raw(SYS_fcntl, l, F_SETFL, 0, 0, 0, 0);
	once(at, l);
	say("and one more");
}

/* a child, by fork or also by exec, goes on with what the parent began */
static int child(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	SHOW(poll(&p, 1, 5000));
	show_so_error(fd);
	SHOW(write(fd, "child", 5));
	return 0;
}

static void passed_on(const struct sockaddr_in *at, int l, bool exec)
{
	int fd = begin(at), far, status;
	char num[16], b[8];

	if (fork() == 0) {
		snprintf(num, sizeof(num), "%d", fd);
		if (exec) {
			execl(self, self, num, (char *)NULL);
		}
		_exit(child(fd));
	}
	close(fd);
	far = far_accept(l);
	wait(&status);
	SHOW(status);
	SHOW(far_read(far, b, 8));
	SHOW(far_read(far, b, 8));
	far_close(far);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at, deaf, gone;
	int l, n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && atoi(argv[1]) > 0) {
		return child(atoi(argv[1]));
	}
	n = (int)readlink("/proc/self/exe", self, sizeof(self) - 1);
	must(n > 0, "find myself");
	l = far_listen(&at, 64);
	deaf = far_full();
	n = far_listen(&gone, 1);
	far_close(n);
	once(&at, l);
	say("-- pending");
	pending(&deaf);
	say("-- established");
	established(&at, l);
	say("-- unasked");
	unasked(&at, l);
	say("-- reset");
	reset(&at, l);
	say("-- refused");
	refused(&gone);
	say("-- timed out");
	timed_out(&deaf);
	say("-- closed at once");
	closed_at_once(&at, l);
	say("-- fork");
	passed_on(&at, l, false);
	say("-- exec");
	passed_on(&at, l, true);
	return 0;
}
