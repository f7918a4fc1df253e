/* relay.c - the limit of any stack in a process of its own behind an AF_UNIX
 * socket: a process that only moves octets between such a socket and kernel TCP
 *
 *   relay @NAME ADDR PORT [splice]
 *
 * Programs connect to the abstract address NAME (xfer does, given @NAME), each
 * of their connections becomes one to ADDR.  One process, one epoll set, 256 KiB
 * at a time each way: by read() and write(), or by splice() through a pipe, in
 * which the kernel hands pages on where it can.  Prints "ready", ends with its
 * standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define EVENTS 64

/* one direction; at octets of len in buf have gone on.  By splice(): len octets
 * are in the pipe. */
struct way {
	int from, to;
	int pipe[2];
	size_t at, len;
	bool end; /* from has ended, and to been told */
	char *buf;
};

struct end {
	struct pair *pair;
	int fd;
	uint32_t wants;
};

struct pair {
	struct end end[2];
	struct way way[2]; /* way[i] comes from end[i] */
	struct pair *dead;
};

static bool by_splice;
static const struct addrinfo *peer;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int ep, int fd, int op, uint32_t events, void *ptr)
{
	struct epoll_event e = { .events = events, .data.ptr = ptr };

	if (epoll_ctl(ep, op, fd, &e) < 0) {
		die("epoll_ctl");
	}
}

/* --- octets -------------------------------------------------------------- */

static ssize_t take(struct way *w)
{
	if (by_splice) {
		return splice(w->from, NULL, w->pipe[1], NULL, CHUNK,
			      SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	}
	w->at = 0;
	return read(w->from, w->buf, CHUNK);
}

static ssize_t give(struct way *w)
{
	if (by_splice) {
		return splice(w->pipe[0], NULL, w->to, NULL, w->len,
			      SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	}
	return write(w->to, w->buf + w->at, w->len);
}

static bool later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* one read and one write at most, so that no connection keeps the others
 * waiting; false: the connection is over */
static bool move(struct way *w)
{
	ssize_t n;

	if (!w->len && !w->end) {
		n = take(w);
		if (n < 0) {
			return later(n);
		}
		if (n == 0) {
			w->end = true;
			shutdown(w->to, SHUT_WR);
			return true;
		}
		w->len = (size_t)n;
	}
	if (w->len) {
		n = give(w);
		if (n <= 0) {
			return later(n);
		}
		w->at += (size_t)n;
		w->len -= (size_t)n;
	}
	return true;
}

/* --- connections --------------------------------------------------------- */

static int connected(void)
{
	int fd = socket(peer->ai_family, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, peer->ai_addr, peer->ai_addrlen) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		die("connect");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void way_open(struct way *w, int from, int to)
{
	w->from = from;
	w->to = to;
	if (!by_splice) {
		w->buf = malloc(CHUNK);
		if (!w->buf) {
			die("malloc");
		}
		return;
	}
	if (pipe2(w->pipe, O_NONBLOCK) < 0) {
		die("pipe");
	}
	fcntl(w->pipe[1], F_SETPIPE_SZ, 1 << 20);
}

static void pair_open(int ep, int program)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fd[2] = { program, connected() }, buf = PAIR_BUF;

	if (!p) {
		die("calloc");
	}
	setsockopt(program, SOL_SOCKET, SO_SNDBUFFORCE, &buf, sizeof(buf));
	for (int i = 0; i < 2; i++) {
		way_open(&p->way[i], fd[i], fd[!i]);
		p->end[i] = (struct end){ p, fd[i], EPOLLIN };
		watch(ep, fd[i], EPOLL_CTL_ADD, EPOLLIN, &p->end[i]);
	}
}

static void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		close(p->end[i].fd);
		if (by_splice) {
			close(p->way[i].pipe[0]);
			close(p->way[i].pipe[1]);
		}
		free(p->way[i].buf);
	}
}

/* an end is read where the way from it is empty, and waited for to take more
 * where the way to it is not */
static void want(int ep, struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		const struct way *out = &p->way[i], *in = &p->way[!i];
		uint32_t wants = (!out->len && !out->end ? EPOLLIN : 0u) |
				 (in->len ? EPOLLOUT : 0u);

		if (wants != p->end[i].wants) {
			p->end[i].wants = wants;
			watch(ep, p->end[i].fd, EPOLL_CTL_MOD, wants,
			      &p->end[i]);
		}
	}
}

/* false: it is over */
static bool pair_serve(int ep, struct pair *p, const struct end *e,
		       uint32_t events)
{
	const struct way *from = &p->way[e == &p->end[1]];

	if (!move(&p->way[0]) || !move(&p->way[1])) {
		return false;
	}
	/* gone both ways, and nothing of it is left to read */
	if (events & (EPOLLHUP | EPOLLERR) && from->end) {
		return false;
	}
	want(ep, p);
	return !p->way[0].end || !p->way[1].end || p->way[0].len ||
	       p->way[1].len;
}

static void serve(int ep, int listener)
{
	struct epoll_event ev[EVENTS];
	struct pair *dead = NULL;
	int n = epoll_wait(ep, ev, EVENTS, -1);
	char c;

	for (int i = 0; i < n; i++) {
		struct end *e = ev[i].data.ptr;
		struct pair *p = e ? e->pair : NULL;

		if (!e) {
			if (read(0, &c, 1) <= 0) {
				exit(0);
			}
		} else if (!p) {
			int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

			if (fd >= 0) {
				pair_open(ep, fd);
			}
		} else if (e->fd >= 0 && !pair_serve(ep, p, e, ev[i].events)) {
			pair_close(p);
			p->end[0].fd = p->end[1].fd = -1;
			p->dead = dead;
			dead = p;
		}
	}
	/* only now: their other end may have been among the events */
	while (dead) {
		struct pair *next = dead->dead;

		free(dead);
		dead = next;
	}
}

static int listen_at(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (n >= sizeof(un.sun_path)) {
		fprintf(stderr, "@%s: too long\n", name);
		exit(2);
	}
	memcpy(un.sun_path + 1, name, n);
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&un,
		 (socklen_t)(sizeof(un.sun_family) + 1 + n)) < 0 ||
	    listen(fd, 64) < 0) {
		die(name);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM };
	static struct end listening; /* the one end without a pair */
	struct addrinfo *ai;
	int ep = epoll_create1(0);

	by_splice = argc == 5 && strcmp(argv[4], "splice") == 0;
	if ((argc != 4 && !by_splice) || argv[1][0] != '@' ||
	    getaddrinfo(argv[2], argv[3], &hint, &ai)) {
		fprintf(stderr, "usage: relay @NAME ADDR PORT [splice]\n");
		return 2;
	}
	peer = ai;
	signal(SIGPIPE, SIG_IGN);
	listening.fd = listen_at(argv[1] + 1);
	watch(ep, listening.fd, EPOLL_CTL_ADD, EPOLLIN, &listening);
	watch(ep, 0, EPOLL_CTL_ADD, EPOLLIN, NULL);
	puts("ready");
	fflush(stdout);
	for (;;) {
		serve(ep, listening.fd);
	}
}
