/* netlink.h - the few rtnetlink requests that a TUN device needs
 *
 * Synchronous: each call sends one request and reads its answer.  Results are
 * 0 or a positive errno.
 */
#ifndef ENGINE_NETLINK_H
#define ENGINE_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct nlmsghdr;

struct netlink {
	int fd;
	uint32_t seq;
	struct nlmsghdr *buf; /* one answer */
};

int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* MTU, queue length, no IPv6 link-local address of its own; then up */
int netlink_link_setup(struct netlink *nl, int ifindex, unsigned mtu,
		       unsigned txqlen);
int netlink_link_up(struct netlink *nl, int ifindex);
/* The kernel's own address on the link and the other end with its net's
 * length, as `ip addr add LOCAL peer REMOTE/BITS`; add false: removes it. */
int netlink_addr(struct netlink *nl, bool add, int ifindex,
		 const struct addr *local, const struct addr *remote,
		 unsigned bits);
/* fn for every address of the host; remote.family 0: no other end.  Stops
 * when fn returns false. */
int netlink_addr_each(struct netlink *nl,
		      bool (*fn)(void *ctx, int ifindex,
				 const struct addr *local,
				 const struct addr *remote),
		      void *ctx);

#endif
