/* SYN cookies (RFC 4987 3.6): what comes back, for how long, and how little
 * guessing helps */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/seq.h"
#include "stack/tcp/tcp_cookie.h"
#include "tests/lib/fake.h"

#define AT(s) ((struct instant){ (s) * NANOS_S })

static struct fake fake;
static struct tcp_cookie_jar jar;
static struct tcp_seg syn, ack, back;
static struct tcp_cookie c, out;

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 7);
	memset(&jar, 0, sizeof(jar));
	memset(&syn, 0, sizeof(syn));
	syn.t.local = endpoint_make(addr_v4(10, 0, 0, 1), 80);
	syn.t.remote = endpoint_make(addr_v4(10, 0, 0, 9), 4000);
	syn.flags = TCP_SYN;
	syn.seq = 0xfffffff0;
	syn.dev = 3;
	syn.opts = (struct tcp_opts){ .has_mss = true, .mss = 1460,
				      .has_ts = true, .ts_val = 1000,
				      .has_wscale = true, .wscale = 7,
				      .sack_perm = true };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_fini(&fake);
	return 0;
}

/* the answer to syn at that time, and its ACK */
static void answer(struct instant now, uint8_t upper)
{
	uint32_t val = 0x12345678;

	tcp_cookie_begin(&jar, now, &fake.env.entropy, &syn, &c);
	c.upper = upper;
	tcp_cookie_make(&jar, &syn, &c);
	ack = (struct tcp_seg){ .t = syn.t, .flags = TCP_ACK, .dev = syn.dev,
				.seq = syn.seq + 1, .ack = c.isn + 1,
				.wnd = 99 };
	if (syn.opts.has_ts) {
		ack.opts.has_ts = true;
		ack.opts.ts_val = syn.opts.ts_val + 5;
		ack.opts.ts_ecr = tcp_cookie_tsval(&syn, &c, val);
		assert_true(seq_leq(ack.opts.ts_ecr, val));
		assert_true(val - ack.opts.ts_ecr <= 1u << TCP_COOKIE_BITS);
	}
}

static bool taken(struct instant now)
{
	return tcp_cookie_check(&jar, now, &fake.env.entropy, &ack, &back,
				&out);
}

static void all_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1u << (TCP_COOKIE_UPPER + 6); i++) {
		struct tcp_opts *o = &syn.opts;

		o->has_wscale = (i & 15) != 15;
		o->wscale = o->has_wscale ? i & 15 : 0;
		o->sack_perm = i & 16;
		syn.flags = i & 32 ? TCP_SYN | TCP_ECE | TCP_CWR : TCP_SYN;
		answer(AT(100), (uint8_t)(i >> 6));
		assert_true(taken(AT(101)));
		assert_int_equal(out.upper, i >> 6);
		assert_int_equal(out.isn, c.isn);
		assert_true(out.tag == c.tag);
		assert_true(tuple_eq(&back.t, &syn.t));
		assert_int_equal(back.seq, syn.seq);
		assert_int_equal(back.flags, syn.flags);
		assert_int_equal(back.dev, 3);
		assert_int_equal(back.opts.mss, 1460);
		assert_int_equal(back.opts.has_wscale, o->has_wscale);
		assert_int_equal(back.opts.wscale, o->wscale);
		assert_int_equal(back.opts.sack_perm, o->sack_perm);
		assert_int_equal(back.opts.ts_val, 1005);
	}
}

