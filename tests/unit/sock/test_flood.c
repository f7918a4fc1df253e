/* A flood of forged SYNs, of a listener or of joins: who means it still gets a
 * connection, and nothing is kept for the others (RFC 4987) */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include "stack/mptcp/mp.h"
#include "stack/sock/sock_state.h"
#include "stack/tcp/tcb.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/tcp_hdr.h"

#define SYNS 10000

static struct {
	const char *name;
	uint64_t v;
} wanted;

static void counter_fn(void *ctx, const char *name, const char *text,
		       uint64_t v)
{
	(void)ctx;
	(void)text;
	if (strcmp(name, wanted.name) == 0) {
		wanted.v = v;
	}
}

static uint64_t counted(const char *name)
{
	wanted.name = name;
	wanted.v = UINT64_MAX;
	stack_counters(two.end[1].stack, counter_fn, NULL);
	assert_true(wanted.v != UINT64_MAX);
	return wanted.v;
}

static void to_server(void *ctx, struct pkt *p)
{
	(void)ctx;
	p->truesize = 65600; /* of the engine's pool: what is kept is copied */
	stack_input(two.end[1].stack, two.now, p);
}

/* a segment from 10.0.0.2:from to port 80, with options */
static void forge_data(uint16_t from, uint32_t seq, uint32_t ack,
		       uint8_t flags, const uint8_t *opt, unsigned n_opt,
		       uint32_t len)
{
	static uint8_t data[1460];
	struct pkt_out out;
	struct tcp_seg_desc d = { .flags = flags, .seq = seq, .ack = ack,
				  .wnd = 1000, .ttl = 64, .len = len,
				  .mss = sizeof(data), .n_iov = len > 0,
				  .iov = { { data, len } } };
	struct tuple t = { 0 };

	t.local = endpoint_make(addr_v4(10, 0, 0, 2), from);
	t.remote = endpoint_make(two.end[1].addr, 80);
	d.t = &t;
	d.opt_len = (uint8_t)n_opt;
	memcpy(d.opt, opt, n_opt);
	tcp_seg_write(NULL, &d, &out);
	wirepkt_split(&out, 0, to_server, NULL);
}

static void forge(uint16_t from, uint32_t seq, uint32_t ack, uint8_t flags,
		  const uint8_t *opt, unsigned n_opt)
{
	forge_data(from, seq, ack, flags, opt, n_opt, 0);
}

/* what the server has to say to nobody; SYN-ACKs are counted */
static unsigned swallow(void)
{
	struct pkt_out out[4];
	unsigned n, synacks = 0;

	while ((n = stack_output(two.end[1].stack, two.now, out, 4)) > 0) {
		for (unsigned i = 0; i < n; i++) {
			synacks += out[i].hdr[IP4_HDR_LEN + 13] ==
				   (TCP_SYN | TCP_ACK);
		}
	}
	return synacks;
}

static const uint8_t linux_syn[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1,
				     0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 1, 1 };

static unsigned flood(uint16_t from, unsigned n)
{
	unsigned synacks = 0;

	for (unsigned i = 0; i < n; i++) {
		forge((uint16_t)(from + i), i * 77777, 0, TCP_SYN, linux_syn,
		      sizeof(linux_syn));
		synacks += swallow();
	}
	return synacks;
}

/* a client that means it: data both ways, and what it is; ts: its SYN has all
 * options, which one that names a session secret has not */
static void genuine(struct sock *l, const char *mode, bool ts)
{
	struct sock *c = two_connect(80), *a;
	struct mp_info info;

	two_run(100 * NANOS_MS);
	assert_true(sock_connected(c));
	a = sock_accept(l, two.now);
	assert_non_null(a);
	two_write(c, 5000);
	two_write(a, 3000);
	two_run(300 * NANOS_MS);
	assert_int_equal(sock_read_len(a), 5000);
	assert_int_equal(sock_read_len(c), 3000);
	assert_true(sock_info(a, &info));
	assert_string_equal(mp_info_mode(&info), mode);
	assert_true(sock_info(c, &info));
	assert_string_equal(mp_info_mode(&info), mode);
	assert_true(info.sub[0].tcp.sack && info.sub[0].tcp.wscale_ok);
	assert_int_equal(info.sub[0].tcp.ts, ts);
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	two_run(50 * NANOS_MS);
}

