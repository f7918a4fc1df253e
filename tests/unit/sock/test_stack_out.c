/* how many, in which order, how fair; echo replies and their memory */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/sock/sock_state.h"
#include "stack/wire/cksum.h"

static struct stack *s;

static int setup(void **state)
{
	two_setup(state);
	s = two.end[0].stack;
	return 0;
}

static void test_never_more_than_max(void **state)
{
	struct sock *c[10];
	struct pkt_out out[8];
	unsigned total = 0;

	(void)state;
	assert_int_equal(stack_output(s, two.now, out, 8), 0);
	for (unsigned i = 0; i < 10; i++) {
		c[i] = two_connect((uint16_t)(80 + i));
	}
	assert_int_equal(stack_output(s, two.now, out, 0), 0);
	out[3].dev = 0x7777;
	assert_int_equal(stack_output(s, two.now, out, 3), 3);
	assert_int_equal(out[3].dev, 0x7777);
	total = 3;
	for (unsigned n = 1; n;) {
		n = stack_output(s, two.now, out, 4);
		assert_true(n <= 4);
		total += n;
	}
	assert_int_equal(total, 10);
	assert_int_equal(ip_counter(s->ip, IP_OUT), 10);
	for (unsigned i = 0; i < 10; i++) {
		sock_close(c[i], two.now, true);
	}
}

/* two connections that both always have more to send: one packet at a time,
 * neither starves */
static void test_fair_between_connections(void **state)
{
	struct sock *l = two_listen(80, 5), *c[3];
	unsigned got[3] = { 0 };
	uint16_t port[3];
	struct endpoint e;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		c[i] = two_connect(80);
		two_run(20 * NANOS_MS);
		two_write(c[i], 1);
	}
	two_run(500 * NANOS_MS);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(sock_local(c[i], &e));
		port[i] = e.port;
		two_write(c[i], 60000);
	}
	for (unsigned k = 0; k < 12; k++) {
		struct pkt_out out;

		if (!stack_output(s, two.now, &out, 1)) {
			break;
		}
		for (unsigned i = 0; i < 3 && out.family == 4; i++) {
			got[i] += be16_get(out.hdr + 20) == port[i];
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_true(got[i] >= 2);
		sock_close(c[i], two.now, true);
	}
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* --- echo --------------------------------------------------------------- */

static void ping(uint8_t id, uint32_t n)
{
	uint8_t b[4096] = { 0 };
	struct ip_hdr h = { .src = two.end[1].addr,
			    .dst = two.end[0].addr,
			    .proto = IP_PROTO_ICMP,
			    .ttl = 64 };
	struct wr w = wr_make(b, sizeof(b));

	ip_hdr_emit(&w, &h, 8 + n);
	b[20] = 8;
	b[24] = id;
	memset(b + 28, id, n);
	be16_put(b + 22, cksum_finish(cksum_add(0, b + 20, 8 + n)));
	stack_input(s, two.now, wirepkt_make(b, 28 + n, 0));
}

static const uint8_t *reply(const struct pkt_out *o)
{
	return o->iov[0].p;
}

static void test_echo_slots(void **state)
{
	struct pkt_out out[STACK_ECHO_MAX + 2];
	unsigned n;

	(void)state;
	for (uint8_t i = 0; i < STACK_ECHO_MAX + 3; i++) {
		ping(i, 40);
	}
	assert_int_equal(ip_counter(s->ip, IP_ICMP_LIMIT), 3);
	n = stack_output(s, two.now, out, 2);
	assert_int_equal(n, 2);
	n += stack_output(s, two.now, out + n, ARRAY_SIZE(out) - n);
	assert_int_equal(n, STACK_ECHO_MAX);
	/* all still whole: no slot was used twice */
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(reply(&out[i])[4], i);
		assert_int_equal(reply(&out[i])[8 + 39], i);
		assert_int_equal(out[i].dev, 0);
	}
	assert_int_equal(stack_output(s, two.now, out, 4), 0);
	ping(99, 40); /* the next input frees the slots */
	assert_int_equal(stack_output(s, two.now, out, 4), 1);
	assert_int_equal(reply(&out[0])[4], 99);
	stack_tick(s, two.now);
	assert_int_equal(s->echo[0].state, ECHO_FREE);
}

/* one that waits is not lost by the next input */
static void test_waiting_is_kept(void **state)
{
	struct pkt_out out[4];

	(void)state;
	ping(1, 8);
	ping(2, 8);
	stack_tick(s, two.now);
	assert_int_equal(stack_output(s, two.now, out, 4), 2);
	assert_int_equal(reply(&out[0])[4], 1);
	assert_int_equal(reply(&out[1])[4], 2);
}

static void test_echo_sizes(void **state)
{
	struct pkt_out out[2];

	(void)state;
	ping(1, STACK_ECHO_LEN - 8);
	assert_int_equal(stack_output(s, two.now, out, 2), 1);
	assert_int_equal(out[0].len, 20 + STACK_ECHO_LEN);
	ping(1, STACK_ECHO_LEN - 7);
	assert_int_equal(stack_output(s, two.now, out, 2), 0);
	assert_int_equal(ip_counter(s->ip, IP_ICMP_LIMIT), 1);
	ping(1, 0);
	assert_int_equal(stack_output(s, two.now, out, 2), 1);
	assert_int_equal(out[0].len, 28);
}

static void test_echo_memory_refused(void **state)
{
	struct pkt_out out[2];

	(void)state;
	two.end[0].fake.fail_at = 1;
	ping(1, 8);
	assert_int_equal(stack_output(s, two.now, out, 2), 0);
	assert_int_equal(ip_counter(s->ip, IP_ICMP_LIMIT), 1); /* named */
	assert_int_equal(ip_counter(s->ip, IP_ICMP_ECHO), 0);
	ping(2, 8);
	assert_int_equal(stack_output(s, two.now, out, 2), 1);
}

/* segments first: pings do not hold up a transfer */
static void test_segments_before_echoes(void **state)
{
	struct pkt_out out[2];
	struct sock *c;

	(void)state;
	ping(1, 8);
	c = two_connect(80);
	assert_int_equal(stack_output(s, two.now, out, 1), 1);
	assert_int_equal(out[0].hdr[9], IP_PROTO_TCP);
	assert_int_equal(stack_output(s, two.now, out, 2), 1);
	assert_int_equal(out[0].hdr[9], IP_PROTO_ICMP);
	sock_close(c, two.now, true);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, two_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_never_more_than_max),
		T(test_fair_between_connections),
		T(test_echo_slots),
		T(test_waiting_is_kept),
		T(test_echo_sizes),
		T(test_echo_memory_refused),
		T(test_segments_before_echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
