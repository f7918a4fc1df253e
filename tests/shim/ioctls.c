/* ioctl() */
#include "t.h"

#include <linux/sockios.h>
#include <net/if.h>

static void show_int(const char *what, int fd, unsigned long req)
{
	int v = -1;

	if (show(what, ioctl(fd, req, &v)) == 0) {
		say("  %d", v);
	}
}

static void all(const char *when, int fd)
{
	say("-- %s", when);
	show_int("FIONREAD", fd, FIONREAD);
	show_int("SIOCOUTQ", fd, SIOCOUTQ);
	show_int("SIOCOUTQNSD", fd, SIOCOUTQNSD);
	show_int("SIOCATMARK", fd, SIOCATMARK);
}

static void test(int fd, int far)
{
	all("idle", fd);
	far_write(far, "abcd", 4);
	settle();
	all("with data", fd);
	write(fd, "abc", 3);
	settle();
	settle();
	all("after a write", fd);
}

int main(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct ifreq r = { .ifr_name = "lo" };
	struct ifconf c = { 0 };

	all("fresh", fd);
	SHOW(ioctl(fd, SIOCGIFADDR, &r));
	SHOW(ioctl(fd, SIOCGIFFLAGS, &r));
	SHOW(ioctl(fd, SIOCGIFCONF, &c));
	SHOW(ioctl(fd, SIOCGIFINDEX, &r));
	SHOW(ioctl(fd, 0x89ef, &r));
	SHOW(ioctl(fd, TIOCGWINSZ, &r));
	SHOW(ioctl(fd, FIONBIO, &on));
	SHOW(recv(fd, &on, 1, 0));
	SHOW(ioctl(fd, SIOCOUTQ, (int *)8));
	listen(fd, 1);
	all("listening", fd);
	each_kind(test);
	return 0;
}
