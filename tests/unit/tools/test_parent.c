/* staying as the parent: exit statuses, signals passed on, whom it waits for.
 * Each case runs in a process of its own, which is the parent. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "tools/parent.h"

static int life[2]; /* ours, the parent's */
static int said[2]; /* what the program wrote */
static int arg;

static void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0) {
	}
}

/* the parent's process; the program is fn() */
static pid_t start(void (*fn)(void))
{
	pid_t parent;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, life), 0);
	assert_int_equal(pipe(said), 0);
	parent = fork();
	if (parent == 0) {
		pid_t program;

		alarm(0);
		close(life[0]);
		parent_prepare();
		program = fork();
		if (program == 0) {
			parent_child();
			close(life[1]);
			fn();
			_exit(99);
		}
		_exit(parent_wait(program, life[1], 0));
	}
	close(life[1]);
	close(said[1]);
	return parent;
}

static bool ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* the stack is told, and its end is waited for; the status */
static int finish(pid_t parent)
{
	char line[16] = "";
	int st;

	assert_true(ready(life[0], 5000));
	assert_int_equal(read(life[0], line, sizeof(line)), 4);
	assert_string_equal(line, "end\n");
	nap(50);
	assert_int_equal(waitpid(parent, &st, WNOHANG), 0);
	close(life[0]);
	assert_int_equal(waitpid(parent, &st, 0), parent);
	close(said[0]);
	assert_true(WIFEXITED(st));
	return WEXITSTATUS(st);
}

static void by_exit(void)
{
	_exit(arg);
}

static void by_signal(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(arg, SIG_DFL);
	raise(arg);
}

static void test_statuses(void **state)
{
	static const int codes[] = { 0, 1, 7, 125, 128, 255 };
	static const int signals[] = { SIGTERM, SIGKILL, SIGSEGV, SIGINT,
				       SIGPIPE, SIGUSR1 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		arg = codes[i];
		assert_int_equal(finish(start(by_exit)), codes[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
		arg = signals[i];
		assert_int_equal(finish(start(by_signal)), 128 + signals[i]);
	}
}

/* a program that goes on in the background, with a child of its own */
static void leaves_a_child(void)
{
	if (fork() == 0) {
		if (fork() == 0) {
			nap(400);
			(void)!write(said[1], "late", 4);
			_exit(55);
		}
		_exit(44);
	}
	_exit(7);
}

static void test_waits_for_all(void **state)
{
	char b[8] = "";
	pid_t p;

	(void)state;
	p = start(leaves_a_child);
	assert_false(ready(life[0], 200)); /* not yet */
	assert_true(ready(life[0], 5000));
	assert_true(ready(said[0], 0)); /* it was all done before */
	assert_int_equal(read(said[0], b, sizeof(b)), 4);
	assert_int_equal(finish(p), 7); /* the program's own */
}

static volatile sig_atomic_t got;

static void note(int sig)
{
	unsigned char c = (unsigned char)sig;

	got = sig;
	(void)!write(said[1], &c, 1);
}

static void catches_all(void)
{
	for (int i = 1; i < 32; i++) {
		signal(i, note);
	}
	(void)!write(said[1], "", 1);
	while (got != SIGTERM) {
		pause();
	}
	_exit(3);
}

static void test_signals_are_passed_on(void **state)
{
	static const int signals[] = { SIGHUP,	SIGINT,	 SIGQUIT, SIGUSR1,
				       SIGUSR2, SIGALRM, SIGWINCH, SIGTERM };
	unsigned char c = 1;
	pid_t p;

	(void)state;
	p = start(catches_all);
	assert_int_equal(read(said[0], &c, 1), 1);
	assert_int_equal(c, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
		assert_int_equal(kill(p, signals[i]), 0);
		assert_true(ready(said[0], 5000));
		assert_int_equal(read(said[0], &c, 1), 1);
		assert_int_equal(c, signals[i]);
	}
	assert_int_equal(finish(p), 3);
}

static void test_many_signals_once_each(void **state)
{
	unsigned char c;
	pid_t p;
	union sigval v = { 0 };

	(void)state;
	p = start(catches_all);
	assert_int_equal(read(said[0], &c, 1), 1);
	assert_int_equal(sigqueue(p, SIGUSR1, v), 0); /* also queued ones */
	assert_true(ready(said[0], 5000));
	assert_int_equal(read(said[0], &c, 1), 1);
	assert_int_equal(c, SIGUSR1);
	assert_false(ready(said[0], 100)); /* and once */
	kill(p, SIGTERM);
	assert_int_equal(finish(p), 3);
}

static void shows_its_mask(void)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	for (int i = 1; i < 32; i++) {
		if (sigismember(&now, i) != (i == SIGUSR2)) {
			_exit(i);
		}
	}
	_exit(0);
}

/* the program starts with the mask that the caller had */
static void test_mask_is_the_callers(void **state)
{
	sigset_t mine, was;

	(void)state;
	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mine, &was);
	arg = finish(start(shows_its_mask));
	sigprocmask(SIG_SETMASK, &was, NULL);
	assert_int_equal(arg, 0);
}

static void stops_itself(void)
{
	raise(SIGSTOP);
	_exit(5);
}

static void test_stopped_is_not_ended(void **state)
{
	char path[64], text[64] = "";
	FILE *f;
	pid_t p, child = 0;

	(void)state;
	p = start(stops_itself);
	assert_false(ready(life[0], 300));
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", p, p);
	f = fopen(path, "r");
	if (f) {
		child = fgets(text, sizeof(text), f) ? atoi(text) : 0;
		fclose(f);
	}
	if (child <= 0) {
		kill(p, SIGKILL);
		waitpid(p, NULL, 0);
		print_message("no list of children in /proc\n");
		skip();
	}
	kill(child, SIGCONT);
	assert_int_equal(finish(p), 5);
}

/* the stack died first: no SIGPIPE, no waiting */
static void test_dead_stack(void **state)
{
	pid_t p;
	int st;

	(void)state;
	arg = 6;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, life), 0);
	p = fork();
	if (p == 0) {
		pid_t program;

		close(life[0]);
		parent_prepare();
		program = fork();
		if (program == 0) {
			nap(100);
			_exit(arg);
		}
		_exit(parent_wait(program, life[1], 0));
	}
	close(life[0]);
	close(life[1]);
	assert_int_equal(waitpid(p, &st, 0), p);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 6);
	p = fork();
	if (p == 0) { /* no stack at all */
		parent_prepare();
		p = fork();
		if (p == 0) {
			_exit(8);
		}
		_exit(parent_wait(p, -1, 0));
	}
	assert_int_equal(waitpid(p, &st, 0), p);
	assert_int_equal(WEXITSTATUS(st), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_waits_for_all),
		cmocka_unit_test(test_signals_are_passed_on),
		cmocka_unit_test(test_many_signals_once_each),
		cmocka_unit_test(test_mask_is_the_callers),
		cmocka_unit_test(test_stopped_is_not_ended),
		cmocka_unit_test(test_dead_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
