/* The programs: each connection has two sides that send a stream of known
 * octets and look at what they get.  A side sends freely or in rounds, reads
 * at once or slowly, and ends in one of four ways.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "tests/sim/watch.h"

static void side_step(struct side *s);

/* eight octets of the stream at 8 * word */
static void app_word(uint64_t key, uint64_t word, uint8_t out[8])
{
	uint64_t x = key + word * 0x9e3779b97f4a7c15u;

	if ((key & 1) && word % 3 == 0) {
		memcpy(out, watch_mark, sizeof(watch_mark));
		return;
	}
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	memcpy(out, &x, sizeof(x));
}

void app_octets(uint64_t key, uint64_t pos, uint8_t *out, size_t n)
{
	uint8_t word[8];

	while (n > 0) {
		size_t skip = pos & 7, k = n < 8 - skip ? n : 8 - skip;

		if (k == 8) {
			app_word(key, pos >> 3, out);
		} else {
			app_word(key, pos >> 3, word);
			memcpy(out, word + skip, k);
		}
		out += k;
		pos += k;
		n -= k;
	}
}

bool app_done(const struct conn *c)
{
	const struct side *a = &c->side[0], *b = &c->side[1];

	if (!c->started || !a->closed) {
		return false;
	}
	if (b->closed || c->simultaneous) {
		return b->closed;
	}
	/* not accepted yet: will it ever be? */
	return !b->sk && (!a->connected || a->err || a->how == CLOSE_ABORT ||
			  a->how == CLOSE_UNREAD);
}

static struct side *peer_of(struct side *s)
{
	return &s->conn->side[s->client ? 1 : 0];
}

static void progress(struct side *s)
{
	s->conn->progress = s->conn->w->now;
}

/* --- closing -------------------------------------------------------------- */

static void side_close(struct side *s, bool abort)
{
	struct sock *sk = s->sk;

	expect_side(s);
	s->closed = true;
	s->sk = NULL;
	progress(s);
	world_say(s->conn->w, "conn %u %s closes%s: sent %llu got %llu%s",
		  s->conn->index, s->client ? "client" : "server",
		  abort ? " (abort)" : "", (unsigned long long)s->tx,
		  (unsigned long long)s->rx, s->eof ? " EOF" : "");
	sock_close(sk, s->conn->w->now, abort);
	host_turn(s->host);
}

static void idle_over(struct world *w, void *ctx, uint64_t arg)
{
	struct side *s = ctx;

	(void)w;
	(void)arg;
	s->idle = 0;
	if (s->sk && s->host->stack) {
		side_step(s);
		host_turn(s->host);
	}
}

static bool all_sent(const struct side *s)
{
	return s->tx == s->tx_total;
}

static void side_end(struct side *s)
{
	struct world *w = s->conn->w;

	switch (s->how) {
	case CLOSE_ABORT:
		if (s->tx + s->rx >= s->stop_at) {
			world_fault(w, F_ABORT);
			side_close(s, true);
			return;
		}
		break;
	case CLOSE_UNREAD:
		if (s->tx + s->rx >= s->stop_at) {
			world_fault(w, F_UNREAD);
			s->shut = true; /* with nothing unread it is a FIN */
			side_close(s, false);
			return;
		}
		break;
	case CLOSE_AT_ONCE:
		if (all_sent(s)) {
			s->shut = true; /* close is a shutdown, too */
			side_close(s, false);
			return;
		}
		break;
	case CLOSE_AFTER_EOF:
		break;
	}
	if (all_sent(s) && s->idle && !s->ended && !s->eof) {
		if (!s->idle_timer) {
			s->idle_timer = true;
			world_in(w, s->idle, idle_over, s, 0);
		}
		return;
	}
	if (all_sent(s) && !s->shut && !s->ended) {
		s->shut = true;
		if (sock_shutdown_write(s->sk, w->now) != 0) {
			world_fail(w, "shutdown refused");
		}
	}
	if ((s->eof && s->shut) || s->ended) {
		side_close(s, false);
	}
}

/* --- writing -------------------------------------------------------------- */

/* how far this side may send: rounds of request and answer */
static uint64_t allowed(const struct side *s)
{
	uint64_t rounds;

	if (!s->round || s->eof) { /* nothing to wait for */
		return s->tx_total;
	}
	rounds = s->rx / s->peer_round + (s->client ? 1 : 0);
	return min_u64(rounds * s->round, s->tx_total);
}

