/* What hosts send, segment by segment, before the net touches it: whose
 * connection that is, and what it says about its streams.  See watch.h.
 */
#include "tests/sim/watch.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/ip_hdr.h"

/* 2^64 to one against finding this in a ciphertext octet */
const uint8_t watch_mark[8] = {
	0xd1, 0x3c, 0x9e, 0x57, 0x60, 0xb8, 0x0f, 0xe5
};

void watch_init(struct world *w)
{
	seal_init(w);
	if (w->crypted) {
		w->watch = calloc(1, sizeof(*w->watch));
		check(w->watch);
	}
	for (unsigned i = 0; w->watch && i < 2 * SIM_CONNS_MAX; i++) {
		struct stream *s = &w->watch->conn[i / 2].side[i % 2].stream;

		s->w = w;
		s->conn = i / 2;
		s->side = i % 2;
	}
}

void watch_fini(struct world *w)
{
	struct watch *a = w->watch;

	seal_fini();
	if (!a) {
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(a->bucket); i++) {
		while (a->bucket[i]) {
			struct flow *f = a->bucket[i];

			a->bucket[i] = f->next;
			free(f);
		}
	}
	for (unsigned i = 0; i < SIM_CONNS_MAX; i++) {
		stream_fini(&a->conn[i].side[0].stream);
		stream_fini(&a->conn[i].side[1].stream);
	}
	free(a);
	w->watch = NULL;
}

struct watch_conn *watch_of(const struct conn *c)
{
	return &c->w->watch->conn[c->index];
}

/* --- whose segment -------------------------------------------------------- */

static unsigned hash_of(const struct endpoint *a, const struct endpoint *b)
{
	size_t n = addr_len(&a->addr) - 1;

	/* the same for both directions */
	return (a->port * 31u + b->port * 31u +
		(a->addr.b[n - 1] ^ b->addr.b[n - 1])) &
	       255;
}

static struct flow *find(struct watch *a, const struct endpoint *from,
			 const struct endpoint *to)
{
	struct flow *f = a->bucket[hash_of(from, to)];

	for (; f; f = f->next) {
		if ((endpoint_eq(&f->a, from) && endpoint_eq(&f->b, to)) ||
		    (endpoint_eq(&f->a, to) && endpoint_eq(&f->b, from))) {
			return f;
		}
	}
	return NULL;
}

static struct flow *flow_of(struct watch *a, const struct tcp_seg *seg)
{
	return find(a, &seg->t.remote, &seg->t.local);
}

/* who opens with this SYN; newest first, since ports are used again */
static struct conn *opened_by(struct host *h, const struct tcp_seg *seg)
{
	struct world *w = h->w;

	for (unsigned i = w->n_conns; i-- > 0;) {
		struct conn *c = &w->conn[i];

		if (c->started && !c->simultaneous && c->side[0].host == h &&
		    c->local_port == seg->t.remote.port &&
		    c->port == seg->t.local.port &&
		    addr_eq(&c->from, &seg->t.remote.addr) &&
		    addr_eq(&c->to, &seg->t.local.addr)) {
			return c;
		}
	}
	return NULL;
}

/* the connection whose side !*joiner has this token */
static struct conn *joined_by(struct host *h, uint32_t token, unsigned *joiner)
{
	struct world *w = h->w;
	struct conn *found = NULL;
	uint32_t last = 0;

	for (unsigned i = 0; i < w->n_conns; i++) {
		struct conn *c = &w->conn[i];

		for (unsigned k = 0; k < 2; k++) {
			const struct watch_side *s = &watch_of(c)->side[!k];

			if (s->has_key > last && s->token == token &&
			    c->side[k].host == h) {
				*joiner = k;
				last = s->has_key;
				found = c;
			}
		}
	}
	return found;
}

static bool is_join(const struct tcp_seg *seg)
{
	return seg->opts.mp.have & MP_HAVE(MP_OPT_JOIN);
}

