/* What must hold in every run.
 *
 * Safety: what a program reads is a prefix of what its peer wrote; the end of
 * the stream is seen only after all of it; an orderly end is reported only
 * then, too.
 *
 * Liveness: once every fault has healed, each connection that the scenario
 * does not allow to die makes progress (octets read by a program, or a step of
 * its life) within
 *
 *	W = F + RTO_FIRST
 *	B = min(RTO_MAX, W) + min(RTO_MAX, 9/8 (F + W)) + 8 RTO + A
 *
 * where F is how long faults lasted.  A timer that has backed off is pending
 * at the heal: its k doublings took at least as long as it has still to wait,
 * since 1 + 2 + .. + 2^(k-1) = 2^k - 1, so it waits at most F plus the RTO it
 * began with (RFC 6298 2.1: RTO_FIRST, or RTO if that is larger), and never
 * longer than RTO_MAX.  What is acknowledged only then, because the ACKs of
 * before were lost, was under way for up to F + W: a lawful sample of the
 * round trip, after which the timer stands at an eighth of it for SRTT and
 * four quarters for RTTVAR, and what was lost besides waits for that.
 *
 * RTO = max(RTO_MIN, 3 RTT) is the timer on the slowest path (RFC 6298: SRTT +
 * 4 RTTVAR, with RTTVAR at most half of RTT) and RTT its longest round trip
 * with full queues; eight of them cover a recovery that loses its first
 * retransmission (1 + 2), one more on another subflow (1 + 2) and the
 * exchanges after it (2).  A is the longest that a program itself waits
 * between two calls.
 *
 * A listener's queue that is full refuses SYNs as a cut would: it counts in F,
 * and each time that a SYN finds it full again the SYN timer has doubled.
 *
 * Memory: what a stack allocates and the packets it pins stay below what its
 * sockets' buffers allow; at the end everything is given back.
 */
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/sim/watch.h"

#define RTO_MAX   (120 * NANOS_S)
#define RTO_FIRST NANOS_S
#define RTO_MIN   (200 * NANOS_MS)
#define EVERY     NANOS_S
#define MEM_BASE  ((uint64_t)4 << 20)
#define PIECE     512u

static nanos drain(const struct link *l)
{
	return (nanos)((uint64_t)l->queue * 8 * (uint64_t)NANOS_S / l->rate);
}

/* there and back over the slowest access at each end, queues full */
static nanos longest_rtt(const struct world *w)
{
	nanos rtt = 0;

	for (unsigned i = 0; i < w->n_hosts; i++) {
		const struct host *h = &w->host[i];
		nanos worst = 0;

		for (unsigned j = 0; j < h->n_paths; j++) {
			const struct link *u = &h->path[j].up;
			const struct link *d = &h->path[j].down;

			worst = nanos_max(worst, u->delay + d->delay +
							 drain(u) + drain(d));
		}
		rtt += worst;
	}
	return rtt;
}

nanos check_bound(const struct world *w)
{
	nanos rto = nanos_max(RTO_MIN, 3 * longest_rtt(w));
	nanos first = nanos_max(RTO_FIRST, rto);
	nanos faults = instant_since(w->heal, w->fault_from);
	nanos program = 0, waits;
	bool lazy = false;

	for (unsigned i = 0; i < w->n_conns; i++) {
		for (unsigned k = 0; k < 2; k++) {
			const struct side *s = &w->conn[i].side[k];

			program = nanos_max(
				program, s->write_gap + s->read_gap + s->idle);
		}
		lazy |= w->conn[i].port == SIM_PORT_LAZY;
	}
	for (unsigned i = 0; i < w->n_hosts; i++) {
		program += 2 * w->host[i].lag;
	}
	if (lazy) { /* a full queue is a fault to those who wait outside */
		faults = (faults + SIM_LAZY) << (SIM_LAZY_ROUNDS - 1);
		program += SIM_LAZY;
	}
	if (w->crypted) { /* Init both ways, and the first frames */
		program += 3 * rto;
	}
	waits = faults + first;
	return nanos_min(RTO_MAX, waits) +
	       nanos_min(RTO_MAX, (faults + waits) / 8 * 9) + 8 * rto + program;
}

