/* table.c [mptcp] - what each option says in each state of a socket, as lines of
 *	STATE OPTION SET GET
 * where SET is "0", an error's name or "-" (not tried), and GET a value or an
 * error's name.  With an argument the sockets are the kernel's IPPROTO_MPTCP.
 * table.sh runs it three times and compares.
 */
#include "../t.h"

#include <linux/sockios.h>

#define O(level, name, v) { level, name, #name, 'i', v }
#define N(level, name, text, v) { level, name, text, 'i', v }

static const struct opt {
	int level, name;
	const char *text;
	char kind; /* int, linger, timeval, string, key, info */
	int v;
} opts[] = {
	O(SOL_SOCKET, SO_DEBUG, 0),
	O(SOL_SOCKET, SO_REUSEADDR, 1),
	O(SOL_SOCKET, SO_DONTROUTE, 0),
	O(SOL_SOCKET, SO_BROADCAST, 1),
	O(SOL_SOCKET, SO_SNDBUF, 50000),
	O(SOL_SOCKET, SO_RCVBUF, 60000),
	O(SOL_SOCKET, SO_KEEPALIVE, 1),
	O(SOL_SOCKET, SO_OOBINLINE, 1),
	O(SOL_SOCKET, SO_NO_CHECK, 1),
	O(SOL_SOCKET, SO_PRIORITY, 3),
	{ SOL_SOCKET, SO_LINGER, "SO_LINGER", 'l', 20 },
	O(SOL_SOCKET, SO_BSDCOMPAT, 1),
	O(SOL_SOCKET, SO_REUSEPORT, 1),
	O(SOL_SOCKET, SO_RCVLOWAT, 5),
	{ SOL_SOCKET, SO_RCVTIMEO, "SO_RCVTIMEO", 't', 7 },
	{ SOL_SOCKET, SO_SNDTIMEO, "SO_SNDTIMEO", 't', 8 },
	{ SOL_SOCKET, SO_BINDTODEVICE, "SO_BINDTODEVICE", 's', 0 },
	O(SOL_SOCKET, SO_TIMESTAMP, 0),
	O(SOL_SOCKET, SO_TIMESTAMPNS, 0),
	O(SOL_SOCKET, SO_TIMESTAMPING, 0),
	O(SOL_SOCKET, SO_MARK, 0),
	O(SOL_SOCKET, SO_RXQ_OVFL, 1),
	O(SOL_SOCKET, SO_WIFI_STATUS, 1),
	O(SOL_SOCKET, SO_PEEK_OFF, 0),
	O(SOL_SOCKET, SO_NOFCS, 1),
	O(SOL_SOCKET, SO_LOCK_FILTER, 0),
	O(SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1),
	O(SOL_SOCKET, SO_BUSY_POLL, 0),
	O(SOL_SOCKET, SO_MAX_PACING_RATE, 5000000),
	O(SOL_SOCKET, SO_INCOMING_CPU, 0),
	O(SOL_SOCKET, SO_CNX_ADVICE, 1),
	O(SOL_SOCKET, SO_ZEROCOPY, 0),
	N(SOL_SOCKET, 62, "SO_BINDTOIFINDEX", 0),
	N(SOL_SOCKET, 69, "SO_PREFER_BUSY_POLL", 0),
	N(SOL_SOCKET, 70, "SO_BUSY_POLL_BUDGET", 0),
	N(SOL_SOCKET, 72, "SO_BUF_LOCK", 3),
	N(SOL_SOCKET, 74, "SO_TXREHASH", 0),
	N(SOL_SOCKET, 75, "SO_RCVMARK", 1),
	N(SOL_SOCKET, 82, "SO_RCVPRIORITY", 1),
	O(IPPROTO_TCP, TCP_NODELAY, 1),
	O(IPPROTO_TCP, TCP_MAXSEG, 1000),
	O(IPPROTO_TCP, TCP_CORK, 1),
	O(IPPROTO_TCP, TCP_KEEPIDLE, 100),
	O(IPPROTO_TCP, TCP_KEEPINTVL, 10),
	O(IPPROTO_TCP, TCP_KEEPCNT, 3),
	O(IPPROTO_TCP, TCP_SYNCNT, 4),
	O(IPPROTO_TCP, TCP_LINGER2, 30),
	O(IPPROTO_TCP, TCP_DEFER_ACCEPT, 0),
	O(IPPROTO_TCP, TCP_WINDOW_CLAMP, 50000),
	O(IPPROTO_TCP, TCP_QUICKACK, 1),
	{ IPPROTO_TCP, TCP_CONGESTION, "TCP_CONGESTION", 's', 1 },
	O(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1),
	O(IPPROTO_TCP, TCP_THIN_DUPACK, 1),
	O(IPPROTO_TCP, TCP_USER_TIMEOUT, 9000),
	O(IPPROTO_TCP, TCP_FASTOPEN, 5),
	O(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 20000),
	O(IPPROTO_TCP, TCP_SAVE_SYN, 1),
	O(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0),
	{ IPPROTO_TCP, TCP_FASTOPEN_KEY, "TCP_FASTOPEN_KEY", 'k', 3 },
	O(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 0),
	O(IPPROTO_TCP, TCP_INQ, 0),
	O(IPPROTO_TCP, TCP_TX_DELAY, 0),
	/* whole ticks of any kernel */
	N(IPPROTO_TCP, 44, "TCP_RTO_MAX_MS", 60000),
	N(IPPROTO_TCP, 45, "TCP_RTO_MIN_US", 120000),
	N(IPPROTO_TCP, 46, "TCP_DELACK_MAX_US", 120000),
	O(IPPROTO_IP, IP_TOS, 0x10),
	O(IPPROTO_IP, IP_TTL, 33),
	O(IPPROTO_IP, IP_RECVOPTS, 1),
	O(IPPROTO_IP, IP_RETOPTS, 1),
	O(IPPROTO_IP, IP_PKTINFO, 1),
	O(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO),
	O(IPPROTO_IP, IP_RECVERR, 0),
	O(IPPROTO_IP, IP_RECVTTL, 1),
	O(IPPROTO_IP, IP_RECVTOS, 1),
	O(IPPROTO_IP, IP_FREEBIND, 1),
	O(IPPROTO_IP, IP_PASSSEC, 1),
	O(IPPROTO_IP, IP_TRANSPARENT, 0),
	O(IPPROTO_IP, IP_ORIGDSTADDR, 1),
	O(IPPROTO_IP, IP_MINTTL, 1),
	O(IPPROTO_IP, IP_CHECKSUM, 1),
	O(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1),
	O(IPPROTO_IP, IP_MULTICAST_LOOP, 0),
	O(IPPROTO_IP, IP_MULTICAST_ALL, 0),
	O(IPPROTO_IP, IP_UNICAST_IF, 0),
	N(IPPROTO_IP, 51, "IP_LOCAL_PORT_RANGE", 20000 | 30000 << 16),
	O(IPPROTO_IPV6, IPV6_V6ONLY, 1),
	O(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44),
	O(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO),
	O(IPPROTO_IPV6, IPV6_TCLASS, 0x20),
	O(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1),
	O(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1),
	O(IPPROTO_IPV6, IPV6_RECVTCLASS, 1),
	O(IPPROTO_IPV6, IPV6_RECVPATHMTU, 1),
	O(IPPROTO_IPV6, IPV6_RECVERR, 0),
	O(IPPROTO_IPV6, IPV6_DONTFRAG, 1),
	O(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0),
	O(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 1),
	O(IPPROTO_IPV6, 73 /* IPV6_MINHOPCOUNT */, 1),
	/* only to be read */
	{ SOL_SOCKET, SO_TYPE, "SO_TYPE", 'r', 0 },
	{ SOL_SOCKET, SO_ERROR, "SO_ERROR", 'r', 0 },
	{ SOL_SOCKET, SO_ACCEPTCONN, "SO_ACCEPTCONN", 'r', 0 },
	{ SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN", 'r', 0 },
	{ SOL_SOCKET, SO_PROTOCOL, "SO_PROTOCOL", 'r', 0 },
	{ SOL_SOCKET, SO_SNDLOWAT, "SO_SNDLOWAT", 'r', 0 },
	{ IPPROTO_TCP, TCP_INFO, "TCP_INFO", 'r', 0 },
	{ IPPROTO_IP, IP_MTU, "IP_MTU", 'r', 0 },
	{ IPPROTO_IP, IP_OPTIONS, "IP_OPTIONS", 'r', 0 },
};

#define N_OPT (sizeof(opts) / sizeof(opts[0]))

static int proto;

static int make(int family)
{
	int fd = socket(family, SOCK_STREAM, proto);

	must(fd >= 0, "make a socket");
	return fd;
}

static int set(int fd, const struct opt *o)
{
	const struct linger l = { 1, o->v };
	const struct timeval t = { o->v, 0 };
	const char *text = o->v ? "reno" : "";
	char key[16];

	memset(key, o->v, sizeof(key));
	switch (o->kind) {
	case 'l':
		return setsockopt(fd, o->level, o->name, &l, sizeof(l));
	case 't':
		return setsockopt(fd, o->level, o->name, &t, sizeof(t));
	case 's':
		return setsockopt(fd, o->level, o->name, text,
				  (socklen_t)strlen(text));
	case 'k':
		return setsockopt(fd, o->level, o->name, key, sizeof(key));
	default:
		return setsockopt(fd, o->level, o->name, &o->v, sizeof(o->v));
	}
}

/* the octets, up to four as a number, else their count and sum */
static void put_value(const unsigned char *p, socklen_t len)
{
	unsigned sum = 0;
	int v;

	if (len == sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		printf("%d", v);
		return;
	}
	for (socklen_t i = 0; i < len; i++) {
		sum = sum * 31 + p[i];
	}
	printf("%u:%u", len, sum);
}

static void put_get(int fd, const struct opt *o)
{
	unsigned char buf[512];
	socklen_t len = o->kind == 'i' ? sizeof(int) : sizeof(buf);

	memset(buf, 0, sizeof(buf));
	if (getsockopt(fd, o->level, o->name, buf, &len) != 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	if (o->name == TCP_INFO && o->level == IPPROTO_TCP) {
		len = 1; /* the state: the rest is measured */
	}
	put_value(buf, len);
	putchar('\n');
}

static void row(const char *state, int fd, const struct opt *o, bool write)
{
	printf("%s %s ", state, o->text);
	if (!write || o->kind == 'r') {
		printf("- ");
	} else {
		printf("%s ",
		       set(fd, o) == 0 ? "0" : strerrorname_np(errno));
	}
	put_get(fd, o);
}

static bool of_family(const struct opt *o, int family)
{
	return (o->level == IPPROTO_IPV6) == (family == AF_INET6);
}

/* a socket for each */
static void fresh(int family)
{
	for (size_t i = 0; i < N_OPT; i++) {
		int fd;

		if (of_family(&opts[i], family)) {
			fd = make(family);
			row("default", fd, &opts[i], false);
			row("fresh", fd, &opts[i], true);
			close(fd);
		}
	}
}

static void all(const char *state, int fd, bool write)
{
	for (size_t i = 0; i < N_OPT; i++) {
		if (of_family(&opts[i], AF_INET)) {
			row(state, fd, &opts[i], write);
		}
	}
}

static int open_one(int *far)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 8), fd = make(AF_INET);

	must(connect(fd, SA(&at), sizeof(at)) == 0, "connect");
	*far = far_accept(l);
	far_close(l);
	return fd;
}

static void listener(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);
	socklen_t len = sizeof(at);
	int l = make(AF_INET), far, fd;

	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 8) == 0 &&
		     getsockname(l, SA(&at), &len) == 0,
	     "listen");
	all("listening", l, true);
	far = far_connect(ntohs(at.sin_port));
	fd = accept(l, NULL, NULL);
	must(fd >= 0, "accept");
	all("inherited", fd, false);
	close(fd);
	far_close(far);
	close(l);
}

int main(int argc, char **argv)
{
	int far, fd;

	(void)argv;
	proto = argc > 1 ? 262 : 0;
	fresh(AF_INET);
	fresh(AF_INET6);
	listener();
	fd = open_one(&far);
	all("connected", fd, true);
	far_close(far);
	close(fd);
	fd = open_one(&far);
	far_reset(far);
	all("reset", fd, true);
	close(fd);
	fd = open_one(&far);
	far_shutdown(far, SHUT_WR);
	shutdown(fd, SHUT_WR);
	far_close(far);
	settle();
	settle();
	all("closed", fd, true);
	close(fd);
	return 0;
}
