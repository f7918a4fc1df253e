/* IPPROTO_TCP, with the ranges and errors of Linux' do_tcp_setsockopt() */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_opt_info.h"
#include "stack/sock/sock_state.h"

#define KEEPIDLE_MAX  32767 /* seconds */
#define KEEPCNT_MAX   127
#define SYNCNT_MAX    127
#define FIN_MAX       120 /* seconds */
#define MSS_LEAST     88
#define MSS_MOST      32767
#define CLAMP_LEAST   1152
#define LINGER2_USUAL 60
#define RTO_MAX_LEAST 1000 /* milliseconds */
#define RTO_MAX_USUAL 120000
#define TIMER_LEAST   4000 /* microseconds */
#define TIMER_USUAL   200000

/* secs_to_retrans() and back: Linux keeps TCP_DEFER_ACCEPT in SYN/ACK
 * retransmissions of 1, 2, 4 .. 120 seconds */
static uint8_t secs_to_retrans(int seconds)
{
	uint8_t n = 0;
	int period = 1, step = 1;

	if (seconds <= 0) {
		return 0;
	}
	for (n = 1; seconds > period && n < 255; n++) {
		step = step * 2 > 120 ? 120 : step * 2;
		period += step;
	}
	return n;
}

static int retrans_to_secs(uint8_t n)
{
	int period = 0, step = 1;

	for (; n > 0; n--) {
		period += step;
		step = step * 2 > 120 ? 120 : step * 2;
	}
	return period;
}

static bool within(int v, int lo, int hi)
{
	return v >= lo && v <= hi;
}

static int set_congestion(struct sock *sk, struct instant now, const void *val,
			  uint32_t len)
{
	char name[LX_TCP_CA_NAME_MAX] = { 0 };
	const struct cc_ops *cc;

	if (len < 1) {
		return EINVAL;
	}
	memcpy(name, val, min_u32(len, sizeof(name) - 1));
	cc = cc_find(name);
	if (!cc) {
		return ENOENT;
	}
	sk->conf->tcp.cc = cc;
	return sock_apply(sk, now);
}

static int set_clamp(struct sock *sk, int v)
{
	if (v == 0 && sk->state != SOCK_IDLE) {
		return EINVAL;
	}
	sk->conf->wnd_clamp = v == 0 ? 0
			     : v < CLAMP_LEAST ? CLAMP_LEAST
					       : (uint32_t)v;
	return 0;
}

static int set_keep(struct sock *sk, int name, int v)
{
	struct tcp_conf *c = &sk->conf->tcp;

	if (!within(v, 1,
		    name == LX_TCP_KEEPCNT ? KEEPCNT_MAX : KEEPIDLE_MAX)) {
		return EINVAL;
	}
	if (name == LX_TCP_KEEPIDLE) {
		c->keep_idle = v * NANOS_S;
	} else if (name == LX_TCP_KEEPINTVL) {
		c->keep_intvl = v * NANOS_S;
	} else {
		c->keep_cnt = (uint8_t)v;
	}
	return 0;
}

static void set_linger2(struct sock *sk, int v)
{
	sk->opt.linger2 = v < 0 ? -1 : v > FIN_MAX ? FIN_MAX : v;
	/* negative: not at all, the least that the layer below can say */
	sk->conf->tcp.linger2 = v < 0 ? 1 : sk->opt.linger2 * NANOS_S;
}

/* not once a connection has begun */
static int set_fastopen(struct sock *sk, int name, int v)
{
	struct tcp_conf *c = &sk->conf->tcp;
	bool idle = sk->state == SOCK_IDLE || sk->state == SOCK_FAILED ||
		    sk->state == SOCK_ENDED;

	if (name == LX_TCP_FASTOPEN) {
		if (v < 0 || (!idle && sk->state != SOCK_LISTENING)) {
			return EINVAL;
		}
		c->tfo_queue = (uint16_t)min_u32((uint32_t)v, SOCK_BACKLOG_MAX);
		return 0;
	}
	if (!within(v, 0, 1)) {
		return EINVAL;
	}
	if (name == LX_TCP_FASTOPEN_CONNECT) {
		c->tfo_connect = idle ? v != 0 : c->tfo_connect;
		return idle ? 0 : EINVAL;
	}
	if (!idle && sk->state != SOCK_LISTENING) {
		return EINVAL;
	}
	c->tfo_no_cookie = v != 0;
	return 0;
}

