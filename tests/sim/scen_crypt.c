/* What a seed means where there is encryption: policies, ciphers, key
 * exchanges, rekeying, and which faults are drawn.
 */
#include <string.h>

#include "stack/base/check.h"
#include "tests/sim/scen.h"

static uint64_t below(struct world *w, uint64_t n)
{
	return rng_below(&w->seal, n);
}

static bool chance(struct world *w, double p)
{
	return rng_unit(&w->seal) < p;
}

/* --- hosts ---------------------------------------------------------------- */

static void build_kx(struct world *w, struct crypt_conf *c)
{
	static const uint8_t other[] = { ENO_TEP_P256, ENO_TEP_P256,
					 ENO_TEP_X448, ENO_TEP_P521 };
	uint8_t x = other[below(w, ARRAY_SIZE(other))];

	if (chance(w, 0.12)) {
		c->kx[1] = x;
		c->n_kx = 2;
		if (chance(w, 0.5)) {
			c->kx[1] = c->kx[0];
			c->kx[0] = x;
		}
	} else if (chance(w, 0.03)) { /* perhaps nothing in common */
		c->kx[0] = x;
	}
}

static void build_aead(struct world *w, struct crypt_conf *c)
{
	for (unsigned i = 2; i > 0 && chance(w, 0.4); i--) {
		unsigned k = (unsigned)below(w, i + 1);
		uint16_t t = c->aead[i];

		c->aead[i] = c->aead[k];
		c->aead[k] = t;
	}
	if (chance(w, 0.06)) {
		c->n_aead = 1;
	}
}

static void build_rekey(struct world *w, struct crypt_conf *c)
{
	if (chance(w, 0.4)) {
		c->rekey_frames = 2 + below(w, 60);
	}
	if (chance(w, 0.3)) {
		c->rekey_bytes = (uint64_t)scen_spread(&w->seal, 500, 1e5);
	}
	if (chance(w, 0.15)) {
		c->rekey_time = (nanos)scen_spread(&w->seal, 1e7, 2e9);
	}
}

static enum mp_crypt_policy policy(struct world *w)
{
	static const enum mp_crypt_policy p[] = {
		MP_CRYPT_OFF,	      MP_CRYPT_PREFER, MP_CRYPT_PREFER,
		MP_CRYPT_REQUIRE_ANY, MP_CRYPT_REQUIRE
	};

	return chance(w, 0.65) ? MP_CRYPT_PREFER : p[below(w, ARRAY_SIZE(p))];
}

void scen_crypt_host(struct world *w, struct host *h)
{
	struct crypt_conf *c = &h->cfg.mp.crypt_conf;

	crypt_conf_init(c);
	h->cfg.mp.crypt_policy = policy(w);
	build_kx(w, c);
	build_aead(w, c);
	build_rekey(w, c);
	h->cfg.mp.crypt_apart = chance(w, 0.1); /* node N of smtcp(7) */
	c->no_resume = chance(w, 0.08);
	c->no_cache = chance(w, 0.08);
	c->aware_only = chance(w, 0.04);
	c->aware = c->aware_only || chance(w, 0.1);
	c->vacuous = chance(w, 0.02);
	if (chance(w, 0.3)) {
		h->cfg.mp.memo_mode =
			chance(w, 0.5) ? MP_MEMO_WARN : MP_MEMO_ENFORCE;
	}
	if (chance(w, 0.15)) {
		h->cfg.crypt.cache_max = 1 + (uint32_t)below(w, 2);
	}
	if (chance(w, 0.05)) {
		h->cfg.crypt.cache_age = NANOS_S;
	}
	world_say(w,
		  "host %c: mptcp %d crypt %d memo %d%s%s%s kx %u: %02x %02x aead %u: "
		  "%x rekey %llu frames %llu octets %.3f s",
		  (int)('A' + h->index), (int)h->cfg.mp.policy,
		  (int)h->cfg.mp.crypt_policy, (int)h->cfg.mp.memo_mode,
		  h->cfg.mp.crypt_apart ? " apart" : "",
		  c->aware_only ? " aware-only" : "",
		  c->vacuous ? " vacuous" : "", c->n_kx, c->kx[0], c->kx[1],
		  c->n_aead, c->aead[0], (unsigned long long)c->rekey_frames,
		  (unsigned long long)c->rekey_bytes,
		  (double)c->rekey_time / 1e9);
}

