/* core.h - of fuzz_core.c: how the two stacks are set up, and what the steps of
 * hostile_run.h seldom come to: transfers with losses, options that exist, ICMP,
 * fragments, SYNs from anywhere, Fast Open, connections at rest
 */
#ifndef TESTS_FUZZ_CORE_H
#define TESTS_FUZZ_CORE_H

#include "stack/wire/eno_opt.h"
#include "tests/unit/sock/hostile_run.h"

/* --- how both begin -------------------------------------------------------- */

static uint8_t core_how[3]; /* octets of the input */

static void core_crypt(struct stack_cfg *cfg, unsigned how)
{
	struct crypt_conf *c = &cfg->mp.crypt_conf;

	c->rekey_frames = how & 1 ? 8 : 0;
	c->nonce_len = 8;
	cfg->mp.crypt_apart = how & 2;
	cfg->mp.memo_mode = (enum mp_memo_mode)((how >> 2 & 3) % 3);
	cfg->memo_max = 2;
	cfg->crypt.cache_max = how & 16 ? 4 : 0;
}

static void core_configure(unsigned i, struct stack_cfg *cfg)
{
	static const char *const cc[4] = { "cubic", "bbr", "reno", "cubic" };
	unsigned a = core_how[0], b = core_how[1];

	cfg->congestion = cc[(a >> i) & 3];
	cfg->mtu_probing = (enum tcp_mtup_mode)((a >> 3 & 3) % 3);
	cfg->ecn = (enum tcp_ecn_mode)((a >> (5 + i) & 3) % 3);
	cfg->drop_fragments = (b & 7) == 7;
	if ((b >> 3 & 3) == 3) { /* Fast Open is for plain TCP */
		cfg->mp.policy = MP_OFF;
		cfg->mp.crypt_policy = MP_CRYPT_OFF;
	} else if ((b >> 3 & 3) == 2 && i) {
		cfg->mp.crypt_policy = (enum mp_crypt_policy)(b >> 5 & 3);
	}
	core_crypt(cfg, core_how[2]);
	cfg->rcvbuf = b & 0x80 ? 8192 : 0;
}

/* --- sockets --------------------------------------------------------------- */

static struct sock *core_sock(struct end **e)
{
	unsigned at = (unsigned)rnd(SOCKS);

	*e = &w.end[rnd(2)];
	for (unsigned i = 0; i < SOCKS; i++) {
		struct sock *sk = (*e)->sk[(at + i) % SOCKS];

		if (sk) {
			return sk;
		}
	}
	return NULL;
}

static struct sock **core_free(struct end *e)
{
	for (unsigned i = 1; i < SOCKS; i++) {
		if (!e->sk[i]) {
			return &e->sk[i];
		}
	}
	return NULL;
}

static void core_read_all(void)
{
	struct iov v[16];

	for (unsigned i = 0; i < 2 * SOCKS; i++) {
		struct sock *sk = w.end[i / SOCKS].sk[i % SOCKS];
		uint64_t all = 0;
		unsigned n;

		if (!sk) {
			continue;
		}
		n = sock_read_vec(sk, v, ARRAY_SIZE(v));
		for (unsigned k = 0; k < n; k++) {
			all += v[k].n;
		}
		if (all) {
			sock_read_done(sk, w.now, all);
		}
	}
}

static void core_fill(struct sock *sk, uint32_t most)
{
	struct iov_mut v[2];
	unsigned n = sock_write_vec(sk, most, v);
	uint32_t all = 0;

	for (unsigned i = 0; i < n; i++) {
		memset(v[i].p, 'y', v[i].n);
		all += (uint32_t)v[i].n;
	}
	if (n) {
		sock_write_done(sk, w.now, all);
	}
}

/* --- a transfer, of which every so many-th packet is lost, or all for a while - */

static void core_transfer(void)
{
	unsigned rounds = 1 + (unsigned)rnd(24), each = (unsigned)rnd(64);
	unsigned gap = (unsigned)rnd(8), seen = 0, to;
	bool ce = pct(10), reverse = pct(20), read = pct(90);
	uint32_t most = pct(50) ? 200000 : 1 + (uint32_t)rnd(3000);
	struct end *e;
	struct sock *sk = core_sock(&e);

	while (sk && rounds--) {
		core_fill(sk, most);
		drain();
		for (unsigned n = w.n_wire; n; n--) {
			unsigned at = reverse ? w.n_wire - 1 : 0;
			struct pkt *p = take(at, &to);

			if (each && ++seen % each < gap) {
				pkt_put(p);
				continue;
			}
			if (ce && p->data[0] >> 4 == 6 &&
			    p->data[1] & 0x30) {
				p->data[1] |= 0x30;
			}
			input(to, p);
		}
		if (read) {
			core_read_all();
		}
		drain();
		tick(instant_min(deadline(),
				 instant_add(w.now, 20 * NANOS_MS)));
	}
}

