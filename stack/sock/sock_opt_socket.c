#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/ip/ip.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_opt_kept.h"
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

/* 32 bits, or 64 when there are that many; all ones is no limit */
static int set_pacing(struct sock *sk, const void *val, uint32_t len)
{
	uint64_t rate;
	uint32_t less;

	if (len >= sizeof(rate)) {
		memcpy(&rate, val, sizeof(rate));
	} else {
		memcpy(&less, val, sizeof(less));
		rate = less == UINT32_MAX ? UINT64_MAX : less;
	}
	/* 0 stops a sender on Linux; the least that moves is 1 */
	sk->opt.pacing_zero = rate == 0;
	sk->conf->tcp.max_pacing_rate = rate == UINT64_MAX ? 0
							   : max_u64(rate, 1);
	return 0;
}

static int get_pacing(const struct sock *sk, void *val, uint32_t *len)
{
	uint64_t rate = sk->conf->tcp.max_pacing_rate;

	rate = sk->opt.pacing_zero ? 0 : rate ? rate : UINT64_MAX;
	if (*len >= sizeof(rate)) {
		return sock_opt_put(&rate, sizeof(rate), val, len);
	}
	return sock_opt_put_int((int)(uint32_t)min_u64(rate, UINT32_MAX), val,
				len);
}

/* A device is a path: connections begin there and stay there.  Others cannot be
 * had, and say so as one that does not exist. */
static int set_device(struct sock *sk, const void *val, uint32_t len)
{
	char name[LX_IFNAMSIZ] = { 0 };

	memcpy(name, val, min_u32(len, sizeof(name) - 1));
	for (unsigned i = 0; name[0] && i < IP_PATHS_MAX; i++) {
		const struct ip_path *p = ip_path(sk->s->ip, i);

		if (p && strcmp(p->name, name) == 0) {
			if (sk->state != SOCK_IDLE &&
			    sk->state != SOCK_LISTENING) {
				return EINVAL; /* it has a path */
			}
			sk->opt.device = (uint8_t)(i + 1);
			sk->conf->only_path = sk->opt.device;
			return 0;
		}
	}
	if (!name[0]) {
		sk->opt.device = sk->conf->only_path = 0;
	}
	return name[0] ? ENODEV : 0;
}

static int get_device(const struct sock *sk, void *val, uint32_t *len)
{
	const struct ip_path *p = sk->opt.device
		? ip_path(sk->s->ip, sk->opt.device - 1u) : NULL;
	uint32_t n = p ? (uint32_t)strlen(p->name) + 1 : 0;

	if (n && *len < LX_IFNAMSIZ) {
		return EINVAL;
	}
	return sock_opt_put(p ? p->name : "", n, val, len);
}

static void set_sndbuf(struct sock *sk, int v)
{
	sk->opt.sndbuf = doubled(v, SNDBUF_LEAST);
	sk->opt.buf_lock |= LX_SNDBUF_LOCK;
	sk->conf->sndbuf = (uint32_t)sk->opt.sndbuf / 2;
}

static void set_rcvbuf(struct sock *sk, int v)
{
	sk->opt.rcvbuf = doubled(v, RCVBUF_LEAST);
	sk->opt.buf_lock |= LX_RCVBUF_LOCK;
	sk->conf->rcvbuf = (uint32_t)sk->opt.rcvbuf / 2;
}

/* what was chosen; else what it has grown to, shown doubled as well */
static int get_buf(const struct sock *sk, int name)
{
	bool snd = name == LX_SO_SNDBUF;
	const struct sock_opts *o = &sk->opt;
	struct mp_info m;

	if (o->buf_lock & (snd ? LX_SNDBUF_LOCK : LX_RCVBUF_LOCK)) {
		return snd ? o->sndbuf : o->rcvbuf;
	}
	if (sock_info(sk, &m)) {
		return (int)(2 * (snd ? m.sndbuf : m.rcvbuf));
	}
	return snd ? o->sndbuf : o->rcvbuf;
}

