/* Runs a scene: two access links, one bottleneck, and what is seen of them. */
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/plots/flows.h"

#define EVERY  (50 * NANOS_MS)
#define FASTER 10 /* access links, than the bottleneck */
#define SCALE  1e6
/* Senders that are exact to the nanosecond fall in step with the bottleneck, so
 * that for minutes only one of them meets the full queue.  What breaks that is
 * a random time of one packet's at the bottleneck and more, as access networks
 * have it (Floyd and Jacobson, On Traffic Phase Effects in Packet-Switched
 * Gateways): here up to four. */
#define NOISE (4 * 1500)

struct meter {
	uint64_t arrived, sent, resent; /* since the start */
};

static struct {
	struct world w;
	struct sim_stats stats;
	struct scene varied;
	const struct scene *s;
	struct ref *ref;
	FILE *f;
	struct meter from[FLOWS_MAX], last[FLOWS_MAX];
	uint64_t passed, dropped, last_dropped; /* bottleneck, at `from` */
	double queue_sum;
	unsigned queue_n;
} run;

/* No two runs of a real net are the same: starts within half a second, round
 * trips within a hundredth. */
static void vary(struct world *w, struct scene *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		s->flow[i].start += rng_unit(&w->scen) / 2;
		s->flow[i].rtt *= 1 + rng_unit(&w->scen) / 100;
	}
}

static nanos seconds(double s)
{
	return (nanos)(s * 1e9);
}

/* --- the net -------------------------------------------------------------- */

static struct link *bottleneck(void)
{
	return &run.w.host[1].path[0].down;
}

static double longest_rtt(const struct scene *s)
{
	double most = 0;

	for (unsigned i = 0; i < s->n; i++) {
		most = s->flow[i].rtt > most ? s->flow[i].rtt : most;
	}
	return most;
}

static void set_link(struct link *l, double mbit, nanos delay, uint32_t queue)
{
	l->rate = (uint64_t)(mbit * SCALE);
	l->delay = delay;
	l->queue = queue;
}

/* host 0 and 2 send, host 1 is behind the bottleneck */
static void build_host(struct world *w, unsigned i, const struct flow_plan *p)
{
	const struct scene *s = run.s;
	struct host *h = &w->host[i];
	struct host_path *path = &h->path[0];
	struct mp_cfg *m = &h->cfg.mp;
	nanos delay = p ? seconds(p->rtt / 2e3) : 0;
	uint32_t queue = (uint32_t)(s->mbit * SCALE / 8 * longest_rtt(s) / 1e3 *
				    s->queue);
	enum flow_kind kind = p ? p->kind : FLOW_MPTCP;

	h->w = w;
	h->index = i;
	h->n_paths = 1;
	path->cfg.up = true;
	path->cfg.mtu = 1500;
	path->cfg.gso = true;
	path->cfg.csum_offload = true;
	path->cfg.n_addr = 1;
	path->cfg.addr[0] = addr_v4(10, (uint8_t)(i + 1), 0, 1);
	path->cfg.bits[0] = 24;
	set_link(&path->up, s->mbit * FASTER, delay, UINT32_MAX);
	path->up.fault.jitter = p ? seconds(NOISE * 8 / (s->mbit * SCALE)) : 0;
	set_link(&path->down, s->mbit * (p ? FASTER : 1), delay,
		 p ? UINT32_MAX : max_u32(queue, 3000));
	path->down.fault.loss = p ? 0 : s->loss;
	path->down.mark_above = p ? 0 : (uint32_t)(queue * s->ecn);
	if (s->ecn > 0) {
		h->cfg.ecn = TCP_ECN_ON;
	}
	m->policy = kind == FLOW_TCP || kind == FLOW_CRYPT ? MP_OFF : MP_PREFER;
	m->subflows_max = 1;
	m->scheduler = "minrtt";
	m->close_timeout = 60 * NANOS_S;
	crypt_conf_init(&m->crypt_conf);
	m->crypt_policy = !p || kind == FLOW_SMTCP || kind == FLOW_CRYPT
				  ? MP_CRYPT_PREFER
				  : MP_CRYPT_OFF;
	h->rcvbuf = p ? 0 : 8u << 20;
	host_start(h, rng_u64(&w->scen));
}

static void build_conn(struct world *w, unsigned i, const struct flow_plan *p)
{
	struct conn *c = &w->conn[w->n_conns];

	c->w = w;
	c->index = w->n_conns++;
	c->port = SIM_PORT;
	c->family = 4;
	c->opt.cc = p->cc;
	c->opt.sndbuf = 8u << 20;
	for (unsigned k = 0; k < 2; k++) {
		struct side *s = &c->side[k];

		s->conn = c;
		s->client = k == 0;
		s->host = &w->host[k == 0 ? i * 2 : 1];
		s->key = rng_u64(&w->scen) & ~(uint64_t)1;
		s->write_max = 65536;
		s->tx_total = k == 0 ? UINT64_MAX / 2 : 0;
		s->how = CLOSE_AFTER_EOF;
	}
	world_in(w, seconds(p->start), app_start, c, 0);
}

static bool take(struct world *w, struct host *h, const struct pkt *p)
{
	(void)w;
	return run.ref && ref_take(run.ref, h, p);
}

static void build(uint64_t seed)
{
	const struct scene *s = run.s;
	struct world *w = &run.w;

	world_init(w, seed, false, &run.stats);
	vary(w, &run.varied);
	w->take = take;
	w->n_hosts = 3;
	for (unsigned i = 0; i < 2; i++) {
		build_host(w, i * 2, &s->flow[i < s->n ? i : 0]);
	}
	build_host(w, 1, NULL);
	app_listen(&w->host[1]);
	host_turn(&w->host[1]);
	for (unsigned i = 0; i < s->n; i++) {
		const struct flow_plan *p = &s->flow[i];

		if (p->kind != FLOW_MODEL) {
			build_conn(w, i, p);
			continue;
		}
		run.ref = ref_new(w, &w->host[i * 2], &w->host[1]);
		world_in(w, seconds(p->start), ref_start, run.ref, 0);
	}
}

