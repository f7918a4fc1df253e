#include "tests/lib/mpair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "stack/wire/eno_opt.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/show.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/lib/wirepkt.h"

#define PORT 80

struct wire {
	struct list node;
	struct instant at;
	unsigned to;
	struct pkt *pkt;
};

static uint8_t pattern(uint64_t at, unsigned from)
{
	return (uint8_t)(at * 11 + (at >> 8) * 5 + (at >> 16) * 3 + from);
}

static unsigned index_of(const struct mpair_end *e)
{
	return e == &e->pair->end[1];
}

/* --- applications ------------------------------------------------------- */

static void app_write(struct mpair_app *a)
{
	struct mpair *p = a->end->pair;

	while (a->c && a->established && a->sent < a->to_send) {
		uint64_t left = a->to_send - a->sent;
		uint32_t want = (uint32_t)min_u64(left, a->chunk ? a->chunk :
								  1 << 20);
		struct iov_mut v[2];
		unsigned n = mp_write_vec(a->c, want, v);
		uint32_t done = 0;

		for (unsigned i = 0; i < n; i++) {
			for (size_t k = 0; k < v[i].n && done < want; k++) {
				v[i].p[k] = pattern(a->sent + done++,
						    index_of(a->end));
			}
		}
		if (!done) {
			break;
		}
		mp_write_done(a->c, p->now, done);
		a->sent += done;
		if (a->chunk) {
			break; /* one write per turn */
		}
	}
	if (a->c && a->established && a->shut && !a->shut_done &&
	    a->sent == a->to_send) {
		a->shut_done = true;
		mp_shutdown(a->c, p->now);
	}
}

static void app_read(struct mpair_app *a)
{
	struct mpair *p = a->end->pair;
	unsigned peer = !index_of(a->end);
	struct iov v[16];
	unsigned n;

	while (a->c && !a->hold && (n = mp_read_vec(a->c, v, 16)) > 0) {
		uint64_t got = 0;

		for (unsigned i = 0; i < n; i++) {
			for (size_t k = 0; k < v[i].n; k++) {
				if (v[i].p[k] != pattern(a->got + got, peer)) {
					a->mangled = true;
				}
				got++;
			}
		}
		a->got += got;
		mp_read_done(a->c, p->now, got);
	}
	if (a->c && !a->hold && mp_read_eof(a->c)) {
		a->eof = true;
	}
}

static void on_established(void *o, struct instant now)
{
	struct mpair_app *a = o;

	(void)now;
	a->established = true;
	app_write(a);
}

static void on_readable(void *o, struct instant now)
{
	(void)now;
	app_read(o);
}

static void on_writable(void *o, struct instant now)
{
	(void)now;
	app_write(o);
}

static void on_closed(void *o, struct instant now, int err)
{
	struct mpair_app *a = o;

	(void)now;
	check(!a->closed);
	a->closed = true;
	a->err = err;
}

static void on_gone(void *o, struct instant now)
{
	struct mpair_app *a = o;

	(void)now;
	check(!a->gone);
	a->gone = true;
	a->c = NULL;
}

static const struct mp_owner owner = {
	.established = on_established,
	.readable = on_readable,
	.writable = on_writable,
	.closed = on_closed,
	.gone = on_gone,
};

static bool on_accepted(void *lo, struct instant now, struct mp_conn *c)
{
	struct mpair_end *e = lo;

	(void)now;
	e->app.accepted++;
	if (e->app.c) {
		return false;
	}
	e->app.c = c;
	e->app.established = true;
	mp_set_owner(c, &owner, &e->app);
	return true;
}

static void on_failed(void *lo)
{
	struct mpair_end *e = lo;

	e->app.failed++;
}

static const struct mp_listener_ops listener_ops = {
	.accepted = on_accepted,
	.failed = on_failed,
};

/* --- wire --------------------------------------------------------------- */

static void wire_add(struct mpair *p, struct instant at, unsigned to,
		     struct pkt *k)
{
	struct wire *w = calloc(1, sizeof(*w));
	struct list *pos = p->wire.prev;

	check(w);
	*w = (struct wire){ .at = at, .to = to, .pkt = k };
	while (pos != &p->wire &&
	       list_entry(pos, struct wire, node)->at.ns > at.ns) {
		pos = pos->prev;
	}
	list_push_front(pos, &w->node);
}

