/* lossy - a link with delay, loss and a rate, in userspace, between two network
 * namespaces
 *
 *   lossy NETNS_A NETNS_B DELAY_US LOSS_PER_MILLION MBIT SEED
 *
 * Makes the TUN device "em" in both and passes packets between them: each way
 * has its own queue of 1,000 packets, is serialised at the rate, waits for the
 * delay, and is lost with that probability, in an order that the seed fixes.
 * Prints "ready" when both devices are there; ends with its standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define QUEUE 1000u  /* waiting for the rate */
#define RING  65536u /* ... and on their way */
#define MTU   1500

struct packet {
	int64_t due, sent; /* arrives; has left the queue */
	unsigned len;
	uint8_t data[MTU];
};

struct way {
	int in, out;
	struct packet *ring;
	unsigned head, tail;
	int64_t free_at; /* the line is busy until then */
	uint64_t rng;
};

static int64_t delay, ns_per_octet_x1000;
static uint64_t loss;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int device_in(const char *netns)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY);
	if (ns < 0 || setns(ns, CLONE_NEWNET)) {
		die(path);
	}
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	strcpy(r.ifr_name, "em");
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r)) {
		die("/dev/net/tun");
	}
	return fd;
}

/* xorshift64*: the same seed loses the same packets */
static uint64_t draw(struct way *w)
{
	w->rng ^= w->rng >> 12;
	w->rng ^= w->rng << 25;
	w->rng ^= w->rng >> 27;
	return (w->rng * 2685821657736338717u) >> 11;
}

static unsigned waiting(const struct way *w, int64_t t)
{
	unsigned n = 0;

	for (unsigned i = w->tail; i != w->head && n < QUEUE; i--) {
		if (w->ring[(i - 1) % RING].sent <= t) {
			break;
		}
		n++;
	}
	return n;
}

static void take(struct way *w)
{
	for (;;) {
		struct packet *p = &w->ring[w->tail % RING];
		int64_t t = load_now();
		ssize_t n;

		if (w->tail - w->head == RING) {
			return;
		}
		n = read(w->in, p->data, sizeof(p->data));
		if (n <= 0) {
			return;
		}
		if (draw(w) % 1000000 < loss || waiting(w, t) == QUEUE) {
			continue;
		}
		w->free_at = (w->free_at > t ? w->free_at : t) +
			     n * ns_per_octet_x1000 / 1000;
		p->len = (unsigned)n;
		p->sent = w->free_at;
		p->due = w->free_at + delay;
		w->tail++;
	}
}

static void give(struct way *w)
{
	int64_t t = load_now();

	while (w->head != w->tail && w->ring[w->head % RING].due <= t) {
		const struct packet *p = &w->ring[w->head % RING];

		if (write(w->out, p->data, p->len) < 0 && errno == EAGAIN) {
			return;
		}
		w->head++;
	}
}

static void set_timer(int fd, const struct way *w)
{
	int64_t first = INT64_MAX;
	struct itimerspec t = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		if (w[i].head != w[i].tail &&
		    w[i].ring[w[i].head % RING].due < first) {
			first = w[i].ring[w[i].head % RING].due;
		}
	}
	if (first != INT64_MAX) {
		t.it_value.tv_sec = first / 1000000000;
		t.it_value.tv_nsec = first % 1000000000;
	}
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
}

int main(int argc, char **argv)
{
	int a, b, timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct way w[2] = { { 0 } };
	uint64_t seed;

	if (argc != 7) {
		fprintf(stderr, "usage: lossy NETNS_A NETNS_B DELAY_US "
				"LOSS_PER_MILLION MBIT SEED\n");
		return 2;
	}
	delay = (int64_t)number(argv[3], "DELAY_US", 0, 10000000) * 1000;
	loss = number(argv[4], "LOSS_PER_MILLION", 0, 1000000);
	ns_per_octet_x1000 = 8000000 / number(argv[5], "MBIT", 1, 100000);
	seed = number(argv[6], "SEED", 0, UINT32_MAX - 2);
	a = device_in(argv[1]);
	b = device_in(argv[2]);
	for (unsigned i = 0; i < 2; i++) {
		w[i].in = i ? b : a;
		w[i].out = i ? a : b;
		w[i].ring = malloc(RING * sizeof(*w[i].ring));
		w[i].rng = (seed + i + 1) *
			   0x9e3779b97f4a7c15u;
		if (!w[i].ring) {
			die("malloc");
		}
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p[4] = { { a, POLLIN, 0 }, { b, POLLIN, 0 },
				       { timer, POLLIN, 0 }, { 0, POLLIN, 0 } };
		uint64_t n;

		set_timer(timer, w);
		if (poll(p, 4, -1) < 0 && errno != EINTR) {
			die("poll");
		}
		if (p[3].revents && read(0, &n, 1) <= 0) {
			return 0;
		}
		if (p[2].revents && read(timer, &n, sizeof(n)) < 0) {
			continue;
		}
		for (unsigned i = 0; i < 2; i++) {
			take(&w[i]);
			give(&w[i]);
		}
	}
}
