/* Requests: one per connection to the CTL name, or the first octets of a
 * program's own stream to the DATA name.  The secret is the authority; until it
 * was seen right nothing of a request is acted on or kept.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/chan/chan_addr.h"
#include "stack/engine/app.h"

#define SILENT (5 * NANOS_S)
#define TURN   256 /* requests per turn */
#define CATCH_UP 64 /* connections that are looked at before each request */

/* nothing came yet */
struct ctl {
	struct app_watch w;
	struct list link;
	struct app *app;
	uint64_t id; /* DATA: of the socket whose stream it is; CTL: 0 */
	struct instant born;
};

static void wait_for_it(struct app *a, int fd, uint64_t id);

static void ctl_free(struct ctl *c)
{
	struct app *a = c->app;

	app_watch_close(&a->set, &c->w);
	list_del(&c->link);
	a->n_ctl--;
	mem_free(&a->mem, c, sizeof(*c));
}

static void take_fds(struct msghdr *m, int fd[2])
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		for (size_t i = 0; i + sizeof(int) <= len; i += sizeof(int)) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i, sizeof(got));
			if (n < 2) {
				fd[n++] = got;
			} else {
				close(got);
			}
		}
	}
}

static void watch_peer(struct app *a, int fd)
{
	struct ucred cr;
	socklen_t len = sizeof(cr);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == 0 &&
	    cr.pid > 0) {
		engine_watch_pid(a->e, cr.pid);
	}
}

static void answer(struct app *a, int fd, const struct chan_rep *rep)
{
	a->set.calls++;
	/* the only message on this connection: there is room */
	send(fd, rep, chan_rep_size(rep), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void close_fds(struct app_req *r)
{
	for (unsigned i = 0; i < 2; i++) {
		if (r->fd[i] >= 0) {
			close(r->fd[i]);
			r->fd[i] = -1;
		}
	}
}

static void handle(struct app *a, int fd, struct app_req *r, size_t got)
{
	struct chan_rep rep;

	memset(&rep, 0, sizeof(rep));
	rep.magic = CHAN_MSG_MAGIC;
	r->rep = &rep;
	switch (chan_req_check(r->q, got, &a->e->run)) {
	case CHAN_BAD_FORMAT:
		app_count(a, APP_CTL_FORMAT);
		return;
	case CHAN_BAD_SECRET:
		app_count(a, APP_CTL_SECRET);
		return;
	case CHAN_BAD_VERSION:
		app_count(a, APP_CTL_VERSION);
		rep.err = EPROTO;
		break;
	case CHAN_GOOD:
		watch_peer(a, fd);
		a->stirred = true;
		rep.err = app_req(a, r);
		engine_log(a->e, 3, "request %s %016llx: %d",
			   chan_op_name(r->q->op), (unsigned long long)r->q->id,
			   rep.err);
		break;
	}
	/* first: the program may want the name of a descriptor of its own */
	close_fds(r);
	answer(a, fd, &rep);
}

/* false: nothing came yet */
static bool receive(struct app *a, int fd)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(2 * sizeof(int))];
	} ctl;
	struct chan_req q;
	struct iovec v = { &q, sizeof(q) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = ctl.b,
			    .msg_controllen = sizeof(ctl.b) };
	struct app_req r = { .q = &q, .fd = { -1, -1 } };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	a->set.calls++;
	if (n < 0) {
		return errno != EAGAIN && errno != EINTR;
	}
	take_fds(&m, r.fd);
	if (n > 0 && !(m.msg_flags & MSG_TRUNC)) {
		handle(a, fd, &r, (size_t)n);
	} else {
		app_count(a, APP_CTL_FORMAT);
	}
	close_fds(&r);
	return true;
}

/* --- streams that begin with their request ---------------------------------- */

static bool may_begin(struct app *a, const struct chan_req *q, size_t got,
		      uint64_t id)
{
	switch (chan_req_check(q, got, &a->e->run)) {
	case CHAN_GOOD:
		if (q->op == CHAN_OP_BEGIN && q->id == id) {
			return true;
		}
		break;
	case CHAN_BAD_SECRET:
		app_count(a, APP_CTL_SECRET);
		return false;
	case CHAN_BAD_VERSION:
		app_count(a, APP_CTL_VERSION);
		return false;
	case CHAN_BAD_FORMAT:
		break;
	}
	app_count(a, APP_CTL_FORMAT);
	return false;
}

/* Takes fd over; false: nothing came yet, it is the caller's.  What is behind
 * the request stays unread, and the program's socket full. */
static bool begin(struct app *a, int fd, uint64_t id)
{
	struct chan_req q;
	const size_t want = offsetof(struct chan_req, val);
	ssize_t n = recv(fd, &q, want, MSG_DONTWAIT);

	a->set.calls++;
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return false;
	}
	if (n <= 0 || !may_begin(a, &q, (size_t)n, id)) {
		close(fd);
		return true;
	}
	watch_peer(a, fd);
	app_req_begin(a, &q, fd);
	return true;
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Takes what came, if anything; over: the other end is closed. */
static void hear(struct ctl *c, bool over)
{
	struct app *a = c->app;
	uint64_t id = c->id;
	int fd;

	if (id == 0) {
		if (receive(a, c->w.fd) || over) {
			ctl_free(c);
		}
		return;
	}
	fd = c->w.fd;
	if (fd >= 0 && is_readable(fd)) {
		app_watch_take(&a->set, &c->w);
		ctl_free(c);
		if (!begin(a, fd, id)) {
			wait_for_it(a, fd, id);
		}
	}
}

