/* many options on one socket before it is known who carries it: all of them are
 * kept, and are there once it is connected */
#include "t.h"

static const struct {
	int level, name, v;
} opts[] = {
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },   { SOL_SOCKET, SO_REUSEADDR, 1 },
	{ SOL_SOCKET, SO_BROADCAST, 1 },   { SOL_SOCKET, SO_PRIORITY, 2 },
	{ SOL_SOCKET, SO_RCVBUF, 90000 },  { SOL_SOCKET, SO_SNDBUF, 80000 },
	{ SOL_SOCKET, SO_RCVLOWAT, 1 },	   { SOL_SOCKET, SO_RXQ_OVFL, 1 },
	{ IPPROTO_TCP, TCP_NODELAY, 1 },   { IPPROTO_TCP, TCP_KEEPIDLE, 50 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 5 }, { IPPROTO_TCP, TCP_KEEPCNT, 4 },
	{ IPPROTO_TCP, TCP_SYNCNT, 3 },	   { IPPROTO_TCP, TCP_LINGER2, 20 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, 7777 },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, 30000 },
	{ IPPROTO_IP, IP_TTL, 60 },	   { IPPROTO_IP, IP_TOS, 0x08 },
	{ IPPROTO_IP, IP_RECVTOS, 1 },	   { IPPROTO_IP, IP_RECVTTL, 1 },
	{ IPPROTO_IP, IP_PKTINFO, 1 },	   { IPPROTO_IP, IP_MINTTL, 1 },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO },
};

#define N (sizeof(opts) / sizeof(opts[0]))

int main(void)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 1), fd = socket(AF_INET, SOCK_STREAM, 0), far;

	for (size_t i = 0; i < N; i++) {
		SHOW(setsockopt(fd, opts[i].level, opts[i].name, &opts[i].v,
				sizeof(int)));
	}
	SHOW(connect(fd, SA(&at), sizeof(at)));
	far = far_accept(l);
	for (size_t i = 0; i < N; i++) {
		int v = -1;
		socklen_t len = sizeof(v);

		SHOW(getsockopt(fd, opts[i].level, opts[i].name, &v, &len));
		say("  %d", v);
	}
	far_close(far);
	return 0;
}
