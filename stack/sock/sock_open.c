/* bind, listen, connect, accept, close: Linux's rules and errors.
 *
 * A listener's bound follows Linux: a SYN is ignored while more than `backlog`
 * connections wait to be accepted (so backlog + 1 do).  While as many as the
 * larger of backlog + 1 and SOCK_HALF_OPEN_MIN are half open it is answered
 * with a cookie (stack/tcp/tcp_cookie.h), and what comes back is a connection
 * if the first bound lets it.  One that was let in is kept when it completes,
 * so a queue never holds more than the sum of both.  One that waits for its
 * first data (TCP_DEFER_ACCEPT) counts as half open, as it is on Linux.
 */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

/* net.ipv4.ip_local_port_range */
#define PORT_LO 32768u
#define PORT_HI 60999u

/* --- local names ---------------------------------------------------------- */

static bool overlap(const struct sock *a, const struct endpoint *e, bool dual)
{
	const struct endpoint *l = &a->local;
	bool adual = a->family == 6 && !a->opt.v6only;

	if (l->addr.family == e->addr.family) {
		return addr_is_any(&l->addr) || addr_is_any(&e->addr) ||
		       addr_eq(&l->addr, &e->addr);
	}
	/* different families meet only where one takes both */
	return (l->addr.family == 6 && addr_is_any(&l->addr) && adual) ||
	       (e->addr.family == 6 && addr_is_any(&e->addr) && dual);
}

/* inet_csk_bind_conflict(): both reuseaddr and none listening, or both
 * reuseport */
static bool port_taken(const struct sock *sk, const struct endpoint *e)
{
	bool dual = sk->family == 6 && !sk->opt.v6only;

	list_each(n, &sk->s->bound) {
		const struct sock *o = list_entry(n, struct sock, port_link);

		if (o == sk || o->local.port != e->port ||
		    !overlap(o, e, dual)) {
			continue;
		}
		if (sk->opt.reuseaddr && o->opt.reuseaddr &&
		    o->state != SOCK_LISTENING) {
			continue;
		}
		if (sk->opt.reuseport && o->opt.reuseport) {
			continue;
		}
		return true;
	}
	return false;
}

/* IP_LOCAL_PORT_RANGE: from a random place on, once round */
static uint16_t port_within(const struct sock *sk, const struct endpoint *want)
{
	uint32_t lo = max_u32(sk->opt.port_lo ? sk->opt.port_lo : PORT_LO, 1);
	uint32_t hi = sk->opt.port_hi ? sk->opt.port_hi : PORT_HI;
	uint32_t n = hi >= lo ? hi - lo + 1 : 0;
	uint32_t at = n ? entropy_u32(&sk->s->env.entropy) % n : 0;
	struct endpoint e = *want;

	for (uint32_t i = 0; i < n; i++) {
		e.port = (uint16_t)(lo + (at + i) % n);
		if (!port_taken(sk, &e) &&
		    tcp_port_get(sk->s->tcp, &e, false) == e.port) {
			return e.port;
		}
	}
	return 0;
}

static uint16_t port_pick(struct sock *sk, const struct endpoint *want)
{
	struct tcp *tcp = sk->s->tcp;
	bool reuse = sk->opt.reuseaddr || sk->opt.reuseport;
	struct endpoint e = *want;

	if (want->port != 0) {
		return port_taken(sk, want) ? 0
					    : tcp_port_get(tcp, want, reuse);
	}
	if (sk->opt.port_lo || sk->opt.port_hi) {
		return port_within(sk, want);
	}
	/* bound sockets without a connection are known only here */
	for (unsigned i = 0; i < 1024; i++) {
		e.port = tcp_port_get(tcp, want, false);
		if (e.port == 0 || !port_taken(sk, &e)) {
			return e.port;
		}
	}
	return 0;
}

static int bind_port(struct sock *sk, const struct endpoint *e)
{
	uint16_t port = port_pick(sk, e);

	if (port == 0) {
		return EADDRINUSE;
	}
	sk->local = *e;
	sk->local.port = port;
	sk->bound = true;
	list_push_back(&sk->s->bound, &sk->port_link);
	return 0;
}

void sock_unbind(struct sock *sk)
{
	list_del(&sk->port_link);
	sk->bound = false;
}

