/* requests to the kernel about lo, in a network namespace of this process's
 * own; ioctl() and ip(8) are the witnesses */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/engine/netlink.h"

#define LO 1

static struct netlink nl;

static int setup(void **state)
{
	(void)state;
	return netlink_open(&nl);
}

static int teardown(void **state)
{
	(void)state;
	netlink_close(&nl);
	return 0;
}

static int sh(const char *command)
{
	int st = system(command);

	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static struct addr at(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static int addr(bool add, const char *local, const char *remote, unsigned bits)
{
	struct addr l = at(local), r = at(remote);

	return netlink_addr(&nl, add, LO, &l, &r, bits);
}

static int ask_lo(unsigned long request, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	memset(r, 0, sizeof(*r));
	strcpy(r->ifr_name, "lo");
	rc = ioctl(fd, request, r);
	close(fd);
	return rc;
}

static void test_link(void **state)
{
	struct ifreq r;

	(void)state;
	assert_int_equal(sh("ip link set lo down"), 0);
	assert_int_equal(netlink_link_setup(&nl, LO, 4321, 77), 0);
	assert_int_equal(ask_lo(SIOCGIFMTU, &r), 0);
	assert_int_equal(r.ifr_mtu, 4321);
	assert_int_equal(ask_lo(SIOCGIFTXQLEN, &r), 0);
	assert_int_equal(r.ifr_qlen, 77);
	assert_int_equal(ask_lo(SIOCGIFFLAGS, &r), 0);
	assert_true(r.ifr_flags & IFF_UP);
	assert_true(r.ifr_flags & IFF_LOOPBACK);
	/* no IPv6 address of the kernel's own making */
	assert_int_equal(sh("ip -d link show lo | grep -q 'addrgenmode none'"),
			 0);
	assert_int_equal(sh("ip link set lo down"), 0);
	assert_int_equal(netlink_link_up(&nl, LO), 0);
	assert_int_equal(ask_lo(SIOCGIFFLAGS, &r), 0);
	assert_true(r.ifr_flags & IFF_UP);
	assert_int_equal(netlink_link_up(&nl, LO), 0); /* up already */
}

static void test_link_errors(void **state)
{
	struct addr a = at("10.1.0.1");

	(void)state;
	assert_int_equal(netlink_link_setup(&nl, 9999, 1500, 10), ENODEV);
	assert_int_equal(netlink_link_up(&nl, 9999), ENODEV);
	assert_int_equal(netlink_addr(&nl, true, 9999, &a, &a, 24), ENODEV);
	/* the connection is good for more */
	assert_int_equal(netlink_link_up(&nl, LO), 0);
}

static void test_addresses(void **state)
{
	(void)state;
	assert_int_equal(addr(true, "10.7.0.1", "10.7.0.2", 24), 0);
	assert_int_equal(sh("ip -o addr show lo | grep -q "
			    "'inet 10.7.0.1 peer 10.7.0.2/24'"),
			 0);
	assert_int_equal(addr(true, "10.7.0.1", "10.7.0.2", 24), EEXIST);
	assert_int_equal(addr(true, "fd07::1", "fd07::2", 64), 0);
	assert_int_equal(sh("ip -o addr show lo | grep -q "
			    "'inet6 fd07::1 peer fd07::2/64'"),
			 0);
	/* usable at once: no duplicate address detection */
	assert_int_equal(sh("ip -o addr show lo | grep fd07::1 | grep -q nodad"),
			 0);
	assert_int_not_equal(sh("ip -o addr show lo | grep -q tentative"), 0);
	assert_int_equal(addr(true, "fd07::1", "fd07::2", 64), EEXIST);
	assert_int_equal(addr(true, "10.8.0.1", "10.8.0.2", 33), EINVAL);
	assert_int_equal(addr(false, "10.7.0.1", "10.7.0.2", 24), 0);
	assert_int_equal(addr(false, "fd07::1", "fd07::2", 64), 0);
	assert_int_equal(addr(false, "10.7.0.1", "10.7.0.2", 24),
			 EADDRNOTAVAIL);
	assert_int_not_equal(sh("ip -o addr show lo | grep -q '10.7\\|fd07'"),
			     0);
}

struct found {
	unsigned n, stop_at;
	struct addr local[400], remote[400];
};

static struct found f;

static bool note(void *ctx, int ifindex, const struct addr *local,
		 const struct addr *remote)
{
	struct found *x = ctx;

	assert_int_equal(ifindex, LO);
	assert_true(x->n < 400);
	x->local[x->n] = *local;
	x->remote[x->n++] = *remote;
	return x->n != x->stop_at;
}

static int list(unsigned stop_at)
{
	f.n = 0;
	f.stop_at = stop_at;
	return netlink_addr_each(&nl, note, &f);
}

static const struct addr *peer_of(const char *local)
{
	struct addr a = at(local);

	for (unsigned i = 0; i < f.n; i++) {
		if (addr_eq(&f.local[i], &a)) {
			return &f.remote[i];
		}
	}
	return NULL;
}

static void test_list(void **state)
{
	struct addr p4 = at("10.7.0.2"), p6 = at("fd07::2");
	unsigned before;

	(void)state;
	assert_int_equal(list(0), 0);
	before = f.n;
	assert_int_equal(addr(true, "10.7.0.1", "10.7.0.2", 24), 0);
	assert_int_equal(addr(true, "fd07::1", "fd07::2", 64), 0);
	assert_int_equal(sh("ip addr add 10.6.0.1/24 dev lo && "
			    "ip addr add fd06::1/64 dev lo nodad"),
			 0);
	assert_int_equal(list(0), 0);
	assert_int_equal(f.n, before + 4);
	assert_true(addr_eq(peer_of("10.7.0.1"), &p4));
	assert_true(addr_eq(peer_of("fd07::1"), &p6));
	assert_int_equal(peer_of("10.6.0.1")->family, 0); /* no other end */
	assert_int_equal(peer_of("fd06::1")->family, 0);
	assert_null(peer_of("10.7.0.2"));
	assert_int_equal(sh("ip addr del 10.6.0.1/24 dev lo && "
			    "ip addr del fd06::1/64 dev lo"),
			 0);
	addr(false, "10.7.0.1", "10.7.0.2", 24);
	addr(false, "fd07::1", "fd07::2", 64);
}

/* more than one answer holds; stopping early leaves nothing behind */
static void test_long_list(void **state)
{
	unsigned all;
	char text[40];

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "10.66.%u.%u", i / 200, i % 200);
		assert_int_equal(addr(true, text, text, 32), 0);
	}
	assert_int_equal(list(0), 0);
	all = f.n;
	assert_true(all >= 300);
	assert_non_null(peer_of("10.66.0.0"));
	assert_non_null(peer_of("10.66.1.99"));
	for (unsigned stop = 1; stop < 300; stop += 60) {
		assert_int_equal(list(stop), 0);
		assert_int_equal(f.n, stop);
		assert_int_equal(netlink_link_up(&nl, LO), 0);
	}
	assert_int_equal(list(0), 0);
	assert_int_equal(f.n, all);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "10.66.%u.%u", i / 200, i % 200);
		assert_int_equal(addr(false, text, text, 32), 0);
	}
}

