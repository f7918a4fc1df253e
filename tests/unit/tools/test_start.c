/* starting a stack: this program plays the stack, too, in every manner */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "tools/start.h"

#define ROLE "TEST_START_ROLE"

static struct run_conf conf;
static struct chan_run run = { .id = 0x1122334455667788u,
			       .secret = "0123456789abcde" };
static char err[256];
static int life;
static pid_t stack;

static bool go(const char *role)
{
	life = -77;
	stack = -77;
	memset(err, 0, sizeof(err));
	setenv(ROLE, role, 1);
	return start_stack("/proc/self/exe", &conf, &run, &life, &stack, err,
			   sizeof(err));
}

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d)) {
		n++;
	}
	closedir(d);
	return n;
}

static int setup(void **state)
{
	(void)state;
	conf_init(&conf);
	assert_true(conf_tun_parse(&conf,
				   "u0,addr=10.1.0.2/24,peer=10.1.0.1,backup",
				   err));
	return 0;
}

static void no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_ready(void **state)
{
	unsigned fds = descriptors();
	struct pollfd p;
	char c;

	(void)state;
	assert_true(go("ok"));
	assert_true(stack > 0);
	no_children(); /* the program will not find one it never had */
	assert_int_equal(descriptors(), fds + 1);
	assert_true(fcntl(life, F_GETFD) & FD_CLOEXEC);
	p = (struct pollfd){ .fd = life, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 200), 0); /* it lives */
	assert_int_equal(write(life, "end\n", 4), 4);
	assert_int_equal(read(life, &c, 1), 0); /* and has ended */
	close(life);
}

static void test_answer_in_pieces(void **state)
{
	(void)state;
	assert_true(go("slow"));
	assert_int_equal(stack, 12345);
	close(life);
}

static void failed(const char *role, const char *text)
{
	unsigned fds = descriptors();

	assert_false(go(role));
	if (!strstr(err, text)) {
		fail_msg("%s: '%s' is not in '%s'", role, text, err);
	}
	assert_null(strchr(err, '\n'));
	assert_true(strlen(err) < sizeof(err));
	no_children();
	assert_int_equal(descriptors(), fds);
}

static void test_failures(void **state)
{
	(void)state;
	failed("error", "no permission for the device u0");
	assert_string_equal(err, "no permission for the device u0; be root");
	failed("silent", "ended before it was ready");
	failed("silent0", "ended before it was ready");
	failed("killed", "ended before it was ready");
	failed("words", "ended before it was ready: what?");
	failed("long", "xxxxxxxxxx");
	failed("longerror", "eeeeeeeeee");
}

static void test_not_there(void **state)
{
	unsigned fds = descriptors();

	(void)state;
	assert_false(start_stack("/nonexistent/stackd", &conf, &run, &life,
				 &stack, err, sizeof(err)));
	assert_non_null(strstr(err, "cannot run /nonexistent/stackd: "));
	assert_non_null(strstr(err, strerror(ENOENT)));
	no_children();
	assert_int_equal(descriptors(), fds);
	assert_false(start_stack("/tmp", &conf, &run, &life, &stack, err,
				 sizeof(err)));
	assert_non_null(strstr(err, strerror(EACCES)));
}

/* --- the part of the stack ------------------------------------------------ */

static void say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

/* the options must lead to the same configuration, and the secret come by the
 * descriptor, not by the command line */
static const char *wrong(int argc, char *argv[], struct run_conf *c)
{
	char text[CHAN_RUN_TEXT + 10] = "", e[CONF_ERR_MAX];
	struct chan_run r;
	int rest;

	conf_init(c);
	if (conf_args(c, CONF_STACKD, argc, argv, &rest, e) != CONF_OK ||
	    rest != argc) {
		return "options";
	}
	if (c->n_tun != 1 || strcmp(c->tun[0].name, "u0") != 0 ||
	    !c->tun[0].backup) {
		return "tun";
	}
	if (c->watch_pid != getppid()) {
		return "watch_pid";
	}
	if (read(c->run_fd, text, sizeof(text) - 1) <= 0 ||
	    !chan_run_parse(text, &r) || r.id != run.id ||
	    memcmp(r.secret, run.secret, sizeof(r.secret)) != 0) {
		return "secret";
	}
	for (int i = 0; i < argc; i++) {
		if (strstr(argv[i], "30313233")) {
			return "the secret is shown";
		}
	}
	return NULL;
}

static int play(const char *role, int argc, char *argv[])
{
	static char big[3000];
	struct run_conf c;
	const char *bad = wrong(argc, argv, &c);
	struct timespec t = { 0, 100000000 };
	char line[8];

	if (bad) {
		say(c.ready_fd, "error: wrong ");
		say(c.ready_fd, bad);
		return 1;
	}
	if (strcmp(role, "ok") == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)!read(c.ready_fd, line, sizeof(line));
			_exit(0);
		}
		dprintf(c.ready_fd, "ok %d\n", pid);
	} else if (strcmp(role, "slow") == 0) {
		say(c.ready_fd, "ok 12");
		nanosleep(&t, NULL);
		say(c.ready_fd, "345\n");
	} else if (strcmp(role, "error") == 0) {
		say(c.ready_fd, "error: no permission for the device u0; "
				"be root\nmore\n");
	} else if (strcmp(role, "words") == 0) {
		say(c.ready_fd, "what?\n");
	} else if (strcmp(role, "silent") == 0) {
		return 3;
	} else if (strcmp(role, "killed") == 0) {
		raise(SIGKILL);
	} else if (strncmp(role, "long", 4) == 0) {
		memset(big, role[4] ? 'e' : 'x', sizeof(big) - 1);
		if (role[4]) {
			memcpy(big, "error: ", 7);
		}
		say(c.ready_fd, big);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_answer_in_pieces),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_not_there),
	};
	const char *role = getenv(ROLE);

	return role && argc > 1 ? play(role, argc, argv)
				: cmocka_run_group_tests(tests, setup, NULL);
}
