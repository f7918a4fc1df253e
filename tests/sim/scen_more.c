/* What seeds came to mean later: drawn from a source of its own, so that what
 * they meant before stays the same beside it.
 */
#include "stack/base/check.h"
#include "tests/sim/scen.h"

static bool chance(struct world *w, double p)
{
	return rng_unit(&w->more) < p;
}

static bool later(struct world *w, double p)
{
	return rng_unit(&w->late) < p;
}

void scen_more_host(struct world *w, struct host *h)
{
	if (chance(w, 0.2)) {
		h->cfg.congestion = "bbr";
	}
	if (h->index == 1 && chance(w, 0.08)) {
		h->cfg.cookies = STACK_COOKIES_ALWAYS;
	}
	h->fast = chance(w, 0.5) ? (uint16_t)(1 + rng_below(&w->more, 3)) : 0;
	h->cfg.drop_fragments = chance(w, 0.15);
	if (chance(w, 0.3)) {
		h->cfg.ecn = TCP_ECN_ON;
	}
	if (h->index == 1 && later(w, 0.1)) {
		h->defer = (uint8_t)(1 + rng_below(&w->late, 5));
	}
}

void scen_more_conn(struct world *w, struct conn *c)
{
	c->opt.min_ttl = chance(w, 0.1) && c->family == 4 && !c->v6only_sock;
	/* its SYN waits for data, so it has to have some at once */
	c->opt.fast = c->side[0].tx_total > 0 &&
		      chance(w, c->side[0].host->cfg.mp.policy == MP_OFF ? 0.7
									 : 0.1);
	c->opt.new_key = c->opt.fast && later(w, 0.3);
	/* SYN cookies: whose third ACK is lost, and who then waits for the
	 * other, waits for ever (RFC 4987 3.6) */
	c->may_die |= w->host[1].cfg.cookies == STACK_COOKIES_ALWAYS;
}

static void fault(struct world *w, enum sim_fault f, nanos lasts)
{
	struct scen_plan p = { .fault = f, .x = rng_unit(&w->more) };
	nanos after = (nanos)scen_spread(&w->more, 1e6, 4e9);
	struct instant from = instant_add(w->now, after);

	p.path = (unsigned)rng_below(&w->more, w->host[0].n_paths);
	scen_fault(w, &p, from, instant_add(from, lasts));
}

/* several at once, when all have a cookie */
static void fast_again(struct world *w)
{
	unsigned n = 4;

	if (w->crypted || w->host[0].cfg.mp.policy != MP_OFF ||
	    !w->host[1].fast || w->n_conns + n > SIM_CONNS_MAX) {
		return;
	}
	while (n-- > 0) {
		struct conn *c = scen_conn(w, 2 * NANOS_S);

		c->dst_path = 0;
		c->opt.fast = c->side[0].tx_total > 0;
	}
}

void scen_more_faults(struct world *w)
{
	if (w->no_loss) {
		return;
	}
	while (chance(w, 0.2)) {
		fault(w, F_STALL, SIM_STALL);
	}
	if (chance(w, 0.15)) {
		fault(w, F_FRAGMENT,
		      (nanos)scen_spread(&w->more, 5e7, 8e9));
	}
	if (chance(w, 0.2)) {
		fault(w, F_CE, (nanos)scen_spread(&w->more, 5e7, 8e9));
	}
	fast_again(w);
}
