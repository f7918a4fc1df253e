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

static struct conn *add_conn(struct world *w, nanos at)
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
	world_in(w, at, app_start, c, 0);
	return c;
}

static void cut_all(struct world *w);

/* more than a lazy program's queue takes */
static void build_lazy(struct world *w)
{
	for (unsigned n = 0; n < 7; n++) {
		struct conn *c = add_conn(w, (nanos)below(w, 50000000));

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
	struct conn *c = add_conn(w, (nanos)below(w, (uint64_t)NANOS_S));

	c->opt.keepalive = true;
	c->side[0].idle = c->side[1].idle = 40 * NANOS_S;
	c->side[0].how = c->side[1].how = CLOSE_AFTER_EOF;
	c->side[0].tx_total = c->side[1].tx_total = below(w, 5000);
	c->side[0].round = c->side[1].round = 0;
	if (chance(w, 0.6)) {
		cut_all(w);
	}
}

static void build_simultaneous(struct world *w)
{
	struct conn *c = add_conn(w, (nanos)below(w, (uint64_t)NANOS_S));

	c->simultaneous = true;
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
		struct conn *c = add_conn(w, n * 3 * NANOS_S);
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
static void build_again(struct world *w)
{
	unsigned n = 2 + (unsigned)below(w, 3);
	struct conn *first = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct conn *c = add_conn(w, (nanos)i * 3 * NANOS_S / 2);

		first = first ? first : c;
		scen_crypt_again(w, c, first);
	}
}

static void build_conns(struct world *w)
{
	unsigned n = 1 + (unsigned)below(w, 5);

	while (n-- > 0) {
		add_conn(w, (nanos)below(w, (uint64_t)NANOS_S));
	}
	if (chance(w, 0.06)) {
		build_lazy(w);
	}
	if (chance(w, 0.05)) {
		build_idle(w);
	}
	if (chance(w, 0.04)) {
		add_conn(w, (nanos)below(w, (uint64_t)NANOS_S))->port =
			SIM_PORT_SHUT;
	}
	if (chance(w, 0.05)) {
		build_simultaneous(w);
	}
	if (chance(w, 0.1)) {
		build_reuse(w);
	}
	if (w->crypted && chance(w, 0.4)) {
		build_again(w);
	}
}

/* --- faults --------------------------------------------------------------- */

/* one fault on one path: arg of the on and off events packs all of it */
struct plan {
	enum sim_fault fault;
	unsigned host, path;
	double x; /* how much, 0..1 */
	bool risky;
};

static uint64_t pack(const struct plan *p)
{
	return (uint64_t)p->fault | (uint64_t)p->host << 8 |
	       (uint64_t)p->path << 12 | (uint64_t)p->risky << 16 |
	       (uint64_t)(p->x * 65535) << 24;
}

static struct plan unpack(uint64_t a)
{
	return (struct plan){ .fault = (enum sim_fault)(a & 0xff),
			      .host = (unsigned)(a >> 8 & 0xf),
			      .path = (unsigned)(a >> 12 & 0xf),
			      .risky = a >> 16 & 1,
			      .x = (double)(a >> 24) / 65535 };
}

static bool has_spare(const struct side *s)
{
	struct mp_info info;

	if (!s->sk || !sock_info(s->sk, &info)) {
		return false;
	}
	for (unsigned i = 0; i < info.n_subs; i++) {
		const struct mp_sub_info *u = &info.sub[i];

		const struct host_path *far =
			net_path_of(s->conn->w, &u->t.remote.addr);

		if (u->established && !u->closed && !u->stale &&
		    !s->host->path[u->path].risky && far && !far->risky) {
			return info.mode == MP_MODE_MPTCP;
		}
	}
	return false;
}

/* Everything that has no way around the risky paths may end from now on. */
static void judge(struct world *w)
{
	for (unsigned i = 0; i < w->n_conns; i++) {
		struct conn *c = &w->conn[i];

		if (c->started && !app_done(c) &&
		    (w->memory_fault || !has_spare(&c->side[0]) ||
		     !has_spare(&c->side[1]))) {
			c->may_die = true;
		}
	}
}

static void set_link(struct link *l, const struct plan *p, bool on)
{
	struct link_fault *f = &l->fault;
	double x = on ? p->x : 0;

	switch ((int)p->fault) {
	case F_LOSS:
		f->loss = x * x * 0.3;
		break;
	case F_BURST:
		f->burst_in = x * 0.05;
		f->burst_out = 0.1 + 0.4 * p->x;
		break;
	case F_JITTER:
		f->jitter = (nanos)(x * 3e7);
		break;
	case F_REORDER:
		f->reorder = x * 0.3;
		f->reorder_by = (nanos)(1 + p->x * 2e7);
		break;
	case F_DUP:
		f->dup = x * 0.3;
		break;
	case F_CORRUPT:
		f->corrupt = x * 0.1;
		break;
	case F_RATE:
		f->slower = on ? 10 : 0;
		break;
	case F_CUT:
	case F_CUT_FOREVER:
	case F_CUT_ONE:
		f->down = on;
		f->why_down = p->fault;
		break;
	default:
		break;
	}
}

static void set_box(struct box *b, const struct plan *p, bool on)
{
	box_on(b, p->fault, on);
	switch ((int)p->fault) {
	case F_REWRITE:
		b->rewrite_left = 1 + (uint32_t)(p->x * 3);
		break;
	case F_BAD_DSN:
		b->bad_dsn_left = 1 + (uint32_t)(p->x * 3);
		break;
	case F_DSS_CSUM:
		b->dss_csum_left = 1;
		break;
	case F_STRIP_DATA:
		b->strip_skip = p->x < 0.5 ? 0 : (uint32_t)(p->x * 40);
		break;
	case F_BAD_MAC:
		b->mac_third = p->x < 0.5;
		break;
	case F_ENO_BLOCK:
		b->block_left = 1 + (uint32_t)(p->x * 6);
		break;
	case F_SEAL_ALTER:
	case F_SEAL_FORGE:
	case F_SEAL_REPLAY:
		b->alter = on ? (p->x < 0.3 ? 1 : 0.02 + 0.3 * p->x) : 0;
		break;
	case F_STRIP_ONE_WAY:
		b->one_way_out = p->x < 0.5;
		break;
	case F_FORGED_IP: /* stands for all of forge.c */
	case F_FORGED_RST:
		b->forge = on ? 0.02 + 0.3 * p->x : 0;
		break;
	case F_MTU_ICMP:
	case F_MTU_SILENT:
		b->mtu = on ? (uint16_t)(1280 + p->x * 200) : 0;
		b->mtu_icmp = p->fault == F_MTU_ICMP;
		break;
	default:
		break;
	}
}

static void apply(struct world *w, const struct plan *p, bool on)
{
	struct host *h = &w->host[p->host];
	struct host_path *hp = &h->path[p->path];

	switch ((int)p->fault) {
	case F_LOSS:
	case F_BURST:
	case F_JITTER:
	case F_REORDER:
	case F_DUP:
	case F_CORRUPT:
	case F_RATE:
	case F_CUT:
	case F_CUT_FOREVER:
		set_link(&hp->up, p, on);
		set_link(&hp->down, p, on);
		break;
	case F_CUT_ONE:
		set_link(p->x < 0.5 ? &hp->up : &hp->down, p, on);
		break;
	case F_LINK_DOWN:
		world_fault(w, F_LINK_DOWN);
		stack_path_set_up(h->stack, w->now, p->path, !on);
		host_turn(h);
		break;
	case F_BACKUP:
		world_fault(w, F_BACKUP);
		stack_path_set_backup(h->stack, w->now, p->path,
				      on != hp->cfg.backup);
		host_turn(h);
		break;
	case F_MEMORY:
		h->refuse = on ? 0.02 + p->x * 0.3 : 0;
		break;
	case F_ENTROPY:
		h->repeat = on ? 0.02 + p->x * 0.3 : 0;
		break;
	case F_FLOOD:
		if (on && p->x < 0.5) {
			forge_flood(w, h, SIM_PORT_LAZY,
				    1 + (unsigned)(p->x * 120));
		} else if (on) { /* while the host is busy elsewhere */
			h->lag = nanos_max(h->lag, 800 * NANOS_US);
			forge_flood(w, h, SIM_PORT_SHUT,
				    1 + (unsigned)(p->x * 400));
		}
		break;
	default:
		set_box(&hp->box, p, on);
		break;
	}
}

static void fault_on(struct world *w, void *ctx, uint64_t arg)
{
	struct plan p = unpack(arg);

	(void)ctx;
	if (!w->host[p.host].stack) {
		return;
	}
	world_say(w, "fault on: %s, host %c path %u, %.2f",
		  sim_fault_text(p.fault), (int)('A' + p.host), p.path, p.x);
	if (p.risky) {
		w->risky += p.fault == F_MEMORY;
		w->host[p.host].path[p.path].risky++;
		w->memory_fault |= p.fault == F_MEMORY;
		w->dirty_end = true;
		judge(w);
	}
	apply(w, &p, true);
}

static void fault_off(struct world *w, void *ctx, uint64_t arg)
{
	struct plan p = unpack(arg);

	(void)ctx;
	if (!w->host[p.host].stack) {
		return;
	}
	world_say(w, "fault off: %s", sim_fault_text(p.fault));
	if (p.risky) {
		/* what began or lost a subflow under it is still excused */
		judge(w);
		w->risky -= p.fault == F_MEMORY;
		w->host[p.host].path[p.path].risky--;
	}
	apply(w, &p, false);
}

static const struct scen_kind kinds[] = {
	{ F_LOSS, 10, false, false },       { F_BURST, 5, false, false },
	{ F_JITTER, 5, false, false },      { F_REORDER, 8, false, false },
	{ F_DUP, 6, false, false },         { F_CORRUPT, 5, false, false },
	{ F_RATE, 3, false, false },        { F_CUT, 8, false, false },
	{ F_CUT_ONE, 5, false, false },     { F_CUT_FOREVER, 4, false, true },
	{ F_LINK_DOWN, 8, false, true },    { F_BACKUP, 4, false, false },
	{ F_MEMORY, 4, false, true },       { F_MTU_ICMP, 4, false, false },
	{ F_MTU_SILENT, 3, false, false },  { F_STRIP_SYN, 3, true, false },
	{ F_STRIP_SYNACK, 3, true, false }, { F_STRIP_ACK, 3, true, false },
	{ F_STRIP_DATA, 20, true, false },  { F_STRIP_ONE_WAY, 4, true, false },
	{ F_STRIP_JOIN, 3, true, false },   { F_STRIP_TS, 3, true, false },
	{ F_STRIP_SACK, 3, true, false },   { F_STRIP_WSCALE, 3, true, false },
	{ F_SPLIT, 5, false, false },       { F_COALESCE, 8, false, true },
	{ F_SHIFT, 5, true, false },        { F_BAD_MAC, 9, true, false },
	{ F_BAD_TOKEN, 3, true, false },    { F_OLD_VERSION, 3, true, false },
	{ F_BAD_DSN, 4, false, false },     { F_DSS_CSUM, 3, false, true },
	{ F_REWRITE, 12, false, false },    { F_FORGED_IP, 10, false, false },
	{ F_FORGED_RST, 4, false, true },   { F_FLOOD, 4, false, false },
	{ F_FORGED_HARD, 3, true, true },   { F_ENTROPY, 6, true, false },
};

const struct scen_kind *scen_draw(struct rng *r, const struct scen_kind *k,
				  unsigned n)
{
	unsigned sum = 0, at;

	for (unsigned i = 0; i < n; i++) {
		sum += k[i].weight;
	}
	at = (unsigned)rng_below(r, sum);
	for (;; k++) {
		if (at < k->weight) {
			return k;
		}
		at -= k->weight;
	}
}

static const struct scen_kind *draw(struct world *w)
{
	const struct scen_kind *k = w->crypted ? scen_crypt_kind(w) : NULL;

	return k ? k : scen_draw(&w->scen, kinds, ARRAY_SIZE(kinds));
}

static bool joins_possible(const struct world *w)
{
	return w->host[0].n_paths > 1 || w->host[1].n_paths > 1 ||
	       w->host[0].path[0].cfg.n_addr > 1;
}

static void add_fault(struct world *w)
{
	const struct scen_kind *k = draw(w);
	struct plan p = { .fault = k->fault,
			  .risky = k->risky,
			  .host = chance(w, 0.15) ? 1 : 0,
			  .x = rng_unit(&w->scen) };
	struct instant from = w->now, to;
	nanos lasts = (nanos)spread(w, 5e7, 8e9);
	bool late = false;

	/* the checksum covers the DSN: one that fails, and out of place */
	p.risky |= k->fault == F_BAD_DSN && w->host[0].cfg.mp.checksum;
	/* with a join under way the subflow that fails a checksum is reset */
	p.risky |= k->fault == F_REWRITE && joins_possible(w);
	p.path = (unsigned)below(w, w->host[p.host].n_paths);
	if (chance(w, 0.5)) {
		p.path = 0;
	}
	/* a box that shifts has seen every SYN that it will see again */
	if (!k->early || (k->fault != F_SHIFT &&
			  chance(w, k->fault == F_STRIP_DATA ? 0.6 : 0.2))) {
		late = true;
		from = instant_add(from, (nanos)spread(w, 1e6, 2e9));
		/* options that vanish in the middle may end it */
		p.risky |=
			k->fault == F_STRIP_ACK || k->fault == F_STRIP_ONE_WAY;
	}
	p.risky |= k->fault == F_STRIP_DATA && (late || p.x >= 0.5);
	/* a sealed connection loses the subflow for what plain ones drop */
	p.risky |= w->crypted && (k->fault == F_BAD_DSN);
	to = instant_add(from, lasts);
	world_at(w, from, fault_on, NULL, pack(&p));
	if (k->fault != F_CUT_FOREVER && k->fault != F_FLOOD) {
		world_at(w, to, fault_off, NULL, pack(&p));
	} else {
		to = from;
	}
	if (instant_before(w->heal, to)) {
		w->heal = to;
	}
}

/* nobody reaches the first host any more, after a while */
static void cut_all(struct world *w)
{
	struct instant at = instant_add(w->now, 4 * NANOS_S);

	for (unsigned i = 0; i < w->host[0].n_paths; i++) {
		struct plan p = { .fault = F_CUT_FOREVER,
				  .risky = true,
				  .path = i };

		world_at(w, at, fault_on, NULL, pack(&p));
	}
	w->heal = w->heal.ns < at.ns ? at : w->heal;
}

/* One path turns bad while connections that have joined others are at work,
 * and nothing else happens: they must survive. */
static void build_bad_path(struct world *w)
{
	const struct scen_kind *k = scen_crypt_path_kind(w);
	struct plan p = { .fault = k->fault,
			  .risky = true,
			  .path = (unsigned)below(w, w->host[0].n_paths),
			  .x = 0.5 + rng_unit(&w->scen) / 2 };
	struct instant from = instant_add(w->now, (nanos)spread(w, 1.5e9, 3e9));
	struct instant to = instant_add(from, (nanos)spread(w, 1e8, 6e9));

	for (unsigned n = 1 + (unsigned)below(w, 3); n > 0; n--) {
		scen_crypt_long(w, add_conn(w, (nanos)below(w, 400000000)));
	}
	world_at(w, from, fault_on, NULL, pack(&p));
	if (k->fault != F_CUT_FOREVER) {
		world_at(w, to, fault_off, NULL, pack(&p));
	}
	w->heal = to;
}

void scen_build(struct world *w)
{
	unsigned n;

	build_hosts(w);
	/* plain TCP is refused somewhere: whether it comes to that is chance */
	for (unsigned i = 0; i < w->n_hosts; i++) {
		if (w->host[i].cfg.mp.policy == MP_REQUIRE) {
			w->risky++;
		}
	}
	if (w->crypted && w->host[0].n_paths > 1 && chance(w, 0.4)) {
		build_bad_path(w);
		check_start(w);
		return;
	}
	build_conns(w);
	n = chance(w, 0.1) ? 0
			   : 1 + (unsigned)below(w, chance(w, 0.3) ? 10 : 4);
	while (n-- > 0) {
		add_fault(w);
	}
	check_start(w);
}
