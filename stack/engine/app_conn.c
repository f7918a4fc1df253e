/* Octets between a connection of the core and a program's descriptor
 *
 * In: from the descriptor straight into the connection's send ring.  Out: from
 * the packets' buffers straight into the descriptor.  Nothing is kept here:
 * what the other side cannot take stays where it is.
 *
 * HUP on our end means that both of its directions are shut; relay.c says how
 * a close is told from a shutdown, and the rules here are the same:
 *
 *   closed with unread octets   reset
 *   closed                      what the program wrote is delivered, then the
 *                               core is left to finish alone
 *   shut both ways, not closed  FIN; what arrives is dropped
 *   the connection was lost     what had arrived is delivered, then our end is
 *                               closed and the errno kept for who asks
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/engine/app.h"

static_assert(sizeof(struct iov) == sizeof(struct iovec), "passed as one");
static_assert(sizeof(struct iov_mut) == sizeof(struct iovec), "likewise");

#define FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)

static int inq(const struct app_ent *t)
{
	int n = 0;

	return t->u.fd >= 0 && ioctl(t->u.fd, SIOCINQ, &n) == 0 ? n : 0;
}

int app_conn_inq(const struct app_ent *t)
{
	int n = inq(t);

	return n > (int)t->stuffed ? n - (int)t->stuffed : 0;
}

/* --- program to core --------------------------------------------------------- */

static void move_in(struct app_ent *t);

/* What the program wrote would natively be on its way since its write(): what
 * the core can send this turn goes before the reset. */
static void reset_soon(struct app_ent *t)
{
	t->resetting = true;
	t->reset_turn = t->app->turns;
	app_again(t);
}

static void seen_hup(struct app_ent *t, bool err)
{
	int e = 0;
	socklen_t len = sizeof(e);

	t->hup = true;
	t->closed = !(t->ask_wr && (t->out_eof || t->ask_rd)) && !t->ending;
	if (!t->closed) {
		return;
	}
	if (err && getsockopt(t->u.fd, SOL_SOCKET, SO_ERROR, &e, &len) == 0 &&
	    e) {               /* closed with unread octets */
		reset_soon(t); /* first: the end of file is no FIN */
		move_in(t);
	}
}

/* An end of file of a program that closed comes with HUP, and may mean a reset:
 * to be known before a FIN is sent, whichever event came first. */
static void look_for_hup(struct app_ent *t)
{
	struct pollfd p = { .fd = t->u.fd };

	if (!t->hup && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP)) {
		seen_hup(t, (p.revents & POLLERR) != 0);
	}
}

/* closed in a way that TCP answers with a reset */
static bool resets(const struct app_ent *t)
{
	return t->closed &&
	       (sock_read_len(t->sk) > 0 || sock_linger_zero(t->sk));
}

/* the next octet is the program's urgent one */
static bool at_mark(struct app_ent *t)
{
	int yes = 0;

	t->app->set.calls++;
	return ioctl(t->u.fd, SIOCATMARK, &yes) == 0 && yes;
}

/* Stuffing that is still there is taken out before the program's octets; false:
 * there are none yet.  With a line for the program its last octet stays as the
 * sign of that, until something is behind it. */
static bool past_stuffing(struct app_ent *t)
{
	t->app->set.calls++;
	if (t->line && t->begun && t->stuffed == 1 && !t->hup &&
	    inq(t) <= 1) {
		t->can_in = false;
		return false;
	}
	t->stuffed = app_wire_unstuff(t->u.fd, t->stuffed, t->app->scratch,
				      RELAY_BUF);
	if (t->stuffed > 0 && !t->hup) {
		t->can_in = false;
		return false;
	}
	t->stuffed = 0;
	return true;
}

void app_conn_said(struct app_ent *t)
{
	if (t->stuffed > 0 && t->state == APP_CONNECTED && !t->line) {
		t->can_in = true;
		app_again(t);
	}
}

