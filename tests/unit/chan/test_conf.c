#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/chan/conf.h"

static char err[CONF_ERR_MAX];

static enum conf_result parse(struct run_conf *c, unsigned who, int *rest, ...)
{
	char *argv[32] = { (char *)(uintptr_t) "prog" };
	int argc = 1;
	va_list ap;
	char *w;

	va_start(ap, rest);
	while ((w = va_arg(ap, char *)) != NULL && argc < 31) {
		argv[argc++] = w;
	}
	va_end(ap);
	conf_init(c);
	err[0] = '\0';
	return conf_args(c, who, argc, argv, rest, err);
}

#define PARSE(c, ...) parse(c, CONF_RUN, &rest, __VA_ARGS__, (char *)NULL)

static void test_tun_spec(void **state)
{
	struct run_conf c;
	char text[ADDR_TEXT_MAX];
	int rest;

	(void)state;
	assert_int_equal(
		PARSE(&c, "--tun", "mp0,addr=10.1.0.2/24,peer=10.1.0.1",
		      "--tun=mp1,addr=10.2.0.2/30,peer=10.2.0.1,backup,mtu=1400",
		      "--tun", "mp0,peer=fd01::1,addr=fd01::2/64", "--", "-x"),
		CONF_OK);
	assert_int_equal(rest, 7);
	assert_int_equal(c.n_tun, 2);
	assert_string_equal(c.tun[0].name, "mp0");
	assert_int_equal(c.tun[0].n_addr, 2);
	assert_false(c.tun[0].backup);
	assert_int_equal(c.tun[0].mtu, 1500);
	assert_int_equal(c.tun[0].addr[0].bits, 24);
	assert_string_equal(addr_text(&c.tun[0].addr[1].addr, text), "fd01::2");
	assert_string_equal(addr_text(&c.tun[0].addr[1].peer, text), "fd01::1");
	assert_true(c.tun[1].backup);
	assert_int_equal(c.tun[1].mtu, 1400);
	assert_true(conf_check(&c, err));
}

/* every mistake gets one line with the option's name in it */
static void test_tun_mistakes(void **state)
{
	static const struct {
		const char *spec, *says;
	} bad[] = {
		{ "mp0", "no addr=" },
		{ "mp0,addr=10.0.0.2/24", "no peer=" },
		{ "mp0,addr=10.0.0.2,peer=10.0.0.1", "no prefix length" },
		{ "mp0,addr=10.0.0.2/33,peer=10.0.0.1", "prefix length" },
		{ "mp0,addr=10.0.0.2/0,peer=10.0.0.1", "prefix length" },
		{ "mp0,addr=10.0.0.2/24,peer=10.0.0", "no address" },
		{ "mp0,addr=10.0.0.2/24,peer=fd00::1", "one family" },
		{ "mp0,addr=10.0.0.2/24,peer=10.0.0.2", "both" },
		{ "mp0,addr=127.0.0.2/24,peer=127.0.0.1", "loopback" },
		{ "mp0,addr=224.0.0.2/24,peer=10.0.0.1", "multicast" },
		{ "mp0,addr=0.0.0.0/24,peer=10.0.0.1", "unspecified" },
		{ "abcdefghijklmnop,addr=10.0.0.2/24,peer=10.0.0.1", "name" },
		{ "a/b,addr=10.0.0.2/24,peer=10.0.0.1", "device name" },
		{ "tun%d,addr=10.0.0.2/24,peer=10.0.0.1", "device name" },
		{ ",addr=10.0.0.2/24,peer=10.0.0.1", "device name" },
		{ "mp0,addr=10.0.0.2/24,peer=10.0.0.1,mtu=99", "mtu=99" },
		{ "mp0,addr=10.0.0.2/24,peer=10.0.0.1,mtu=70000", "mtu" },
		{ "mp0,addr=10.0.0.2/24,peer=10.0.0.1,bakcup", "bakcup" },
		{ "mp0,addr=10.0.0.2/24,peer=10.0.0.1,ba\nck\033", "ba?ck?" },
	};
	struct run_conf c;
	int rest;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(PARSE(&c, "--tun", bad[i].spec), CONF_ERROR);
		assert_ptr_equal(strstr(err, "--tun: "), err);
		assert_non_null(strstr(err, bad[i].says));
		assert_null(strchr(err, '\n'));
	}
}

