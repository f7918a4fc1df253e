#include "shim/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/libc.h"

#define CHUNK 4096

static bool is_epoll(int fd)
{
	static const char want[] = "anon_inode:[eventpoll]";
	char path[40], what[sizeof(want)];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, what, sizeof(what)) == sizeof(want) - 1 &&
	       memcmp(what, want, sizeof(want) - 1) == 0;
}

/* "tfd: 7 events: 19 data: 7  pos:0 ino:6f0 sdev:9", all but tfd in hex */
static void take_line(struct watch *w, int ep, int fd, ino_t ino,
		      const char *line)
{
	unsigned long long data, node;
	unsigned events;
	int tfd;

	if (w->n < WATCH_MAX &&
	    sscanf(line, "tfd: %d events: %x data: %llx pos:%*s ino:%llx", &tfd,
		   &events, &data, &node) == 4 &&
	    tfd == fd && node == ino) {
		w->in[w->n].ep = ep;
		w->in[w->n].events = events;
		w->in[w->n++].data = data;
	}
}

static void take_set(struct watch *w, int ep, int fd, ino_t ino)
{
	char path[40], buf[CHUNK + 1];
	size_t have = 0;
	ssize_t got;
	int s;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	s = open(path, O_RDONLY | O_CLOEXEC);
	if (s < 0) {
		return;
	}
	while ((got = libc.read(s, buf + have, CHUNK - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)got;
		buf[have] = 0;
		while ((end = strchr(line, '\n')) != NULL) {
			*end = 0;
			take_line(w, ep, fd, ino, line);
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (have == CHUNK) {
			break; /* no line is that long */
		}
	}
	close(s);
}

void watch_save(struct watch *w, int fd)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	struct stat st;

	w->n = 0;
	if (!d) {
		return;
	}
	while (fstat(fd, &st) == 0 && (e = readdir(d)) != NULL) {
		int ep = e->d_name[0] == '.' ? -1 : atoi(e->d_name);

		if (ep >= 0 && is_epoll(ep)) {
			take_set(w, ep, fd, st.st_ino);
		}
	}
	closedir(d);
}

void watch_restore(const struct watch *w, int fd)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct epoll_event ev = { .events = w->in[i].events,
					  .data.u64 = w->in[i].data };

		epoll_ctl(w->in[i].ep, EPOLL_CTL_ADD, fd, &ev);
	}
}
