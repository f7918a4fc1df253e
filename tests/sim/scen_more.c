/* What seeds came to mean later: drawn from a source of its own, so that what
 * they meant before stays the same beside it.
 */
#include "stack/base/check.h"
#include "tests/sim/scen.h"

static bool chance(struct world *w, double p)
{
	return rng_unit(&w->more) < p;
}

void scen_more_host(struct world *w, struct host *h)
{
	if (chance(w, 0.2)) {
		h->cfg.congestion = "bbr";
	}
	if (h->index == 1 && chance(w, 0.08)) {
		h->cfg.cookies = STACK_COOKIES_ALWAYS;
	}
}

void scen_more_conn(struct world *w, struct conn *c)
{
	c->opt.min_ttl = chance(w, 0.1) && c->family == 4 && !c->v6only_sock;
	/* SYN cookies: whose third ACK is lost, and who then waits for the
	 * other, waits for ever (RFC 4987 3.6) */
	c->may_die |= w->host[1].cfg.cookies == STACK_COOKIES_ALWAYS;
}

/* the whole path waits, and then everything comes at once */
static void stall(struct world *w)
{
	struct scen_plan p = { .fault = F_STALL, .x = rng_unit(&w->more) };
	nanos after = (nanos)scen_spread(&w->more, 1e6, 4e9);
	struct instant from = instant_add(w->now, after);

	p.path = (unsigned)rng_below(&w->more, w->host[0].n_paths);
	scen_fault(w, &p, from, instant_add(from, SIM_STALL));
}

void scen_more_faults(struct world *w)
{
	if (w->no_loss) {
		return;
	}
	while (chance(w, 0.2)) {
		stall(w);
	}
}