/* time goes by; what is sent arrives, or nothing does */
static void core_rest(void)
{
	unsigned turns = 1 + (unsigned)rnd(40), to;
	bool cut = pct(30);

	while (turns-- && !instant_never(deadline())) {
		tick(deadline());
		drain();
		while (w.n_wire) {
			struct pkt *p = take(0, &to);

			if (cut) {
				pkt_put(p);
			} else {
				input(to, p);
			}
		}
		drain();
	}
}

/* --- options that exist -------------------------------------------------------- */

static const struct {
	uint16_t level;
	uint8_t from, to;
} core_levels[] = {
	{ LX_SOL_SOCKET, 1, 90 }, { LX_IPPROTO_TCP, 1, 46 },
	{ LX_IPPROTO_TCP, 1, 46 }, { LX_IPPROTO_IP, 1, 52 },
	{ LX_IPPROTO_IPV6, 1, 80 }, { LX_SOL_MPTCP, 1, 9 },
};

static void core_set(struct sock *sk, int level, int name)
{
	static const char *const words[] = { "cubic", "bbr", "reno", "tls" };
	uint8_t val[64] = { 0 };
	int v[3] = { (int)rnd(4), (int)rnd(100), (int)rnd(70000) };
	uint32_t len = 4;

	memcpy(val, &v[rnd(3)], 4);
	switch (rnd(8)) {
	case 0:
		len = 16;
		memset(val, 0, 16);
		strcpy((char *)val, words[rnd(4)]);
		break;
	case 1: /* SO_LINGER, a rate */
		len = 8;
		val[4] = (uint8_t)rnd(4);
		break;
	case 2:
		len = (uint32_t)rnd(sizeof(val));
		memset(val, (int)rnd(256), sizeof(val));
		break;
	case 3:
		val[3] ^= 0x80;
		break;
	default:
		break;
	}
	sock_setopt(sk, w.now, level, name, val, len);
}

static void core_option(void)
{
	unsigned k = (unsigned)rnd(ARRAY_SIZE(core_levels));
	int level = core_levels[k].level;
	int name = core_levels[k].from +
		   (int)rnd(core_levels[k].to - core_levels[k].from + 1u);
	uint8_t got[400];
	uint32_t len = pct(90) ? sizeof(got) : (uint32_t)rnd(sizeof(got));
	struct end *e;
	struct sock *sk = core_sock(&e);

	if (level == LX_SOL_MPTCP && name > LX_MPTCP_INFO) {
		name += LX_MPTCP_PRIVATE - 1;
	}
	if (sk && pct(70)) {
		core_set(sk, level, name);
	} else if (sk) {
		sock_getopt(sk, w.now, level, name, got, &len);
	}
}

/* --- everything that can be asked ------------------------------------------------ */

static void core_count(void *ctx, const char *name, const char *text,
		       uint64_t value)
{
	(void)value;
	must(name && text && *(unsigned *)ctx < 1000);
	++*(unsigned *)ctx;
}

static void core_info(void *ctx, const struct mp_info *info)
{
	(void)ctx;
	must(info);
}

static void core_ask(void)
{
	struct end *e;
	struct sock *sk = core_sock(&e), **other = core_free(e);
	unsigned n = 0;
	struct endpoint to = endpoint_make(e->a[rnd(PATHS)], 80);

	stack_counters(e->s, core_count, &n);
	stack_each_conn(e->s, core_info, NULL);
	stack_set_obituary(e->s, core_info, NULL);
	stack_set_refused(e->s, core_info, NULL);
	stack_timewait(e->s);
	stack_recall(w.end[e == &w.end[0]].s, &to, (enum mp_sec)rnd(3), w.now);
	stack_idle(e->s);
	if (!sk) {
		return;
	}
	must(sock_find(e->s, sock_id(sk)) == sk && sock_stack(sk) == e->s);
	must(sock_read_len(sk) == 0 || !sock_read_eof(sk));
	must(sock_outq_unsent(sk) <= sock_outq(sk));
	sock_connected(sk);
	sock_error_peek(sk);
	sock_linger_zero(sk);
	if (other && pct(30)) {
		*other = sock_heir(sk);
	}
	if (e->sk[0] && pct(20)) { /* another listener of the same place */
		sk = sock_accept(e->sk[0], w.now);
		if (sk) {
			sock_pass_on(e->sk[0], sk);
		}
	}
}

/* --- packets that belong to nobody, or quote what was sent ------------------------ */