static void test_options(void **state)
{
	struct run_conf c;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&c, "-vv", "--mptcp=require", "--exclude",
			       "192.0.2.0/24", "--exclude", "2001:db8::/32",
			       "--stats-json", "s.json", "--checksum", "--io",
			       "epoll", "--congestion=reno", "curl", "-v"),
			 CONF_OK);
	assert_int_equal(rest, 13);
	assert_int_equal(c.verbose, 3);
	assert_int_equal(c.mptcp, CONF_MPTCP_REQUIRE);
	assert_int_equal(c.n_exclude, 2);
	assert_int_equal(c.exclude[0].bits, 24);
	assert_string_equal(c.stats_json, "s.json");
	assert_true(c.checksum);
	assert_int_equal(c.io, CONF_IO_EPOLL);
	assert_string_equal(c.congestion, "reno");
	assert_true(conf_waits(&c));
	assert_false(conf_check(&c, err));
	assert_non_null(strstr(err, "--tun"));
	assert_int_equal(PARSE(&c, "-q", "x"), CONF_OK);
	assert_int_equal(c.verbose, 0);
	assert_int_equal(c.mtu_probing, CONF_MTU_PROBING_BLACKHOLE);
	assert_false(c.drop_fragments);
	assert_false(conf_waits(&c));
}

static void test_mistakes(void **state)
{
	struct run_conf c;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&c, "--nonsense"), CONF_ERROR);
	assert_non_null(strstr(err, "--nonsense"));
	assert_int_equal(PARSE(&c, "-z"), CONF_ERROR);
	assert_int_equal(PARSE(&c, "--mptcp"), CONF_ERROR);
	assert_non_null(strstr(err, "needs a value"));
	assert_int_equal(PARSE(&c, "--mptcp", "maybe"), CONF_ERROR);
	assert_non_null(strstr(err, "off, prefer or require"));
	assert_int_equal(PARSE(&c, "--wait=1"), CONF_ERROR);
	assert_int_equal(PARSE(&c, "--exclude", "10.0.0.0/40"), CONF_ERROR);
	assert_int_equal(PARSE(&c, "--pcapng="), CONF_ERROR);
	/* options of the other program are not known here */
	assert_int_equal(PARSE(&c, "--ready-fd", "3"), CONF_ERROR);
	assert_int_equal(parse(&c, CONF_STACKD, &rest, "--ready-fd", "3x",
			       (char *)NULL),
			 CONF_ERROR);
	assert_int_equal(parse(&c, CONF_STACKD, &rest, "--ready-fd",
			       "99999999999", (char *)NULL),
			 CONF_ERROR);
	assert_int_equal(PARSE(&c, "--help"), CONF_HELP);
	assert_int_equal(PARSE(&c, "-qh"), CONF_HELP);
	assert_int_equal(PARSE(&c, "--version"), CONF_VERSION);
}

static void test_limits(void **state)
{
	char spec[64], *argv[40] = { (char *)(uintptr_t) "p" }, net[] = "::/1";
	struct run_conf c;
	int rest;

	(void)state;
	conf_init(&c);
	for (unsigned i = 0; i < CONF_TUNS_MAX; i++) {
		snprintf(spec, sizeof(spec),
			 "t%u,addr=10.%u.0.2/24,peer=10.%u.0.1", i, i, i);
		assert_true(conf_tun_parse(&c, spec, err));
	}
	assert_false(
		conf_tun_parse(&c, "x,addr=10.9.0.2/24,peer=10.9.0.1", err));
	for (unsigned i = 1; i < CONF_TUN_ADDRS_MAX; i++) {
		snprintf(spec, sizeof(spec),
			 "t0,addr=11.%u.0.2/24,peer=10.0.0.1", i);
		assert_true(conf_tun_parse(&c, spec, err));
	}
	assert_false(
		conf_tun_parse(&c, "t0,addr=12.0.0.2/24,peer=10.0.0.1", err));
	for (int k = 0; k < 2; k++) {
		int n = CONF_NETS_MAX + k;
		char words[40][16];

		assert_true(n < 40);
		for (int i = 0; i < n; i++) {
			snprintf(words[i], sizeof(words[i]), "--exclude=%s",
				 net);
			argv[i + 1] = words[i];
		}
		conf_init(&c);
		assert_int_equal(conf_args(&c, CONF_RUN, n + 1, argv, &rest,
					   err),
				 k ? CONF_ERROR : CONF_OK);
	}
}

