/* bind: local names and ports, Linux's rules and errors */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

/* net.ipv4.ip_local_port_range */
#define PORT_LO 32768u
#define PORT_HI 60999u

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
	struct ports_node *n = ports_first(&sk->s->bound, e->port);

	for (; n; n = n->next) {
		const struct sock *o = container_of(n, struct sock, same_port);

		if (o == sk || !overlap(o, e, dual)) {
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

/* A connection shares its port with those to others, unless a socket is bound
 * to it; who binds wants it alone. */
static bool port_free(const struct sock *sk, const struct endpoint *e,
		      const struct endpoint *to)
{
	struct tuple t = { .local = *e };

	if (port_taken(sk, e)) {
		return false;
	}
	if (!to) {
		return tcp_port_get(sk->s->tcp, e, false) == e->port;
	}
	t.remote = *to;
	return tcp_tuple_free(sk->s->tcp, &t);
}

uint16_t sock_port_within(const struct sock *sk, const struct endpoint *want,
			  const struct endpoint *to)
{
	uint32_t lo = max_u32(sk->opt.port_lo ? sk->opt.port_lo : PORT_LO, 1);
	uint32_t hi = sk->opt.port_hi ? sk->opt.port_hi : PORT_HI;
	uint32_t n = hi >= lo ? hi - lo + 1 : 0;
	uint32_t at = n ? entropy_u32(&sk->s->env.entropy) % n : 0;
	struct endpoint e = *want;

	for (uint32_t i = 0; i < n; i++) {
		e.port = (uint16_t)(lo + (at + i) % n);
		if (port_free(sk, &e, to)) {
			return e.port;
		}
	}
	return 0;
}

static uint16_t port_pick(struct sock *sk, const struct endpoint *want)
{
	bool reuse = sk->opt.reuseaddr || sk->opt.reuseport;

	if (want->port == 0) {
		return sock_port_within(sk, want, NULL);
	}
	return port_taken(sk, want) ? 0
				    : tcp_port_get(sk->s->tcp, want, reuse);
}

int sock_bind_port(struct sock *sk, const struct endpoint *e)
{
	uint16_t port = port_pick(sk, e);

	if (port == 0) {
		return EADDRINUSE;
	}
	if (!ports_add(&sk->s->bound, &sk->same_port, port)) {
		return ENOBUFS;
	}
	sk->local = *e;
	sk->local.port = port;
	sk->bound = true;
	return 0;
}

void sock_unbind(struct sock *sk)
{
	ports_del(&sk->s->bound, &sk->same_port, sk->local.port);
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
	return sock_bind_port(sk, &e);
}