static void flooded(const char *mode)
{
	struct sock *l = two_listen(80, 16);
	struct stack *s = two.end[1].stack;
	uint64_t before, after;

	assert_int_equal(flood(1024, 200), 200);
	before = two.end[1].fake.mem.used;
	assert_int_equal(flood(2048, SYNS), SYNS);
	after = two.end[1].fake.mem.used;
	assert_int_equal(before, after);
	assert_int_equal(l->q->n_half, SOCK_HALF_OPEN_MIN);
	assert_int_equal(tcp_count_conns(s->tcp), SOCK_HALF_OPEN_MIN);
	assert_int_equal(counted("TcpExtSyncookiesSent"),
			 SYNS + 200 - SOCK_HALF_OPEN_MIN);
	genuine(l, mode, true);
	assert_int_equal(counted("TcpExtSyncookiesRecv"), 1);
	assert_int_equal(l->q->n_half, SOCK_HALF_OPEN_MIN);
	if (mode[0] == 's') {
		/* its secret cannot be kept in a cookie: somebody gives way */
		genuine(l, mode, false);
		assert_int_equal(counted("TcpExtSyncookiesRecv"), 1);
		assert_int_equal(counted("MPTcpExtHalfOpenEvicted"), 1);
		assert_int_equal(counted("CryptResumed"), 1);
		assert_int_equal(l->q->n_half, SOCK_HALF_OPEN_MIN - 1);
	}
	/* and once they are given up, without cookies */
	two_run(70 * NANOS_S);
	assert_int_equal(l->q->n_half, 0);
	genuine(l, mode, mode[0] == 'm');
	assert_int_equal(counted("TcpExtSyncookiesRecv"), 1);
	sock_close(l, two.now, true);
}

static void test_mptcp(void **state)
{
	(void)state;
	flooded("mptcp");
}

static void test_smtcp(void **state)
{
	(void)state;
	flooded("smtcp");
}

/* ACKs out of nowhere while cookies are about */
static void test_acks(void **state)
{
	struct sock *l = two_listen(80, 16);

	(void)state;
	/* not even looked at where no cookie was sent */
	forge(1024, 1, 1, TCP_ACK, linux_syn, 0);
	assert_int_equal(counted("TcpExtSyncookiesFailed"), 0);
	swallow();
	flood(1024, 200);
	for (unsigned i = 0; i < SYNS; i++) {
		forge((uint16_t)(1024 + i), i * 31337, i * 99991, TCP_ACK,
		      linux_syn, 0);
		swallow();
	}
	assert_null(sock_accept(l, two.now));
	assert_int_equal(counted("TcpExtSyncookiesRecv"), 0);
	/* but for the half-open ones, which tell a wrong number by themselves */
	assert_true(counted("TcpExtSyncookiesFailed") >
		    SYNS - SOCK_HALF_OPEN_MIN - 1);
	genuine(l, "mptcp", true);
	sock_close(l, two.now, true);
}

/* a connection from there that sends all that its window takes but the first
 * octet, in pieces that leave gaps */
static void hoard(uint16_t from)
{
	static const uint8_t syn[] = { 2, 4, 5, 180, 1, 3, 3, 7 };
	struct pkt_out out[4];
	uint32_t isn;

	forge(from, 1000, 0, TCP_SYN, syn, sizeof(syn));
	assert_int_equal(stack_output(two.end[1].stack, two.now, out, 4), 1);
	isn = be32_get(out[0].hdr + IP4_HDR_LEN + 4);
	forge(from, 1001, isn + 1, TCP_ACK, syn, 0);
	swallow();
	for (uint32_t at = 1; at + 700 < 250000; at += 701) {
		forge_data(from, 1001 + at, isn + 1, TCP_ACK, syn, 0, 700);
		swallow();
	}
}

/* Octets that nobody can read yet, sent by many until there is no memory: who
 * sends what can be read has some (RFC 9293 3.8.6: "a TCP endpoint may ..
 * discard" what is out of order). */
static void test_hoards(void **state)
{
	struct sock *l = two_listen(80, 100);
	struct mem *mem = &two.end[1].fake.mem;
	struct sock *a[40];
	unsigned n = 0;

	(void)state;
	mem->limit = mem->used + (4u << 20);
	for (unsigned i = 0; i < 40; i++) {
		hoard((uint16_t)(1024 + i));
	}
	while (n < 40 && (a[n] = sock_accept(l, two.now)) != NULL) {
		n++;
	}
	assert_int_equal(n, 40);
	assert_true(counted("TcpExtOfoPruned") > 0);
	assert_true(mem->used > mem->limit / 2);
	genuine(l, "mptcp", true);
	for (unsigned i = 0; i < n; i++) {
		sock_close(a[i], two.now, true);
	}
	swallow();
	sock_close(l, two.now, true);
}

