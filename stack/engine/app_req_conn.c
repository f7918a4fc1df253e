/* connect()
 *
 * Whoever carries it is asked first: an error of the call itself leaves the
 * program's descriptor untouched.  Then the descriptor is connected to us, and
 * stuffed while the handshake runs.  With CHAN_OP_BEGIN both was done by the
 * shim before, and an error is one of the handshake.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/chan/chan_addr.h"
#include "stack/engine/app.h"

/* What a second connect() gets; 0: this is the first, or as good as.  After a
 * failed attempt that nobody waited for the next call tells its error, or that
 * SO_ERROR told it already; the one after that may succeed. */
static int again(struct app_ent *t)
{
	int err = t->err;

	switch ((enum app_state)t->state) {
	case APP_FRESH:
		t->err = 0;
		if (t->failed) {
			t->failed = false;
			return err ? err : ECONNABORTED;
		}
		return 0;
	case APP_CONNECTING:
		return EALREADY;
	case APP_LISTEN:
	case APP_CONNECTED:
	case APP_DEAD:
		break;
	}
	return EISCONN;
}

static bool had_peer(int fd)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);

	return getpeername(fd, (struct sockaddr *)&un, &len) == 0;
}

/* fd[0] is the program's own socket of that name? */
static bool is_own(const struct app_ent *t, int fd)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	struct chan_name n;

	return fd >= 0 && getsockname(fd, (struct sockaddr *)&un, &len) == 0 &&
	       chan_addr_un_get(&t->app->e->run, &un, len,
				&n) &&
	       n.kind == t->kind && n.id == t->id;
}

/* --- over the core ------------------------------------------------------------ */

/* EINPROGRESS, or the error of the call itself */
static int core_connect(struct app_ent *t, const struct endpoint *to)
{
	struct sock *sk = app_ent_sock(t);
	int err = sk ? sock_connect(sk, app_now(t->app), to) : ENOBUFS;

	app_say_forget(t);
	if (err == EPROTO) {
		app_say_at_once(t, to);
	}
	return err;
}

/* the handshake runs; fd is the other end of the program's descriptor */
static int core_wired(struct app_ent *t, int fd)
{
	int err;

	app_ent_state(t, APP_CONNECTING);
	t->via = APP_VIA_CORE;
	if (t->kfd >= 0) {
		close(t->kfd);
		t->kfd = -1;
	}
	list_del(&t->port);
	err = app_conn_start(t, fd);
	if (err) {
		close(fd);
		app_conn_undo(t);
	}
	return err;
}

static int by_core(struct app_ent *t, struct app_req *r)
{
	int err = core_connect(t, &r->q->addr);
	bool held;
	int fd;

	if (err != EINPROGRESS) {
		return err;
	}
	/* Fast Open: its SYN waits for what the program writes */
	held = sock_connected(t->sk);
	fd = app_wire_connect(t, r->fd[0], !held, &t->stuffed);
	if (fd < 0) {
		err = errno;
		app_conn_undo(t);
		return err;
	}
	err = core_wired(t, fd);
	if (err) {
		return err;
	}
	app_ent_local(t, &r->rep->local);
	r->rep->flags |= CHAN_F_QUICK;
	return held ? 0 : EINPROGRESS;
}

static bool by_core_only(const struct app_ent *t, const struct addr *to)
{
	return t->via != APP_VIA_KERNEL &&
	       (t->via == APP_VIA_CORE ||
		app_scope_connect(t->app->e, to) != APP_SCOPE_KERNEL);
}

static bool family_fits(const struct app_ent *t, const struct addr *to)
{
	return to->family == 4 || (to->family == 6 && t->family == 6);
}

/* why it cannot begin; EINPROGRESS: it did, and fd was taken */
static int begin(struct app_ent *t, const struct chan_req *q, int fd)
{
	int err;

	if (!family_fits(t, &q->addr.addr)) {
		return EAFNOSUPPORT;
	}
	if (!by_core_only(t, &q->addr.addr)) {
		return EADDRNOTAVAIL; /* the shim was not told to do this */
	}
	err = core_connect(t, &q->addr);
	if (err != EINPROGRESS) {
		return err;
	}
	t->stuffed = q->len;
	t->begun = true;
	return core_wired(t, fd) == 0 ? EINPROGRESS : -1;
}

void app_req_begin(struct app *a, const struct chan_req *q, int fd)
{
	struct app_ent *t = app_ent_find(a, q->kind, q->id);
	int err;

	if (!t) {
		t = app_ent_new(a, q->kind, q->family, q->id);
	}
	if (!t || t->family != q->family || t->state != APP_FRESH) {
		app_count(a, APP_WIRE_FAILED);
		close(fd);
		return;
	}
	app_req_early(t, q->early);
	t->blocking = false;
	err = begin(t, q, fd);
	engine_log(a->e, 3, "begin %016llx: %d", (unsigned long long)q->id,
		   err);
	if (err != EINPROGRESS) {
		app_conn_failed(t, err < 0 ? ENOBUFS : err);
		if (err >= 0) {
			close(fd); /* with what is unread: ERR and HUP */
		}
	}
}

