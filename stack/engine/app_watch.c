#include "stack/engine/app_watch.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "stack/base/check.h"

int app_watch_open(struct app_watch_set *s)
{
	*s = (struct app_watch_set){ 0 };
	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	return s->epfd < 0 ? errno : 0;
}

void app_watch_shut(struct app_watch_set *s)
{
	if (s->epfd >= 0) {
		close(s->epfd);
	}
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
	*w = (struct app_watch){ .fd = fd, .want = want, .fn = fn };
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

/* what was reported of it is not told any more */
static void forget(struct app_watch_set *s, struct app_watch *w)
{
	for (int i = s->at; i < s->n; i++) {
		if (s->batch[i].data.ptr == w) {
			s->batch[i].data.ptr = NULL;
			s->batch[i].events = 0;
		}
	}
	w->fd = -1;
}

static void leave(struct app_watch_set *s, int fd)
{
	s->calls++;
	epoll_ctl(s->epfd, EPOLL_CTL_DEL, fd, NULL);
}

int app_watch_take(struct app_watch_set *s, struct app_watch *w)
{
	int fd = w->fd;

	if (fd >= 0) {
		leave(s, fd);
		forget(s, w);
	}
	return fd;
}

void app_watch_close(struct app_watch_set *s, struct app_watch *w)
{
	int fd = w->fd;

	if (fd < 0) {
		return;
	}
	if (w->shared) {
		leave(s, fd);
	}
	forget(s, w);
	s->calls++;
	close(fd);
}

bool app_watch_run(struct app_watch_set *s)
{
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
		}
	}
	/* what becomes ready from now on makes the set ready again */
	return s->n == APP_WATCH_BATCH || s->grown;
}
