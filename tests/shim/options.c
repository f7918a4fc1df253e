/* options: defaults, what can be set, ranges and lengths */
#include "t.h"

#define O(level, name) { level, name, #name }

static const struct opt {
	int level, name;
	const char *text;
} opts[] = {
	O(SOL_SOCKET, SO_TYPE),
	O(SOL_SOCKET, SO_DOMAIN),
	O(SOL_SOCKET, SO_PROTOCOL),
	O(SOL_SOCKET, SO_ACCEPTCONN),
	O(SOL_SOCKET, SO_REUSEADDR),
	O(SOL_SOCKET, SO_REUSEPORT),
	O(SOL_SOCKET, SO_KEEPALIVE),
	O(SOL_SOCKET, SO_BROADCAST),
	O(SOL_SOCKET, SO_RCVLOWAT),
	O(SOL_SOCKET, SO_SNDLOWAT),
	O(SOL_SOCKET, SO_ERROR),
	O(IPPROTO_TCP, TCP_NODELAY),
	O(IPPROTO_TCP, TCP_CORK),
	O(IPPROTO_TCP, TCP_KEEPIDLE),
	O(IPPROTO_TCP, TCP_KEEPINTVL),
	O(IPPROTO_TCP, TCP_KEEPCNT),
	O(IPPROTO_TCP, TCP_SYNCNT),
	O(IPPROTO_TCP, TCP_LINGER2),
	O(IPPROTO_TCP, TCP_DEFER_ACCEPT),
	O(IPPROTO_TCP, TCP_USER_TIMEOUT),
	O(IPPROTO_IP, IP_TOS),
	O(IPPROTO_IP, IP_TTL),
	O(SOL_SOCKET, 9999),
	O(IPPROTO_TCP, 9999),
};

#define N_OPT (sizeof(opts) / sizeof(opts[0]))

static void get(const char *when, int fd, const struct opt *o)
{
	int v = -1;
	socklen_t len = sizeof(v);

	if (getsockopt(fd, o->level, o->name, &v, &len) != 0) {
		say("%s %s: %s", when, o->text, strerrorname_np(errno));
	} else {
		say("%s %s: %d, length %u", when, o->text, v, len);
	}
}

static void set(int fd, const struct opt *o, int v)
{
	char what[80];

	snprintf(what, sizeof(what), "set %s %d", o->text, v);
	show(what, setsockopt(fd, o->level, o->name, &v, sizeof(v)));
	get("  then", fd, o);
}

static void forms(int fd)
{
	int v = 1;
	unsigned char c = 9;
	socklen_t len = 2;

	SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, 2));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, 0));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, (socklen_t)-1));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (int *)8, 4));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, 3));
	SHOW(setsockopt(fd, IPPROTO_IP, IP_TOS, &c, 1));
	SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, &len));
	say("length %u", len);
	len = (socklen_t)-1;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, &len));
	len = 4;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (int *)8, &len));
	SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, (socklen_t *)8));
	len = 0;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &len));
	len = 100;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, (char[100]){ 0 }, &len));
	say("length %u", len);
	SHOW(setsockopt(-1, SOL_SOCKET, SO_KEEPALIVE, &v, 4));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_TYPE, &v, 4));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_ERROR, &v, 4));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &v, 4));
}

static void others(int fd)
{
	struct ucred u = { 1, 2, 3 };
	struct timeval tv = { 3, 500000 };
	struct tcp_info ti = { 0 };
	char cc[16] = "";
	socklen_t len = sizeof(u);

	SHOW(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len));
	say("pid %d uid %d gid %d", u.pid, (int)u.uid, (int)u.gid);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	memset(&tv, 0, sizeof(tv));
	len = sizeof(tv);
	SHOW(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	say("%ld.%06ld", (long)tv.tv_sec, (long)tv.tv_usec);
	len = sizeof(ti);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len));
	say("state %d", ti.tcpi_state);
	len = 1;
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len));
	say("length %u", len);
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8));
	len = sizeof(cc);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, &len));
	len = 40;
	SHOW(getsockopt(fd, IPPROTO_IP, IP_OPTIONS, (char[40]){ 0 }, &len));
	say("length %u", len);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nonesuch", 8) == -1);
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nonesuch", 8) == -1);
	len = 4;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_PEERSEC, cc, &len));
	SHOW(getsockopt(fd, SOL_SOCKET, 59, cc, &len));
	SHOW(getsockopt(fd, SOL_SOCKET, 77, cc, &len));
}

static void buffers(int fd)
{
	int v, names[] = { SO_SNDBUF, SO_RCVBUF };

	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof(v);

		v = 20000;
		SHOW(setsockopt(fd, SOL_SOCKET, names[i], &v, 4));
		SHOW(getsockopt(fd, SOL_SOCKET, names[i], &v, &len));
		say("%d", v);
		v = 0;
		SHOW(setsockopt(fd, SOL_SOCKET, names[i], &v, 4));
		SHOW(getsockopt(fd, SOL_SOCKET, names[i], &v, &len));
		say("%d", v);
		v = -1;
		SHOW(setsockopt(fd, SOL_SOCKET, names[i], &v, 4));
	}
}

static void fresh(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < N_OPT; i++) {
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		get("fresh", fd, &opts[i]);
		set(fd, &opts[i], 1);
		set(fd, &opts[i], 0);
		if (opts[i].name != SO_RCVLOWAT) { /* a sysctl's limit */
			set(fd, &opts[i], -1);
		}
		set(fd, &opts[i], 40);
		set(fd, &opts[i], 70000);
	}
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	forms(fd);
	others(fd);
	buffers(fd);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(listen(fd, 5));
	get("listening", fd, &opts[3]);
	others(fd);
	close(fd);
}

static void live(int fd, int far)
{
	(void)far;
	for (size_t i = 0; i < N_OPT; i++) {
		get("live", fd, &opts[i]);
	}
	for (size_t i = 0; i < N_OPT; i++) {
		set(fd, &opts[i], 1);
	}
	others(fd);
}

int main(void)
{
	fresh();
	each_kind(live);
	return 0;
}
