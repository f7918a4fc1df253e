/* pipe.c - the pipe without TCP logic: the limit that the design can reach
 *
 *   pipe send TUN SECONDS    in the client's namespace
 *   pipe recv TUN            in the server's namespace, prints octets/second
 *
 * The same hops as a connection of ours, and no protocol: an application
 * writes into an AF_UNIX pair; another process reads that and writes 64 KiB
 * GSO packets with virtio-net headers to a TUN device; the kernel forwards;
 * at the far end the same backwards.  The only logic is a window of packets
 * acknowledged by number, so that no queue overflows.
 * Addresses are those of the benchmark: 10.7.1.2 to 10.8.1.2.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define PAYLOAD 64000
#define WINDOW  48
#define SNDBUF  (4 << 20)

struct frame {
	struct virtio_net_hdr v;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static char data[70000];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int tun_open(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) {
		die(name);
	}
	return fd;
}

static uint32_t add(const void *p, size_t n, uint32_t sum)
{
	const uint8_t *b = p;

	for (size_t i = 0; i + 1 < n; i += 2) {
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	}
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static void frame_make(struct frame *f, int up, uint32_t seq, uint32_t len)
{
	uint32_t tcp_len = htonl((uint32_t)sizeof(f->tcp) + len);
	uint32_t sum;

	memset(f, 0, sizeof(*f));
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_TCP;
	f->ip.frag_off = htons(0x4000);
	f->ip.tot_len = htons((uint16_t)(sizeof(f->ip) + sizeof(f->tcp) + len));
	inet_pton(AF_INET, up ? "10.7.1.2" : "10.8.1.2", &f->ip.saddr);
	inet_pton(AF_INET, up ? "10.8.1.2" : "10.7.1.2", &f->ip.daddr);
	f->ip.check = htons((uint16_t)~fold(add(&f->ip, sizeof(f->ip), 0)));
	f->tcp.source = htons(9);
	f->tcp.dest = htons(9);
	f->tcp.seq = htonl(seq);
	f->tcp.doff = 5;
	f->tcp.ack = 1;
	f->tcp.window = htons(65535);
	sum = add(&f->ip.saddr, 8, 6);
	sum = add((char *)&tcp_len, 4, sum);
	f->tcp.check = htons(fold(sum));
	f->v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->v.csum_start = sizeof(f->ip);
	f->v.csum_offset = 16;
	f->v.hdr_len = sizeof(f->ip) + sizeof(f->tcp);
	if (len > 1460) {
		f->v.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		f->v.gso_size = 1460;
	}
}

static void pair_open(int sv[2])
{
	int n = SNDBUF;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0) {
		die("socketpair");
	}
	for (int i = 0; i < 2; i++) {
		setsockopt(sv[i], SOL_SOCKET, SO_SNDBUFFORCE, &n, sizeof(n));
	}
}

/* frames carry the sender's running octet count as sequence number: the
 * kernel may cut and join them, the count stays right */
static uint32_t frame_end(const struct frame *f, ssize_t n)
{
	return ntohl(f->tcp.seq) + (uint32_t)(n - (ssize_t)sizeof(*f));
}

static void sender(int tun, int app)
{
	uint32_t sent = 0, acked = 0;

	for (;;) {
		struct pollfd p[2] = { { .fd = tun, .events = POLLIN },
				       { .fd = app, .events = POLLIN } };

		if (sent - acked > WINDOW * (uint32_t)PAYLOAD) {
			p[1].fd = -1;
		}
		poll(p, 2, -1);
		if (p[0].revents & POLLIN) {
			struct frame *f = (struct frame *)(void *)data;
			ssize_t n = read(tun, data, sizeof(data));

			if (n >= (ssize_t)sizeof(*f) && f->ip.version == 4) {
				acked = ntohl(f->tcp.seq);
			}
		}
		if (p[1].fd >= 0 && (p[1].revents & (POLLIN | POLLHUP))) {
			struct frame f;
			ssize_t n = read(app, data, PAYLOAD);
			struct iovec v[2] = { { &f, sizeof(f) },
					      { data, (size_t)n } };

			if (n <= 0) {
				return;
			}
			frame_make(&f, 1, sent, (uint32_t)n);
			if (writev(tun, v, 2) < 0) {
				die("tun");
			}
			sent += (uint32_t)n;
		}
	}
}

static void receiver(int tun, int app)
{
	for (;;) {
		struct frame *f = (struct frame *)(void *)data, ack;
		ssize_t n = read(tun, data, sizeof(data));

		if (n <= (ssize_t)sizeof(*f) || f->ip.version != 4) {
			continue;
		}
		if (write(app, data + sizeof(*f), (size_t)n - sizeof(*f)) < 0) {
			return;
		}
		frame_make(&ack, 0, frame_end(f, n), 0);
		if (write(tun, &ack, sizeof(ack)) < 0) {
			die("tun");
		}
	}
}

static void source(int fd, double seconds)
{
	static char chunk[256 * 1024];
	double end = now() + seconds;

	while (now() < end) {
		if (write(fd, chunk, sizeof(chunk)) < 0) {
			die("source");
		}
	}
}

static void sink(int fd)
{
	static char chunk[256 * 1024];
	double start = 0, last = 0;
	uint64_t total = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	/* the end is silence: there is no FIN in this protocol */
	while (poll(&p, 1, start > 0 ? 700 : 15000) > 0) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n <= 0) {
			break;
		}
		if (!(start > 0)) {
			start = now();
		}
		total += (uint64_t)n;
		last = now();
	}
	printf("{\"bytes\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)total, last - start);
}

int main(int argc, char **argv)
{
	uint32_t seconds = 0;
	int sv[2], tun;
	pid_t pid;

	if (argc == 4 && strcmp(argv[1], "send") == 0) {
		seconds = number(argv[3], "SECONDS", 1, 3600);
	} else if (argc != 3 || strcmp(argv[1], "recv") != 0) {
		fprintf(stderr, "usage: pipe send TUN SECONDS | pipe recv TUN\n");
		return 2;
	}
	tun = tun_open(argv[2]);
	pair_open(sv);
	pid = fork();
	if (pid == 0) {
		close(sv[0]);
		if (seconds) {
			sender(tun, sv[1]);
		} else {
			receiver(tun, sv[1]);
		}
		_exit(0);
	}
	close(sv[1]);
	if (seconds) {
		sleep(1);
		source(sv[0], seconds);
		sleep(1);
	} else {
		sink(sv[0]);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