/* Joins with a token that somebody overheard: whoever means it joins, now and
 * while the others fill the places. */
static void test_joins(void **state)
{
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };
	struct sock *l = two_listen(80, 16), *c = two_connect(80), *a;
	uint8_t opt[12] = { 30, 12, 0x10, 9 };
	struct mp_info info;
	unsigned open = 0;

	(void)state;
	two_run(100 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	two_write(c, 100);
	two_write(a, 100);
	two_run(300 * NANOS_MS);
	assert_true(sock_info(a, &info));
	be32_put(opt + 4, info.token_local);
	for (unsigned i = 0; i < SYNS; i++) {
		be32_put(opt + 8, i);
		forge((uint16_t)(1024 + i), i * 77777, 0, TCP_SYN, opt,
		      sizeof(opt));
		swallow();
		assert_true(two.end[1].stack->mp->n_half_open <= 4);
	}
	assert_true(counted("MPTcpExtMPJoinEvicted") >= SYNS - 4);
	/* another path of the client's */
	p.addr[0] = addr_v4(10, 9, 0, 1);
	p.bits[0] = 24;
	assert_int_equal(stack_path_add(two.end[0].stack, two.now, &p), 1);
	two_run(300 * NANOS_MS);
	assert_true(sock_info(a, &info));
	for (unsigned i = 0; i < info.n_subs; i++) {
		open += info.sub[i].established && !info.sub[i].closed;
	}
	assert_int_equal(open, 2);
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
	assert_int_equal(two.end[1].stack->mp->n_half_open, 0);
}

/* RFC 8684 3.1: between SYN and third ACK somebody else got the token: the
 * connection is plain, not one with a token that is somebody's */
static void test_token_taken(void **state)
{
	struct mp *mp = two.end[1].stack->mp;
	struct sock *l = two_listen(80, 16), *a;
	struct mp_token other = { .value = 0 };
	uint8_t third[12 + 20] = { 1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 0,
				   30, 20, 1, 1 };
	struct pkt_out out[4];
	struct mp_info info;
	struct rd r;
	struct mp_keys k;
	uint32_t isn = 0;

	(void)state;
	flood(1024, 200);
	forge(999, 5, 0, TCP_SYN, linux_syn, sizeof(linux_syn));
	assert_int_equal(stack_output(two.end[1].stack, two.now, out, 4), 1);
	isn = be32_get(out[0].hdr + IP4_HDR_LEN + 4);
	r = rd_make(out[0].hdr + 40, out[0].hdr_len - 40u);
	while (rd_left(&r) > 12 && r.p[0] != 30) {
		if (r.p[0] == 8) { /* its timestamp is to be echoed */
			memcpy(third + 8, r.p + 2, 4);
		}
		rd_take(&r, r.p[0] == 1 ? 1 : r.p[1]);
	}
	assert_int_equal(rd_left(&r), 12);
	memset(third + 16, 7, 8);
	memcpy(third + 24, r.p + 4, 8);
	assert_true(mp_keys_set_local(mp->hash, &k, be64_get(r.p + 4)));
	assert_true(mp_token_add(&mp->tokens, &other, k.token_local));
	forge(999, 6, isn + 1, TCP_ACK, third, sizeof(third));
	assert_int_equal(counted("TcpExtSyncookiesRecv"), 1);
	assert_int_equal(counted("MPTcpExtMPCapableTokenCollision"), 1);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	assert_true(sock_info(a, &info));
	assert_string_equal(mp_info_mode(&info), "tcp");
	mp_token_del(&mp->tokens, &other);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	swallow();
}

static int setup_sealed(void **state)
{
	two_crypt = MP_CRYPT_PREFER;
	return two_setup(state);
}

static int teardown_sealed(void **state)
{
	two_crypt = MP_CRYPT_OFF;
	return two_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_mptcp),
		cmocka_unit_test_setup_teardown(test_smtcp, setup_sealed,
						teardown_sealed),
		TWO_TEST(test_acks),
		TWO_TEST(test_hoards),
		TWO_TEST(test_joins),
		TWO_TEST(test_token_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
