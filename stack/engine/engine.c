/* The loop: one io_turn() waits, takes packets in and lets programs' data
 * come; then the core's timers, events and output.  What the core wants to
 * send is queued by reference and written by the next io_turn(), in the same
 * system call that waits; only when more is to be sent than one batch takes,
 * io_flush() writes in between.
 */
#include "stack/engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/engine/confine.h"
#include "stack/engine/crypt_use.h"
#include "stack/engine/heap.h"
#include "stack/engine/keeper.h"
#include "stack/engine/keylog.h"
#include "stack/engine/life.h"
#include "stack/engine/loop.h"
#include "stack/engine/past.h"
#include "stack/engine/pcap.h"
#include "stack/engine/stats.h"

#define OUT_BATCH 64
#define ROUNDS    16 /* batches of one turn, so that input gets its turn too */

struct loop;

struct path {
	struct loop *l;
	struct io_tun *tun; /* NULL: the device is gone */
	unsigned i;
};

struct loop {
	struct engine e;
	const struct run_conf *conf;
	const struct loop_setup *setup;
	struct env env;
	struct heap heap;
	struct mem mem;
	uint8_t chance[256]; /* random octets not yet handed out */
	unsigned chance_left;
	struct path path[CONF_TUNS_MAX];
	bool more_out; /* the core had more to send than one turn took */
	struct life *life;
	struct stats *stats;
	struct pcap *pcap;
	struct keylog keylog;
	struct pkt_out out[OUT_BATCH];
};

static struct loop *loop_of(struct engine *e)
{
	return container_of(e, struct loop, e);
}

/* --- what the parts ask for ----------------------------------------------- */

void engine_log(const struct engine *e, int level, const char *fmt, ...)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[600];
	va_list ap;
	int n, m;

	if (e->verbose < level) {
		return;
	}
	n = snprintf(line, sizeof(line), "mptcp-run: ");
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (m < 0) {
		return;
	}
	n = (int)strlen(line);
	line[n++] = '\n';
	/* a reader that is stuck must not hold up everybody's connections */
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
		(void)!write(STDERR_FILENO, line, (size_t)n);
	}
}

static void set_buf(int fd, int name, int size)
{
	if (size > 0) {
		setsockopt(fd, SOL_SOCKET, name, &size, sizeof(size));
	}
}

void engine_force_buf(struct engine *e, int fd, int sndbuf, int rcvbuf)
{
	int err = EPIPE;

	if (e->keeper_fd >= 0 && !e->no_force) {
		err = keeper_force(e->keeper_fd, fd, sndbuf, rcvbuf);
	}
	if (!err) {
		return;
	}
	/* one that may not, or does not answer, is not asked again */
	e->no_force = true;
	set_buf(fd, SO_SNDBUF, sndbuf);
	set_buf(fd, SO_RCVBUF, rcvbuf);
}

void engine_watch_pid(struct engine *e, int pid)
{
	life_watch_pid(loop_of(e)->life, pid);
}

/* --- what the core asks for ----------------------------------------------- */

static void chance_fill(void *ctx, void *buf, size_t n)
{
	struct loop *l = ctx;
	uint8_t *to = buf;

	while (n > 0) {
		size_t part;

		if (l->chance_left == 0) {
			check(getrandom(l->chance, sizeof(l->chance), 0) ==
			      (ssize_t)sizeof(l->chance));
			l->chance_left = sizeof(l->chance);
		}
		part = min_size(n, l->chance_left);
		l->chance_left -= (unsigned)part;
		memcpy(to, l->chance + l->chance_left, part);
		explicit_bzero(l->chance + l->chance_left, part);
		to += part;
		n -= part;
	}
}

static void trace_line(void *ctx, const char *text)
{
	const struct loop *l = ctx;

	engine_log(&l->e, 3, "%s", text);
}

/* half of the machine, at least 64 MiB */
static uint64_t mem_limit(void)
{
	struct sysinfo si;

	if (sysinfo(&si) != 0) {
		return 1ull << 30;
	}
	return max_u64((uint64_t)si.totalram * si.mem_unit / 2, 64ull << 20);
}

/* --- packets -------------------------------------------------------------- */

static void rx(void *ctx, struct pkt *p)
{
	const struct path *path = ctx;
	struct loop *l = path->l;

	if (l->pcap) {
		pcap_in(l->pcap, io_time(l->e.io), p);
	}
	stack_input(l->e.stack, io_time(l->e.io), p);
}