static uint32_t put(struct side *s, uint32_t want)
{
	struct iov_mut v[2];
	unsigned n = sock_write_vec(s->sk, want, v);
	uint32_t put = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t k = (uint32_t)min_u64(v[i].n, want - put);

		app_octets(s->key, s->tx + put, v[i].p, k);
		put += k;
	}
	if (n) {
		sock_write_done(s->sk, s->conn->w->now, put);
		s->tx += put;
	}
	return put;
}

static void write_later(struct world *w, void *ctx, uint64_t arg)
{
	struct side *s = ctx;

	(void)w;
	(void)arg;
	s->write_timer = false;
	if (s->sk && s->host->stack) {
		side_step(s);
		host_turn(s->host);
	}
}

static void side_write(struct side *s)
{
	uint64_t most = allowed(s);

	while (s->connected && !s->ended && !s->shut && s->tx < most &&
	       !s->write_timer) {
		uint32_t want = (uint32_t)min_u64(most - s->tx, s->write_max);
		uint32_t n = put(s, want);

		if (n == 0) {
			return; /* WRITE will come */
		}
		if (s->urgent && world_chance(s->conn->w, 0.2)) {
			sock_urgent(s->sk, s->conn->w->now);
		}
		if (s->write_gap) {
			s->write_timer = true;
			world_in(s->conn->w,
				 1 + (nanos)world_below(s->conn->w,
							(uint64_t)s->write_gap),
				 write_later, s, 0);
		}
	}
}

/* --- reading -------------------------------------------------------------- */

static void read_later(struct world *w, void *ctx, uint64_t arg)
{
	struct side *s = ctx;

	(void)w;
	(void)arg;
	s->read_timer = false;
	if (s->sk && s->host->stack) {
		side_step(s);
		host_turn(s->host);
	}
}

static uint64_t take(struct side *s, uint64_t most)
{
	struct iov v[8];
	unsigned n = sock_read_vec(s->sk, v, 8);
	uint64_t got = 0;

	for (unsigned i = 0; i < n && got < most; i++) {
		uint64_t k = min_u64(v[i].n, most - got);

		check_data(s, v[i].p, k);
		s->rx += k;
		got += k;
	}
	if (got) {
		sock_read_done(s->sk, s->conn->w->now, got);
		progress(s);
	}
	return got;
}

static void side_read(struct side *s)
{
	struct world *w = s->conn->w;

	while (s->sk && !s->read_timer && !s->eof) {
		uint64_t n = take(s, s->read_max ? s->read_max : UINT64_MAX);

		if (n == 0) {
			break;
		}
		if (s->read_gap) {
			world_fault(w, F_SLOW);
			s->read_timer = true;
			world_in(w,
				 1 + (nanos)world_below(w,
							(uint64_t)s->read_gap),
				 read_later, s, 0);
		}
	}
	if (s->hold) { /* what a slow program's socket would still hold */
		s->held = s->held ? 0 : (uint32_t)world_below(w, 20000);
		sock_read_held(s->sk, w->now, s->held);
		if (s->held && !s->read_timer) {
			s->read_timer = true;
			world_in(w, 5 * NANOS_MS, read_later, s, 0);
		}
	}
	if (!s->eof && sock_read_eof(s->sk)) {
		s->eof = true;
		progress(s);
		check_eof(s);
	}
}

static void side_step(struct side *s)
{
	if (s->sk) {
		side_read(s);
	}
	if (s->sk && s->connected) {
		side_write(s);
	}
	if (s->sk && s->connected) {
		side_end(s);
	}
}

/* --- events --------------------------------------------------------------- */

static void closed(struct side *s)
{
	struct world *w = s->conn->w;

	s->err = sock_error(s->sk);
	s->ended = true;
	expect_side(s);
	progress(s);
	world_say(w, "conn %u %s over: %d", s->conn->index,
		  s->client ? "client" : "server", s->err);
	if (!s->connected) {
		side_close(s, false);
		return;
	}
	/* what came in order before the end may still be read */
	s->read_gap = 0;
	s->read_timer = false;
	side_step(s);
}

