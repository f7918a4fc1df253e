/* xfer.c - the neutral load of the benchmarks: plain sockets, nothing else
 *
 *   xfer serve ADDR PORT         serves any number of connections, forked
 *   xfer down ADDR PORT SECONDS  the server sends for SECONDS
 *   xfer up   ADDR PORT SECONDS  we send for SECONDS
 *   xfer many ADDR PORT SECONDS [N]  down, on N (8) connections at once
 *   xfer ping ADDR PORT COUNT [N]  N octets (1) each way, COUNT times
 *
 * ADDR @NAME is the abstract AF_UNIX address of a relay (relay.c), PORT then
 * means nothing.  The receiver of bulk data keeps how much had arrived at every
 * 50 ms since the first octet, and the client prints that as JSON:
 * {"bytes": N, "seconds": S, "timeline": [b0, b1, ...]}; many prints the sum
 * of the octets and the longest of the times; ping prints
 * {"median_us": M, "p99_us": P}.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/load.h"

static char chunk[CHUNK];
static struct timeline line;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_all(int fd, const void *p, size_t n)
{
	const char *c = p;

	while (n) {
		ssize_t w = write(fd, c, n);

		if (w < 0 && errno == EINTR) {
			continue;
		}
		if (w <= 0) {
			die("write");
		}
		c += w;
		n -= (size_t)w;
	}
}

static void read_all(int fd, void *p, size_t n)
{
	char *c = p;

	while (n) {
		ssize_t r = read(fd, c, n);

		if (r < 0 && errno == EINTR) {
			continue;
		}
		if (r <= 0) {
			die("read");
		}
		c += r;
		n -= (size_t)r;
	}
}

static void send_for(int fd, uint32_t seconds)
{
	int64_t end = load_now() + (int64_t)seconds * 1000000000;

	while (load_now() < end) {
		write_all(fd, chunk, sizeof(chunk));
	}
	shutdown(fd, SHUT_WR);
}

static void receive(int fd)
{
	ssize_t r;

	memset(&line, 0, sizeof(line));
	while ((r = read(fd, chunk, sizeof(chunk))) > 0 ||
	       (r < 0 && errno == EINTR)) {
		if (r > 0) {
			timeline_take(&line, (size_t)r);
		}
	}
	if (r < 0) {
		die("read");
	}
}

static void echo(int fd)
{
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		write_all(fd, chunk, (size_t)n);
	}
}

static void serve_one(int fd)
{
	struct order o;

	read_all(fd, &o, sizeof(o));
	switch (o.what) {
	case 'D':
		send_for(fd, o.value);
		while (read(fd, chunk, sizeof(chunk)) > 0) {
		}
		break;
	case 'U':
		receive(fd);
		write_all(fd, &line, sizeof(line));
		shutdown(fd, SHUT_WR);
		break;
	default:
		echo(fd);
	}
}

static struct addrinfo *at_relay(const char *name)
{
	static struct sockaddr_un un = { .sun_family = AF_UNIX };
	static struct addrinfo ai = { .ai_family = AF_UNIX,
				      .ai_addr = (void *)&un };
	size_t n = strlen(name);

	if (n >= sizeof(un.sun_path)) {
		fprintf(stderr, "@%s: too long\n", name);
		exit(2);
	}
	memcpy(un.sun_path + 1, name, n);
	ai.ai_addrlen = (socklen_t)(sizeof(un.sun_family) + 1 + n);
	return &ai;
}

static struct addrinfo *resolve(const char *addr, const char *port)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	int rc;

	if (addr[0] == '@') {
		return at_relay(addr + 1);
	}
	rc = getaddrinfo(addr, port, &hint, &ai);
	if (rc) {
		fprintf(stderr, "%s: %s\n", addr, gai_strerror(rc));
		exit(1);
	}
	return ai;
}

/* XFER_CC: for the kernel's Multipath TCP, which gives joined subflows its own
 * congestion control and not that of their route.  Before connect() and
 * listen(): what a kernel's socket had of pacing under another stays with it. */
