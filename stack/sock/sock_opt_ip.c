/* IPPROTO_IP and IPPROTO_IPV6, with Linux's ranges and errors */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

#define PREFER_USUAL  0x500 /* IPV6_ADDR_PREFERENCES */
#define IP6_MTU_LEAST 1280

#define ECN_MASK 3 /* the transport's own bits of TOS: RFC 3168 */

static int mtu_of(const struct sock *sk, struct instant now, int *v)
{
	const struct tuple *t;
	int path;

	if (sk->state != SOCK_OPEN) {
		return ENOTCONN;
	}
	t = mp_tuple(sk->conn);
	path = ip_path_of(sk->s->ip, &t->local.addr);
	*v = path < 0 ? 0
		      : ip_mtu(sk->s->ip, (unsigned)path, &t->remote.addr, now);
	return 0;
}

static int set_discover(struct sock *sk, int v)
{
	if (v < 0 || v > LX_PMTUDISC_OMIT) {
		return EINVAL;
	}
	sk->opt.pmtudisc = (uint8_t)v;
	sk->conf->tcp.may_fragment =
		v == LX_PMTUDISC_DONT || v == LX_PMTUDISC_OMIT;
	sk->conf->tcp.ignore_pmtu = v > LX_PMTUDISC_DO;
	return 0;
}

static int set_min_ttl(struct sock *sk, int v)
{
	if (v < 0 || v > 255) {
		return EINVAL;
	}
	sk->conf->tcp.min_ttl = (uint8_t)v;
	return 0;
}

/* low and high 16 bits; 0: the usual bound */
static int set_port_range(struct sock *sk, int v)
{
	uint16_t lo = (uint16_t)((uint32_t)v & 0xffff);
	uint16_t hi = (uint16_t)((uint32_t)v >> 16);

	if (lo && hi && lo > hi) {
		return EINVAL;
	}
	sk->opt.port_lo = lo;
	sk->opt.port_hi = hi;
	return 0;
}

static int kept_set(struct sock *sk, int level, int name, int v)
{
	return sock_kept_set(&sk->kept, sk->s->env.mem, level, name, v);
}

/* RFC 5014: which of several source addresses; a path has one of each kind,
 * so whatever is preferred is what there is */
static int set_preferences(struct sock *sk, int v)
{
	static const int groups[3][3] = { /* of each at most one */
					  { 0x2, 0x1, 0x100 },
					  { 0x4, 0x400, 0 },
					  { 0x8, 0x800, 0 } };
	int now = sk->opt.prefer ? sk->opt.prefer : PREFER_USUAL;

	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
		const int *g = groups[i];
		int all = g[0] | g[1] | g[2], pick = v & all;

		if (pick & (pick - 1)) {
			return EINVAL;
		}
		/* the last is checked and not kept, as on Linux */
		if (pick && i < 2) {
			now = (now & ~all) | pick;
		}
	}
	sk->opt.prefer = (uint16_t)now;
	return 0;
}

static int set4(struct sock *sk, int name, int v)
{
	switch (name) {
	case LX_IP_TOS:
		sk->opt.tos = (uint8_t)(v & ~ECN_MASK);
		if (sk->family == 4) {
			sk->conf->tcp.tos = sk->opt.tos;
		}
		return 0;
	case LX_IP_TTL:
		if (v != -1 && (v < 1 || v > 255)) {
			return EINVAL;
		}
		sk->opt.ttl = (int16_t)v;
		if (sk->family == 4) {
			sk->conf->tcp.ttl = v < 0 ? 0 : (uint8_t)v;
		}
		return 0;
	case LX_IP_MTU_DISCOVER:
		return set_discover(sk, v);
	case LX_IP_MINTTL:
		return set_min_ttl(sk, v);
	case LX_IP_FREEBIND:
		sk->opt.freebind = v != 0;
		return 0;
	case LX_IP_LOCAL_PORT_RANGE:
		return set_port_range(sk, v);
	case LX_IP_BIND_ADDRESS_NO_PORT:
		sk->opt.bind_no_port = v != 0;
		return 0;
	default:
		return kept_set(sk, LX_IPPROTO_IP, name, v);
	}
}

static int set6(struct sock *sk, int name, int v)
{
	switch (name) {
	case LX_IPV6_V6ONLY:
		if (sk->bound || sk->state != SOCK_IDLE) {
			return EINVAL;
		}
		sk->opt.v6only = v != 0;
		return 0;
	case LX_IPV6_UNICAST_HOPS:
		if (v < -1 || v > 255) {
			return EINVAL;
		}
		sk->opt.hops = (int16_t)v;
		sk->conf->tcp.ttl = v <= 0 ? 0 : (uint8_t)v;
		return 0;
	case LX_IPV6_TCLASS:
		if (v < -1 || v > 255) {
			return EINVAL;
		}
		sk->opt.tclass = v < 0 ? 0 : (uint8_t)(v & ~ECN_MASK);
		sk->conf->tcp.tos = sk->opt.tclass;
		return 0;
	case LX_IPV6_MTU_DISCOVER:
		return set_discover(sk, v);
	case LX_IPV6_MINHOPCOUNT:
		return set_min_ttl(sk, v);
	case LX_IPV6_FREEBIND: /* one for both, as on Linux */
		sk->opt.freebind = v != 0;
		return 0;
	case LX_IPV6_AUTOFLOWLABEL:
		sk->conf->tcp.no_label = v == 0;
		return 0;
	case LX_IPV6_ADDR_PREFERENCES:
		return set_preferences(sk, v);
	case LX_IPV6_MTU: /* of fragments: TCP makes none */
		return v && v < IP6_MTU_LEAST ? EINVAL : 0;
	case LX_IPV6_2292PKTOPTIONS:
		return 0; /* none are sent, as Linux does on a stream */
	case LX_IPV6_ADDRFORM: /* to another family: not of a live one */
		return v == LX_AF_INET && sk->state != SOCK_OPEN ? ENOTCONN
								 : EINVAL;
	case LX_IPV6_HOPOPTS:
	case LX_IPV6_RTHDRDSTOPTS:
	case LX_IPV6_RTHDR:
	case LX_IPV6_DSTOPTS:
		return EINVAL;
	default:
		return kept_set(sk, LX_IPPROTO_IPV6, name, v);
	}
}