/* RFC 8684 3.7: a checksum failure on the only subflow ends Multipath TCP, and
 * from then on a box may alter octets as it may with plain TCP, beginning
 * with those that failed.  So exactly the octets that the box altered, and
 * only on a connection that fell back. */
static bool altered_lawfully(struct side *s, uint8_t got, uint8_t sent)
{
	struct world *w = s->conn->w;
	uint8_t by = (uint8_t)(got - sent);
	uint32_t boxes = by / BOX_ALTER; /* one at each end of the way */
	struct mp_info info;

	if (by % BOX_ALTER || boxes > 2 || w->altered < boxes ||
	    !sock_info(s->sk, &info) || info.mode != MP_MODE_TCP ||
	    info.sealed) {
		return false;
	}
	w->altered -= boxes;
	return true;
}

static bool wrong_octet(struct side *s, uint64_t at)
{
	const struct side *peer = &s->conn->side[s->client ? 1 : 0];

	world_fail(s->conn->w,
		   "conn %u %s: octet %llu is not what was sent (%llu written)",
		   s->conn->index, s->client ? "client" : "server",
		   (unsigned long long)at, (unsigned long long)peer->tx);
	return false;
}

/* n octets of the peer's stream from `at` on, a piece that fits */
static bool check_piece(struct side *s, uint64_t at, const uint8_t *p, size_t n)
{
	const struct side *peer = &s->conn->side[s->client ? 1 : 0];
	uint8_t sent[PIECE];

	if (at + n > peer->tx) {
		return wrong_octet(s, peer->tx);
	}
	app_octets(peer->key, at, sent, n);
	if (memcmp(p, sent, n) == 0) {
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] != sent[i] && !altered_lawfully(s, p[i], sent[i])) {
			return wrong_octet(s, at + i);
		}
	}
	return true;
}

void check_data(struct side *s, const uint8_t *p, uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		size_t k = (size_t)min_u64(n - done, PIECE);

		if (!check_piece(s, s->rx + done, p + done, k)) {
			return;
		}
		done += k;
	}
}

void check_eof(struct side *s)
{
	const struct side *peer = &s->conn->side[s->client ? 1 : 0];

	if (!peer->shut || s->rx != peer->tx) {
		world_fail(s->conn->w,
			   "conn %u %s: end after %llu of %llu octets%s",
			   s->conn->index, s->client ? "client" : "server",
			   (unsigned long long)s->rx,
			   (unsigned long long)peer->tx,
			   peer->shut ? "" : ", which is not the end");
	}
}

/* A program that gave up may have taken the other's answer with it: a reset
 * is sent once, so the other may wait for ever if it has nothing to say. */
bool check_excused(const struct conn *c)
{
	const struct side *a = &c->side[0], *b = &c->side[1];

	if (c->may_die || c->port == SIM_PORT_SHUT) {
		return true;
	}
	return a->how == CLOSE_ABORT || b->how == CLOSE_ABORT ||
	       a->how == CLOSE_UNREAD || b->how == CLOSE_UNREAD;
}

void check_progress(struct conn *c)
{
	struct world *w = c->w;
	struct instant from = c->progress;

	if (!c->started || app_done(c)) {
		return;
	}
	if (instant_before(from, w->heal)) {
		from = w->heal;
	}
	if (check_excused(c) || instant_since(w->now, from) <= w->bound) {
		return;
	}
	world_fail(w,
		   "conn %u: no progress for %.3f s, allowed %.3f s; client "
		   "sent %llu got %llu, server sent %llu got %llu",
		   c->index, (double)instant_since(w->now, from) / 1e9,
		   (double)w->bound / 1e9, (unsigned long long)c->side[0].tx,
		   (unsigned long long)c->side[0].rx,
		   (unsigned long long)c->side[1].tx,
		   (unsigned long long)c->side[1].rx);
}

