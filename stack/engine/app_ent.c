/* The table of sockets.  Freed entries are buried and stay readable until the
 * end of the turn: a handler further up the stack may still hold one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/chan/chan_addr.h"
#include "stack/engine/app.h"

static uint64_t ent_hash(const struct app *a, uint8_t kind, uint64_t id)
{
	uint64_t k[2] = { kind, id };

	return siphash13(&a->key, k, sizeof(k));
}

bool app_ent_init(struct app *a)
{
	list_init(&a->live);
	list_init(&a->held);
	list_init(&a->dead);
	list_init(&a->grave);
	list_init(&a->ready);
	list_init(&a->waiting);
	list_init(&a->bound);
	list_init(&a->sweep_at);
	list_push_back(&a->live, &a->sweep_at);
	return hmap_init(&a->ents, &a->mem, APP_ENT_MAX);
}

struct app_ent *app_ent_find(struct app *a, uint8_t kind, uint64_t id)
{
	struct hnode *n = hmap_find(&a->ents, ent_hash(a, kind, id));

	for (; n; n = hmap_find_next(n)) {
		struct app_ent *t = container_of(n, struct app_ent, by_id);

		if (t->id == id && t->kind == kind) {
			return t;
		}
	}
	return NULL;
}

/* the tombstone that was untouched for longest makes room */
static void forget_one(struct app *a)
{
	struct list *n = list_first(&a->dead);

	if (n) {
		app_count(a, APP_DEAD_FORGOTTEN);
		app_ent_free(list_entry(n, struct app_ent, link));
	}
}

struct app_ent *app_ent_new(struct app *a, uint8_t kind, uint8_t family,
			    uint64_t id)
{
	struct app_ent *t;

	if (a->ents.n >= APP_ENT_MAX) {
		forget_one(a);
	}
	t = mem_zalloc(&a->mem, sizeof(*t));
	if (!t || !hmap_add(&a->ents, &t->by_id, ent_hash(a, kind, id))) {
		mem_free(&a->mem, t, sizeof(*t));
		app_count(a, APP_ENT_FULL);
		return NULL;
	}
	t->app = a;
	t->kind = kind;
	t->family = family;
	t->id = id;
	t->kfd = -1;
	t->u.fd = -1;
	list_init(&t->ready);
	list_init(&t->port);
	list_init(&t->link);
	list_push_back(&a->live, &t->link);
	a->n_live++;
	a->stirred = true;
	return t;
}

void app_ent_state(struct app_ent *t, enum app_state s)
{
	struct app *a = t->app;
	bool held = (s == APP_CONNECTING || s == APP_CONNECTED) &&
		    t->since.ns == 0;

	if (s == APP_DEAD && t->state != APP_DEAD) {
		a->n_live--;
		a->n_dead++;
	}
	list_del(&t->link);
	list_push_back(s == APP_DEAD ? &a->dead : held ? &a->held : &a->live,
		       &t->link);
	t->state = (uint8_t)s;
	a->stirred = true;
	if (a->n_dead > APP_DEAD_MAX) {
		forget_one(a);
	}
}

static void release(struct app_ent *t, bool abort)
{
	struct app *a = t->app;

	if (app_relayed(t)) {
		relay_stop(t->relay, abort);
	}
	if (t->stuffed > 0 && t->state == APP_CONNECTED) {
		/* unread it would make the end look like a reset */
		app_wire_unstuff(t->u.fd, t->stuffed, a->scratch, RELAY_BUF);
	}
	app_watch_close(&a->set, &t->u);
	if (t->q) {
		app_watch_take(&a->set, &t->q->kl); /* kfd is the descriptor */
		list_del(&t->q->wait);
		if (t->q->parked_fd >= 0) {
			close(t->q->parked_fd);
			t->q->parked_fd = -1;
		}
	}
	if (t->kfd >= 0) {
		close(t->kfd);
		t->kfd = -1;
	}
	if (t->sk) {
		struct sock *sk = t->sk;

		t->sk = NULL;
		sock_close(sk, app_now(a), abort);
	}
	app_req_forget_opts(t);
	app_say_forget(t);
	list_del(&t->ready);
	list_del(&t->port);
}