static void set_quickack(struct tcp_conf *c, int v)
{
	c->quickack = v & 1 ? 1 : v ? 2 : 0;
	c->quickack_nth = c->quickack_nth == UINT8_MAX
				  ? 1 : (uint8_t)(c->quickack_nth + 1);
}

/* not what was set, but what it is now */
static bool get_quickack(const struct sock *sk)
{
	const struct tcp_conf *c = &sk->conf->tcp;
	struct mp_info info;

	if (sock_info(sk, &info) && info.n_subs > 0) {
		return !info.sub[0].tcp.pingpong;
	}
	return !c->quickack_nth || c->quickack;
}

static int set_flag(struct sock *sk, int name, int v)
{
	switch (name) {
	case LX_TCP_NODELAY:
		sk->conf->nodelay = v != 0;
		return 0;
	case LX_TCP_CORK:
		sk->conf->cork = v != 0;
		return 0;
	case LX_TCP_QUICKACK:
		set_quickack(&sk->conf->tcp, v);
		return 0;
	default: /* TCP_INQ */
		if (!within(v, 0, 1)) {
			return EINVAL;
		}
		sk->opt.inq = v != 0;
		return 0;
	}
}

/* what is counted: segments, attempts, milliseconds */
static int set_count(struct sock *sk, int name, int v)
{
	struct tcp_conf *c = &sk->conf->tcp;

	switch (name) {
	case LX_TCP_MAXSEG:
		if (v && !within(v, MSS_LEAST, MSS_MOST)) {
			return EINVAL;
		}
		c->mss_clamp = (uint16_t)v;
		return 0;
	case LX_TCP_SYNCNT:
		if (!within(v, 1, SYNCNT_MAX)) {
			return EINVAL;
		}
		c->syn_retries = (uint8_t)v;
		return 0;
	case LX_TCP_DEFER_ACCEPT:
		sk->opt.defer_accept = secs_to_retrans(v);
		c->defer_accept = sk->opt.defer_accept;
		return 0;
	case LX_TCP_SAVE_SYN: /* 2: with a link's header, which a TUN has not */
		if (!within(v, 0, 2)) {
			return EINVAL;
		}
		sk->opt.save_syn = (uint8_t)v;
		c->save_syn = v > 0;
		return 0;
	case LX_TCP_NOTSENT_LOWAT: /* unsigned, as Linux keeps it */
		sk->conf->notsent_lowat = (uint32_t)v;
		return 0;
	default: /* TCP_USER_TIMEOUT */
		if (v < 0) {
			return EINVAL;
		}
		sk->opt.user_timeout_ms = (uint32_t)v;
		c->user_timeout = v * NANOS_MS;
		return 0;
	}
}

/* bounds of timers: microseconds, or milliseconds of the longest */
static int set_timing(struct sock *sk, int name, int v)
{
	struct tcp_conf *c = &sk->conf->tcp;

	switch (name) {
	case LX_TCP_RTO_MAX_MS:
		if (!within(v, RTO_MAX_LEAST, RTO_MAX_USUAL)) {
			return EINVAL;
		}
		c->rto_max_ms = (uint32_t)v;
		return 0;
	case LX_TCP_THIN_LINEAR_TIMEOUTS:
		if (!within(v, 0, 1)) {
			return EINVAL;
		}
		c->thin_linear = v != 0;
		return 0;
	default:
		if (!within(v, TIMER_LEAST, TIMER_USUAL)) {
			return EINVAL;
		}
		if (name == LX_TCP_RTO_MIN_US) {
			c->rto_min_us = (uint32_t)v;
		} else {
			c->delack_max_us = (uint32_t)v;
		}
		return 0;
	}
}

void sock_opt_tcp_key(struct sock *sk)
{
	if (sock_listener(sk) && sk->kept && sk->kept->tfo_key_len) {
		mp_listen_tfo_keys(sk->q->lst, sk->kept->tfo_key,
				   sk->kept->tfo_key_len /
					   LX_TCP_FASTOPEN_KEY_LEN);
	}
}

