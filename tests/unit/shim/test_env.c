#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shim/env.h"

#define LIB "/opt/x/libmptcp-shim.so"

static struct env_keep keep;

static int setup(void **st)
{
	char *envp[] = { (char[]){ "HOME=/root" },
			 (char[]){ "MPTCP_RUN_ID=abc" },
			 (char[]){ "LD_PRELOAD=" LIB },
			 (char[]){ "MPTCP_CONGESTION=cubic" }, NULL };

	(void)st;
	env_keep(&keep, LIB, envp);
	memset(envp[1], 'x', 8); /* a title is written over it */
	return 0;
}

static const char *value(char *const envp[], const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++) {
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=') {
			return *envp + n + 1;
		}
	}
	return NULL;
}

/* patched, in a block of exactly the size that was asked for */
static char *const *patch(char *const envp[], void **block)
{
	*block = malloc(env_patch_size(&keep, envp));
	assert_non_null(*block);
	return env_patch(&keep, envp, *block);
}

static void cleaned_environment(void **st)
{
	char *none[] = { NULL };
	char *const *got;
	void *block;

	(void)st;
	assert_false(env_complete(&keep, none));
	assert_false(env_complete(&keep, NULL));
	got = patch(NULL, &block);
	assert_string_equal(value(got, "LD_PRELOAD"), LIB);
	assert_string_equal(value(got, "MPTCP_RUN_ID"), "abc");
	assert_string_equal(value(got, "MPTCP_CONGESTION"), "cubic");
	assert_null(value(got, "HOME"));
	assert_true(env_complete(&keep, got));
	free(block);
}

static void what_is_there_stays(void **st)
{
	char *envp[] = { (char[]){ "A=1" }, (char[]){ "MPTCP_RUN_ID=nested" },
			 (char[]){ "LD_PRELOAD=libeatmydata.so" },
			 (char[]){ "B=" }, NULL };
	char *const *got;
	void *block;

	(void)st;
	got = patch(envp, &block);
	assert_string_equal(value(got, "A"), "1");
	assert_string_equal(value(got, "B"), "");
	assert_string_equal(value(got, "MPTCP_RUN_ID"), "nested");
	assert_string_equal(value(got, "LD_PRELOAD"), "libeatmydata.so:" LIB);
	assert_string_equal(value(got, "MPTCP_CONGESTION"), "cubic");
	assert_true(env_complete(&keep, got));
	free(block);
}

static void blank_values_are_replaced(void **st)
{
	char *envp[] = { (char[]){ "MPTCP_RUN_ID=" }, (char[]){ "LD_PRELOAD=" },
			 NULL };
	char *const *got;
	void *block;

	(void)st;
	assert_false(env_complete(&keep, envp));
	got = patch(envp, &block);
	assert_string_equal(value(got, "MPTCP_RUN_ID"), "abc");
	assert_string_equal(value(got, "LD_PRELOAD"), LIB);
	free(block);
}

static void library_is_one_of_the_words(void **st)
{
	char *before[] = { (char[]){ "LD_PRELOAD=" LIB ":b.so" },
			   (char[]){ "MPTCP_RUN_ID=abc" },
			   (char[]){ "MPTCP_CONGESTION=cubic" }, NULL };
	char *like[] = { (char[]){ "LD_PRELOAD=" LIB ".bak b.so" }, NULL };
	char *const *got;
	void *block;

	(void)st;
	assert_true(env_complete(&keep, before));
	assert_false(env_complete(&keep, like));
	got = patch(like, &block);
	assert_string_equal(value(got, "LD_PRELOAD"), LIB ".bak b.so:" LIB);
	free(block);
}

static void disabling(void **st)
{
	char *on[] = { (char[]){ "MPTCP_RUN_DISABLE=1" }, NULL };
	char *off[] = { (char[]){ "MPTCP_RUN_DISABLE=0" }, NULL };
	char *blank[] = { (char[]){ "MPTCP_RUN_DISABLE=" }, NULL };

	(void)st;
	assert_true(env_disabled(on));
	assert_false(env_disabled(off));
	assert_false(env_disabled(blank));
	assert_false(env_disabled(NULL));
}

static void more_than_fits_is_left_out(void **st)
{
	static char text[ENV_KEEP_MAX + 8][64];
	static char *envp[ENV_KEEP_MAX + 9];
	struct env_keep k;

	(void)st;
	for (int i = 0; i < ENV_KEEP_MAX + 8; i++) {
		text[i][0] = 0;
		strcpy(text[i], "MPTCP_X");
		text[i][7] = (char)('A' + i % 26);
		text[i][8] = (char)('A' + i / 26);
		strcpy(text[i] + 9, "=1");
		envp[i] = text[i];
	}
	env_keep(&k, NULL, envp);
	assert_int_equal(k.n, ENV_KEEP_MAX);
	assert_true(k.used <= sizeof(k.text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleaned_environment),
		cmocka_unit_test(what_is_there_stays),
		cmocka_unit_test(blank_values_are_replaced),
		cmocka_unit_test(library_is_one_of_the_words),
		cmocka_unit_test(disabling),
		cmocka_unit_test(more_than_fits_is_left_out),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
