#include "stack/base/check.h"
#include "stack/ip/ip_state.h"

/* the least MTU that every host must take: RFC 791 3.2, RFC 8200 5 */
static uint16_t mtu_least(const struct ip_path *p)
{
	uint16_t least = 68;

	for (unsigned i = 0; i < p->n_addr; i++) {
		if (p->addr[i].family == 6) {
			least = IP6_MTU_MIN;
		}
	}
	return least;
}

static bool addr_usable(const struct ip *ip, const struct addr *a,
			unsigned bits)
{
	return (a->family == 4 || a->family == 6) && !addr_is_any(a) &&
	       !addr_is_multicast(a) && !addr_is_v4mapped(a) &&
	       bits <= addr_len(a) * 8 && ip_path_of(ip, a) < 0;
}

int ip_path_add(struct ip *ip, const struct ip_path *p)
{
	struct ip_path *slot = NULL;

	for (unsigned i = 0; i < IP_PATHS_MAX && !slot; i++) {
		if (!ip->path[i].used) {
			slot = &ip->path[i];
		}
	}
	if (!slot || p->n_addr == 0 || p->n_addr > IP_PATH_ADDRS_MAX ||
	    p->mtu < mtu_least(p)) {
		return -1;
	}
	for (unsigned i = 0; i < p->n_addr; i++) {
		if (!addr_usable(ip, &p->addr[i], p->bits[i])) {
			return -1;
		}
	}
	*slot = *p;
	slot->used = true;
	slot->name[sizeof(slot->name) - 1] = '\0';
	return (int)(slot - ip->path);
}

const struct ip_path *ip_path(const struct ip *ip, unsigned path)
{
	if (path >= IP_PATHS_MAX || !ip->path[path].used) {
		return NULL;
	}
	return &ip->path[path];
}

void ip_path_set_up(struct ip *ip, unsigned path, bool up)
{
	if (ip_path(ip, path)) {
		ip->path[path].up = up;
	}
}

void ip_path_set_backup(struct ip *ip, unsigned path, bool backup)
{
	if (ip_path(ip, path)) {
		ip->path[path].backup = backup;
	}
}

int ip_path_of(const struct ip *ip, const struct addr *a)
{
	for (unsigned i = 0; i < IP_PATHS_MAX; i++) {
		const struct ip_path *p = &ip->path[i];

		for (unsigned j = 0; p->used && j < p->n_addr; j++) {
			if (addr_eq(&p->addr[j], a)) {
				return (int)i;
			}
		}
	}
	return -1;
}

bool ip_is_peer(const struct ip *ip, const struct addr *a)
{
	if (addr_is_any(a) || addr_is_multicast(a) || addr_is_loopback(a) ||
	    addr_is_v4mapped(a)) {
		return false;
	}
	for (unsigned i = 0; i < IP_PATHS_MAX; i++) {
		const struct ip_path *p = &ip->path[i];

		for (unsigned j = 0; p->used && j < p->n_addr; j++) {
			if (addr_eq(&p->addr[j], a) ||
			    addr_is_broadcast(a, &p->addr[j], p->bits[j])) {
				return false;
			}
		}
	}
	return true;
}

/* index of the address with which to reach dst, or -1: one whose on-link net
 * holds dst before any other of the family; link-local only for link-local */
static int source_index(const struct ip_path *p, const struct addr *dst,
			bool *onlink)
{
	int best = -1;

	*onlink = false;
	for (unsigned i = 0; i < p->n_addr; i++) {
		const struct addr *a = &p->addr[i];

		if (a->family != dst->family ||
		    addr_is_linklocal(a) != addr_is_linklocal(dst)) {
			continue;
		}
		if (addr_in_net(dst, a, p->bits[i])) {
			*onlink = true;
			return (int)i;
		}
		if (best < 0) {
			best = (int)i;
		}
	}
	return best;
}

const struct addr *ip_source(const struct ip *ip, unsigned path,
			     const struct addr *dst)
{
	const struct ip_path *p = ip_path(ip, path);
	bool onlink;
	int i;

	if (!p || !p->up) {
		return NULL;
	}
	i = source_index(p, dst, &onlink);
	return i < 0 ? NULL : &p->addr[i];
}

int ip_route(const struct ip *ip, const struct addr *dst)
{
	int usual = -1, spare = -1;

	for (unsigned i = 0; i < IP_PATHS_MAX; i++) {
		const struct ip_path *p = ip_path(ip, i);
		bool onlink;

		if (!p || !p->up || source_index(p, dst, &onlink) < 0) {
			continue;
		}
		if (onlink) {
			return (int)i;
		}
		if (p->backup && spare < 0) {
			spare = (int)i;
		} else if (!p->backup && usual < 0) {
			usual = (int)i;
		}
	}
	return usual >= 0 ? usual : spare;
}
