/* main.c - runs seeds; see sim.h
 *
 *   sim [-n seeds] [-s first seed] [-c plain|sealed|both] [-m failures] [-v]
 *       [-q] [-x]
 *
 * -c: a seed is two worlds, one without and one with encryption: which of them
 * (default both); -m: ends with so many failures (default 20), -x: with the
 * first; -v: every packet as text; -q: no table.  In a run of 1,000 seeds or
 * more, both worlds of each, a fault or a reason that never occurred fails the
 * run.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "tests/sim/sim.h"

#define ENOUGH      1000u /* seeds after which nothing may be missing */
#define REPLAY_EACH 50u   /* every so many seeds one is run twice */
#define GIVE_UP     (1500 * NANOS_S) /* longer than any retry lasts */
#define LINGER      (250 * NANOS_S)

static struct sim_stats stats;
static struct world world;

/* --- one seed ------------------------------------------------------------- */

static void add_reason(void *ctx, const char *name, const char *text,
		       uint64_t value)
{
	struct sim_stats *st = ctx;
	unsigned i;

	(void)text;
	for (i = 0; i < st->n_reasons && st->reason_name[i] != name; i++) {
	}
	if (i == st->n_reasons) {
		check(i < SIM_REASON_MAX);
		st->reason_name[st->n_reasons++] = name;
	}
	st->reason[i] += value;
}

static void skip_to(struct world *w, nanos after)
{
	struct instant to = instant_add(w->now, after);

	world_run(w, to);
	if (!w->failed) {
		w->now = to;
	}
}

static bool all_done(const struct world *w, bool excused_too)
{
	for (unsigned i = 0; i < w->n_conns; i++) {
		const struct conn *c = &w->conn[i];

		if ((!c->started || !app_done(c)) &&
		    (excused_too || !check_excused(c))) {
			return false;
		}
	}
	return true;
}

static bool owing(const struct world *w)
{
	for (unsigned i = 0; i < w->n_hosts; i++) {
		if (stack_owing(w->host[i].stack) != 0) {
			return true;
		}
	}
	return false;
}

/* every program has ended: so must every stack's business */
static void settle(struct world *w)
{
	struct instant limit = instant_add(w->now, w->bound + LINGER);

	while (!w->failed && owing(w) && instant_before(w->now, limit)) {
		skip_to(w, NANOS_S);
	}
	/* whose peer vanished without a word may hold on to it */
	w->dirty_end |= !all_done(w, true);
	if (!w->failed && owing(w) && !w->dirty_end) {
		world_fail(w, "a connection still owes its peer something");
	}
	skip_to(w, LINGER);
	for (unsigned i = 0; i < w->n_hosts && !w->failed; i++) {
		struct stack *s = w->host[i].stack;

		if (!w->dirty_end &&
		    (stack_timewait(s) != 0 || stack_conns(s) != 0)) {
			world_fail(w,
				   "host %c: %u connections, %u in "
				   "TIME-WAIT at the end",
				   (int)('A' + i), stack_conns(s),
				   stack_timewait(s));
		}
	}
}

static void say_conn(void *ctx, const struct mp_info *m)
{
	struct world *w = ctx;
	char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];

	world_say(w, "left: mode %d (%s) sent %llu received %llu", (int)m->mode,
		  m->mode == MP_MODE_TCP ? mp_reason_name(m->why_plain) : "",
		  (unsigned long long)m->bytes_sent,
		  (unsigned long long)m->bytes_received);
	for (unsigned i = 0; i < m->n_subs; i++) {
		const struct mp_sub_info *s = &m->sub[i];

		world_say(w,
			  "  %s > %s%s%s%s state %d rto %.3f cwnd %u "
			  "flight %u unsent %u snd_wnd %u rcv_wnd %u",
			  endpoint_text(&s->t.local, a),
			  endpoint_text(&s->t.remote, b),
			  s->established ? " established" : "",
			  s->stale ? " stale" : "", s->closed ? " closed" : "",
			  (int)s->tcp.state, (double)s->tcp.rto / 1e9,
			  s->tcp.cwnd, s->tcp.in_flight, s->tcp.unsent,
			  s->tcp.snd_wnd, s->tcp.rcv_wnd);
	}
}

static void stop(struct world *w)
{
	for (unsigned i = 0; i < w->n_hosts; i++) {
		struct host *h = &w->host[i];

		if (w->failed && w->verbose) {
			world_say(w, "host %c:", (int)('A' + i));
			stack_each_conn(h->stack, say_conn, w);
		}
		stack_counters(h->stack, add_reason, w->stats);
		host_stop(h);
	}
}

