/* How a relay ends
 *
 * HUP on u means that both of its directions are shut: the program closed it,
 * or shut what was left.  Which of the two decides between a reset and a
 * silent end, so shutdown() is announced by a request of the shim (ask_*):
 *
 *   closed with unread octets   recv gives ECONNRESET, or octets for it are
 *                               on the way: reset, as TCP does
 *   closed                      what it wrote is delivered, then k is closed
 *   shut both ways, not closed  FIN; what arrives is dropped until k's FIN
 *   shut after k's FIN          over in both directions: both are closed
 */
#include "stack/engine/relay.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/check.h"

/* most that one direction moves before others have their turn */
#define RELAY_TURN (1u << 20)

#define FLAGS      (MSG_DONTWAIT | MSG_NOSIGNAL)

static int so_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static bool lingers_zero(int fd)
{
	struct linger l = { 0 };
	socklen_t len = sizeof(l);

	return getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len) == 0 &&
	       l.l_onoff && l.l_linger == 0;
}

static int waiting_in(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCINQ, &n) == 0 ? n : 0;
}

/* --- ending ------------------------------------------------------------- */

void relay_stop(struct relay *r, bool abort)
{
	const struct linger reset = { .l_onoff = 1 };
	int k = app_watch_take(r->set, &r->k);

	r->over = true;
	if (abort && k >= 0) {
		setsockopt(k, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (k >= 0) {
		close(k);
	}
	app_watch_close(r->set, &r->u);
	free(r->up.buf);
	free(r->down.buf);
	r->up.buf = NULL;
	r->down.buf = NULL;
}

static void end(struct relay *r, int err, bool abort, bool gone)
{
	if (!r->over) {
		relay_stop(r, abort);
		r->owner->ended(r, err, gone);
	}
}

/* the connection is lost; what it brought before is still for the program */
static void k_failed(struct relay *r, int err)
{
	if (r->err == 0) {
		r->err = err;
		shutdown(r->u.fd, SHUT_RD);
	}
}

/* --- moving octets -------------------------------------------------------- */

/* as send(); the urgent octet goes by itself */
static ssize_t send_up(struct relay *r, const uint8_t *p, size_t n)
{
	uint64_t left = r->urgent - r->up.given;

	if (r->urgent <= r->up.given) {
		return send(r->k.fd, p, n, FLAGS);
	}
	if (left == 1) {
		return send(r->k.fd, p, 1, FLAGS | MSG_OOB);
	}
	return send(r->k.fd, p, left - 1 < n ? (size_t)(left - 1) : n, FLAGS);
}

static void send_failed(struct relay *r, struct relay_dir *d, int err)
{
	if (err == EINTR) {
		return;
	}
	if (err == EAGAIN || err == ENOBUFS) {
		d->can_out = false;
		if (d == &r->down) {
			app_watch_want(r->set, &r->u, r->u.want | EPOLLOUT);
		}
		return;
	}
	if (d == &r->up) {
		k_failed(r, err);
		return;
	}
	r->ask_rd = true; /* EPIPE: it shut its read side without us */
	d->len = 0;
}

/* how many of the n octets the target took */
static uint32_t give(struct relay *r, struct relay_dir *d, const uint8_t *p,
		     uint32_t n)
{
	uint32_t done = 0;

	while (done < n && d->can_out && !(d == &r->up && r->err)) {
		ssize_t k;

		if (d == &r->down && r->ask_rd) {
			return n;
		}
		r->set->calls++;
		k = d == &r->up ? send_up(r, p + done, n - done)
				: send(r->u.fd, p + done, n - done, FLAGS);
		if (k < 0) {
			send_failed(r, d, errno);
			continue;
		}
		done += (uint32_t)k;
		d->given += (uint64_t)k;
	}
	return done;
}

static void flush(struct relay *r, struct relay_dir *d)
{
	uint32_t n = give(r, d, d->buf + d->at, d->len);

	n = min_u32(n, d->len); /* given up meanwhile */
	d->at += n;
	d->len -= n;
	if (d->len == 0) {
		free(d->buf);
		d->buf = NULL;
		d->at = 0;
	}
}

static void keep(struct relay *r, struct relay_dir *d, const uint8_t *p,
		 uint32_t n)
{
	d->buf = malloc(RELAY_BUF);
	if (!d->buf) { /* a connection with a hole is worse than none */
		end(r, ENOBUFS, true, false);
		return;
	}
	memcpy(d->buf, p, n);
	d->at = 0;
	d->len = n;
}

static void move(struct relay *r, struct relay_dir *d);

static void recv_failed(struct relay *r, struct relay_dir *d, int err)
{
	if (err == EAGAIN) {
		d->can_in = false;
	} else if (err == EINTR) {
		return;
	} else if (d == &r->up) {
		/* closed with unread octets: TCP resets */
		end(r, 0, true, true);
	} else {
		k_failed(r, err);
		d->eof = true;
	}
}

/* What the program wrote would natively be on its way since its write(): as
 * much as k takes goes before the reset. */
static void reset_k(struct relay *r)
{
	move(r, &r->up);
	end(r, 0, true, true);
}

static void u_hup(struct relay *r, bool err)
{
	r->hup = true;
	r->closed = !(r->ask_wr && r->down.shut);
	if ((err && so_error(r->u.fd)) ||
	    (r->closed && (r->down.len > 0 || lingers_zero(r->k.fd) ||
			   waiting_in(r->k.fd) > 0))) {
		reset_k(r);
	}
}

/* An end of file of a program that closed comes with HUP, and may mean a reset:
 * to be known before a FIN is passed on, whichever event came first. */
static void look_for_hup(struct relay *r)
{
	struct pollfd p = { .fd = r->u.fd };

	if (!r->hup && !r->err && poll(&p, 1, 0) == 1 &&
	    (p.revents & POLLHUP)) {
		u_hup(r, (p.revents & POLLERR) != 0);
	}
}

static bool at_mark(int fd)
{
	int yes = 0;

	return ioctl(fd, SIOCATMARK, &yes) == 0 && yes;
}

/* k is at its urgent mark: the octet goes out of line, in its place.  False:
 * it has not arrived yet.  With SO_OOBINLINE it is read as any other. */
static bool urgent_down(struct relay *r)
{
	uint8_t c;

	if (recv(r->k.fd, &c, 1, MSG_OOB | MSG_DONTWAIT) != 1) {
		return errno != EAGAIN;
	}
	/* what it cannot take now it would not take later: no more than one
	 * urgent octet is kept by TCP either */
	if (send(r->u.fd, &c, 1, FLAGS | MSG_OOB) != 1 && errno == EOPNOTSUPP) {
		send(r->u.fd, &c, 1, FLAGS);
	}
	return true;
}

/* how much to ask the source for; 0: nothing now */
static uint32_t ask_for(struct relay *r, struct relay_dir *d)
{
	if (d == &r->down) {
		if (at_mark(r->k.fd) && !urgent_down(r)) {
			d->can_in = false;
			return 0;
		}
		return RELAY_BUF;
	}
	if (at_mark(r->u.fd)) {
		r->urgent = d->taken + 1;
		return 1;
	}
	return RELAY_BUF;
}

/* Takes once from the source and gives it on; octets moved. */
static uint32_t take(struct relay *r, struct relay_dir *d)
{
	int in = d == &r->up ? r->u.fd : r->k.fd;
	uint32_t n = ask_for(r, d), done;
	ssize_t got;

	if (n == 0) {
		return 0;
	}
	r->set->calls++;
	got = recv(in, r->scratch, n, MSG_DONTWAIT);
	if (got < 0) {
		recv_failed(r, d, errno);
		return 0;
	}
	if (got == 0) {
		d->eof = true;
		if (d == &r->up) {
			look_for_hup(r);
		}
		return 0;
	}
	n = (uint32_t)got;
	d->taken += n;
	done = give(r, d, r->scratch, n);
	if (done < n && !(d == &r->down && r->ask_rd) &&
	    !(d == &r->up && r->err)) {
		keep(r, d, r->scratch + done, n - done);
	}
	return n;
}

/* a program that closed takes no more: k's octets stay where close() finds
 * them and resets */
static bool may_take(const struct relay *r, const struct relay_dir *d)
{
	if (d->eof || !d->can_in || d->len) {
		return false;
	}
	return d == &r->up ? r->err == 0 : !r->closed;
}

static void move(struct relay *r, struct relay_dir *d)
{
	uint32_t budget = RELAY_TURN;

	if (d->len) {
		flush(r, d);
	}
	while (!r->over && may_take(r, d)) {
		uint32_t n = take(r, d);

		if (n >= budget) {
			r->owner->busy(r);
			return;
		}
		budget -= n;
	}
}

/* passes on the end of a direction once all before it was delivered */
static void pass_fin(struct relay *r)
{
	if (r->up.eof && r->up.len == 0 && !r->up.shut) {
		r->up.shut = true;
		shutdown(r->k.fd, SHUT_WR);
	}
	if (r->down.eof && r->down.len == 0 && !r->down.shut && !r->err) {
		r->down.shut = true;
		shutdown(r->u.fd, SHUT_WR);
	}
}

static void check_over(struct relay *r)
{
	bool up_done = r->up.eof && r->up.len == 0;
	bool down_done = r->down.eof && r->down.len == 0;

	if (r->err && (r->hup || down_done)) {
		end(r, r->err, false, false);
	} else if (up_done && down_done) {
		/* the kernel does the rest; the program sees HUP either way */
		end(r, 0, false, r->closed);
	} else if (r->closed && up_done) {
		end(r, 0, false, true);
	}
}

void relay_go_on(struct relay *r)
{
	if (r->over || r->connecting) {
		return;
	}
	move(r, &r->up);
	if (!r->over) {
		move(r, &r->down);
	}
	if (!r->over) {
		pass_fin(r);
		check_over(r);
	}
}

/* --- events ----------------------------------------------------------------- */

static void u_event(struct app_watch *w, uint32_t ev)
{
	struct relay *r = container_of(w, struct relay, u);

	if (r->connecting) {
		if (ev & (EPOLLHUP | EPOLLERR)) {
			end(r, 0, true, true);
		}
		return;
	}
	if (ev & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		r->up.can_in = true;
	}
	if (ev & EPOLLOUT) {
		r->down.can_out = true;
		app_watch_want(r->set, w, r->u.want & ~(uint32_t)EPOLLOUT);
	}
	if ((ev & EPOLLHUP) && !r->hup && !r->err) {
		u_hup(r, (ev & EPOLLERR) != 0);
	} else if (ev & EPOLLHUP) {
		r->hup = true;
	}
	relay_go_on(r);
}

int relay_leave(struct relay *r)
{
	int k = app_watch_take(r->set, &r->k);

	relay_stop(r, false);
	return k;
}

static void k_connected(struct relay *r)
{
	int err = so_error(r->k.fd);

	if (err) {
		r->k_left = relay_leave(r);
		r->owner->ended(r, err, false);
		return;
	}
	r->connecting = false;
	r->owner->connected(r);
}

static void k_event(struct app_watch *w, uint32_t ev)
{
	struct relay *r = container_of(w, struct relay, k);

	if (r->connecting) {
		if (ev & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
			k_connected(r);
		}
		return;
	}
	if (ev & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) {
		r->down.can_in = true;
	}
	if (ev & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
		r->up.can_out = true;
	}
	/* a reset after the FIN: no read will tell it */
	if ((ev & EPOLLERR) && r->down.eof) {
		int err = so_error(r->k.fd);

		if (err) {
			k_failed(r, err);
		}
	}
	relay_go_on(r);
}

/* --- asked for by the owner --------------------------------------------------- */

int relay_start(struct relay *r, struct app_watch_set *set,
		const struct relay_owner *owner, uint8_t *scratch, int u, int k,
		bool connecting)
{
	const int on = 1;
	int err;

	*r = (struct relay){ .set = set,
			     .owner = owner,
			     .scratch = scratch,
			     .connecting = connecting,
			     .k_left = -1,
			     .u.fd = -1,
			     .k.fd = -1 };
	/* urgent octets of the program: in their place */
	setsockopt(u, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	r->up.can_in = true;
	r->up.can_out = true;
	r->down.can_in = true;
	r->down.can_out = true;
	err = app_watch_add(set, &r->u, u, EPOLLIN | EPOLLRDHUP, u_event);
	if (err) {
		return err;
	}
	err = app_watch_add(set, &r->k, k,
			    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI,
			    k_event);
	if (err) {
		app_watch_take(set, &r->u);
	}
	return err;
}

void relay_shutdown(struct relay *r, int how)
{
	if (r->over) {
		return;
	}
	if (how == SHUT_WR || how == SHUT_RDWR) {
		r->ask_wr = true;
	}
	if ((how == SHUT_RD || how == SHUT_RDWR) && !r->ask_rd) {
		r->ask_rd = true;
		r->down.len = 0;
		r->down.shut = true;
		shutdown(r->u.fd, SHUT_WR);
	}
}

void relay_urgent(struct relay *r)
{
	if (!r->over && !r->connecting) {
		r->urgent = r->up.taken + (uint64_t)waiting_in(r->u.fd);
		r->up.can_in = true;
		relay_go_on(r);
	}
}

uint64_t relay_outq(const struct relay *r, bool unsent)
{
	int n = 0;

	if (r->over || r->connecting ||
	    ioctl(r->k.fd, unsent ? SIOCOUTQNSD : SIOCOUTQ, &n) != 0) {
		return 0;
	}
	return (uint64_t)n + r->up.len + (uint64_t)waiting_in(r->u.fd);
}
