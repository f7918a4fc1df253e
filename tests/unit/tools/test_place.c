/* where a command is, as execvp() would find it; where the parts are */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/place.h"

static char dir[64];
static char out[PATH_MAX];

static void file(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/bin/sh\nexit 33\n", 18), 18);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_place.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("a", 0755), 0);
	assert_int_equal(mkdir("b", 0755), 0);
	assert_int_equal(mkdir("a/d", 0755), 0);
	file("a/x", 0644);
	file("a/plain", 0644);
	file("b/x", 0755);
	file("b/y", 0755);
	file("here", 0755);
	return 0;
}

static int teardown(void **state)
{
	char rm[100];

	(void)state;
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	setenv("PATH", "/usr/bin:/bin", 1);
	return system(rm);
}

static int look(const char *path, const char *command)
{
	memset(out, 'z', sizeof(out));
	if (path) {
		setenv("PATH", path, 1);
	} else {
		unsetenv("PATH");
	}
	return place_command(command, out, sizeof(out));
}

/* what execvp() itself does: 0 when it ran, else its errno */
static int witness(const char *command)
{
	char *argv[] = { strdup(command), NULL };
	int st;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command, argv);
		_exit(errno == EACCES ? 113 : errno == ENOENT ? 102 : 1);
	}
	free(argv[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return WEXITSTATUS(st) == 33    ? 0
	       : WEXITSTATUS(st) == 113 ? EACCES
	       : WEXITSTATUS(st) == 102 ? ENOENT
					: -1;
}

static void same(const char *path, const char *command, int want,
		 const char *where)
{
	int got = look(path, command);

	if (got != want || (path && witness(command) != want)) {
		fail_msg("PATH=%s %s: %d, execvp %d, wanted %d",
			 path ? path : "(none)", command, got,
			 path ? witness(command) : -1, want);
	}
	if (where) {
		assert_string_equal(out, where);
	}
}

static void test_along_the_path(void **state)
{
	(void)state;
	same("b", "y", 0, "b/y");
	same("a:b", "y", 0, "b/y");
	same("a:b", "x", 0, "b/x"); /* the first may not be executed */
	same("nosuch:b", "y", 0, "b/y");
	same("here:b", "y", 0, "b/y"); /* a file in the path */
	same("b:a", "d", EACCES, NULL); /* a directory is no command */
	same("a", "plain", EACCES, NULL);
	same("a:nosuch", "plain", EACCES, NULL);
	same("a:b", "nosuch", ENOENT, NULL);
	same("a:b", "", ENOENT, NULL);
}

/* an empty part is the present directory */
static void test_empty_parts(void **state)
{
	(void)state;
	same("", "here", 0, "here");
	same(":", "here", 0, "here");
	same("a:", "here", 0, "here");
	same(":a", "here", 0, "here");
	same("a::b", "here", 0, "here");
	same("a", "here", ENOENT, NULL);
	same("b:", "y", 0, "b/y");
	same("b/", "y", 0, "b//y");
}

static void test_with_a_slash(void **state)
{
	(void)state;
	same("b", "./here", 0, "./here");
	same("b", "b/y", 0, "b/y");
	same("b", "./y", ENOENT, NULL); /* not looked for */
	same("b", "a/plain", EACCES, NULL);
	same("b", "a/d", EACCES, NULL);
	same("b", "a/d/", EACCES, NULL);
	assert_int_equal(look("b", "here/x"), ENOENT);
}

static void test_without_path(void **state)
{
	(void)state;
	assert_int_equal(look(NULL, "sh"), 0);
	assert_true(strcmp(out, "/bin/sh") == 0);
	assert_int_equal(look(NULL, "here"), ENOENT);
}

static void test_long(void **state)
{
	static char path[3 * PATH_MAX], name[PATH_MAX + 10];
	char small[8];

	(void)state;
	memset(path, 'p', 2 * PATH_MAX);
	strcpy(path + 2 * PATH_MAX, ":b");
	assert_int_equal(look(path, "y"), 0); /* what is too long is passed */
	assert_string_equal(out, "b/y");
	memset(name, 'n', PATH_MAX + 5);
	assert_int_equal(look("a:b", name), ENOENT);
	name[3] = '/';
	assert_int_equal(look("a:b", name), ENOENT);
	setenv("PATH", "b", 1);
	memset(small, 'z', sizeof(small));
	assert_int_equal(place_command("y", small, 4), 0); /* just fits */
	assert_string_equal(small, "b/y");
	assert_int_equal(place_command("y", small, 3), ENOENT);
	assert_int_equal(small[4], 'z');
	assert_int_equal(place_command("b/y", small, 4), 0);
	assert_int_equal(place_command("b/y", small, 3), ENOENT);
}

static void test_no_right_to_look(void **state)
{
	pid_t pid;
	int st;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root: to become another user\n");
		skip();
	}
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod("b", 0700), 0);
	pid = fork();
	if (pid == 0) {
		int ok;

		if (setuid(65534) != 0) {
			_exit(errno == EINVAL ? 77 : 2);
		}
		ok = look("b", "y") == EACCES && witness("y") == EACCES &&
		     look("b:", "here") == 0 &&
		     look("b:a", "nosuch") == EACCES &&
		     witness("nosuch") == EACCES;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	if (WIFEXITED(st) && WEXITSTATUS(st) == 77) {
		print_message("needs a range of users (newuidmap)\n");
		skip();
	}
	assert_int_equal(st, 0);
}

