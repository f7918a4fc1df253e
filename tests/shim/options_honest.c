/* options that may be refused, but not accepted without effect */
#include "t.h"

#define O(level, name) { level, name, #name }

static const struct opt {
	int level, name;
	const char *text;
} opts[] = {
	O(SOL_SOCKET, SO_OOBINLINE),
	O(SOL_SOCKET, SO_DONTROUTE),
	O(SOL_SOCKET, SO_PRIORITY),
	O(SOL_SOCKET, SO_TIMESTAMP),
	O(SOL_SOCKET, SO_MARK),
	O(SOL_SOCKET, SO_INCOMING_CPU),
	O(SOL_SOCKET, SO_MAX_PACING_RATE),
	O(SOL_SOCKET, SO_ZEROCOPY),
	O(SOL_SOCKET, SO_PASSCRED),
	O(IPPROTO_TCP, TCP_ULP),
	O(IPPROTO_TCP, TCP_MAXSEG),
	O(IPPROTO_TCP, TCP_WINDOW_CLAMP),
	O(IPPROTO_TCP, TCP_FASTOPEN),
	O(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
	O(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
	O(IPPROTO_TCP, TCP_SAVE_SYN),
	O(IPPROTO_TCP, TCP_REPAIR),
	O(IPPROTO_IP, IP_MTU_DISCOVER),
	O(IPPROTO_IP, IP_RECVTOS),
	O(IPPROTO_IP, IP_FREEBIND),
	O(IPPROTO_IP, IP_TRANSPARENT),
	O(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
};

static bool holds(int fd, const struct opt *o, int v)
{
	int got = -1;
	socklen_t len = sizeof(got);

	if (setsockopt(fd, o->level, o->name, &v, sizeof(v)) != 0) {
		return true;
	}
	return getsockopt(fd, o->level, o->name, &got, &len) == 0 &&
	       (got != 0) == (v != 0);
}

static void test(int fd)
{
	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		const struct opt *o = &opts[i];

		/* MSS has a floor, MTU discovery three values */
		if (o->name == TCP_MAXSEG && o->level == IPPROTO_TCP) {
			say("%s %d", o->text, holds(fd, o, 1000));
		} else {
			say("%s %d %d", o->text, holds(fd, o, 1),
			    holds(fd, o, 0));
		}
	}
}

int main(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	test(fd);
	return 0;
}