/* octets moved; 0: nothing more for now */
static uint32_t in_once(struct app_ent *t)
{
	struct iov_mut v[2];
	struct msghdr m = { .msg_iov = (struct iovec *)(void *)v };
	int urgent = 0;
	size_t room = 0;
	ssize_t n;

	/* the ring grows to what is asked for */
	m.msg_iovlen = sock_write_vec(
		t->sk, t->in_much ? APP_CONN_TURN : APP_CONN_LITTLE, v);
	if (m.msg_iovlen == 0) {
		return 0; /* SOCK_EV_WRITE follows */
	}
	for (size_t i = 0; i < m.msg_iovlen; i++) {
		room += v[i].n;
	}
	if (t->oob && at_mark(t)) {
		urgent = 1;
		m.msg_iovlen = 1;
		v[0].n = 1;
	}
	t->app->set.calls++;
	n = recvmsg(t->u.fd, &m, MSG_DONTWAIT);
	sock_write_done(t->sk, app_now(t->app), n > 0 ? (uint32_t)n : 0);
	if (n > 0) {
		if (urgent) {
			sock_urgent(t->sk, app_now(t->app));
		}
		t->in_much = (size_t)n == room ||
			     (t->in_much && n >= (ssize_t)APP_CONN_LITTLE);
		/* less than there was room for is all there was */
		if ((size_t)n < room && !t->in_all) {
			t->can_in = false;
		}
		return (uint32_t)n;
	}
	if (n == 0) {
		t->in_eof = true;
		look_for_hup(t);
	} else if (errno == EAGAIN) {
		t->can_in = false;
		t->in_all = false;
		t->oob = false;
	} else if (errno != EINTR) { /* closed with unread octets */
		t->in_eof = true;
		reset_soon(t);
	}
	return 0;
}

static void move_in(struct app_ent *t)
{
	uint32_t total = 0;

	while (t->can_in && !t->in_eof && !t->ending) {
		uint32_t n = t->stuffed == 0 || past_stuffing(t) ? in_once(t)
								 : 0;

		if (n == 0) {
			break;
		}
		total += n;
		if (total >= APP_CONN_TURN) {
			app_again(t);
			return;
		}
	}
	if (t->in_eof && !t->resetting && !resets(t)) {
		sock_shutdown_write(t->sk, app_now(t->app)); /* idempotent */
	}
}

/* --- core to program --------------------------------------------------------- */

/* what the program did not take yet still counts against the window */
static void blocked(struct app_ent *t)
{
	int held = 0;

	t->can_out = false;
	app_watch_want(&t->app->set, &t->u, t->u.want | EPOLLOUT);
	t->app->set.calls++;
	if (ioctl(t->u.fd, SIOCOUTQ, &held) == 0 && held > 0) {
		sock_read_held(t->sk, app_now(t->app), (uint32_t)held);
	}
}

/* Most connections never fill what the kernel gives: more when it is needed. */
static bool grow(struct app_ent *t)
{
	if (t->roomy || t->rcvbuf) {
		return false;
	}
	t->roomy = true;
	app_wire_buf(t, &t->u);
	return true;
}

static void drop_in(struct app_ent *t)
{
	uint64_t n = sock_read_len(t->sk);

	if (n > 0) {
		sock_read_done(t->sk, app_now(t->app), n);
	}
}

/* The urgent octet goes out of line, where the kernel can; what the program
 * makes of it is between it and its own end (SO_OOBINLINE). */
static ssize_t send_out(struct app_ent *t, const struct msghdr *m)
{
	int urgent = sock_read_mark(t->sk) == 0 ? MSG_OOB : 0;
	ssize_t n;

	t->app->set.calls++;
	n = sendmsg(t->u.fd, m, FLAGS | urgent);
	if (n < 0 && urgent && errno == EOPNOTSUPP) {
		n = sendmsg(t->u.fd, m, FLAGS);
	}
	return n;
}