static void tun_gone(void *ctx, int err)
{
	struct path *path = ctx;
	struct loop *l = path->l;

	path->tun = NULL;
	engine_log(&l->e, 1, "TUN device '%s' is gone: %s",
		   l->conf->tun[path->i].name, strerror(err));
	stack_path_set_up(l->e.stack, io_time(l->e.io), path->i, false);
}

static void send_one(struct loop *l, const struct pkt_out *p)
{
	struct io_tun *t = l->path[p->dev].tun;

	if (l->pcap) {
		pcap_out(l->pcap, l->e.now, p);
	}
	if (t && !io_tun_write(l->e.io, t, p)) {
		io_flush(l->e.io);
		io_tun_write(l->e.io, t, p);
	}
}

/* The last batch is left to the next io_turn(): it is written there before
 * anything touches the core again. */
static void send_all(struct loop *l)
{
	unsigned n = OUT_BATCH;

	l->more_out = false;
	for (unsigned round = 0; n == OUT_BATCH; round++) {
		if (round > 0) {
			io_flush(l->e.io);
		}
		if (round == ROUNDS) {
			l->more_out = true;
			return;
		}
		n = stack_output(l->e.stack, l->e.now, l->out, OUT_BATCH);
		for (unsigned i = 0; i < n; i++) {
			send_one(l, &l->out[i]);
		}
	}
	l->more_out = stack_wants_output(l->e.stack);
}

/* --- the loop ------------------------------------------------------------- */

/* Our data and FIN are acknowledged, and only the peer's FIN is missing: that
 * may never come, and nothing is owed. */
static bool owes(const struct mp_info *info)
{
	if (info->snd_una != info->write_seq) {
		return true;
	}
	if (info->mode == MP_MODE_MPTCP) {
		return !info->fin_acked;
	}
	for (unsigned i = 0; i < info->n_subs; i++) {
		const struct mp_sub_info *s = &info->sub[i];

		if (!s->closed && s->tcp.state != TCP_FIN_WAIT_2 &&
		    s->tcp.state != TCP_TIME_WAIT &&
		    s->tcp.state != TCP_CLOSED) {
			return true;
		}
	}
	return false;
}

static void weigh(void *ctx, const struct mp_info *info)
{
	struct life_load *load = ctx;

	if (owes(info)) {
		load->owing++;
	} else {
		load->timewait++;
	}
}

static struct life_load load(const struct loop *l)
{
	struct life_load load = {
		.busy = app_busy(&l->e),
		.timewait = stack_timewait(l->e.stack),
	};

	/* a look at each only when it may be the end */
	if (!load.busy && stack_owing(l->e.stack) > 0) {
		stack_each_conn(l->e.stack, weigh, &load);
		load.owing += stack_orphans(l->e.stack);
	}
	/* the peer's FIN is answered if it comes soon */
	if (stack_tcbs(l->e.stack) > 0) {
		load.timewait++;
	}
	return load;
}

static struct instant deadline(const struct loop *l)
{
	struct instant d = stack_deadline(l->e.stack);

	d = instant_min(d, life_deadline(l->life));
	d = instant_min(d, stats_deadline(l->stats));
	d = instant_min(d, app_deadline(&l->e));
	return l->more_out ? l->e.now : d;
}

static void turn(struct loop *l)
{
	struct engine *e = &l->e;

	idle_turn(&e->idle, e->io, deadline(l));
	e->now = io_time(e->io);
	if (instant_due(stack_deadline(e->stack), e->now)) {
		stack_tick(e->stack, e->now);
	}
	if (life_went(l->life)) {
		app_sweep_soon(e); /* or the end would wait for the sweep */
	}
	app_turn(e);
	stats_turn(l->stats);
	send_all(l);
}

static void note(void *ctx, const struct mp_info *info)
{
	past_note(ctx, info);
}

static void finish(struct loop *l)
{
	int err;

	stack_each_conn(l->e.stack, note, l->e.past);
	app_stop(&l->e);
	send_all(l); /* resets of what was still open */
	io_flush(l->e.io);
	stats_final(l->stats);
	keylog_close(&l->keylog);
	err = pcap_free(l->pcap);
	if (err) {
		engine_log(&l->e, 1, "the packet capture is not complete: %s",
			   strerror(err));
	}
}

/* --- set-up --------------------------------------------------------------- */

static enum io_backend backend(enum conf_io io)
{
	switch (io) {
	case CONF_IO_URING:
		return IO_URING;
	case CONF_IO_EPOLL:
		return IO_EPOLL;
	case CONF_IO_AUTO:
		break;
	}
	return IO_AUTO;
}