static const struct addr *addr_of(const struct host *h, unsigned path,
				  uint8_t family)
{
	const struct ip_path *p = &h->path[path % h->n_paths].cfg;

	for (unsigned i = 0; i < p->n_addr; i++) {
		if (p->addr[i].family == family) {
			return &p->addr[i];
		}
	}
	return NULL;
}

/* nothing between the hosts translates addresses: the name tells who it is */
static struct side *accepted_side(struct host *h, struct sock *sk)
{
	struct endpoint r, l;

	if (!sock_remote(sk, &r) || !sock_local(sk, &l)) {
		return NULL;
	}
	r.addr = addr_unmap(r.addr);
	l.addr = addr_unmap(l.addr);
	for (unsigned i = h->w->n_conns; i-- > 0;) {
		struct conn *c = &h->w->conn[i];

		if (c->started && !c->accepted && !c->simultaneous &&
		    c->side[1].host == h && c->local_port == r.port &&
		    c->port == l.port && addr_eq(&c->from, &r.addr) &&
		    addr_eq(addr_of(h, c->dst_path, c->family), &l.addr)) {
			return &c->side[1];
		}
	}
	return NULL;
}

static void accept_one(struct host *h, struct sock *sk)
{
	struct side *s = accepted_side(h, sk);

	if (!s) { /* reset before it was accepted, or a late duplicate SYN */
		sock_close(sk, h->w->now, true);
		return;
	}
	s->conn->accepted = true;
	s->sk = sk;
	s->connected = true;
	sock_set_user(sk, s);
	progress(s);
	world_say(h->w, "conn %u accepted", s->conn->index);
	expect_side(s);
	side_step(s);
}

static void accept_all(struct host *h, struct sock *l)
{
	struct sock *sk;

	while ((sk = sock_accept(l, h->w->now)) != NULL) {
		if (world_chance(h->w, 0.1)) {
			sock_unaccept(l, sk);
			sk = sock_accept(l, h->w->now);
		}
		accept_one(h, sk);
	}
}

static void accept_late(struct world *w, void *ctx, uint64_t arg)
{
	struct host *h = ctx;

	(void)w;
	(void)arg;
	if (h->stack) {
		accept_all(h, h->listener[1]);
		host_turn(h);
	}
}

/* TCP_IS_MPTCP */
static void note_mode(struct side *s)
{
	int v = 0;
	uint32_t len = sizeof(v);

	check(sock_getopt(s->sk, s->conn->w->now, 6, 43, &v, &len) == 0);
	s->conn->was_mptcp |= v != 0;
}

static void look(struct host *h, struct side *s)
{
	uint8_t buf[256];
	uint32_t len = sizeof(buf);

	if (!s->sk || !world_chance(h->w, 0.02)) {
		return;
	}
	check(sock_getopt(s->sk, h->w->now, 6, 11, buf, &len) == 0);
	len = sizeof(buf);
	(void)sock_getopt(s->sk, h->w->now, 284, 1, buf, &len);
	note_mode(s);
}

static bool ask_crypt(struct side *s, int name)
{
	int v = 1;

	return sock_setopt(s->sk, s->conn->w->now, LX_SOL_MPTCP, name, &v,
			   sizeof(v)) == 0;
}

/* what programs ask of a sealed connection */
static void ask(struct side *s)
{
	struct conn *c = s->conn;
	struct world *w = c->w;

	if (!s->sk) {
		return;
	}
	if (world_chance(w, 0.1)) {
		expect_side(s);
	}
	if (world_chance(w, c->rekey) && ask_crypt(s, LX_MPTCP_CRYPT_REKEY)) {
		world_fault(w, F_REKEY);
	}
	if (c->forget && c->was_sealed && world_chance(w, 0.05) &&
	    ask_crypt(s, LX_MPTCP_CRYPT_FORGET)) {
		world_fault(w, F_FORGET);
	}
}

static void look_around(struct host *h, struct side *s)
{
	if (h->w->crypted) {
		ask(s);
	}
	look(h, s);
}

