#include "tests/lib/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/lib/wirepkt.h"

#define SERVER_PORT 80

struct wire {
	struct list node;
	struct instant at;
	unsigned to;
	struct pkt *pkt;
};

/* --- the plain upper layer --------------------------------------------- */

static uint8_t pattern(uint64_t at, unsigned end)
{
	return (uint8_t)(at * 7 + (at >> 8) * 13 + (at >> 16) + end);
}

static unsigned conn_index(const struct pair_conn *c)
{
	return c->end == &c->end->pair->end[1];
}

static void conn_pump(struct pair_conn *c, struct instant now)
{
	if (!c->tcb || !c->established) {
		return;
	}
	for (;;) {
		uint64_t left = c->out_len - c->pushed;
		uint32_t n = (uint32_t)min_u64(left, tcp_room(c->tcb));

		if (n == 0) {
			break;
		}
		check(tcp_push_ssn(c->tcb) ==
		      (uint32_t)(c->ssn_base + c->pushed));
		tcp_push(c->tcb, now, n, n == left);
		c->pushed += n;
	}
	tcp_blocked(c->tcb, now, c->pushed < c->out_len);
	if (c->shut && !c->shut_done && c->pushed == c->out_len) {
		c->shut_done = true;
		tcp_shutdown(c->tcb, now);
	}
}

static unsigned conn_options(void *up, const struct tcp_tx *tx, uint8_t *buf,
			     unsigned room)
{
	struct pair_conn *c = up;

	if (tx->kind == TCP_TX_SYN || tx->kind == TCP_TX_SYNACK ||
	    c->opt_len > room) {
		return 0;
	}
	c->acks_forced += tx->forced;
	memcpy(buf, c->opt, c->opt_len);
	return c->opt_len;
}

static enum tcp_verdict conn_segment(void *up, struct instant now,
				     const struct tcp_seg *seg, uint32_t wnd)
{
	struct pair_conn *c = up;
	enum tcp_verdict v = c->verdict;

	(void)now;
	(void)seg;
	c->last_wnd = wnd;
	c->verdict = TCP_UP_OK;
	return v;
}

static void conn_established(void *up, struct instant now)
{
	struct pair_conn *c = up;

	c->established = true;
	conn_pump(c, now);
}

static void conn_deliver(void *up, struct instant now, struct slice *s)
{
	struct pair_conn *c = up;

	(void)now;
	check((uint32_t)s->seq == (uint32_t)(1 + c->in_len));
	while (c->in_len + s->len > c->in_cap) {
		c->in_cap = c->in_cap ? c->in_cap * 2 : 65536;
		c->in = realloc(c->in, c->in_cap);
		check(c->in);
	}
	memcpy(c->in + c->in_len, s->p, s->len);
	c->in_len += s->len;
	if (!c->hold) {
		c->in_read = c->in_len;
	}
	slice_free(&c->end->fake.mem, s);
}

static void conn_fin(void *up, struct instant now)
{
	struct pair_conn *c = up;

	(void)now;
	check(!c->fin);
	c->fin = true;
}

static void conn_acked(void *up, struct instant now, uint32_t una)
{
	struct pair_conn *c = up;
	uint32_t n = una - (uint32_t)(c->ssn_base + c->acked);

	(void)now;
	c->acked += n;
	check(c->acked <= c->pushed);
}

static void conn_can_send(void *up, struct instant now)
{
	struct pair_conn *c = up;

	c->can_sends++;
	conn_pump(c, now);
}

static uint32_t conn_window(void *up)
{
	const struct pair_conn *c = up;
	uint64_t used = c->in_len - c->in_read;

	return used >= c->rcv_max ? 0 : (uint32_t)(c->rcv_max - used);
}

static unsigned conn_payload(void *up, uint32_t ssn, uint32_t len,
			     struct iov v[3])
{
	const struct pair_conn *c = up;
	uint32_t at = ssn - (uint32_t)(c->ssn_base + c->acked);
	uint64_t off = c->acked + at;

	check(len > 0 && off + len <= c->pushed);
	v[0] = (struct iov){ c->out + off, len };
	return 1;
}

static uint32_t conn_burst(void *up, uint32_t ssn, uint32_t len)
{
	const struct pair_conn *c = up;
	uint32_t m = c->burst_max;

	return m ? min_u32(len, m - (ssn - c->ssn_base) % m) : len;
}

static void conn_timeout(void *up, struct instant now, unsigned n)
{
	struct pair_conn *c = up;

	(void)now;
	(void)n;
	c->timeouts++;
}

static void conn_closed(void *up, struct instant now, enum tcp_end end)
{
	struct pair_conn *c = up;

	(void)now;
	check(!c->closed);
	c->closed = true;
	c->end_why = end;
	c->tcb = NULL;
}