static void bury(struct app_ent *t, bool abort)
{
	struct app *a = t->app;

	if (t->buried) {
		return;
	}
	release(t, abort);
	t->buried = true;
	a->stirred = true;
	if (t->state == APP_DEAD) {
		a->n_dead--;
	} else {
		a->n_live--;
	}
	hmap_del(&a->ents, &t->by_id);
	list_del(&t->link);
	list_push_back(&a->grave, &t->link);
}

void app_ent_free(struct app_ent *t)
{
	bury(t, false);
}

void app_ent_die(struct app_ent *t, int err, bool abort)
{
	struct sock *heir;
	struct endpoint e;

	if (t->buried || t->state == APP_DEAD) {
		return;
	}
	/* options are still set and read, as on a socket that was reset */
	heir = t->sk ? sock_heir(t->sk) : NULL;
	if (app_ent_local(t, &e)) {
		app_ent_keep_name(t, &e); /* else as known before */
	}
	t->err = err;
	release(t, abort);
	t->sk = heir;
	app_ent_state(t, APP_DEAD);
}

void app_ent_grave(struct app *a)
{
	struct list *n;

	while ((n = list_pop_front(&a->grave)) != NULL) {
		struct app_ent *t = list_entry(n, struct app_ent, link);

		mem_free(&a->mem, t->relay, sizeof(*t->relay));
		mem_free(&a->mem, t->local, sizeof(*t->local));
		mem_free(&a->mem, t->q, sizeof(*t->q));
		mem_free(&a->mem, t, sizeof(*t));
	}
}

void app_ent_fini(struct app *a)
{
	struct list *n;

	list_del(&a->sweep_at);
	while ((n = list_first(&a->live)) != NULL ||
	       (n = list_first(&a->held)) != NULL ||
	       (n = list_first(&a->dead)) != NULL) {
		/* what its program has not ended must not look ended */
		bury(list_entry(n, struct app_ent, link), true);
	}
	app_ent_grave(a);
	hmap_fini(&a->ents);
}

/* --- is anybody there? -------------------------------------------------------- */

bool app_ent_alive(const struct app_ent *t)
{
	struct chan_name n = { .kind = t->kind,
			       .family = t->family,
			       .id = t->id };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&t->app->e->run, &n, &un);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool free_name;

	if (fd < 0) {
		return true;
	}
	free_name = bind(fd, (const struct sockaddr *)&un, len) == 0;
	close(fd);
	return !free_name;
}

static bool has_port(const struct app_ent *t, uint16_t port)
{
	struct endpoint e;

	return app_ent_local(t, &e) && e.port == port;
}

static bool bury_if_gone(struct app_ent *t)
{
	if (app_ent_alive(t)) {
		return false;
	}
	if (t->state == APP_LISTEN) {
		app_count(t->app, APP_LISTENER_GONE);
	}
	app_ent_free(t);
	return true;
}

void app_ent_probe_port(struct app *a, uint16_t port)
{
	list_each_safe (n, &a->bound) {
		struct app_ent *t = list_entry(n, struct app_ent, port);

		if (has_port(t, port)) {
			bury_if_gone(t);
		}
	}
}

/* Shut both ways and not closed, as far as we could see: a client's name
 * tells; an accepted socket has none of its own, so time has to. */
static void sweep_half_dead(struct app_ent *t)
{
	struct instant until = instant_add(t->since, APP_HALF_DEAD);

	if (t->kind == CHAN_KIND_SOCK ? !app_ent_alive(t)
				      : instant_due(until, app_now(t->app))) {
		app_ent_free(t);
	}
}

