/* the line goes to the standard error of the beginning, or nowhere */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/libc.h"
#include "shim/say.h"

static int true_stderr, file;
static char text[1024];

static int setup(void **state)
{
	char name[] = "/tmp/test_say.XXXXXX";

	(void)state;
	libc_load();
	true_stderr = dup(STDERR_FILENO);
	file = mkstemp(name);
	unlink(name);
	return true_stderr >= 0 && file >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dup2(true_stderr, STDERR_FILENO);
	close(true_stderr);
	close(file);
	return 0;
}

static struct chan_rep answer(const char *line)
{
	struct chan_rep p = { .len = (uint32_t)(sizeof(int) + strlen(line)) };

	memcpy(p.val + sizeof(int), line, strlen(line));
	return p;
}

/* what the file has got since it was emptied */
static const char *got(void)
{
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(file, 0), 0);
	lseek(file, 0, SEEK_SET);
	return text;
}

static void test_line(void **state)
{
	struct chan_rep p = answer("10.0.0.1:80 refused"), none = answer("");

	(void)state;
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	say_keep();
	errno = 7;
	say_behind(&p);
	assert_int_equal(errno, 7);
	assert_string_equal(got(), "mptcp-run: 10.0.0.1:80 refused\n");
	say_behind(&none);
	none.len = 0;
	say_behind(&none);
	assert_string_equal(got(), "");
	/* a length that no answer may have */
	memset(&p.val, 'x', sizeof(p.val));
	p.len = UINT32_MAX;
	say_behind(&p);
	assert_int_equal(strlen(got()),
			 strlen("mptcp-run: \n") + CHAN_VAL_MAX - sizeof(int));
}

static void test_changed(void **state)
{
	struct chan_rep p = answer("not for this file");
	int other[2];

	(void)state;
	assert_int_equal(dup2(true_stderr, STDERR_FILENO), STDERR_FILENO);
	say_keep();
	/* a daemon's descriptor 2 is anything */
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	say_behind(&p);
	assert_string_equal(got(), "");
	assert_int_equal(pipe(other), 0);
	assert_int_equal(dup2(other[1], STDERR_FILENO), STDERR_FILENO);
	say_behind(&p);
	fcntl(other[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(read(other[0], text, sizeof(text)), -1);
	close(STDERR_FILENO);
	say_behind(&p);
	/* closed at the beginning: what is opened later is not it */
	say_keep();
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	say_behind(&p);
	assert_string_equal(got(), "");
	close(other[0]);
	close(other[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
