#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/mp_opt.h"
#include "tests/unit/wire/hex.h"

#define KEY_A 0x0102030405060708
#define KEY_B 0x1112131415161718

/* in: an option; it must be what emit gives for the struct, and parse back */
static void capable(const char *text, const struct mp_opt_capable *c)
{
	uint8_t want[64], got[64];
	unsigned n = hex(text, want);
	struct mp_opts o = { 0 };
	struct wr w;

	for (unsigned room = 0; room < n; room++) {
		w = wr_make(got, room);
		assert_int_equal(mp_opt_emit_capable(&w, c), 0);
		assert_int_equal(wr_len(&w), 0);
	}
	w = wr_make(got, n);
	assert_int_equal(mp_opt_emit_capable(&w, c), n);
	assert_memory_equal(got, want, n);
	mp_opt_parse(want, (uint8_t)n, &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_CAPABLE));
	assert_int_equal(o.capable.len, n);
	assert_int_equal(o.capable.version, c->version);
	assert_int_equal(o.capable.flags, c->flags);
	assert_true(o.capable.key_snd == c->key_snd);
	assert_true(o.capable.key_rcv == c->key_rcv);
	assert_int_equal(o.capable.data_len, c->data_len);
	assert_int_equal(o.capable.csum, c->csum);
}

static void capable_round_trips(void **st)
{
	struct mp_opt_capable c = { .version = 1,
				    .flags = MP_CAP_SHA256,
				    .len = 4 };

	(void)st;
	capable("1e040101", &c);
	c.len = 12;
	c.key_snd = KEY_B;
	capable("1e0c0101 1112131415161718", &c);
	c.len = 20;
	c.key_snd = KEY_A;
	c.key_rcv = KEY_B;
	capable("1e140101 0102030405060708 1112131415161718", &c);
	c.len = 22;
	c.data_len = 0x4f;
	capable("1e160101 0102030405060708 1112131415161718 004f", &c);
	c.len = 24;
	c.flags |= MP_CAP_CSUM | MP_CAP_DENY;
	c.csum = 0x82a1;
	capable("1e1801a1 0102030405060708 1112131415161718 004f 82a1", &c);
}

/* told apart by the version: what to do with it is the protocol's matter */
static void a_version_0_syn_is_parsed(void **st)
{
	struct mp_opts o = { 0 };
	uint8_t p[16];
	unsigned n = hex("1e0c0081 0102030405060708", p);

	(void)st;
	mp_opt_parse(p, (uint8_t)n, &o);
	assert_int_equal(o.capable.version, 0);
	assert_int_equal(o.capable.len, 12);
	assert_true(o.capable.key_snd == KEY_A);
}

static void join(const char *text, const struct mp_opt_join *j)
{
	uint8_t want[64], got[64];
	unsigned n = hex(text, want);
	struct mp_opts o = { 0 };
	struct wr w;

	for (unsigned room = 0; room < n; room++) {
		w = wr_make(got, room);
		assert_int_equal(mp_opt_emit_join(&w, j), 0);
		assert_int_equal(wr_len(&w), 0);
	}
	w = wr_make(got, n);
	assert_int_equal(mp_opt_emit_join(&w, j), n);
	assert_memory_equal(got, want, n);
	mp_opt_parse(want, (uint8_t)n, &o);
	assert_int_equal(o.have, MP_HAVE(MP_OPT_JOIN));
	assert_int_equal(o.join.len, n);
	assert_int_equal(o.join.backup, j->backup);
	assert_int_equal(o.join.addr_id, j->addr_id);
	assert_int_equal(o.join.token, j->token);
	assert_int_equal(o.join.nonce, j->nonce);
	assert_memory_equal(o.join.mac, j->mac, sizeof(j->mac));
}

static void join_round_trips(void **st)
{
	struct mp_opt_join syn = { .len = 12,
				   .addr_id = 2,
				   .token = 0xccad45ac,
				   .nonce = 0xaabbccdd };
	struct mp_opt_join synack = { .len = 16, .nonce = 0x11223344 };
	struct mp_opt_join ack = { .len = 24 };

	(void)st;
	hex("72bea43c69c0c206", synack.mac);
	hex("c2986b9ffe33dedc10955fc5c9c31544e3ac05c0", ack.mac);
	join("1e0c1002ccad45acaabbccdd", &syn);
	join("1e10100072bea43c69c0c20611223344", &synack);
	join("1e181000c2986b9ffe33dedc10955fc5c9c31544e3ac05c0", &ack);
	syn.backup = synack.backup = true;
	join("1e0c1102ccad45acaabbccdd", &syn);
	join("1e10110072bea43c69c0c20611223344", &synack);
}

/* RFC 8684 3.2: 12 reserved bits, sent as zero, ignored */
static void the_third_ack_has_neither_id_nor_backup(void **st)
{
	struct mp_opt_join j = { .len = 24, .addr_id = 9, .backup = true };
	struct wr w;
	uint8_t p[32];
	struct mp_opts o = { 0 };

	(void)st;
	w = wr_make(p, sizeof(p));
	assert_int_equal(mp_opt_emit_join(&w, &j), 24);
	assert_int_equal(p[2], 0x10);
	assert_int_equal(p[3], 0);
	p[2] = 0x1f;
	p[3] = 0xff;
	mp_opt_parse(p, 24, &o);
	assert_false(o.join.backup);
	assert_int_equal(o.join.addr_id, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capable_round_trips),
		cmocka_unit_test(a_version_0_syn_is_parsed),
		cmocka_unit_test(join_round_trips),
		cmocka_unit_test(the_third_ack_has_neither_id_nor_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
