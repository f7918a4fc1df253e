/* what is refused at an exec, where a file is found, and the rooms for
 * arguments */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/init.h"
#include "shim/libc.h"
#include "shim/reach.h"

#define W(text) ((char[]){ text })

static char dir[64];
static char out[PATH_MAX];

static void file(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	libc_load();
	strcpy(dir, "/tmp/test_reach.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("a", 0755), 0);
	assert_int_equal(mkdir("b", 0755), 0);
	file("a/x", 0644);
	file("b/x", 0755);
	file("here", 0755);
	return 0;
}

static int teardown(void **state)
{
	char rm[100];

	(void)state;
	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

static bool find(const char *path, const char *name)
{
	setenv("PATH", path, 1);
	memset(out, 'z', sizeof(out));
	return reach_find(name, out, sizeof(out));
}

static void test_find(void **state)
{
	(void)state;
	assert_true(find("a:b", "x"));
	assert_string_equal(out, "b/x");
	assert_true(find("", "here"));
	assert_string_equal(out, "here");
	assert_true(find("a:", "here"));
	assert_true(find(":a", "here"));
	assert_false(find("a:b", "here"));
	assert_false(find("a:b", ""));
	assert_false(find("a", "x"));
	assert_true(find("", "./gone")); /* with a slash: as it is */
	assert_string_equal(out, "./gone");
	unsetenv("PATH");
	assert_true(reach_find("sh", out, sizeof(out)));
	assert_string_equal(out, "/bin/sh");
	setenv("PATH", "a:b", 1);
	assert_true(reach_find("x", out, 4));
	assert_false(reach_find("x", out, 3));
	assert_true(reach_find("b/x", out, 4));
	assert_false(reach_find("b/x", out, 3));
}

static void test_rooms(void **state)
{
	struct reach_room r;
	char *p;

	(void)state;
	p = reach_get(&r, sizeof(r.small));
	assert_ptr_equal(p, r.small);
	assert_int_equal(r.mapped, 0);
	reach_put(&r);
	p = reach_get(&r, sizeof(r.small) + 1);
	assert_ptr_not_equal(p, r.small);
	assert_int_equal(r.mapped, sizeof(r.small) + 1);
	memset(p, 1, r.mapped);
	errno = 77;
	reach_put(&r);
	assert_int_equal(errno, 77);
	assert_int_equal(r.mapped, 0);
	reach_put(&r); /* once is enough, twice does no harm */
	assert_null(reach_get(&r, SIZE_MAX / 2));
	assert_int_equal(r.mapped, 0);
	reach_put(&r);
}

/* what went to stderr meanwhile */
static int check(const char *path, char *const envp[], char *text, size_t n)
{
	int p[2], was = dup(2), rc;
	ssize_t got;

	assert_int_equal(pipe(p), 0);
	dup2(p[1], 2);
	close(p[1]);
	errno = 77;
	rc = reach_check(path, envp);
	assert_int_equal(errno, 77);
	dup2(was, 2);
	close(was);
	got = read(p[0], text, n - 1);
	text[got > 0 ? got : 0] = '\0';
	close(p[0]);
	return rc;
}

/* another user's set-user-ID copy of this program; false: cannot be made */
static bool make_suid(void)
{
	char line[80];

	snprintf(line, sizeof(line), "cp /proc/%d/exe suid", getpid());
	return system(line) == 0 && chown("suid", 65534, 65534) == 0 &&
	       chmod("suid", 04755) == 0;
}

static void test_refusals(void **state)
{
	char *none[] = { NULL };
	char *off[] = { W("A=B"), W("MPTCP_RUN_DISABLE=1"), NULL };
	char *on[] = { W("MPTCP_RUN_DISABLE=0"), NULL };
	char text[1000], self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	assert_int_equal(check(self, none, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(check(NULL, none, text, sizeof(text)), 0);
	/* what execve() itself refuses is left to it */
	assert_int_equal(check("nosuch", none, text, sizeof(text)), 0);
	assert_int_equal(check("a/x", none, text, sizeof(text)), 0);
	if (!make_suid()) {
		print_message("needs root: for a set-user-ID file\n");
		skip();
	}
	assert_int_equal(check("suid", none, text, sizeof(text)), EACCES);
	assert_memory_equal(text, "mptcp-run: suid: ", 17);
	assert_int_equal(strchr(text, '\n') - text,
			 (long)strlen(text) - 1); /* one line */
	assert_int_equal(check("suid", off, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(check("suid", on, text, sizeof(text)), EACCES);
	assert_int_equal(check("suid", NULL, text, sizeof(text)), EACCES);
}

/* a daemon has its client there: nothing is written into a connection */
static void test_never_into_a_socket(void **state)
{
	char *none[] = { NULL };
	int s[2], was = dup(2), rc;
	char c[100];

	(void)state;
	if (!make_suid()) {
		close(was);
		print_message("needs root: for a set-user-ID file\n");
		skip();
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s),
			 0);
	dup2(s[1], 2);
	rc = reach_check("suid", none);
	dup2(was, 2);
	assert_int_equal(rc, EACCES);
	assert_int_equal(read(s[0], c, sizeof(c)), -1);
	close(s[0]);
	close(s[1]);
	close(was);
}

static void test_environment(void **state)
{
	char *start[] = { W("MPTCP_RUN_ID=abc"), W("LD_PRELOAD=/l/shim.so"),
			  NULL };
	char *clean[] = { W("HOME=/"), NULL };
	char *off[] = { W("MPTCP_RUN_DISABLE=1"), NULL };
	struct reach_room r;
	char *const *e;

	(void)state;
	env_keep(&init.keep, "/l/shim.so", start);
	assert_ptr_equal(reach_env(&r, start), start); /* nothing is missing */
	reach_put(&r);
	assert_ptr_equal(reach_env(&r, off), off);
	reach_put(&r);
	e = reach_env(&r, clean);
	assert_non_null(e);
	assert_ptr_not_equal(e, clean);
	assert_true(env_complete(&init.keep, e));
	assert_string_equal(e[0], "HOME=/");
	reach_put(&r);
	e = reach_env(&r, NULL);
	assert_true(e && env_complete(&init.keep, e));
	reach_put(&r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_find),
		T(test_rooms),
		T(test_refusals),
		T(test_never_into_a_socket),
		T(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