static enum tcp_ecn_mode ecn(enum conf_ecn e)
{
	return e == CONF_ECN_OFF  ? TCP_ECN_OFF
	       : e == CONF_ECN_ON ? TCP_ECN_ON
				  : TCP_ECN_PASSIVE;
}

static enum tcp_mtup_mode mtu_probing(enum conf_mtu_probing m)
{
	return m == CONF_MTU_PROBING_OFF  ? TCP_MTUP_OFF
	       : m == CONF_MTU_PROBING_ON ? TCP_MTUP_ON
					  : TCP_MTUP_BLACKHOLE;
}

static enum mp_policy policy(enum conf_policy p)
{
	switch (p) {
	case CONF_MPTCP_OFF:
		return MP_OFF;
	case CONF_MPTCP_REQUIRE:
		return MP_REQUIRE;
	case CONF_MPTCP_PREFER:
		break;
	}
	return MP_PREFER;
}

static bool make_io(struct loop *l, char err[CONF_ERR_MAX])
{
	l->e.io = io_new(backend(l->conf->io));
	if (!l->e.io) {
		snprintf(err, CONF_ERR_MAX,
			 "--io=uring: io_uring cannot be "
			 "used here (%s); use --io=auto",
			 strerror(errno));
		return false;
	}
	if (*io_why(l->e.io)) {
		engine_log(&l->e, 1, "using epoll: %s", io_why(l->e.io));
	}
	return true;
}

static void explain_stack(const struct run_conf *c, char err[CONF_ERR_MAX])
{
	if (c->congestion || c->scheduler) {
		snprintf(err, CONF_ERR_MAX,
			 "--congestion=%s or --scheduler=%s "
			 "is unknown; use cubic, reno or bbr, and minrtt",
			 c->congestion ? c->congestion : "cubic",
			 c->scheduler ? c->scheduler : "minrtt");
	} else {
		snprintf(err, CONF_ERR_MAX,
			 "out of memory, or the cryptographic library cannot "
			 "be used; try --crypt=off");
	}
}

static bool make_ahead(void *stack)
{
	return stack_idle(stack);
}

static bool make_stack(struct loop *l, char err[CONF_ERR_MAX])
{
	const struct run_conf *c = l->conf;
	const struct past_setup past = { c, l->setup->known,
					 l->setup->known_file };
	struct stack_cfg cfg = {
		.mp = { .policy = policy(c->mptcp),
			.checksum = c->checksum,
			.server_joins = true,
			.subflows_max = MP_SUBFLOWS_MAX,
			.announce = true,
			.scheduler = c->scheduler ? c->scheduler : "minrtt",
			.close_timeout = 60 * NANOS_S },
		.congestion = c->congestion,
		.ecn = ecn(c->ecn),
		.mtu_probing = mtu_probing(c->mtu_probing),
		.drop_fragments = c->drop_fragments,
		.crypt = { .keylog = keylog_trace(&l->keylog) },
		.memo_max = 2 * KNOWN_MAX,
	};

	heap_init(&l->heap);
	l->e.heap = &l->heap;
	l->mem = heap_mem(&l->heap, mem_limit());
	l->env = (struct env){ .mem = &l->mem,
			       .entropy = { chance_fill, l },
			       .trace = { l->e.verbose >= 3 ? trace_line : NULL,
					  l } };
	crypt_use_conf(&c->crypt, &cfg.mp);
	l->e.past = past_new(&l->e, &past);
	l->e.stack = l->e.past ? stack_new(&l->env, &cfg, io_now()) : NULL;
	l->e.idle = (struct idle){ .want = true,
				   .work = make_ahead,
				   .ctx = l->e.stack };
	if (!l->e.stack) {
		explain_stack(c, err);
		return false;
	}
	io_set_mem(l->e.io, &l->mem);
	past_tell(l->e.past, l->e.stack);
	stack_set_refused(l->e.stack, past_client, l->e.past);
	return true;
}

