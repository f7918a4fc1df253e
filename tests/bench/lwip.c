/* lwip.c - the load of xfer.c on lwIP (liblwip) over a TUN device: what one
 * could use in place of the stack
 *
 *   lwip TUN ADDR serve PORT
 *   lwip TUN ADDR down|up HOST PORT SECONDS
 *   lwip TUN ADDR ping HOST PORT COUNT
 *   lwip limits    what the library was built with, as JSON
 *
 * TUN exists and is up, ADDR is lwIP's own address there.  The quickest way to
 * use the library: its raw interface in one thread, received octets not copied
 * by the program, no AF_UNIX socket, no second process.  It has no offload:
 * checksums are its own, a packet is one segment, both ways (as packaged it
 * knows neither partial checksums nor segmentation), so the device is without
 * virtio-net headers.  As packaged, too: a window and a send buffer of 65,535
 * octets, segments of 1,460, no SACK, no timestamps, reno.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include "tests/bench/load.h"

#define MTU    1500
#define PIECES 8
#define BATCH  64 /* packets between two looks at the timers */

enum role { ASKED, SENDS, RECEIVES, ECHOES, PINGS, IS_ANSWERED };

struct conn {
	enum role role;
	bool client;
	struct order order;
	size_t got; /* octets of the order, of the answer */
	int64_t end;
	struct timeline line;
	int64_t *took, began;
	uint32_t pings;
};

static struct netif nif;
static int tun;
static bool done;
static char zeros[TCP_SND_BUF];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void fail(const char *what, err_t err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err_to_errno(err)));
	exit(1);
}

/* --- device ---------------------------------------------------------------- */

static int tun_open(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (strlen(name) >= sizeof(r.ifr_name)) {
		fprintf(stderr, "%s: too long for a device\n", name);
		exit(2);
	}
	strcpy(r.ifr_name, name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0) {
		die(name);
	}
	return fd;
}

static err_t output(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
	struct iovec v[PIECES];
	int k = 0;

	(void)n;
	(void)to;
	for (; p && k < PIECES; p = p->next) {
		v[k++] = (struct iovec){ p->payload, p->len };
	}
	/* a packet that the device does not take is lost, as on a wire */
	return p || writev(tun, v, k) < 0 ? ERR_IF : ERR_OK;
}

static err_t nif_init(struct netif *n)
{
	n->name[0] = 't';
	n->name[1] = 'n';
	n->mtu = MTU;
	n->output = output;
	return ERR_OK;
}

static void packets(void)
{
	for (int i = 0; i < BATCH && !done; i++) {
		struct pbuf *p = pbuf_alloc(PBUF_RAW, MTU, PBUF_RAM);
		ssize_t n = p ? read(tun, p->payload, MTU) : 0;

		if (n <= 0) {
			if (p) {
				pbuf_free(p);
			}
			return;
		}
		pbuf_realloc(p, (u16_t)n);
		if (nif.input(p, &nif) != ERR_OK) {
			pbuf_free(p);
		}
	}
}

static void loop(void)
{
	struct pollfd p = { .fd = tun, .events = POLLIN };

	while (!done) {
		u32_t ms = sys_timeouts_sleeptime();

		if (poll(&p, 1, ms > 1000 ? 1000 : (int)ms) < 0 &&
		    errno != EINTR) {
			die("poll");
		}
		packets();
		sys_check_timeouts();
	}
}

/* --- connections ------------------------------------------------------------- */

static void put(struct tcp_pcb *pcb, const void *p, size_t n)
{
	err_t err = tcp_write(pcb, p, (u16_t)n, TCP_WRITE_FLAG_COPY);

	if (err != ERR_OK) {
		fail("tcp_write", err);
	}
}

/* all that the send buffer takes, until the time is over */
static void pump(struct conn *c, struct tcp_pcb *pcb)
{
	if (c->role != SENDS) {
		return;
	}
	if (load_now() >= c->end) {
		c->role = IS_ANSWERED;
		tcp_shutdown(pcb, 0, 1);
		return;
	}
	while (tcp_sndbuf(pcb) > 0) {
		size_t n = tcp_sndbuf(pcb);

		n = n < sizeof(zeros) ? n : sizeof(zeros);
		if (tcp_write(pcb, zeros, (u16_t)n, TCP_WRITE_FLAG_COPY) !=
		    ERR_OK) {
			break; /* the queue of pbufs is full: later */
		}
	}
	tcp_output(pcb);
}

static void send_begin(struct conn *c, struct tcp_pcb *pcb)
{
	c->role = SENDS;
	c->end = load_now() + (int64_t)c->order.value * 1000000000;
	pump(c, pcb);
}

static void ask_ping(struct conn *c, struct tcp_pcb *pcb)
{
	c->began = load_now();
	put(pcb, zeros, 1);
	tcp_output(pcb);
}

/* what an octet or more of the peer's means */
static void arrived(struct conn *c, struct tcp_pcb *pcb, struct pbuf *p)
{
	u16_t n = p->tot_len, skip = 0;

	if (c->role == ASKED) {
		size_t more = sizeof(c->order) - c->got;

		skip = (u16_t)(n < more ? n : more);
		pbuf_copy_partial(p, (char *)&c->order + c->got, skip, 0);
		c->got += skip;
		if (c->got < sizeof(c->order)) {
			return;
		}
		c->role = c->order.what == 'U' ? RECEIVES : ECHOES;
		if (c->order.what == 'D') {
			send_begin(c, pcb);
		}
	}
	if (c->role == RECEIVES && n > skip) {
		timeline_take(&c->line, (size_t)(n - skip));
	} else if (c->role == ECHOES) {
		for (struct pbuf *q = p; q; q = q->next) {
			if (q->len > skip) {
				put(pcb, (char *)q->payload + skip,
				    (size_t)(q->len - skip));
			}
			skip = (u16_t)(skip > q->len ? skip - q->len : 0);
		}
	} else if (c->role == IS_ANSWERED) {
		size_t more = sizeof(c->line) - c->got;

		n = (u16_t)(n < more ? n : more);
		pbuf_copy_partial(p, (char *)&c->line + c->got, n, 0);
		c->got += n;
	} else if (c->role == PINGS) {
		c->took[c->pings++] = load_now() - c->began;
		if (c->pings == c->order.value) {
			done = true;
		} else {
			ask_ping(c, pcb);
		}
	}
}