static void test_address_twice(void **state)
{
	struct run_conf c;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&c, "--tun", "a,addr=10.0.0.2/24,peer=10.0.0.1",
			       "--tun", "b,addr=10.0.0.2/24,peer=10.0.0.9"),
			 CONF_OK);
	assert_false(conf_check(&c, err));
	assert_non_null(strstr(err, "10.0.0.2"));
}

struct var {
	const char *name, *value;
};

static const char *lookup(void *ctx, const char *name)
{
	for (const struct var *v = ctx; v->name; v++) {
		if (strcmp(v->name, name) == 0) {
			return v->value;
		}
	}
	return NULL;
}

/* no option of the command line, and these variables */
static bool from_env(struct run_conf *c, struct var *env)
{
	int rest;

	assert_int_equal(PARSE(c, "x"), CONF_OK);
	return conf_env(c, CONF_RUN, lookup, env, err);
}

static void test_environment(void **state)
{
	struct var env[] = {
		{ "MPTCP_TUN", "a,addr=10.0.0.2/24,peer=10.0.0.1; "
			       "b,addr=10.1.0.2/24,peer=10.1.0.1" },
		{ "MPTCP_MODE", "off" },
		{ "MPTCP_EXCLUDE", "10.0.0.0/8,192.0.2.1 fd00::/8" },
		{ "MPTCP_CHECKSUM", "1" },
		{ "MPTCP_WAIT", "0" },
		{ "MPTCP_IO", "" },
		{ "MPTCP_VERBOSE", "1" },
		{ NULL, NULL },
	};
	struct run_conf c;
	int rest;

	(void)state;
	assert_true(from_env(&c, env));
	assert_int_equal(c.n_tun, 2);
	assert_int_equal(c.n_exclude, 3);
	assert_int_equal(c.mptcp, CONF_MPTCP_OFF);
	assert_true(c.checksum);
	assert_false(c.wait);
	assert_int_equal(c.verbose, 2);
	assert_int_equal(c.io, CONF_IO_AUTO);
	/* a flag wins, and replaces a list */
	assert_int_equal(PARSE(&c, "--mptcp=require", "-q", "--tun",
			       "z,addr=10.9.0.2/24,peer=10.9.0.1"),
			 CONF_OK);
	assert_true(conf_env(&c, CONF_RUN, lookup, env, err));
	assert_int_equal(c.n_tun, 1);
	assert_string_equal(c.tun[0].name, "z");
	assert_int_equal(c.mptcp, CONF_MPTCP_REQUIRE);
	assert_int_equal(c.verbose, 0);
	/* a bad value names the variable; a flag in its place heals it */
	env[1].value = "perhaps";
	assert_false(from_env(&c, env));
	assert_ptr_equal(strstr(err, "MPTCP_MODE: "), err);
	assert_int_equal(PARSE(&c, "--mptcp=off"), CONF_OK);
	assert_true(conf_env(&c, CONF_RUN, lookup, env, err));
}

/* a bound of one digit holds for one digit, too */
static void test_number_bounds(void **state)
{
	struct var env[] = { { "MPTCP_VERBOSE", "2" }, { NULL, NULL } };
	char text[3] = "0";
	struct run_conf c;

	(void)state;
	assert_true(from_env(&c, env));
	assert_int_equal(c.verbose, 3);
	for (char d = '3'; d <= '9'; d++) {
		text[0] = d;
		env[0].value = text;
		assert_false(from_env(&c, env));
		assert_non_null(strstr(err, "is not a number within 0..2"));
	}
	text[1] = '0';
	assert_false(conf_env(&c, CONF_RUN, lookup, env, err));
}