static int path_of(const struct mpair_end *e, const struct addr *a)
{
	for (unsigned i = 0; i < e->n_paths; i++) {
		if (addr_eq(&e->addr[i], a)) {
			return (int)i;
		}
	}
	return -1;
}

static bool parse(struct pkt *k, struct tcp_seg *seg)
{
	struct ip_hdr h;

	if (ip_hdr_parse(k->data, k->len, &h) != IP_HDR_OK) {
		return false;
	}
	return tcp_hdr_parse(&h, true, seg) == TCP_HDR_OK;
}

/* The octets [lo, hi) of k's payload as a packet of their own, with the same
 * options. */
static struct pkt *piece(struct pkt *k, uint32_t hdr, uint32_t lo, uint32_t hi)
{
	struct pkt *q = wirepkt_make(k->data, hdr + (hi - lo), k->dev);
	uint32_t ip_len = q->data[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	uint8_t *tcp = q->data + ip_len;

	memcpy(q->data + hdr, k->data + hdr + lo, hi - lo);
	be32_put(tcp + 4, be32_get(tcp + 4) + lo);
	if (hdr + hi < k->len) {
		tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	}
	if (ip_len == IP4_HDR_LEN) {
		be16_put(q->data + 2, (uint16_t)q->len);
		be16_put(q->data + 10, 0);
		be16_put(q->data + 10,
			 cksum_finish(cksum_add(0, q->data, ip_len)));
	} else {
		be16_put(q->data + 4, (uint16_t)(q->len - ip_len));
	}
	mpair_fix(q);
	return q;
}

static void wire_put(struct mpair *p, struct instant at, unsigned to,
		     struct pkt *k, uint32_t split)
{
	struct tcp_seg seg;
	uint32_t hdr;

	check(parse(k, &seg));
	if (!split || split >= seg.len) {
		wire_add(p, at, to, k);
		return;
	}
	hdr = k->len - seg.len;
	wire_add(p, at, to, piece(k, hdr, 0, split));
	wire_add(p, at, to, piece(k, hdr, split, seg.len));
	pkt_put(k);
}

struct sending {
	struct mpair *p;
	unsigned from;
};

static void send_one(void *ctx, struct pkt *k)
{
	struct sending *x = ctx;
	struct mpair *p = x->p;
	unsigned to = !x->from;
	struct mpair_pkt m = { .pkt = k, .from = x->from, .nr = ++p->nr };
	const struct addr *client;
	struct mpair_link *l;
	struct instant at;
	int link, dev;

	check(parse(k, &m.seg));
	client = x->from ? &m.seg.t.local.addr : &m.seg.t.remote.addr;
	link = path_of(&p->end[0], client);
	check(link >= 0);
	m.link = (unsigned)link;
	l = &p->link[link];
	if (p->mbox) {
		p->mbox(p->ctx, &m);
		check(parse(k, &m.seg));
	}
	if (p->print) {
		char line[512];

		show_packet(k->data, k->len, line, sizeof(line));
		printf("%.6f %u link%d %s%s\n",
		       (double)(p->now.ns % (10000 * NANOS_S)) / 1e9, x->from,
		       link, m.drop || l->cut ? "DROP " : "", line);
	}
	if (!m.drop && p->tap) {
		p->tap(p->ctx, &m);
	}
	dev = path_of(&p->end[to], &m.seg.t.local.addr);
	if (m.drop || l->cut || dev < 0) {
		pkt_put(k);
		return;
	}
	at = p->now;
	if (l->rate) {
		struct instant start = l->busy[x->from].ns > at.ns ?
					       l->busy[x->from] :
					       at;
		nanos wait = instant_since(start, at);

		if ((uint64_t)wait * l->rate / (uint64_t)NANOS_S >
		    l->queue_max) {
			pkt_put(k);
			return;
		}
		at = instant_add(start, (nanos)((uint64_t)k->len *
						(uint64_t)NANOS_S / l->rate));
		l->busy[x->from] = at;
	}
	l->packets[x->from]++;
	l->octets[x->from] += k->len;
	k->dev = (uint16_t)dev;
	at = instant_add(at, l->delay + m.delay);
	for (unsigned i = 0; i < m.dup; i++) {
		wire_put(p, at, to, wirepkt_make(k->data, k->len, k->dev),
			 m.split);
	}
	wire_put(p, at, to, k, m.split);
}

static void flush(struct mpair *p)
{
	struct pkt_out o;
	bool more = true;

	for (unsigned turn = 0; more && turn < 100000; turn++) {
		more = false;
		for (unsigned i = 0; i < 2; i++) {
			struct mpair_end *e = &p->end[i];
			struct sending x = { p, i };

			mp_flush(e->mp, p->now);
			while (tcp_output(e->tcp, p->now, &o)) {
				wirepkt_split(&o, o.dev, send_one, &x);
				more = true;
			}
			more = more || mp_wants_flush(e->mp);
		}
	}
	check(!more);
}

static void arrive(struct mpair *p, struct wire *w)
{
	struct mpair_end *e = &p->end[w->to];
	struct tcp_seg seg;
	struct ip_in in;

	if (ip_input(e->ip, w->pkt, &in) == IP_KIND_TCP &&
	    tcp_hdr_parse(&in.hdr, false, &seg) == TCP_HDR_OK) {
		seg.dev = w->pkt->dev;
		seg.pkt = w->pkt;
		tcp_input(e->tcp, p->now, &seg, mp_join_syn, e->mp);
	}
	pkt_put(w->pkt);
	free(w);
}

/* --- ends ---------------------------------------------------------------- */

static struct addr end_addr(bool v6, unsigned end, unsigned path)
{
	uint8_t b[16] = { 0xfd, 0, 0, (uint8_t)path };
	struct addr a;