int sock_bind(struct sock *sk, const struct endpoint *local)
{
	struct endpoint e = *local;

	if (sk->family == 4 && e.addr.family != 4) {
		return EAFNOSUPPORT;
	}
	if (e.addr.family != 4 && e.addr.family != 6) {
		return EAFNOSUPPORT;
	}
	if (sk->state != SOCK_IDLE || sk->bound || sk->local.addr.family != 0) {
		return EINVAL;
	}
	e.addr = addr_unmap(e.addr);
	if (sk->family == 6 && e.addr.family == 4 && sk->opt.v6only) {
		return EINVAL;
	}
	if (!addr_is_any(&e.addr) && ip_path_of(sk->s->ip, &e.addr) < 0 &&
	    !sk->opt.freebind) {
		return EADDRNOTAVAIL;
	}
	if (e.port == 0 && sk->opt.bind_no_port) {
		sk->local = e;
		return 0;
	}
	return bind_port(sk, &e);
}

/* --- listening ------------------------------------------------------------ */

static bool half_full(const struct sock *l)
{
	return l->s->cfg.cookies == STACK_COOKIES_ALWAYS ||
	       l->n_half >= max_u32(l->backlog + 1, SOCK_HALF_OPEN_MIN);
}

static enum mp_admit admit(void *lo, const struct tcp_seg *ack)
{
	struct sock *l = lo;

	if (l->n_ready > l->backlog || l->s->n_socks >= l->s->cfg.socks_max) {
		return MP_ADMIT_NO;
	}
	if (ack && !ack->len && l->opt.defer_accept && half_full(l)) {
		return MP_ADMIT_NO; /* its data will bring the cookie, too */
	}
	if (!ack && half_full(l)) {
		return l->s->cfg.cookies == STACK_COOKIES_NEVER ?
			       MP_ADMIT_NO :
			       MP_ADMIT_STATELESS;
	}
	l->n_half++;
	return MP_ADMIT_YES;
}

static void failed(void *lo)
{
	struct sock *l = lo;

	if (l->n_half > 0) {
		l->n_half--;
	}
}

static void queue_ready(struct sock *l, struct sock *sk)
{
	list_del(&sk->q_link);
	if (sk->is_deferred) {
		sk->is_deferred = false;
		wheel_cancel(&sk->s->wheel, &sk->defer_timer);
		failed(l);
	}
	list_push_back(&l->ready, &sk->q_link);
	l->n_ready++;
	sock_event(l, SOCK_EV_ACCEPT);
}

static void defer_over(struct wheel_timer *t, struct instant now)
{
	struct sock *sk = container_of(t, struct sock, defer_timer);

	(void)now;
	if (sk->listener && sk->is_deferred) {
		queue_ready(sk->listener, sk);
	}
}

/* 1, 3, 7, 15 .. seconds: what n retransmissions of the SYN/ACK would take */
static nanos defer_span(uint8_t n)
{
	nanos total = 0, step = NANOS_S;

	for (; n > 0; n--) {
		total += step;
		step = nanos_min(step * 2, 120 * NANOS_S);
	}
	return total;
}

static bool accepted(void *lo, struct instant now, struct mp_conn *c)
{
	struct sock *l = lo;
	struct sock *sk = sock_new(l->s, l->family);

	failed(l); /* no longer half open, whatever comes of it */
	if (!sk) {
		return false;
	}
	sk->opt = l->opt;
	sk->opt.inq = false; /* of a program's own receive calls */
	sk->conf = l->conf;
	sk->conf.tcp.tfo_queue = 0; /* a listener's */
	sk->kept = sock_kept_inherit(l->kept, l->s->env.mem);
	sk->state = SOCK_OPEN;
	sk->conn = c;
	sk->listener = l;
	mp_set_owner(c, &sock_owner, sk);
	if (mp_read_len(c) > 0 || mp_read_eof(c)) {
		sk->bits |= SOCK_EV_READ;
	} else if (l->opt.defer_accept) {
		sk->is_deferred = true;
		l->n_half++;
		list_push_back(&l->deferred, &sk->q_link);
		wheel_timer_init(&sk->defer_timer, defer_over);
		wheel_arm(&l->s->wheel, &sk->defer_timer,
			  instant_add(now, defer_span(l->opt.defer_accept)));
		return true;
	}
	queue_ready(l, sk);
	return true;
}

static const struct mp_listener_ops listener_ops = { admit, accepted, failed };

/* the rest of a failed attempt: the handle is needed for the next one */
static const struct mp_owner nobody = { .established = NULL };

static void drop_conn(struct sock *sk, struct instant now)
{
	struct mp_conn *c = sk->conn;

	sk->conn = NULL;
	sk->state = SOCK_IDLE;
	if (c) {
		mp_set_owner(c, &nobody, NULL);
		mp_close(c, now, true);
	}
}

