/* switches that are set before anything else happens to a socket */
#include <sys/resource.h>

#include "t.h"

static char self[4096];

static int get(int fd, int level, int name)
{
	int v = -1;

	getsockopt(fd, level, name, &v, &(socklen_t){ sizeof(v) });
	return v;
}

static void show_all(int fd)
{
	say("nodelay %d keepalive %d reuseaddr %d",
	    get(fd, IPPROTO_TCP, TCP_NODELAY) != 0,
	    get(fd, SOL_SOCKET, SO_KEEPALIVE) != 0,
	    get(fd, SOL_SOCKET, SO_REUSEADDR) != 0);
}

static void set(int fd, int level, int name, int v)
{
	must(setsockopt(fd, level, name, &v, sizeof(v)) == 0, "set an option");
}

static void bad(int fd)
{
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, 3));
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, 4));
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (void *)8, 4));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, 0));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, -1));
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(long){ 1 }, 8));
}

static void to_and_fro(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), two;

	bad(fd);
	show_all(fd);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 0);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 7);
	two = dup(fd);
	show_all(two);
	set(two, SOL_SOCKET, SO_KEEPALIVE, -1);
	close(fd);
	show_all(two);
	set(two, SOL_SOCKET, SO_REUSEADDR, 0);
	show_all(two);
	say("rate %x", get(two, SOL_SOCKET, SO_MAX_PACING_RATE));
	set(two, SOL_SOCKET, SO_MAX_PACING_RATE, 0x4d500003);
	say("rate %x", get(two, SOL_SOCKET, SO_MAX_PACING_RATE));
	set(two, IPPROTO_TCP, TCP_NODELAY, 1);
	show_all(two);
	close(two);
}

/* connected, with the switches as they were set before */
static void connects(int flags)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 8);

	for (int i = 0; i < 3; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | flags, 0), far;

		set(fd, IPPROTO_TCP, TCP_NODELAY, i != 1);
		set(fd, SOL_SOCKET, SO_KEEPALIVE, i != 0);
		connect(fd, SA(&at), sizeof(at));
		far = far_accept(l);
		settle();
		show_all(fd);
		set(fd, IPPROTO_TCP, TCP_NODELAY, i == 1);
		show_all(fd);
		close(fd);
		far_close(far);
	}
	far_close(l);
}

static void listens(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0), far, fd;

	set(l, SOL_SOCKET, SO_REUSEADDR, 1);
	set(l, SOL_SOCKET, SO_KEEPALIVE, 1);
	SHOW(bind(l, SA(&at), sizeof(at)));
	set(l, IPPROTO_TCP, TCP_NODELAY, 1);
	show_all(l);
	SHOW(listen(l, 4));
	getsockname(l, SA(&at), &len);
	far = far_connect(ntohs(at.sin_port));
	fd = accept(l, NULL, NULL);
	show_all(fd);
	close(fd);
	far_close(far);
	close(l);
}

static void passed_on(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char num[16];

	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	snprintf(num, sizeof(num), "%d", fd);
	if (fork() == 0) {
		execl(self, self, num, (char *)NULL);
		_exit(1);
	}
	wait(NULL);
	close(fd);
}

/* what was set stays set when a call fails for want of a descriptor */
static void at_the_limit(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), next = dup(fd);
	struct rlimit was, full;

	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	close(next);
	must(getrlimit(RLIMIT_NOFILE, &was) == 0, "read the limit");
	full = was;
	full.rlim_cur = (rlim_t)next;
	must(setrlimit(RLIMIT_NOFILE, &full) == 0, "have no descriptor left");
	get(fd, SOL_SOCKET, SO_KEEPALIVE);
	listen(fd, 1);
	must(setrlimit(RLIMIT_NOFILE, &was) == 0, "have some again");
	show_all(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 2 && atoi(argv[1]) > 0) {
		show_all(atoi(argv[1]));
		return 0;
	}
	must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0,
	     "find myself");
	to_and_fro();
	say("-- connects");
	connects(0);
	say("-- without waiting");
	connects(SOCK_NONBLOCK);
	say("-- listens");
	listens();
	say("-- handed on");
	passed_on();
	say("-- without a descriptor left");
	at_the_limit();
	return 0;
}