	b[15] = (uint8_t)(end + 1);
	a = addr_from(6, b);
	return v6 ? a : addr_v4(10, 0, (uint8_t)path, (uint8_t)(end + 1));
}

void mpair_defaults(struct mpair *p, uint64_t seed)
{
	*p = (struct mpair){ .now = { 1000 * NANOS_S }, .mtu = 1500,
			     .gso = true };
	list_init(&p->wire);
	rng_seed(&p->rng, seed);
	for (unsigned i = 0; i < MPAIR_LINKS; i++) {
		p->link[i].delay = (nanos)(5 + 5 * i) * NANOS_MS;
		p->link[i].queue_max = 256 << 10;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct mpair_end *e = &p->end[i];

		e->pair = p;
		e->app.end = e;
		e->n_paths = 2;
		e->cfg = (struct mp_cfg){ .policy = MP_PREFER,
					  .subflows_max = 8,
					  .close_timeout = 60 * NANOS_S };
		crypt_conf_init(&e->cfg.crypt_conf);
		fake_init(&e->fake, seed * 2 + i);
	}
	p->end[1].n_paths = 1;
}

void mpair_start(struct mpair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		struct mpair_end *e = &p->end[i];

		wheel_init(&e->wheel, p->now);
		e->ip = ip_new(&e->fake.env);
		check(e->ip);
		for (unsigned k = 0; k < e->n_paths; k++) {
			struct ip_path path = { .used = true, .up = true,
						.csum_offload = true,
						.backup = e->backup[k],
						.gso = p->gso,
						.mtu = p->mtu,
						.n_addr = 1 };

			e->addr[k] = end_addr(p->v6, i, k);
			path.addr[0] = e->addr[k];
			path.bits[0] = p->v6 ? 64 : 24;
			snprintf(path.name, sizeof(path.name), "p%u", k);
			check(ip_path_add(e->ip, &path) == (int)k);
		}
		e->tcp = tcp_new(&e->fake.env, e->ip, &e->wheel, p->now);
		check(e->tcp);
		if (e->cfg.crypt_policy != MP_CRYPT_OFF) {
			e->crypt = crypt_new(&e->fake.env, &e->crypt_setup);
			check(e->crypt);
		}
		e->cfg.crypt = e->crypt;
		e->mp = mp_new(&e->fake.env, &e->cfg, e->ip, e->tcp,
			       &e->wheel, p->now);
		check(e->mp);
	}
}

