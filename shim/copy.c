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
	memcpy(dst, user, n);
	return 0;
}

/* The kernel copies inside this very process. */
int copy_out(void *user, const void *src, size_t n)
{
	union {
		const void *in;
		void *out;
	} from = { .in = src };
	struct iovec here = { from.out, n }, there = { user, n };
	ssize_t done;
	int err = errno;

	if (n == 0) {
		return 0;
	}
	done = process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	if (done < 0 && errno != EFAULT) {
		errno = err;
		memcpy(user, src, n);
		return 0;
	}
	errno = err;
	return done == (ssize_t)n ? 0 : EFAULT;
}

int copy_addr_out(void *user, socklen_t *user_len, const void *sa,
		  socklen_t len)
{
	int room, err = copy_in(&room, user_len, sizeof(room));

	if (err) {
		return err;
	}
	if (room < 0) {
		return EINVAL;
	}
	err = copy_out(user, sa, min_size((size_t)room, len));
	return err ? err : copy_out(user_len, &len, sizeof(len));
}

int copy_addr_in(struct sockaddr_storage *sa, const void *user, socklen_t len)
{
	memset(sa, 0, sizeof(*sa));
	if (len > sizeof(*sa)) {
		return EINVAL;
	}
	return copy_in(sa, user, len);
}
