#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

/* Linux doubles what is asked for, to cover its bookkeeping, and has floors;
 * programs compare with that.  The buffer itself is what was asked for. */
#define SNDBUF_LEAST 4608
#define RCVBUF_LEAST 2304
#define BUF_MOST     (64 << 20)

static int32_t doubled(int val, int32_t least)
{
	int32_t v = val < 0 || val > BUF_MOST ? BUF_MOST : val;

	return v * 2 < least ? least : v * 2;
}

static int set_linger(struct sock *sk, const void *val, uint32_t len)
{
	struct lx_linger l;

	if (len < sizeof(l)) {
		return EINVAL;
	}
	memcpy(&l, val, sizeof(l));
	sk->opt.linger_on = l.onoff != 0;
	if (l.onoff) {
		sk->opt.linger_s = l.linger;
	}
	return 0;
}

int sock_opt_socket_set(struct sock *sk, struct instant now, int name,
			const void *val, uint32_t len)
{
	int v, err = sock_opt_int(val, len, &v);

	if (err) {
		return err;
	}
	switch (name) {
	case LX_SO_REUSEADDR:
		sk->opt.reuseaddr = v != 0;
		return 0;
	case LX_SO_REUSEPORT:
		sk->opt.reuseport = v != 0;
		return 0;
	case LX_SO_BROADCAST: /* without meaning for a stream, as on Linux */
		sk->opt.broadcast = v != 0;
		return 0;
	case LX_SO_KEEPALIVE:
		sk->conf.tcp.keepalive = v != 0;
		break;
	case LX_SO_SNDBUF:
		sk->opt.sndbuf = doubled(v, SNDBUF_LEAST);
		sk->conf.sndbuf = (uint32_t)sk->opt.sndbuf / 2;
		break;
	case LX_SO_RCVBUF:
		sk->opt.rcvbuf = doubled(v, RCVBUF_LEAST);
		sk->conf.rcvbuf = (uint32_t)sk->opt.rcvbuf / 2;
		break;
	case LX_SO_RCVLOWAT:
		sk->conf.rcvlowat = v < 0 ? INT32_MAX : v ? (uint32_t)v : 1;
		break;
	case LX_SO_OOBINLINE:
		/* urgent octets always stay in line: off cannot be honoured */
		return v ? 0 : ENOPROTOOPT;
	case LX_SO_LINGER:
		return set_linger(sk, val, len);
	case LX_SO_TYPE:
	case LX_SO_PROTOCOL:
	case LX_SO_DOMAIN:
	case LX_SO_ERROR:
	case LX_SO_ACCEPTCONN:
	case LX_SO_SNDLOWAT:
	default:
		return ENOPROTOOPT;
	}
	sock_apply(sk, now);
	return 0;
}

int sock_opt_socket_get(struct sock *sk, int name, void *val, uint32_t *len)
{
	struct lx_linger l = { sk->opt.linger_on, sk->opt.linger_s };
	int v;

	switch (name) {
	case LX_SO_REUSEADDR:
		v = sk->opt.reuseaddr;
		break;
	case LX_SO_REUSEPORT:
		v = sk->opt.reuseport;
		break;
	case LX_SO_BROADCAST:
		v = sk->opt.broadcast;
		break;
	case LX_SO_KEEPALIVE:
		v = sk->conf.tcp.keepalive;
		break;
	case LX_SO_SNDBUF:
		v = sk->opt.sndbuf;
		break;
	case LX_SO_RCVBUF:
		v = sk->opt.rcvbuf;
		break;
	case LX_SO_RCVLOWAT:
		v = (int)sk->conf.rcvlowat;
		break;
	case LX_SO_SNDLOWAT:
	case LX_SO_OOBINLINE:
	case LX_SO_TYPE: /* SOCK_STREAM is 1 */
		v = 1;
		break;
	case LX_SO_PROTOCOL:
		v = LX_IPPROTO_TCP;
		break;
	case LX_SO_DOMAIN:
		v = sk->family == 6 ? LX_AF_INET6 : LX_AF_INET;
		break;
	case LX_SO_ERROR:
		v = sock_error(sk);
		break;
	case LX_SO_ACCEPTCONN:
		v = sk->state == SOCK_LISTENING;
		break;
	case LX_SO_LINGER:
		return sock_opt_put(&l, sizeof(l), val, len);
	default:
		return ENOPROTOOPT;
	}
	return sock_opt_put_int(v, val, len);
}