static void open_flow(struct host *h, const struct tcp_seg *seg)
{
	struct watch *a = h->w->watch;
	struct flow *f = flow_of(a, seg);
	unsigned side = 0, at = hash_of(&seg->t.remote, &seg->t.local);
	struct conn *c = is_join(seg)
				 ? joined_by(h, seg->opts.mp.join.token, &side)
				 : opened_by(h, seg);

	if (f && f->has_iss[0] && f->iss[0] == seg->seq) {
		return; /* once more */
	}
	if (!c) {
		return; /* a simultaneous open: not looked at */
	}
	if (!f && a->n_flows == WATCH_FLOWS) {
		world_fail(h->w, "conn %u: joins without a pause", c->index);
		return;
	}
	if (!f) {
		a->n_flows++;
		f = calloc(1, sizeof(*f));
		check(f);
		f->next = a->bucket[at];
		a->bucket[at] = f;
	}
	f->a = seg->t.remote;
	f->b = seg->t.local;
	f->conn = c;
	f->first = !is_join(seg);
	f->a_side = side;
	f->has_iss[0] = true;
	f->has_iss[1] = false;
	f->iss[0] = seg->seq;
	watch_of(c)->joins += is_join(seg);
	if (is_join(seg)) {
		rules_join(c, side);
	}
	if (is_join(seg) && !net_path_of(h->w, &seg->t.local.addr)) {
		world_fail(h->w,
			   "conn %u: a join to an address that only an "
			   "attacker announced",
			   c->index);
	}
}

/* the end of the flow that sent this: 0, who opened it */
static unsigned end_of(const struct flow *f, const struct tcp_seg *seg)
{
	return endpoint_eq(&f->a, &seg->t.remote) ? 0 : 1;
}

/* ... as a side of the connection */
static unsigned side_of(const struct flow *f, unsigned end)
{
	return end ? !f->a_side : f->a_side;
}

/* The other end still answers the connection that had the ports before: its
 * SYN/ACK acknowledges another SYN than the one that has arrived. */
static bool before_flow(const struct flow *f, unsigned end,
			const struct tcp_seg *seg)
{
	const struct expect *x = &watch_of(f->conn)->x;

	return f->first && end == 1 && (seg->flags & TCP_SYN) &&
	       (!x->syn_in.there || seg->ack != x->irs[1] + 1);
}

/* --- keys ----------------------------------------------------------------- */

static void learn_key(struct watch *a, struct watch_side *s, uint64_t key)
{
	uint8_t in[8], out[SHA256_DIGEST_LENGTH];

	be64_put(in, key);
	SHA256(in, sizeof(in), out);
	s->has_key = ++a->n_keys;
	s->key = key;
	s->token = be32_get(out);
	s->idsn = be64_get(out + 24);
}

static void learn(struct watch *a, struct watch_conn *w, unsigned side,
		  const struct tcp_seg *seg)
{
	const struct mp_opt_capable *m = &seg->opts.mp.capable;

	if ((seg->opts.mp.have & MP_HAVE(MP_OPT_CAPABLE)) && m->len >= 12 &&
	    !w->side[side].has_key) {
		learn_key(a, &w->side[side], m->key_snd);
	}
}

/* --- octets --------------------------------------------------------------- */

static uint64_t dsn_off(const struct watch_side *s, uint64_t dsn, bool full,
			uint64_t near)
{
	if (!full) {
		dsn = mp_opt_extend((uint32_t)dsn, s->idsn + 1 + near);
	}
	return dsn - s->idsn - 1;
}