/* never more than the peer said */
static void sizes(void **state)
{
	static const struct {
		uint16_t mss, back;
	} t[] = {
		{ 64, 64 },	{ 535, 64 },	{ 536, 536 },
		{ 1219, 536 },	{ 1220, 1220 }, { 1459, 1440 },
		{ 1460, 1460 }, { 8939, 1460 }, { 65535, 8940 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		syn.opts.mss = t[i].mss;
		answer(AT(5), 0);
		assert_true(taken(AT(5)));
		assert_int_equal(back.opts.mss, t[i].back);
	}
	syn.opts.has_mss = false; /* RFC 9293 3.7.1 */
	answer(AT(5), 0);
	assert_true(taken(AT(5)));
	assert_int_equal(back.opts.mss, 536);
	syn.t.local.addr = addr_from(6, "0123456789abcdef");
	syn.t.remote.addr = addr_from(6, "0123456789abcdeg");
	answer(AT(5), 0);
	assert_true(taken(AT(5)));
	assert_int_equal(back.opts.mss, 1220);
}

static void without_timestamps(void **state)
{
	(void)state;
	syn.opts.has_ts = false;
	syn.flags = TCP_SYN | TCP_ECE | TCP_CWR;
	syn.len = 4;
	tcp_cookie_reduce(&syn);
	assert_false(syn.opts.sack_perm);
	assert_false(syn.opts.has_wscale);
	assert_int_equal(syn.flags, TCP_SYN);
	assert_int_equal(syn.len, 0);
	answer(AT(5), 0);
	assert_true(taken(AT(6)));
	assert_false(back.opts.has_ts);
	assert_false(back.opts.sack_perm);
	assert_false(back.opts.has_wscale);
	assert_int_equal(back.opts.mss, 1460);
	/* timestamps out of nowhere make another connection of it */
	ack.opts.has_ts = true;
	assert_false(taken(AT(6)));
}

static void every_bit_counts(void **state)
{
	struct tcp_seg was;

	(void)state;
	answer(AT(5), 9);
	was = ack;
	for (unsigned i = 0; i < 32; i++) {
		ack = was;
		ack.seq ^= 1u << i;
		assert_false(taken(AT(5)));
		ack = was;
		ack.ack ^= 1u << i;
		/* the MSS is what three of these bits add */
		assert_true(!taken(AT(5)) || back.opts.mss != 1460);
		ack = was;
		ack.opts.ts_ecr ^= 1u << i;
		assert_int_equal(taken(AT(5)), i >= TCP_COOKIE_BITS);
	}
	ack = was;
	ack.t.remote.port++;
	assert_false(taken(AT(5)));
	ack = was;
	ack.t.local.addr.b[3]++;
	assert_false(taken(AT(5)));
	ack = was;
	assert_true(taken(AT(5)));
}

/* at least one minute, at most two */
static void ages(void **state)
{
	(void)state;
	for (int64_t at = 0; at < 120; at += 7) {
		int64_t last = at / 60 * 60 + 119;

		answer(AT(6000 + at), 1);
		assert_true(taken(AT(6000 + at + 59)));
		assert_true(taken(AT(6000 + last)));
		assert_false(taken(AT(6000 + last + 1)));
		/* another key is in the place of its own */
		assert_false(taken(AT(6000 + last + 61)));
		setup(NULL);
	}
	/* nobody looked for two minutes: the older key is not the epoch's */
	answer(AT(60), 1);
	assert_false(taken(AT(240)));
	assert_false(jar.has_old);
}

/* RFC 6528, RFC 9293 3.4.1: numbers of one four-tuple grow */
static void grows(void **state)
{
	uint32_t last;

	(void)state;
	answer(AT(0), 0);
	last = c.isn;
	for (int64_t i = 1; i < 100; i++) {
		syn.seq += 1000;
		answer(AT(60 * i), 0);
		assert_true(seq_gt(c.isn + (1u << 24), last));
		assert_true(seq_lt(c.isn, last + (3u << 24)));
		last = c.isn;
	}
}

static void guesses(void **state)
{
	unsigned right = 0;

	(void)state;
	answer(AT(5), 0);
	for (unsigned i = 0; i < 1000000; i++) {
		ack.ack = entropy_u32(&fake.env.entropy);
		right += taken(AT(5));
	}
	assert_true(right <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(all_comes_back), T(sizes), T(without_timestamps),
		T(every_bit_counts), T(ages), T(grows), T(guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