int sock_listen(struct sock *sk, struct instant now, unsigned backlog)
{
	int err = 0;

	if (sk->state == SOCK_LISTENING) {
		sk->backlog = min_u32(backlog, SOCK_BACKLOG_MAX);
		return 0;
	}
	if (sk->state != SOCK_IDLE && sk->state != SOCK_FAILED) {
		return EINVAL;
	}
	drop_conn(sk, now);
	if (!sk->bound) {
		struct endpoint e = sk->local;

		if (e.addr.family == 0) {
			e = endpoint_make(addr_any(sk->family), 0);
		}
		err = bind_port(sk, &e);
		if (err) {
			return err;
		}
	}
	sk->backlog = min_u32(backlog, SOCK_BACKLOG_MAX);
	sk->n_half = 0;
	sk->lst =
		mp_listen(sk->s->mp, &sk->local,
			  sk->family == 6 && !sk->opt.v6only, sk->opt.reuseport,
			  &sk->conf, &listener_ops, sk, &err);
	if (!sk->lst) {
		return err;
	}
	sk->state = SOCK_LISTENING;
	return 0;
}

static void end_conn(struct sock *sk, struct instant now, bool abort);

void sock_stop_listen(struct sock *sk, struct instant now)
{
	struct list *n;

	if (sk->state != SOCK_LISTENING) {
		return;
	}
	mp_unlisten(sk->s->mp, sk->lst);
	sk->lst = NULL;
	sk->state = SOCK_IDLE;
	/* as Linux: nobody will ever take them, so their peers learn it now */
	while ((n = list_pop_front(&sk->ready)) != NULL ||
	       (n = list_pop_front(&sk->deferred)) != NULL) {
		end_conn(list_entry(n, struct sock, q_link), now, true);
	}
	sk->n_ready = 0;
	sk->n_half = 0;
}

struct sock *sock_accept(struct sock *listener, struct instant now)
{
	struct list *n = list_pop_front(&listener->ready);
	struct sock *sk;

	(void)now;
	if (!n) {
		return NULL;
	}
	check(listener->n_ready > 0);
	listener->n_ready--;
	sk = list_entry(n, struct sock, q_link);
	sk->listener = NULL;
	sock_event_resume(sk);
	return sk;
}

void sock_unaccept(struct sock *listener, struct sock *sk)
{
	check(!sk->listener && listener->s == sk->s);
	sock_event_drop(sk);
	sk->listener = listener;
	list_push_front(&listener->ready, &sk->q_link);
	listener->n_ready++;
}

void sock_pass_on(struct sock *listener, struct sock *sk)
{
	check(!sk->listener && listener->s == sk->s);
	sock_event_drop(sk);
	sk->listener = listener;
	queue_ready(listener, sk);
}

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
		drop_conn(sk, now);
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
	/* none of these is beyond a path */
	if (addr_is_multicast(&t.remote.addr) || addr_is_any(&t.remote.addr) ||
	    addr_is_loopback(&t.remote.addr) ||
	    ip_path_of(sk->s->ip, &t.remote.addr) >= 0) {
		return ENETUNREACH;
	}
	err = find_way(sk, &t, &path);
	if (err) {
		return err;
	}
	if (sk->family == 6 && t.remote.addr.family == 4) {
		sk->conf.tcp.tos = sk->opt.tos;
		sk->conf.tcp.ttl = sk->opt.ttl < 0 ? 0 : (uint8_t)sk->opt.ttl;
	}
	t.local.port = sk->bound ? sk->local.port : 0;
	if (!sk->bound && (sk->opt.port_lo || sk->opt.port_hi)) {
		t.local.port = port_within(sk, &t.local);
		if (t.local.port == 0) {
			return EADDRNOTAVAIL;
		}
	}
	sk->conn = mp_connect(sk->s->mp, now, &t, path, &sk->conf, &sock_owner,
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
	if (sk->listener && sk->is_deferred) {
		queue_ready(sk->listener, sk);
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
	if (sk->listener && sk->is_deferred) {
		queue_ready(sk->listener, sk);
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

/* Lets go of a handle that has a connection; sk may be gone afterwards. */
static void end_conn(struct sock *sk, struct instant now, bool abort)
{
	struct stack *s = sk->s;

	if (sk->is_deferred) {
		sk->is_deferred = false;
		wheel_cancel(&s->wheel, &sk->defer_timer);
	}
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
		end_conn(sk, now, abort || sock_linger_zero(sk));
		return;
	}
	sock_free(sk);
}