static void sweep_one(struct app_ent *t)
{
	switch ((enum app_state)t->state) {
	case APP_FRESH:
	case APP_LISTEN:
	case APP_DEAD:
		if (t->kind == CHAN_KIND_SOCK) {
			bury_if_gone(t);
		}
		break;
	case APP_CONNECTED:
		if (t->since.ns != 0) {
			sweep_half_dead(t);
		}
		break;
	case APP_CONNECTING:
		break;
	}
}

void app_ent_sweep(struct app *a)
{
	unsigned most = APP_SWEEP_MOST;

	for (; most > 0; most--) {
		struct list *n = a->sweep_at.next;

		list_del(&a->sweep_at);
		if (n == &a->live) { /* round: the next sweep starts over */
			list_push_front(&a->live, &a->sweep_at);
			break;
		}
		list_insert(n->next, &a->sweep_at);
		sweep_one(list_entry(n, struct app_ent, link));
	}
	for (most = min_u32(a->n_dead, APP_SWEEP_MOST / 4); most > 0; most--) {
		struct list *n = list_pop_front(&a->dead);

		if (!n) {
			break;
		}
		list_push_back(&a->dead, n);
		sweep_one(list_entry(n, struct app_ent, link));
	}
}

bool app_ent_unsure(const struct app *a)
{
	/* the cursor is in live, too */
	return list_first(&a->live) != list_last(&a->live) || a->n_dead > 0;
}

void app_ent_shut(struct app_ent *t)
{
	struct app *a = t->app;

	if (t->buried || t->state == APP_DEAD) {
		return; /* that was the end of it */
	}
	t->since = app_now(a);
	list_del(&t->link);
	list_push_back(&a->live, &t->link);
	a->stirred = true;
}

/* --- what is behind an entry ----------------------------------------------- */

struct sock *app_ent_sock(struct app_ent *t)
{
	struct app_opts *o = t->opts;

	if (t->sk) {
		return t->sk;
	}
	t->sk = sock_open(t->app->e->stack, t->family);
	if (!t->sk) {
		return NULL;
	}
	sock_set_user(t->sk, t);
	for (unsigned i = 0; o && i < o->n; i++) { /* of a life before */
		sock_setopt(t->sk, app_now(t->app), o->opt[i].level,
			    o->opt[i].name, o->opt[i].val, o->opt[i].len);
	}
	return t->sk;
}

int app_ent_kernel_fd(const struct app_ent *t)
{
	return app_relayed(t) ? t->relay->k.fd : t->kfd;
}

bool app_ent_name_of(int fd, bool peer, struct endpoint *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int r = peer ? getpeername(fd, (struct sockaddr *)&ss, &len)
		     : getsockname(fd, (struct sockaddr *)&ss, &len);

	return r == 0 && chan_addr_get(&ss, len, out, NULL);
}

/* without memory it is not known: family 0 */
void app_ent_keep_name(struct app_ent *t, const struct endpoint *e)
{
	if (!t->local) {
		t->local = mem_alloc(&t->app->mem, sizeof(*t->local));
	}
	if (t->local) {
		*t->local = *e;
	}
}

bool app_ent_local(const struct app_ent *t, struct endpoint *out)
{
	int k = app_ent_kernel_fd(t);

	memset(out, 0, sizeof(*out));
	if (t->state == APP_DEAD) {
		if (t->local) {
			*out = *t->local;
		}
		return out->addr.family != 0;
	}
	if (k >= 0) {
		return app_ent_name_of(k, false, out);
	}
	return t->sk && sock_local(t->sk, out);
}

bool app_ent_remote(const struct app_ent *t, struct endpoint *out)
{
	memset(out, 0, sizeof(*out));
	if (t->state != APP_CONNECTED) {
		return false;
	}
	if (app_relayed(t)) {
		return app_ent_name_of(t->relay->k.fd, true, out);
	}
	return t->sk && sock_remote(t->sk, out);
}
