#include "stack/engine/app.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/chan/chan_addr.h"

#define QUEUE_MAX 8192 /* the longest backlog */

/* One connection out of the DATA listener's queue: the descriptor, and whose
 * name it has; -1 and errno when there is none. */
static int take_one(struct app *a, struct chan_name *n)
{
	for (;;) {
		struct sockaddr_un un;
		socklen_t len = sizeof(un);
		int fd = accept4(a->data_listen.fd, (struct sockaddr *)&un,
				 &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		a->set.calls++;
		if (fd < 0 || (chan_addr_un_get(&a->e->run, &un, len, n) &&
			       n->kind == CHAN_KIND_SOCK && n->id != 0)) {
			return fd;
		}
		app_count(a, APP_DATA_FOREIGN);
		close(fd);
	}
}

/* The end of the connection that want's descriptor just made, or -1.  Others in
 * the queue bring their own request; with want NULL that is all there is. */
static int take_data(struct app *a, const struct app_ent *want)
{
	int found = -1;

	for (unsigned i = 0; i < QUEUE_MAX; i++) {
		struct chan_name n;
		int fd = take_one(a, &n);

		if (fd < 0) {
			app_ctl_starved(a, errno);
			return found;
		}
		if (found < 0 && want && n.kind == want->kind &&
		    n.id == want->id) {
			found = fd;
		} else {
			app_data_in(a, fd, n.id);
		}
	}
	a->ctl_more = true;
	return found;
}

void app_data_drain(struct app *a)
{
	take_data(a, NULL);
}

void app_wire_buf(const struct app_ent *t, struct app_watch *u)
{
	int want = t->rcvbuf ? (int)min_u32(t->rcvbuf, 64 << 20) : APP_SOCKBUF;
	int got = 0;
	socklen_t len = sizeof(got);

	setsockopt(u->fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
	if (!t->rcvbuf &&
	    getsockopt(u->fd, SOL_SOCKET, SO_SNDBUF, &got, &len) == 0 &&
	    got < want) {
		u->shared = true; /* the keeper holds it for a moment */
		engine_force_buf(t->app->e, u->fd, want, 0);
	}
}

/* until EAGAIN: a quarter full hides POLLOUT, but write() would succeed */
static uint32_t stuff_it(int fd, const uint8_t *zeros, uint32_t n)
{
	uint32_t total = 0;
	size_t piece = n;

	while (piece > 0 && total < UINT32_MAX - n) {
		ssize_t k = send(fd, zeros, piece, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k > 0) {
			total += (uint32_t)k;
		} else if (piece > 1 && errno == EAGAIN) {
			piece = 1; /* what a program's smallest write needs */
		} else {
			break;
		}
	}
	return total;
}

int app_wire_connect(struct app_ent *t, int fd, bool stuff, uint32_t *stuffed)
{
	struct app *a = t->app;
	struct chan_name n = { .kind = CHAN_KIND_DATA };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&a->e->run, &n, &un);
	int end;

	*stuffed = 0;
	take_data(a, NULL); /* so that a blocking descriptor cannot block us */
	if (connect(fd, (struct sockaddr *)&un, len) != 0) {
		app_count(a, APP_WIRE_FAILED);
		return -1;
	}
	end = take_data(a, t);
	if (end < 0) {
		app_count(a, APP_WIRE_FAILED);
		errno = ENOBUFS;
		return -1;
	}
	if (stuff) {
		*stuffed = stuff_it(fd, a->scratch, RELAY_BUF);
	}
	return end;
}

uint32_t app_wire_unstuff(int fd, uint32_t n, uint8_t *scratch, uint32_t room)
{
	while (n > 0) {
		ssize_t k = recv(fd, scratch, min_u32(n, room), MSG_DONTWAIT);

		if (k <= 0) {
			break; /* the program is gone: HUP tells the rest */
		}
		n -= (uint32_t)k;
	}
	return n;
}

int app_wire_accept(const struct app_ent *l, const struct chan_name *n)
{
	const struct chan_run *run = &l->app->e->run;
	struct chan_name to = { .kind = l->kind,
				.family = l->family,
				.id = l->id };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(run, n, &un);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0) {
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&un, len) == 0) {
		len = chan_addr_un(run, &to, &un);
		if (connect(fd, (struct sockaddr *)&un, len) == 0) {
			return fd;
		}
	}
	err = errno;
	close(fd);
	errno = err;
	return -1;
}
