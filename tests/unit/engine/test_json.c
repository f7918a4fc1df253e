#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/engine/json.h"

static void expect(const struct json *j, const char *want)
{
	assert_true(j->ok);
	assert_int_equal(j->len, strlen(want));
	assert_memory_equal(j->buf, want, j->len);
}

static void test_shapes(void **state)
{
	struct json j;

	(void)state;
	json_init(&j);
	json_object(&j, NULL);
	json_bool(&j, "a", true);
	json_array(&j, "b");
	json_uint(&j, NULL, 0);
	json_uint(&j, NULL, UINT64_MAX);
	json_end(&j, ']');
	json_array(&j, "c");
	json_end(&j, ']');
	json_text(&j, "d", NULL);
	json_raw(&j, "e", "{\"x\": 1}", 8);
	json_end(&j, '}');
	expect(&j, "{\n\"a\": true,\n\"b\": [\n0,\n18446744073709551615],"
		   "\n\"c\": [],\n\"d\": null,\n\"e\": {\"x\": 1}}\n");
	json_fini(&j);
}

static void text(const char *in, const char *want)
{
	struct json j;

	json_init(&j);
	json_text(&j, NULL, in);
	expect(&j, want);
	json_fini(&j);
}

/* RFC 8259 section 7; what is not UTF-8 (RFC 3629) never gets through */
static void test_text(void **state)
{
	(void)state;
	text("", "\"\"");
	text("a\"b\\c", "\"a\\\"b\\\\c\"");
	text("\n\t\x01\x1f", "\"\\u000a\\u0009\\u0001\\u001f\"");
	text("\x7f", "\"\x7f\"");
	text("gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"");
	text("\xe2\x82\xac\xf0\x9f\x98\x80",
	     "\"\xe2\x82\xac\xf0\x9f\x98\x80\"");
	text("\xff"
	     "a",
	     "\"\\ufffda\"");
	text("\xc3", "\"\\ufffd\"");
	text("\xe2\x82", "\"\\ufffd\\ufffd\"");
	text("\xc0\x80", "\"\\ufffd\\ufffd\"");            /* overlong */
	text("\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* overlong */
	text("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* a surrogate */
	text("\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	text("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	text("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
