/* Connections for a program that listens: from the core, from a kernel socket
 * (local clients of a wildcard, loopback), or from both.  Each becomes a
 * socket with the name CONN, connected to the program's AF_UNIX listener.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/engine/app.h"

/* no two alike, and in no order */
static uint64_t new_id(struct app *a)
{
	uint64_t n = ++a->conns;

	return siphash13(&a->key, &n, sizeof(n));
}

void app_retry_soon(struct app *a)
{
	if (instant_never(a->next_retry)) {
		a->next_retry = instant_add(app_now(a), APP_RETRY);
	}
}

static void wait_for_room(struct app_ent *l)
{
	struct app *a = l->app;

	if (!list_linked(&l->q->wait)) {
		app_count(a, APP_BACKLOG_WAIT);
		list_push_back(&a->waiting, &l->q->wait);
	}
	app_retry_soon(a);
}

/* Another listener of the same address and port (SO_REUSEPORT), or NULL.  That a
 * program closed one of several is seen only when it is tried: what came to
 * that one since then, or waits there, is the others'. */
static struct app_ent *other(const struct app_ent *l)
{
	struct endpoint e, o;

	if (!app_ent_local(l, &e)) {
		return NULL;
	}
	list_each(n, &l->app->bound) {
		struct app_ent *t = list_entry(n, struct app_ent, port);

		if (t != l && t->state == APP_LISTEN && !t->buried &&
		    t->family == l->family && app_ent_local(t, &o) &&
		    endpoint_eq(&e, &o)) {
			return t;
		}
	}
	return NULL;
}

static bool deliver_kernel(struct app_ent *l, int k);

/* Closed at once when nobody waits any more: whoever comes between the two is
 * reset by the kernel. */