void mpair_stop(struct mpair *p)
{
	list_each_safe(n, &p->wire) {
		struct wire *w = list_entry(n, struct wire, node);

		list_del(n);
		pkt_put(w->pkt);
		free(w);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct mpair_end *e = &p->end[i];

		if (e->listener) {
			mp_unlisten(e->mp, e->listener);
		}
		mp_free(e->mp);
		tcp_free(e->tcp);
		ip_free(e->ip);
		crypt_free(e->crypt);
		fake_fini(&e->fake);
	}
}

void mpair_connect(struct mpair *p)
{
	struct mpair_end *c = &p->end[0], *s = &p->end[1];
	struct endpoint local = endpoint_make(s->addr[0], PORT);
	struct tuple t = { .remote = local };
	int err;

	if (!s->listener) {
		s->listener = mp_listen(s->mp, &local, false, false, &s->conf,
					&listener_ops, s, &err);
		check(s->listener);
	}
	t.local.addr = c->addr[0];
	c->app.c = mp_connect(c->mp, p->now, &t, 0, &c->conf, &owner, &c->app,
			      &err);
	check(c->app.c);
	flush(p);
}

void mpair_send(struct mpair *p, unsigned end, uint64_t n, bool shut)
{
	struct mpair_app *a = &p->end[end].app;

	a->to_send += n;
	a->shut = a->shut || shut;
	app_write(a);
	flush(p);
}

void mpair_close(struct mpair *p, unsigned end, bool abort)
{
	struct mpair_app *a = &p->end[end].app;

	if (a->c) {
		mp_close(a->c, p->now, abort);
	}
	flush(p);
}

void mpair_hold(struct mpair *p, unsigned end, bool hold)
{
	p->end[end].app.hold = hold;
	app_read(&p->end[end].app);
	flush(p);
}

void mpair_path(struct mpair *p, unsigned end, unsigned path, bool up)
{
	struct mpair_end *e = &p->end[end];

	ip_path_set_up(e->ip, path, up);
	mp_path_changed(e->mp, p->now, path);
	flush(p);
}

/* --- running --------------------------------------------------------------- */

static struct instant next_event(const struct mpair *p)
{
	struct instant at = INSTANT_NEVER;
	struct list *first = list_first(&p->wire);

	if (first) {
		at = list_entry(first, struct wire, node)->at;
	}
	for (unsigned i = 0; i < 2; i++) {
		at = instant_min(at, wheel_deadline(&p->end[i].wheel));
	}
	return at;
}

static void step(struct mpair *p, struct instant at)
{
	struct list *n;

	if (at.ns > p->now.ns) {
		p->now = at;
	}
	while ((n = list_first(&p->wire)) != NULL) {
		struct wire *w = list_entry(n, struct wire, node);

		if (w->at.ns > p->now.ns) {
			break;
		}
		list_del(n);
		arrive(p, w);
		flush(p);
	}
	for (unsigned i = 0; i < 2; i++) {
		wheel_advance(&p->end[i].wheel, p->now);
		app_write(&p->end[i].app);
	}
	flush(p);
}

bool mpair_run(struct mpair *p, nanos most,
	       bool (*done)(const struct mpair *p))
{
	struct instant end = instant_add(p->now, most);

	flush(p);
	for (;;) {
		struct instant at;

		if (done && done(p)) {
			return true;
		}
		at = next_event(p);
		if (at.ns > end.ns) {
			p->now = end;
			return done && done(p);
		}
		step(p, at);
	}
}

void mpair_sleep(struct mpair *p, nanos d)
{
	mpair_run(p, d, NULL);
}

bool mpair_arrived(const struct mpair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct mpair_app *a = &p->end[i].app;
		const struct mpair_app *b = &p->end[!i].app;

		if (b->got < a->to_send || (a->shut && !b->eof)) {
			return false;
		}
	}
	return true;
}

bool mpair_established(const struct mpair *p)
{
	return p->end[0].app.established && p->end[1].app.established;
}

bool mpair_gone(const struct mpair *p)
{
	return p->end[0].app.gone && p->end[1].app.gone;
}

