#include "shim/quick.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "shim/early.h"
#include "shim/fresh.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/base/siphash.h"
#include "stack/chan/chan_addr.h"
#include "stack/chan/chan_early.h"

#define KNOWN   64 /* addresses */
#define FRESH_S 10 /* how long an answer holds */
#define SECONDS 0xffffffull

/* more than the buffer will hold: each octet counts at least as one */
#define STUFF (2 * QUICK_SNDBUF + 512)

static const uint8_t zeros[STUFF];

/* --- addresses that the stack carries ---------------------------------------- */

/* SipHash of the address, its last bits replaced by the second of the answer;
 * read and written atomically, and worth no lock */
static uint64_t known[KNOWN];

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec & SECONDS;
}

static uint64_t hash_of(const struct chan_req *q)
{
	struct siphash_key k = { be64_get(init.run.secret),
				 be64_get(init.run.secret + 8) };
	uint8_t in[sizeof(q->addr.addr) + 1];

	memcpy(in, &q->addr.addr, sizeof(q->addr.addr));
	in[sizeof(in) - 1] = q->family;
	return siphash13(&k, in, sizeof(in));
}

static bool is_known(const struct chan_req *q)
{
	uint64_t h = hash_of(q), v;

	v = __atomic_load_n(&known[h % KNOWN], __ATOMIC_RELAXED);
	return (v & ~SECONDS) == (h & ~SECONDS) &&
	       ((now_s() - v) & SECONDS) <= FRESH_S;
}

/* --- can a send buffer be filled that way? -------------------------------------- */

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static bool hung_up(int fd)
{
	return (events(fd) & (POLLHUP | POLLERR)) != 0;
}

enum sent {
	SENT_NONE,
	SENT_PART, /* there was no memory for more */
	SENT_ALL,  /* or the stack has closed its end meanwhile */
};

/* The request, and what fills the buffer; its last octet by itself, so that it
 * can be left there alone. */
static enum sent send_all(int fd, const void *p, size_t n)
{
	union {
		const void *in;
		void *out;
	} req = { .in = p }, fill = { .in = zeros };
	struct iovec v[3] = { { req.out, n },
			      { fill.out, STUFF - 1 },
			      { fill.out, 1 } };
	struct mmsghdr m[2] = { 0 };
	int got;

	m[0].msg_hdr.msg_iov = &v[0];
	m[0].msg_hdr.msg_iovlen = 2;
	m[1].msg_hdr.msg_iov = &v[2];
	m[1].msg_hdr.msg_iovlen = 1;
	got = libc.sendmmsg(fd, m, 2, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (got <= 0) {
		return SENT_NONE;
	}
	return (got == 2 && m[0].msg_len == n + STUFF - 1) || hung_up(fd)
		       ? SENT_ALL
		       : SENT_PART;
}

static void narrow(int fd)
{
	const int size = QUICK_SNDBUF;

	libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int room_of(int fd)
{
	int n = 0;
	socklen_t len = sizeof(n);

	return libc.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, &len) == 0 ? n
									  : 0;
}

static bool try_it(void)
{
	const struct chan_req q = { 0 };
	int s[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       s) != 0) {
		return false;
	}
	ok = send_all(s[0], &q, offsetof(struct chan_req, val)) == SENT_ALL;
	narrow(s[0]);
	ok = ok && room_of(s[0]) == 2 * QUICK_SNDBUF && events(s[0]) == 0 &&
	     libc.send(s[0], zeros, 1, MSG_NOSIGNAL) < 0 && errno == EAGAIN;
	close(s[0]);
	close(s[1]);
	return ok;
}

/* as measured on the kernel that we run on */
static bool works(void)
{
	static int known_to; /* 1 yes, 2 no; atomic */
	int v = __atomic_load_n(&known_to, __ATOMIC_RELAXED);

	if (v == 0) {
		v = try_it() ? 1 : 2;
		__atomic_store_n(&known_to, v, __ATOMIC_RELAXED);
	}
	return v == 1;
}

void quick_learn(const struct ask *a)
{
	uint64_t h;

	if ((a->p.flags & CHAN_F_QUICK) && works()) {
		h = hash_of(&a->q);
		__atomic_store_n(&known[h % KNOWN], (h & ~SECONDS) | now_s(),
				 __ATOMIC_RELAXED);
	}
}

/* --- connect() --------------------------------------------------------------------- */

static bool may(const struct whose *w, const struct chan_req *q, uint32_t early)
{
	return !w->peer && w->id.kind == CHAN_KIND_SOCK && q->addr.port != 0 &&
	       q->scope_id == 0 && !(early & EARLY_SLOW);
}

/* 0, or -1 when the socket is as it was; 1: connected, and useless */
static int begin(int fd, const struct chan_req *q)
{
	const struct chan_name data = { .kind = CHAN_KIND_DATA };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&init.run, &data, &un);

	/* also when the queue is full, or the socket listens */
	if (libc.connect(fd, (struct sockaddr *)&un, len) != 0) {
		return -1;
	}
	if (!ask_same_user(fd)) {
		return 1;
	}
	switch (send_all(fd, q, offsetof(struct chan_req, val))) {
	case SENT_NONE:
		return 1;
	case SENT_PART: /* it would look connected */
		libc.shutdown(fd, SHUT_RDWR);
		break;
	case SENT_ALL:
		narrow(fd);
		break;
	}
	return 0;
}

bool quick_begin(int fd, struct whose *w, const struct ask *a)
{
	struct ask_calm calm;
	struct chan_req q;
	uint32_t early;
	int rc;

	if (!is_known(&a->q)) {
		return false;
	}
	early = early_word(fd);
	if (!may(w, &a->q, early)) {
		return false;
	}
	memcpy(&q, &a->q, offsetof(struct chan_req, val));
	q.op = CHAN_OP_BEGIN;
	q.len = STUFF;
	q.early = early & CHAN_EARLY_MASK;
	ask_calm(&calm);
	rc = begin(fd, &q);
	if (rc > 0) {
		fresh_renew(fd, w);
		early_mark(fd, q.early); /* nobody has heard of it */
	}
	ask_calm_end(&calm);
	return rc == 0;
}

bool quick_went_well(int fd)
{
	int left = -1;

	return room_of(fd) == 2 * QUICK_SNDBUF && events(fd) == POLLOUT &&
	       libc.ioctl(fd, SIOCOUTQ, &left) == 0 && left == 0;
}
