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

/* What chance alone brings about too seldom. */
enum special {
	ANY,
	BAD_PATH,  /* one path turns bad when others were joined */
	NO_CIPHER, /* none in common */
	BAD_PUB,   /* points of a curve that are none */
	HALF,      /* the answer to a resumption is altered */
	NO_MEMORY,
	BAD_LIMIT, /* each subflow brings bad frames, for long */
	CHOICE,    /* Multipath TCP required, encryption beside it */
	LATE,      /* the first ACK comes again */
	BOTH,      /* ENO and MP_CAPABLE are stripped */
	SPECIAL_N
};

void scen_crypt_world(struct world *w)
{
	w->special = chance(w, 0.3)    ? BAD_PATH
		     : chance(w, 0.25) ? 2 + (unsigned)below(w, SPECIAL_N - 2)
				       : ANY;
}

/* after all else was drawn */
static void special_host(struct world *w, struct host *h)
{
	struct mp_cfg *m = &h->cfg.mp;
	struct crypt_conf *c = &m->crypt_conf;

	if (w->special == ANY || w->special == BAD_PATH) {
		return;
	}
	m->policy = MP_PREFER;
	m->crypt_policy = MP_CRYPT_PREFER;
	m->crypt_apart = false;
	c->vacuous = c->aware_only = c->no_resume = c->no_cache = false;
	h->cfg.crypt = (struct crypt_setup){ .cache_max = 8 };
	if (w->special == NO_CIPHER) {
		c->n_aead = 1;
		c->aead[0] = h->index == 1 ? CRYPT_CHACHA20_POLY1305
					   : CRYPT_AES128_GCM;
	} else if (w->special == BAD_PUB) {
		c->n_kx = 1;
		c->kx[0] = ENO_TEP_P256;
	} else if (w->special == CHOICE) {
		bool server = w->seed % 4 < 2;

		m->crypt_apart = (h->index == 1) == server;
		m->policy = m->crypt_apart ? MP_PREFER : MP_REQUIRE;
	}
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
	static const enum mp_crypt_policy p[] = { MP_CRYPT_OFF, MP_CRYPT_PREFER,
						  MP_CRYPT_PREFER,
						  MP_CRYPT_REQUIRE_ANY,
						  MP_CRYPT_REQUIRE };

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
	special_host(w, h);
	world_say(
		w,
		"host %c: mptcp %d crypt %d memo %d%s%s%s kx %u: %02x %02x "
		"aead %u: %x rekey %llu frames %llu octets %.3f s",
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

/* --- worlds about one thing ----------------------------------------------- */

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

/* lasts for seconds, so that paths can be joined and then fail */
static void add_long(struct world *w)
{
	struct conn *c = scen_conn(w, (nanos)below(w, 400000000));

	long_side(w, &c->side[0]);
	long_side(w, &c->side[1]);
	if (chance(w, 0.4)) {
		c->side[below(w, 2)].tx_total = 0;
	}
}

/* from `after` on, for so long */
static void fault(struct world *w, struct scen_plan p, nanos after, nanos lasts)
{
	struct instant from = instant_add(w->now, after);

	scen_fault(w, &p, from, instant_add(from, lasts));
}

/* Nothing else happens: they must survive. */
static void bad_path(struct world *w)
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
	const struct scen_kind *k =
		scen_draw(&w->seal, kinds, ARRAY_SIZE(kinds));
	struct scen_plan p = { .fault = k->fault,
			       .risky = true,
			       .path = (unsigned)below(w, w->host[0].n_paths),
			       .x = 0.5 + rng_unit(&w->seal) / 2 };

	/* segments that are forged put the ends of a subflow out of step: a
	 * reset may then miss */
	w->no_loss = k->fault == F_SEAL_ALTER || k->fault == F_STRIP_DATA ||
		     k->fault == F_COALESCE;
	for (unsigned n = 1 + (unsigned)below(w, 3); n > 0; n--) {
		add_long(w);
	}
	fault(w, p, (nanos)scen_spread(&w->seal, 1.5e9, 3e9),
	      (nanos)scen_spread(&w->seal, 1e8, 6e9));
}

static void add_some(struct world *w)
{
	for (unsigned n = 1 + (unsigned)below(w, 3); n > 0; n--) {
		scen_conn(w, (nanos)below(w, (uint64_t)NANOS_S / 2));
	}
}

static void bad_limit(struct world *w)
{
	struct scen_plan p = { .fault = F_SEAL_ALTER, .risky = true };

	w->no_loss = true;
	add_long(w);
	for (p.path = 0; p.path < w->host[0].n_paths; p.path++) {
		fault(w, p, 2 * NANOS_S, 100 * NANOS_S);
	}
}

static void late(struct world *w)
{
	struct scen_plan strip = { .fault = F_ENO_LATE };
	struct scen_plan cut = { .fault = F_CUT_ONE, .x = 0.9 };

	add_some(w);
	for (unsigned i = 0; i < w->host[0].n_paths; i++) {
		strip.path = cut.path = i;
		fault(w, strip, 0, 5 * NANOS_S);
		fault(w, cut, 50 * NANOS_MS + (nanos)below(w, 300000000),
		      400 * NANOS_MS);
	}
}

static void both(struct world *w)
{
	bool syn = chance(w, 0.5);
	struct scen_plan a = { .fault = syn ? F_ENO_SYN : F_ENO_SYNACK };
	struct scen_plan b = { .fault = syn ? F_STRIP_SYN : F_STRIP_SYNACK };

	add_some(w);
	fault(w, a, 0, 3 * NANOS_S);
	fault(w, b, 0, 3 * NANOS_S);
}

bool scen_crypt_special(struct world *w)
{
	struct scen_plan alter = { .fault = F_ENO_ALTER };
	struct scen_plan init = { .fault = F_INIT_ALTER, .risky = true };
	struct scen_plan memory = { .fault = F_MEMORY, .risky = true };

	switch ((enum special)w->special) {
	case BAD_PATH:
		if (w->host[0].n_paths < 2) {
			return false;
		}
		bad_path(w);
		return true;
	case HALF:
		scen_again(w, 4);
		fault(w, alter, 2 * NANOS_S, 5 * NANOS_S);
		return true;
	case BAD_PUB:
		add_some(w);
		fault(w, init, 0, 2 * NANOS_S);
		return true;
	case NO_MEMORY:
		add_some(w);
		memory.x = rng_unit(&w->seal) / 2;
		fault(w, memory, 0, 2 * NANOS_S);
		return true;
	case BAD_LIMIT:
		bad_limit(w);
		return true;
	case LATE:
		late(w);
		return true;
	case BOTH:
		both(w);
		return true;
	case NO_CIPHER:
	case CHOICE:
		add_some(w);
		return true;
	case ANY:
	case SPECIAL_N:
	default:
		return false;
	}
}
