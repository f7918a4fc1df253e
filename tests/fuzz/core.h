/* core.h - of fuzz_core.c: how the two stacks are set up, and what the steps of
 * hostile_run.h seldom come to: transfers with losses, options that exist, Fast
 * Open, connections at rest, and the packets of core_pkt.h
 */
#ifndef TESTS_FUZZ_CORE_H
#define TESTS_FUZZ_CORE_H

#include "tests/fuzz/core_pkt.h"
#include "tests/unit/sock/hostile_run.h"

/* --- how both begin ------------------------------------------------------- */

static uint8_t core_how[3]; /* octets of the input */

/* Fast Open is for plain TCP */
static bool core_fastopen(void)
{
	return (core_how[1] >> 3 & 3) == 3;
}

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
	cfg->mp.checksum |= core_how[2] & 32;
	if (core_fastopen()) {
		cfg->mp.policy = MP_OFF;
		cfg->mp.crypt_policy = MP_CRYPT_OFF;
	} else if ((b >> 3 & 3) == 2 && i) {
		cfg->mp.crypt_policy = (enum mp_crypt_policy)(b >> 5 & 3);
	}
	core_crypt(cfg, core_how[2]);
	cfg->rcvbuf = b & 0x80 ? 8192 : 0;
}

/* --- sockets -------------------------------------------------------------- */

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

/* --- a transfer, of which now and then packets are lost, or altered ------- */

static void core_transfer(void)
{
	unsigned rounds = 1 + (unsigned)rnd(24), each = (unsigned)rnd(64);
	unsigned gap = (unsigned)rnd(8), seen = 0, to;
	bool ce = pct(10), reverse = pct(20), read = pct(90), bad = pct(10);
	uint32_t most = pct(50) ? 200000 : 1 + (uint32_t)rnd(3000);
	nanos step = pct(80) ? 20 * NANOS_MS : 600 * NANOS_MS;
	struct end *e;
	struct sock *sk = core_sock(&e);

	while (sk && rounds--) {
		core_fill(sk, most);
		drain();
		for (unsigned n = w.n_wire; n; n--) {
			unsigned at = reverse ? w.n_wire - 1 : 0;
			struct pkt *p = take(at, &to);

			if (each && ++seen % each < gap && !bad) {
				pkt_put(p);
				continue;
			}
			if (each && bad && seen % each == 0) {
				p->data[p->len - 1] ^= 1;
			}
			if (ce && p->data[0] >> 4 == 6 && p->data[1] & 0x30) {
				p->data[1] |= 0x30;
			}
			input(to, p);
		}
		if (read) {
			core_read_all();
		}
		drain();
		tick(instant_min(deadline(), instant_add(w.now, step)));
	}
}

/* one that has to do without some memory */
static void core_poor(void)
{
	w.end[rnd(2)].fake.fail_at = 1 + rnd(40);
	core_transfer();
}

