#include "shim/copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stack/base/check.h"

#define MASK_LEN 8    /* octets of a signal mask, as the kernel counts them */
#define PAGE     4096 /* the smallest that there is */

/* The cheapest call that looks at an address and does nothing: the kernel reads
 * the mask before it sees that there is no such way to change ours. */
static bool unreadable(uintptr_t at)
{
	uintptr_t p = at & ~(MASK_LEN - 1ul);

	if (p == 0) {
		p = MASK_LEN; /* the same page; 0 would mean "no mask" */
	}
	return syscall(SYS_rt_sigprocmask, -1, p, NULL, (size_t)MASK_LEN) !=
		       0 &&
	       errno == EFAULT;
}

/* The kernel knows where nothing is mapped.  Where a call is forbidden a bad
 * pointer crashes, as in any library. */
int copy_in(void *dst, const void *user, size_t n)
{
	uintptr_t at = (uintptr_t)user, end = at + n;
	int err = errno;
	bool bad = end < at;

	while (at < end && !bad) {
		bad = unreadable(at);
		at = (at | (PAGE - 1)) + 1;
		if (at == 0) { /* the very last page */
			break;
		}
	}
	errno = err;
	if (bad) {
		return EFAULT;
	}
	if (n > 0) {
		memcpy(dst, user, n);
	}
	return 0;
}

/* The kernel copies inside this very process. */
static int put(const struct iovec *here, const struct iovec *there, unsigned n)
{
	int err = errno;
	size_t want = 0;
	ssize_t done;

	for (unsigned i = 0; i < n; i++) {
		want += here[i].iov_len;
	}
	if (want == 0) {
		return 0;
	}
	done = process_vm_writev(getpid(), here, n, there, n, 0);
	if (done < 0 && errno != EFAULT) {
		for (unsigned i = 0; i < n; i++) {
			if (here[i].iov_len > 0) {
				memcpy(there[i].iov_base, here[i].iov_base,
				       here[i].iov_len);
			}
		}
		done = (ssize_t)want;
	}
	errno = err;
	return done == (ssize_t)want ? 0 : EFAULT;
}

static struct iovec piece(const void *p, size_t n)
{
	union {
		const void *in;
		void *out;
	} at = { .in = p };

	return (struct iovec){ at.out, n };
}

int copy_out(void *user, const void *src, size_t n)
{
	struct iovec here = piece(src, n), there = { user, n };

	return put(&here, &there, 1);
}

int copy_addr_out(void *user, socklen_t *user_len, const void *sa,
		  socklen_t len)
{
	int room, err = copy_in(&room, user_len, sizeof(room));
	struct iovec here[2], there[2];

	if (err) {
		return err;
	}
	if (room < 0) {
		return EINVAL;
	}
	here[0] = piece(sa, min_size((size_t)room, len));
	here[1] = piece(&len, sizeof(len));
	there[0] = (struct iovec){ user, here[0].iov_len };
	there[1] = (struct iovec){ user_len, sizeof(len) };
	return put(here, there, 2);
}

int copy_addr_in(struct sockaddr_storage *sa, const void *user, socklen_t len)
{
	memset(sa, 0, sizeof(*sa));
	if (len > sizeof(*sa)) {
		return EINVAL;
	}
	return copy_in(sa, user, len);
}