static void inherit_kernel(struct app_ent *next, struct app_ent *l)
{
	int k;

	if (app_watch_take(&l->app->set, &l->q->kl) < 0) {
		return;
	}
	while (!next->buried && next->q->parked_fd < 0 &&
	       (k = accept4(l->kfd, NULL, NULL,
			    SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		deliver_kernel(next, k);
	}
	close(l->kfd);
	l->kfd = -1;
}

/* returns who takes its place, or NULL */
static struct app_ent *gone(struct app_ent *l)
{
	struct app_ent *next = other(l);
	struct sock *sk;

	app_count(l->app, APP_LISTENER_GONE);
	list_del(&l->port); /* nobody's place any more */
	while (next && next->sk && l->sk &&
	       (sk = sock_accept(l->sk, app_now(l->app))) != NULL) {
		sock_pass_on(next->sk, sk);
	}
	if (next) {
		inherit_kernel(next, l);
	}
	app_ent_free(l);
	return next && !next->buried ? next : NULL;
}

/* our end of a new connection to the program, and its entry; NULL: not now, or
 * *to is NULL: nobody listens */
static struct app_ent *deliver(struct app_ent **to,
			       const struct endpoint *local,
			       const struct endpoint *remote, int *fd)
{
	struct app_ent *l = *to;
	struct chan_name n = { .kind = CHAN_KIND_CONN,
			       .family = l->family,
			       .id = new_id(l->app),
			       .local = *local,
			       .remote = *remote };
	struct app_ent *t;

	while ((*fd = app_wire_accept(l, &n)) < 0) {
		if (errno != ECONNREFUSED) {
			wait_for_room(l);
			return NULL;
		}
		l = *to = gone(l);
		if (!l) {
			return NULL;
		}
	}
	t = app_ent_new(l->app, CHAN_KIND_CONN, l->family, n.id);
	if (!t) {
		close(*fd);
		wait_for_room(l);
		return NULL;
	}
	t->rcvbuf = l->rcvbuf;
	t->told = true;
	app_ent_state(t, APP_CONNECTED);
	return t;
}

/* also of a connection that is over before it was accepted: as on Linux the
 * program gets it, with its octets and its error */
static bool names(const struct sock *sk, struct endpoint *local,
		  struct endpoint *remote)
{
	struct mp_info info;

	if (!sock_local(sk, local)) {
		return false;
	}
	if (sock_remote(sk, remote)) {
		return true;
	}
	if (!sock_info(sk, &info) || info.n_subs == 0) {
		return false;
	}
	*remote = info.sub[0].t.remote;
	return true;
}

static bool deliver_core(struct app_ent *l, struct sock *sk)
{
	struct instant now = app_now(l->app);
	struct endpoint local, remote;
	struct app_ent *t;
	int fd;

	if (!names(sk, &local, &remote)) {
		sock_close(sk, now, true);
		return true;
	}
	t = deliver(&l, &local, &remote, &fd);
	if (!t) {
		if (l && l->sk) {
			sock_unaccept(l->sk, sk);
		} else {
			sock_close(sk, now, true);
		}
		return false;
	}
	t->via = APP_VIA_CORE;
	t->sk = sk;
	sock_set_user(sk, t);
	if (app_conn_start(t, fd) != 0) {
		close(fd);
		app_ent_free(t);
		return true;
	}
	app_again(t);
	return true;
}

void app_listen_core(struct app_ent *l)
{
	struct sock *sk;

	while (!l->buried && l->state == APP_LISTEN && l->sk &&
	       (sk = sock_accept(l->sk, app_now(l->app))) != NULL) {
		if (!deliver_core(l, sk)) {
			return;
		}
	}
}

/* false: k waits in parked_fd, or the listener is gone */
static bool deliver_kernel(struct app_ent *l, int k)
{
	struct endpoint local, remote;
	struct app_ent *t;
	int fd;

	if (!app_ent_name_of(k, true, &remote) ||
	    !app_ent_name_of(k, false, &local)) {
		close(k); /* reset meanwhile */
		return true;
	}
	t = deliver(&l, &local, &remote, &fd);
	if (!t) {
		if (l && l->q->parked_fd < 0) {
			l->q->parked_fd = k;
		} else {
			close(k);
		}
		return false;
	}
	t->via = APP_VIA_KERNEL;
	if (app_relay_start(t, fd, k, false) != 0) {
		close(fd);
		close(k);
		app_ent_free(t);
	}
	return true;
}

static void from_kernel(struct app_ent *l)
{
	while (!l->buried && l->state == APP_LISTEN && l->q->parked_fd < 0 &&
	       l->q->kl.fd >= 0) {
		int k = accept4(l->q->kl.fd, NULL, NULL,
				SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (k >= 0) {
			deliver_kernel(l, k);
			continue;
		}
		/* EACCES, EPERM: of a security module, before it took anything */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM || errno == EACCES || errno == EPERM) {
			wait_for_room(l);
			return;
		}
		if (errno == EAGAIN || errno == EINVAL || errno == EBADF) {
			return;
		}
		/* accept(2): errors of the connection are for the next call */
	}
}

static void kl_event(struct app_watch *w, uint32_t ev)
{
	(void)ev;
	from_kernel(container_of(w, struct app_queue, kl)->l);
}

static void retry(struct app_ent *l)
{
	int k = l->q->parked_fd;

	l->q->parked_fd = -1;
	if (k >= 0 && !deliver_kernel(l, k)) {
		return;
	}
	from_kernel(l);
	if (!l->buried && !list_linked(&l->q->wait)) {
		app_listen_core(l);
	}
}

void app_listen_retry(struct app *a)
{
	struct list again;
	struct list *n;

	if (!instant_due(a->next_retry, app_now(a))) {
		return;
	}
	a->next_retry = INSTANT_NEVER;
	if (a->starved) {
		a->starved = false;
		app_ctl_accept(a);
	}
	list_init(&again);
	while ((n = list_pop_front(&a->waiting)) != NULL) {
		list_push_back(&again, n);
	}
	while ((n = list_pop_front(&again)) != NULL) {
		retry(list_entry(n, struct app_queue, wait)->l);
	}
}

void app_listen_kick(struct app *a, uint16_t port)
{
	list_each_safe (n, &a->bound) {
		struct app_ent *l = list_entry(n, struct app_ent, port);
		struct endpoint e;

		if (l->state == APP_LISTEN && l->q->kl.fd >= 0 &&
		    app_ent_name_of(l->q->kl.fd, false, &e) && e.port == port) {
			from_kernel(l);
		}
	}
}

static bool make_queue(struct app_ent *l)
{
	if (l->q) {
		return true;
	}
	l->q = mem_zalloc(&l->app->mem, sizeof(*l->q));
	if (l->q) {
		l->q->l = l;
		l->q->kl.fd = l->q->parked_fd = -1;
		list_init(&l->q->wait);
	}
	return l->q != NULL;
}

int app_listen_start(struct app_ent *l, int backlog)
{
	struct app *a = l->app;
	int err = 0;

	if (!make_queue(l)) {
		return ENOBUFS;
	}
	if (l->kfd >= 0) {
		if (listen(l->kfd, backlog) != 0) {
			return errno;
		}
		if (l->q->kl.fd < 0) {
			err = app_watch_add(&a->set, &l->q->kl, l->kfd, EPOLLIN,
					    kl_event);
		}
	}
	if (err == 0 && l->via != APP_VIA_KERNEL) {
		err = app_ent_sock(l) ? sock_listen(l->sk, app_now(a),
						    (unsigned)backlog)
				      : ENOBUFS;
	}
	if (err) {
		return err;
	}
	app_ent_state(l, APP_LISTEN);
	if (!list_linked(&l->port)) {
		list_push_back(&a->bound, &l->port);
	}
	return 0;
}

void app_listen_stop(struct app_ent *l)
{
	struct app *a = l->app;

	app_watch_take(&a->set, &l->q->kl);
	if (l->kfd >= 0) {
		/* Linux: back to a socket that is bound, and can listen again */
		shutdown(l->kfd, SHUT_RD);
	}
	if (l->q->parked_fd >= 0) {
		close(l->q->parked_fd);
		l->q->parked_fd = -1;
	}
	if (l->sk) {
		sock_shutdown_read(l->sk, app_now(a));
	}
	list_del(&l->q->wait);
	app_ent_state(l, APP_FRESH);
}
