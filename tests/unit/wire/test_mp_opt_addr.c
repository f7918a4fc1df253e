#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/wire/mp_opt.h"
#include "tests/unit/wire/hex.h"

/* from tests/unit/prim/test_hash.c: the MACs are what A and B send */
static const struct {
	const char *addr;
	uint16_t port;
	const char *mac, *option;
} adds[] = {
	{ "192.0.2.7", 0, "00562925a76dd507",
	  "1e103007c000020700562925a76dd507" },
	{ "192.0.2.7", 0, NULL, "1e083107c0000207" },
	{ "192.0.2.7", 8443, "b34c0f6cc9b67bdb",
	  "1e123007c000020720fbb34c0f6cc9b67bdb" },
	{ "192.0.2.7", 8443, NULL, "1e0a3107c000020720fb" },
	{ "2001:db8::7", 0, "f64433f84dbc5330",
	  "1e1c300720010db8000000000000000000000007f64433f84dbc5330" },
	{ "2001:db8::7", 0, NULL, "1e14310720010db8000000000000000000000007" },
	{ "2001:db8::7", 8443, "8fb90f85496360ea",
	  "1e1e300720010db800000000000000000000000720fb8fb90f85496360ea" },
	{ "2001:db8::7", 8443, NULL,
	  "1e16310720010db800000000000000000000000720fb" },
	{ "192.0.2.7", 0, "659cec13b9ac40d6",
	  "1e103007c0000207659cec13b9ac40d6" },
	{ "192.0.2.7", 8443, "bf83d3c5cbc129fa",
	  "1e123007c000020720fbbf83d3c5cbc129fa" },
	{ "2001:db8::7", 0, "16d4e5be84eba1cb",
	  "1e1c300720010db800000000000000000000000716d4e5be84eba1cb" },
	{ "2001:db8::7", 8443, "fcaa2031d60e5f64",
	  "1e1e300720010db800000000000000000000000720fbfcaa2031d60e5f64" },
};

static void add_addr_round_trips(void **st)
{
	(void)st;
	for (unsigned i = 0; i < sizeof(adds) / sizeof(adds[0]); i++) {
		struct mp_opt_add_addr a = { .echo = !adds[i].mac,
					     .id = 7,
					     .port = adds[i].port };
		uint8_t want[64], got[64];
		unsigned n = hex(adds[i].option, want);
		struct mp_opts o = { 0 };
		struct wr w;

		assert_true(addr_parse(adds[i].addr, &a.addr));
		if (adds[i].mac) {
			hex(adds[i].mac, a.mac);
		}
		for (unsigned room = 0; room < n; room++) {
			w = wr_make(got, room);
			assert_int_equal(mp_opt_emit_add_addr(&w, &a), 0);
			assert_int_equal(wr_len(&w), 0);
		}
		w = wr_make(got, n);
		assert_int_equal(mp_opt_emit_add_addr(&w, &a), n);
		assert_memory_equal(got, want, n);
		mp_opt_parse(want, (uint8_t)n, &o);
		assert_int_equal(o.have, MP_HAVE(MP_OPT_ADD_ADDR));
		assert_int_equal(o.add_addr.echo, a.echo);
		assert_int_equal(o.add_addr.id, 7);
		assert_true(addr_eq(&o.add_addr.addr, &a.addr));
		assert_int_equal(o.add_addr.port, a.port);
		assert_memory_equal(o.add_addr.mac, a.mac, 8);
	}
}

/* version 0 had the IP version where E is, and no MAC */
static void version_0_is_bad(void **st)
{
	static const char *const v0[] = {
		"1e083407c0000207",
		"1e0a3407c000020720fb",
		"1e14360720010db8000000000000000000000007",
	};

	(void)st;
	for (unsigned i = 0; i < 3; i++) {
		struct mp_opts o = { 0 };
		uint8_t p[64];
		unsigned n = hex(v0[i], p);

		mp_opt_parse(p, (uint8_t)n, &o);
		assert_int_equal(o.have, 0);
		assert_int_equal(o.bad, MP_HAVE(MP_OPT_ADD_ADDR));
	}
}

static void remove_addr_round_trips(void **st)
{
	uint8_t ids[MP_OPT_REMOVE_MAX], p[40];

	(void)st;
	for (uint8_t i = 0; i < MP_OPT_REMOVE_MAX; i++) {
		ids[i] = (uint8_t)(200 + i);
	}
	for (unsigned n = 1; n <= MP_OPT_REMOVE_MAX; n++) {
		struct wr w = wr_make(p, 2 + n);
		struct mp_opts o = { 0 };

		assert_int_equal(mp_opt_emit_remove(&w, ids, n), 0);
		assert_int_equal(wr_len(&w), 0);
		w = wr_make(p, 3 + n);
		assert_int_equal(mp_opt_emit_remove(&w, ids, n), 3 + n);
		assert_int_equal(p[1], 3 + n);
		assert_int_equal(p[2], 0x40);
		mp_opt_parse(p, (uint8_t)(3 + n), &o);
		assert_int_equal(o.remove_n, n);
		assert_memory_equal(o.remove_id, ids, n);
	}
}

static void prio_round_trips(void **st)
{
	(void)st;
	for (unsigned backup = 0; backup < 2; backup++) {
		struct mp_opts o = { 0 };
		uint8_t p[4] = { 0 };
		struct wr w = wr_make(p, 2);

		assert_int_equal(mp_opt_emit_prio(&w, backup), 0);
		w = wr_make(p, 3);
		assert_int_equal(mp_opt_emit_prio(&w, backup), 3);
		assert_int_equal(p[2], 0x50 | backup);
		mp_opt_parse(p, 3, &o);
		assert_int_equal(o.have, MP_HAVE(MP_OPT_PRIO));
		assert_int_equal(o.prio_backup, backup);
		/* version 0: with an Address ID */
		o = (struct mp_opts){ 0 };
		mp_opt_parse(p, 4, &o);
		assert_int_equal(o.bad, MP_HAVE(MP_OPT_PRIO));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_addr_round_trips),
		cmocka_unit_test(version_0_is_bad),
		cmocka_unit_test(remove_addr_round_trips),
		cmocka_unit_test(prio_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
