#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/keylog.h"

static char said[200];

void engine_log(const struct engine *e, int level, const char *fmt, ...)
{
	va_list ap;

	(void)e;
	assert_int_equal(level, 1);
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

static void test_lines(void **state)
{
	char name[] = "/tmp/mptcp-keylog.XXXXXX", text[64] = "";
	int fd = mkstemp(name), look = open(name, O_RDONLY);
	struct keylog k = { NULL, fd };
	struct trace t = keylog_trace(&k);
	char huge[600];

	(void)state;
	unlink(name);
	t.line(t.ctx, "TCPCRYPT_MK0 a");
	t.line(t.ctx, "TCPCRYPT_MK0 b");
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	t.line(t.ctx, huge); /* no line is that long: none, rather than half */
	assert_int_equal(read(look, text, sizeof(text) - 1), 30);
	assert_string_equal(text, "TCPCRYPT_MK0 a\nTCPCRYPT_MK0 b\n");
	keylog_close(&k);
	assert_int_equal(k.fd, -1);
	t.line(t.ctx, "after the end");
	assert_int_equal(read(look, text, sizeof(text)), 0);
	close(look);
}

/* a full disk ends the log, is said once, and nothing else happens */
static void test_full(void **state)
{
	struct keylog k = { NULL, open("/dev/full", O_WRONLY) };
	struct trace t = keylog_trace(&k);

	(void)state;
	t.line(t.ctx, "TCPCRYPT_MK0 a");
	assert_non_null(strstr(said, "key log ends here: No space"));
	assert_null(strstr(said, "TCPCRYPT")); /* no secret in the log */
	assert_int_equal(k.fd, -1);
	said[0] = '\0';
	t.line(t.ctx, "TCPCRYPT_MK0 b");
	assert_string_equal(said, "");
}

static void test_none(void **state)
{
	struct keylog k = { NULL, -1 };

	(void)state;
	assert_null(keylog_trace(&k).line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
