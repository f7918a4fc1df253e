/* What a seed means: hosts, paths, programs, and which faults come and go. */
#include <math.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/sim/scen.h"

static uint64_t below(struct world *w, uint64_t n)
{
	return rng_below(&w->scen, n);
}

static bool chance(struct world *w, double p)
{
	return rng_unit(&w->scen) < p;
}

double scen_spread(struct rng *r, double lo, double hi)
{
	return lo * pow(hi / lo, rng_unit(r));
}

static double spread(struct world *w, double lo, double hi)
{
	return scen_spread(&w->scen, lo, hi);
}

/* --- hosts ---------------------------------------------------------------- */

enum families {
	ONLY4 = 1,
	ONLY6 = 2,
	BOTH = 3
};

static void build_path(struct world *w, struct host *h, unsigned i,
		       enum families fam, unsigned n_addr, bool slow)
{
	struct host_path *p = &h->path[i];
	uint8_t net = (uint8_t)(h->index * 10 + i + 1);
	uint8_t a6[16] = { 0x20, 1, 0x0d, 0xb8, 0, net };
	static const uint16_t mtus[] = { 1500, 1500, 1500, 1400, 9000, 576 };

	p->cfg.up = true;
	p->cfg.mtu = mtus[below(w, ARRAY_SIZE(mtus))];
	if ((fam & ONLY6) && p->cfg.mtu < 1280) {
		p->cfg.mtu = 1280;
	}
	p->cfg.gso = chance(w, 0.5);
	p->cfg.csum_offload = p->cfg.gso || chance(w, 0.3);
	p->cfg.backup = i > 0 && chance(w, 0.15);
	a6[15] = 1;
	/* families alternate: every path has one of each that there is */
	for (uint8_t k = 0; p->cfg.n_addr < n_addr; k++) {
		if (k % 2 == 0 && (fam & ONLY4)) {
			p->cfg.addr[p->cfg.n_addr] = addr_v4(10, net, k, 1);
			p->cfg.bits[p->cfg.n_addr++] = 24;
		} else if (k % 2 && (fam & ONLY6)) {
			a6[7] = k;
			p->cfg.addr[p->cfg.n_addr] = addr_from(6, a6);
			p->cfg.bits[p->cfg.n_addr++] = 64;
		}
	}
	p->up.rate = slow ? (uint64_t)spread(w, 2e6, 2e8) : 1000000000;
	p->down.rate = slow && chance(w, 0.3) ? (uint64_t)spread(w, 2e6, 2e8)
					      : p->up.rate;
	p->up.delay = (nanos)spread(w, 1e4, slow ? 6e7 : 1e6);
	p->down.delay = p->up.delay;
	p->up.queue = slow ? (uint32_t)spread(w, 4e4, 4e5) : 2000000;
	p->down.queue = p->up.queue;
}

static void build_cfg(struct world *w, struct host *h, bool csum)
{
	struct mp_cfg *m = &h->cfg.mp;

	m->policy = chance(w, 0.07) ? MP_OFF : MP_PREFER;
	m->checksum = csum;
	m->server_joins = chance(w, 0.3);
	m->subflows_max = (uint8_t)(chance(w, 0.2) ? 1 + below(w, 2) : 8);
	m->announce = chance(w, 0.6);
	m->scheduler = "minrtt";
	m->close_timeout = 60 * NANOS_S;
	if (chance(w, 0.3)) {
		h->cfg.congestion = "reno";
	}
	if (w->crypted) {
		scen_crypt_host(w, h);
	}
	scen_more_host(w, h);
}

static void build_hosts(struct world *w)
{
	enum families fam = (enum families)(1 + below(w, 3));
	bool csum = chance(w, 0.25);

	w->n_hosts = chance(w, 0.2) ? 3 : 2;
	for (unsigned i = 0; i < w->n_hosts; i++) {
		struct host *h = &w->host[i];
		unsigned n_addr = fam == BOTH ? 2 : 1;

		h->w = w;
		h->index = i;
		h->n_paths = i == 0   ? 1 + (unsigned)below(w, 4)
			     : i == 1 ? 1 + (unsigned)(below(w, 3) == 0)
				      : 1;
		if (i == 1 && chance(w, 0.03)) { /* more than fit a table */
			h->n_paths = SIM_PATHS_MAX;
			n_addr = IP_PATH_ADDRS_MAX;
		}
		for (unsigned k = 0; k < h->n_paths; k++) {
			build_path(w, h, k, fam, n_addr, i != 1);
		}
		h->truesize = chance(w, 0.3) ? 2048u << below(w, 6) : 0;
		h->rcvbuf = chance(w, 0.2) ? (uint32_t)spread(w, 6e3, 3e5) : 0;
		if (chance(w, 0.1)) {
			/* buffers that pin four times what they bring: the
			 * bound of the out-of-order queue comes first */
			h->truesize = 5600;
			h->rcvbuf = 130000;
		}
		if (chance(w, 0.3)) {
			h->lag = (nanos)spread(w, 1e3, 1e6);
		}
		build_cfg(w, h, csum);
	}
	if (chance(w, 0.04)) {
		w->host[below(w, 2)].cfg.mp.policy = MP_REQUIRE;
	}
	for (unsigned i = 0; i < w->n_hosts; i++) {
		host_start(&w->host[i], rng_u64(&w->scen));
		if (i == 1) {
			app_listen(&w->host[i]);
			host_turn(&w->host[i]);
		}
	}
}

