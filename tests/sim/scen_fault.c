/* Faults of a world: what is drawn, when it begins and ends, and which
 * connections it excuses.
 */
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

static double spread(struct world *w, double lo, double hi)
{
	return scen_spread(&w->scen, lo, hi);
}

static uint64_t pack(const struct scen_plan *p)
{
	return (uint64_t)p->fault | (uint64_t)p->host << 8 |
	       (uint64_t)p->path << 12 | (uint64_t)p->risky << 16 |
	       (uint64_t)(p->x * 65535) << 24;
}

static struct scen_plan unpack(uint64_t a)
{
	return (struct scen_plan){ .fault = (enum sim_fault)(a & 0xff),
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

static void set_link(struct link *l, const struct scen_plan *p, bool on)
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
	case F_CE:
		f->mark = x;
		break;
	case F_STALL: /* longer than most timers */
		f->stall = instant_add(l->w->now, (nanos)(x * SIM_STALL));
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

static void set_box(struct box *b, const struct scen_plan *p, bool on)
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

static void apply(struct world *w, const struct scen_plan *p, bool on)
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
	case F_STALL:
	case F_CE:
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
	struct scen_plan p = unpack(arg);

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
	struct scen_plan p = unpack(arg);

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

void scen_fault(struct world *w, const struct scen_plan *p, struct instant from,
		struct instant to)
{
	world_at(w, from, fault_on, NULL, pack(p));
	if (p->fault != F_CUT_FOREVER && p->fault != F_FLOOD) {
		world_at(w, to, fault_off, NULL, pack(p));
	} else {
		to = from;
	}
	if (instant_before(w->heal, to)) {
		w->heal = to;
	}
}

static bool joins_possible(const struct world *w)
{
	return w->host[0].n_paths > 1 || w->host[1].n_paths > 1 ||
	       w->host[0].path[0].cfg.n_addr > 1;
}

void scen_fault_any(struct world *w)
{
	const struct scen_kind *k = draw(w);
	struct scen_plan p = { .fault = k->fault,
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
	scen_fault(w, &p, from, to);
}

/* nobody reaches the first host any more, after a while */
void scen_fault_cut_all(struct world *w)
{
	struct instant at = instant_add(w->now, 4 * NANOS_S);

	for (unsigned i = 0; i < w->host[0].n_paths; i++) {
		struct scen_plan p = { .fault = F_CUT_FOREVER,
				       .risky = true,
				       .path = i };

		world_at(w, at, fault_on, NULL, pack(&p));
	}
	w->heal = w->heal.ns < at.ns ? at : w->heal;
}
