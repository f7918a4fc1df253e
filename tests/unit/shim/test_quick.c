/* connect() that does not wait, and what is left of it where it cannot be done
 * that way: the stack is a thread here that writes down what it is asked */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/early.h"
#include "shim/export.h"
#include "shim/fresh.h"
#include "shim/init.h"
#include "shim/libc.h"
#include "shim/quick.h"
#include "stack/chan/chan_addr.h"
#include "stack/chan/chan_early.h"

static pthread_t thread;
static int ctl, data;
static struct chan_req last; /* what was asked, and how often so far */
static unsigned asked;
static struct endpoint connected; /* what the stack says */

static void *stack_process(void *p)
{
	struct chan_rep rep = { .magic = CHAN_MSG_MAGIC,
				.flags = CHAN_F_QUICK,
				.remote = connected };
	int s;

	while ((s = accept(ctl, NULL, NULL)) >= 0) {
		if (recv(s, &last, sizeof(last), 0) > 0) {
			asked++;
			rep.err = last.op == CHAN_OP_CONNECT ? EINPROGRESS : 0;
			send(s, &rep, chan_rep_size(&rep), MSG_NOSIGNAL);
		}
		close(s);
	}
	return p;
}

static int named(enum chan_kind kind, int type)
{
	const struct chan_name n = { .kind = (uint8_t)kind };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&init.run, &n, &un);
	int s = socket(AF_UNIX, type, 0);

	assert_int_equal(bind(s, (struct sockaddr *)&un, len), 0);
	assert_int_equal(listen(s, 16), 0);
	return s;
}

static int setup(void **state)
{
	(void)state;
	libc_load();
	memset(init.run.secret, 'q', sizeof(init.run.secret));
	init.run.id = (uint64_t)getpid() << 20;
	init.on = true;
	connected = endpoint_make(addr_v4(10, 9, 0, 1), 80);
	ctl = named(CHAN_KIND_CTL, SOCK_SEQPACKET);
	data = named(CHAN_KIND_DATA, SOCK_STREAM);
	return pthread_create(&thread, NULL, stack_process, NULL);
}

static int teardown(void **state)
{
	(void)state;
	shutdown(ctl, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(ctl);
	close(data);
	return 0;
}

/* errno of a connect() that does not block */
static int connects(int fd)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(80),
				  .sin_addr = { htonl(0x0a090001) } };

	return shim_connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0
		       ? 0
		       : errno;
}

/* a socket with a switch that the stack has not heard of */
static int fresh(struct whose *w)
{
	const int on = 1;
	int fd = fresh_socket(4, SOCK_NONBLOCK);

	assert_true(fd >= 0);
	assert_true(whose(fd, w));
	assert_true(early_keep(fd, w, IPPROTO_TCP, TCP_NODELAY, &on,
			       sizeof(on)));
	return fd;
}

#define NODELAY chan_early_with(0, CHAN_EARLY_TCP_NODELAY, true)

static int nothing_sent(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	(void)fd;
	(void)m;
	(void)n;
	(void)flags;
	errno = ENOBUFS;
	return -1;
}

static void test_known_addresses_only(void **state)
{
	struct whose w;
	int fd = fresh(&w);

	(void)state;
	assert_int_equal(connects(fd), EINPROGRESS);
	assert_int_equal(asked, 1);
	assert_int_equal(last.op, CHAN_OP_CONNECT);
	assert_int_equal(last.early, NODELAY);
	close(fd);
	fd = fresh(&w);
	assert_int_equal(connects(fd), EINPROGRESS);
	assert_int_equal(asked, 1);
	close(fd);
}

static int room(int fd)
{
	int n = 0;
	socklen_t len = sizeof(n);

	assert_int_equal(libc.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, &len),
			 0);
	return n;
}

/* the stack's end of the next that connected, with nothing in it any more */
static int taken(void)
{
	static char b[65536];
	int s = accept(data, NULL, NULL);

	assert_true(s >= 0);
	while (recv(s, b, sizeof(b), MSG_DONTWAIT) > 0) {
	}
	return s;
}

static void ask_the_name(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	assert_int_equal(shim_getpeername(fd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(ntohs(in.sin_port), 80);
}

static void set_an_option(int fd)
{
	const struct linger l = { 0 };

	assert_int_equal(shim_setsockopt(fd, SOL_SOCKET, SO_LINGER, &l,
					 sizeof(l)),
			 0);
}

static void makes_room(void (*call)(int fd))
{
	struct whose w;
	int fd = fresh(&w), end;

	assert_int_equal(connects(fd), EINPROGRESS);
	assert_int_equal(room(fd), 2 * QUICK_SNDBUF);
	call(fd);
	/* with more it would look connected */
	assert_int_equal(room(fd), 2 * QUICK_SNDBUF);
	end = taken();
	call(fd);
	assert_true(room(fd) > 100000);
	close(end);
	close(fd);
}

/* programs that do not ask for SO_ERROR when the handshake has ended */
static void test_others_make_room(void **state)
{
	(void)state;
	close(taken()); /* of the test before */
	makes_room(ask_the_name);
	makes_room(set_an_option);
}

/* the socket is another one then, of another name while the old one is held:
 * it is asked for by that name, and with the switches that were set */
static void test_nothing_could_be_sent(void **state)
{
	struct whose w, now;
	int fd = fresh(&w), old = dup(fd);
	unsigned before = asked;

	(void)state;
	libc.sendmmsg = nothing_sent;
	assert_int_equal(connects(fd), EINPROGRESS);
	assert_int_equal(asked, before + 1);
	assert_true(whose(fd, &now));
	assert_true(now.own.id != w.own.id);
	assert_true(last.id == now.own.id);
	assert_int_equal(last.early, NODELAY);
	close(fd);
	close(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_addresses_only),
		cmocka_unit_test(test_others_make_room),
		cmocka_unit_test(test_nothing_could_be_sent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