int sock_opt_ip_set(struct sock *sk, struct instant now, int level, int name,
		    const void *val, uint32_t len)
{
	int v = 0, err;

	if (level == LX_IPPROTO_IPV6) {
		err = sk->family == 6 ? sock_opt_int(val, len, &v)
				      : ENOPROTOOPT;
		err = err ? err : set6(sk, name, v);
	} else {
		if (name == LX_IP_OPTIONS) {
			return len == 0 ? 0 : ENOPROTOOPT;
		}
		/* this level alone takes a single octet, too */
		if (len >= sizeof(v)) {
			memcpy(&v, val, sizeof(v));
		} else if (len >= 1) {
			v = *(const uint8_t *)val;
		}
		err = set4(sk, name, v);
	}
	return err ? err : sock_apply(sk, now);
}

static int get4(struct sock *sk, struct instant now, int name, int *v)
{
	switch (name) {
	case LX_IP_TOS:
		*v = sk->opt.tos;
		return 0;
	case LX_IP_TTL:
		*v = sk->opt.ttl < 0 ? 64 : sk->opt.ttl;
		return 0;
	case LX_IP_MTU_DISCOVER:
		*v = sk->opt.pmtudisc;
		return 0;
	case LX_IP_MINTTL:
		*v = sk->conf->tcp.min_ttl;
		return 0;
	case LX_IP_FREEBIND:
		*v = sk->opt.freebind;
		return 0;
	case LX_IP_LOCAL_PORT_RANGE:
		*v = (int)(sk->opt.port_lo | (uint32_t)sk->opt.port_hi << 16);
		return 0;
	case LX_IP_MTU:
		return mtu_of(sk, now, v);
	case LX_IP_BIND_ADDRESS_NO_PORT:
		*v = sk->opt.bind_no_port;
		return 0;
	default:
		return sock_kept_get(sk->kept, LX_IPPROTO_IP, name, v);
	}
}

static int get6(struct sock *sk, struct instant now, int name, int *v)
{
	switch (name) {
	case LX_IPV6_V6ONLY:
		*v = sk->opt.v6only;
		return 0;
	case LX_IPV6_UNICAST_HOPS:
		*v = sk->opt.hops < 0 ? 64 : sk->opt.hops;
		return 0;
	case LX_IPV6_TCLASS:
		*v = sk->opt.tclass;
		return 0;
	case LX_IPV6_MTU_DISCOVER:
		*v = sk->opt.pmtudisc;
		return 0;
	case LX_IPV6_MINHOPCOUNT:
		*v = sk->conf->tcp.min_ttl;
		return 0;
	case LX_IPV6_FREEBIND:
		*v = sk->opt.freebind;
		return 0;
	case LX_IPV6_AUTOFLOWLABEL:
		*v = !sk->conf->tcp.no_label;
		return 0;
	case LX_IPV6_ADDR_PREFERENCES:
		*v = sk->opt.prefer ? sk->opt.prefer : PREFER_USUAL;
		return 0;
	case LX_IPV6_ADDRFORM:
		*v = LX_AF_INET6;
		return sk->state == SOCK_OPEN ? 0 : ENOTCONN;
	case LX_IPV6_MTU:
		return mtu_of(sk, now, v);
	default:
		return sock_kept_get(sk->kept, LX_IPPROTO_IPV6, name, v);
	}
}

/* header options and the like: there are none */
static bool is_empty6(int name)
{
	return name == LX_IPV6_2292PKTOPTIONS || name == LX_IPV6_HOPOPTS ||
	       name == LX_IPV6_RTHDRDSTOPTS || name == LX_IPV6_RTHDR ||
	       name == LX_IPV6_DSTOPTS;
}

int sock_opt_ip_get(struct sock *sk, struct instant now, int level, int name,
		    void *val, uint32_t *len)
{
	int v = 0, err;
	uint8_t octet;

	if (level == LX_IPPROTO_IPV6) {
		if (sk->family == 6 && is_empty6(name)) {
			*len = 0;
			return 0;
		}
		err = sk->family == 6 ? get6(sk, now, name, &v) : EOPNOTSUPP;
		return err ? err : sock_opt_put_int(v, val, len);
	}
	if (name == LX_IP_OPTIONS || name == LX_IP_PKTOPTIONS) {
		*len = 0; /* none received: sshd drops clients that had some */
		return 0;
	}
	err = get4(sk, now, name, &v);
	if (err) {
		return err;
	}
	if (*len < sizeof(v) && *len > 0 && v >= 0 && v <= 255) {
		octet = (uint8_t)v;
		return sock_opt_put(&octet, 1, val, len);
	}
	return sock_opt_put_int(v, val, len);
}