static bool add_path(struct loop *l, unsigned i, char err[CONF_ERR_MAX])
{
	const struct conf_tun *c = &l->conf->tun[i];
	const struct tun *t = &l->setup->tuns[i];
	struct ip_path p = { .used = true,
			     .up = true,
			     .backup = c->backup,
			     .csum_offload = t->offload,
			     .gso = t->offload,
			     .mtu = t->mtu,
			     .n_addr = c->n_addr };

	static_assert(CONF_TUN_ADDRS_MAX <= IP_PATH_ADDRS_MAX &&
			      CONF_TUNS_MAX <= IP_PATHS_MAX,
		      "a path takes it all");
	memcpy(p.name, c->name, sizeof(p.name));
	for (unsigned k = 0; k < c->n_addr; k++) {
		p.addr[k] = c->addr[k].addr;
		p.bits[k] = c->addr[k].bits;
	}
	if (stack_path_add(l->e.stack, io_now(), &p) != (int)i) {
		snprintf(err, CONF_ERR_MAX, "the stack cannot use path '%s'",
			 c->name);
		return false;
	}
	l->path[i] = (struct path){ .l = l, .i = i };
	l->path[i].tun = io_tun_start(l->e.io, t->fd, (uint16_t)i, rx,
				      &l->path[i], tun_gone);
	if (!l->path[i].tun) {
		snprintf(err, CONF_ERR_MAX, "no memory to read from '%s': %s",
			 c->name, strerror(errno));
		return false;
	}
	if (l->pcap) {
		pcap_interface(l->pcap, c->name);
	}
	return true;
}

static bool make_parts(struct loop *l, char err[CONF_ERR_MAX])
{
	const struct loop_setup *s = l->setup;
	int e;

	l->life = life_new(l->e.io, s->life_fd);
	l->stats = stats_new(&l->e, s->stats_fd);
	if (s->pcap_fd >= 0) {
		l->pcap = pcap_new(s->pcap_fd);
	}
	if (!l->life || !l->stats || (s->pcap_fd >= 0 && !l->pcap)) {
		snprintf(err, CONF_ERR_MAX, "out of memory");
		return false;
	}
	if (s->watch_pidfd >= 0) {
		life_watch_pidfd(l->life, l->conf->watch_pid, s->watch_pidfd);
	}
	for (unsigned i = 0; i < l->conf->n_tun; i++) {
		if (!add_path(l, i, err)) {
			return false;
		}
	}
	e = app_start(&l->e);
	if (e) {
		snprintf(err, CONF_ERR_MAX, "cannot listen for programs: %s",
			 strerror(e));
		return false;
	}
	return true;
}

static void confine(struct loop *l)
{
	int err = io_seal(l->e.io);
	unsigned got = confine_engine();

	if (err) {
		engine_log(&l->e, 2, "the kernel cannot limit the ring: %s",
			   strerror(err));
	}
	if (!(got & CONFINE_NO_CAPS)) {
		engine_log(&l->e, 1, "could not give up privileges");
	}
	if (!(got & CONFINE_NO_FILES)) {
		engine_log(&l->e, 2, "this kernel has no Landlock");
	}
	if (!(got & CONFINE_NO_CALLS)) {
		engine_log(&l->e, 2, "this kernel has no system call filter");
	}
}

static bool make_all(struct loop *l, char err[CONF_ERR_MAX])
{
	const struct loop_setup *s = l->setup;
	struct engine *e = &l->e;

	e->run = s->run;
	e->verbose = s->conf->verbose;
	e->keeper_fd = s->keeper_fd;
	l->keylog = (struct keylog){ e, s->keylog_fd };
	static_assert(CONF_NETS_MAX <= ENGINE_EXCLUDE_MAX, "all fit");
	for (unsigned i = 0; i < s->conf->n_exclude; i++) {
		e->exclude[i].addr = s->conf->exclude[i].addr;
		e->exclude[i].bits = s->conf->exclude[i].bits;
	}
	e->n_exclude = s->conf->n_exclude;
	if (!make_io(l, err) || !make_stack(l, err) || !make_parts(l, err)) {
		return false;
	}
	e->now = io_now();
	confine(l);
	return true;
}

int loop_run(const struct loop_setup *setup)
{
	struct loop *l = calloc(1, sizeof(*l));
	char err[CONF_ERR_MAX] = "out of memory";

	if (!l) {
		setup->ready(setup->ctx, err);
		return 125;
	}
	l->setup = setup;
	l->conf = setup->conf;
	if (!make_all(l, err)) {
		setup->ready(setup->ctx, err);
		return 125; /* the process ends: nothing is undone by hand */
	}
	setup->ready(setup->ctx, "");
	do {
		turn(l);
	} while (life_goes_on(l->life, l->e.now, load(l)));
	finish(l);
	stats_free(l->stats);
	io_free(l->e.io);
	life_free(l->life);
	stack_free(l->e.stack);
	past_free(l->e.past);
	explicit_bzero(&l->e.run, sizeof(l->e.run));
	free(l);
	return 0;
}
