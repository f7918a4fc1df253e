/* How a connection of the core comes to be and ends, at a program's descriptor
 *
 * The rules of an end are those of relay.c:
 *
 *   closed with unread octets   reset
 *   closed                      what the program wrote is delivered, then the
 *                               core is left to finish alone
 *   shut both ways, not closed  FIN; what arrives is dropped
 *   the connection was lost     what had arrived is delivered, then our end is
 *                               closed and the errno kept for who asks
 */
#include <errno.h>
#include <sys/socket.h>

#include "stack/engine/app.h"

/* --- ends ------------------------------------------------------------------------ */

static void reset(struct app_ent *t)
{
	struct sock *sk = t->sk;

	t->sk = NULL;
	sock_close(sk, app_now(t->app), true);
	app_ent_free(t);
}

/* after the program closed: true when there is no more to do this turn */
static bool closed_over(struct app_ent *t)
{
	if (app_move_resets(t)) {
		app_move_reset_soon(t); /* octets that nobody will read */
		return true;
	}
	if (t->in_eof) {
		app_ent_free(t);
		return true;
	}
	return false; /* what it wrote waits for room in the ring */
}

void app_conn_go_on(struct app_ent *t)
{
	if (t->state != APP_CONNECTED || t->buried) {
		return;
	}
	if (app_relayed(t)) {
		relay_go_on(t->relay);
		return;
	}
	if (t->resetting && t->reset_turn == t->app->turns) {
		app_again(t);
		return;
	}
	if (t->resetting) {
		reset(t);
		return;
	}
	app_move_in(t);
	if (t->resetting || (t->closed && closed_over(t))) {
		return;
	}
	app_move_out(t);
	if (t->ending && (t->hup || t->ask_rd || sock_read_len(t->sk) == 0)) {
		app_ent_die(t, t->err, false);
	} else if (t->hup && t->in_eof && t->out_eof) {
		/* both FINs: the core does the rest */
		app_ent_die(t, 0, false);
	}
}

/* the program closed, or shut, while the handshake runs */
static void gave_up(struct app_ent *t)
{
	app_count(t->app, APP_CONNECT_GONE);
	app_ent_free(t);
}

static void u_event(struct app_watch *w, uint32_t ev)
{
	struct app_ent *t = container_of(w, struct app_ent, u);

	if (t->state == APP_CONNECTING) {
		if (ev & (EPOLLHUP | EPOLLERR)) {
			gave_up(t);
		} else if (ev & (EPOLLPRI | EPOLLRDHUP)) {
			t->can_in = true; /* to be looked at later */
			t->in_all = true;
			t->oob |= (ev & EPOLLPRI) != 0;
		} else if (t->stuffed == 0) {
			t->can_in = true; /* for Fast Open */
		}
		return;
	}
	if (t->state != APP_CONNECTED) {
		return;
	}
	if (ev & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		t->can_in = true;
		t->in_all |= (ev & ~(uint32_t)(EPOLLIN | EPOLLOUT)) != 0;
		t->oob |= (ev & EPOLLPRI) != 0;
	}
	if (ev & EPOLLOUT) {
		t->can_out = true;
		app_watch_want(&t->app->set, w,
			       t->u.want & ~(uint32_t)EPOLLOUT);
		sock_read_held(t->sk, app_now(t->app), 0);
	}
	if ((ev & EPOLLHUP) && !t->hup) {
		app_move_hup(t, (ev & EPOLLERR) != 0);
	}
	if (!t->resetting) {
		app_conn_go_on(t);
	}
}

/* Linux: the bound port and the options stay */
void app_conn_undo(struct app_ent *t)
{
	const struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	const struct endpoint none = { 0 };
	struct app *a = t->app;

	if (app_relayed(t)) {
		t->kfd = relay_leave(t->relay);
	}
	app_watch_close(&a->set, &t->u);
	if (t->kfd >= 0) {
		connect(t->kfd, &unspec, sizeof(unspec));
	}
	/* after a failed attempt it tells the error and is idle then; one that
	 * is connected, or still tries, cannot go back */
	if (t->sk && (t->state == APP_CONNECTED ||
		      sock_connect(t->sk, app_now(a), &none) == EALREADY)) {
		struct sock *sk = t->sk;

		t->sk = NULL;
		sock_close(sk, app_now(a), true);
	}
	if (!list_linked(&t->port)) {
		t->via = APP_VIA_ANY;
	}
	t->in_eof = t->out_eof = t->hup = t->closed = false;
	t->ask_rd = t->ask_wr = t->ending = t->was_eof = false;
	t->since = (struct instant){ 0 };
	t->can_in = t->in_all = t->oob = t->in_much = false;
	t->begun = t->roomy = false;
	t->stuffed = 0;
	t->told = t->failed = false;
	t->err = 0;
	app_ent_state(t, APP_FRESH);
}

