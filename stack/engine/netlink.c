#include "stack/engine/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/check.h"

#define ADDR_GEN_MODE_NONE 1 /* of IFLA_INET6_ADDR_GEN_MODE */

struct request {
	struct nlmsghdr h;

	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		uint8_t room[512];
	} u;
};

#define ANSWER_MAX 16384 /* the kernel fills up to half of it in a dump */

int netlink_open(struct netlink *nl)
{
	struct timeval limit = { .tv_sec = 5 };
	int err;

	nl->seq = 1;
	nl->buf = malloc(ANSWER_MAX);
	if (!nl->buf) {
		nl->fd = -1;
		return ENOMEM;
	}
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (nl->fd < 0) {
		err = errno;
		free(nl->buf);
		nl->buf = NULL;
		return err;
	}
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0) {
		close(nl->fd);
		nl->fd = -1;
	}
	free(nl->buf);
	nl->buf = NULL;
}

static void begin(struct request *r, uint16_t type, uint16_t flags,
		  uint32_t body)
{
	memset(r, 0, sizeof(*r));
	r->h.nlmsg_len = NLMSG_LENGTH(body);
	r->h.nlmsg_type = type;
	r->h.nlmsg_flags = NLM_F_REQUEST | flags;
}

static struct rtattr *put(struct request *r, uint16_t type, const void *p,
			  uint16_t n)
{
	size_t at = NLMSG_ALIGN(r->h.nlmsg_len);
	struct rtattr *a = (void *)((char *)r + at);

	check(at + RTA_SPACE(n) <= sizeof(*r));
	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	if (n) {
		memcpy(RTA_DATA(a), p, n);
	}
	r->h.nlmsg_len = (uint32_t)(at + RTA_LENGTH(n));
	return a;
}

static void end_nest(struct request *r, struct rtattr *a)
{
	a->rta_len = (uint16_t)((char *)r + r->h.nlmsg_len - (char *)a);
}

static int send_request(struct netlink *nl, struct request *r)
{
	r->h.nlmsg_seq = ++nl->seq;
	return send(nl->fd, r, r->h.nlmsg_len, 0) < 0 ? errno : 0;
}

/* sends and waits for the acknowledgement */
static int ask(struct netlink *nl, struct request *r)
{
	struct nlmsghdr *h = nl->buf;
	int err;

	r->h.nlmsg_flags |= NLM_F_ACK;
	err = send_request(nl, r);
	while (!err) {
		ssize_t n = recv(nl->fd, nl->buf, ANSWER_MAX, 0);
		struct nlmsgerr *e = NLMSG_DATA(h);

		if (n < 0) {
			return errno;
		}
		if (NLMSG_OK(h, (size_t)n) && h->nlmsg_seq == nl->seq &&
		    h->nlmsg_type == NLMSG_ERROR) {
			return -e->error;
		}
	}
	return err;
}

int netlink_link_setup(struct netlink *nl, int ifindex, unsigned mtu,
		       unsigned txqlen)
{
	uint8_t mode = ADDR_GEN_MODE_NONE;
	struct rtattr *spec, *inet6;
	struct request r;
	int err;

	begin(&r, RTM_NEWLINK, 0, sizeof(r.u.link));
	r.u.link.ifi_index = ifindex;
	put(&r, IFLA_MTU, &mtu, sizeof(mtu));
	put(&r, IFLA_TXQLEN, &txqlen, sizeof(txqlen));
	err = ask(nl, &r);
	if (err) {
		return err;
	}
	/* without it the kernel would solicit routers on the path; a kernel
	 * without IPv6 refuses, and does not solicit either */
	begin(&r, RTM_NEWLINK, 0, sizeof(r.u.link));
	r.u.link.ifi_index = ifindex;
	spec = put(&r, IFLA_AF_SPEC, NULL, 0);
	inet6 = put(&r, AF_INET6, NULL, 0);
	put(&r, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	end_nest(&r, inet6);
	end_nest(&r, spec);
	ask(nl, &r);
	return netlink_link_up(nl, ifindex);
}

int netlink_link_up(struct netlink *nl, int ifindex)
{
	struct request r;

	begin(&r, RTM_NEWLINK, 0, sizeof(r.u.link));
	r.u.link.ifi_index = ifindex;
	r.u.link.ifi_flags = IFF_UP;
	r.u.link.ifi_change = IFF_UP;
	return ask(nl, &r);
}

int netlink_addr(struct netlink *nl, bool add, int ifindex,
		 const struct addr *local, const struct addr *remote,
		 unsigned bits)
{
	struct request r;

	begin(&r, add ? RTM_NEWADDR : RTM_DELADDR,
	      add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(r.u.addr));
	r.u.addr.ifa_family = local->family == 6 ? AF_INET6 : AF_INET;
	r.u.addr.ifa_prefixlen = (uint8_t)bits;
	r.u.addr.ifa_flags = local->family == 6 ? IFA_F_NODAD : 0;
	r.u.addr.ifa_index = (unsigned)ifindex;
	put(&r, IFA_LOCAL, local->b, (uint16_t)addr_len(local));
	put(&r, IFA_ADDRESS, remote->b, (uint16_t)addr_len(remote));
	return ask(nl, &r);
}

static struct addr attr_addr(uint8_t family, struct rtattr *a)
{
	struct addr none = { 0 };
	size_t want = family == AF_INET6 ? 16 : 4;

	if (!a || RTA_PAYLOAD(a) != want) {
		return none;
	}
	return addr_from(family == AF_INET6 ? 6 : 4, RTA_DATA(a));
}

/* IPv6 without another end has IFA_ADDRESS only; IPv4 has both alike */
static bool one_addr(struct nlmsghdr *h,
		     bool (*fn)(void *ctx, int ifindex,
				const struct addr *local,
				const struct addr *remote),
		     void *ctx)
{
	struct ifaddrmsg *m = NLMSG_DATA(h);
	struct rtattr *local = NULL, *address = NULL, *a;
	struct addr mine, other = { 0 };
	size_t left;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)) {
		return true;
	}
	left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	for (a = IFA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		local = a->rta_type == IFA_LOCAL ? a : local;
		address = a->rta_type == IFA_ADDRESS ? a : address;
	}
	mine = attr_addr(m->ifa_family, local ? local : address);
	if (local && address) {
		other = attr_addr(m->ifa_family, address);
	}
	if (addr_eq(&mine, &other)) {
		other.family = 0;
	}
	return mine.family == 0 || fn(ctx, (int)m->ifa_index, &mine, &other);
}

int netlink_addr_each(struct netlink *nl,
		      bool (*fn)(void *ctx, int ifindex,
				 const struct addr *local,
				 const struct addr *remote),
		      void *ctx)
{
	struct request r;
	bool more = true;
	int err;

	begin(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.u.addr));
	err = send_request(nl, &r);
	while (!err) {
		ssize_t got = recv(nl->fd, nl->buf, ANSWER_MAX, 0);
		struct nlmsghdr *h = nl->buf;
		size_t n = got > 0 ? (size_t)got : 0;

		if (got < 0) {
			return errno;
		}
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_seq != nl->seq) {
				continue;
			}
			if (h->nlmsg_type == NLMSG_DONE) {
				return 0;
			}
			if (h->nlmsg_type == NLMSG_ERROR) {
				return -((struct nlmsgerr *)NLMSG_DATA(h))
						->error;
			}
			/* the dump is read to its end even so */
			more = more && one_addr(h, fn, ctx);
		}
	}
	return err;
}