/* --- connections ---------------------------------------------------------- */

static void marked(struct conn *c)
{
	c->side[0].key |= 1;
	c->side[1].key |= 1;
}

void scen_crypt_conn(struct world *w, struct conn *c)
{
	struct side *a = &c->side[0], *b = &c->side[1];

	marked(c);
	if (a->round) {
		uint64_t rounds = a->tx_total / a->round;

		b->round = a->peer_round = 1 + b->round / 8;
		b->tx_total = b->round * rounds;
	} else {
		a->tx_total = (a->tx_total + 5) / 6;
		b->tx_total = (b->tx_total + 5) / 6;
	}
	if (chance(w, 0.3)) {
		c->rekey = scen_spread(&w->seal, 2e-3, 0.2);
	}
	c->forget = chance(w, 0.04);
}

static void long_side(struct world *w, struct side *s)
{
	unsigned writes = 60 + (unsigned)below(w, 100);

	s->round = s->peer_round = 0;
	s->write_max = 1 + (uint32_t)scen_spread(&w->seal, 40, 4000);
	s->tx_total = (uint64_t)s->write_max * writes;
	s->write_gap = (nanos)scen_spread(&w->seal, 2e7, 1e8);
	s->read_gap = 0;
	s->read_max = 0;
	s->hold = false;
	s->idle = 0;
	s->how = CLOSE_AFTER_EOF;
}

void scen_crypt_long(struct world *w, struct conn *c)
{
	long_side(w, &c->side[0]);
	long_side(w, &c->side[1]);
	if (chance(w, 0.4)) {
		c->side[below(w, 2)].tx_total = 0;
	}
}

void scen_crypt_again(struct world *w, struct conn *c, const struct conn *first)
{
	c->again = c != first;
	c->side[0].host = first->side[0].host;
	c->dst_path = first->dst_path;
	c->family = first->family;
	c->v6only_sock = first->v6only_sock;
	for (unsigned k = 0; k < 2; k++) {
		c->side[k].tx_total = below(w, 8000);
		c->side[k].round = c->side[k].peer_round = 0;
		c->side[k].how = CLOSE_AFTER_EOF;
	}
}

/* --- faults --------------------------------------------------------------- */

const struct scen_kind *scen_crypt_kind(struct world *w)
{
	static const struct scen_kind kinds[] = {
		{ F_ENO_SYN, 3, true, false },
		{ F_ENO_SYNACK, 3, true, false },
		{ F_ENO_ACK, 3, true, false },
		{ F_ENO_LATE, 2, true, false },
		{ F_ENO_ALTER, 6, true, false },
		{ F_ENO_BREAK, 5, true, false },
		{ F_ENO_BLOCK, 3, true, false },
		{ F_CAP_ALTER, 3, true, false },
		{ F_INIT_ALTER, 6, true, true },
		{ F_SEAL_ALTER, 10, false, true },
		{ F_SEAL_FORGE, 10, false, true },
		{ F_SEAL_REPLAY, 6, false, true },
		{ F_CUTS, 9, true, false },
		{ F_MERGE, 7, true, false },
	};

	return chance(w, 0.5) ? NULL
			      : scen_draw(&w->seal, kinds, ARRAY_SIZE(kinds));
}

const struct scen_kind *scen_crypt_path_kind(struct world *w)
{
	static const struct scen_kind kinds[] = {
		{ F_SEAL_ALTER, 10, false, true },
		{ F_SEAL_FORGE, 8, false, true },
		{ F_SEAL_REPLAY, 6, false, true },
		{ F_STRIP_DATA, 4, false, true },
		{ F_COALESCE, 3, false, true },
		{ F_CUT_FOREVER, 2, false, true },
		{ F_FORGED_RST, 3, false, true },
	};

	return scen_draw(&w->seal, kinds, ARRAY_SIZE(kinds));
}