static const struct tcp_upper conn_upper = {
	.options = conn_options,
	.segment = conn_segment,
	.established = conn_established,
	.deliver = conn_deliver,
	.fin = conn_fin,
	.acked = conn_acked,
	.can_send = conn_can_send,
	.window = conn_window,
	.payload = conn_payload,
	.burst = conn_burst,
	.timeout = conn_timeout,
	.closed = conn_closed,
};

void pair_write(struct pair_conn *c, uint64_t n, bool shut)
{
	uint64_t want = c->out_len + n;

	if (want > c->out_cap) {
		c->out_cap = want * 2;
		c->out = realloc(c->out, c->out_cap);
		check(c->out);
	}
	for (; c->out_len < want; c->out_len++) {
		c->out[c->out_len] = pattern(c->out_len, conn_index(c));
	}
	c->shut = c->shut || shut;
	conn_pump(c, c->end->pair->now);
}

void pair_read_all(struct pair_conn *c)
{
	c->in_read = c->in_len;
	if (c->tcb) {
		tcp_window_opened(c->tcb, c->end->pair->now);
	}
}

bool pair_prefix_ok(const struct pair *p)
{
	for (unsigned e = 0; e < 2; e++) {
		const struct pair_conn *c = &p->end[e].conn;

		if (c->in_len > p->end[!e].conn.out_len ||
		    (c->in_len && memcmp(c->in, p->end[!e].conn.out,
					 c->in_len) != 0)) {
			return false;
		}
	}
	return true;
}

/* --- ends --------------------------------------------------------------- */

static void end_open(struct pair_end *e, struct tcp_open *o)
{
	*o = (struct tcp_open){ .path = (uint16_t)e->path,
				.upper = &conn_upper,
				.up = &e->conn,
				.conf = e->conf };
}

static void end_on_syn(void *lctx, struct instant now,
		       const struct tcp_seg *syn)
{
	struct pair_end *e = lctx;
	struct tcp_open o;
	int err = 0;

	if (e->refuse || e->conn.tcb) {
		tcp_count(e->tcp, TCP_DROP_BACKLOG);
		return;
	}
	end_open(e, &o);
	o.t = syn->t;
	e->conn.tcb = tcp_accept(e->tcp, now, syn, &o, &err);
}

static const struct tcp_listener_ops end_listener = { .on_syn = end_on_syn };

static struct addr end_addr(bool v6, unsigned i)
{
	static const uint8_t net[16] = { 0xfd, 0x77 };
	struct addr a = addr_from(6, net);

	a.b[15] = (uint8_t)(i + 1);
	return v6 ? a : addr_v4(10, 7, 0, (uint8_t)(i + 1));
}

void pair_defaults(struct pair *p, uint64_t seed)
{
	*p = (struct pair){ .now = { 1000 * NANOS_S },
			    .delay = 5 * NANOS_MS,
			    .mtu = 1500,
			    .gso = true,
			    .csum_offload = true };
	list_init(&p->wire);
	rng_seed(&p->rng, seed);
	for (unsigned i = 0; i < 2; i++) {
		struct pair_end *e = &p->end[i];

		e->pair = p;
		e->conn.end = e;
		e->conn.rcv_max = 1 << 20;
		e->conn.ssn_base = 1;
		fake_init(&e->fake, seed * 2 + i);
	}
}

void pair_start(struct pair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		struct pair_end *e = &p->end[i];
		struct ip_path path = { .used = true,
					.up = true,
					.csum_offload = p->csum_offload,
					.gso = p->gso,
					.mtu = p->mtu,
					.n_addr = 1,
					.name = "pair" };

		e->addr = end_addr(p->v6, i);
		path.addr[0] = e->addr;
		path.bits[0] = p->v6 ? 64 : 24;
		wheel_init(&e->wheel, p->now);
		e->ip = ip_new(&e->fake.env);
		check(e->ip);
		e->path = ip_path_add(e->ip, &path);
		check(e->path >= 0);
		e->tcp = tcp_new(&e->fake.env, e->ip, &e->wheel, p->now);
		check(e->tcp);
	}
}

void pair_stop(struct pair *p)
{
	list_each_safe(pos, &p->wire) {
		struct wire *w = list_entry(pos, struct wire, node);

		list_del(pos);
		pkt_put(w->pkt);
		free(w);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct pair_end *e = &p->end[i];

		if (e->listener) {
			tcp_unlisten(e->tcp, e->listener);
		}
		tcp_free(e->tcp);
		ip_free(e->ip);
		free(e->conn.out);
		free(e->conn.in);
		fake_fini(&e->fake);
	}
}