static void every(struct world *w, void *ctx, uint64_t arg)
{
	bool all = true;

	(void)ctx;
	(void)arg;
	if (w->stopping) {
		return;
	}
	for (unsigned i = 0; i < w->n_conns; i++) {
		check_progress(&w->conn[i]);
		all &= app_done(&w->conn[i]);
	}
	if (!all) {
		world_in(w, EVERY, every, NULL, 0);
	}
}

void check_start(struct world *w)
{
	w->bound = check_bound(w);
	world_in(w, EVERY, every, NULL, 0);
}

/* Nobody but the peer's program ends a sealed stream: an end without error is
 * one after all octets, even where the scenario excuses much. */
static void check_sealed(struct conn *c)
{
	struct world *w = c->w;
	const struct watch_conn *x = watch_of(c);
	struct sim_stats *st = w->stats;

	expect_end(c);
	for (unsigned k = 0; k < 2; k++) {
		const struct side *s = &c->side[k], *p = &c->side[!k];

		if (c->was_sealed && s->ended && !s->err &&
		    (!s->eof || s->rx != p->tx || !p->shut)) {
			world_fail(w,
				   "conn %u %s: sealed, orderly end after %llu "
				   "of %llu octets",
				   c->index, k ? "server" : "client",
				   (unsigned long long)s->rx,
				   (unsigned long long)p->tx);
		}
	}
	if (w->no_loss && c->was_sealed && !app_done(c)) {
		world_fail(w, "conn %u: neither lives nor ends", c->index);
	}
	st->sealed += c->was_sealed;
	st->smtcp += c->was_smtcp;
	st->resumed += c->was_resumed;
	st->refused += x->x.refused[0] || x->x.refused[1];
	st->doomed += x->x.doom != NULL;
	if (c->was_sealed && x->bad_resets && c->side[0].eof &&
	    c->side[1].eof) {
		st->survived += !c->may_die;
		st->rejoined += c->may_die;
	}
}

static void check_conn(struct conn *c)
{
	struct world *w = c->w;

	if (!c->started) {
		return;
	}
	if (w->crypted) {
		check_sealed(c);
	}
	for (unsigned k = 0; k < 2; k++) {
		const struct side *s = &c->side[k], *p = &c->side[!k];

		if (s->err && !check_excused(c)) {
			world_fail(w, "conn %u %s: error %d", c->index,
				   s->client ? "client" : "server", s->err);
		}
		if (s->err == 0 && s->ended && !check_excused(c) &&
		    (s->rx != p->tx_total || !s->eof)) {
			world_fail(w,
				   "conn %u %s: orderly end, but not all "
				   "came",
				   c->index, s->client ? "client" : "server");
		}
	}
	if (c->side[0].err || c->side[1].err) {
		w->stats->conns_died++;
	}
	w->stats->conns_mptcp += c->was_mptcp;
	w->stats->conns_excused += check_excused(c);
}

/* what the buffers of this host's sockets may hold, full */
static uint64_t buffers(const struct host *h)
{
	const struct world *w = h->w;
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->n_conns; i++) {
		const struct conn *c = &w->conn[i];
		bool set = c->side[0].host == h;

		if (!set && c->side[1].host != h) {
			continue;
		}
		sum += set && c->opt.sndbuf ? c->opt.sndbuf : 4u << 20;
		sum += set && c->opt.rcvbuf ? c->opt.rcvbuf : 6u << 20;
	}
	return sum;
}

void check_end(struct world *w)
{
	for (unsigned i = 0; i < w->n_conns && !w->failed; i++) {
		check_conn(&w->conn[i]);
	}
	for (unsigned i = 0; i < w->n_hosts && !w->failed; i++) {
		const struct host *h = &w->host[i];
		uint64_t most = MEM_BASE + 2 * buffers(h);

		if (h->mem.peak > most || h->pinned_peak > most) {
			world_fail(w,
				   "host %c: %llu octets of memory, %llu "
				   "pinned, allowed %llu",
				   (int)('A' + i),
				   (unsigned long long)h->mem.peak,
				   (unsigned long long)h->pinned_peak,
				   (unsigned long long)most);
		}
	}
}