void app_event(struct host *h, const struct stack_event *ev)
{
	struct side *s = ev->user;

	if (ev->bits & SOCK_EV_ACCEPT) {
		if (ev->sk == h->listener[0]) {
			accept_all(h, ev->sk);
		} else {
			world_fault(h->w, F_LAZY);
			world_in(h->w,
				 (nanos)world_below(h->w, (uint64_t)SIM_LAZY),
				 accept_late, h, 0);
		}
		return;
	}
	if (!s || s->sk != ev->sk) {
		return;
	}
	if (ev->bits & SOCK_EV_CONNECTED) {
		s->connected = true;
		progress(s);
		world_say(h->w, "conn %u connected", s->conn->index);
		note_mode(s);
		expect_side(s);
	}
	if (ev->bits & SOCK_EV_CLOSED) {
		closed(s);
		return;
	}
	look_around(h, s);
	side_step(s);
}

/* --- starting ------------------------------------------------------------- */

/* again, when memory was refused */
static void set_opt(struct sock *sk, struct instant now, int level, int name,
		    const void *val, uint32_t len)
{
	int err = ENOBUFS;

	for (unsigned i = 0; i < 1000; i++) {
		err = sock_setopt(sk, now, level, name, val, len);
		if (err != ENOBUFS) {
			break;
		}
	}
	check(err == 0);
}

static void set_int(struct side *s, int level, int name, int v)
{
	set_opt(s->sk, s->conn->w->now, level, name, &v, sizeof(v));
}

static void set_options(struct side *s)
{
	struct conn *c = s->conn;

	if (c->opt.sndbuf) {
		set_int(s, 1, 7, (int)c->opt.sndbuf);
	}
	if (c->opt.rcvbuf) {
		set_int(s, 1, 8, (int)c->opt.rcvbuf);
	}
	if (c->opt.maxseg) {
		set_int(s, 6, 2, (int)c->opt.maxseg);
	}
	if (c->opt.nodelay) {
		set_int(s, 6, 1, 1);
	}
	if (c->opt.quickack) {
		set_int(s, 6, 12, 1);
	}
	if (c->opt.min_ttl) { /* ours leave with 64, and nobody takes from it */
		set_int(s, LX_IPPROTO_IP, LX_IP_MINTTL, 64);
	}
	if (c->opt.fast && s->client) {
		set_int(s, LX_IPPROTO_TCP, LX_TCP_FASTOPEN_CONNECT, 1);
		world_fault(c->w, F_FAST);
	}
	if (c->opt.keepalive) {
		set_int(s, 1, 9, 1);
		set_int(s, 6, 4, 5);
		set_int(s, 6, 5, 2);
		set_int(s, 6, 6, 4);
	}
	if (c->passive && !s->client) {
		set_int(s, LX_SOL_MPTCP, LX_MPTCP_CRYPT_PASSIVE, 1);
		world_fault(c->w, F_PASSIVE);
	}
	if (c->opt.cc) {
		set_opt(s->sk, c->w->now, 6, 13, c->opt.cc,
			(uint32_t)strlen(c->opt.cc));
	}
}

static bool any_risky(const struct host *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_paths; i++) {
		n += h->path[i].risky;
	}
	return n > 0;
}

/* Each key that was drawn had been drawn before: none is left to connect with
 * (RFC 8684 3.1). */
static bool keyless(const struct host *h, int err)
{
	return err == ENOBUFS && h->repeats >= 8;
}

static void connect_side(struct side *s, uint16_t port, uint16_t local_port)
{
	struct conn *c = s->conn;
	struct host *h = s->host;
	const struct addr *a =
		addr_of(peer_of(s)->host, c->dst_path, c->family);
	struct endpoint to, l;
	int err;

	check(a);
	s->sk = sock_open(h->stack, c->family == 6 || c->v6only_sock ? 6 : 4);
	if (!s->sk) {
		s->closed = true;
		return;
	}
	sock_set_user(s->sk, s);
	set_options(s);
	to = endpoint_make(s->sk && c->v6only_sock ? addr_map(*a) : *a, port);
	err = 0;
	if (local_port) {
		l = endpoint_make(addr_any(c->family), local_port);
		set_int(s, 1, 2, 1);
		err = sock_bind(s->sk, &l);
	}
	if (!err) {
		err = sock_connect(s->sk, c->w->now, &to);
	}
	world_say(c->w, "conn %u connects: %d", c->index, err);
	if (err != EINPROGRESS) {
		/* a port that is to be used again may still be in use, and
		 * a path may be down with notice */
		if (!c->may_die && !c->reuse && !keyless(h, err) &&
		    !(err == ENETUNREACH && any_risky(h)) &&
		    !(err == EPROTO && expect_hopeless(s))) {
			world_fail(c->w, "connect: error %d", err);
		}
		c->may_die = true;
		s->err = err;
		side_close(s, false);
		return;
	}
	check(sock_local(s->sk, &l));
	l.addr = addr_unmap(l.addr);
	c->may_die |= net_path_of(c->w, &l.addr)->risky != 0 ||
		      net_path_of(c->w, a)->risky != 0;
	/* both ends name the first paths: another one is no rendezvous */
	c->may_die |=
		c->simultaneous && net_path_of(c->w, &l.addr) != &h->path[0];
	if (s->client) {
		c->local_port = l.port;
		c->from = l.addr;
		c->to = *a;
	}
	host_turn(h);
}