/* --- connections ---------------------------------------------------------- */

static uint64_t size_of(struct world *w)
{
	if (chance(w, 0.1)) {
		return 0;
	}
	return chance(w, 0.5) ? (uint64_t)spread(w, 1, 3e5)
			      : (uint64_t)spread(w, 2e4, 3e6);
}

static void build_side(struct world *w, struct side *s)
{
	s->key = rng_u64(&w->scen);
	s->tx_total = size_of(w);
	s->write_max = chance(w, 0.2) ? 1 + (uint32_t)below(w, 3000) : 65536;
	if (chance(w, 0.1)) { /* small writes, one by one */
		s->write_max = 1 + (uint32_t)below(w, 200);
		s->tx_total = min_u64(s->tx_total, 20000);
		s->write_gap = (nanos)spread(w, 1e4, 2e7);
	}
	if (chance(w, 0.18)) {
		s->read_gap = (nanos)spread(w, 1e5, 3e8);
		/* at most some hundred reads a stream */
		s->read_max = 4096 + (uint32_t)below(w, 60000);
	}
	s->hold = chance(w, 0.1);
	s->urgent = chance(w, 0.04);
}

static void build_rounds(struct world *w, struct conn *c)
{
	struct side *a = &c->side[0], *b = &c->side[1];
	uint64_t rounds = 1 + below(w, 20);

	a->round = b->peer_round = 1 + below(w, 3000);
	b->round = a->peer_round = 1 + below(w, chance(w, 0.3) ? 60000 : 3000);
	a->tx_total = a->round * rounds;
	b->tx_total = b->round * rounds;
}

static void build_end(struct world *w, struct conn *c)
{
	unsigned k = (unsigned)below(w, 2);
	struct side *s = &c->side[k], *p = &c->side[!k];

	if (chance(w, 0.08)) {
		s->how = chance(w, 0.5) ? CLOSE_ABORT : CLOSE_UNREAD;
		s->stop_at = below(w, s->tx_total + p->tx_total + 1);
	} else if (chance(w, 0.15)) {
		s->how = CLOSE_AT_ONCE;
		s->round = p->round = 0;
		p->tx_total = 0;
	}
}

struct conn *scen_conn(struct world *w, nanos at)
{
	struct conn *c;

	check(w->n_conns < SIM_CONNS_MAX);
	c = &w->conn[w->n_conns];
	c->w = w;
	c->index = w->n_conns++;
	for (unsigned k = 0; k < 2; k++) {
		c->side[k].conn = c;
		c->side[k].client = k == 0;
		c->side[k].host = &w->host[k];
		build_side(w, &c->side[k]);
	}
	if (w->n_hosts == 3 && chance(w, 0.3)) {
		c->side[0].host = &w->host[2];
	}
	if (chance(w, 0.25)) {
		build_rounds(w, c);
	}
	if (w->crypted) {
		scen_crypt_conn(w, c);
	}
	build_end(w, c);
	c->port = SIM_PORT;
	c->family = w->host[0].path[0].cfg.addr[0].family;
	if (w->host[0].path[0].cfg.n_addr == 2 && chance(w, 0.5)) { /* both */
		c->family = 6;
	}
	c->v6only_sock = c->family == 4 && chance(w, 0.2);
	c->dst_path = (unsigned)below(w, w->host[1].n_paths);
	if (chance(w, 0.2)) {
		c->opt.sndbuf = (uint32_t)spread(w, 4e3, 3e5);
	}
	if (chance(w, 0.25)) {
		c->opt.rcvbuf = (uint32_t)spread(w, 6e3, 3e5);
	}
	if (chance(w, 0.08)) {
		c->opt.maxseg = 88 + (uint32_t)below(w, 1000);
	}
	c->opt.nodelay = chance(w, 0.3);
	c->opt.quickack = chance(w, 0.1);
	c->opt.keepalive = chance(w, 0.15);
	scen_more_conn(w, c);
	world_in(w, at, app_start, c, 0);
	return c;
}

