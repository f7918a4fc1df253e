/* listen and accept: Linux's rules and errors.
 *
 * A listener's bound follows Linux: a SYN is ignored while more than `backlog`
 * connections wait to be accepted (so backlog + 1 do).  While as many as the
 * larger of backlog + 1 and SOCK_HALF_OPEN_MIN are half open it is answered
 * with a cookie (stack/tcp/tcp_cookie.h), and what comes back is a connection
 * if the first bound lets it.  One that was let in is kept when it completes,
 * so a queue never holds more than the sum of both.  One that waits for its
 * first data (TCP_DEFER_ACCEPT) counts as half open, as it is on Linux: TCP
 * keeps it in SYN-RECEIVED (stack/tcp/tcp_defer.h), and where keys are to be
 * exchanged before there can be data, it waits here.
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

static bool half_full(const struct sock *l)
{
	return l->s->cfg.cookies == STACK_COOKIES_ALWAYS ||
	       l->q->n_half >= max_u32(l->q->backlog + 1, SOCK_HALF_OPEN_MIN);
}

static enum mp_admit admit(void *lo, const struct tcp_seg *ack)
{
	struct sock *l = lo;

	if (l->q->n_ready > l->q->backlog || l->s->n_socks >= l->s->cfg.socks_max) {
		return MP_ADMIT_NO;
	}
	if (ack && !tcp_seg_len(ack) && l->opt.defer_accept && half_full(l)) {
		return MP_ADMIT_NO; /* its data will bring the cookie, too */
	}
	if (!ack && half_full(l)) {
		return l->s->cfg.cookies == STACK_COOKIES_NEVER ?
			       MP_ADMIT_NO :
			       MP_ADMIT_STATELESS;
	}
	l->q->n_half++;
	return MP_ADMIT_YES;
}

static void failed(void *lo)
{
	struct sock *l = lo;

	if (l->q->n_half > 0) {
		l->q->n_half--;
	}
}

void sock_undefer(struct sock *sk)
{
	struct stack *s = sk->s;

	if (sk->defer) {
		wheel_cancel(&s->wheel, &sk->defer->timer);
		mem_free(s->env.mem, sk->defer, sizeof(*sk->defer));
		sk->defer = NULL;
	}
}

void sock_queue_ready(struct sock *l, struct sock *sk)
{
	list_del(&sk->q_link);
	if (sk->defer) {
		sock_undefer(sk);
		failed(l);
	}
	list_push_back(&l->q->ready, &sk->q_link);
	l->q->n_ready++;
	sock_event(l, SOCK_EV_ACCEPT);
}

