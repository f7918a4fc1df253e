/* syscall() for the numbers that have a function here, and prctl() for the
 * moment a program locks itself up
 */
#include "shim/export.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "shim/init.h"
#include "shim/libc.h"

struct args {
	long v[6];
};

/* an argument as the pointer that it is */
static void *ptr(long v)
{
	union {
		long in;
		void *out;
	} u = { .in = v };

	return u.out;
}

#define P(i) ptr(a->v[i])
#define N(i) ((int)a->v[i])
#define Z(i) ((size_t)a->v[i])
#define L(i) ((socklen_t)a->v[i])

static bool call_names(long number, const struct args *a, long *rc)
{
	switch (number) {
	case SYS_socket:
		*rc = shim_socket(N(0), N(1), N(2));
		return true;
	case SYS_bind:
		*rc = shim_bind(N(0), P(1), L(2));
		return true;
	case SYS_listen:
		*rc = shim_listen(N(0), N(1));
		return true;
	case SYS_connect:
		*rc = shim_connect(N(0), P(1), L(2));
		return true;
	case SYS_accept:
		*rc = shim_accept4(N(0), P(1), P(2), 0);
		return true;
	case SYS_accept4:
		*rc = shim_accept4(N(0), P(1), P(2), N(3));
		return true;
	case SYS_getsockname:
		*rc = shim_getsockname(N(0), P(1), P(2));
		return true;
	case SYS_getpeername:
		*rc = shim_getpeername(N(0), P(1), P(2));
		return true;
	case SYS_getsockopt:
		*rc = shim_getsockopt(N(0), N(1), N(2), P(3), P(4));
		return true;
	case SYS_setsockopt:
		*rc = shim_setsockopt(N(0), N(1), N(2), P(3), L(4));
		return true;
	case SYS_shutdown:
		*rc = shim_shutdown(N(0), N(1));
		return true;
	case SYS_ioctl:
		*rc = shim_ioctl(N(0), (unsigned long)a->v[1], P(2));
		return true;
	default:
		return false;
	}
}

static bool call_data(long number, const struct args *a, long *rc)
{
	switch (number) {
	case SYS_read:
		*rc = shim_read(N(0), P(1), Z(2));
		return true;
	case SYS_readv:
		*rc = shim_readv(N(0), P(1), N(2));
		return true;
	case SYS_recvfrom:
		*rc = shim_recvfrom(N(0), P(1), Z(2), N(3), P(4), P(5));
		return true;
	case SYS_recvmsg:
		*rc = shim_recvmsg(N(0), P(1), N(2));
		return true;
	case SYS_recvmmsg:
		*rc = shim_recvmmsg(N(0), P(1), (unsigned)a->v[2], N(3), P(4));
		return true;
	case SYS_write:
		*rc = shim_write(N(0), P(1), Z(2));
		return true;
	case SYS_writev:
		*rc = shim_writev(N(0), P(1), N(2));
		return true;
	case SYS_sendto:
		*rc = shim_sendto(N(0), P(1), Z(2), N(3), P(4), L(5));
		return true;
	case SYS_sendmsg:
		*rc = shim_sendmsg(N(0), P(1), N(2));
		return true;
	case SYS_sendmmsg:
		*rc = shim_sendmmsg(N(0), P(1), (unsigned)a->v[2], N(3));
		return true;
	case SYS_splice:
		*rc = shim_splice(N(0), P(1), N(2), P(3), Z(4),
				  (unsigned)a->v[5]);
		return true;
	case SYS_execve:
		*rc = shim_execve(P(0), P(1), P(2));
		return true;
	case SYS_execveat:
		*rc = shim_execveat(N(0), P(1), P(2), P(3), N(4));
		return true;
	default:
		return false;
	}
}

long shim_syscall(long number, ...)
{
	struct args a;
	va_list ap;
	long rc;

	va_start(ap, number);
	for (int i = 0; i < 6; i++) {
		a.v[i] = va_arg(ap, long);
	}
	va_end(ap);
	if (init_on() &&
	    (call_names(number, &a, &rc) || call_data(number, &a, &rc))) {
		return rc;
	}
	rc = libc.syscall(number, a.v[0], a.v[1], a.v[2], a.v[3], a.v[4],
			  a.v[5]);
	if (number == SYS_seccomp && rc >= 0 &&
	    (a.v[0] == SECCOMP_SET_MODE_STRICT ||
	     a.v[0] == SECCOMP_SET_MODE_FILTER)) {
		init.sandboxed = true;
	}
	return rc;
}

int shim_prctl(int option, ...)
{
	unsigned long v[4];
	va_list ap;
	int rc;

	va_start(ap, option);
	for (int i = 0; i < 4; i++) {
		v[i] = va_arg(ap, unsigned long);
	}
	va_end(ap);
	init_on();
	rc = libc.prctl(option, v[0], v[1], v[2], v[3]);
	if (option == PR_SET_SECCOMP && rc == 0) {
		init.sandboxed = true;
	}
	return rc;
}