static void core_put(unsigned to, const struct ip_hdr *h, const uint8_t *body,
		     uint32_t n)
{
	static uint8_t buf[IP6_HDR_LEN + 4096];
	struct wr o = wr_make(buf, sizeof(buf));

	ip_hdr_emit(&o, h, n);
	wr_copy(&o, body, n);
	must(o.ok);
	input(to, wirepkt_make(buf, (uint32_t)wr_len(&o), 0));
}

static void core_icmp(void)
{
	static const uint8_t v4[][2] = { { 3, 0 }, { 3, 1 },  { 3, 2 },
					 { 3, 3 }, { 3, 4 },  { 3, 13 },
					 { 4, 0 }, { 11, 0 }, { 12, 0 },
					 { 3, 4 }, { 8, 0 } };
	static const uint8_t v6[][2] = { { 1, 0 }, { 1, 3 }, { 1, 4 },
					 { 2, 0 }, { 3, 0 }, { 4, 1 },
					 { 4, 0 }, { 2, 0 }, { 128, 0 },
					 { 1, 1 }, { 2, 0 } };
	uint8_t quoted[128], body[256];
	struct wr q = wr_make(quoted, sizeof(quoted));
	struct wr o = wr_make(body, sizeof(body));
	struct aim m = { 0 };
	unsigned k = (unsigned)rnd(ARRAY_SIZE(v4));
	struct icmp_msg i = { .kind = ICMP_OTHER, .body = quoted };
	const struct tuple *t;
	struct ip_hdr h;

	if (!forge_aim(&m)) {
		return;
	}
	t = &m.t->entry.t;
	h = (struct ip_hdr){ .src = t->local.addr,
			     .dst = t->remote.addr,
			     .proto = IP_PROTO_TCP,
			     .ttl = 60 };
	ip_hdr_emit(&q, &h, 1400);
	tcp_hdr_emit(&q,
		     &(struct tcp_hdr){ .sport = t->local.port,
					.dport = t->remote.port,
					.seq = (uint32_t)near(tcb_una(m.t),
							      3000),
					.flags = TCP_ACK },
		     0);
	i.body_len = pct(90) ? (uint32_t)wr_len(&q) : (uint32_t)rnd(60);
	i.body_len = min_u32(i.body_len, (uint32_t)wr_len(&q));
	i.type = h.src.family == 6 ? v6[k][0] : v4[k][0];
	i.code = h.src.family == 6 ? v6[k][1] : v4[k][1];
	i.rest = pct(70) ? 1200 + (uint32_t)rnd(400) : (uint32_t)rnd(1200);
	h.dst = h.src;
	h.src = pct(50) ? t->remote.addr
			: h.dst.family == 6
				  ? addr_from(6, (uint8_t[16]){ 0x20, 1, [15] = 7 })
				  : addr_v4(192, 0, 2, (uint8_t)rnd(255) | 1);
	h.proto = h.dst.family == 6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	if (icmp_msg_emit(&o, &h, &i)) {
		core_put(m.to, &h, body, (uint32_t)wr_len(&o));
	}
}

