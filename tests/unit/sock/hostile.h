/* hostile.h - of test_hostile.c: the world of two stacks, its wire, and segments
 * forged by someone who knows every key and number
 */
#ifndef TESTS_UNIT_SOCK_HOSTILE_H
#define TESTS_UNIT_SOCK_HOSTILE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"
#include "stack/tcp/tcb.h"
#include "stack/wire/cksum.h"
#include "tests/lib/fake.h"
#include "tests/lib/wirepkt.h"

#define WIRE    400
#define SOCKS   24
#define PATHS   3
#define OPT_LEN TCP_HDR_OPT_MAX
#define PAYLOAD 65000
#define TURNS   20000 /* more than that without end is a spin */
#define RUNS    150
#define STEPS   3000
#define ENDS_IN (3000 * NANOS_S)

struct end {
	struct fake fake;
	struct stack *s;
	struct sock *sk[SOCKS];
	struct addr a[PATHS], a6[PATHS];
};

static struct {
	uint64_t seed;
	struct end end[2];
	struct instant now;
	struct rng rng;
	/* who chooses instead of rng, below n; NULL: rng does */
	uint64_t (*choose)(uint64_t n);
	/* NULL, or what differs from the configuration of end i */
	void (*configure)(unsigned i, struct stack_cfg *cfg);
	enum mp_crypt_policy crypt;
	struct hash *hash;
	struct pkt *wire[WIRE];
	uint8_t to[WIRE];
	unsigned n_wire;
	unsigned manner; /* of the forged segments: 0 wild, 3 nearly tame */
	bool cut;
} w;

/* a segment being forged, and what it aims at */
struct aim {
	unsigned to;
	struct mp_conn *c;
	struct mp_sub *s;
	struct tcb *t;
	uint32_t seq, len;
	uint8_t flags;
	uint8_t *data;
};

static uint64_t rnd(uint64_t n)
{
	return w.choose ? w.choose(n) : rng_below(&w.rng, n);
}

static bool pct(unsigned p)
{
	return rnd(100) < p;
}

/* v, or near it */
static uint64_t near(uint64_t v, uint64_t span)
{
	switch (rnd(10)) {
	case 0:
		return v + rnd(span);
	case 1:
		return v - rnd(span);
	case 2:
		return v + rnd(4);
	case 3:
		return v - rnd(4);
	default:
		return v;
	}
}

/* --- the wire -------------------------------------------------------------- */

static void enqueue(void *ctx, struct pkt *p)
{
	const struct end *from = ctx;

	if (w.cut || w.n_wire == WIRE) {
		pkt_put(p);
		return;
	}
	w.to[w.n_wire] = from == &w.end[0];
	w.wire[w.n_wire++] = p;
}

static void input(unsigned to, struct pkt *p)
{
	bool v4 = p->data[0] >> 4 == 4;
	struct addr dst =
		v4 ? addr_from(4, p->data + 16) : addr_from(6, p->data + 24);
	int path = ip_path_of(w.end[to].s->ip, &dst);

	if (path < 0) {
		pkt_put(p);
		return;
	}
	p->dev = (uint16_t)path;
	p->csum_ok = true;
	stack_input(w.end[to].s, w.now, p);
}

static void drain_one(struct end *e)
{
	struct stack_event ev;
	struct pkt_out out[8];
	unsigned n, turns = 0;

	do {
		while (stack_event(e->s, &ev)) {
		}
		n = stack_output(e->s, w.now, out, ARRAY_SIZE(out));
		for (unsigned i = 0; i < n; i++) {
			wirepkt_split(&out[i], 0, enqueue, e);
		}
		assert_true(++turns < TURNS);
	} while (n == ARRAY_SIZE(out) || stack_wants_output(e->s));
}

static void drain(void)
{
	drain_one(&w.end[0]);
	drain_one(&w.end[1]);
}

static struct pkt *take(unsigned i, unsigned *to)
{
	struct pkt *p = w.wire[i];

	*to = w.to[i];
	w.n_wire--;
	memmove(&w.wire[i], &w.wire[i + 1], (w.n_wire - i) * sizeof(w.wire[0]));
	memmove(&w.to[i], &w.to[i + 1], w.n_wire - i);
	return p;
}