/* what mptcp-run passes on is what it parsed */
static void test_argv_round_trip(void **state)
{
	static char *argv[CONF_ARGS_MAX + 1], buf[CONF_ARGS_TEXT];
	struct run_conf a, b;
	int n, rest;

	(void)state;
	assert_int_equal(
		PARSE(&a, "--tun", "mp0,addr=10.1.0.2/24,peer=10.1.0.1",
		      "--tun", "mp0,addr=fd01::2/64,peer=fd01::1", "--tun",
		      "mp1,addr=10.2.0.2/30,peer=10.2.0.1,backup,mtu=1400",
		      "--exclude=10.0.0.0/8", "--mptcp=require", "--checksum",
		      "--pcapng=a b.pcapng", "--io=epoll", "-v",
		      "--congestion=reno", "--scheduler=minrtt",
		      "--mtu-probing=on", "--fragments=drop"),
		CONF_OK);
	a.ready_fd = 7;
	a.run_fd = 8;
	a.watch_pid = 4242;
	n = conf_argv(&a, "mptcp-stackd", argv, buf, sizeof(buf));
	assert_true(n > 0);
	assert_null(argv[n]);
	conf_init(&b);
	assert_int_equal(conf_args(&b, CONF_STACKD, n, argv, &rest, err),
			 CONF_OK);
	assert_int_equal(rest, n);
	assert_memory_equal(a.tun, b.tun, sizeof(a.tun));
	assert_memory_equal(a.exclude, b.exclude, sizeof(a.exclude));
	assert_int_equal(b.n_tun, 2);
	assert_int_equal(b.n_exclude, 1);
	assert_int_equal(b.mptcp, a.mptcp);
	assert_int_equal(b.io, a.io);
	assert_int_equal(b.verbose, 2);
	assert_true(b.checksum);
	assert_string_equal(b.pcapng, "a b.pcapng");
	assert_string_equal(b.congestion, "reno");
	assert_int_equal(b.mtu_probing, CONF_MTU_PROBING_ON);
	assert_true(b.drop_fragments);
	assert_int_equal(b.ready_fd, 7);
	assert_int_equal(b.run_fd, 8);
	assert_int_equal(b.watch_pid, 4242);
	assert_int_equal(conf_argv(&a, "x", argv, buf, 64), -1);
}

/* the largest configuration still fits the limits of conf_argv() */
static void test_argv_largest(void **state)
{
	static char *argv[CONF_ARGS_MAX + 1], buf[CONF_ARGS_TEXT];
	static char spec[256], path[4096];
	struct run_conf c;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	conf_init(&c);
	for (unsigned i = 0; i < CONF_TUNS_MAX * CONF_TUN_ADDRS_MAX; i++) {
		snprintf(spec, sizeof(spec),
			 "abcdefghijklmn%u,"
			 "addr=2001:1111:2222:3333:4444:5555:6666:%x/120,"
			 "peer=2001:1111:2222:3333:4444:5555:7777:%x,backup",
			 i % CONF_TUNS_MAX, 0xa000 + i, 0xb000 + i);
		assert_true(conf_tun_parse(&c, spec, err));
	}
	c.n_exclude = CONF_NETS_MAX;
	for (unsigned i = 0; i < CONF_NETS_MAX; i++) {
		c.exclude[i].addr = c.tun[0].addr[0].addr;
		c.exclude[i].bits = 128;
	}
	c.stats_json = path;
	c.pcapng = path;
	c.congestion = "abcdefghijklmno";
	c.scheduler = "abcdefghijklmno";
	c.checksum = true;
	c.ready_fd = c.run_fd = c.watch_pid = 2147483647;
	assert_true(conf_argv(&c, "/usr/libexec/mptcp-stackd", argv, buf,
			      sizeof(buf)) > 0);
}

static void test_help_lists_everything(void **state)
{
	static char buf[8192];
	unsigned n;
	const struct conf_opt *o = conf_opts(&n);
	size_t len = conf_help(CONF_RUN, buf, sizeof(buf));

	(void)state;
	assert_true(len < sizeof(buf));
	assert_int_equal(len, strlen(buf));
	for (unsigned i = 0; i < n; i++) {
		char want[40];

		assert_non_null(o[i].help);
		assert_non_null(o[i].preset);
		if (!(o[i].who & CONF_RUN)) {
			continue;
		}
		snprintf(want, sizeof(want), "--%s", o[i].name);
		assert_non_null(strstr(buf, want));
		assert_non_null(o[i].env);
		assert_non_null(strstr(buf, o[i].env));
	}
	assert_null(strstr(buf, "--ready-fd"));
	assert_int_equal(conf_help(CONF_RUN, buf, 10), len);
	for (char *line = strtok(buf, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(strlen(line) <= 80);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tun_spec),
		cmocka_unit_test(test_tun_mistakes),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_address_twice),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_number_bounds),
		cmocka_unit_test(test_argv_round_trip),
		cmocka_unit_test(test_argv_largest),
		cmocka_unit_test(test_help_lists_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