/* Linux: at most half of the buffer, which has to hold it */
static void set_rcvlowat(struct sock *sk, int v)
{
	uint32_t want = v < 0 ? INT32_MAX : v ? (uint32_t)v : 1;

	sk->conf->rcvlowat = min_u32(want, max_u32(sk->conf->rcvbuf, 2) / 2);
}

static int set_other(struct sock *sk, int name, int v)
{
	if (name == LX_SO_TXREHASH) {
		if (v < -1 || v > 1) {
			return EINVAL;
		}
		sk->conf->tcp.no_rehash = v == 0;
		return 0;
	}
	if (name == LX_SO_BUF_LOCK) {
		if (v & ~(LX_SNDBUF_LOCK | LX_RCVBUF_LOCK)) {
			return EINVAL;
		}
		sk->opt.buf_lock = (uint8_t)v;
		return 0;
	}
	return sock_kept_set(&sk->kept, sk->s->env.mem, LX_SOL_SOCKET, name, v);
}

int sock_opt_socket_set(struct sock *sk, struct instant now, int name,
			const void *val, uint32_t len)
{
	int v, err;

	if (name == LX_SO_BINDTODEVICE) {
		return set_device(sk, val, len);
	}
	err = sock_opt_int(val, len, &v);
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
	case LX_SO_DONTROUTE:
		sk->opt.dontroute = v != 0;
		return 0;
	case LX_SO_KEEPALIVE:
		sk->conf->tcp.keepalive = v != 0;
		break;
	case LX_SO_SNDBUF:
	case LX_SO_SNDBUFFORCE:
		set_sndbuf(sk, v);
		break;
	case LX_SO_RCVBUF:
	case LX_SO_RCVBUFFORCE:
		set_rcvbuf(sk, v);
		break;
	case LX_SO_RCVLOWAT:
		set_rcvlowat(sk, v);
		break;
	case LX_SO_MAX_PACING_RATE:
		set_pacing(sk, val, len);
		break;
	case LX_SO_LINGER:
		return set_linger(sk, val, len);
	case LX_SO_TYPE:
	case LX_SO_PROTOCOL:
	case LX_SO_DOMAIN:
	case LX_SO_ERROR:
	case LX_SO_ACCEPTCONN:
	case LX_SO_SNDLOWAT:
		return ENOPROTOOPT;
	default:
		err = set_other(sk, name, v);
		if (err) {
			return err;
		}
		break;
	}
	return sock_apply(sk, now);
}

int sock_opt_socket_get(struct sock *sk, int name, void *val, uint32_t *len)
{
	struct lx_linger l = { sk->opt.linger_on, sk->opt.linger_s };
	int v = 0, err;

	switch (name) {
	case LX_SO_REUSEADDR:
		v = sk->opt.reuseaddr;
		break;
	case LX_SO_REUSEPORT:
		v = sk->opt.reuseport;
		break;
	case LX_SO_DONTROUTE:
		v = sk->opt.dontroute;
		break;
	case LX_SO_BUF_LOCK:
		v = sk->opt.buf_lock;
		break;
	case LX_SO_TXREHASH:
		v = !sk->conf->tcp.no_rehash;
		break;
	case LX_SO_MAX_PACING_RATE:
		return get_pacing(sk, val, len);
	case LX_SO_BINDTODEVICE:
		return get_device(sk, val, len);
	case LX_SO_KEEPALIVE:
		v = sk->conf->tcp.keepalive;
		break;
	case LX_SO_SNDBUF:
	case LX_SO_RCVBUF:
		v = get_buf(sk, name);
		break;
	case LX_SO_RCVLOWAT:
		v = (int)sk->conf->rcvlowat;
		break;
	case LX_SO_SNDLOWAT:
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
		v = v ? v : sock_soft_error(sk);
		break;
	case LX_SO_ACCEPTCONN:
		v = sk->state == SOCK_LISTENING;
		break;
	case LX_SO_LINGER:
		return sock_opt_put(&l, sizeof(l), val, len);
	default:
		err = sock_kept_get(sk->kept, LX_SOL_SOCKET, name, &v);
		if (err) {
			return err;
		}
		break;
	}
	return sock_opt_put_int(v, val, len);
}
