/* app_watch.h - descriptors of programs, watched at the edge
 *
 * One epoll set, itself polled by the engine's loop.  Not operations of the
 * ring: a pending one would keep a socket open after close(), and a program
 * must see a reset, or its listener's refusal, at once.  Edge-triggered, so
 * nothing can spin; HUP and ERR are reported also when nothing is asked for.
 *
 * A handler has to use up what it was told (until EAGAIN) or remember it.
 */
#ifndef ENGINE_APP_WATCH_H
#define ENGINE_APP_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "stack/base/time.h"

#define APP_WATCH_BATCH 64

struct app_watch {
	int fd; /* -1: none */
	uint32_t want;
	bool shared; /* another process holds it, or did: close() may be silent.
		      * Set by whoever passes it on. */
	void (*fn)(struct app_watch *w, uint32_t events);
};

struct app_watch_set {
	int epfd;
	struct epoll_event batch[APP_WATCH_BATCH];
	int n, at; /* the batch being reported */
	bool grown; /* watches were made or changed: ready, perhaps */
	uint64_t calls; /* system calls here, and those that owners count */
};

int app_watch_open(struct app_watch_set *s); /* 0 or errno */
void app_watch_shut(struct app_watch_set *s);
/* Takes over fd.  want: EPOLLIN and the like.  0 or errno: fd not taken. */
int app_watch_add(struct app_watch_set *s, struct app_watch *w, int fd,
		  uint32_t want,
		  void (*fn)(struct app_watch *w, uint32_t events));
/* what is ready already is reported again */
void app_watch_want(struct app_watch_set *s, struct app_watch *w,
		    uint32_t want);
/* stops watching; returns the descriptor, -1 when there is none */
int app_watch_take(struct app_watch_set *s, struct app_watch *w);
/* ... and closes it; one that nobody shares leaves the set by that alone */
void app_watch_close(struct app_watch_set *s, struct app_watch *w);
/* calls the handlers of what is ready; true: there may be more */
bool app_watch_run(struct app_watch_set *s);

#endif
