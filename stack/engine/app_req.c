/* One request of a program, answered.  The rest of app_req*.c has the larger
 * handlers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "stack/base/check.h"
#include "stack/engine/app.h"

static void put_int(struct app_req *r, int v)
{
	memcpy(r->rep->val, &v, sizeof(v));
	r->rep->len = sizeof(v);
}

/* behind the int, once */
static void put_line(struct app_ent *t, struct app_req *r)
{
	size_t n;

	if (!t->line) {
		return;
	}
	n = min_size(strlen(t->line), CHAN_VAL_MAX - r->rep->len);
	memcpy(r->rep->val + r->rep->len, t->line, n);
	r->rep->len += (uint32_t)n;
	app_say_forget(t);
}

static int names(struct app_ent *t, struct app_req *r)
{
	app_ent_local(t, &r->rep->local);
	app_ent_remote(t, &r->rep->remote);
	if (app_relayed(t) || t->via == APP_VIA_KERNEL) {
		r->rep->flags |= CHAN_F_KERNEL;
	}
	return 0;
}

int app_req_error(struct app_ent *t)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (t->err || t->state == APP_DEAD || t->ending) {
		err = t->err;
		t->err = 0;
		if (t->blocking) {
			t->failed = false; /* connect() has told it */
		}
	} else if (app_relayed(t)) {
		getsockopt(t->relay->k.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	} else if (t->sk) {
		err = sock_error(t->sk);
	}
	return err;
}

/* SO_ERROR, which also has what does not end a connection */
static int so_error(struct app_ent *t)
{
	int err = app_req_error(t);

	return err || app_relayed(t) || !t->sk ? err : sock_soft_error(t->sk);
}

/* After the peer's FIN reads stay at 0 for ever, whatever came later.  After a
 * failed attempt they tell its error, then 0, and once a connect() has ended
 * it, that there is no connection. */
static int why(struct app_ent *t)
{
	int err = t->was_eof ? 0 : app_req_error(t);

	return !err && t->state == APP_FRESH && !t->failed ? ENOTCONN : err;
}

static int do_shutdown(struct app_ent *t, int how)
{
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
		return EINVAL;
	}
	switch ((enum app_state)t->state) {
	case APP_LISTEN:
		if (how != SHUT_WR) {
			app_listen_stop(t);
		}
		return 0;
	case APP_CONNECTING:
		app_conn_undo(t); /* Linux: back to an unconnected socket */
		return 0;
	case APP_CONNECTED:
		app_conn_shutdown(t, how);
		return 0;
	case APP_FRESH:
	case APP_DEAD:
		break;
	}
	return ENOTCONN;
}

/* SIOCOUTQ, or SIOCOUTQNSD: only of what was not sent */
static int outq(struct app_ent *t, struct app_req *r)
{
	bool unsent = r->q->name == SIOCOUTQNSD;
	uint64_t n = 0;

	if (t->state == APP_LISTEN) {
		return EINVAL;
	}
	if (app_relayed(t)) {
		n = relay_outq(t->relay, unsent);
	} else if (t->sk && t->state == APP_CONNECTED) {
		n = unsent ? sock_outq_unsent(t->sk) : sock_outq(t->sk);
		n += (uint64_t)app_move_inq(t);
	}
	put_int(r, (int)min_u64(n, INT32_MAX));
	return 0;
}

static int urgent(struct app_ent *t)
{
	if (t->state != APP_CONNECTED) {
		return t->state == APP_DEAD ? EPIPE : ENOTCONN;
	}
	app_conn_urgent(t);
	return 0;
}

int app_req_need_kernel(const struct app_ent *t, struct app_req *r)
{
	const struct app_opts *o = t->opts;

	for (unsigned i = 0; o && i < o->n; i++) {
		if (!sock_opt_private(o->opt[i].level, o->opt[i].name)) {
			r->rep->opt[r->rep->n_opt++] = o->opt[i];
		}
	}
	return CHAN_NEED_KERNEL;
}

static bool sock_is(int fd, int what, int value)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, what, &v, &len) == 0 && v == value;
}

int app_req_kernel_fd(const struct app_ent *t, struct app_req *r, unsigned i)
{
	int fd = r->fd[i];

	if (fd < 0 || !sock_is(fd, SO_TYPE, SOCK_STREAM) ||
	    !sock_is(fd, SO_PROTOCOL, IPPROTO_TCP) ||
	    !sock_is(fd, SO_DOMAIN, t->family == 6 ? AF_INET6 : AF_INET)) {
		return -1;
	}
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	r->fd[i] = -1;
	return fd;
}

static int for_entry(struct app_ent *t, struct app_req *r)
{
	switch ((enum chan_op)r->q->op) {
	case CHAN_OP_CONNECT:
		return app_req_connect(t, r);
	case CHAN_OP_BIND:
		return app_req_bind(t, r);
	case CHAN_OP_LISTEN:
		return app_req_listen(t, r);
	case CHAN_OP_NAMES:
		return names(t, r);
	case CHAN_OP_SETSOCKOPT:
		return app_req_setsockopt(t, r);
	case CHAN_OP_GETSOCKOPT:
		return app_req_getsockopt(t, r);
	case CHAN_OP_SHUTDOWN:
		return do_shutdown(t, r->q->level);
	case CHAN_OP_WHY:
		return why(t);
	case CHAN_OP_ERROR:
		put_int(r, so_error(t));
		put_line(t, r);
		app_conn_said(t);
		if (t->blocking) { /* the end of that connect() */
			t->told = true;
		}
		return 0;
	case CHAN_OP_OUTQ:
		return outq(t, r);
	case CHAN_OP_URGENT:
		return urgent(t);
	case CHAN_OP_HELLO:
	case CHAN_OP_BEGIN: /* not on a connection for requests */
		break;
	}
	return EINVAL;
}

/* Accepted sockets exist from birth; one that we do not know was forgotten,
 * with whatever error it had. */
static int unknown(struct app_req *r)
{
	switch (r->q->op) {
	case CHAN_OP_WHY:
		return ECONNRESET;
	case CHAN_OP_NAMES:
		return 0;
	case CHAN_OP_ERROR:
	case CHAN_OP_OUTQ:
		put_int(r, 0);
		return 0;
	default:
		return ENOTCONN;
	}
}

int app_req(struct app *a, struct app_req *r)
{
	const struct chan_req *q = r->q;
	struct app_ent *t;

	if (q->op == CHAN_OP_HELLO) {
		return 0;
	}
	t = app_ent_find(a, q->kind, q->id);
	if (!t && (q->kind == CHAN_KIND_CONN || q->op == CHAN_OP_WHY)) {
		return unknown(r);
	}
	if (!t) {
		t = app_ent_new(a, q->kind, q->family, q->id);
	}
	if (!t) {
		return ENOBUFS;
	}
	if (t->family != q->family) {
		return EINVAL;
	}
	app_req_early(t, q->early);
	return for_entry(t, r);
}
