/* xfer.c - the neutral load of the benchmarks: plain sockets, nothing else
 *
 *   xfer serve ADDR PORT         serves any number of connections, forked
 *   xfer down ADDR PORT SECONDS  the server sends for SECONDS
 *   xfer up   ADDR PORT SECONDS  we send for SECONDS
 *   xfer many ADDR PORT SECONDS N  down, on N connections at once
 *   xfer ping ADDR PORT COUNT [N]  N octets (1) each way, COUNT times
 *
 * The receiver of bulk data keeps how much had arrived at every 50 ms since
 * the first octet, and the client prints that as JSON:
 * {"bytes": N, "seconds": S, "timeline": [b0, b1, ...]}; many prints the sum
 * of the octets and the longest of the times; ping prints
 * {"median_us": M, "p99_us": P}.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK   (256 * 1024)
#define STEP_NS 50000000
#define STEPS   4096

struct order {
	char what; /* 'D', 'U', 'P' */
	uint32_t value;
};

struct timeline {
	int64_t start, last;
	uint64_t bytes;
	uint32_t n;
	uint64_t at[STEPS];
};

static char chunk[CHUNK];
static struct timeline line;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

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
	int64_t end = now() + (int64_t)seconds * 1000000000;

	while (now() < end) {
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
		int64_t t = now();

		if (r < 0) {
			continue;
		}
		if (!line.start) {
			line.start = t;
		}
		while (line.n < STEPS &&
		       t - line.start >= (int64_t)line.n * STEP_NS) {
			line.at[line.n++] = line.bytes;
		}
		line.bytes += (uint64_t)r;
		line.last = t;
	}
	if (r < 0) {
		die("read");
	}
}

static void print_line(void)
{
	printf("{\"bytes\": %llu, \"seconds\": %.6f, \"timeline\": [",
	       (unsigned long long)line.bytes,
	       (double)(line.last - line.start) / 1e9);
	for (uint32_t i = 0; i < line.n; i++) {
		printf("%s%llu", i ? ", " : "", (unsigned long long)line.at[i]);
	}
	puts("]}");
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

static struct addrinfo *resolve(const char *addr, const char *port)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	int rc = getaddrinfo(addr, port, &hint, &ai);

	if (rc) {
		fprintf(stderr, "%s: %s\n", addr, gai_strerror(rc));
		exit(1);
	}
	return ai;
}

/* Before connect() and listen(): what a kernel's socket had of pacing under
 * another congestion control stays with it when that is changed later. */
static void options(int fd)
{
	const char *cc = getenv("XFER_CC");
	int on = 1;

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
	options(fd);
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

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void ping(int fd, uint32_t count, size_t n)
{
	int64_t *took = calloc(count, sizeof(*took));

	if (!took) {
		die("calloc");
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t t = now();

		write_all(fd, chunk, n);
		read_all(fd, chunk, n);
		took[i] = now() - t;
	}
	qsort(took, count, sizeof(*took), by_size);
	printf("{\"median_us\": %.2f, \"p99_us\": %.2f}\n",
	       (double)took[count / 2] / 1e3,
	       (double)took[(size_t)count * 99 / 100] / 1e3);
	free(took);
}

static int begin(const struct addrinfo *ai, char what, uint32_t value)
{
	struct order o = { .what = what, .value = value };
	int fd = socket(ai->ai_family, SOCK_STREAM, 0);

	if (fd < 0) {
		die("socket");
	}
	options(fd);
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

int main(int argc, char **argv)
{
	struct addrinfo *ai;
	uint32_t value;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "serve") == 0) {
		return serve(argv[2], argv[3]);
	}
	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: xfer serve|down|up|many|ping ADDR PORT [N [SIZE]]\n");
		return 2;
	}
	ai = resolve(argv[2], argv[3]);
	value = (uint32_t)strtoul(argv[4], NULL, 10);
	if (strcmp(argv[1], "many") == 0) {
		many(ai, value, argc == 6 ? (unsigned)atoi(argv[5]) : 8);
		return 0;
	}
	fd = begin(ai, argv[1][0] == 'd' ? 'D' : argv[1][0] == 'u' ? 'U' : 'P',
		   value);
	if (argv[1][0] == 'd') {
		receive(fd);
		print_line();
	} else if (argv[1][0] == 'u') {
		send_for(fd, value);
		read_all(fd, &line, sizeof(line));
		print_line();
	} else {
		ping(fd, value ? value : 1,
		     argc == 6 ? strtoul(argv[5], NULL, 10) : 1);
	}
	close(fd);
	return 0;
}