static void drain(struct world *w)
{
	bool failed = w->failed;

	/* events still hold packets: they run, on hosts that are gone */
	w->failed = false;
	w->stopping = true;
	w->steps = 0;
	world_run(w, INSTANT_NEVER);
	w->failed |= failed;
	w->stopping = false;
	for (unsigned i = 0; i < w->n_hosts; i++) {
		const struct host *h = &w->host[i];

		if (h->mem.used != 0) {
			world_fail(w, "host %c: %llu octets never given back",
				   (int)('A' + i),
				   (unsigned long long)h->mem.used);
		}
	}
	if (w->pkts != 0) {
		world_fail(w, "%lld packets never given back",
			   (long long)w->pkts);
	}
}

static bool run_seed(uint64_t seed, bool crypted, struct sim_stats *st,
		     bool verbose, uint64_t *hash)
{
	struct world *w = &world;
	struct instant limit;

	world_init(w, seed, crypted, st);
	w->verbose = verbose;
	scen_build(w);
	limit = instant_add(w->heal, GIVE_UP);
	while (!w->failed && !all_done(w, true) &&
	       (instant_before(w->now, limit) || !all_done(w, false))) {
		skip_to(w, NANOS_S);
	}
	if (!w->failed) {
		settle(w);
	}
	if (!w->failed) {
		check_end(w);
	}
	st->virtual_ns += w->now.ns;
	stop(w);
	drain(w);
	*hash = w->hash;
	world_fini(w);
	return !w->failed;
}

/* --- many ----------------------------------------------------------------- */

static const char *kind_of(bool crypted)
{
	return crypted ? "sealed" : "plain";
}

