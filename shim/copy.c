#include "shim/copy.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stack/base/check.h"

/* The kernel copies inside this very process and knows where nothing is
 * mapped.  Where that call is forbidden a bad pointer crashes, as in any
 * library. */
static int copy(void *local, const void *user, size_t n, bool in)
{
	union {
		const void *in;
		void *out;
	} far = { .in = user };
	struct iovec here = { local, n }, there = { far.out, n };
	ssize_t done;
	int err = errno;

	if (n == 0) {
		return 0;
	}
	done = in ? process_vm_readv(getpid(), &here, 1, &there, 1, 0)
		  : process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	if (done < 0 && errno != EFAULT) {
		errno = err;
		if (in) {
			memcpy(local, user, n);
		} else {
			memcpy(far.out, local, n);
		}
		return 0;
	}
	errno = err;
	return done == (ssize_t)n ? 0 : EFAULT;
}

int copy_in(void *dst, const void *user, size_t n)
{
	return copy(dst, user, n, true);
}

int copy_out(void *user, const void *src, size_t n)
{
	union {
		const void *in;
		void *out;
	} from = { .in = src };

	return copy(from.out, user, n, false);
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
