#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/keeper.h"

static struct run_conf conf;
static struct tun tuns[CONF_TUNS_MAX];

static void block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int size_of(int fd, int name)
{
	socklen_t len = sizeof(int);
	int v = 0;

	getsockopt(fd, SOL_SOCKET, name, &v, &len);
	return v;
}

/* root of a user namespace has no privilege over the host's limits */
static bool is_root(void)
{
	unsigned long inner = 1, outer = 1, n = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");

	if (f) {
		if (fscanf(f, "%lu %lu %lu", &inner, &outer, &n) != 3) {
			n = 0;
		}
		fclose(f);
	}
	return geteuid() == 0 && outer == 0 && n == UINT32_MAX;
}

/* in the engine: 0, or the number of the expectation that failed */
static int as_engine(int sock)
{
	int sv[2], err, want = 8 << 20;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) != 0) {
		return 1;
	}
	err = keeper_force(sock, sv[0], want, want / 2);
	if (err == EPERM) {
		return is_root() ? 2 : 0; /* no privilege to raise it */
	}
	if (err || size_of(sv[0], SO_SNDBUF) != 2 * want ||
	    size_of(sv[0], SO_RCVBUF) != want) {
		return 3;
	}
	/* 0 leaves it as it is; again and again */
	for (int i = 0; i < 100; i++) {
		if (keeper_force(sock, sv[1], 1 << 20, 0) != 0) {
			return 4;
		}
	}
	return size_of(sv[1], SO_SNDBUF) == 2 << 20 ? 0 : 5;
}

static void test_force(void **state)
{
	int sv[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	pid = fork();
	if (pid == 0) {
		close(sv[0]);
		_exit(as_engine(sv[1]));
	}
	close(sv[1]);
	assert_int_equal(keeper_run(sv[0], pid, &conf, tuns, NULL), 0);
	close(sv[0]);
}

/* the engine's exit status is the keeper's, and SIGTERM goes on */
static void test_ends(void **state)
{
	int sv[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	pid = fork();
	if (pid == 0) {
		_exit(77);
	}
	assert_int_equal(keeper_run(sv[0], pid, &conf, tuns, NULL), 77);
	pid = fork();
	if (pid == 0) {
		sigset_t set;

		signal(SIGTERM, SIG_DFL);
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		pause();
		_exit(0);
	}
	kill(getpid(), SIGTERM);
	assert_int_equal(keeper_run(sv[0], pid, &conf, tuns, NULL),
			 128 + SIGTERM);
	close(sv[0]);
	close(sv[1]);
}

/* a keeper that is gone, or does not answer, holds up nothing for long */
static void test_no_keeper(void **state)
{
	int sv[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(keeper_force(sv[1], 0, 1000, 0), ETIMEDOUT);
	close(sv[0]);
	assert_int_equal(keeper_force(sv[1], 0, 1000, 0), EPIPE);
	close(sv[1]);
}

/* what the engine says last, before it ends, is written too */
static int tells(int sock)
{
	for (uint8_t i = 1; i <= 5; i++) {
		struct known_entry e = {
			.to = endpoint_make(addr_v4(192, 0, 2, i), 80),
			.mode = KNOWN_SMTCP,
			.first = time(NULL),
			.last = time(NULL),
		};

		keeper_known(sock, &e);
	}
	return 3;
}

static void test_known(void **state)
{
	static struct known_place place = { .at = AT_FDCWD, .asked = true };
	static struct scribe scribe;
	char dir[] = "/tmp/mptcp-keeper.XXXXXX", why[OWN_FILE_WHY];
	struct known k;
	int sv[2];
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(place.path, sizeof(place.path), "%s/known", dir);
	scribe_init(&scribe, &place, true);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	pid = fork();
	if (pid == 0) {
		close(sv[0]);
		_exit(tells(sv[1]));
	}
	close(sv[1]);
	assert_int_equal(keeper_run(sv[0], pid, &conf, tuns, &scribe), 3);
	close(sv[0]);
	known_init(&k);
	assert_true(known_file_load(&place, &k, why));
	assert_int_equal(k.n, 5);
	known_fini(&k);
	unlink(place.path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_force),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_keeper),
		cmocka_unit_test(test_known),
	};

	block();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
