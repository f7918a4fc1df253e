/* smtcp(7), Nodes and policies: every kind of node with every other, every
 * policy with every kind */
#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

enum node { L, T, M, N, S, NODES };

static const char *const node_name = "LTMNS";

enum policy { OFF, PREFER, ANY, REQUIRE, POLICIES };

/* what went over the wire in both directions */
static struct {
	uint64_t payload;
	bool plain; /* octets of an application were seen */
} wire;

/* the first octets of either application, as mpair writes them */
static bool is_plain(const uint8_t *p, size_t n)
{
	uint8_t want[8];

	for (unsigned from = 0; from < 2; from++) {
		for (unsigned i = 0; i < sizeof(want); i++) {
			want[i] = (uint8_t)(i * 11 + from);
		}
		for (size_t at = 0; at + sizeof(want) <= n; at++) {
			if (!memcmp(p + at, want, sizeof(want))) {
				return true;
			}
		}
	}
	return false;
}

static void tap(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	wire.payload += p->seg.len;
	wire.plain = wire.plain || is_plain(p->seg.data, p->seg.len);
}

static void configure(unsigned end, enum node n)
{
	static const struct {
		enum mp_policy mp;
		enum mp_crypt_policy crypt;
		bool apart;
	} t[NODES] = {
		[L] = { MP_OFF, MP_CRYPT_OFF, false },
		[T] = { MP_OFF, MP_CRYPT_PREFER, false },
		[M] = { MP_PREFER, MP_CRYPT_OFF, false },
		[N] = { MP_PREFER, MP_CRYPT_PREFER, true },
		[S] = { MP_PREFER, MP_CRYPT_PREFER, false },
	};
	struct mp_cfg *cfg = &P.end[end].cfg;

	cfg->policy = t[n].mp;
	cfg->crypt_policy = t[n].crypt;
	cfg->crypt_apart = t[n].apart;
}

static void begin(uint64_t seed)
{
	mpair_defaults(&P, seed);
	P.end[0].n_paths = 1;
	P.tap = tap;
	memset(&wire, 0, sizeof(wire));
}

static bool decided(const struct mpair *p)
{
	return p->end[0].app.closed || mpair_established(p);
}

static const char *mode_of(unsigned end)
{
	struct mp_info i;

	get_info(end, &i);
	return mp_info_mode(&i);
}

/* "refused", or what both ends agree on, with data both ways */
static const char *outcome(void)
{
	const char *mode;

	mpair_start(&P);
	mpair_connect(&P);
	mpair_send(&P, 0, 3000, false);
	mpair_send(&P, 1, 2000, false);
	assert_true(mpair_run(&P, 5 * NANOS_S, decided));
	if (P.end[0].app.closed) {
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(P.end[1].app.accepted, 0);
		assert_int_equal(wire.payload, 0);
		mpair_close(&P, 0, false);
		mpair_sleep(&P, NANOS_S);
		mpair_stop(&P);
		return "refused";
	}
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
	assert_false(P.end[0].app.mangled || P.end[1].app.mangled);
	mode = mode_of(0);
	assert_string_equal(mode, mode_of(1));
	assert_int_equal(wire.plain, !strstr(mode, "crypt") &&
					     strcmp(mode, "smtcp") != 0);
	finish();
	return mode;
}

static void same(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) != 0) {
		fail_msg("%s: %s, expected %s", what, got, want);
	}
}

static void nodes(void **state)
{
	static const char *const want[NODES][NODES] = {
		[L] = { "tcp", "tcp", "tcp", "tcp", "tcp" },
		[T] = { "tcp", "tcpcrypt", "tcp", "tcpcrypt", "tcpcrypt" },
		[M] = { "tcp", "tcp", "mptcp", "mptcp", "mptcp" },
		[N] = { "tcp", "tcpcrypt", "mptcp", "tcpcrypt", "tcpcrypt" },
		[S] = { "tcp", "tcpcrypt", "mptcp", "tcpcrypt", "smtcp" },
	};

	(void)state;
	for (unsigned a = 0; a < NODES; a++) {
		for (unsigned b = 0; b < NODES; b++) {
			char what[] = "x opens to x";

			what[0] = node_name[a];
			what[11] = node_name[b];
			begin(100 + a * NODES + b);
			configure(0, a);
			configure(1, b);
			same(what, outcome(), want[a][b]);
		}
	}
}

