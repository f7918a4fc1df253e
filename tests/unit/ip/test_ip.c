/* the object itself: memory, names, counters */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/ip/ip.h"
#include "tests/lib/fake.h"

/* whichever allocation is refused, nothing stays behind */
static void memory_refused(void **state)
{
	struct fake f;
	struct ip *ip = NULL;
	uint64_t n;

	(void)state;
	for (n = 0; !ip && n < 20;) {
		fake_init(&f, 1);
		f.fail_at = ++n;
		ip = ip_new(&f.env);
		if (!ip) {
			assert_int_equal(f.mem.used, 0);
		}
	}
	assert_in_range(n, 3, 19); /* the object and its table failed before */
	ip_free(ip);
	ip_free(NULL);
	fake_fini(&f);
}

/* every reason has its own counter name, and a sentence */
static void reasons(void **state)
{
	const enum ip_reason none = IP_REASON_N;

	(void)state;
	for (unsigned i = 0; i < IP_REASON_N; i++) {
		const char *name = ip_reason_name((enum ip_reason)i);

		assert_true(strlen(name) > 2);
		assert_null(strchr(name, ' '));
		assert_true(strlen(ip_reason_text((enum ip_reason)i)) > 10);
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(
				name, ip_reason_name((enum ip_reason)k));
		}
	}
	assert_string_equal(ip_reason_name(IP_DROP_CKSUM), "IpDropCsum");
	assert_string_equal(ip_reason_name(none), "IpUnknown");
	assert_string_equal(ip_reason_text(none), "unknown");
}

static void counters(void **state)
{
	struct fake f;
	struct ip *ip;

	(void)state;
	fake_init(&f, 1);
	ip = ip_new(&f.env);
	assert_non_null(ip);
	for (unsigned i = 0; i < IP_REASON_N; i++) {
		assert_int_equal(ip_counter(ip, (enum ip_reason)i), 0);
		for (unsigned k = 0; k <= i; k++) {
			ip_count(ip, (enum ip_reason)i);
		}
	}
	for (unsigned i = 0; i < IP_REASON_N; i++) {
		assert_int_equal(ip_counter(ip, (enum ip_reason)i), i + 1);
	}
	ip_free(ip);
	fake_fini(&f);
}

/* two stacks in one process share nothing */
static void independent(void **state)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };
	struct fake f, g;
	struct ip *a, *b;

	(void)state;
	fake_init(&f, 1);
	fake_init(&g, 2);
	a = ip_new(&f.env);
	b = ip_new(&g.env);
	p.addr[0] = addr_v4(10, 0, 0, 1);
	p.bits[0] = 24;
	assert_int_equal(ip_path_add(a, &p), 0);
	ip_count(a, IP_OUT);
	assert_null(ip_path(b, 0));
	assert_int_equal(ip_counter(b, IP_OUT), 0);
	ip_free(a);
	fake_fini(&f); /* its own, to the last octet */
	ip_free(b);
	fake_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_refused),
		cmocka_unit_test(reasons),
		cmocka_unit_test(counters),
		cmocka_unit_test(independent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
