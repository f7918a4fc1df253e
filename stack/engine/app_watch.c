#include "stack/engine/app_watch.h"

#include <errno.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "stack/base/check.h"

int app_watch_open(struct app_watch_set *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int err;

	*s = (struct app_watch_set){ .timerfd = -1, .armed = INSTANT_NEVER };
	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epfd < 0) {
		return errno;
	}
	s->timerfd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->timerfd < 0 ||
	    epoll_ctl(s->epfd, EPOLL_CTL_ADD, s->timerfd, &ev) != 0) {
		err = errno;
		app_watch_shut(s);
		return err;
	}
	return 0;
}

void app_watch_shut(struct app_watch_set *s)
{
	if (s->timerfd >= 0) {
		close(s->timerfd);
	}
	if (s->epfd >= 0) {
		close(s->epfd);
	}
	s->timerfd = -1;
	s->epfd = -1;
}

int app_watch_add(struct app_watch_set *s, struct app_watch *w, int fd,
		  uint32_t want,
		  void (*fn)(struct app_watch *w, uint32_t events))
{
	struct epoll_event ev = { .events = want | EPOLLET, .data.ptr = w };

	s->grown = true;
	s->calls++;
	if (epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &ev) != 0) {
		return errno;
	}
	w->fd = fd;
	w->want = want;
	w->fn = fn;
	return 0;
}

void app_watch_want(struct app_watch_set *s, struct app_watch *w, uint32_t want)
{
	struct epoll_event ev = { .events = want | EPOLLET, .data.ptr = w };

	if (w->fd < 0 || want == w->want) {
		return;
	}
	s->grown = true;
	s->calls++;
	if (epoll_ctl(s->epfd, EPOLL_CTL_MOD, w->fd, &ev) == 0) {
		w->want = want;
	}
}

int app_watch_take(struct app_watch_set *s, struct app_watch *w)
{
	int fd = w->fd;

	if (fd < 0) {
		return -1;
	}
	/* by hand: a program may hold a duplicate, which keeps it in the set */
	s->calls++;
	epoll_ctl(s->epfd, EPOLL_CTL_DEL, fd, NULL);
	for (int i = s->at; i < s->n; i++) {
		if (s->batch[i].data.ptr == w) {
			s->batch[i].data.ptr = NULL;
			s->batch[i].events = 0;
		}
	}
	w->fd = -1;
	return fd;
}

void app_watch_close(struct app_watch_set *s, struct app_watch *w)
{
	int fd = app_watch_take(s, w);

	if (fd >= 0) {
		s->calls++;
		close(fd);
	}
}

bool app_watch_run(struct app_watch_set *s)
{
	uint64_t n_expired;

	check(s->at == s->n); /* not from a handler */
	s->at = 0;
	s->grown = false;
	s->calls++;
	s->n = epoll_wait(s->epfd, s->batch, APP_WATCH_BATCH, 0);
	if (s->n < 0) {
		s->n = 0;
	}
	while (s->at < s->n) {
		struct epoll_event ev = s->batch[s->at++];
		struct app_watch *w = ev.data.ptr;

		if (w) {
			w->fn(w, ev.events);
		} else if (ev.events && read(s->timerfd, &n_expired,
					     sizeof(n_expired)) > 0) {
			s->armed = INSTANT_NEVER;
		}
	}
	/* what becomes ready from now on makes the set ready again */
	return s->n == APP_WATCH_BATCH || s->grown;
}

void app_watch_alarm(struct app_watch_set *s, struct instant at)
{
	struct itimerspec t = { 0 };

	if (at.ns == s->armed.ns) {
		return;
	}
	s->armed = at;
	if (!instant_never(at)) {
		int64_t ns = at.ns > 0 ? at.ns : 1; /* zero would disarm */

		t.it_value.tv_sec = ns / NANOS_S;
		t.it_value.tv_nsec = ns % NANOS_S;
	}
	s->calls++;
	timerfd_settime(s->timerfd, TFD_TIMER_ABSTIME, &t, NULL);
}