/* more than a lazy program's queue takes */
static void build_lazy(struct world *w)
{
	for (unsigned n = 0; n < 7; n++) {
		struct conn *c = scen_conn(w, (nanos)below(w, 50000000));

		c->port = SIM_PORT_LAZY;
		c->side[0].tx_total = below(w, 3000);
		c->side[1].tx_total = below(w, 3000);
		c->side[0].round = c->side[1].round = 0;
		c->side[0].how = c->side[1].how = CLOSE_AFTER_EOF;
	}
}

/* left open: keep-alives, and perhaps a cut */
static void build_idle(struct world *w)
{
	struct conn *c = scen_conn(w, (nanos)below(w, (uint64_t)NANOS_S));

	c->opt.keepalive = true;
	c->side[0].idle = c->side[1].idle = 40 * NANOS_S;
	c->side[0].how = c->side[1].how = CLOSE_AFTER_EOF;
	c->side[0].tx_total = c->side[1].tx_total = below(w, 5000);
	c->side[0].round = c->side[1].round = 0;
	if (chance(w, 0.6)) {
		scen_fault_cut_all(w);
	}
}

static void build_simultaneous(struct world *w)
{
	struct conn *c = scen_conn(w, (nanos)below(w, (uint64_t)NANOS_S));

	c->simultaneous = true;
	c->passive = w->crypted && chance(w, 0.5);
	c->dst_path = 0;
	c->side[0].host = &w->host[0];
	c->v6only_sock = false;
	c->side[0].how = c->side[1].how = CLOSE_AFTER_EOF;
}

/* one after the other from the same port; the server is first to close, so
 * that TIME-WAIT is there */
static void build_reuse(struct world *w)
{
	for (unsigned n = 0; n < 4; n++) {
		struct conn *c = scen_conn(w, n * 3 * NANOS_S);
		struct side *a = &c->side[0], *b = &c->side[1];

		c->reuse = true;
		c->v6only_sock = false;
		a->host = &w->host[0];
		a->tx_total = below(w, 2000);
		b->tx_total = below(w, 2000);
		a->round = b->round = 0;
		a->read_gap = b->read_gap = 0;
		a->how = CLOSE_AFTER_EOF;
		b->how = chance(w, 0.5) ? CLOSE_AT_ONCE : CLOSE_AFTER_EOF;
		if (b->how == CLOSE_AT_ONCE) {
			a->tx_total = 0;
		}
	}
}

/* to the same peer, one after the other: sessions may be resumed */
void scen_again(struct world *w, unsigned n)
{
	struct conn *first = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct conn *c = scen_conn(w, (nanos)i * 3 * NANOS_S / 2);

		first = first ? first : c;
		scen_crypt_again(w, c, first);
	}
}

static void build_conns(struct world *w)
{
	unsigned n = 1 + (unsigned)below(w, 5);

	while (n-- > 0) {
		scen_conn(w, (nanos)below(w, (uint64_t)NANOS_S));
	}
	if (chance(w, 0.06)) {
		build_lazy(w);
	}
	if (chance(w, 0.05)) {
		build_idle(w);
	}
	if (chance(w, 0.04)) {
		scen_conn(w, (nanos)below(w, (uint64_t)NANOS_S))->port =
			SIM_PORT_SHUT;
	}
	if (chance(w, 0.05)) {
		build_simultaneous(w);
	}
	if (chance(w, 0.1)) {
		build_reuse(w);
	}
	if (w->crypted && chance(w, 0.4)) {
		scen_again(w, 2 + (unsigned)below(w, 3));
	}
}

void scen_build(struct world *w)
{
	unsigned n;

	if (w->crypted) {
		scen_crypt_world(w);
	}
	build_hosts(w);
	/* plain TCP is refused somewhere: whether it comes to that is chance */
	for (unsigned i = 0; i < w->n_hosts; i++) {
		if (w->host[i].cfg.mp.policy == MP_REQUIRE) {
			w->risky++;
		}
	}
	if (w->crypted && scen_crypt_special(w)) {
		scen_more_faults(w);
		check_start(w);
		return;
	}
	build_conns(w);
	n = chance(w, 0.1) ? 0
			   : 1 + (unsigned)below(w, chance(w, 0.3) ? 10 : 4);
	while (n-- > 0) {
		scen_fault_any(w);
	}
	scen_more_faults(w);
	check_start(w);
}