/* [*lo, *hi): what the segment maps; false: it declares nothing finite */
static bool mapping(const struct watch_side *s, const struct tcp_seg *seg,
		    uint64_t *lo, uint64_t *hi, uint32_t *ssn)
{
	const struct mp_opts *m = &seg->opts.mp;

	if (m->have & MP_HAVE(MP_OPT_DSS) && m->dss.map && !m->dss.infinite) {
		*lo = dsn_off(s, m->dss.dsn, m->dss.dsn8, s->stream.seen);
		*hi = *lo + m->dss.data_len;
		*ssn = m->dss.ssn;
		return true;
	}
	if (m->have & MP_HAVE(MP_OPT_CAPABLE) && m->capable.len >= 22) {
		*lo = 0;
		*hi = m->capable.data_len;
		*ssn = 1;
		return true;
	}
	return false;
}

static void sealed_out(struct flow *f, unsigned end, const struct tcp_seg *seg)
{
	unsigned side = side_of(f, end);
	struct watch_conn *w = watch_of(f->conn);
	struct watch_side *s = &w->side[side];
	struct stream *st = &s->stream;
	uint32_t at = seg->seq - f->iss[end], ssn;
	uint64_t lo, hi;
	bool fin;

	if (!mapping(s, seg, &lo, &hi, &ssn)) {
		if (seg->len == 0) {
			return;
		}
		if (!f->first) {
			world_fail(f->conn->w,
				   "conn %u: data without a mapping on a "
				   "subflow that was joined",
				   f->conn->index);
			return;
		}
		st->single = true;
		stream_put(st, at - 1, seg->data, seg->len);
		return;
	}
	fin = seg->opts.mp.have & MP_HAVE(MP_OPT_DSS) && seg->opts.mp.dss.fin;
	if (fin) {
		hi--;
		st->has_fin = true;
		st->fin = hi;
	}
	stream_mapped(st, lo, hi);
	if (seg->len == 0) {
		return;
	}
	if (at < ssn || at + seg->len > ssn + (hi - lo)) {
		world_fail(f->conn->w,
			   "conn %u %s: a segment reaches beyond the mapping "
			   "that it declares",
			   f->conn->index, side ? "server" : "client");
		return;
	}
	stream_put(st, lo + (at - ssn), seg->data, seg->len);
}

static void data_ack_out(struct flow *f, unsigned side,
			 const struct tcp_seg *seg)
{
	struct watch_side *peer = &watch_of(f->conn)->side[!side];
	const struct mp_opt_dss *d = &seg->opts.mp.dss;

	/* with another key the peer's numbers are others */
	if (peer->has_key && !watch_of(f->conn)->x.key_touched &&
	    (seg->opts.mp.have & MP_HAVE(MP_OPT_DSS)) && d->ack &&
	    !(seg->flags & TCP_RST)) {
		stream_data_ack(&peer->stream,
				dsn_off(peer, d->data_ack, d->ack8,
					peer->stream.opened));
	}
}

static bool readable(const struct tcp_seg *seg)
{
	return seg->len >= sizeof(watch_mark) &&
	       memmem(seg->data, seg->len, watch_mark, sizeof(watch_mark));
}

/* Without an ENO option of its own there is nothing to decide: data may be in
 * the SYN already, or behind the SYN/ACK (RFC 7413). */
static bool asks(const struct watch_conn *w, unsigned side)
{
	return side ? w->x.sa_out.eno_n > 0 : w->x.syn_out.eno_n > 0;
}

static void readable_out(struct conn *c, unsigned side, bool mark)
{
	struct watch_conn *w = watch_of(c);
	enum expect_state st = w->x.state[side];

	if (!mark && side == 1 && expect_stateless(c) && st != EXPECT_SEALED) {
		return;
	}
	w->side[side].spoke = true;
	if (st == EXPECT_SEALED ||
	    expect_policy(c, side) >= MP_CRYPT_REQUIRE_ANY) {
		world_fail(c->w,
			   "conn %u %s: %s on the wire of a %s connection",
			   c->index, side ? "server" : "client",
			   mark ? "the program's octets" : "plain octets",
			   st == EXPECT_SEALED ? "sealed" : "refused");
	} else if (st == EXPECT_ASKING && !w->x.murky && asks(w, side)) {
		world_fail(c->w,
			   "conn %u %s: octets before the handshake decided",
			   c->index, side ? "server" : "client");
	}
}