static void defer_over(struct wheel_timer *t, struct instant now)
{
	struct sock *sk = container_of(t, struct sock_defer, timer)->sk;

	(void)now;
	if (sk->listener) {
		sock_queue_ready(sk->listener, sk);
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

/* false: no memory for it */
static bool defer(struct sock *l, struct sock *sk, struct instant now)
{
	struct sock_defer *d = mem_zalloc(l->s->env.mem, sizeof(*d));

	if (!d) {
		return false;
	}
	d->sk = sk;
	sk->defer = d;
	l->q->n_half++;
	list_push_back(&l->q->deferred, &sk->q_link);
	wheel_timer_init(&d->timer, defer_over);
	wheel_arm(&l->s->wheel, &d->timer,
		  instant_add(now, defer_span(l->opt.defer_accept)));
	return true;
}

/* with the listener's options, but for those that are a listener's */
static struct sock *child(struct sock *l)
{
	struct sock *sk = sock_new(l->s, l->family);
	struct mp_conf conf;

	if (!sk) {
		return NULL;
	}
	memcpy(&conf, l->conf, sizeof(conf));
	conf.tcp.tfo_queue = 0;
	conf.tcp.defer_accept = 0;
	if (!sock_conf_set(sk, &conf)) {
		sock_free(sk);
		return NULL;
	}
	sk->opt = l->opt;
	sk->opt.defer_accept = 0;
	return sk;
}

static bool accepted(void *lo, struct instant now, struct mp_conn *c)
{
	struct sock *l = lo;
	struct sock *sk = child(l);

	failed(l); /* no longer half open, whatever comes of it */
	if (!sk) {
		return false;
	}
	sk->kept = sock_kept_inherit(l->kept, l->s->env.mem);
	sk->state = SOCK_OPEN;
	sk->conn = c;
	sk->listener = l;
	sk->saved = mp_take_syn(c);
	mp_set_owner(c, &sock_owner, sk);
	if (mp_read_len(c) > 0 || mp_read_eof(c)) {
		sk->bits |= SOCK_EV_READ;
	} else if (mp_defers(c) && defer(l, sk, now)) {
		return true;
	}
	sock_queue_ready(l, sk);
	return true;
}

static const struct mp_listener_ops listener_ops = { admit, accepted, failed };

static bool make_queue(struct sock *sk)
{
	if (!sk->q) {
		sk->q = mem_zalloc(sk->s->env.mem, sizeof(*sk->q));
		if (sk->q) {
			list_init(&sk->q->ready);
			list_init(&sk->q->deferred);
		}
	}
	return sk->q != NULL;
}

int sock_listen(struct sock *sk, struct instant now, unsigned backlog)
{
	int err = 0;

	if (sk->state == SOCK_LISTENING) {
		sk->q->backlog = min_u32(backlog, SOCK_BACKLOG_MAX);
		return 0;
	}
	if (sk->state != SOCK_IDLE && sk->state != SOCK_FAILED) {
		return EINVAL;
	}
	if (!make_queue(sk)) {
		return ENOBUFS;
	}
	sock_drop_conn(sk, now);
	if (!sk->bound) {
		struct endpoint e = sk->local;

		if (e.addr.family == 0) {
			e = endpoint_make(addr_any(sk->family), 0);
		}
		err = sock_bind_port(sk, &e);
		if (err) {
			return err;
		}
	}
	sk->q->backlog = min_u32(backlog, SOCK_BACKLOG_MAX);
	sk->q->n_half = 0;
	sk->q->lst =
		mp_listen(sk->s->mp, &sk->local,
			  sk->family == 6 && !sk->opt.v6only, sk->opt.reuseport,
			  sk->conf, &listener_ops, sk, &err);
	if (!sk->q->lst) {
		return err;
	}
	sock_opt_tcp_key(sk);
	sk->state = SOCK_LISTENING;
	return 0;
}

void sock_stop_listen(struct sock *sk, struct instant now)
{
	struct list *n;

	if (sk->state != SOCK_LISTENING) {
		return;
	}
	mp_unlisten(sk->s->mp, sk->q->lst);
	sk->q->lst = NULL;
	sk->state = SOCK_IDLE;
	/* as Linux: nobody will ever take them, so their peers learn it now */
	while ((n = list_pop_front(&sk->q->ready)) != NULL ||
	       (n = list_pop_front(&sk->q->deferred)) != NULL) {
		sock_end_conn(list_entry(n, struct sock, q_link), now, true);
	}
	sk->q->n_ready = 0;
	sk->q->n_half = 0;
}

struct sock *sock_accept(struct sock *listener, struct instant now)
{
	struct list *n = listener->q ? list_pop_front(&listener->q->ready)
				     : NULL;
	struct sock *sk;

	(void)now;
	if (!n) {
		return NULL;
	}
	check(listener->q->n_ready > 0);
	listener->q->n_ready--;
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
	list_push_front(&listener->q->ready, &sk->q_link);
	listener->q->n_ready++;
}

void sock_pass_on(struct sock *listener, struct sock *sk)
{
	check(!sk->listener && listener->s == sk->s);
	sock_event_drop(sk);
	sk->listener = listener;
	sock_queue_ready(listener, sk);
}