static void ctl_event(struct app_watch *w, uint32_t ev)
{
	struct ctl *c = container_of(w, struct ctl, w);

	app_data_drain(c->app);
	hear(c, (ev & (EPOLLHUP | EPOLLERR)) != 0);
}

/* What a program sent before the request that is at hand was made is there, and
 * comes first, also when its connection was accepted without it. */
static void catch_up(struct app *a)
{
	struct pollfd p[CATCH_UP];
	struct list *n = &a->ctls;
	unsigned k = 0;

	while (k < CATCH_UP && n->prev != &a->ctls) {
		n = n->prev;
		p[k].fd = list_entry(n, struct ctl, link)->w.fd;
		p[k++].events = POLLIN;
	}
	if (k == 0 || poll(p, k, 0) <= 0) {
		return;
	}
	while (k-- > 0) { /* the oldest of them first */
		struct ctl *c = list_entry(n, struct ctl, link);

		n = n->next;
		if (p[k].revents) {
			hear(c, false);
		}
	}
}

/* id: of the socket whose stream it is; 0: a connection for one request */
static void wait_for_it(struct app *a, int fd, uint64_t id)
{
	struct ctl *c;

	if (a->n_ctl >= APP_CTL_MAX) {
		app_count(a, APP_CTL_FULL);
		close(fd);
		return;
	}
	c = mem_zalloc(&a->mem, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->app = a;
	c->id = id;
	c->born = app_now(a);
	if (app_watch_add(&a->set, &c->w, fd, EPOLLIN, ctl_event) != 0) {
		close(fd);
		mem_free(&a->mem, c, sizeof(*c));
		return;
	}
	list_push_back(&a->ctls, &c->link);
	a->n_ctl++;
	a->stirred = true;
}

void app_data_in(struct app *a, int fd, uint64_t id)
{
	if (!begin(a, fd, id)) {
		wait_for_it(a, fd, id);
	}
}

/* No descriptors left: the queue stays, and is looked at again soon.  Its event
 * does not come again. */
void app_ctl_starved(struct app *a, int err)
{
	if (err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM) {
		a->starved = true;
		app_retry_soon(a);
	}
}

void app_ctl_accept(struct app *a)
{
	a->ctl_more = false;
	app_data_drain(a);
	for (unsigned i = 0; i < TURN; i++) {
		int fd = accept4(a->ctl_listen.fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		a->set.calls++;
		if (fd < 0) {
			app_ctl_starved(a, errno);
			return;
		}
		app_data_drain(a);
		catch_up(a);
		if (receive(a, fd)) {
			close(fd);
		} else {
			wait_for_it(a, fd, 0);
		}
	}
	a->ctl_more = true;
}

static void listen_event(struct app_watch *w, uint32_t ev)
{
	(void)ev;
	app_ctl_accept(container_of(w, struct app, ctl_listen));
}

static void data_event(struct app_watch *w, uint32_t ev)
{
	(void)ev;
	app_data_drain(container_of(w, struct app, data_listen));
}

static int listener(const struct app *a, uint8_t kind, int type, int *out)
{
	struct chan_name n = { .kind = kind };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&a->e->run, &n, &un);
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0) {
		return errno;
	}
	if (bind(fd, (struct sockaddr *)&un, len) != 0 ||
	    listen(fd, INT32_MAX) != 0) { /* the kernel caps it */
		err = errno;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int app_ctl_start(struct app *a)
{
	int fd = -1;
	int err;

	list_init(&a->ctls);
	err = listener(a, CHAN_KIND_DATA, SOCK_STREAM, &fd);
	if (err) {
		return err;
	}
	err = app_watch_add(&a->set, &a->data_listen, fd, EPOLLIN, data_event);
	if (err) {
		close(fd);
		return err;
	}
	err = listener(a, CHAN_KIND_CTL, SOCK_SEQPACKET, &fd);
	if (err) {
		return err;
	}
	err = app_watch_add(&a->set, &a->ctl_listen, fd, EPOLLIN, listen_event);
	if (err) {
		close(fd);
	}
	return err;
}

void app_ctl_stop(struct app *a)
{
	struct list *n;

	while ((n = list_first(&a->ctls)) != NULL) {
		ctl_free(list_entry(n, struct ctl, link));
	}
	app_watch_close(&a->set, &a->ctl_listen);
	app_watch_close(&a->set, &a->data_listen);
}

void app_ctl_sweep(struct app *a)
{
	list_each_safe (n, &a->ctls) {
		struct ctl *c = list_entry(n, struct ctl, link);

		if (instant_due(instant_add(c->born, SILENT), app_now(a))) {
			app_count(a, APP_CTL_SILENT);
			ctl_free(c);
		}
	}
}
