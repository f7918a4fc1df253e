/* "somebody waits for this device": by name, and only from whom it counts.
 * Abstract names are per network namespace: a name of this process's own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/yield.h"

static char name[16], other[16];

static int setup(void **state)
{
	(void)state;
	snprintf(name, sizeof(name), "y%d", getpid());
	snprintf(other, sizeof(other), "y%dx", getpid()); /* longer by one */
	return 0;
}

static void test_asked(void **state)
{
	int fd = yield_listen(name);

	(void)state;
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(yield_asked(fd)); /* does not block */
	yield_ask(name);
	assert_true(yield_asked(fd));
	assert_false(yield_asked(fd)); /* once per question */
	yield_ask(name);
	yield_ask(name);
	assert_true(yield_asked(fd));
	assert_true(yield_asked(fd));
	assert_false(yield_asked(fd));
	close(fd);
}

static void test_names(void **state)
{
	int a = yield_listen(name), b;

	(void)state;
	assert_true(a >= 0);
	assert_int_equal(yield_listen(name), -1); /* one holder at a time */
	b = yield_listen(other);
	assert_true(b >= 0);
	yield_ask(other);
	assert_false(yield_asked(a));
	assert_true(yield_asked(b));
	close(a);
	a = yield_listen(name); /* free again with its descriptor */
	assert_true(a >= 0);
	assert_false(yield_asked(a));
	close(a);
	close(b);
	assert_int_equal(yield_listen("") >= 0, 1);
}

static void test_nobody_there(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	yield_ask("nosuch-device");
	yield_ask(name);
}

/* ask as another user; the holder's answer */
static bool asked_by(uid_t holder, uid_t asker)
{
	int sync[2], st;
	pid_t pid;

	assert_int_equal(pipe(sync), 0);
	pid = fork();
	if (pid == 0) {
		int fd;
		pid_t p;

		if (setresuid(holder, holder, asker == holder ? holder : 0)) {
			_exit(2);
		}
		fd = yield_listen(name);
		p = fork();
		if (p == 0) {
			if (asker != holder &&
			    (setresuid(0, 0, 0) || setresuid(asker, asker,
							     asker))) {
				_exit(2);
			}
			yield_ask(name);
			_exit(0);
		}
		if (fd < 0 || waitpid(p, &st, 0) != p || st != 0) {
			_exit(2);
		}
		_exit(yield_asked(fd));
	}
	close(sync[0]);
	close(sync[1]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	if (WEXITSTATUS(st) == 2) {
		print_message("cannot become users 65533 and 65534\n");
		skip();
	}
	return WEXITSTATUS(st) == 1;
}

static void test_who_asks(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("needs root: to become other users\n");
		skip();
	}
	assert_true(asked_by(0, 0));
	assert_true(asked_by(65534, 65534));
	assert_true(asked_by(65534, 0));
	assert_false(asked_by(65534, 65533));
	assert_false(asked_by(0, 65533));
}

/* an empty or a long message asks as well: it is who, not what */
static void test_any_words(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = yield_listen(name), s;
	char big[5000] = { 0 };
	socklen_t n;

	(void)state;
	n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			(unsigned)snprintf(un.sun_path + 1, 90,
					   "mptcprun-device-%s", name));
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(sendto(s, "", 0, 0, (struct sockaddr *)&un, n), 0);
	assert_int_equal(sendto(s, big, sizeof(big), 0,
				(struct sockaddr *)&un, n),
			 sizeof(big));
	assert_true(yield_asked(fd));
	assert_true(yield_asked(fd));
	assert_false(yield_asked(fd));
	close(s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_who_asks),
		cmocka_unit_test(test_any_words),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
