#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "stack/chan/chan_addr.h"

static const struct chan_run run = { 9, { 1 } };

static struct endpoint ep(const char *text, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return endpoint_make(a, port);
}

static void round_trips(void **st)
{
	static const char *const text[] = { "192.0.2.1", "0.0.0.0",
					    "2001:db8::7", "::" };

	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		struct endpoint e = ep(text[i], 4711), out;
		struct sockaddr_storage ss;
		socklen_t n = chan_addr_put(&e, e.addr.family, 0, &ss);

		assert_int_equal(n, e.addr.family == 4 ? 16 : 28);
		assert_true(
			chan_addr_get(&ss, n, &out, NULL));
		assert_true(endpoint_eq(&e, &out));
	}
}

/* the layout is the system's */
static void same_as_the_system(void **st)
{
	struct endpoint v4 = ep("192.0.2.1", 4711), v6 = ep("fe80::9", 80);
	struct chan_name n = { .kind = CHAN_KIND_SOCK, .family = 6, .id = 3 };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;

	(void)st;
	assert_int_equal(chan_addr_put(&v4, 4, 0, &in), sizeof(in));
	assert_int_equal(in.sin_family, AF_INET);
	assert_int_equal(ntohs(in.sin_port), 4711);
	assert_int_equal(ntohl(in.sin_addr.s_addr), 0xc0000201);
	assert_int_equal(chan_addr_put(&v6, 6, 7, &in6), sizeof(in6));
	assert_int_equal(in6.sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6.sin6_port), 80);
	assert_int_equal(in6.sin6_flowinfo, 0);
	assert_int_equal(in6.sin6_scope_id, 7);
	assert_memory_equal(&in6.sin6_addr, v6.addr.b, 16);
	assert_int_equal(chan_addr_un(&run, &n, &un), CHAN_ADDR_UN_LEN);
	assert_int_equal(un.sun_family, AF_UNIX);
	assert_int_equal(un.sun_path[0], 0);
	assert_int_equal(offsetof(struct sockaddr_un, sun_path) + CHAN_NAME_LEN,
			 CHAN_ADDR_UN_LEN);
}

static void families_are_adapted(void **st)
{
	struct endpoint e = ep("192.0.2.1", 1), none = { 0 };
	struct sockaddr_storage ss;
	struct sockaddr_in6 in6;
	char b[64];

	(void)st;
	assert_int_equal(chan_addr_put(&e, 6, 0, &ss), 28);
	memcpy(&in6, &ss, sizeof(in6));
	inet_ntop(AF_INET6, &in6.sin6_addr, b, sizeof(b));
	assert_string_equal(b, "::ffff:192.0.2.1");
	chan_addr_put(&none, 6, 5, &ss);
	memcpy(&in6, &ss, sizeof(in6));
	assert_true(IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr));
	assert_int_equal(in6.sin6_scope_id, 0);
	assert_int_equal(in6.sin6_port, 0);
	chan_addr_put(&none, 4, 0, &ss);
	assert_int_equal(ss.ss_family, AF_INET);
}

static void scope_of_link_local_only(void **st)
{
	struct endpoint e = ep("fe80::1", 1);
	struct sockaddr_storage ss;
	struct endpoint out;
	uint32_t scope;

	(void)st;
	chan_addr_put(&e, 6, 3, &ss);
	assert_true(chan_addr_get(&ss, 28, &out, &scope));
	assert_int_equal(scope, 3);
	e = ep("2001:db8::1", 1);
	chan_addr_put(&e, 6, 3, &ss);
	assert_true(chan_addr_get(&ss, 28, &out, &scope));
	assert_int_equal(scope, 0);
}

static void lengths_and_families_checked(void **st)
{
	struct sockaddr_storage ss = { 0 };
	struct endpoint out;

	(void)st;
	for (socklen_t n = 0; n < 40; n++) {
		ss.ss_family = AF_INET;
		assert_int_equal(chan_addr_get(&ss, n, &out,
					       NULL),
				 n >= 16);
		ss.ss_family = AF_INET6;
		assert_int_equal(chan_addr_get(&ss, n, &out,
					       NULL),
				 n >= 24);
		ss.ss_family = AF_UNIX;
		assert_false(
			chan_addr_get(&ss, n, &out, NULL));
	}
	assert_false(chan_addr_get(NULL, 16, &out, NULL));
}

static void unix_names(void **st)
{
	struct chan_name n = { .kind = CHAN_KIND_SOCK, .family = 6, .id = 3 };
	struct chan_name out;
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&run, &n, &un);

	(void)st;
	assert_int_equal(len, 2 + CHAN_NAME_LEN);
	assert_true(chan_addr_un_get(&run, &un, len, &out));
	assert_true(out.id == 3 && out.family == 6);
	assert_false(
		chan_addr_un_get(&run, &un, len - 1, &out));
	assert_false(chan_addr_un_get(&run, &un, 1, &out));
	assert_false(chan_addr_un_get(&run, &un, 2, &out));
	un.sun_family = AF_INET;
	assert_false(chan_addr_un_get(&run, &un, len, &out));
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(same_as_the_system),
		cmocka_unit_test(families_are_adapted),
		cmocka_unit_test(scope_of_link_local_only),
		cmocka_unit_test(lengths_and_families_checked),
		cmocka_unit_test(unix_names),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
