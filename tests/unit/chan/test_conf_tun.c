/* NAME,addr=..,peer=..[,backup][,mtu=N]: what is taken, and what is refused in
 * one line that says why */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/chan/conf.h"

static struct run_conf c;
static char why[CONF_ERR_MAX];

static int setup(void **state)
{
	(void)state;
	conf_init(&c);
	why[0] = '\0';
	return 0;
}

static bool take(const char *spec)
{
	memset(why, 'z', sizeof(why));
	return conf_tun_parse(&c, spec, why);
}

static void refused(const char *spec, const char *word)
{
	unsigned n = c.n_tun;

	if (take(spec)) {
		fail_msg("taken: %s", spec);
	}
	assert_non_null(memchr(why, 0, sizeof(why)));
	assert_null(strchr(why, '\n'));
	if (!strstr(why, word)) {
		fail_msg("%s: no '%s' in: %s", spec, word, why);
	}
	assert_int_equal(c.n_tun, n); /* half a device is none */
}

#define A "addr=10.1.0.2/24,peer=10.1.0.1"

static void test_words_in_any_order(void **state)
{
	(void)state;
	assert_true(take("a," A));
	assert_true(take("b,backup,peer=10.2.0.1,mtu=1400,addr=10.2.0.2/30"));
	assert_int_equal(c.n_tun, 2);
	assert_int_equal(c.tun[0].mtu, CONF_MTU_DEFAULT);
	assert_false(c.tun[0].backup);
	assert_int_equal(c.tun[0].addr[0].bits, 24);
	assert_int_equal(c.tun[1].mtu, 1400);
	assert_true(c.tun[1].backup);
	assert_int_equal(c.tun[1].addr[0].bits, 30);
	assert_int_equal(c.tun[1].addr[0].addr.b[3], 2);
	assert_int_equal(c.tun[1].addr[0].peer.b[3], 1);
}

static void test_a_device_again_adds(void **state)
{
	(void)state;
	assert_true(take("a," A ",mtu=1300"));
	assert_true(take("a,addr=fd00::2/64,peer=fd00::1,backup"));
	assert_int_equal(c.n_tun, 1);
	assert_int_equal(c.tun[0].n_addr, 2);
	assert_int_equal(c.tun[0].mtu, 1300); /* stays */
	assert_true(c.tun[0].backup);
	assert_int_equal(c.tun[0].addr[1].bits, 64);
	assert_true(take("a,addr=10.3.0.2/8,peer=10.3.0.1,mtu=1280"));
	assert_int_equal(c.tun[0].mtu, 1280);
	assert_true(take("a,addr=10.4.0.2/8,peer=10.4.0.1"));
	assert_true(c.tun[0].backup);
	refused("a,addr=10.5.0.2/8,peer=10.5.0.1", "more than 4 addresses");
	assert_int_equal(c.tun[0].n_addr, CONF_TUN_ADDRS_MAX);
	assert_true(take("ab," A)); /* no prefix of a name */
	assert_int_equal(c.n_tun, 2);
}

static void test_devices_are_bounded(void **state)
{
	char spec[80];

	(void)state;
	for (unsigned i = 0; i < CONF_TUNS_MAX; i++) {
		snprintf(spec, sizeof(spec), "t%u,addr=10.%u.0.2/24,peer="
			 "10.%u.0.1", i, i, i);
		assert_true(take(spec));
	}
	refused("t8," A, "more than 8 devices");
	assert_true(take("t7,addr=10.9.0.2/24,peer=10.9.0.1"));
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "a:b", "a%d", "a b", "a\tb", "a\nb",
		"a=b", "1234567890123456", "123456789012345678901234567890",
	};
	char spec[128];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(spec, sizeof(spec), "%s," A, bad[i]);
		if (strchr(bad[i], '\n')) {
			assert_false(take(spec));
			continue;
		}
		refused(spec, "no device name");
	}
	assert_true(take("123456789012345," A)); /* 15: the most */
	assert_string_equal(c.tun[0].name, "123456789012345");
	assert_true(take("x," A));
	assert_true(take("...," A));
	assert_true(take("tun-0.1_x," A));
}

static void test_words(void **state)
{
	(void)state;
	refused("", "addr=");
	refused("a", "addr=");
	refused("a,addr=10.1.0.2/24", "peer=");
	refused("a,peer=10.1.0.1", "addr=");
	refused("a," A ",", "means nothing");
	refused("a,," A, "means nothing");
	refused("a," A ",backups", "backups");
	refused("a," A ",backup=1", "backup=1");
	refused("a," A ",Mtu=1400", "Mtu");
	refused("a,ADDR=10.1.0.2/24,peer=10.1.0.1", "means nothing");
}

static void test_mtu(void **state)
{
	static const char *const bad[] = { "",	    "0",     "1279",  "65536",
					   "-1500", "1500x", "0x600", " 1500",
					   "1500 ", "4294968796", "1e4",
					   "18446744073709553116" };
	char spec[128];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(spec, sizeof(spec), "a," A ",mtu=%s", bad[i]);
		refused(spec, "not within 1280..65535");
	}
	assert_true(take("a," A ",mtu=1280"));
	assert_int_equal(c.tun[0].mtu, 1280);
	assert_true(take("b," A ",mtu=65535"));
	assert_int_equal(c.tun[1].mtu, 65535);
	assert_true(take("d," A ",mtu=0001500"));
	assert_int_equal(c.tun[2].mtu, 1500);
}