/* --- parts: asked by a copy of this program in a tree of its own ---------- */

static int ask(const char *program, const char *name, char *answer, size_t n)
{
	char line[256];
	FILE *f;
	size_t got;
	int st;

	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(line, sizeof(line), "%s part %s lib/x 2>&1", program, name);
	f = popen(line, "r");
	assert_non_null(f);
	got = fread(answer, 1, n - 1, f);
	answer[got] = '\0';
	st = pclose(f);
	return WEXITSTATUS(st);
}

static void test_parts(void **state)
{
	char cmd[300], got[PATH_MAX], want[200];

	(void)state;
	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(cmd, sizeof(cmd), "mkdir -p i/bin i/lib/x && "
		 "cp /proc/%d/exe i/bin/prog", getpid());
	assert_int_equal(system(cmd), 0);
	assert_int_equal(ask("i/bin/prog", "part.so", got, sizeof(got)), 1);
	assert_non_null(strstr(got, "part.so is neither in"));
	assert_non_null(strstr(got, "build or install it"));
	assert_int_equal(mkdir("i/bin/part.so", 0755), 0); /* no file */
	assert_int_equal(ask("i/bin/prog", "part.so", got, sizeof(got)), 1);
	file("i/lib/x/part.so", 0644);
	assert_int_equal(ask("i/bin/prog", "part.so", got, sizeof(got)), 0);
	snprintf(want, sizeof(want), "%s/i/bin/../lib/x/part.so", dir);
	assert_string_equal(got, want);
	file("i/bin/part", 0644);
	file("i/lib/x/part", 0644);
	assert_int_equal(ask("i/bin/prog", "part", got, sizeof(got)), 0);
	snprintf(want, sizeof(want), "%s/i/bin/part", dir);
	assert_string_equal(got, want); /* beside it comes first */
	/* by a link: where the program is counts, not the link */
	assert_int_equal(symlink("i/bin/prog", "link"), 0);
	assert_int_equal(ask("./link", "part", got, sizeof(got)), 0);
	assert_string_equal(got, want);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		T(test_along_the_path), T(test_empty_parts),
		T(test_with_a_slash),	T(test_without_path),
		T(test_long),		T(test_no_right_to_look),
		T(test_parts),
	};

	if (argc == 4 && strcmp(argv[1], "part") == 0) {
		char err[PATH_MAX + 200];
		bool ok = place_part(argv[2], argv[3], out, sizeof(out), err,
				     sizeof(err));

		fputs(ok ? out : err, stdout);
		return !ok;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
