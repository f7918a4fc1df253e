#include "stack/engine/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "stack/engine/netlink.h"
#include "stack/engine/vnet.h"
#include "stack/engine/yield.h"

#define DEVICE  "/dev/net/tun"
#define TXQLEN  1000
#define MTU_MIN 1280
#define POLL    (50 * NANOS_MS)
#define QUIET   (1500 * NANOS_MS) /* sockets in TIME-WAIT hold it for 1 s */

static bool refuse(char err[CONF_ERR_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(char err[CONF_ERR_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, CONF_ERR_MAX, fmt, ap);
	va_end(ap);
	return false;
}

/* --- opening -------------------------------------------------------------- */

static int open_device(char err[CONF_ERR_MAX])
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		return fd;
	}
	switch (errno) {
	case ENOENT:
		refuse(err, "no " DEVICE ": load the driver (modprobe tun), or "
			    "give the container that device");
		break;
	case ENXIO:
	case ENODEV:
		refuse(err, "this kernel has no TUN driver: load it "
			    "(modprobe tun)");
		break;
	case EACCES:
	case EPERM:
		refuse(err, "no permission to open " DEVICE ": run as root, or "
			    "have the administrator allow it to you");
		break;
	default:
		refuse(err, "cannot open " DEVICE ": %s", strerror(errno));
		break;
	}
	return -1;
}

/* 0 or errno */
static int attach(int fd, const char *name)
{
	static const int modes[] = { 0, IFF_MULTI_QUEUE };

	for (unsigned i = 0; i < 2; i++) {
		struct ifreq r = { 0 };

		memcpy(r.ifr_name, name, strlen(name) + 1);
		r.ifr_flags =
			(short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | modes[i]);
		if (ioctl(fd, TUNSETIFF, &r) == 0) {
			return 0;
		}
		/* a device made for several queues wants to hear so */
		if (errno != EINVAL || if_nametoindex(name) == 0) {
			return errno;
		}
	}
	return errno;
}

static void explain_attach(const char *name, int e, char err[CONF_ERR_MAX])
{
	switch (e) {
	case EPERM:
	case EACCES:
		refuse(err,
		       "no privilege for TUN device '%s': run as root "
		       "(CAP_NET_ADMIN), or have root make it for you: ip "
		       "tuntap add %s mode tun user NAME",
		       name, name);
		break;
	case EBUSY:
		refuse(err,
		       "TUN device '%s' is in use by another program: "
		       "end that, or choose another name",
		       name);
		break;
	case EINVAL:
		refuse(err,
		       "'%s' exists and is no TUN device: choose another "
		       "name",
		       name);
		break;
	default:
		refuse(err, "cannot make TUN device '%s': %s", name,
		       strerror(e));
		break;
	}
}

static struct instant now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct instant){ ts.tv_sec * NANOS_S + ts.tv_nsec };
}

/* A stack that is ending holds its device a little longer; one that only waits
 * for processes it has not heard of gives way. */
static int attach_waiting(int fd, const char *name,
			  void (*say)(void *ctx, const char *line), void *ctx)
{
	struct instant begin = now(), end = instant_add(begin, TUN_WAIT);
	struct timespec nap = { .tv_nsec = POLL };
	char line[CONF_ERR_MAX];
	bool said = false;
	int err;

	while ((err = attach(fd, name)) == EBUSY &&
	       instant_before(now(), end)) {
		yield_ask(name);
		if (!said && instant_since(now(), begin) > QUIET) {
			snprintf(line, sizeof(line),
				 "waiting for TUN device "
				 "'%s': another stack still holds it",
				 name);
			say(ctx, line);
			said = true;
		}
		nanosleep(&nap, NULL);
	}
	return err;
}

static bool set_offload(struct tun *t, char err[CONF_ERR_MAX])
{
	unsigned long want =
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int len = VNET_LEN;

	if (ioctl(t->fd, TUNSETVNETHDRSZ, &len) != 0) {
		return refuse(err,
			      "TUN device '%s' cannot take packet headers "
			      "of %d octets: %s; use a newer kernel",
			      t->name, VNET_LEN, strerror(errno));
	}
	/* what we may leave undone when writing does not depend on this; it is
	 * what the kernel may leave undone for us */
	if (ioctl(t->fd, TUNSETOFFLOAD, want) != 0) {
		ioctl(t->fd, TUNSETOFFLOAD, 0ul);
	}
	t->offload = true;
	return true;
}

/* asks about the device by name; the kind of socket does not matter */
static int ask_device(const char *name, unsigned long what, struct ifreq *r)
{
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int e = 0;

	memset(r, 0, sizeof(*r));
	memcpy(r->ifr_name, name, strlen(name) + 1);
	if (s < 0 || ioctl(s, what, r) != 0) {
		e = errno;
	}
	if (s >= 0) {
		close(s);
	}
	return e;
}

bool tun_open(struct tun *t, const struct conf_tun *c,
	      void (*say)(void *ctx, const char *line), void *ctx,
	      char err[CONF_ERR_MAX])
{
	bool existed = if_nametoindex(c->name) != 0;
	int e;

	*t = (struct tun){ .fd = -1, .mtu = c->mtu };
	memcpy(t->name, c->name, sizeof(t->name));
	t->fd = open_device(err);
	if (t->fd < 0) {
		return false;
	}
	e = attach_waiting(t->fd, t->name, say, ctx);
	if (e) {
		explain_attach(t->name, e, err);
		tun_close(t);
		return false;
	}
	t->ifindex = (int)if_nametoindex(t->name);
	/* one that was there when we came may have been another stack's and
	 * have gone meanwhile; TUNGETIFF knows who is persistent */
	if (existed) {
		struct ifreq r = { 0 };

		existed = ioctl(t->fd, TUNGETIFF, &r) == 0 &&
			  (r.ifr_flags & IFF_PERSIST) != 0;
	}
	t->made = !existed;
	if (!set_offload(t, err)) {
		tun_close(t);
		return false;
	}
	return true;
}