static void test_addresses(void **state)
{
	(void)state;
	refused("a,addr=10.1.0.2,peer=10.1.0.1", "no prefix length");
	refused("a,addr=10.1.0.2/,peer=10.1.0.1", "no address");
	refused("a,addr=10.1.0.2/0,peer=10.1.0.1", "no address");
	refused("a,addr=10.1.0.2/33,peer=10.1.0.1", "no address");
	refused("a,addr=10.1.0.2/-1,peer=10.1.0.1", "no address");
	refused("a,addr=fd00::2/129,peer=fd00::1", "no address");
	refused("a,addr=10.1.0.256/24,peer=10.1.0.1", "no address");
	refused("a,addr=/24,peer=10.1.0.1", "no address");
	refused("a,addr=10.1.0.2/24,peer=", "no address");
	refused("a,addr=10.1.0.2/24,peer=10.1.0.1/24", "no address");
	refused("a,addr=10.1.0.2/24,peer=host", "no address");
	refused("a,addr=10.1.0.2/24,peer=fd00::1", "one family");
	refused("a,addr=fd00::2/64,peer=10.1.0.1", "one family");
	refused("a,addr=10.1.0.2/24,peer=10.1.0.2", "both");
	refused("a,addr=fd00::2/64,peer=fd00:0::2", "both");
	refused("a,addr=127.0.0.2/8,peer=127.0.0.1", "loopback");
	refused("a,addr=10.1.0.2/8,peer=127.0.0.1", "loopback");
	refused("a,addr=0.0.0.0/8,peer=10.0.0.1", "unspecified");
	refused("a,addr=10.0.0.1/8,peer=0.0.0.0", "unspecified");
	refused("a,addr=224.0.0.1/8,peer=10.0.0.1", "multicast");
	refused("a,addr=ff02::1/64,peer=fd00::1", "multicast");
	refused("a,addr=::1/64,peer=fd00::1", "loopback");
	refused("a,addr=::ffff:10.0.0.1/96,peer=::ffff:10.0.0.2", "cannot");
	assert_true(take("a,addr=10.1.0.2/32,peer=10.1.0.1"));
	assert_true(take("a,addr=fd00::2/128,peer=fd00::1"));
	assert_true(take("a,addr=10.2.0.2/1,peer=10.2.0.1"));
}

/* what is too long is refused, with a message that fits */
static void test_long_texts(void **state)
{
	char spec[700];

	(void)state;
	for (unsigned n = 200; n < 600; n += 7) {
		memset(spec, 'x', sizeof(spec));
		memcpy(spec, "a,addr=", 7);
		spec[n] = '\0';
		assert_false(take(spec));
		assert_non_null(memchr(why, 0, sizeof(why)));
		memcpy(spec, "a," A ",", 3 + strlen(A));
		assert_false(take(spec));
		memset(spec, 'x', 20);
		assert_false(take(spec));
	}
	assert_int_equal(c.n_tun, 0);
	/* 255 octets are the most that is looked at */
	memset(spec, 0, sizeof(spec));
	strcpy(spec, "a," A ",mtu=");
	while (strlen(spec) < 251) {
		strcat(spec, "0");
	}
	strcat(spec, "1500");
	assert_int_equal(strlen(spec), 255);
	assert_true(take(spec));
	conf_init(&c);
	memmove(spec + strlen("a," A ",mtu=") + 1, spec + strlen("a," A ",mtu="),
		strlen(spec + strlen("a," A ",mtu=")) + 1);
	assert_int_equal(strlen(spec), 256);
	refused(spec, "too long");
}

static void test_text_comes_back(void **state)
{
	char text[256], again[256];
	struct run_conf d;

	(void)state;
	assert_true(take("a," A ",backup,mtu=9000"));
	assert_true(take("a,addr=fd00:0:0::2/64,peer=fd00::1"));
	conf_init(&d);
	for (unsigned i = 0; i < 2; i++) {
		int n = conf_tun_text(&c.tun[0], i, text, sizeof(text));

		assert_int_equal(n, strlen(text));
		assert_true(conf_tun_parse(&d, text, why));
		assert_int_equal(conf_tun_text(&d.tun[0], i, again,
					       sizeof(again)),
				 n);
		assert_string_equal(text, again);
	}
	assert_string_equal(text, "a,addr=fd00::2/64,peer=fd00::1,mtu=9000,"
				  "backup");
	assert_int_equal(d.tun[0].n_addr, 2);
	assert_memory_equal(&d.tun[0], &c.tun[0], sizeof(d.tun[0]));
	assert_true(conf_tun_text(&c.tun[0], 0, text, 5) > 5);
	assert_int_equal(strlen(text), 4);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_words_in_any_order),
		T(test_a_device_again_adds),
		T(test_devices_are_bounded),
		T(test_names),
		T(test_words),
		T(test_mtu),
		T(test_addresses),
		T(test_long_texts),
		T(test_text_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
