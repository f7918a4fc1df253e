/* Octets between a connection of the core and a program's descriptor
 *
 * In: from the descriptor straight into the connection's send ring.  Out: from
 * the packets' buffers straight into the descriptor.  Nothing is kept here:
 * what the other side cannot take stays where it is.
 *
 * HUP on our end means that both of its directions are shut; relay.c says how
 * a close is told from a shutdown.  What follows from it is app_conn.c's.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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

int app_move_inq(const struct app_ent *t)
{
	int n = inq(t);

	return n > (int)t->stuffed ? n - (int)t->stuffed : 0;
}

/* --- what an end of the program's is ------------------------------------------ */

void app_move_reset_soon(struct app_ent *t)
{
	t->resetting = true;
	t->reset_turn = t->app->turns;
	app_again(t);
}

void app_move_hup(struct app_ent *t, bool err)
{
	int e = 0;
	socklen_t len = sizeof(e);

	t->hup = true;
	t->closed = !(t->ask_wr && (t->out_eof || t->ask_rd)) && !t->ending;
	if (!t->closed) {
		return;
	}
	if (err && getsockopt(t->u.fd, SOL_SOCKET, SO_ERROR, &e, &len) == 0 &&
	    e) {                        /* closed with unread octets */
		app_move_reset_soon(t); /* first: the end of file is no FIN */
		app_move_in(t);
	}
}

/* An end of file of a program that closed comes with HUP, and may mean a reset:
 * to be known before a FIN is sent, whichever event came first. */
static void look_for_hup(struct app_ent *t)
{
	struct pollfd p = { .fd = t->u.fd };

	if (!t->hup && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP)) {
		app_move_hup(t, (p.revents & POLLERR) != 0);
	}
}

bool app_move_resets(const struct app_ent *t)
{
	return t->closed &&
	       (sock_read_len(t->sk) > 0 || sock_linger_zero(t->sk));
}

/* --- program to core --------------------------------------------------------- */

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
		app_move_reset_soon(t);
	}
	return 0;
}

void app_move_in(struct app_ent *t)
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
	if (t->in_eof && !t->resetting && !app_move_resets(t)) {
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

void app_move_out(struct app_ent *t)
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