static void payload_out(struct flow *f, unsigned end, const struct tcp_seg *seg)
{
	struct conn *c = f->conn;
	unsigned side = side_of(f, end);
	struct watch_conn *w = watch_of(c);

	if (w->x.state[side] == EXPECT_SEALED) {
		w->side[side].stream.phases = w->x.sm;
		if (w->side[side].spoke) {
			world_fail(c->w, "conn %u: readable first, then sealed",
				   c->index);
		}
		if (readable(seg)) {
			readable_out(c, side, true);
			return;
		}
		if (w->x.sm) {
			rules_options(c, side, seg);
		}
		sealed_out(f, end, seg);
		data_ack_out(f, side, seg);
	} else if (seg->len > 0) {
		readable_out(c, side, readable(seg));
	}
}

/* --- segments ------------------------------------------------------------- */

static bool parse(const struct pkt *p, bool trust, struct tcp_seg *seg)
{
	struct ip_hdr ip;

	return ip_hdr_parse(p->data, p->len, &ip) == IP_HDR_OK &&
	       ip.proto == IP_PROTO_TCP &&
	       tcp_hdr_parse(&ip, trust, seg) == TCP_HDR_OK;
}

void watch_out(struct host *h, const struct pkt *p)
{
	struct watch *a = h->w->watch;
	struct tcp_seg seg;
	struct flow *f;
	unsigned end;

	if (!a || !parse(p, true, &seg)) {
		return;
	}
	if ((seg.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		open_flow(h, &seg);
	}
	f = flow_of(a, &seg);
	if (!f) {
		return;
	}
	end = end_of(f, &seg);
	if (before_flow(f, end, &seg)) {
		return;
	}
	if (seg.flags & TCP_SYN) {
		f->has_iss[end] = true;
		f->iss[end] = seg.seq;
		if (seg.len && seg.opts.eno.n) {
			world_fail(h->w, "conn %u: data in a SYN with ENO",
				   f->conn->index);
		}
	}
	if (f->first) {
		expect_out(f->conn, side_of(f, end), &seg);
		learn(a, watch_of(f->conn), side_of(f, end), &seg);
	} else if (seg.opts.eno.n) {
		world_fail(h->w, "conn %u: ENO on a subflow that was joined",
			   f->conn->index);
	}
	if (seg.flags & TCP_RST) {
		watch_of(f->conn)->bad_resets +=
			seg.opts.mp.have & MP_HAVE(MP_OPT_TCPRST) &&
			seg.opts.mp.rst_reason == MP_RST_MIDDLEBOX;
		return;
	}
	if (f->has_iss[end]) {
		payload_out(f, end, &seg);
	}
}

void watch_in(struct host *h, const struct pkt *p)
{
	struct watch *a = h->w->watch;
	struct tcp_seg seg;
	struct flow *f;

	if (!a || !parse(p, true, &seg)) {
		return;
	}
	f = flow_of(a, &seg);
	if (f && f->first &&
	    f->conn->side[!side_of(f, end_of(f, &seg))].host == h &&
	    parse(p, false, &seg)) {
		expect_in(f->conn, !side_of(f, end_of(f, &seg)), &seg);
	}
}

struct conn *watch_conn(struct world *w, const struct tcp_seg *seg)
{
	struct flow *f = w->watch ? flow_of(w->watch, seg) : NULL;

	return f ? f->conn : NULL;
}

struct conn *watch_sealed(struct world *w, const struct tcp_seg *seg)
{
	struct conn *c = watch_conn(w, seg);
	const struct expect *x = c ? &watch_of(c)->x : NULL;

	return x && !x->murky && x->state[0] == EXPECT_SEALED &&
			       x->state[1] == EXPECT_SEALED
		       ? c
		       : NULL;
}
