/* encrypted connections as a program sees them: data, end of file, and the
 * error that is none (smtcp(7), RFC 8548 3.7) */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/wire/cksum.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/tcp_hdr.h"

static struct sock *l, *c, *a;
static uint64_t sent, got;

static int setup(void **state)
{
	sent = got = 0;
	two_crypt = MP_CRYPT_PREFER;
	return two_setup(state);
}

static int teardown(void **state)
{
	two_crypt = MP_CRYPT_OFF;
	return two_teardown(state);
}

static void join(int rcvbuf)
{
	l = two_listen(80, 5);
	if (rcvbuf) {
		two_set(l, 1, 8, rcvbuf); /* SO_RCVBUF */
	}
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
}

static void part(void)
{
	sock_close(c, two.now, false);
	sock_close(a, two.now, false);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8) * 3 + (at >> 16));
}

static void feed(uint64_t most)
{
	struct iov_mut v[2];
	unsigned k = sock_write_vec(c, (uint32_t)(most - sent), v);
	uint32_t n = 0;

	for (unsigned i = 0; i < k; i++) {
		for (size_t j = 0; j < v[i].n && sent + n < most; j++, n++) {
			v[i].p[j] = pattern(sent + n);
		}
	}
	sock_write_done(c, two.now, n);
	sent += n;
}

/* reads at most so much */
static void drain(uint64_t most)
{
	struct iov v[4];
	uint64_t n = 0;
	unsigned k = sock_read_vec(a, v, 4);

	for (unsigned i = 0; i < k; i++) {
		for (size_t j = 0; j < v[i].n && n < most; j++, n++) {
			assert_int_equal(v[i].p[j], pattern(got + n));
		}
	}
	sock_read_done(a, two.now, n);
	got += n;
}

static void transfer(uint64_t n, uint64_t at_once)
{
	for (unsigned i = 0; got < n; i++) {
		assert_true(i < 100000);
		feed(n);
		two_run(NANOS_MS);
		drain(at_once);
	}
	assert_int_equal(got, n);
	assert_false(sock_read_eof(a));
	assert_int_equal(sock_shutdown_write(c, two.now), 0);
	two_run(100 * NANOS_MS);
	assert_true(sock_read_eof(a));
	assert_int_equal(sock_error(a), 0);
}

static void is_sealed(enum mp_sec sec)
{
	static struct mp_info i;

	assert_true(sock_info(a, &i));
	assert_int_equal(i.sec, sec);
	assert_true(i.sealed);
}

static void octets_and_end(void **state)
{
	(void)state;
	join(0);
	transfer(3000000, UINT64_MAX);
	part();
}

/* a reader with a small buffer, who takes little at a time */
static void small_buffer(void **state)
{
	(void)state;
	join(4096);
	transfer(400000, 1777);
	part();
}

static void reset_is_no_end(void **state)
{
	(void)state;
	join(0);
	feed(1000);
	two_run(50 * NANOS_MS);
	sock_close(c, two.now, true);
	c = sock_open(two.end[0].stack, 4);
	two_run(100 * NANOS_MS);
	drain(1000);
	assert_int_equal(got, 1000);
	assert_false(sock_read_eof(a));
	assert_int_equal(sock_error(a), ECONNRESET);
	part();
}

static bool cut_short;

/* takes MPTCP options out; cut_short: and the payload of what has FIN */
static void box(struct pkt *p)
{
	uint8_t *tcp = p->data + IP4_HDR_LEN;
	uint32_t hdr = IP4_HDR_LEN + (tcp[12] >> 4) * 4u;
	struct addr src = addr_from(4, p->data + 12);
	struct addr dst = addr_from(4, p->data + 16);

	for (uint8_t *o = tcp + TCP_HDR_LEN; o < p->data + hdr && *o;) {
		uint8_t n = *o == 1 ? 1 : o[1];

		if (*o == MP_OPT_KIND) {
			memset(o, 1, n);
		}
		o += n;
	}
	if (cut_short && tcp[13] & TCP_FIN) {
		p->len = hdr;
		be16_put(p->data + 2, (uint16_t)p->len);
		be16_put(p->data + 10, 0);
		be16_put(p->data + 10,
			 cksum_finish(cksum_add(0, p->data, IP4_HDR_LEN)));
	}
	be16_put(tcp + 16, 0);
	be16_put(tcp + 16, cksum_finish(cksum_add(
		cksum_pseudo(&src, &dst, IP_PROTO_TCP, p->len - IP4_HDR_LEN),
		tcp, p->len - IP4_HDR_LEN)));
}

static void single_stream(void **state)
{
	(void)state;
	cut_short = false;
	two.mbox = box;
	join(0);
	transfer(1000000, UINT64_MAX);
	is_sealed(MP_SEC_TCPCRYPT);
	part();
}

/* a FIN in place of FINp, which somebody has taken away */
static void cut_off_is_no_end(void **state)
{
	(void)state;
	cut_short = true;
	two.mbox = box;
	join(0);
	feed(5000);
	two_run(50 * NANOS_MS);
	assert_int_equal(sock_shutdown_write(c, two.now), 0);
	two_run(100 * NANOS_MS);
	drain(5000);
	assert_int_equal(got, 5000);
	assert_false(sock_read_eof(a));
	assert_int_equal(sock_error(a), ECONNABORTED);
	part();
}

static void smtcp(void **state)
{
	(void)state;
	join(0);
	feed(10);
	two_run(50 * NANOS_MS);
	is_sealed(MP_SEC_SMTCP);
	part();
}

/* TCP_NOTSENT_LOWAT, SO_SNDBUF and autotuning: octets that wait to be sealed are
 * not sent either */
static void waiting_is_bounded(void **state)
{
	(void)state;
	join(0);
	feed(1000);
	two_run(50 * NANOS_MS);
	two.cut = true;
	two_set(c, 6, 25, 10000);
	for (unsigned i = 0; i < 50; i++) {
		feed(1000000);
		assert_true(sock_outq_unsent(c) <= 10000);
		while (two_move(0)) {
		}
	}
	assert_true(sent > 11000 && sent < 60000); /* a window, and the mark */
	two_set(c, 6, 25, 0);
	for (unsigned i = 0; i < 50; i++) {
		feed(1000000);
	}
	assert_in_range(sock_outq(c), 255000, 262144);
	two_set(c, 1, 7, 400000);
	for (unsigned i = 0; i < 50; i++) {
		feed(1000000);
	}
	assert_in_range(sock_outq(c), 390000, 400000);
	two.cut = false;
	for (unsigned i = 0; i < 400 && got < sent; i++) {
		two_run(50 * NANOS_MS);
		drain(1000000);
	}
	assert_int_equal(got, sent);
	part();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(smtcp),	  T(octets_and_end), T(small_buffer),
		T(reset_is_no_end), T(single_stream),  T(cut_off_is_no_end), T(waiting_is_bounded),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