/* octets moved; 0: nothing more for now */
static uint64_t out_once(struct app_ent *t)
{
	struct iov v[16];
	struct msghdr m = { .msg_iov = (struct iovec *)(void *)v };
	ssize_t n;

	m.msg_iovlen = sock_read_vec(t->sk, v, ARRAY_SIZE(v));
	if (m.msg_iovlen == 0) {
		return 0;
	}
	do {
		n = send_out(t, &m);
	} while (n < 0 && (errno == EAGAIN || errno == ENOBUFS) && grow(t));
	if (n > 0) {
		sock_read_done(t->sk, app_now(t->app), (uint64_t)n);
		return (uint64_t)n;
	}
	if (errno == EAGAIN || errno == ENOBUFS) {
		blocked(t);
	} else if (errno != EINTR) { /* EPIPE: HUP says the rest */
		t->can_out = false;
	}
	return 0;
}

static void move_out(struct app_ent *t)
{
	uint64_t total = 0;

	if (t->ask_rd) {
		drop_in(t);
		return;
	}
	while (t->can_out && !t->hup) {
		uint64_t n = out_once(t);

		if (n == 0) {
			break;
		}
		total += n;
		if (total >= APP_CONN_TURN) {
			app_again(t);
			return;
		}
	}
	if (!t->out_eof && !t->ending && sock_read_eof(t->sk)) {
		t->out_eof = true;
		t->was_eof = true;
		shutdown(t->u.fd, SHUT_WR);
	}
}

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
	if (resets(t)) {
		reset_soon(t); /* octets that nobody will read */
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
	move_in(t);
	if (t->resetting || (t->closed && closed_over(t))) {
		return;
	}
	move_out(t);
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
		seen_hup(t, (ev & EPOLLERR) != 0);
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

/* --- connections carried by the kernel --------------------------------------------- */

void app_conn_kernel_only(struct app_ent *t)
{
	struct sock *sk = t->sk;

	t->via = APP_VIA_KERNEL;
	t->sk = NULL;
	if (sk) {
		sock_close(sk, app_now(t->app), false);
	}
	list_del(&t->port);
	app_ent_state(t, APP_CONNECTED);
}

static void relay_up(struct relay *r)
{
	struct app_ent *t = r->o;

	app_conn_kernel_only(t);
	app_wire_unstuff(r->u.fd, t->stuffed, t->app->scratch, RELAY_BUF);
	t->stuffed = 0;
	app_wire_buf(t, &r->u);
	relay_go_on(r);
}

static void relay_ended(struct relay *r, int err, bool gone)
{
	struct app_ent *t = r->o;

	if (t->state == APP_CONNECTING && gone) {
		app_count(t->app, APP_CONNECT_GONE);
	}
	t->was_eof = r->down.shut && r->down.eof;
	if (r->k_left >= 0) {
		t->kfd = r->k_left;
		r->k_left = -1;
		app_conn_failed(t, err);
	} else if (gone) {
		app_ent_free(t);
	} else {
		app_ent_die(t, err, false);
	}
}

static void relay_busy(struct relay *r)
{
	app_again(r->o);
}

static const struct relay_owner owner = { relay_up, relay_ended, relay_busy };

int app_conn_relay(struct app_ent *t, int u, int k, bool connecting)
{
	struct app *a = t->app;
	struct endpoint e;
	int err;

	if (app_ent_name_of(k, false, &e)) {
		app_ent_keep_name(t, &e); /* for when k is closed */
	}
	if (!t->relay) {
		t->relay = mem_zalloc(&a->mem, sizeof(*t->relay));
	}
	if (!t->relay) {
		return ENOMEM;
	}
	err = relay_start(t->relay, &a->set, &owner, a->scratch, u, k,
			  connecting);
	t->relay->o = t;
	if (err) {
		t->relay->over = true;
		return err;
	}
	if (!connecting) {
		app_wire_buf(t, &t->relay->u);
		app_again(t);
	}
	return 0;
}