/* answers to somebody else's question are passed over */
static void test_stale_answers(void **state)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
	} q = { .h = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.m)),
		       .nlmsg_type = RTM_GETADDR,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = 0x7777 } };

	(void)state;
	assert_int_equal(send(nl.fd, &q, q.h.nlmsg_len, 0),
			 (ssize_t)q.h.nlmsg_len);
	assert_int_equal(netlink_link_up(&nl, 9999), ENODEV);
	q.h.nlmsg_type = RTM_NEWLINK; /* refused: an error of that number */
	q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	q.h.nlmsg_seq = 0x7778;
	assert_int_equal(send(nl.fd, &q, q.h.nlmsg_len, 0),
			 (ssize_t)q.h.nlmsg_len);
	assert_int_equal(netlink_link_up(&nl, LO), 0);
	q.h.nlmsg_seq = 0x7779;
	assert_int_equal(send(nl.fd, &q, q.h.nlmsg_len, 0),
			 (ssize_t)q.h.nlmsg_len);
	assert_int_equal(list(0), 0);
	assert_true(f.n > 0);
}

static void test_without_privilege(void **state)
{
	pid_t pid = fork();
	int st;

	(void)state;
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534)) {
			_exit(2);
		}
		_exit(netlink_link_setup(&nl, LO, 1500, 10) == EPERM &&
				      netlink_link_up(&nl, LO) == EPERM &&
				      list(0) == 0 && f.n > 0
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	if (WEXITSTATUS(st) == 2) {
		print_message("cannot become user 65534\n");
		skip();
	}
	assert_int_equal(st, 0);
}

static void test_close(void **state)
{
	struct netlink other;

	(void)state;
	assert_int_equal(netlink_open(&other), 0);
	netlink_close(&other);
	assert_int_equal(other.fd, -1);
	netlink_close(&other); /* again: no harm */
}

static void test_needs_namespace(void **state)
{
	(void)state;
	print_message("no network namespace of its own\n");
	skip();
}

static bool private_net(void)
{
	return (unshare(CLONE_NEWNET) == 0 ||
		unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) &&
	       sh("ip link set lo up 2>/dev/null") == 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_link),		  T(test_link_errors),
		T(test_addresses),	  T(test_list),
		T(test_long_list),	  T(test_stale_answers),
		T(test_without_privilege), T(test_close),
	};
	const struct CMUnitTest none[] = {
		cmocka_unit_test(test_needs_namespace),
	};

	return private_net() ? cmocka_run_group_tests(tests, NULL, NULL)
			     : cmocka_run_group_tests(none, NULL, NULL);
}
