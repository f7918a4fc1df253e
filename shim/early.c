#include "shim/early.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/libc.h"
#include "stack/chan/chan_early.h"

/* It means nothing to an AF_UNIX socket, anybody may set it, and no call of a
 * program reaches it: it is the stack's option. */
#define KEPT_IN SO_MAX_PACING_RATE
#define MAGIC   0x4d500000u
#define MASK    0xffff0000u

_Static_assert(CHAN_EARLY_MASK < EARLY_HEIRLOOM, "they share a word");

uint32_t early_word(int fd)
{
	uint32_t v = 0;
	socklen_t len = sizeof(v);
	int saved = errno;

	if (libc.getsockopt(fd, SOL_SOCKET, KEPT_IN, &v, &len) != 0 ||
	    len != sizeof(v) || (v & MASK) != MAGIC) {
		v = 0;
	}
	errno = saved;
	return v & ~MASK;
}

static bool put(int fd, uint32_t word)
{
	uint32_t v = MAGIC | word;
	int saved = errno;
	bool ok = libc.setsockopt(fd, SOL_SOCKET, KEPT_IN, &v, sizeof(v)) == 0;

	errno = saved;
	return ok;
}

static int switch_of(int level, int name)
{
#define X(l, n)                                \
	if (level == (l) && name == (n)) {     \
		return CHAN_EARLY_##n;         \
	}
	CHAN_EARLY(X)
#undef X
	return -1;
}

bool early_is_switch(int level, int name, uint32_t len)
{
	return len >= sizeof(int) && switch_of(level, name) >= 0;
}

bool early_keep(int fd, const struct whose *w, int level, int name,
		const void *val, uint32_t len)
{
	int i = switch_of(level, name), on;
	uint32_t word;

	if (i < 0 || w->peer || len < sizeof(on)) {
		return false;
	}
	word = early_word(fd);
	memcpy(&on, val, sizeof(on));
	return !(word & EARLY_SLOW) &&
	       put(fd, chan_early_with(word, (unsigned)i, on != 0));
}

void early_mark(int fd, uint32_t bits)
{
	put(fd, early_word(fd) | bits);
}

void early_add(int fd, const struct whose *w, struct ask *a)
{
	uint32_t word = w->peer ? 0 : early_word(fd);

	a->q.early = word & CHAN_EARLY_MASK;
	a->early_fd = fd;
}

void early_heard(struct ask *a)
{
	uint32_t word = early_word(a->early_fd);

	/* else one of them was set meanwhile: once more, then */
	if ((word & CHAN_EARLY_MASK) == a->q.early) {
		put(a->early_fd, word & ~CHAN_EARLY_MASK);
	}
	a->q.early = 0;
}
