#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/cksum.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/show.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/unit/wire/hex.h"

static uint8_t packet[512];

/* a TCP packet 10.0.0.1:80 > 10.0.1.1:4242 with these options and 3 octets */
static unsigned build(const char *opts, uint8_t flags)
{
	struct ip_hdr ip = { .src = addr_v4(10, 0, 0, 1),
			     .dst = addr_v4(10, 0, 1, 1),
			     .proto = 6,
			     .ttl = 64 };
	struct tcp_hdr h = { .sport = 80,
			     .dport = 4242,
			     .seq = 1,
			     .ack = 2,
			     .flags = flags,
			     .wnd = 65535 };
	const struct iov v = { (const uint8_t *)"abc", 3 };
	struct wr w = wr_make(packet, sizeof(packet));
	uint8_t opt[64];
	unsigned n = hex(opts, opt);

	while (n % 4 != 0) {
		opt[n++] = 1;
	}
	ip_hdr_emit(&w, &ip, 20 + n + 3);
	tcp_hdr_emit(&w, &h, n);
	wr_copy(&w, opt, n);
	tcp_hdr_finish(packet, 20, 20 + n, &v, 1, false);
	wr_copy(&w, v.p, 3);
	assert_true(w.ok);
	return (unsigned)wr_len(&w);
}

static const struct {
	const char *opts;
	uint8_t flags;
	const char *text;
} lines[] = {
	{ "", TCP_SYN, "[S] seq 1 win 65535 len 3" },
	{ "020405b4 0402 080a0000000100000002 1e0c01015152535455565758 01"
	  "030307 1e048101",
	  TCP_SYN | TCP_ACK,
	  "[S.] seq 1 ack 2 win 65535 len 3 <mss 1460, sackOK, ts 1 2, "
	  "wscale 7, mp_capable v1 H key 5152535455565758, "
	  "mp_tcprst reason 1 transient>" },
	{ "0101 0512 0000000100000002 0000000300000004", TCP_ACK,
	  "[.] seq 1 ack 2 win 65535 len 3 <1-2 3-4>" },
	{ "1e1c201f 0000000000000009 0000000000000001 00000002 0003 0004",
	  TCP_ACK | TCP_PSH,
	  "[P.] seq 1 ack 2 win 65535 len 3 <dss fin ack8 9 dsn8 1 ssn 2 "
	  "len 3 csum 0x0004>" },
	{ "1e0c1102ccad45acaabbccdd", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <mp_join id 2 backup token ccad45ac "
	  "nonce aabbccdd>" },
	{ "1e123007c000020720fbb34c0f6cc9b67bdb 1e054002030101 01", TCP_ACK,
	  "[.] seq 1 ack 2 win 65535 len 3 <add_addr id 7 192.0.2.7:8443 "
	  "hmac b34c0f6cc9b67bdb, remove_addr id 2 3>" },
	{ "1e035101 1e0c6000 0000000000000005", TCP_ACK,
	  "[.] seq 1 ack 2 win 65535 len 3 <mp_prio backup, mp_fail dsn 5>" },
	/* RFC 8547: what a SYN offers, what is chosen, and the sign alone */
	{ "4504 2321 1e040101", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <mp_capable v1 H, eno x25519 p256>" },
	{ "4507 23 a0534d03 01", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <eno x25519 smtcp(x25519)>" },
	{ "450a 03 22 a0534d430401", TCP_SYN | TCP_ACK,
	  "[S.] seq 1 ack 2 win 65535 len 3 "
	  "<eno b a p521 smtcp(x25519 x448 p256 sig)>" },
	{ "4518 24 a0534d83 bb593eed6e5aaf7c30 d0d1d2d3d4d5d6d7", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <eno x448 smtcp(x25519 resume "
	  "bb593eed6e5aaf7c30 nonce d0d1d2d3d4d5d6d7)>" },
	{ "4510 01 a0534d83 bb593eed6e5aaf7c30", TCP_SYN | TCP_ACK,
	  "[S.] seq 1 ack 2 win 65535 len 3 "
	  "<eno b smtcp(x25519 resume bb593eed6e5aaf7c30)>" },
	{ "4513 8a a3 c8fdf5ead11dd89134 0102 a0aabbcc", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 "
	  "<eno x25519(resume c8fdf5ead11dd89134 nonce 0102) tep 0x20(aabbcc)>" },
	{ "4507 a0534d83aa", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <eno smtcp(x25519 resume?)>" },
	{ "4505 81 23 55", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <eno ill-formed 812355>" },
	{ "4503 01 4502", TCP_SYN | TCP_ACK,
	  "[S.] seq 1 ack 2 win 65535 len 3 <eno more than once>" },
	{ "4503 01", TCP_SYN | TCP_ACK,
	  "[S.] seq 1 ack 2 win 65535 len 3 <eno b vacuous>" },
	{ "4504 30 71", TCP_SYN,
	  "[S] seq 1 win 65535 len 3 <eno tep 0x30 tep 0x71>" },
	{ "4502", TCP_ACK, "[.] seq 1 ack 2 win 65535 len 3 <eno>" },
	{ "4504 ab01", TCP_ACK, "[.] seq 1 ack 2 win 65535 len 3 <eno ab01>" },
	{ "1e05600000 030900", TCP_RST,
	  "[R] seq 1 win 65535 len 3 <bad mptcp subtype 6, malformed>" },
};

static void shows_segments(void **st)
{
	(void)st;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char want[600], got[600];
		unsigned n = build(lines[i].opts, lines[i].flags);

		snprintf(want, sizeof(want), "10.0.0.1:80 > 10.0.1.1:4242 %s",
			 lines[i].text);
		show_packet(packet, n, got, sizeof(got));
		assert_string_equal(got, want);
	}
}

static void names_what_is_wrong(void **st)
{
	char text[200];
	unsigned n = build("", TCP_ACK);

	(void)st;
	show_packet(packet, n - 1, text, sizeof(text));
	assert_string_equal(text, "ip: truncated, 42 octets");
	packet[n - 1] ^= 1;
	show_packet(packet, n, text, sizeof(text));
	assert_non_null(strstr(text, "[.] seq 1"));
	assert_non_null(strstr(text, "(checksum wrong)"));
	packet[32] = 0x40;
	show_packet(packet, n, text, sizeof(text));
	assert_string_equal(text, "10.0.0.1 > 10.0.1.1 tcp: "
				  "data offset below 5");
	packet[8] ^= 1;
	show_packet(packet, n, text, sizeof(text));
	assert_string_equal(text, "ip: IPv4 header checksum wrong, 43 octets");
}

/* whatever fits, terminated, and nothing beyond */
static void cuts_at_the_buffer(void **st)
{
	unsigned n = build(lines[1].opts, lines[1].flags);
	char whole[400];

	(void)st;
	show_packet(packet, n, whole, sizeof(whole));
	for (size_t size = 1; size < 250; size++) {
		char *buf = malloc(size);

		assert_non_null(buf);
		memset(buf, 'x', size);
		assert_ptr_equal(show_packet(packet, n, buf, size), buf);
		assert_int_equal(strlen(buf), strlen(whole) < size
						      ? strlen(whole)
						      : size - 1);
		assert_memory_equal(buf, whole, strlen(buf));
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_segments),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(cuts_at_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