static err_t ended(struct conn *c, struct tcp_pcb *pcb)
{
	if (!c->client && c->role == RECEIVES) {
		put(pcb, &c->line, sizeof(c->line));
	}
	if (c->client) {
		done = true;
	} else {
		tcp_arg(pcb, NULL);
		free(c);
	}
	return tcp_close(pcb);
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *c = arg;

	(void)err;
	if (!c) {
		if (p) {
			tcp_recved(pcb, p->tot_len);
			pbuf_free(p);
		}
		return ERR_OK;
	}
	if (!p) {
		return ended(c, pcb);
	}
	tcp_recved(pcb, p->tot_len);
	arrived(c, pcb, p);
	pbuf_free(p);
	return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
	(void)n;
	if (arg) {
		pump(arg, pcb);
	}
	return ERR_OK;
}

static void on_err(void *arg, err_t err)
{
	struct conn *c = arg;

	if (c && c->client) {
		fail("connection", err);
	}
	free(c);
}

static void take(struct conn *c, struct tcp_pcb *pcb)
{
	tcp_nagle_disable(pcb);
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_err);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct conn *c = calloc(1, sizeof(*c));

	(void)arg;
	if (err != ERR_OK || !c) {
		free(c);
		return ERR_MEM;
	}
	take(c, pcb);
	return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct conn *c = arg;

	(void)err;
	put(pcb, &c->order, sizeof(c->order));
	if (c->order.what == 'U') {
		send_begin(c, pcb);
	} else if (c->order.what == 'P') {
		ask_ping(c, pcb);
	}
	return ERR_OK;
}

/* --- the program ------------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr, "usage: lwip TUN ADDR serve PORT | lwip TUN ADDR "
			"down|up|ping HOST PORT SECONDS|COUNT | lwip limits\n");
	return 2;
}

static ip_addr_t address(const char *text)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1) {
		fprintf(stderr, "%s: no IPv4 address\n", text);
		exit(2);
	}
	return (ip_addr_t)IPADDR4_INIT(in.s_addr);
}

static void start(const char *dev, const char *addr)
{
	ip_addr_t own = address(addr), mask = address("255.255.255.0");

	tun = tun_open(dev);
	/* it draws its first port from rand(): else the same in each run, and
	 * the peer still remembers the last one's */
	srand((unsigned)load_now());
	lwip_init();
	/* the own address as gateway: a device without link addresses asks
	 * nobody for it, and what is outside the network leaves, too */
	if (!netif_add(&nif, ip_2_ip4(&own), ip_2_ip4(&mask), ip_2_ip4(&own),
		       NULL, nif_init, ip_input)) {
		fprintf(stderr, "netif_add failed\n");
		exit(1);
	}
	netif_set_default(&nif);
	netif_set_link_up(&nif);
	netif_set_up(&nif);
}

static void serve(uint32_t port)
{
	struct tcp_pcb *pcb = tcp_new();
	err_t err = pcb ? tcp_bind(pcb, IP4_ADDR_ANY, (u16_t)port) : ERR_MEM;

	pcb = err == ERR_OK ? tcp_listen(pcb) : NULL;
	if (!pcb) {
		fail("listen", err);
	}
	tcp_accept(pcb, on_accept);
	loop();
}

static void run(struct conn *c, const char *host, uint32_t port)
{
	struct tcp_pcb *pcb = tcp_new();
	ip_addr_t to = address(host);
	err_t err = ERR_MEM;

	if (pcb) {
		take(c, pcb);
		err = tcp_connect(pcb, &to, (u16_t)port, on_connected);
	}
	if (err != ERR_OK) {
		fail("connect", err);
	}
	loop();
	if (c->order.what == 'P') {
		pings_print(c->took, c->pings);
	} else {
		timeline_print(&c->line);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[3] : "";
	static struct conn c = { .client = true };
	bool ping = strcmp(what, "ping") == 0, up = strcmp(what, "up") == 0;

	if (argc == 2 && strcmp(argv[1], "limits") == 0) {
		printf("{\"window\": %u, \"send_buffer\": %u, "
		       "\"mss\": %u}\n", (unsigned)TCP_WND,
		       (unsigned)TCP_SND_BUF, (unsigned)TCP_MSS);
		return 0;
	}
	if (argc == 5 && strcmp(what, "serve") == 0) {
		uint32_t port = number(argv[4], "PORT", 1, 65535);

		start(argv[1], argv[2]);
		serve(port);
	}
	if (argc != 7 || (!ping && !up && strcmp(what, "down") != 0)) {
		return usage();
	}
	c.order.what = ping ? 'P' : up ? 'U' : 'D';
	c.order.value = number(argv[6], ping ? "COUNT" : "SECONDS", 1,
			       ping ? 10000000 : 200);
	c.role = ping ? PINGS : RECEIVES;
	if (ping) {
		c.took = calloc(c.order.value, sizeof(*c.took));
		if (!c.took) {
			die("calloc");
		}
	}
	start(argv[1], argv[2]);
	run(&c, argv[4], number(argv[5], "PORT", 1, 65535));
	return 0;
}
