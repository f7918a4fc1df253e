#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stack/wire/pcapng.h"
#include "stack/wire/tcp_hdr.h"

static unsigned packet(uint8_t *p)
{
	struct ip_hdr ip = { .src = addr_v4(10, 0, 0, 1),
			     .dst = addr_v4(10, 0, 1, 1),
			     .proto = 6,
			     .ttl = 64 };
	struct tcp_hdr h = { .sport = 80, .dport = 4242, .flags = TCP_SYN };
	struct mp_opt_capable c = { .version = 1,
				    .len = 4,
				    .flags = MP_CAP_SHA256 };
	struct wr w = wr_make(p, 64);

	ip_hdr_emit(&w, &ip, 20 + 4 + 1);
	tcp_hdr_emit(&w, &h, 4);
	mp_opt_emit_capable(&w, &c);
	tcp_hdr_finish(p, 20, 24, &(struct iov){ (const uint8_t *)"x", 1 }, 1,
		       false);
	wr_copy(&w, "x", 1);
	return (unsigned)wr_len(&w);
}

/* blocks one after the other: types, lengths twice, all of it used */
static void blocks_are_well_formed(void **st)
{
	static const uint32_t types[] = { 0x0a0d0d0a, 1, 6, 6 };
	uint8_t buf[1024], p[64];
	struct wr w = wr_make(buf, sizeof(buf));
	unsigned n = packet(p), len[4], at = 0;
	const struct iov v[2] = { { p, 21 }, { p + 21, n - 21 } };

	(void)st;
	len[0] = pcapng_section(&w, "unit test");
	len[1] = pcapng_interface(&w, "path0", 65535);
	len[2] = pcapng_packet(&w, 0, 1, false, v, 2, NULL);
	len[3] = pcapng_packet(&w, 0, 2, true, v, 2, "a comment");
	for (unsigned i = 0; i < 4; i++) {
		assert_true(len[i] > 0 && len[i] % 4 == 0);
		assert_int_equal(be32_get(buf + at), types[i]);
		assert_int_equal(be32_get(buf + at + 4), len[i]);
		at += len[i];
		assert_int_equal(be32_get(buf + at - 4), len[i]);
	}
	assert_int_equal(wr_len(&w), at);
	for (unsigned room = 0; room < len[3]; room++) {
		w = wr_make(buf, room);
		assert_int_equal(
			pcapng_packet(&w, 0, 2, true, v, 2, "a comment"), 0);
		assert_int_equal(wr_len(&w), 0);
		assert_true(w.ok);
	}
}

static void the_largest_packet_fits_its_bound(void **st)
{
	static uint8_t data[65535], buf[PCAPNG_BLOCK_MAX];
	const struct iov v = { data, sizeof(data) };
	struct wr w = wr_make(buf, sizeof(buf));
	char comment[300];

	(void)st;
	memset(comment, 'c', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	assert_int_not_equal(pcapng_packet(&w, 0, 0, true, &v, 1, comment), 0);
}

static void write_file(const char *path)
{
	uint8_t buf[1024], p[64];
	struct wr w = wr_make(buf, sizeof(buf));
	unsigned n = packet(p);
	const struct iov v = { p, n };
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	pcapng_section(&w, "unit test");
	pcapng_interface(&w, "path0", 65535);
	pcapng_interface(&w, "path1", 65535);
	pcapng_packet(&w, 0, 1700000000123456789, false, &v, 1, NULL);
	pcapng_packet(&w, 1, 1700000001000000001, true, &v, 1, "lost");
	assert_true(w.ok);
	assert_int_equal(fwrite(buf, 1, wr_len(&w), f), wr_len(&w));
	assert_int_equal(fclose(f), 0);
}

static void reads(const char *line, const char *time, const char *interface,
		  int direction, const char *comment)
{
	char got_time[64], got_interface[32], got_comment[32] = "";
	unsigned len, ip_sum, tcp_sum;
	int got_direction; /* some versions print it in hexadecimal */

	assert_true(sscanf(line, "%63s %31s %i 10.0.0.1 4242 %u %u 1 %u %31s",
			   got_time, got_interface, &got_direction, &ip_sum,
			   &tcp_sum, &len, got_comment) >= 6);
	assert_string_equal(got_time, time);
	assert_string_equal(got_interface, interface);
	assert_int_equal(got_direction, direction);
	assert_int_equal(ip_sum, 1);
	assert_int_equal(tcp_sum, 1);
	assert_int_equal(len, 1);
	assert_string_equal(got_comment, comment);
}

static void tshark_reads_it(void **st)
{
	char path[] = "/tmp/test_pcapng.XXXXXX", cmd[600],
	     line[2][300] = { "" };
	int fd;
	FILE *f;

	(void)st;
	if (system("command -v tshark >/dev/null 2>&1") != 0) {
		skip();
	}
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	write_file(path);
	snprintf(cmd, sizeof(cmd),
		 "tshark -r %s -o ip.check_checksum:TRUE "
		 "-o tcp.check_checksum:TRUE -T fields -E separator=/s "
		 "-e frame.time_epoch -e frame.interface_name "
		 "-e frame.packet_flags_direction -e ip.src -e tcp.dstport "
		 "-e ip.checksum.status -e tcp.checksum.status "
		 "-e tcp.options.mptcp.version -e tcp.len -e frame.comment "
		 "2>/dev/null",
		 path);
	f = popen(cmd, "r");
	assert_non_null(f);
	assert_non_null(fgets(line[0], sizeof(line[0]), f));
	assert_non_null(fgets(line[1], sizeof(line[1]), f));
	assert_int_equal(pclose(f), 0);
	unlink(path);
	reads(line[0], "1700000000.123456789", "path0", 1, "");
	reads(line[1], "1700000001.000000001", "path1", 2, "lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_well_formed),
		cmocka_unit_test(the_largest_packet_fits_its_bound),
		cmocka_unit_test(tshark_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