void app_conn_failed(struct app_ent *t, int err)
{
	app_conn_undo(t);
	t->err = err;
	t->failed = true;
}

static void lost(struct app_ent *t, int err)
{
	if (t->state == APP_CONNECTING) {
		if (err == EPROTO) {
			app_say_refused(t);
		}
		app_conn_failed(t, err ? err : ECONNRESET);
		return;
	}
	t->err = err ? err : ECONNRESET;
	t->ending = true;
	shutdown(t->u.fd, SHUT_RD); /* writes fail now */
	app_conn_go_on(t);
}

static void established(struct app_ent *t)
{
	uint32_t keep;

	app_say_begun(t);
	keep = t->begun && t->stuffed > 0 && t->line ? 1 : 0;
	app_ent_state(t, APP_CONNECTED);
	/* not all of it may be there yet: the shim is still writing */
	t->stuffed = keep + app_wire_unstuff(t->u.fd, t->stuffed - keep,
					     t->app->scratch, RELAY_BUF);
	t->can_out = true;
	if (t->rcvbuf) {
		app_wire_buf(t, &t->u);
	}
	app_conn_go_on(t);
}

void app_conn_event(struct app_ent *t, unsigned bits)
{
	if (t->resetting) {
		return; /* next turn */
	}
	if ((bits & SOCK_EV_CONNECTED) && t->state == APP_CONNECTING) {
		established(t);
	}
	if (t->buried || !t->sk) {
		return;
	}
	if (t->unproven && (bits & (SOCK_EV_READ | SOCK_EV_CLOSED))) {
		app_say_seen(t);
	}
	if (bits & SOCK_EV_CLOSED) {
		bool begun = t->state != APP_CONNECTING;
		int err = begun ? sock_error(t->sk) : sock_error_peek(t->sk);

		if (err || t->state == APP_CONNECTING) {
			lost(t, err);
			return;
		}
	}
	app_conn_go_on(t);
}

/* --- beginning ---------------------------------------------------------------------- */

int app_conn_start(struct app_ent *t, int fd)
{
	const int on = 1;
	int err = app_watch_add(&t->app->set, &t->u, fd,
				EPOLLIN | EPOLLPRI | EPOLLRDHUP, u_event);

	/* urgent octets of the program: in their place */
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	if (err == 0 && t->state == APP_CONNECTED) {
		t->can_out = true; /* what is there to be read is told */
		if (t->rcvbuf) {
			app_wire_buf(t, &t->u);
		}
	}
	return err;
}

void app_conn_shutdown(struct app_ent *t, int how)
{
	if (app_relayed(t)) {
		relay_shutdown(t->relay, how);
	} else {
		if (how == SHUT_WR || how == SHUT_RDWR) {
			t->ask_wr = true;
		}
		if ((how == SHUT_RD || how == SHUT_RDWR) && !t->ask_rd) {
			t->ask_rd = true;
			shutdown(t->u.fd, SHUT_WR);
			app_conn_go_on(t);
		}
	}
	if (app_relayed(t) ? t->relay->ask_wr && t->relay->ask_rd
			   : t->ask_wr && t->ask_rd) {
		app_ent_shut(t);
	}
}

void app_conn_said(struct app_ent *t)
{
	if (t->stuffed > 0 && t->state == APP_CONNECTED && !t->line) {
		t->can_in = true;
		app_again(t);
	}
}

void app_conn_urgent(struct app_ent *t)
{
	if (app_relayed(t)) {
		relay_urgent(t->relay);
		return;
	}
	t->can_in = true;
	t->in_all = true;
	app_conn_go_on(t);
	if (!t->buried && t->sk) {
		sock_urgent(t->sk, app_now(t->app));
	}
}
