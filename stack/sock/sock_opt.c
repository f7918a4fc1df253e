#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

int sock_opt_int(const void *val, uint32_t len, int *out)
{
	if (len < sizeof(*out)) {
		return EINVAL;
	}
	memcpy(out, val, sizeof(*out));
	return 0;
}

int sock_opt_put(const void *p, uint32_t n, void *val, uint32_t *len)
{
	*len = min_u32(*len, n);
	memcpy(val, p, *len);
	return 0;
}

int sock_opt_put_int(int v, void *val, uint32_t *len)
{
	return sock_opt_put(&v, sizeof(v), val, len);
}

static int set(struct sock *sk, struct instant now, int level, int name,
	       const void *val, uint32_t len)
{
	switch (level) {
	case LX_SOL_SOCKET:
		return sock_opt_socket_set(sk, now, name, val, len);
	case LX_IPPROTO_TCP:
		return sock_opt_tcp_set(sk, now, name, val, len);
	case LX_IPPROTO_IP:
	case LX_IPPROTO_IPV6:
		return sock_opt_ip_set(sk, now, level, name, val, len);
	case LX_SOL_MPTCP:
		return sock_opt_mptcp_set(sk, now, name, val, len);
	default:
		return ENOPROTOOPT;
	}
}

int sock_setopt(struct sock *sk, struct instant now, int level, int name,
		const void *val, uint32_t len)
{
	int err;

	if (!sock_conf_own(sk)) {
		return ENOBUFS;
	}
	err = set(sk, now, level, name, val, len);
	sock_conf_done(sk);
	return err;
}

int sock_getopt(struct sock *sk, struct instant now, int level, int name,
		void *val, uint32_t *len)
{
	if (*len > INT32_MAX) {
		return EINVAL;
	}
	switch (level) {
	case LX_SOL_SOCKET:
		return sock_opt_socket_get(sk, name, val, len);
	case LX_IPPROTO_TCP:
		return sock_opt_tcp_get(sk, now, name, val, len);
	case LX_IPPROTO_IP:
	case LX_IPPROTO_IPV6:
		return sock_opt_ip_get(sk, now, level, name, val, len);
	case LX_SOL_MPTCP:
		return sock_opt_mptcp_get(sk, name, val, len);
	default:
		/* Linux: ip_getsockopt() and ipv6_getsockopt() differ */
		return sk->family == 4 ? EOPNOTSUPP : ENOPROTOOPT;
	}
}
