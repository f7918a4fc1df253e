/* Connections that the kernel carries: an entry and its relay
 */
#include <errno.h>

#include "stack/engine/app.h"

void app_relay_only(struct app_ent *t)
{
	struct sock *sk = t->sk;

	t->via = APP_VIA_KERNEL;
	t->sk = NULL;
	if (sk) {
		sock_close(sk, app_now(t->app), false);
	}
	list_del(&t->port);
	app_ent_state(t, APP_CONNECTED);
}

static void relay_up(struct relay *r)
{
	struct app_ent *t = r->o;

	app_relay_only(t);
	app_wire_unstuff(r->u.fd, t->stuffed, t->app->scratch, RELAY_BUF);
	t->stuffed = 0;
	app_wire_buf(t, &r->u);
	relay_go_on(r);
}

static void relay_ended(struct relay *r, int err, bool gone)
{
	struct app_ent *t = r->o;

	if (t->state == APP_CONNECTING && gone) {
		app_count(t->app, APP_CONNECT_GONE);
	}
	t->was_eof = r->down.shut && r->down.eof;
	if (r->k_left >= 0) {
		t->kfd = r->k_left;
		r->k_left = -1;
		app_conn_failed(t, err);
	} else if (gone) {
		app_ent_free(t);
	} else {
		app_ent_die(t, err, false);
	}
}

static void relay_busy(struct relay *r)
{
	app_again(r->o);
}

static const struct relay_owner owner = { relay_up, relay_ended, relay_busy };

int app_relay_start(struct app_ent *t, int u, int k, bool connecting)
{
	struct app *a = t->app;
	struct endpoint e;
	int err;

	if (app_ent_name_of(k, false, &e)) {
		app_ent_keep_name(t, &e); /* for when k is closed */
	}
	if (!t->relay) {
		t->relay = mem_zalloc(&a->mem, sizeof(*t->relay));
	}
	if (!t->relay) {
		return ENOMEM;
	}
	err = relay_start(t->relay, &a->set, &owner, a->scratch, u, k,
			  connecting);
	t->relay->o = t;
	if (err) {
		t->relay->over = true;
		return err;
	}
	if (!connecting) {
		app_wire_buf(t, &t->relay->u);
		app_again(t);
	}
	return 0;
}