unsigned mpair_open_subs(const struct mpair *p, unsigned end)
{
	const struct mpair_app *a = &p->end[end].app;
	struct mp_info info;
	unsigned n = 0;

	if (!a->c) {
		return 0;
	}
	mp_info(a->c, &info);
	for (unsigned i = 0; i < info.n_subs; i++) {
		n += info.sub[i].established && !info.sub[i].closed;
	}
	return n;
}

bool mpair_two_subs(const struct mpair *p)
{
	return mpair_open_subs(p, 0) >= 2 && mpair_open_subs(p, 1) >= 2;
}

uint64_t mpair_count(const struct mpair *p, unsigned end, enum mp_reason r)
{
	return mp_counter(p->end[end].mp, r);
}

/* --- middleboxes -------------------------------------------------------------- */

void mpair_fix(struct pkt *k)
{
	uint8_t *b = k->data;
	uint32_t ip_len = b[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	struct addr src, dst;

	if (ip_len == IP4_HDR_LEN) {
		src = addr_from(4, b + 12);
		dst = addr_from(4, b + 16);
	} else {
		src = addr_from(6, b + 8);
		dst = addr_from(6, b + 24);
	}
	be16_put(b + ip_len + 16, 0);
	be16_put(b + ip_len + 16,
		 cksum_finish(cksum_add(cksum_pseudo(&src, &dst, IP_PROTO_TCP,
						     k->len - ip_len),
					b + ip_len, k->len - ip_len)));
}

/* NOPs in place of the options that is() names; whether there was one */
static bool strip(struct mpair_pkt *p,
		  bool (*is)(const uint8_t *opt, uint32_t arg), uint32_t arg)
{
	uint8_t *b = p->pkt->data;
	uint32_t ip_len = b[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	uint8_t *o = b + ip_len + TCP_HDR_LEN;
	uint8_t *end = b + ip_len + (b[ip_len + 12] >> 4) * 4u;
	bool any = false;

	while (o < end && *o) {
		uint8_t len = *o == 1 ? 1 : o[1];

		if (*o != 1 && is(o, arg)) {
			memset(o, 1, len);
			any = true;
		}
		o += len;
	}
	mpair_fix(p->pkt);
	return any;
}

static bool is_mptcp(const uint8_t *opt, uint32_t subtypes)
{
	return opt[0] == MP_OPT_KIND && (subtypes & MP_HAVE(opt[2] >> 4));
}

static bool is_kind(const uint8_t *opt, uint32_t kind)
{
	return opt[0] == kind;
}

void mpair_strip(struct mpair_pkt *p, uint32_t subtypes)
{
	strip(p, is_mptcp, subtypes);
}

bool mpair_strip_eno(struct mpair_pkt *p)
{
	return strip(p, is_kind, ENO_OPT_KIND);
}

uint8_t *mpair_payload(struct mpair_pkt *p)
{
	return p->pkt->data + (p->pkt->len - p->seg.len);
}

void mpair_inject(struct mpair *p, unsigned to, const struct tuple *t,
		  uint32_t seq, uint32_t ack, uint8_t flags, uint16_t wnd,
		  const uint8_t *opt, unsigned opt_len, const uint8_t *data,
		  unsigned len)
{
	uint8_t b[2048];
	struct wr w = wr_make(b, sizeof(b));
	unsigned pad = (opt_len + 3) & ~3u, total = TCP_HDR_LEN + pad + len;
	struct tcp_hdr h = { .sport = t->local.port, .dport = t->remote.port,
			     .seq = seq, .ack = ack, .flags = flags,
			     .wnd = wnd };
	struct ip_hdr ih = { .src = t->local.addr, .dst = t->remote.addr,
			     .proto = IP_PROTO_TCP, .ttl = 64 };
	struct pkt *k;
	int dev = path_of(&p->end[to], &t->remote.addr);

	check(dev >= 0);
	ip_hdr_emit(&w, &ih, total);
	tcp_hdr_emit(&w, &h, pad);
	wr_copy(&w, opt, opt_len);
	for (unsigned i = opt_len; i < pad; i++) {
		wr_u8(&w, 1);
	}
	wr_copy(&w, data, len);
	check(w.ok);
	k = wirepkt_make(b, (uint32_t)wr_len(&w), (uint16_t)dev);
	mpair_fix(k);
	wire_add(p, p->now, to, k);
}