/* one of the packets that are on their way, cut; maybe not all of it arrives */
static void core_fragments(void)
{
	unsigned to = 0, step = 8u << rnd(8), lost = pct(20) ? 2 : 999;
	struct pkt *p = w.n_wire ? take((unsigned)rnd(w.n_wire), &to) : NULL;
	uint32_t hdr, off = 0, n;
	static uint8_t b[66000];

	if (!p) {
		return;
	}
	hdr = p->data[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	while (off < p->len - hdr) {
		bool more = step < p->len - hdr - off;
		uint32_t gap = hdr == IP6_HDR_LEN ? 8 : 0;

		n = more ? step : p->len - hdr - off;
		memcpy(b, p->data, hdr);
		memcpy(b + hdr + gap, p->data + hdr + off, n);
		if (gap) {
			memset(b + hdr, 0, 8);
			b[hdr] = b[6];
			b[6] = 44;
			be16_put(b + 4, (uint16_t)(n + 8));
			be16_put(b + hdr + 2, (uint16_t)(off | more));
			b[hdr + 7] = (uint8_t)rnd(3);
		} else {
			be16_put(b + 2, (uint16_t)(hdr + n));
			be16_put(b + 4, 77);
			be16_put(b + 6, (uint16_t)(off / 8 | (more ? 0x2000u : 0)));
			be16_put(b + 10, 0);
			be16_put(b + 10, cksum_finish(cksum_add(0, b, hdr)));
		}
		if (lost--) {
			input(to, wirepkt_make(b, hdr + gap + n, 0));
		}
		off += n;
	}
	pkt_put(p);
}

/* a protocol, a header or a length that nobody has */
static void core_odd(void)
{
	unsigned to = (unsigned)rnd(2), n = (unsigned)rnd(64);
	bool v6 = pct(50);
	struct end *us = &w.end[to], *them = &w.end[!to];
	struct ip_hdr h = { .src = v6 ? them->a6[0] : them->a[0],
			    .dst = v6 ? us->a6[0] : us->a[0],
			    .proto = (uint8_t)(pct(50) ? rnd(256) : 6),
			    .ttl = 1 };
	uint8_t body[64];

	for (unsigned i = 0; i < n; i++) {
		body[i] = (uint8_t)rnd(256);
	}
	core_put(to, &h, body, n);
}

/* --- SYNs, and what answers a SYN cookie ------------------------------------------ */

static void core_syn_options(struct wr *o, unsigned to)
{
	const struct eno_opt_sub sub[] = {
		{ .tep = ENO_TEP_X25519 }, { .tep = (uint8_t)(0x20 + rnd(16)) }
	};
	struct mp_opt_capable c = { .version = 1,
				    .flags = MP_CAP_SHA256,
				    .len = 4 };
	static const uint8_t cookie[16] = { 1, 2, 3 };
	struct aim m = { .to = to };

	tcp_hdr_emit_mss(o, (uint16_t)(500 + rnd(1000)));
	if (pct(60)) {
		tcp_hdr_emit_ts(o, 1000, 0);
	}
	switch (rnd(6)) {
	case 0:
		mp_opt_emit_capable(o, &c);
		break;
	case 1:
		tcp_hdr_emit_tfo(o, cookie, (uint8_t)(2 * rnd(9)));
		break;
	case 2:
		eno_opt_emit(o, pct(50) ? 0 : -1, sub, 1 + pct(50));
		break;
	case 3:
		if (forge_aim(&m)) {
			opt_join(o, &m);
		}
		break;
	default:
		tcp_hdr_emit_sack_perm(o);
		tcp_hdr_emit_wscale(o, (uint8_t)rnd(16));
		break;
	}
	tcp_hdr_pad(o);
}

static void core_syn(void)
{
	unsigned to = (unsigned)rnd(2);
	bool v6 = pct(50), ack = pct(20);
	struct end *us = &w.end[to], *them = &w.end[!to];
	struct ip_hdr h = { .src = v6 ? them->a6[1] : them->a[1],
			    .dst = v6 ? us->a6[1] : us->a[1],
			    .proto = IP_PROTO_TCP,
			    .ttl = 9 };
	struct tcp_hdr tcp = { .dport = (uint16_t)(80 + to),
			       .seq = (uint32_t)rnd(3) - 1,
			       .ack = ack ? (uint32_t)rnd(65536) : 0,
			       .flags = ack ? TCP_ACK : TCP_SYN,
			       .wnd = 5000 };
	uint8_t opt[TCP_HDR_OPT_MAX], body[1024];
	struct wr q = wr_make(opt, sizeof(opt)), o = wr_make(body, sizeof(body));

	tcp.sport = (uint16_t)(30000 + rnd(4));
	core_syn_options(&q, to);
	tcp_hdr_emit(&o, &tcp, (unsigned)wr_len(&q));
	wr_copy(&o, opt, wr_len(&q));
	for (unsigned n = pct(20) ? (unsigned)rnd(200) : 0; n; n--) {
		wr_u8(&o, 'z');
	}
	core_put(to, &h, body, (uint32_t)wr_len(&o));
}

/* --- an open that carries data, or waits for it ------------------------------------ */

static void core_open(void)
{
	unsigned i = (unsigned)rnd(2);
	struct end *e = &w.end[i], *peer = &w.end[!i];
	struct sock **sk = core_free(e);
	struct endpoint to = endpoint_make(peer->a[rnd(PATHS)],
					   (uint16_t)(80 + !i));
	static const int names[] = { LX_TCP_FASTOPEN_CONNECT,
				     LX_TCP_FASTOPEN_NO_COOKIE,
				     LX_TCP_DEFER_ACCEPT, LX_TCP_NODELAY };

	if (!sk || (*sk = sock_open(e->s, 4)) == NULL) {
		return;
	}
	sock_setopt(*sk, w.now, LX_IPPROTO_TCP, names[rnd(4)], &(int){ 1 }, 4);
	if (peer->sk[0] && pct(20)) {
		sock_setopt(peer->sk[0], w.now, LX_IPPROTO_TCP, names[rnd(3)],
			    &(int){ 3 }, 4);
	}
	sock_connect(*sk, w.now, &to);
	core_fill(*sk, 1 + (uint32_t)rnd(3000));
	drain();
}

static void core_step(void)
{
	static void (*const what[16])(void) = {
		core_transfer, core_transfer, core_transfer, core_rest,
		core_option,   core_option,   core_option,   core_ask,
		core_icmp,     core_icmp,     core_fragments, core_odd,
		core_syn,      core_syn,      core_open,     core_open,
	};

	what[rnd(16)]();
	drain();
}

#endif
