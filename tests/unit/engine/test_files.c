/* files of a run: what cannot be is one line, and leaves nothing behind */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/files.h"

static char dir[] = "/tmp/mptcp-files.XXXXXX";
static char err[CONF_ERR_MAX], said[CONF_ERR_MAX];
static int said_level;
static struct files f;
static struct run_conf conf;

static int group_setup(void **state)
{
	(void)state;
	umask(022);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int group_teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.dir_fd = open(".", O_PATH | O_DIRECTORY);
	conf_init(&conf);
	conf.stats_json = "s.json";
	said[0] = '\0';
	setenv("HOME", dir, 1);
	unsetenv("XDG_STATE_HOME");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	known_fini(&f.known);
	for (int fd = f.dir_fd; fd < f.dir_fd + 8; fd++) {
		close(fd);
	}
	unlink("s.json");
	return 0;
}

static void say(void *ctx, int level, const char *line)
{
	(void)ctx;
	snprintf(said, sizeof(said), "%s", line);
	said_level = level;
}

static bool opened(void)
{
	return files_open(&f, &conf, say, NULL, err);
}

/* one line that begins with the option; nothing made */
static void refused(const char *option, const char *says)
{
	assert_false(opened());
	assert_memory_equal(err, option, strlen(option));
	assert_non_null(strstr(err, says));
	assert_non_null(strchr(err, ';'));
	assert_null(strchr(err, '\n'));
	assert_int_equal(access("s.json", F_OK), -1);
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_all(void **state)
{
	struct stat st;

	(void)state;
	conf.pcapng = "p.pcapng";
	conf.crypt.keylog = "keys";
	put("mine", "192.0.2.1 80 smtcp 1 2\n", 0600);
	conf.crypt.memory_file = "mine";
	assert_true(opened());
	assert_true(f.stats.fd >= 0 && f.pcap.fd >= 0 && f.keylog.fd >= 0);
	assert_int_equal(fstat(f.keylog.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(f.known.n, 1);
	assert_string_equal(f.place.path, "mine");
	assert_string_equal(said, "the secrets of this run's connections go to "
				  "keys");
	assert_int_equal(said_level, 1);
	files_unmake(&f);
	assert_int_equal(access("s.json", F_OK), -1);
	assert_int_equal(access("p.pcapng", F_OK), -1);
	assert_int_equal(access("keys", F_OK), -1);
	assert_int_equal(access("mine", F_OK), 0); /* was there before */
}

static void test_keylog(void **state)
{
	(void)state;
	put("open", "old", 0644);
	conf.crypt.keylog = "open";
	refused("--keylog: open: ", "others may read it");
	assert_int_equal(symlink("/etc/passwd", "link"), 0);
	conf.crypt.keylog = "link";
	refused("--keylog: link: ", "symbolic link");
	conf.crypt.keylog = "no/such";
	refused("--keylog: no/such: ", "No such file");
	conf.crypt.keylog = "/dev/null";
	refused("--keylog: /dev/null: ", "no regular file");
}

/* rights that differ: refused before anything is touched */
static void test_elevated(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	conf.crypt.keylog = "elevated";
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(setegid(12345), 0);
	refused("--keylog: ", "rights");
	assert_int_equal(setegid(0), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(access("elevated", F_OK), -1);
}

static void test_known_asked(void **state)
{
	(void)state;
	put("wide", "192.0.2.1 80 smtcp 1 2\n", 0662);
	conf.crypt.memory_file = "wide";
	refused("--crypt-memory-file: wide: ", "others may write it");
	conf.crypt.memory_file = "no/such";
	refused("--crypt-memory-file: no/such: ", "does not exist");
	conf.crypt.memory = CONF_MEMORY_OFF; /* then nobody looks */
	assert_true(opened());
	assert_string_equal(f.place.path, "");
}

/* the default place: what is wrong with it is said, and the run goes on */
static void test_known_default(void **state)
{
	(void)state;
	conf.stats_json = NULL;
	assert_true(opened());
	assert_string_equal(said, "");
	assert_non_null(strstr(f.place.path, "/.local/state/mptcp/known"));
	assert_int_equal(access(".local", F_OK), -1); /* not made yet */
	assert_int_equal(system("mkdir -p -m 700 .local/state/mptcp"), 0);
	put(".local/state/mptcp/known", "192.0.2.1 80 smtcp 1 2\n", 0666);
	assert_true(opened());
	assert_int_equal(said_level, 1);
	assert_non_null(strstr(said, "others may write it"));
	assert_string_equal(f.place.path, "");
	assert_int_equal(f.known.n, 0);
	unsetenv("HOME");
	assert_true(opened());
	assert_int_equal(said_level, 2);
	assert_non_null(strstr(said, "no home directory"));
	conf.crypt.policy = CONF_CRYPT_OFF;
	said[0] = '\0';
	assert_true(opened());
	assert_string_equal(said, "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_all),         T(test_keylog),        T(test_elevated),
		T(test_known_asked), T(test_known_default),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
