/* native.h - the same call on a socket of ours and on one of this machine's
 * kernel: what programs see must not differ.  No packet is sent.
 */
#ifndef TESTS_UNIT_SOCK_NATIVE_H
#define TESTS_UNIT_SOCK_NATIVE_H

#include "tests/unit/sock/two.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/tcp.h>
#include <netinet/in.h>

static struct sock *ours;
static int theirs = -1;

static inline void native_open(uint8_t family)
{
	if (theirs >= 0) {
		close(theirs);
	}
	theirs = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	assert_true(theirs >= 0);
	ours = sock_open(two.end[0].stack, family);
	assert_non_null(ours);
}

static inline int native_setup(void **state)
{
	two_setup(state);
	native_open(4);
	return 0;
}

static inline int native_teardown(void **state)
{
	close(theirs);
	theirs = -1;
	return two_teardown(state);
}

static inline int native_set(int level, int name, const void *p, uint32_t len)
{
	return setsockopt(theirs, level, name, p, len) < 0 ? errno : 0;
}

static inline int ours_set(int level, int name, const void *p, uint32_t len)
{
	return sock_setopt(ours, two.now, level, name, p, len);
}

static inline int ours_set_int(int level, int name, int v)
{
	return ours_set(level, name, &v, sizeof(v));
}

static inline int ours_get_int(int level, int name)
{
	uint32_t len = sizeof(int);
	int v = -98765;

	assert_int_equal(sock_getopt(ours, two.now, level, name, &v, &len), 0);
	assert_int_equal(len, sizeof(int));
	return v;
}

/* reads with room for len octets; both must give the same error, length and
 * octets */
static inline void native_same_get(int level, int name, uint32_t len)
{
	uint8_t a[64], b[64];
	socklen_t n = len;
	int ea, eb;

	assert_true(len <= sizeof(a));
	memset(a, 0x5a, sizeof(a));
	memset(b, 0x5a, sizeof(b));
	ea = getsockopt(theirs, level, name, a, &n) < 0 ? errno : 0;
	eb = sock_getopt(ours, two.now, level, name, b, &len);
	if (ea != eb || (!ea && (n != len || memcmp(a, b, sizeof(a)) != 0))) {
		fail_msg("get %d/%d: kernel %d (%u octets, %d), ours %d (%u, "
			 "%d)", level, name, ea, n, *(int *)(void *)a, eb,
			 len, *(int *)(void *)b);
	}
}

/* sets v on both, then reads it from both */
static inline void native_same(int level, int name, int v)
{
	int ea = native_set(level, name, &v, sizeof(v));
	int eb = ours_set_int(level, name, v);

	if (ea != eb) {
		fail_msg("set %d/%d to %d: kernel %d, ours %d", level, name, v,
			 ea, eb);
	}
	native_same_get(level, name, sizeof(v));
}

/* a value that is too short, or has octets behind it */
static inline void native_same_len(int level, int name, const void *p,
				   uint32_t len)
{
	int ea = native_set(level, name, p, len);
	int eb = ours_set(level, name, p, len);

	if (ea != eb) {
		fail_msg("set %d/%d, %u octets: kernel %d, ours %d", level,
			 name, len, ea, eb);
	}
}

#define NATIVE_TEST(f)                                                         \
	cmocka_unit_test_setup_teardown(f, native_setup, native_teardown)

#endif
