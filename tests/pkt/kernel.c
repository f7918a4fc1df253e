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
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "stack/wire/ip_hdr.h"
#include "tests/lib/wirepkt.h"
#include "tests/pkt/kernel.h"
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

void kernel_skip(const char *form, ...)
{
	va_list ap;

	printf("SKIP ");
	va_start(ap, form);
	vprintf(form, ap);
	va_end(ap);
	putchar('\n');
	exit(77);
}

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

/* what scripts say of the stack, for the whole namespace: it has one script */
static void setting(struct run *r, const char *name, int v)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	f = fopen(path, "w");
	if (!f || fprintf(f, "%d\n", v) < 0 || fclose(f) != 0) {
		pkt_fail(r, "cannot set %s: %s", path, strerror(errno));
	}
}

static void settings(struct run *r)
{
	static const int probing[] = {
		[TCP_MTUP_OFF] = 0,
		[TCP_MTUP_BLACKHOLE] = 1,
		[TCP_MTUP_ON] = 2,
	};
	static const int ecn[] = {
		[TCP_ECN_OFF] = 0,
		[TCP_ECN_ON] = 1,
		[TCP_ECN_PASSIVE] = 2,
	};
	static const int cookies[] = {
		[STACK_COOKIES_NEVER] = 0,
		[STACK_COOKIES_AUTO] = 1,
		[STACK_COOKIES_ALWAYS] = 2,
	};

	if (r->cfg.mp.policy != MP_OFF) {
		kernel_skip("Multipath TCP: its keys cannot be chosen");
	}
	if (r->cfg.mp.crypt_policy != MP_CRYPT_OFF) {
		kernel_skip("encryption: it has none");
	}
	if (r->cfg.rcvbuf) {
		kernel_skip("rcvbuf: it counts memory, not octets");
	}
	/* what is an option with us, and the doubling of RFC 6298 5.5 */
	setting(r, "ipv4/tcp_syn_linear_timeouts", 0);
	setting(r, "ipv4/tcp_fastopen", 3);
	setting(r, "ipv4/tcp_mtu_probing", probing[r->cfg.mtu_probing]);
	setting(r, "ipv4/tcp_ecn", ecn[r->cfg.ecn]);
	setting(r, "ipv4/tcp_syncookies", cookies[r->cfg.cookies]);
	if (r->cfg.drop_fragments) { /* room for none */
		setting(r, "ipv4/ipfrag_low_thresh", 0);
		setting(r, "ipv6/ip6frag_low_thresh", 0);
		setting(r, "ipv4/ipfrag_high_thresh", 0);
		setting(r, "ipv6/ip6frag_high_thresh", 0);
	}
}

static void device(struct run *r, unsigned i)
{
	const struct ip_path *p = &r->path[i];
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	unsigned long offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	char addr[ADDR_TEXT_MAX], text[256];

	tun[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", p->name);
	if (tun[i] < 0 || ioctl(tun[i], TUNSETIFF, &req) != 0) {
		pkt_fail(r, "no device %s: %s", p->name, strerror(errno));
	}
	if (p->gso && r->gso && ioctl(tun[i], TUNSETOFFLOAD, offload) != 0) {
		pkt_fail(r, "no offload for %s: %s", p->name, strerror(errno));
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
		if (v6) { /* it is the machine's own a little later */
			snprintf(text, sizeof(text),
				 "until ip -6 route show table local | "
				 "grep -q '^local %s '; do sleep 0.01; done",
				 addr);
			command(r, text);
		}
	}
}

static void begin(struct run *r)
{
	if (r->running) {
		return;
	}
	r->running = true;
	settings(r);
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
static bool is_wanted(const uint8_t *b, uint32_t n)
{
	struct icmp_msg icmp;
	struct ip_hdr h;

	return ip_hdr_parse(b, n, &h) == IP_HDR_OK &&
	       (h.proto == IP_PROTO_TCP ||
		(icmp_msg_parse(&h, &icmp) && icmp.type < 128));
}

/* the next packet that the kernel sent; NULL: there is none */
static struct pkt *take(struct run *r, unsigned i)
{
	static uint8_t buf[66000];
	struct virtio_net_hdr v;
	struct iovec iov[2] = { { &v, sizeof(v) }, { buf, sizeof(buf) } };
	ssize_t n;

	while ((n = readv(tun[i], iov, 2) - (ssize_t)sizeof(v)) > 0) {
		struct pkt *k;

		r->now = clock_now();
		if (is_wanted(buf, (uint32_t)n)) {
			k = wirepkt_make(buf, (uint32_t)n, (uint16_t)i);
			/* the rest of the sum is left to the device */
			k->csum_ok = v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
			return k;
		}
	}
	return NULL;
}

static bool parse(const struct pkt *k, struct tcp_seg *s)
{
	struct ip_hdr h;

	return ip_hdr_parse(k->data, k->len, &h) == IP_HDR_OK &&
	       h.proto == IP_PROTO_TCP &&
	       tcp_hdr_parse(&h, k->csum_ok, s) == TCP_HDR_OK && s->len;
}

/* a and, behind it, b as one packet, instead of both; NULL: b is no
 * continuation.  The kernel gives a device no more than half a window at once. */
static struct pkt *joined(struct pkt *a, struct pkt *b)
{
	static uint8_t buf[2 * 66000];
	uint32_t ip = a->data[0] >> 4 == 6 ? IP6_HDR_LEN : IP4_HDR_LEN;
	struct tcp_seg x, y;
	struct pkt *k;

	if (!parse(a, &x) || !parse(b, &y) || x.seq + x.len != y.seq ||
	    !endpoint_eq(&x.t.local, &y.t.local) ||
	    !endpoint_eq(&x.t.remote, &y.t.remote) ||
	    (x.flags ^ y.flags) & ~(TCP_PSH | TCP_FIN) ||
	    a->len + y.len > 65535) {
		return NULL;
	}
	memcpy(buf, a->data, a->len);
	memcpy(buf + a->len, y.data, y.len);
	buf[ip + 13] = y.flags;
	if (ip == IP6_HDR_LEN) {
		be16_put(buf + 4, (uint16_t)(a->len - ip + y.len));
	} else {
		be16_put(buf + 2, (uint16_t)(a->len + y.len));
		be16_put(buf + 10, 0);
		be16_put(buf + 10, cksum_finish(cksum_add(0, buf, ip)));
	}
	k = wirepkt_make(buf, a->len + y.len, a->dev);
	k->csum_ok = true;
	pkt_put(a);
	pkt_put(b);
	return k;
}

void run_pump(struct run *r)
{
	/* `hold`: what has left waits in the device */
	for (unsigned i = 0; !r->hold && i < r->n_paths; i++) {
		struct pkt *last = NULL, *k, *both;

		while ((k = take(r, i))) {
			both = r->gso && r->path[i].gso && last ?
				       joined(last, k) : NULL;
			if (last && !both) {
				match_take(r, last);
			}
			last = both ? both : k;
		}
		if (last) {
			match_take(r, last);
		}
	}
}

void run_input(struct run *r, unsigned path, const void *p, uint32_t n)
{
	struct virtio_net_hdr v = { 0 };
	struct iovec iov[2] = { { &v, sizeof(v) }, { (void *)(uintptr_t)p, n } };

	if (writev(tun[path], iov, 2) != (ssize_t)(sizeof(v) + n)) {
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
