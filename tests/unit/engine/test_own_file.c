#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/own_file.h"

static char dir[] = "/tmp/mptcp-own.XXXXXX";
static char why[OWN_FILE_WHY];

static int setup(void **state)
{
	(void)state;
	umask(022);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void make(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void refused(const char *name, const char *says)
{
	bool made;

	assert_int_equal(own_file_append(name, &made, why), -1);
	assert_non_null(strstr(why, says));
	assert_non_null(strchr(why, ';')); /* cause; remedy */
}

static void test_append(void **state)
{
	struct stat st;
	bool made;
	int fd;

	(void)state;
	umask(0);
	fd = own_file_append("new", &made, why);
	umask(022);
	assert_true(fd >= 0 && made);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(write(fd, "a", 1), 1);
	close(fd);
	fd = own_file_append("new", &made, why);
	assert_true(fd >= 0);
	assert_false(made);
	assert_int_equal(write(fd, "b", 1), 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 2); /* what was there stays */
	close(fd);
}

static void test_append_refused(void **state)
{
	(void)state;
	make("read", 0640);
	refused("read", "others may read it (mode 640); chmod 600");
	make("write", 0602);
	refused("write", "others may write it");
	assert_int_equal(symlink("target", "link"), 0);
	refused("link", "symbolic link");
	assert_int_equal(access("target", F_OK), -1); /* not made through it */
	assert_int_equal(mkfifo("fifo", 0600), 0);
	refused("fifo", "no regular file");
	assert_int_equal(mkdir("sub", 0700), 0);
	refused("sub", "no regular file");
	refused("/dev/null", "no regular file");
	refused("no/where", "No such file");
	if (geteuid() == 0) {
		make("foreign", 0600);
		assert_int_equal(chown("foreign", 12345, 0), 0);
		refused("foreign", "belongs to user 12345");
	}
}

static void test_read(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(own_file_read(AT_FDCWD, "absent", why), -1);
	assert_string_equal(why, "");
	make("public", 0644); /* may be read by others, not written */
	fd = own_file_read(AT_FDCWD, "public", why);
	assert_true(fd >= 0);
	close(fd);
	make("group", 0620);
	assert_int_equal(own_file_read(AT_FDCWD, "group", why), -1);
	assert_non_null(strstr(why, "write it (mode 620); chmod go-w"));
	assert_int_equal(symlink("public", "to_public"), 0);
	assert_int_equal(own_file_read(AT_FDCWD, "to_public", why), -1);
	assert_non_null(strstr(why, "symbolic link"));
}

static void test_dir(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(own_file_dir(AT_FDCWD, "a/b/c", false, why), -1);
	assert_string_equal(why, "");
	fd = own_file_dir(AT_FDCWD, "a/b/c", true, why);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	fd = own_file_dir(AT_FDCWD, "a/b/c", true, why);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(mkdir("open", 0700), 0);
	assert_int_equal(chmod("open", 0777), 0);
	assert_int_equal(own_file_dir(AT_FDCWD, "open", true, why), -1);
	assert_non_null(strstr(why, "others may replace"));
	assert_int_equal(chmod("open", 01777), 0); /* as /tmp */
	fd = own_file_dir(AT_FDCWD, "open", true, why);
	assert_true(fd >= 0);
	close(fd);
	make("file", 0600);
	assert_int_equal(own_file_dir(AT_FDCWD, "file", true, why), -1);
	assert_non_null(strstr(why, "Not a directory"));
}

/* rights that differ: in a child, there is no way back for some */
static void test_elevated(void **state)
{
	int st;
	pid_t pid;

	(void)state;
	assert_false(own_file_elevated());
	if (geteuid() != 0) {
		skip();
	}
	pid = fork();
	if (pid == 0) {
		bool group, user;

		group = setegid(12345) == 0 && own_file_elevated();
		(void)!setegid(getgid());
		user = seteuid(12345) == 0 && own_file_elevated();
		_exit(group && user ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_append_refused),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_dir),
		cmocka_unit_test(test_elevated),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