static void options(int fd, int family)
{
	const char *cc = getenv("XFER_CC");
	int on = 1, buf = PAIR_BUF;

	if (family == AF_UNIX) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buf, sizeof(buf));
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc,
			     (socklen_t)strlen(cc))) {
		die(cc);
	}
}

static int serve(const char *addr, const char *port)
{
	struct addrinfo *ai = resolve(addr, port);
	int on = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM, 0);

	if (fd < 0) {
		die("socket");
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	options(fd, ai->ai_family);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 64) < 0) {
		die("bind");
	}
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c < 0) {
			if (errno == EINTR || errno == ECONNABORTED) {
				continue;
			}
			die("accept");
		}
		if (fork() == 0) {
			close(fd);
			serve_one(c);
			exit(0);
		}
		close(c);
	}
}

static void ping(int fd, uint32_t count, size_t n)
{
	int64_t *took = calloc(count, sizeof(*took));

	if (!took) {
		die("calloc");
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t t = load_now();

		write_all(fd, chunk, n);
		read_all(fd, chunk, n);
		took[i] = load_now() - t;
	}
	pings_print(took, count);
	free(took);
}

static int begin(const struct addrinfo *ai, char what, uint32_t value)
{
	struct order o = { .what = what, .value = value };
	int fd = socket(ai->ai_family, SOCK_STREAM, 0);

	if (fd < 0) {
		die("socket");
	}
	options(fd, ai->ai_family);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		die("connect");
	}
	write_all(fd, &o, sizeof(o));
	return fd;
}

static void many(const struct addrinfo *ai, uint32_t seconds, unsigned n)
{
	uint64_t bytes = 0, got[2];
	int64_t longest = 0;
	int p[2];

	if (pipe(p)) {
		die("pipe");
	}
	for (unsigned i = 0; i < n; i++) {
		if (fork() == 0) {
			receive(begin(ai, 'D', seconds));
			got[0] = line.bytes;
			got[1] = (uint64_t)(line.last - line.start);
			write_all(p[1], got, sizeof(got));
			exit(0);
		}
	}
	close(p[1]);
	for (unsigned i = 0; i < n; i++) {
		read_all(p[0], got, sizeof(got));
		bytes += got[0];
		longest = (int64_t)got[1] > longest ? (int64_t)got[1] : longest;
	}
	printf("{\"bytes\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)bytes, (double)longest / 1e9);
}

static int usage(void)
{
	fprintf(stderr, "usage: xfer serve ADDR PORT | xfer down|up|many|ping "
			"ADDR PORT SECONDS|COUNT [N]\n");
	return 2;
}

static void bulk(const struct addrinfo *ai, int up, uint32_t seconds)
{
	int fd = begin(ai, up ? 'U' : 'D', seconds);

	if (up) {
		send_for(fd, seconds);
		read_all(fd, &line, sizeof(line));
	} else {
		receive(fd);
	}
	timeline_print(&line);
	close(fd);
}

int main(int argc, char **argv)
{
	struct addrinfo *ai;
	const char *what = argc > 1 ? argv[1] : "";
	uint32_t n = 0;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(what, "serve") == 0) {
		return serve(argv[2], argv[3]);
	}
	if (argc != 5 && argc != 6) {
		return usage();
	}
	if (argc == 6) {
		n = number(argv[5], "N", 1, what[0] == 'm' ? 1000 : CHUNK);
	}
	ai = resolve(argv[2], argv[3]);
	if (strcmp(what, "many") == 0) {
		many(ai, number(argv[4], "SECONDS", 1, 200), n ? n : 8);
	} else if (strcmp(what, "ping") == 0) {
		ping(begin(ai, 'P', 0), number(argv[4], "COUNT", 1, 10000000),
		     n ? n : 1);
	} else if (argc == 5 && strcmp(what, "down") == 0) {
		bulk(ai, 0, number(argv[4], "SECONDS", 1, 200));
	} else if (argc == 5 && strcmp(what, "up") == 0) {
		bulk(ai, 1, number(argv[4], "SECONDS", 1, 200));
	} else {
		return usage();
	}
	return 0;
}