static void end_connect(struct pair *p, unsigned i, uint16_t from, uint16_t to)
{
	struct pair_end *e = &p->end[i];
	struct tcp_open o;
	int err = 0;

	end_open(e, &o);
	o.t.local = endpoint_make(e->addr, from);
	o.t.remote = endpoint_make(p->end[!i].addr, to);
	e->conn.tcb = tcp_connect(e->tcp, p->now, &o, &err);
	check(e->conn.tcb);
}

void pair_connect(struct pair *p)
{
	struct pair_end *s = &p->end[1];
	struct endpoint at = endpoint_make(s->addr, SERVER_PORT);
	int err = 0;

	s->listener = tcp_listen(s->tcp, &at, false, false, &end_listener, s,
				 &err);
	check(s->listener);
	end_connect(p, 0, 0, SERVER_PORT);
}

void pair_again(struct pair *p, uint16_t from)
{
	for (unsigned i = 0; i < 2; i++) {
		struct pair_conn *c = &p->end[i].conn;
		uint32_t rcv_max = c->rcv_max;

		check(!c->tcb);
		free(c->out);
		free(c->in);
		*c = (struct pair_conn){ .end = &p->end[i],
					 .rcv_max = rcv_max,
					 .ssn_base = 1 };
	}
	end_connect(p, 0, from, SERVER_PORT);
}

void pair_connect_both(struct pair *p)
{
	end_connect(p, 0, 1000, 2000);
	end_connect(p, 1, 2000, 1000);
}

/* --- the wire ------------------------------------------------------------ */

static void wire_add(struct pair *p, unsigned to, struct pkt *k,
		     struct instant at)
{
	struct wire *w = calloc(1, sizeof(*w));
	struct list *pos = p->wire.prev;

	check(w);
	w->at = at;
	w->to = to;
	w->pkt = k;
	while (pos != &p->wire &&
	       instant_before(at, list_entry(pos, struct wire, node)->at)) {
		pos = pos->prev;
	}
	list_insert(pos->next, &w->node);
}

static bool wire_parse(const struct pkt *k, struct tcp_seg *seg)
{
	struct ip_hdr ip;

	return ip_hdr_parse(k->data, k->len, &ip) == IP_HDR_OK &&
	       tcp_hdr_parse(&ip, k->csum_ok, seg) == TCP_HDR_OK;
}

static void wire_show(const struct pair *p, const struct pair_pkt *k,
		      const struct pair_fate *f)
{
	const struct tcp_seg *s = &k->seg;

	fprintf(stderr, "%10.3f ms %c%llu seq %u ack %u len %u wnd %u "
			"%s%s%s%s%s sacks %u%s%s\n",
		(double)(p->now.ns - 1000 * NANOS_S) / 1e6,
		k->from ? '<' : '>', (unsigned long long)k->nr, s->seq,
		s->ack, s->len, s->wnd, s->flags & TCP_SYN ? "S" : "",
		s->flags & TCP_FIN ? "F" : "", s->flags & TCP_RST ? "R" : "",
		s->flags & TCP_PSH ? "P" : "", s->flags & TCP_ACK ? "." : "",
		s->opts.n_sack, f->drop ? " DROP" : "", f->dup ? " DUP" : "");
}

struct wire_from {
	struct pair *pair;
	unsigned from;
};

/* when the last octet has left, with a finite rate; never: the queue is full */
static struct instant wire_leaves(struct pair *p, unsigned from, uint32_t len)
{
	struct instant start = p->now;

	if (!p->rate) {
		return start;
	}
	if (instant_before(start, p->busy[from])) {
		start = p->busy[from];
	}
	if (p->queue_max &&
	    instant_since(start, p->now) * (nanos)p->rate / NANOS_S >
		    p->queue_max) {
		return INSTANT_NEVER;
	}
	p->busy[from] = instant_add(start, (nanos)len * NANOS_S /
						   (nanos)p->rate);
	return p->busy[from];
}

static void wire_emit(void *ctx, struct pkt *k)
{
	const struct wire_from *f = ctx;
	struct pair *p = f->pair;
	struct pair_pkt pp = { .pkt = k, .from = f->from };
	struct pair_fate fate = { 0 };
	struct instant out;

	pp.nr = ++p->sent[f->from];
	p->octets[f->from] += k->len;
	check(wire_parse(k, &pp.seg));
	p->tap[f->from][pp.nr % PAIR_TAP] = pp.seg;
	if (p->fate) {
		fate = p->fate(p->fate_ctx, &pp);
	}
	out = wire_leaves(p, f->from, k->len);
	fate.drop = fate.drop || instant_never(out);
	if (p->print) {
		wire_show(p, &pp, &fate);
	}
	if (fate.drop) {
		p->dropped[f->from]++;
		pkt_put(k);
		return;
	}
	out = instant_add(out, p->delay + fate.delay);
	if (fate.dup) {
		wire_add(p, !f->from, wirepkt_make(k->data, k->len, k->dev),
			 out);
	}
	wire_add(p, !f->from, k, out);
}