/* one field, flag, option or octet of a TCP segment */
static void alter(struct pkt *p)
{
	uint8_t *ip = p->data;
	unsigned hl = ip[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN, ol;
	uint8_t *t = ip + hl;

	if (p->len < hl + TCP_HDR_LEN) {
		return;
	}
	ol = min_u32((t[12] >> 4) * 4u, p->len - hl);
	ol = ol > TCP_HDR_LEN ? ol - TCP_HDR_LEN : 0;
	switch (rnd(7)) {
	case 0:
		be32_put(t + 4, (uint32_t)near(be32_get(t + 4), 5000));
		break;
	case 1:
		be32_put(t + 8, (uint32_t)near(be32_get(t + 8), 5000));
		break;
	case 2:
		t[13] ^= (uint8_t)(1u << rnd(8));
		break;
	case 3:
		be16_put(t + 14, (uint16_t)rnd(65536));
		break;
	case 4:
		t[ol ? TCP_HDR_LEN + rnd(ol) : 15] = (uint8_t)rnd(256);
		break;
	case 5:
		memset(t + TCP_HDR_LEN, 1, ol);
		break;
	default:
		t[rnd(p->len - hl)] ^= (uint8_t)(1u << rnd(8));
		break;
	}
}

static void deliver(void)
{
	struct pkt *p;
	unsigned to;

	if (!w.n_wire) {
		return;
	}
	p = take(pct(80) ? 0 : (unsigned)rnd(w.n_wire), &to);
	if (pct(3)) {
		pkt_put(p);
		return;
	}
	if (pct(4)) {
		w.wire[w.n_wire] = wirepkt_make(p->data, p->len, 0);
		w.to[w.n_wire++] = (uint8_t)to;
	}
	if (pct(w.manner ? 1 : 4)) {
		alter(p);
	}
	input(to, p);
}

/* --- forged segments ---------------------------------------------------------- */

static void opt_capable(struct wr *o, const struct aim *m)
{
	static const uint8_t lens[] = { 4, 12, 20, 22, 24 };
	const struct mp_keys *k = &m->c->keys;
	struct mp_opt_capable c = { .version = pct(90) ? 1 : 0,
				    .flags = MP_CAP_SHA256,
				    .len = lens[rnd(ARRAY_SIZE(lens))],
				    .key_snd = k->remote,
				    .key_rcv = k->local };

	c.flags |= m->c->checksum ? MP_CAP_CSUM : 0;
	c.flags |= pct(10) ? (uint8_t)rnd(256) : 0;
	c.key_snd ^= pct(5);
	c.data_len = (uint16_t)(pct(50) ? m->len : rnd(3000));
	c.csum = (uint16_t)rnd(65536);
	if (pct(50)) {
		c.csum = mp_opt_dss_csum(
			k->idsn_remote + 1, 1, c.data_len,
			cksum_add(0, m->data, min_u32(c.data_len, m->len)));
	}
	mp_opt_emit_capable(o, &c);
}

static void opt_join(struct wr *o, const struct aim *m)
{
	static const uint8_t lens[] = { 12, 16, 24 };
	const struct mp_keys *k = &m->c->keys;
	struct mp_mac_key key;
	uint8_t mac[32];
	struct mp_opt_join j = { .len = lens[rnd(ARRAY_SIZE(lens))],
				 .backup = pct(20),
				 .addr_id = (uint8_t)rnd(10),
				 .token = k->token_local,
				 .nonce = m->s->join.nonce_remote };

	mp_keys_mac_key(&key, k->remote, k->local);
	mp_keys_join_mac(w.hash, &key, j.nonce, m->s->join.nonce_local, mac);
	memcpy(j.mac, mac, sizeof(j.mac));
	j.mac[0] ^= pct(10);
	j.nonce ^= pct(30);
	mp_opt_emit_join(o, &j);
}

static void opt_add_addr(struct wr *o, const struct aim *m)
{
	const struct end *whose = &w.end[rnd(2)];
	struct mp_opt_add_addr a = { .echo = pct(30),
				     .id = (uint8_t)rnd(12),
				     .port = (uint16_t)(pct(20) ? rnd(65536)
								: 0) };

	a.addr = pct(50)   ? whose->a[rnd(PATHS)]
		 : pct(60) ? whose->a6[rnd(PATHS)]
			   : addr_v4(10, 9, (uint8_t)rnd(4), (uint8_t)rnd(256));
	if (pct(85)) {
		struct mp_mac_key key;

		mp_keys_mac_key(&key, m->c->keys.remote, m->c->keys.local);
		mp_keys_addr_mac(w.hash, &key, a.id, &a.addr, a.port, a.mac);
	}
	mp_opt_emit_add_addr(o, &a);
}

static void opt_remove_addr(struct wr *o)
{
	uint8_t ids[6];
	unsigned n = 1 + (unsigned)rnd(ARRAY_SIZE(ids));

	for (unsigned i = 0; i < n; i++) {
		ids[i] = (uint8_t)rnd(pct(90) ? 8 : 256);
	}
	mp_opt_emit_remove(o, ids, n);
}

static void opt_dss(struct wr *o, const struct aim *m)
{
	const struct mp_conn *c = m->c;
	uint64_t sent = c->snd.nxt - c->snd.una;
	struct mp_opt_dss d = {
		.ack = pct(85),
		.ack8 = pct(50),
		.map = pct(!m->len    ? 15
			   : w.manner ? 99
				      : 85),
		.dsn8 = pct(60),
		.fin = pct(6),
		.has_csum = pct(c->checksum ? 97 : 2),
	};

	d.data_ack = c->keys.idsn_local + 1 + c->snd.una + rnd(sent + 1) +
		     (c->snd.fin_sent && pct(40));
	d.data_ack = pct(10) ? near(d.data_ack, 100000) : d.data_ack;
	d.dsn = near(c->keys.idsn_remote + 1 + c->rcv.nxt +
			     (pct(30) ? rnd(20000) : 0),
		     pct(50) ? 3000 : 100000);
	d.dsn = pct(1) ? rng_u64(&w.rng) : d.dsn;
	d.ssn = (uint32_t)near(m->seq - m->t->rcv.irs, 3000);
	d.data_len = (uint16_t)(m->len + d.fin);
	if (pct(w.manner ? 5 : 15)) {
		d.data_len = (uint16_t)rnd(pct(50) ? 65536 : 3000);
	}
	if (d.fin && pct(50)) { /* alone */
		d.map = true;
		d.data_len = 1;
		d.ssn = 0;
	}
	if (d.data_len == 0 && pct(90)) { /* not infinite */
		d.data_len = 1;
	}
	d.csum = mp_opt_dss_csum(d.dsn, d.ssn, d.data_len,
				 cksum_add(0, m->data,
					   min_u32(d.data_len, m->len)));
	d.csum ^= pct(10);
	mp_opt_emit_dss(o, &d);
}

static void opt_mptcp(struct wr *o, const struct aim *m)
{
	switch (rnd(w.manner ? 60 : 22)) {
	case 0:
		opt_capable(o, m);
		break;
	case 1:
		opt_join(o, m);
		break;
	case 2:
	case 3:
		opt_add_addr(o, m);
		break;
	case 4:
		opt_remove_addr(o);
		break;
	case 5:
		mp_opt_emit_prio(o, pct(50));
		break;
	case 6:
		if (pct(40)) {
			mp_opt_emit_fail(o, near(m->c->keys.idsn_remote + 1 +
							 m->c->rcv.nxt,
						 3000));
		}
		break;
	case 7:
		if (pct(15)) {
			mp_opt_emit_fastclose(o, m->c->keys.local ^ pct(30));
		}
		break;
	case 8:
		mp_opt_emit_rst(o, pct(50), (uint8_t)rnd(8));
		break;
	default:
		opt_dss(o, m);
		break;
	}
}

static void opt_sack(struct wr *o, const struct aim *m)
{
	uint32_t una = m->t->rec.sent.una, mss = tcb_mss(m->t);
	uint32_t span = m->t->rec.sent.nxt - una + 10;
	struct range32 b[TCP_HDR_SACK_MAX];
	unsigned n = 1 + (unsigned)rnd(TCP_HDR_SACK_MAX);

	for (unsigned i = 0; i < n; i++) {
		b[i].lo = una + (uint32_t)rnd(span);
		b[i].hi = b[i].lo + (uint32_t)rnd(3000);
		if (pct(50)) { /* whole segments */
			b[i].lo -= (b[i].lo - una) % mss;
			b[i].hi = b[i].lo + mss * (uint32_t)(1 + rnd(3));
		}
	}
	tcp_hdr_emit_sack(o, b, n);
}

static void forge_options(struct wr *o, const struct aim *m)
{
	if (m->flags & TCP_SYN) {
		tcp_hdr_emit_mss(o, (uint16_t)(pct(80) ? 1460 : rnd(2000)));
		if (pct(80)) {
			tcp_hdr_emit_sack_perm(o);
			tcp_hdr_emit_wscale(o, (uint8_t)rnd(16));
		}
	} else if (m->t->ts_ok && pct(90)) {
		tcp_hdr_emit_ts(o, m->t->ts.recent + (uint32_t)rnd(3),
				tcp_ts_val(&m->t->ts, w.now));
	}
	if (pct(w.manner ? 99 : 92)) {
		opt_mptcp(o, m);
	}
	if (pct(10)) {
		opt_mptcp(o, m);
	}
	if (pct(15)) {
		opt_sack(o, m);
	}
	while (w.manner == 0 && pct(50) && wr_left(o)) {
		wr_u8(o, (uint8_t)rnd(256));
	}
	tcp_hdr_pad(o);
}

static uint8_t forge_flags(const struct tcb *t)
{
	unsigned rare = w.manner ? 1 : 3;
	uint8_t f = TCP_ACK;

	if (t->fsm.state == TCP_SYN_SENT && pct(60)) {
		return TCP_SYN | TCP_ACK;
	}
	f |= pct(rare) ? TCP_FIN : 0;
	f |= pct(3) ? TCP_PSH : 0;
	f |= pct(2) ? TCP_URG : 0;
	f |= pct(1) ? TCP_SYN : 0;
	f |= pct(1) && !w.manner ? TCP_RST : 0;
	return pct(1) ? (uint8_t)rnd(256) : f;
}

static bool forge_aim(struct aim *m)
{
	struct mp *mp;
	unsigned n = 0;

	m->to = (unsigned)rnd(2);
	mp = w.end[m->to].s->mp;
	list_each (l, &mp->conns) {
		if (rnd(++n) == 0) {
			m->c = list_entry(l, struct mp_conn, all);
		}
	}
	n = 0;
	list_each (l, m->c ? &m->c->subs : &mp->dead) {
		if (m->c && rnd(++n) == 0) {
			m->s = list_entry(l, struct mp_sub, node);
		}
	}
	m->t = m->s ? m->s->tcb : NULL;
	return m->t != NULL;
}

/* puts the segment of m, with option octets o, on its way */
static void forge_send(const struct aim *m, const struct wr *o)
{
	const struct tuple *t = &m->t->entry.t;
	uint32_t una = tcb_una(m->t), sent = tcb_nxt(m->t) - una;
	unsigned ol = (unsigned)wr_len(o);
	uint8_t head[PKT_HDR_MAX];
	struct wr h = wr_make(head, sizeof(head));
	struct ip_hdr ip = { .src = t->remote.addr,
			     .dst = t->local.addr,
			     .proto = IP_PROTO_TCP,
			     .ttl = 64,
			     .df = true };
	struct tcp_hdr tcp = { .sport = t->remote.port,
			       .dport = t->local.port,
			       .seq = m->seq,
			       .ack = una + (uint32_t)rnd(sent + 1ull),
			       .flags = m->flags,
			       .urg = (uint16_t)rnd(65536) };
	struct pkt *p;

	tcp.ack = pct(3) ? (uint32_t)near(tcp.ack, 100000) : tcp.ack;
	tcp.wnd = (uint16_t)(pct(60) ? 65535 : pct(30) ? 0 : rnd(65536));
	ip_hdr_emit(&h, &ip, TCP_HDR_LEN + ol + m->len);
	tcp_hdr_emit(&h, &tcp, ol);
	wr_copy(&h, o->start, ol);
	memcpy(m->data - wr_len(&h), head, wr_len(&h));
	p = wirepkt_make(m->data - wr_len(&h), (uint32_t)wr_len(&h) + m->len,
			 0);
	p->gso_size = pct(20) ? 1000 : 0;
	input(m->to, p);
}

static void forge(void)
{
	static uint8_t buf[PKT_HDR_MAX + PAYLOAD];
	uint8_t opt[OPT_LEN];
	struct wr o = wr_make(opt, sizeof(opt));
	struct aim m = { .data = buf + PKT_HDR_MAX };

	if (!forge_aim(&m)) {
		return;
	}
	m.flags = forge_flags(m.t);
	m.len = (uint32_t)(m.flags & TCP_SYN || pct(40) ? 0
			   : pct(70)                    ? rnd(3000)
			   : pct(60)                    ? rnd(12)
							: rnd(60000));
	for (uint32_t i = 0; i < m.len; i += 97) {
		m.data[i] = (uint8_t)rnd(256);
	}
	m.seq = (uint32_t)near(m.t->rcv.nxt, pct(80) ? 4000 : 300000);
	forge_options(&o, &m);
	forge_send(&m, &o);
}

#endif