static int set_int(struct sock *sk, int name, int v)
{
	switch (name) {
	case LX_TCP_NODELAY:
	case LX_TCP_CORK:
	case LX_TCP_QUICKACK:
	case LX_TCP_INQ:
		return set_flag(sk, name, v);
	case LX_TCP_FASTOPEN:
	case LX_TCP_FASTOPEN_CONNECT:
	case LX_TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(sk, name, v);
	case LX_TCP_KEEPIDLE:
	case LX_TCP_KEEPINTVL:
	case LX_TCP_KEEPCNT:
		return set_keep(sk, name, v);
	case LX_TCP_MAXSEG:
	case LX_TCP_SYNCNT:
	case LX_TCP_DEFER_ACCEPT:
	case LX_TCP_SAVE_SYN:
	case LX_TCP_NOTSENT_LOWAT:
	case LX_TCP_USER_TIMEOUT:
		return set_count(sk, name, v);
	case LX_TCP_RTO_MAX_MS:
	case LX_TCP_RTO_MIN_US:
	case LX_TCP_DELACK_MAX_US:
	case LX_TCP_THIN_LINEAR_TIMEOUTS:
		return set_timing(sk, name, v);
	case LX_TCP_LINGER2:
		set_linger2(sk, v);
		return 0;
	case LX_TCP_WINDOW_CLAMP:
		return set_clamp(sk, v);
	case LX_TCP_TIMESTAMP: /* only under repair */
		return EPERM;
	default:
		return sock_kept_set(&sk->kept, sk->s->env.mem, LX_IPPROTO_TCP,
				     name, v);
	}
}

int sock_opt_tcp_set(struct sock *sk, struct instant now, int name,
		     const void *val, uint32_t len)
{
	int v, err;

	switch (name) {
	case LX_TCP_CONGESTION:
		return set_congestion(sk, now, val, len);
	case LX_TCP_ULP: /* there is none to be had */
		return len < 1 ? EINVAL : ENOENT;
	case LX_TCP_FASTOPEN_KEY:
		err = sock_kept_set_key(&sk->kept, sk->s->env.mem, val, len);
		sock_opt_tcp_key(sk);
		return err;
	default:
		break;
	}
	err = sock_opt_int(val, len, &v);
	if (!err) {
		err = set_int(sk, name, v);
	}
	return err ? err : sock_apply(sk, now);
}

static int seconds(nanos n, int usual)
{
	return n ? (int)(n / NANOS_S) : usual;
}

static int get_maxseg(const struct sock *sk)
{
	struct mp_info info;

	if (sock_info(sk, &info) && info.n_subs > 0 &&
	    info.sub[0].tcp.mss != 0) {
		return (int)info.sub[0].tcp.mss;
	}
	return sk->conf->tcp.mss_clamp ? sk->conf->tcp.mss_clamp : 536;
}

