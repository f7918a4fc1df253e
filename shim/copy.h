/* copy.h - the program's pointers, which may be bad
 *
 * The kernel answers EFAULT where a library would crash.  These are for slow
 * paths only: one system call each.
 */
#ifndef SHIM_COPY_H
#define SHIM_COPY_H

#include <stddef.h>
#include <sys/socket.h>

int copy_in(void *dst, const void *user, size_t n);  /* 0 or EFAULT */
int copy_out(void *user, const void *src, size_t n); /* 0 or EFAULT */

/* As the kernel gives an address out: *user_len says how much fits and becomes
 * the address's true length.  0, EFAULT, or EINVAL for a negative length. */
int copy_addr_out(void *user, socklen_t *user_len, const void *sa,
		  socklen_t len);
/* As the kernel takes one: at most 128 octets, else EINVAL. */
int copy_addr_in(struct sockaddr_storage *sa, const void *user, socklen_t len);

#endif