static void crashed(int sig)
{
	char line[160];
	int n = snprintf(line, sizeof(line),
			 "\nseed %llu: signal %d\nreplay: build/sim -c %s -n "
			 "1 -s %llu -v\n",
			 (unsigned long long)world.seed, sig,
			 kind_of(world.crypted),
			 (unsigned long long)world.seed);

	if (n > 0 && write(2, line, (size_t)n) < 0) {
		_exit(3);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

/* what no world of two stacks that keep the rules can bring about */
static const struct {
	const char *name, *why;
} never[] = {
	{ "CryptLib", "libcrypto does what it is asked" },
	{ "MPTcpExtHalfOpenEvicted", "takes a flood of joins" },
	{ "TcpDropFin", "takes a peer that goes on behind its end" },
	{ "TcpExtTCPTimeWaitOverflow", "takes 16,384 of them" },
	{ "TcpExtTCPAbortOnMemory", "takes 16,384 closed ones that owe" },
	{ "CryptBadFields", "takes a peer that seals nonsense" },
	{ "CryptAfterFin", "takes a peer that goes on behind its end" },
	{ "CryptNotKeyed", "the layer above asks first" },
	{ "CryptRefuseOffset", "the layer above never goes back" },
	{ "CryptBadSig", "takes a peer that seals signals unasked" },
	{ "CryptBadRekey", "takes a peer that counts generations wrongly" },
	{ "CryptRefuseSig", "nobody here seals signals" },
	{ "CryptRefuseWorn", "takes 2^24 frames under one key" },
	{ "CryptOffNoRoom", "timestamps give way to ENO" },
	{ "CryptRefuseLen", "the layer above knows the bound" },
	{ "CryptRefuseFin", "the layer above seals nothing behind the end" },
};

static const char *why_never(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(never); i++) {
		if (strcmp(never[i].name, name) == 0) {
			return never[i].why;
		}
	}
	return NULL;
}

static unsigned report(const struct sim_stats *st, unsigned long seeds,
		       bool all)
{
	unsigned missing = 0;

	printf("faults:\n");
	for (unsigned i = 0; i < SIM_FAULT_N; i++) {
		printf("  %10llu  %s\n", (unsigned long long)st->fault[i],
		       sim_fault_text((enum sim_fault)i));
		missing += st->fault[i] == 0;
	}
	printf("reasons:\n");
	for (unsigned i = 0; i < st->n_reasons; i++) {
		const char *why = why_never(st->reason_name[i]);

		printf("  %10llu  %s%s%s\n", (unsigned long long)st->reason[i],
		       st->reason_name[i], why ? ": " : "", why ? why : "");
		missing += st->reason[i] == 0 && !why;
	}
	printf("%lu seeds: %llu connections (%llu MPTCP, %llu excused, %llu "
	       "died), %llu packets, %.0f s of virtual time\n",
	       seeds, (unsigned long long)st->conns,
	       (unsigned long long)st->conns_mptcp,
	       (unsigned long long)st->conns_excused,
	       (unsigned long long)st->conns_died,
	       (unsigned long long)st->packets / 3,
	       (double)st->virtual_ns / 1e9);
	printf("sealed: %llu (%llu SMTCP, %llu resumed), %llu refused, %llu "
	       "could not live; bad frames: %llu lived on another path, %llu "
	       "without one\n",
	       (unsigned long long)st->sealed, (unsigned long long)st->smtcp,
	       (unsigned long long)st->resumed, (unsigned long long)st->refused,
	       (unsigned long long)st->doomed, (unsigned long long)st->survived,
	       (unsigned long long)st->rejoined);
	if (seeds < ENOUGH || !all) {
		return 0;
	}
	if (missing) {
		printf("FAILED: %u faults or reasons never occurred\n",
		       missing);
	}
	return missing;
}

static bool one(uint64_t seed, bool crypted, bool verbose, bool twice)
{
	static struct sim_stats again;
	uint64_t a, b;
	bool ok = run_seed(seed, crypted, &stats, verbose, &a);

	if (ok && twice) {
		ok = run_seed(seed, crypted, &again, false, &b);
		if (a != b) {
			world_fail(&world, "two runs differ: %016llx %016llx",
				   (unsigned long long)a,
				   (unsigned long long)b);
			ok = false;
		}
	}
	if (!ok) {
		printf("seed %llu: %s\nreplay: build/sim -c %s -n 1 -s %llu "
		       "-v\n",
		       (unsigned long long)seed, world.why, kind_of(crypted),
		       (unsigned long long)seed);
	}
	return ok;
}

static bool listed(uint64_t seed, bool crypted)
{
	return one(seed, crypted, false, false);
}

struct args {
	unsigned long n, most;
	uint64_t seed;
	const char *list;
	bool plain, sealed, verbose, quiet, fresh;
};

static bool set_worlds(struct args *a, const char *name)
{
	bool both = strcmp(name, "both") == 0;

	a->plain = both || strcmp(name, "plain") == 0;
	a->sealed = both || strcmp(name, "sealed") == 0;
	return a->plain || a->sealed;
}

static bool get_args(struct args *a, int argc, char **argv)
{
	int opt;

	*a = (struct args){
		.n = 100, .most = 20, .seed = 1, .plain = true, .sealed = true
	};
	while ((opt = getopt(argc, argv, "n:s:c:m:l:fvqx")) != -1) {
		switch (opt) {
		case 'n':
			a->n = strtoul(optarg, NULL, 10);
			break;
		case 's':
			a->seed = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			if (!set_worlds(a, optarg)) {
				return false;
			}
			break;
		case 'm':
			a->most = strtoul(optarg, NULL, 10);
			break;
		case 'l':
			a->list = optarg;
			break;
		case 'f':
			a->fresh = true;
			break;
		case 'v':
			a->verbose = true;
			break;
		case 'x':
			a->most = 1;
			break;
		case 'q':
			a->quiet = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct seeds_count list = { 0 };
	unsigned long failed = 0, i;
	struct args a;

	if (!get_args(&a, argc, argv)) {
		fprintf(stderr, "usage: sim [-n seeds] [-s first] "
				"[-c plain|sealed|both] [-m failures] "
				"[-l list] [-f] [-v] [-q] [-x]\n");
		return 2;
	}
	signal(SIGABRT, crashed);
	signal(SIGSEGV, crashed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (a.list && !seeds_each(a.list, listed, &list)) {
		return 2;
	}
	for (i = 0; i < a.n && failed < a.most; i++) {
		bool twice = i % REPLAY_EACH == 0 && !a.verbose;
		bool ok = true;

		if (a.plain) {
			ok &= one(a.seed + i, false, a.verbose, twice);
		}
		if (a.sealed) {
			ok &= one(a.seed + i, true, a.verbose, twice);
		}
		failed += !ok;
	}
	if (!a.quiet) {
		unsigned long passed = i - failed;

		failed += report(&stats, a.n,
				 a.plain && a.sealed && !a.fresh);
		printf("seeds %llu to %llu, and %lu that once failed\n",
		       (unsigned long long)a.seed,
		       (unsigned long long)(a.seed + i - 1),
		       list.passed + list.failed);
		printf("sim: %lu passed, %lu failed\n", passed + list.passed,
		       failed + list.failed);
	}
	return failed || list.failed ? 1 : 0;
}
