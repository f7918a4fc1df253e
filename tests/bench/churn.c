/* churn.c - short connections for the benchmarks: connect, 64 octets there and
 * back, close
 *
 *   churn serve ADDR PORT
 *   churn run ADDR PORT SECONDS AT_ONCE   prints {"per_second": R, "errors": N}
 *
 * One process and one epoll set on each side.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define MSG    64
#define EVENTS 64

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct addrinfo *resolve(const char *addr, const char *port)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;

	if (getaddrinfo(addr, port, &hint, &ai)) {
		fprintf(stderr, "%s: no address\n", addr);
		exit(1);
	}
	return ai;
}

static void watch(int ep, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0) {
		die("epoll_ctl");
	}
}

/* --- server ---------------------------------------------------------------- */

static void answer(int fd)
{
	char buf[MSG];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0 && write(fd, buf, (size_t)n) == n) {
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	close(fd);
}

static void serve(const char *addr, const char *port)
{
	struct addrinfo *ai = resolve(addr, port);
	struct epoll_event ev[EVENTS];
	int ep = epoll_create1(0), on = 1, n, fd, c;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    listen(fd, 256) < 0) {
		die("bind");
	}
	watch(ep, fd, EPOLLIN);
	for (;;) {
		n = epoll_wait(ep, ev, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd != fd) {
				answer(ev[i].data.fd);
				continue;
			}
			while ((c = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >=
			       0) {
				watch(ep, c, EPOLLIN | EPOLLRDHUP);
			}
		}
	}
}

/* --- client ---------------------------------------------------------------- */

static const char msg[MSG] = "a request of sixty-four octets";

static void begin(int ep, const struct addrinfo *ai)
{
	int on = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		die("socket");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 &&
	    errno != EINPROGRESS) {
		die("connect");
	}
	watch(ep, fd, EPOLLOUT);
}

/* 1: done, 0: goes on, -1: failed */
static int advance(int ep, int fd, uint32_t events)
{
	char buf[MSG];

	if (events & EPOLLOUT) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
		int err = 0;
		socklen_t len = sizeof(err);

		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err || write(fd, msg, MSG) != MSG) {
			return -1;
		}
		epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
		return 0;
	}
	return read(fd, buf, sizeof(buf)) == MSG ? 1 : -1;
}

static void run(const char *addr, const char *port, uint32_t seconds,
		uint32_t at_once)
{
	struct addrinfo *ai = resolve(addr, port);
	struct epoll_event ev[EVENTS];
	int ep = epoll_create1(0);
	int64_t start, end;
	uint64_t done = 0, errors = 0;

	for (uint32_t i = 0; i < at_once; i++) {
		begin(ep, ai);
	}
	start = load_now();
	end = start + (int64_t)seconds * 1000000000;
	while (load_now() < end) {
		int n = epoll_wait(ep, ev, EVENTS, 1000);

		for (int i = 0; i < n; i++) {
			int r = advance(ep, ev[i].data.fd, ev[i].events);

			if (!r) {
				continue;
			}
			done += r > 0;
			errors += r < 0;
			close(ev[i].data.fd);
			begin(ep, ai);
		}
		if (n <= 0 || errors > 1000) {
			break;
		}
	}
	printf("{\"per_second\": %.1f, \"errors\": %llu}\n",
	       (double)done * 1e9 / (double)(load_now() - start),
	       (unsigned long long)errors);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "serve") == 0) {
		serve(argv[2], argv[3]);
	} else if (argc == 6 && strcmp(argv[1], "run") == 0) {
		run(argv[2], argv[3], number(argv[4], "SECONDS", 1, 3600),
		    number(argv[5], "AT_ONCE", 1, 1000));
		return 0;
	}
	fprintf(stderr, "usage: churn serve ADDR PORT | "
			"churn run ADDR PORT SECONDS AT_ONCE\n");
	return 2;
}
