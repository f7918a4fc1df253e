/* kernel.c - the same scripts against this machine's kernel: TUN devices in
 * the network namespace that the program finds itself in, and real time
 *
 * run.c cannot tell the difference: packets are read and written here instead
 * of by the stack, and kernel_call.c makes the calls with real sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/wire/ip_hdr.h"
#include "tests/lib/wirepkt.h"
#include "tests/pkt/pkt.h"

/* A machine that does other things is late, and a timer that was armed before
 * the script looked at its clock seems early. */
#define EARLY (40 * NANOS_MS)
#define LATE  (150 * NANOS_MS)
/* a timer of the kernel is late by up to an eighth of its time */
#define COARSE 7
/* how long a packet that has been sent may take until it can be read */
#define SOON (30 * NANOS_MS)

static int tun[IP_PATHS_MAX];

static struct instant clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct instant){ t.tv_sec * NANOS_S + t.tv_nsec };
}

void run_clock(struct run *r)
{
	r->start = r->now = clock_now();
	r->early = EARLY;
	r->late = LATE;
	r->coarse = COARSE;
}

/* --- devices ------------------------------------------------------------------ */

static void command(struct run *r, const char *text)
{
	if (system(text) != 0) {
		pkt_fail(r, "cannot: %s", text);
	}
}

static void device(struct run *r, unsigned i)
{
	const struct ip_path *p = &r->path[i];
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char addr[ADDR_TEXT_MAX], text[256];

	tun[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", p->name);
	if (tun[i] < 0 || ioctl(tun[i], TUNSETIFF, &req) != 0) {
		pkt_fail(r, "no device %s: %s", p->name, strerror(errno));
	}
	snprintf(text, sizeof(text),
		 "sysctl -qw net.ipv6.conf.%s.addr_gen_mode=1", p->name);
	(void)!system(text);
	snprintf(text, sizeof(text), "ip link set %s mtu %u up", p->name,
		 p->mtu);
	command(r, text);
	for (unsigned a = 0; a < p->n_addr; a++) {
		bool v6 = p->addr[a].family == 6;

		addr_text(&p->addr[a], addr);
		snprintf(text, sizeof(text), "ip addr add %s/%u dev %s%s", addr,
			 p->bits[a], p->name, v6 ? " nodad" : "");
		command(r, text);
	}
}

static void begin(struct run *r)
{
	if (r->running) {
		return;
	}
	r->running = true;
	for (unsigned i = 0; i < r->n_paths; i++) {
		device(r, i);
	}
	r->now = clock_now();
}

void run_end(struct run *r)
{
	for (unsigned i = 0; i < r->n_paths; i++) {
		close(tun[i]);
	}
}

/* --- packets ------------------------------------------------------------------- */

/* router solicitations and the like are none of a script's */
static bool is_tcp(const uint8_t *b, uint32_t n)
{
	struct ip_hdr h;

	return ip_hdr_parse(b, n, &h) == IP_HDR_OK && h.proto == IP_PROTO_TCP;
}

void run_pump(struct run *r)
{
	static uint8_t buf[65600];

	for (unsigned i = 0; i < r->n_paths; i++) {
		ssize_t n;

		while ((n = read(tun[i], buf, sizeof(buf))) > 0) {
			r->now = clock_now();
			if (is_tcp(buf, (uint32_t)n)) {
				match_take(r, wirepkt_make(buf, (uint32_t)n,
							   (uint16_t)i));
			}
		}
	}
}

void run_input(struct run *r, unsigned path, const void *p, uint32_t n)
{
	if (write(tun[path], p, n) != (ssize_t)n) {
		pkt_fail(r, "write to the device: %s", strerror(errno));
	}
	run_pump(r);
}

void run_advance(struct run *r, struct instant to, bool (*stop)(void *),
		 void *ctx)
{
	struct pollfd p[IP_PATHS_MAX];

	begin(r);
	if (stop) {
		to = instant_add(to, SOON);
	}
	for (unsigned i = 0; i < r->n_paths; i++) {
		p[i] = (struct pollfd){ .fd = tun[i], .events = POLLIN };
	}
	for (;;) {
		nanos left;

		run_pump(r);
		r->now = clock_now();
		left = instant_since(to, r->now);
		if ((stop && stop(ctx)) || left <= 0) {
			return;
		}
		poll(p, r->n_paths, (int)(left / NANOS_MS) + 1);
	}
}
