/* watch.h - carries a descriptor's place in epoll sets over to a new socket
 *
 * A set remembers the socket behind a number, so one that was put in another's
 * place is in no set.  The kernel tells what was there (/proc/self/fdinfo).
 */
#ifndef SHIM_WATCH_H
#define SHIM_WATCH_H

#include <stdint.h>

#define WATCH_MAX 16 /* sets that one descriptor may be in */

struct watch {
	unsigned n;

	struct {
		int ep;
		uint32_t events;
		uint64_t data;
	} in[WATCH_MAX];
};

void watch_save(struct watch *w, int fd);          /* before, */
void watch_restore(const struct watch *w, int fd); /* and after */

#endif