static const enum mp_crypt_policy policies[POLICIES] = {
	MP_CRYPT_OFF, MP_CRYPT_PREFER, MP_CRYPT_REQUIRE_ANY, MP_CRYPT_REQUIRE
};

static const char *const against_nodes[POLICIES][NODES] = {
	[OFF] = { "tcp", "tcp", "mptcp", "mptcp", "mptcp" },
	[PREFER] = { "tcp", "tcpcrypt", "mptcp", "tcpcrypt", "smtcp" },
	[ANY] = { "refused", "tcpcrypt", "refused", "tcpcrypt", "smtcp" },
	[REQUIRE] = { "refused", "refused", "refused", "refused", "smtcp" },
};

static void policy_opens(void **state)
{
	(void)state;
	for (unsigned p = 0; p < POLICIES; p++) {
		for (unsigned n = 0; n < NODES; n++) {
			char what[] = "policy x opens to x";
			const char *want = against_nodes[p][n];

			what[7] = (char)('0' + p);
			what[18] = node_name[n];
			begin(200 + p * NODES + n);
			configure(0, S);
			configure(1, n);
			P.end[0].cfg.crypt_policy = policies[p];
			same(what, outcome(), want);
			if (!strcmp(want, "refused")) {
				assert_int_equal(P.end[0].app.err, EPROTO);
			}
		}
	}
}

static void policy_accepts(void **state)
{
	(void)state;
	for (unsigned p = 0; p < POLICIES; p++) {
		for (unsigned n = 0; n < NODES; n++) {
			char what[] = "policy x accepts x";

			what[7] = (char)('0' + p);
			what[17] = node_name[n];
			begin(300 + p * NODES + n);
			configure(0, n);
			configure(1, S);
			P.end[1].cfg.crypt_policy = policies[p];
			same(what, outcome(), against_nodes[p][n]);
		}
	}
}

static void policy_both(void **state)
{
	static const char *const want[POLICIES][POLICIES] = {
		[OFF] = { "mptcp", "mptcp", "refused", "refused" },
		[PREFER] = { "mptcp", "smtcp", "smtcp", "smtcp" },
		[ANY] = { "refused", "smtcp", "smtcp", "smtcp" },
		[REQUIRE] = { "refused", "smtcp", "smtcp", "smtcp" },
	};

	(void)state;
	for (unsigned a = 0; a < POLICIES; a++) {
		for (unsigned b = 0; b < POLICIES; b++) {
			char what[] = "policy x opens to policy x";

			what[7] = (char)('0' + a);
			what[25] = (char)('0' + b);
			begin(400 + a * POLICIES + b);
			configure(0, S);
			configure(1, S);
			P.end[0].cfg.crypt_policy = policies[a];
			P.end[1].cfg.crypt_policy = policies[b];
			same(what, outcome(), want[a][b]);
		}
	}
}

/* Both protocols at the peer, not together: who insists on Multipath TCP gets
 * it, unless he insists on encryption, too. */
static void mptcp_required(void **state)
{
	static const char *const want[POLICIES] = { "mptcp", "mptcp",
						    "refused", "refused" };

	(void)state;
	for (unsigned p = 0; p < POLICIES; p++) {
		for (unsigned passive = 0; passive < 2; passive++) {
			begin(500 + p * 2 + passive);
			configure(passive, S);
			configure(!passive, N);
			P.end[passive].cfg.policy = MP_REQUIRE;
			P.end[passive].cfg.crypt_policy = policies[p];
			same(passive ? "accepts" : "opens", outcome(),
			     want[p]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes),
		cmocka_unit_test(policy_opens),
		cmocka_unit_test(policy_accepts),
		cmocka_unit_test(policy_both),
		cmocka_unit_test(mptcp_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
