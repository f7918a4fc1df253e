/* IPPROTO_IP and IPPROTO_IPV6, with Linux's ranges and errors */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

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

/* DF is always set and reports are always believed within RFC 5927's limits */
static int set_discover(int v)
{
	if (v < 0 || v > LX_PMTUDISC_MAX) {
		return EINVAL;
	}
	return v == LX_PMTUDISC_WANT || v == LX_PMTUDISC_DO ? 0 : ENOPROTOOPT;
}

static int set4(struct sock *sk, int name, int v)
{
	switch (name) {
	case LX_IP_TOS:
		sk->opt.tos = (uint8_t)(v & ~ECN_MASK);
		if (sk->family == 4) {
			sk->conf.tcp.tos = sk->opt.tos;
		}
		return 0;
	case LX_IP_TTL:
		if (v != -1 && (v < 1 || v > 255)) {
			return EINVAL;
		}
		sk->opt.ttl = (int16_t)v;
		if (sk->family == 4) {
			sk->conf.tcp.ttl = v < 0 ? 0 : (uint8_t)v;
		}
		return 0;
	case LX_IP_MTU_DISCOVER:
		return set_discover(v);
	case LX_IP_BIND_ADDRESS_NO_PORT:
		sk->opt.bind_no_port = v != 0;
		return 0;
	default:
		return ENOPROTOOPT;
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
		sk->conf.tcp.ttl = v <= 0 ? 0 : (uint8_t)v;
		return 0;
	case LX_IPV6_TCLASS:
		if (v < -1 || v > 255) {
			return EINVAL;
		}
		sk->opt.tclass = v < 0 ? 0 : (uint8_t)(v & ~ECN_MASK);
		sk->conf.tcp.tos = sk->opt.tclass;
		return 0;
	case LX_IPV6_MTU_DISCOVER:
		return set_discover(v);
	default:
		return ENOPROTOOPT;
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
	if (!err) {
		sock_apply(sk, now);
	}
	return err;
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
		*v = LX_PMTUDISC_WANT;
		return 0;
	case LX_IP_MTU:
		return mtu_of(sk, now, v);
	case LX_IP_BIND_ADDRESS_NO_PORT:
		*v = sk->opt.bind_no_port;
		return 0;
	default:
		return ENOPROTOOPT;
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
		*v = LX_PMTUDISC_WANT;
		return 0;
	case LX_IPV6_MTU:
		return mtu_of(sk, now, v);
	default:
		return ENOPROTOOPT;
	}
}

int sock_opt_ip_get(struct sock *sk, struct instant now, int level, int name,
		    void *val, uint32_t *len)
{
	int v = 0, err;
	uint8_t octet;

	if (level == LX_IPPROTO_IPV6) {
		err = sk->family == 6 ? get6(sk, now, name, &v) : EOPNOTSUPP;
		return err ? err : sock_opt_put_int(v, val, len);
	}
	if (name == LX_IP_OPTIONS) {
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
