/* The programs' side of the engine: start, each turn, stop.
 *
 * Deadlines, of which app_deadline() tells the loop the next:
 *   sweep   1 s while things happen, then 2, 4, 8 s, and only while there
 *           is something that nothing else would tell of: a listener or an
 *           unconnected socket, whose program may have closed it, or a request
 *           that does not come
 *   retry   10 ms, while a connection waits for a program's backlog
 *   again   at once, while an entry has more to do than one turn should
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/reasons.h"
#include "stack/engine/app.h"
#include "stack/engine/heap.h"

#define ROUNDS 4 /* what one event causes at another descriptor of ours */
#define MEMORY (256u << 20)

static const struct reason reasons[] = { APP_REASONS(REASON) };

void app_count(struct app *a, enum app_reason r)
{
	a->count[r]++;
	engine_log(a->e, 3, "%s", reasons[r].text);
}

void app_counters(const struct engine *e,
		  void (*fn)(void *ctx, const char *name, const char *text,
			     uint64_t value),
		  void *ctx)
{
	for (unsigned i = 0; e->app && i < APP_REASON_N; i++) {
		fn(ctx, reasons[i].name, reasons[i].text, e->app->count[i]);
	}
}

uint64_t app_calls(const struct engine *e)
{
	return e->app ? e->app->set.calls : 0;
}

void app_again(struct app_ent *t)
{
	if (!list_linked(&t->ready)) {
		list_push_back(&t->app->ready, &t->ready);
	}
}

/* --- a turn ------------------------------------------------------------------ */

struct instant app_deadline(const struct engine *e)
{
	const struct app *a = e->app;

	if (!list_empty(&a->ready) || a->ctl_more) {
		return (struct instant){ 0 };
	}
	return instant_min(a->next_retry, a->next_sweep);
}

static void sweep(struct app *a, struct instant now)
{
	bool due = instant_due(a->next_sweep, now);
	struct instant at;

	if (due) {
		app_ent_sweep(a);
		app_ctl_sweep(a);
		a->sweep_gap = nanos_min(2 * a->sweep_gap, APP_SWEEP_CALM);
	}
	if (a->stirred || a->n_ctl > 0) {
		a->sweep_gap = APP_SWEEP;
	}
	if (!app_ent_unsure(a) && a->n_ctl == 0) {
		a->next_sweep = INSTANT_NEVER;
	} else if (due || a->stirred) {
		at = instant_add(now, a->sweep_gap);
		a->next_sweep = due ? at : instant_min(a->next_sweep, at);
	}
	a->stirred = false;
}

static void timers(struct app *a)
{
	app_listen_retry(a);
	sweep(a, app_now(a));
}

static void events(struct app *a)
{
	struct stack_event ev;

	while (stack_event(a->e->stack, &ev)) {
		struct app_ent *t = ev.user;

		if (ev.bits & (SOCK_EV_CONNECTED | SOCK_EV_ACCEPT)) {
			a->e->idle.want = true; /* a key pair is used */
		}
		if (!t || t->buried) {
			continue;
		}
		if (t->state == APP_LISTEN) {
			app_listen_core(t);
		} else {
			app_conn_event(t, ev.bits);
		}
	}
}

/* those that ask for more during this wait for the next turn */
static void go_on(struct app *a)
{
	struct list now;
	struct list *n;

	list_init(&now);
	while ((n = list_pop_front(&a->ready)) != NULL) {
		list_push_back(&now, n);
	}
	while ((n = list_pop_front(&now)) != NULL) {
		app_conn_go_on(list_entry(n, struct app_ent, ready));
	}
}

static void poll_done(struct io_op *op, int res, unsigned flags)
{
	struct app *a = container_of(op, struct app, poll);

	(void)flags;
	if (res == -ECANCELED) {
		return;
	}
	for (unsigned i = 0; i < ROUNDS && app_watch_run(&a->set); i++) {
		if (a->ctl_more) {
			app_ctl_accept(a);
		}
	}
}

void app_turn(struct engine *e)
{
	struct app *a = e->app;

	events(a);
	go_on(a);
	if (a->ctl_more) {
		app_ctl_accept(a);
	}
	events(a); /* what these calls caused */
	timers(a);
	app_ent_grave(a);
	a->turns++;
	if (!io_pending(&a->poll)) {
		io_poll(e->io, &a->poll, a->set.epfd, POLLIN, false);
	}
}

/* --- start and stop ---------------------------------------------------------- */

static void app_free(struct app *a)
{
	app_watch_shut(&a->set);
	free(a->scratch);
	free(a);
}

int app_start(struct engine *e)
{
	struct app *a = calloc(1, sizeof(*a));
	int err;

	if (!a) {
		return ENOMEM;
	}
	a->e = e;
	a->data_listen.fd = -1;
	a->ctl_listen.fd = -1;
	a->next_retry = INSTANT_NEVER;
	a->next_sweep = INSTANT_NEVER;
	a->sweep_gap = APP_SWEEP;
	a->mem = heap_mem(e->heap, MEMORY);
	a->poll.done = poll_done;
	memcpy(&a->key, e->run.secret, sizeof(a->key));
	a->scratch = calloc(1, RELAY_BUF);
	err = app_watch_open(&a->set);
	if (err) {
		free(a->scratch);
		free(a);
		return err;
	}
	if (!a->scratch || !app_ent_init(a)) {
		app_free(a);
		return ENOMEM;
	}
	err = app_ctl_start(a);
	if (err) {
		app_ctl_stop(a);
		app_ent_fini(a);
		app_free(a);
		return err;
	}
	e->app = a;
	io_poll(e->io, &a->poll, a->set.epfd, POLLIN, false);
	return 0;
}

void app_sweep_soon(struct engine *e)
{
	if (e->app) {
		e->app->next_sweep = app_now(e->app);
		e->app->stirred = true;
	}
}

uint32_t app_busy(const struct engine *e)
{
	return e->app ? e->app->n_live : 0;
}

void app_stop(struct engine *e)
{
	struct app *a = e->app;

	if (!a) {
		return;
	}
	e->app = NULL;
	app_ctl_stop(a);
	app_ent_fini(a);
	if (io_pending(&a->poll)) {
		/* its memory must outlive it: the process ends soon, and the
		 * canceled operation is reported in one more turn at most */
		io_cancel(e->io, &a->poll);
		for (unsigned i = 0; i < 16 && io_pending(&a->poll); i++) {
			io_turn(e->io, io_now());
		}
	}
	if (!io_pending(&a->poll)) {
		app_free(a);
	}
}
