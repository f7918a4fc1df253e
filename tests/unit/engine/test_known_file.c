#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/engine/known_file.h"

#define NOW 1800000000

static char dir[] = "/tmp/mptcp-known.XXXXXX";
static char why[OWN_FILE_WHY], text[65536];
static const char *home, *xdg;

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

static const char *get(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "HOME") == 0 ? home : xdg;
}

static struct known_place place(const char *file)
{
	struct known_place p;

	known_file_place(&p, AT_FDCWD, file, get, NULL);
	return p;
}

static struct known one(uint8_t last, enum known_mode m, int64_t at)
{
	struct known k;
	struct known_entry e = { endpoint_make(addr_v4(192, 0, 2, last), 80), m,
				 at, at };

	known_init(&k);
	assert_true(known_add(&k, &e));
	return k;
}

static void save(const struct known_place *p, uint8_t last, enum known_mode m,
		 int64_t at)
{
	struct known k = one(last, m, at);

	if (!known_file_save(p, &k, NOW, why)) {
		print_message("%s\n", why);
		fail();
	}
	known_fini(&k);
}

static const char *content(const char *file)
{
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void put(const char *file, const char *what, mode_t mode)
{
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_int_equal(write(fd, what, strlen(what)), strlen(what));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_place(void **state)
{
	struct known_place p;
	struct known k;
	static char long_home[KNOWN_PATH + 10];

	(void)state;
	home = "/home/u";
	xdg = NULL;
	p = place(NULL);
	assert_string_equal(p.path, "/home/u/.local/state/mptcp/known");
	assert_false(p.asked);
	xdg = "/state";
	assert_string_equal(place(NULL).path, "/state/mptcp/known");
	xdg = "state"; /* relative: void */
	assert_string_equal(place(NULL).path,
			    "/home/u/.local/state/mptcp/known");
	home = xdg = NULL;
	assert_string_equal(place(NULL).path, "");
	memset(long_home, '/', sizeof(long_home) - 1);
	home = long_home;
	assert_string_equal(place(NULL).path, "");
	p = place(long_home);
	known_init(&k);
	assert_false(known_file_load(&p, &k, why));
	assert_non_null(strstr(why, "too long"));
	p = place("mine");
	assert_string_equal(p.path, "mine");
	assert_true(p.asked);
}

static void test_round(void **state)
{
	struct known_place p;
	struct known k;
	struct stat st;
	char cwd[64];

	(void)state;
	home = getcwd(cwd, sizeof(cwd));
	xdg = NULL;
	p = place(NULL);
	known_init(&k);
	assert_true(known_file_load(&p, &k, why)); /* nothing there yet */
	assert_int_equal(k.n, 0);
	save(&p, 1, KNOWN_TCPCRYPT, NOW);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(".local/state/mptcp", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* joined with what another run wrote; what is too old goes */
	save(&p, 2, KNOWN_SMTCP, NOW);
	save(&p, 1, KNOWN_SMTCP, NOW + 3);
	save(&p, 3, KNOWN_SMTCP, NOW - KNOWN_AGE - 1);
	assert_true(known_file_load(&p, &k, why));
	assert_int_equal(k.n, 2);
	assert_int_equal(k.e[0].mode, KNOWN_SMTCP);
	assert_int_equal(k.e[0].first, NOW);
	known_fini(&k);
	assert_non_null(strstr(content(p.path),
			       "\n192.0.2.2 80 smtcp 1800000000 1800000000\n"));
	assert_int_equal(access(".local/state/mptcp/known.new", F_OK), -1);
}

/* many at once: every one's destination is there afterwards */
static void test_concurrent(void **state)
{
	struct known_place p = place("shared");
	struct known k;
	int st;

	(void)state;
	for (uint8_t i = 0; i < 20; i++) {
		if (fork() == 0) {
			struct known n = one(i, KNOWN_SMTCP, NOW);

			_exit(known_file_save(&p, &n, NOW, why) ? 0 : 1);
		}
	}
	for (unsigned i = 0; i < 20; i++) {
		assert_true(wait(&st) > 0);
		assert_int_equal(st, 0);
	}
	known_init(&k);
	assert_true(known_file_load(&p, &k, why));
	assert_int_equal(k.n, 20);
	known_fini(&k);
}

static void refused(const char *file, const char *says)
{
	struct known_place p = place(file);
	struct known k = one(1, KNOWN_SMTCP, NOW), none;

	known_init(&none);
	assert_false(known_file_load(&p, &none, why));
	assert_int_equal(none.n, 0);
	assert_non_null(strstr(why, says));
	assert_non_null(strchr(why, ';'));
	assert_false(known_file_save(&p, &k, NOW, why));
	assert_non_null(strstr(why, says));
	known_fini(&k);
}

static void test_refused(void **state)
{
	static const char line[] = "192.0.2.9 80 smtcp 1 2\n";

	(void)state;
	put("loose", line, 0666);
	refused("loose", "others may write it");
	assert_string_equal(content("loose"), line); /* left as it is */
	assert_int_equal(symlink("loose", "pointer"), 0);
	refused("pointer", "symbolic link");
	assert_int_equal(mkdir("wide", 0700), 0);
	assert_int_equal(chmod("wide", 0770), 0);
	refused("wide/known", "others may replace");
	refused("nowhere/known", "does not exist; make it");
	refused("wide/", "it is a directory");
	if (geteuid() == 0) {
		put("foreign", line, 0600);
		assert_int_equal(chown("foreign", 12345, 0), 0);
		refused("foreign", "belongs to user 12345");
	}
}

/* nonsense is skipped, and gone with the next write */
static void test_nonsense(void **state)
{
	struct known_place p = place("mixed");
	struct known k;
	char *long_line = calloc(1, 5000);

	(void)state;
	memset(long_line, '1', 4998);
	put("mixed", long_line, 0600);
	known_init(&k);
	assert_true(known_file_load(&p, &k, why));
	assert_int_equal(k.n, 0);
	snprintf(long_line, 5000, "x\n192.0.2.7 80 smtcp 1 %d\n\n# y\n", NOW);
	put("mixed", long_line, 0600);
	free(long_line);
	assert_true(known_file_load(&p, &k, why));
	assert_int_equal(k.n, 1);
	known_fini(&k);
	save(&p, 8, KNOWN_SMTCP, NOW);
	assert_null(strstr(content("mixed"), "x\n"));
	assert_non_null(strstr(content("mixed"), "192.0.2.7 80 smtcp 1 "));
	assert_non_null(strstr(content("mixed"), "192.0.2.8 80 smtcp "));
}

/* somebody holds the lock for ever: given up, and said */
static void test_locked(void **state)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	struct known_place p = place("busy");
	struct known k = one(1, KNOWN_SMTCP, NOW);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(known_file_save(&p, &k, NOW, why));
	assert_non_null(strstr(why, "lock"));
	close(fd);
	assert_true(known_file_save(&p, &k, NOW, why));
	known_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_locked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