static bool pair_flush(struct pair *p)
{
	bool any = false;

	for (unsigned i = 0; i < 2; i++) {
		struct pair_end *e = &p->end[i];
		struct wire_from from = { p, i };
		struct pkt_out o;

		while (tcp_output(e->tcp, p->now, &o)) {
			uint16_t dev = (uint16_t)p->end[!i].path;

			any = true;
			if (p->gro) {
				wire_emit(&from, wirepkt_whole(&o, dev));
			} else {
				check(o.gso_size || o.len <= p->mtu ||
				      o.len <= ip_mtu(e->ip, 0, &e->addr,
						      p->now));
				wirepkt_split(&o, dev, wire_emit, &from);
			}
		}
	}
	return any;
}

static void pair_arrive(struct pair *p, unsigned to, struct pkt *k)
{
	struct pair_end *e = &p->end[to];
	struct ip_in in;
	struct tcp_seg seg;

	if (ip_input(e->ip, k, &in) == IP_KIND_TCP &&
	    tcp_hdr_parse(&in.hdr, k->csum_ok, &seg) == TCP_HDR_OK) {
		seg.dev = k->dev;
		seg.pkt = k;
		tcp_input(e->tcp, p->now, &seg, NULL, NULL);
	}
	pkt_put(k);
}

const struct tcp_seg *pair_sent(const struct pair *p, unsigned from, unsigned i)
{
	if (i >= PAIR_TAP || i >= p->sent[from]) {
		return NULL;
	}
	return &p->tap[from][(p->sent[from] - i) % PAIR_TAP];
}

struct tcp_seg pair_forge(const struct pair *p, unsigned from)
{
	const struct tcp_seg *last = pair_sent(p, from, 0);
	const struct tcp_seg *peer = pair_sent(p, !from, 0);
	struct tcp_seg s = { .flags = TCP_ACK, .wnd = last->wnd };

	s.t = last->t;
	s.seq = last->seq + tcp_seg_len(last);
	s.ack = peer->seq + tcp_seg_len(peer);
	s.opts.has_ts = last->opts.has_ts;
	s.opts.ts_val = last->opts.ts_val;
	s.opts.ts_ecr = last->opts.ts_ecr;
	return s;
}

void pair_inject(struct pair *p, unsigned to, const struct tcp_seg *seg)
{
	static const uint8_t none[1];
	struct tcp_seg s = *seg;

	s.pkt = wirepkt_make(seg->len ? seg->data : none,
			     seg->len ? seg->len : 1, 0);
	s.data = s.pkt->data;
	tcp_input(p->end[to].tcp, p->now, &s, NULL, NULL);
	pkt_put(s.pkt);
}

/* one event: packets due, else timers due; false: nothing before `limit` */
static bool pair_step(struct pair *p, struct instant limit)
{
	struct instant next = limit;
	struct list *first = list_first(&p->wire);

	if (first) {
		next = instant_min(next,
				   list_entry(first, struct wire, node)->at);
	}
	next = instant_min(next, wheel_deadline(&p->end[0].wheel));
	next = instant_min(next, wheel_deadline(&p->end[1].wheel));
	if (!instant_before(next, limit)) {
		p->now = limit;
		return false;
	}
	if (instant_before(p->now, next)) {
		p->now = next;
	}
	if (first && instant_due(list_entry(first, struct wire, node)->at,
				 p->now)) {
		struct wire *w = list_entry(first, struct wire, node);

		list_del(first);
		pair_arrive(p, w->to, w->pkt);
		free(w);
	}
	wheel_advance(&p->end[0].wheel, p->now);
	wheel_advance(&p->end[1].wheel, p->now);
	return true;
}

bool pair_run(struct pair *p, nanos most, bool (*done)(const struct pair *p))
{
	struct instant limit = instant_add(p->now, most);

	for (;;) {
		while (pair_flush(p)) {
		}
		if (done && done(p)) {
			return true;
		}
		if (!pair_step(p, limit)) {
			return false;
		}
	}
}

bool pair_all_arrived(const struct pair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct pair_conn *c = &p->end[i].conn;
		const struct pair_conn *peer = &p->end[!i].conn;

		if (c->in_len < peer->out_len || (peer->shut && !c->fin)) {
			return false;
		}
	}
	return true;
}

bool pair_established(const struct pair *p)
{
	return p->end[0].conn.established && p->end[1].conn.established;
}

bool pair_both_closed(const struct pair *p)
{
	return p->end[0].conn.closed && p->end[1].conn.closed;
}
