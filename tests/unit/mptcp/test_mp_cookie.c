/* what of MP_CAPABLE and ENO outlives a SYN cookie (smtcp(7), RFC 4987 3.6) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/mptcp/mp_cookie.h"
#include "stack/tcp/tcp.h"

#define KEY 0x1122334455667788u

static struct tcp_seg syn, ack, back;

static void offer(const char *eno, uint8_t len)
{
	memset(&syn, 0, sizeof(syn));
	memset(&ack, 0, sizeof(ack));
	memset(&back, 0, sizeof(back));
	syn.opts.has_ts = ack.opts.has_ts = true;
	if (len) {
		eno_opt_note(&syn.opts.eno, (const uint8_t *)eno, len);
	}
}

static void capable(uint8_t flags, uint64_t echoed)
{
	syn.opts.mp.have = ack.opts.mp.have = MP_HAVE(MP_OPT_CAPABLE);
	syn.opts.mp.capable = (struct mp_opt_capable){
		.version = 1, .len = 4, .flags = flags
	};
	ack.opts.mp.capable = (struct mp_opt_capable){
		.version = 1, .len = 22, .flags = flags, .key_rcv = echoed
	};
}

static void offers_come_back(void **state)
{
	static const char *const t[] = {
		"\x45\x07\x23\xa0SM\x03", "\x45\x06\xa0SM\x03",
		"\x45\x03\x23",		  "\x45\x08\x02\x23\xa0SM\x03",
		"\x45\x07\x02\xa0SM\x03", "\x45\x03\x21",
		"\x45\x04\x21\x23",	  "\x45\x04\x23\x21",
	};
	uint8_t bits, seen[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t len = (uint8_t)t[i][1];

		offer(t[i], len);
		assert_true(mp_cookie_keep(&syn, &bits));
		assert_true(bits < 1u << TCP_COOKIE_UPPER);
		for (unsigned j = 0; j < i; j++) {
			assert_int_not_equal(bits, seen[j]);
		}
		seen[i] = bits;
		mp_cookie_recall(&back, &ack, bits, KEY);
		assert_int_equal(back.opts.eno.n, 1);
		assert_int_equal(back.opts.eno.len, len);
		assert_memory_equal(back.opts.eno.opt, t[i], len);
	}
}

static void offers_that_do_not(void **state)
{
	uint8_t bits;

	(void)state;
	offer("\x45\x03\x24", 3); /* X448 */
	assert_false(mp_cookie_keep(&syn, &bits));
	assert_int_equal(bits, 0);
	assert_int_equal(syn.opts.eno.n, 0);
	offer("\x45\x02", 2);
	assert_false(mp_cookie_keep(&syn, &bits));
	offer("\x45\x03\x23", 3);
	syn.opts.eno.n = 2; /* two of them */
	assert_false(mp_cookie_keep(&syn, &bits));
	offer("\x45\x03\x23", 3);
	syn.opts.has_ts = false; /* nowhere to keep it */
	assert_false(mp_cookie_keep(&syn, &bits));
	assert_int_equal(syn.opts.eno.n, 0);
	offer(NULL, 0);
	assert_true(mp_cookie_keep(&syn, &bits));
	mp_cookie_recall(&back, &ack, bits, KEY);
	assert_int_equal(back.opts.eno.n, 0);
	/* numbers that stand for nothing */
	for (unsigned i = 9; i < 16; i++) {
		mp_cookie_recall(&back, &ack, (uint8_t)i, KEY);
		assert_int_equal(back.opts.eno.n, 0);
	}
}

static void flags(void **state)
{
	static const uint8_t t[] = { 0x01, 0x81, 0x21, 0xa1 };
	uint8_t bits;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		offer(NULL, 0);
		capable(t[i & 3], KEY);
		if (i >= 4) { /* the ACK's own say */
			syn.opts.has_ts = ack.opts.has_ts = false;
		}
		assert_true(mp_cookie_keep(&syn, &bits));
		mp_cookie_recall(&back, &ack, i < 4 ? bits : 0, KEY);
		assert_int_equal(back.opts.mp.have, MP_HAVE(MP_OPT_CAPABLE));
		assert_int_equal(back.opts.mp.capable.len, 4);
		assert_int_equal(back.opts.mp.capable.version, 1);
		assert_int_equal(back.opts.mp.capable.flags, t[i & 3]);
	}
	/* with timestamps it is the SYN's that count, as in its transcript */
	offer(NULL, 0);
	capable(0x01, KEY);
	ack.opts.mp.capable.flags = 0x81;
	assert_true(mp_cookie_keep(&syn, &bits));
	mp_cookie_recall(&back, &ack, bits, KEY);
	assert_int_equal(back.opts.mp.capable.flags, 0x01);
}

static void keys(void **state)
{
	uint8_t bits;

	(void)state;
	offer(NULL, 0);
	capable(0x01, KEY ^ 1);
	assert_true(mp_cookie_keep(&syn, &bits));
	mp_cookie_recall(&back, &ack, bits, KEY);
	assert_int_equal(back.opts.mp.have, 0);
	capable(0x01, KEY);
	ack.opts.mp.capable.len = 12; /* has no such key */
	mp_cookie_recall(&back, &ack, bits, KEY);
	assert_int_equal(back.opts.mp.have, 0);
	capable(0x01, KEY);
	ack.opts.mp.have = 0;
	mp_cookie_recall(&back, &ack, bits, KEY);
	assert_int_equal(back.opts.mp.have, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_come_back),
		cmocka_unit_test(offers_that_do_not),
		cmocka_unit_test(flags),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