/* data that wait on the wire, with the end of them or what is urgent */
static void core_burst(void)
{
	struct end *e;
	struct sock *sk = core_sock(&e);

	if (!sk) {
		return;
	}
	core_fill(sk, 1 + (uint32_t)rnd(20000));
	if (pct(20)) {
		sock_urgent(sk, w.now);
	}
	if (pct(10)) {
		sock_shutdown_write(sk, w.now);
	}
	drain();
	for (unsigned n = (unsigned)rnd(5); n; n--) {
		core_resegment();
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

/* --- options that exist --------------------------------------------------- */

static const struct {
	uint16_t level;
	uint8_t from, to;
} core_levels[] = {
	{ LX_SOL_SOCKET, 1, 90 },   { LX_IPPROTO_TCP, 1, 46 },
	{ LX_IPPROTO_TCP, 1, 46 },  { LX_IPPROTO_IP, 1, 52 },
	{ LX_IPPROTO_IPV6, 1, 80 }, { LX_SOL_MPTCP, 1, 9 },
};

static void core_set(struct sock *sk, int level, int name)
{
	static const char *const words[] = { "cubic", "bbr", "reno", "tls" };
	uint8_t val[64] = { 0 };
	int v[3] = { (int)rnd(4), (int)rnd(100), (int)rnd(70000) };
	uint32_t len = 4;

	memcpy(val, &v[rnd(3)], 4);
	switch (name == LX_TCP_CONGESTION ? 0 : rnd(8)) {
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

/* what changes how a connection goes on */
static void core_usual(struct sock *sk)
{
	static const struct {
		uint8_t level, name;
		int v;
	} usual[16] = {
		{ LX_IPPROTO_TCP, LX_TCP_FASTOPEN_CONNECT, 1 },
		{ LX_IPPROTO_TCP, LX_TCP_FASTOPEN_NO_COOKIE, 1 },
		{ LX_IPPROTO_TCP, LX_TCP_DEFER_ACCEPT, 3 },
		{ LX_IPPROTO_TCP, LX_TCP_NODELAY, 1 },
		{ LX_IPPROTO_TCP, LX_TCP_KEEPIDLE, 5 },
		{ LX_IPPROTO_TCP, LX_TCP_THIN_LINEAR_TIMEOUTS, 1 },
		{ LX_IPPROTO_TCP, LX_TCP_USER_TIMEOUT, 9000 },
		{ LX_IPPROTO_TCP, LX_TCP_MAXSEG, 600 },
		{ LX_IPPROTO_TCP, LX_TCP_NOTSENT_LOWAT, 2000 },
		{ LX_IPPROTO_TCP, LX_TCP_WINDOW_CLAMP, 3000 },
		{ LX_SOL_SOCKET, LX_SO_KEEPALIVE, 1 },
		{ LX_SOL_SOCKET, LX_SO_MAX_PACING_RATE, 100000 },
		{ LX_SOL_SOCKET, LX_SO_RCVBUF, 5000 },
		{ LX_SOL_SOCKET, LX_SO_SNDBUF, 9000 },
		{ LX_SOL_SOCKET, LX_SO_RCVLOWAT, 4000 },
		{ LX_IPPROTO_IP, LX_IP_MTU_DISCOVER, LX_PMTUDISC_DONT },
	};

	unsigned k = (unsigned)rnd(16);

	sock_setopt(sk, w.now, usual[k].level, usual[k].name, &usual[k].v, 4);
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
	if (sk && pct(25)) {
		core_usual(sk);
	} else if (sk && pct(70)) {
		core_set(sk, level, name);
	} else if (sk) {
		sock_getopt(sk, w.now, level, name, got, &len);
	}
}

/* --- everything that can be asked ----------------------------------------- */

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

static void core_get(struct sock *sk)
{
	static const struct {
		int level, name;
	} info[] = {
		{ LX_IPPROTO_TCP, LX_TCP_INFO },
		{ LX_IPPROTO_TCP, LX_TCP_QUICKACK },
		{ LX_SOL_MPTCP, LX_MPTCP_INFO },
		{ LX_SOL_MPTCP, LX_MPTCP_CRYPT_INFO },
		{ LX_SOL_MPTCP, LX_MPTCP_SESSION_ID },
		{ LX_SOL_SOCKET, LX_SO_MAX_PACING_RATE },
		{ LX_SOL_SOCKET, LX_SO_BINDTODEVICE },
	};

	unsigned k = (unsigned)rnd(ARRAY_SIZE(info));
	uint8_t got[400];
	uint32_t len = sizeof(got);

	sock_getopt(sk, w.now, info[k].level, info[k].name, got, &len);
	must(len <= sizeof(got));
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
	core_get(sk);
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

/* --- an open that carries data, or waits for it --------------------------- */

static void core_open(void)
{
	const struct endpoint here = endpoint_make(addr_any(4), 4000);
	unsigned i = (unsigned)rnd(2);
	struct end *e = &w.end[i], *peer = &w.end[!i];
	struct sock **sk = core_free(e);
	struct endpoint to =
		endpoint_make(peer->a[rnd(PATHS)], (uint16_t)(80 + !i));

	if (!sk || (*sk = sock_open(e->s, 4)) == NULL) {
		return;
	}
	core_usual(*sk);
	if (pct(30)) { /* again and again, whoever still waits there */
		sock_setopt(*sk, w.now, LX_SOL_SOCKET, LX_SO_REUSEADDR,
			    &(int){ 1 }, 4);
		sock_bind(*sk, &here);
	}
	if (core_fastopen()) {
		sock_setopt(*sk, w.now, LX_IPPROTO_TCP, LX_TCP_FASTOPEN_CONNECT,
			    &(int){ 1 }, 4);
	}
	if (peer->sk[0] && pct(20)) {
		core_usual(peer->sk[0]);
	}
	sock_connect(*sk, w.now, &to);
	core_fill(*sk, 1 + (uint32_t)rnd(3000));
	drain();
}

static void core_step(void)
{
	static void (*const what[16])(void) = {
		core_transfer, core_transfer, core_poor,   core_burst,
		core_burst,    core_rest,     core_option, core_option,
		core_ask,      core_icmp,     core_icmp,   core_fragments,
		core_odd,      core_syn,      core_open,   core_open,
	};

	what[rnd(16)]();
	drain();
}

#endif