/* the cookies given so far are of the second key, which is still good */
static void new_key(struct host *h)
{
	uint8_t key[2 * LX_TCP_FASTOPEN_KEY_LEN];

	memset(key, h->fast_keys + 1, LX_TCP_FASTOPEN_KEY_LEN);
	memset(key + LX_TCP_FASTOPEN_KEY_LEN, h->fast_keys,
	       LX_TCP_FASTOPEN_KEY_LEN);
	h->fast_keys++;
	for (unsigned i = 0; h->stack && i < ARRAY_SIZE(h->listener); i++) {
		set_opt(h->listener[i], h->w->now, LX_IPPROTO_TCP,
			LX_TCP_FASTOPEN_KEY, key, sizeof(key));
	}
}

void app_start(struct world *w, void *conn, uint64_t arg)
{
	struct conn *c = conn;

	(void)arg;
	if (!c->side[0].host->stack) {
		return;
	}
	c->started = true;
	c->start = w->now;
	c->progress = w->now;
	c->may_die |= w->risky != 0 || c->port == SIM_PORT_SHUT;
	/* smtcp(7): no encryption when both open */
	c->may_die |=
		c->simultaneous &&
		(c->side[0].host->cfg.mp.crypt_policy >= MP_CRYPT_REQUIRE_ANY ||
		 c->side[1].host->cfg.mp.crypt_policy >= MP_CRYPT_REQUIRE_ANY);
	/* found out when ENO is through: there is no way back then */
	c->may_die |=
		c->simultaneous && w->crypted && !expect_common_cipher(c);
	w->stats->conns++;
	if (c->port == SIM_PORT_SHUT) {
		world_fault(w, F_NO_LISTENER);
	}
	if (c->simultaneous) {
		world_fault(w, F_SIMULTANEOUS);
		c->local_port = (uint16_t)(2000 + c->index);
		connect_side(&c->side[0], c->local_port, c->local_port);
		connect_side(&c->side[1], c->local_port, c->local_port);
		return;
	}
	if (c->reuse) {
		world_fault(w, F_PORT_REUSE);
	}
	if (c->again) {
		world_fault(w, F_AGAIN);
	}
	if (c->opt.new_key) {
		new_key(c->side[1].host);
	}
	connect_side(&c->side[0], c->port, c->reuse ? 1999 : 0);
}

void app_listen(struct host *h)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sock *l = sock_open(h->stack, 6);
		struct endpoint e = endpoint_make(addr_any(6),
						  i ? SIM_PORT_LAZY : SIM_PORT);
		int one = 1;

		check(l);
		set_opt(l, h->w->now, 1, 2, &one, sizeof(one));
		if (h->rcvbuf) {
			int v = (int)h->rcvbuf;

			set_opt(l, h->w->now, 1, 8, &v, sizeof(v));
		}
		if (h->fast) {
			int v = h->fast;

			set_opt(l, h->w->now, LX_IPPROTO_TCP, LX_TCP_FASTOPEN,
				&v, sizeof(v));
		}
		if (h->defer) {
			int v = h->defer;

			set_opt(l, h->w->now, LX_IPPROTO_TCP,
				LX_TCP_DEFER_ACCEPT, &v, sizeof(v));
		}
		check(sock_bind(l, &e) == 0);
		check(sock_listen(l, h->w->now, i ? 1 : 128) == 0);
		h->listener[i] = l;
	}
}
