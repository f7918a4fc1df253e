/* bind() and listen()
 *
 *   an own address of a path   the core only
 *   loopback, excluded         a kernel socket only
 *   the wildcard               both, with the same port
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/engine/app.h"

static void hold_port(struct app_ent *t)
{
	if (!list_linked(&t->port)) {
		list_push_back(&t->app->bound, &t->port);
	}
}

static int bind_core(struct app_ent *t, const struct endpoint *e)
{
	struct sock *sk = app_ent_sock(t);
	int err = sk ? sock_bind(sk, e) : ENOBUFS;

	if (err == 0) {
		hold_port(t);
	}
	return err;
}

static int bind_kernel(struct app_ent *t, struct app_req *r,
		       const struct endpoint *e)
{
	bool both = app_scope_bind(t->app->e, &e->addr) == APP_SCOPE_BOTH;
	int fd = app_req_kernel_fd(t, r, 0);
	int err;

	if (fd < 0) {
		return EINVAL;
	}
	if (both) {
		err = bind_core(t, e);
		if (err) {
			close(fd);
			if (err == EADDRINUSE && t->bind_zero) {
				r->rep->flags |= CHAN_F_AGAIN;
			}
			return err;
		}
	} else {
		t->via = APP_VIA_KERNEL;
		if (t->sk) {
			sock_close(t->sk, app_now(t->app), false);
			t->sk = NULL;
		}
	}
	t->kfd = fd;
	hold_port(t);
	return 0;
}

/* an address of the entry's family; the wildcard for a listener */
static int bind_to(struct app_ent *t, struct app_req *r,
		   const struct endpoint *e)
{
	int err;

	if (t->state != APP_FRESH || list_linked(&t->port)) {
		return EINVAL;
	}
	if (t->kfd >= 0) { /* of a failed attempt to connect */
		close(t->kfd);
		t->kfd = -1;
	}
	if (r->q->n_fd > 0) {
		err = bind_kernel(t, r, e);
	} else {
		t->bind_zero = e->port == 0;
		if (!t->bind_zero) {
			app_ent_probe_port(t->app, e->port);
		}
		if (app_scope_bind(t->app->e, &e->addr) != APP_SCOPE_CORE) {
			return app_req_need_kernel(t, r);
		}
		err = bind_core(t, e);
		if (err == 0) {
			t->via = APP_VIA_CORE;
		}
	}
	app_ent_local(t, &r->rep->local);
	return err;
}

int app_req_bind(struct app_ent *t, struct app_req *r)
{
	const struct endpoint *e = &r->q->addr;

	if (e->addr.family != 4 && e->addr.family != 6) {
		return EAFNOSUPPORT;
	}
	if (t->family == 4 && e->addr.family != 4) {
		return EAFNOSUPPORT;
	}
	return bind_to(t, r, e);
}

int app_req_listen(struct app_ent *t, struct app_req *r)
{
	struct endpoint any = endpoint_make(addr_any(t->family), 0);
	int err;

	if (t->state != APP_FRESH && t->state != APP_LISTEN) {
		return EINVAL;
	}
	if (t->state == APP_FRESH && !list_linked(&t->port)) {
		if (r->q->n_fd > 0) {
			any.port = r->q->addr.port;
		}
		err = bind_to(t, r, &any);
		if (err) {
			return err;
		}
	}
	err = app_listen_start(t, r->q->level);
	app_ent_local(t, &r->rep->local);
	return err;
}
