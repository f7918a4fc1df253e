/* connect, what the connection reports, close: Linux's rules and errors */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

/* --- connecting ----------------------------------------------------------- */

/* SO_DONTROUTE: to the path's own net only */
static bool may_reach(const struct sock *sk, unsigned path,
		      const struct addr *src, const struct addr *dst)
{
	const struct ip_path *p = ip_path(sk->s->ip, path);

	if (!p || !p->up || (sk->opt.device && sk->opt.device != path + 1)) {
		return false;
	}
	for (unsigned i = 0; sk->opt.dontroute && i < p->n_addr; i++) {
		if (addr_eq(&p->addr[i], src)) {
			return addr_in_net(dst, src, p->bits[i]);
		}
	}
	return true;
}

static int find_way(struct sock *sk, struct tuple *t, unsigned *path)
{
	struct ip *ip = sk->s->ip;
	const struct addr *src = NULL;
	int p;

	if (!addr_is_any(&sk->local.addr)) {
		t->local.addr = sk->local.addr;
		if (t->local.addr.family != t->remote.addr.family) {
			return t->local.addr.family == 6 ? ENETUNREACH : EINVAL;
		}
		src = &t->local.addr;
		p = ip_path_of(ip, src);
	} else {
		p = sk->opt.device ? sk->opt.device - 1
				   : ip_route(ip, &t->remote.addr);
		src = p < 0 ? NULL
			    : ip_source(ip, (unsigned)p, &t->remote.addr);
	}
	if (p < 0 || !src ||
	    !may_reach(sk, (unsigned)p, src, &t->remote.addr)) {
		ip_count(ip, IP_NO_ROUTE);
		return ENETUNREACH;
	}
	t->local.addr = *src;
	*path = (unsigned)p;
	return 0;
}

/* the rest of a failed attempt: the handle is needed for the next one */
static const struct mp_owner nobody = { .established = NULL };

void sock_drop_conn(struct sock *sk, struct instant now)
{
	struct mp_conn *c = sk->conn;

	sk->conn = NULL;
	sk->state = SOCK_IDLE;
	if (c) {
		mp_set_owner(c, &nobody, NULL);
		mp_close(c, now, true);
	}
}

static int connect_state(struct sock *sk, struct instant now)
{
	int err;

	switch (sk->state) {
	case SOCK_IDLE:
		return 0;
	case SOCK_CONNECTING:
		return EALREADY;
	case SOCK_FAILED:
		/* the next call reports why, once; then it may be tried again */
		err = sock_error(sk);
		sock_drop_conn(sk, now);
		return err ? err : ECONNABORTED;
	case SOCK_LISTENING:
	case SOCK_OPEN:
	case SOCK_ENDED:
	case SOCK_ORPHAN:
		break;
	}
	return EISCONN;
}

int sock_connect(struct sock *sk, struct instant now,
		 const struct endpoint *remote)
{
	struct tuple t = { .remote = *remote };
	unsigned path = 0;
	int err = connect_state(sk, now);

	if (err) {
		return err;
	}
	if ((sk->family == 4 && remote->addr.family != 4) ||
	    (remote->addr.family != 4 && remote->addr.family != 6)) {
		return EAFNOSUPPORT;
	}
	t.remote.addr = addr_unmap(t.remote.addr);
	if (sk->family == 6 && t.remote.addr.family == 4 && sk->opt.v6only) {
		return ENETUNREACH;
	}
	if (!ip_is_peer(sk->s->ip, &t.remote.addr)) {
		return ENETUNREACH;
	}
	err = find_way(sk, &t, &path);
	if (err) {
		return err;
	}
	if (sk->family == 6 && t.remote.addr.family == 4) {
		if (!sock_conf_own(sk)) {
			return ENOBUFS;
		}
		sk->conf->tcp.tos = sk->opt.tos;
		sk->conf->tcp.ttl = sk->opt.ttl < 0 ? 0 : (uint8_t)sk->opt.ttl;
		sock_conf_done(sk);
	}
	t.local.port = sk->bound ? sk->local.port : 0;
	if (!sk->bound && (sk->opt.port_lo || sk->opt.port_hi)) {
		t.local.port = sock_port_within(sk, &t.local, &t.remote);
		if (t.local.port == 0) {
			return EADDRNOTAVAIL;
		}
	}
	sk->conn = mp_connect(sk->s->mp, now, &t, path, sk->conf, &sock_owner,
			      sk, &err);
	if (!sk->conn) {
		return err == EADDRINUSE ? EADDRNOTAVAIL : err;
	}
	sk->remote = t.remote;
	sk->state = SOCK_CONNECTING;
	if (mp_connect_held(sk->conn)) {
		/* TCP_FASTOPEN_CONNECT: done, for all that it can tell */
		sk->state = SOCK_OPEN;
		sock_event(sk, SOCK_EV_CONNECTED);
	}
	return EINPROGRESS;
}

/* --- what the connection reports ------------------------------------------ */

static void on_established(void *o, struct instant now)
{
	struct sock *sk = o;

	(void)now;
	if (sk->state == SOCK_CONNECTING) {
		sk->state = SOCK_OPEN;
		sock_event(sk, SOCK_EV_CONNECTED);
	}
}

static void on_readable(void *o, struct instant now)
{
	struct sock *sk = o;

	(void)now;
	sock_event(sk, SOCK_EV_READ);
	if (sk->listener && sk->defer) {
		sock_queue_ready(sk->listener, sk);
	}
}

static void on_writable(void *o, struct instant now)
{
	struct sock *sk = o;

	(void)now;
	if (sk->wait_room) {
		sk->wait_room = false;
		sock_event(sk, SOCK_EV_WRITE);
	}
}

static void on_closed(void *o, struct instant now, int err)
{
	struct sock *sk = o;

	(void)now;
	if (sk->state != SOCK_CONNECTING && sk->state != SOCK_OPEN) {
		return;
	}
	sk->state = sk->state == SOCK_OPEN ? SOCK_ENDED : SOCK_FAILED;
	sk->err = err;
	sock_event(sk, SOCK_EV_CLOSED);
	if (sk->listener && sk->defer) {
		sock_queue_ready(sk->listener, sk);
	}
}

static void on_gone(void *o, struct instant now)
{
	struct sock *sk = o;

	(void)now;
	check(sk->state == SOCK_ORPHAN);
	sk->conn = NULL;
	sock_free(sk);
}

const struct mp_owner sock_owner = {
	.established = on_established,
	.readable = on_readable,
	.writable = on_writable,
	.closed = on_closed,
	.gone = on_gone,
};

/* --- closing -------------------------------------------------------------- */

void sock_end_conn(struct sock *sk, struct instant now, bool abort)
{
	struct stack *s = sk->s;

	sock_undefer(sk);
	sk->listener = NULL;
	sock_event_drop(sk);
	sock_unbind(sk);
	sk->state = SOCK_ORPHAN;
	s->n_socks--;
	mp_close(sk->conn, now, abort);
}

void sock_close(struct sock *sk, struct instant now, bool abort)
{
	sock_stop_listen(sk, now);
	if (sk->conn) {
		sock_end_conn(sk, now, abort || sock_linger_zero(sk));
		return;
	}
	sock_free(sk);
}
