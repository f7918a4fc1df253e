/* hold - many connections that rest
 *
 *   hold serve ADDR PORT    takes every connection, answers one octet with one,
 *                           and keeps it
 *   hold run ADDR PORT N    opens N, an octet each way on each, prints "ready",
 *                           and holds them until its standard input ends
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load.h"

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void serve(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	int ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 1024)) {
		die("bind");
	}
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	for (;;) {
		int n = epoll_wait(ep, &ev, 1, -1), c = ev.data.fd;
		char x;

		if (n != 1) {
			continue;
		}
		if (c != fd) {
			if (read(c, &x, 1) != 1 || write(c, &x, 1) != 1) {
				close(c);
			}
			continue;
		}
		while ((c = accept(fd, NULL, NULL)) >= 0) {
			struct epoll_event e = { .events = EPOLLIN,
						 .data.fd = c };

			epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
		}
	}
}

static void run(const struct addrinfo *ai, unsigned n)
{
	char x = 'x';

	for (unsigned i = 0; i < n; i++) {
		int fd = socket(ai->ai_family, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) ||
		    write(fd, &x, 1) != 1 || read(fd, &x, 1) != 1) {
			die("connection");
		}
	}
	printf("ready\n");
	fflush(stdout);
	while (read(0, &x, 1) > 0) {
	}
}

int main(int argc, char **argv)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM };
	struct rlimit r;
	struct addrinfo *ai;

	bool server = argc == 4 && strcmp(argv[1], "serve") == 0;

	if ((!server && (argc != 5 || strcmp(argv[1], "run") != 0)) ||
	    getaddrinfo(argv[2], argv[3], &hint, &ai)) {
		fprintf(stderr, "usage: hold serve ADDR PORT | hold run ADDR "
				"PORT N\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	if (server) {
		serve(ai);
	} else {
		run(ai, number(argv[4], "N", 1, 1000000));
	}
	return 0;
}
