#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/bytes.h"
#include "stack/engine/pcap.h"

static uint8_t file[1 << 22];

static int temp(void)
{
	char name[] = "/tmp/mptcp-test-pcap.XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

/* walks the blocks; the types found, up to max */
static unsigned blocks(const uint8_t *p, size_t n, uint32_t *type,
		       const uint8_t **at, unsigned max)
{
	unsigned k = 0;

	while (n >= 12 && k < max) {
		uint32_t len = be32_get(p + 4);

		assert_true(len >= 12 && len <= n && len % 4 == 0);
		assert_int_equal(be32_get(p + len - 4), len);
		type[k] = be32_get(p);
		at[k++] = p;
		p += len;
		n -= len;
	}
	assert_int_equal(n, 0);
	return k;
}

static void test_blocks(void **state)
{
	static const uint8_t payload[] = "payload";
	struct pkt_out o = { .dev = 1,
			     .hdr_len = 40,
			     .n_iov = 1,
			     .iov = { { payload, 7 } },
			     .len = 47 };
	uint8_t data[60] = { 0x45 };
	struct pkt in = { .data = data, .len = 60, .dev = 0 };
	struct instant now = { 0 };
	struct timespec mono, real;
	const uint8_t *at[8];
	uint32_t type[8];
	struct pcap *p;
	int fd = temp(), keep = dup(fd);
	int64_t stamp;
	ssize_t n;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	now.ns = mono.tv_sec * NANOS_S + mono.tv_nsec;
	p = pcap_new(fd);
	pcap_interface(p, "mp0");
	pcap_interface(p, "mp1");
	pcap_in(p, now, &in);
	pcap_out(p, now, &o);
	assert_int_equal(pcap_free(p), 0);
	n = pread(keep, file, sizeof(file), 0);
	assert_true(n > 0);
	assert_int_equal(blocks(file, (size_t)n, type, at, 8), 5);
	assert_int_equal(type[0], 0x0a0d0d0a);
	assert_int_equal(type[1], 1);
	assert_int_equal(type[2], 1);
	assert_int_equal(type[3], 6);
	assert_int_equal(be32_get(at[3] + 8), 0);
	assert_int_equal(be32_get(at[3] + 20), 60);
	assert_int_equal(be32_get(at[4] + 8), 1);
	assert_int_equal(be32_get(at[4] + 20), 47);
	assert_memory_equal(at[4] + 28 + 40, "payload", 7);
	/* stamped with the calendar's time */
	clock_gettime(CLOCK_REALTIME, &real);
	stamp = (int64_t)((uint64_t)be32_get(at[3] + 12) << 32 |
			  be32_get(at[3] + 16));
	assert_true(llabs(stamp - (real.tv_sec * NANOS_S + real.tv_nsec)) <
		    NANOS_S);
	close(keep);
}

/* more than the buffer holds, the largest packets */
static void test_many(void **state)
{
	static uint8_t data[65535];
	struct pkt in = { .data = data, .len = sizeof(data) };
	int fd = temp(), keep = dup(fd);
	struct pcap *p = pcap_new(fd);
	const uint8_t *at[64];
	uint32_t type[64];
	ssize_t n;

	(void)state;
	pcap_interface(p, "x");
	for (unsigned i = 0; i < 40; i++) {
		pcap_in(p, (struct instant){ i }, &in);
	}
	assert_int_equal(pcap_free(p), 0);
	n = pread(keep, file, sizeof(file), 0);
	assert_int_equal(blocks(file, (size_t)n, type, at, 64), 42);
	close(keep);
}

/* told once, and no more is tried */
static void test_full(void **state)
{
	static uint8_t data[65535];
	struct pkt in = { .data = data, .len = sizeof(data) };
	struct pcap *p = pcap_new(open("/dev/full", O_WRONLY));

	(void)state;
	pcap_interface(p, "x");
	for (unsigned i = 0; i < 40; i++) {
		pcap_in(p, (struct instant){ i }, &in);
	}
	assert_int_equal(pcap_flush(p), ENOSPC);
	assert_int_equal(pcap_flush(p), 0);
	pcap_in(p, (struct instant){ 1 }, &in);
	assert_int_equal(pcap_free(p), 0);
	assert_int_equal(pcap_free(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