/* --- over the kernel ------------------------------------------------------------ */

/* how far connect(2) got: 0, EINPROGRESS, or its error; *later: not the call
 * itself failed.  Over loopback the handshake is done, or refused, when the
 * call returns. */
static int kernel_connect(struct app_ent *t, const struct app_req *r, int k,
			  bool *later)
{
	struct sockaddr_storage ss;
	socklen_t len =
		chan_addr_put(&r->q->addr, t->family, r->q->scope_id, &ss);
	struct pollfd p = { .fd = k, .events = POLLOUT };
	int err = 0;

	*later = false;
	if (connect(k, (struct sockaddr *)&ss, len) == 0) {
		return 0;
	}
	if (errno != EINPROGRESS) {
		return errno;
	}
	if (poll(&p, 1, 0) <= 0) {
		return EINPROGRESS;
	}
	*later = true;
	len = sizeof(err);
	getsockopt(k, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

/* A non-blocking connect() that failed at once says so later, as natively. */
static int fail_later(struct app_ent *t, struct app_req *r, int k, int err)
{
	int fd = app_wire_connect(t, r->fd[0], true, &t->stuffed);

	t->kfd = k;
	if (fd < 0) {
		return errno;
	}
	app_conn_failed(t, err);
	close(fd); /* with what is unread: ERR and HUP for the program */
	return EINPROGRESS;
}

static int wire_kernel(struct app_ent *t, struct app_req *r, int k, int err)
{
	bool pending = err == EINPROGRESS;
	bool later = pending || !t->blocking;
	int fd = app_wire_connect(t, r->fd[0], later, &t->stuffed);

	if (fd < 0) {
		err = errno;
		close(k);
		return err;
	}
	if (pending) {
		app_ent_state(t, APP_CONNECTING);
	} else {
		/* an edge for those who wait for one after EINPROGRESS */
		app_wire_unstuff(fd, t->stuffed, t->app->scratch, RELAY_BUF);
		t->stuffed = 0;
		app_relay_only(t);
	}
	err = app_relay_start(t, fd, k, pending);
	if (err) {
		close(fd);
		close(k);
		app_conn_undo(t);
		return err;
	}
	app_ent_local(t, &r->rep->local);
	return later ? EINPROGRESS : 0;
}

static int by_kernel(struct app_ent *t, struct app_req *r)
{
	bool later, done;
	int k, err;

	if (t->kfd < 0 && r->q->n_fd < 2) {
		return app_req_need_kernel(t, r);
	}
	k = t->kfd >= 0 ? t->kfd : app_req_kernel_fd(t, r, 1);
	if (k < 0) {
		return EINVAL;
	}
	app_ent_probe_port(t->app, r->q->addr.port);
	err = kernel_connect(t, r, k, &later);
	t->kfd = -1;
	if (err && err != EINPROGRESS && later && !t->blocking) {
		return fail_later(t, r, k, err);
	}
	if (err && err != EINPROGRESS) {
		t->kfd = k;
		app_conn_undo(t);
		return err;
	}
	done = err == 0;
	r->rep->flags |= CHAN_F_KERNEL;
	err = wire_kernel(t, r, k, err);
	t->told = err == 0;
	if (done) { /* last: the server may be faster than our answer */
		app_listen_kick(t->app, r->q->addr.port);
	}
	return err;
}

int app_req_connect(struct app_ent *t, struct app_req *r)
{
	const struct addr *to = &r->q->addr.addr;
	int err;

	if (to->family == 0) { /* AF_UNSPEC */
		if (t->state == APP_LISTEN) {
			app_listen_stop(t);
		} else if (t->state != APP_FRESH) {
			app_conn_undo(t);
		}
		return 0;
	}
	err = again(t);
	if (t->state == APP_CONNECTED && !t->told) {
		t->told = true; /* the first question after EINPROGRESS */
		return 0;
	}
	if (err) {
		return err;
	}
	if (!family_fits(t, to)) {
		return EAFNOSUPPORT;
	}
	if (!is_own(t, r->fd[0])) {
		return EINVAL;
	}
	if (had_peer(r->fd[0])) {
		return CHAN_NEED_FRESH;
	}
	t->blocking = !(r->q->flags & CHAN_F_NONBLOCK);
	return by_core_only(t, to) ? by_core(t, r) : by_kernel(t, r);
}