/* --- addresses ------------------------------------------------------------ */

struct search {
	const struct conf_tun_addr *want;
	int self;   /* our device */
	int holder; /* device that has the stack's address; 0 none */
	bool have;  /* the kernel's side is on our device already */
};

static bool look(void *ctx, int ifindex, const struct addr *local,
		 const struct addr *remote)
{
	struct search *s = ctx;

	if (addr_eq(local, &s->want->addr) ||
	    (ifindex != s->self && addr_eq(remote, &s->want->addr))) {
		s->holder = ifindex;
	}
	if (ifindex == s->self && addr_eq(local, &s->want->peer)) {
		s->have = true;
	}
	return true;
}

static bool explain_addr(const struct tun *t, const struct conf_tun_addr *a,
			 int e, char err[CONF_ERR_MAX])
{
	char text[ADDR_TEXT_MAX];

	addr_text(&a->peer, text);
	if (e == EPERM && !t->made) {
		return refuse(err,
			      "no privilege to give '%s' the address %s: "
			      "have root run: ip addr add %s dev %s",
			      t->name, text, text, t->name);
	}
	if (a->peer.family == 6 && (e == EACCES || e == EOPNOTSUPP ||
				    e == EPERM || e == EAFNOSUPPORT)) {
		return refuse(err,
			      "IPv6 is switched off on '%s' (%s): enable it "
			      "(sysctl net.ipv6.conf.all.disable_ipv6=0) or "
			      "leave %s out",
			      t->name, strerror(e), text);
	}
	return refuse(err, "cannot give '%s' the address %s: %s", t->name, text,
		      strerror(e));
}

static bool set_addr(struct tun *t, struct netlink *nl,
		     const struct conf_tun_addr *a, unsigned bit,
		     char err[CONF_ERR_MAX])
{
	struct search s = { a, t->ifindex, 0, false };
	char text[ADDR_TEXT_MAX], dev[IF_NAMESIZE] = "?";
	int e = netlink_addr_each(nl, look, &s);

	if (e) {
		return refuse(err, "cannot list the host's addresses: %s",
			      strerror(e));
	}
	if (s.holder) {
		if_indextoname((unsigned)s.holder, dev);
		return refuse(err,
			      "address %s is already in use on '%s': "
			      "choose another for the stack",
			      addr_text(&a->addr, text), dev);
	}
	if (s.have) {
		return true;
	}
	e = netlink_addr(nl, true, t->ifindex, &a->peer, &a->addr, a->bits);
	if (e == EEXIST) {
		return true;
	}
	/* an existing device may be reached by routes of the caller's own */
	if (e == EPERM && !t->made) {
		return true;
	}
	if (e) {
		return explain_addr(t, a, e, err);
	}
	t->added |= 1u << bit;
	return true;
}

static bool set_link(struct tun *t, struct netlink *nl, unsigned mtu,
		     char err[CONF_ERR_MAX])
{
	struct ifreq r;
	int e;

	if (t->made) {
		e = netlink_link_setup(nl, t->ifindex, mtu, TXQLEN);
		return e ? refuse(err, "cannot set up TUN device '%s': %s",
				  t->name, strerror(e))
			 : true;
	}
	if (ask_device(t->name, SIOCGIFFLAGS, &r) == 0 &&
	    !(r.ifr_flags & IFF_UP)) {
		e = netlink_link_up(nl, t->ifindex);
		if (e) {
			return refuse(err,
				      "TUN device '%s' is down and may not "
				      "be set up by us (%s): have root run: ip "
				      "link set %s up",
				      t->name, strerror(e), t->name);
		}
	}
	mtu = ask_device(t->name, SIOCGIFMTU, &r) == 0 ? (unsigned)r.ifr_mtu
						       : 0;
	if (mtu < MTU_MIN) {
		return refuse(err,
			      "TUN device '%s' has an MTU of %u: at least "
			      "%d is needed; have root run: ip link set %s mtu "
			      "1500",
			      t->name, mtu, MTU_MIN, t->name);
	}
	t->mtu = (uint16_t)(mtu > 65535 ? 65535 : mtu);
	return true;
}

bool tun_setup(struct tun *t, const struct conf_tun *c, char err[CONF_ERR_MAX])
{
	struct netlink nl;
	int e = netlink_open(&nl);
	bool ok;

	if (e) {
		return refuse(err, "no netlink socket: %s", strerror(e));
	}
	ok = set_link(t, &nl, c->mtu, err);
	for (unsigned i = 0; ok && i < c->n_addr; i++) {
		ok = set_addr(t, &nl, &c->addr[i], i, err);
	}
	netlink_close(&nl);
	return ok;
}

void tun_undo(struct tun *t, const struct conf_tun *c)
{
	struct netlink nl;

	if (t->made || !t->added || netlink_open(&nl) != 0) {
		return;
	}
	for (unsigned i = 0; i < c->n_addr; i++) {
		if (t->added & 1u << i) {
			netlink_addr(&nl, false, t->ifindex, &c->addr[i].peer,
				     &c->addr[i].addr, c->addr[i].bits);
		}
	}
	t->added = 0;
	netlink_close(&nl);
}

void tun_close(struct tun *t)
{
	if (t->fd >= 0) {
		close(t->fd);
		t->fd = -1;
	}
}