/* --- what is seen --------------------------------------------------------- */

static struct conn *conn_of(unsigned flow)
{
	unsigned at = 0;

	if (run.s->flow[flow].kind == FLOW_MODEL) {
		return NULL;
	}
	for (unsigned i = 0; i < flow; i++) {
		at += run.s->flow[i].kind != FLOW_MODEL;
	}
	return &run.w.conn[at];
}

static void look(unsigned flow, struct meter *m, struct flow_state *st)
{
	const struct conn *c = conn_of(flow);
	static struct mp_info info;

	*m = (struct meter){ 0 };
	*st = (struct flow_state){ 0 };
	if (!c && run.ref) {
		*m = (struct meter){ ref_arrived(run.ref), ref_sent(run.ref),
				     ref_resent(run.ref) };
		ref_state(run.ref, st);
		return;
	}
	if (!c || !c->started || !c->side[0].sk ||
	    !sock_info(c->side[0].sk, &info) || info.n_subs == 0) {
		return;
	}
	m->arrived = c->side[1].rx;
	m->sent = info.sub[0].tcp.segs_out;
	m->resent = info.sub[0].tcp.retrans;
	st->cwnd = info.sub[0].tcp.cwnd / 1e3;
	st->rtt = (double)info.sub[0].tcp.srtt / 1e6;
}

/* octets that wait in front of the bottleneck */
static double queue_now(void)
{
	const struct link *l = bottleneck();
	nanos waits = nanos_max(instant_since(l->busy, run.w.now), 0);

	return (double)waits / 1e9 * (double)l->rate / 8;
}

static void sample(struct world *w, void *ctx, uint64_t arg)
{
	double t = (double)w->now.ns / 1e9 - 1; /* worlds begin at 1 s */

	(void)ctx;
	(void)arg;
	if (w->stopping) {
		return;
	}
	w->steps = 0;
	run.queue_sum += t > run.s->from ? queue_now() : 0;
	run.queue_n += t > run.s->from;
	if (run.f) {
		fprintf(run.f, "%.3f\t%.1f\t%llu", t, queue_now() / 1e3,
			(unsigned long long)(bottleneck()->dropped -
					     run.last_dropped));
		run.last_dropped = bottleneck()->dropped;
	}
	for (unsigned i = 0; run.f && i < run.s->n; i++) {
		struct flow_state st;
		struct meter m;

		look(i, &m, &st);
		st.goodput = (double)(m.arrived - run.last[i].arrived) * 8 /
			     ((double)EVERY / 1e9) / SCALE;
		run.last[i] = m;
		fprintf(run.f, "\t%.1f\t%.2f\t%.3f", st.cwnd, st.rtt,
			st.goodput);
	}
	if (run.f) {
		fputc('\n', run.f);
	}
	world_in(w, EVERY, sample, NULL, 0);
}

static void mark(void)
{
	struct flow_state st;

	for (unsigned i = 0; i < run.s->n; i++) {
		look(i, &run.from[i], &st);
	}
	run.passed = bottleneck()->passed;
	run.dropped = bottleneck()->dropped;
}

static void judge(struct result *r)
{
	const struct scene *s = run.s;
	double sum = 0, squares = 0, time = s->to - s->from;
	double passed = (double)(bottleneck()->passed - run.passed);
	double dropped = (double)(bottleneck()->dropped - run.dropped);

	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < s->n; i++) {
		struct flow_result *f = &r->flow[i];
		struct flow_state st;
		struct meter m;

		look(i, &m, &st);
		f->goodput = (double)(m.arrived - run.from[i].arrived) * 8 /
			     time / SCALE;
		f->retrans = (double)(m.resent - run.from[i].resent) /
			     (double)max_u64(m.sent - run.from[i].sent, 1);
		sum += f->goodput;
		squares += f->goodput * f->goodput;
	}
	r->jain = squares > 0 ? sum * sum / (s->n * squares) : 0;
	r->use = sum / s->mbit;
	r->share = sum > 0 ? r->flow[0].goodput / sum : 0;
	r->queue = run.queue_sum / run.queue_n * 8 / (s->mbit * SCALE) * 1e3;
	r->drops = dropped / (passed + dropped + 1);
}

/* --- running -------------------------------------------------------------- */

static void end(void)
{
	struct world *w = &run.w;

	for (unsigned i = 0; i < w->n_hosts; i++) {
		host_stop(&w->host[i]);
	}
	/* events still hold packets */
	w->failed = false;
	w->stopping = true;
	w->steps = 0;
	world_run(w, INSTANT_NEVER);
	if (run.ref) {
		ref_free(run.ref);
	}
	world_fini(w);
}

bool scene_run(const struct scene *s, uint64_t seed, FILE *f,
	       struct result *r)
{
	struct instant start, from, to;
	bool ok;

	memset(&run, 0, sizeof(run));
	run.varied = *s;
	run.s = &run.varied;
	run.f = f;
	build(seed);
	start = run.w.now;
	from = instant_add(start, seconds(s->from));
	to = instant_add(start, seconds(s->to));
	sample(&run.w, NULL, 0);
	world_run(&run.w, from);
	mark();
	world_run(&run.w, to);
	judge(r);
	ok = !run.w.failed;
	if (!ok) {
		fprintf(stderr, "flows: %s: %s\n", s->name, run.w.why);
	}
	end();
	return ok;
}