static int get_int(struct sock *sk, int name, int *v)
{
	const struct tcp_conf *c = &sk->conf->tcp;

	switch (name) {
	case LX_TCP_NODELAY:
		*v = sk->conf->nodelay;
		return 0;
	case LX_TCP_CORK:
		*v = sk->conf->cork;
		return 0;
	case LX_TCP_MAXSEG:
		*v = get_maxseg(sk);
		return 0;
	case LX_TCP_KEEPIDLE:
		*v = seconds(c->keep_idle, 7200);
		return 0;
	case LX_TCP_KEEPINTVL:
		*v = seconds(c->keep_intvl, 75);
		return 0;
	case LX_TCP_KEEPCNT:
		*v = c->keep_cnt ? c->keep_cnt : 9;
		return 0;
	case LX_TCP_SYNCNT:
		*v = c->syn_retries ? c->syn_retries : 6;
		return 0;
	case LX_TCP_LINGER2:
		*v = sk->opt.linger2 ? sk->opt.linger2 : LINGER2_USUAL;
		return 0;
	case LX_TCP_DEFER_ACCEPT:
		*v = retrans_to_secs(sk->opt.defer_accept);
		return 0;
	case LX_TCP_WINDOW_CLAMP:
		*v = (int)sk->conf->wnd_clamp;
		return 0;
	case LX_TCP_QUICKACK:
		*v = get_quickack(sk);
		return 0;
	case LX_TCP_NOTSENT_LOWAT:
		*v = (int)sk->conf->notsent_lowat;
		return 0;
	case LX_TCP_INQ:
		*v = sk->opt.inq;
		return 0;
	case LX_TCP_SAVE_SYN:
		*v = sk->opt.save_syn;
		return 0;
	case LX_TCP_RTO_MAX_MS:
		*v = c->rto_max_ms ? (int)c->rto_max_ms : RTO_MAX_USUAL;
		return 0;
	case LX_TCP_RTO_MIN_US:
		*v = c->rto_min_us ? (int)c->rto_min_us : TIMER_USUAL;
		return 0;
	case LX_TCP_DELACK_MAX_US:
		*v = c->delack_max_us ? (int)c->delack_max_us : TIMER_USUAL;
		return 0;
	case LX_TCP_THIN_LINEAR_TIMEOUTS:
		*v = c->thin_linear;
		return 0;
	case LX_TCP_FASTOPEN:
		*v = c->tfo_queue;
		return 0;
	case LX_TCP_FASTOPEN_CONNECT:
		*v = c->tfo_connect;
		return 0;
	case LX_TCP_FASTOPEN_NO_COOKIE:
		*v = c->tfo_no_cookie;
		return 0;
	case LX_TCP_USER_TIMEOUT:
		*v = (int)sk->opt.user_timeout_ms;
		return 0;
	case LX_TCP_IS_MPTCP:
		*v = sk->conn && mp_mode(sk->conn) == MP_MODE_MPTCP;
		return 0;
	default:
		return sock_kept_get(sk->kept, LX_IPPROTO_TCP, name, v);
	}
}

/* what is read with a length of its own; false: an int */
static bool get_long(const struct sock *sk, int name, void *val, uint32_t *len)
{
	switch (name) {
	case LX_TCP_CC_INFO:
	case LX_TCP_ULP:
		*len = 0; /* there is nothing */
		return true;
	case LX_TCP_FASTOPEN_KEY:
		sock_kept_get_key(sk->kept, val, len);
		return true;
	default:
		return false;
	}
}

/* once: then it is forgotten */
static int get_saved(struct sock *sk, void *val, uint32_t *len)
{
	int err;

	if (!sk->saved) {
		*len = 0;
		return 0;
	}
	if (*len < sk->saved->len) {
		return EINVAL;
	}
	err = sock_opt_put(sk->saved->octets, sk->saved->len, val, len);
	tcp_saved_free(sk->s->env.mem, &sk->saved);
	return err;
}

int sock_opt_tcp_get(struct sock *sk, struct instant now, int name, void *val,
		     uint32_t *len)
{
	char cc[LX_TCP_CA_NAME_MAX] = { 0 };
	struct lx_tcp_info info;
	const char *p;
	int v = 0, err;

	if (name == LX_TCP_INFO) {
		sock_opt_info_tcp(sk, now, &info);
		return sock_opt_put(&info, sizeof(info), val, len);
	}
	if (name == LX_TCP_CONGESTION) {
		p = sk->conf->tcp.cc->name;
		memcpy(cc, p, min_size(strlen(p), sizeof(cc) - 1));
		return sock_opt_put(cc, sizeof(cc), val, len);
	}
	if (name == LX_TCP_SAVED_SYN) {
		return get_saved(sk, val, len);
	}
	if (get_long(sk, name, val, len)) {
		return 0;
	}
	if (name == LX_TCP_TIMESTAMP) { /* Linux: its clock of milliseconds */
		v = (int)(uint32_t)(now.ns / NANOS_MS);
		return sock_opt_put_int(v, val, len);
	}
	if (name == LX_TCP_ZEROCOPY_RECEIVE) {
		return EINVAL; /* nothing was mapped */
	}
	err = get_int(sk, name, &v);
	return err ? err : sock_opt_put_int(v, val, len);
}
