/* setsockopt() and getsockopt() of a program
 *
 * Before it is known who carries the socket, an option is set on the core's
 * socket and remembered for a kernel one; if there is a kernel socket already
 * it is set there too.  Later only whoever carries it is asked.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/chan/chan_early.h"
#include "stack/engine/app.h"

#define OPTS_STEP 4 /* options that memory is taken for at once */

static_assert(CHAN_OPT_REPLAY % OPTS_STEP == 0, "the last step is whole");

static bool kernel_only(const struct app_ent *t)
{
	return app_relayed(t) || t->via == APP_VIA_KERNEL;
}

static size_t opts_size(unsigned room)
{
	return sizeof(struct app_opts) + room * sizeof(struct chan_opt);
}

void app_req_forget_opts(struct app_ent *t)
{
	if (t->opts) {
		mem_free(&t->app->mem, t->opts, opts_size(t->opts->room));
		t->opts = NULL;
	}
}

/* room for one more; NULL: no memory, or too many */
static struct app_opts *make_room(struct app_ent *t)
{
	struct app_opts *old = t->opts, *o;
	unsigned n = old ? old->n : 0;

	if (old && n < old->room) {
		return old;
	}
	if (n + OPTS_STEP > CHAN_OPT_REPLAY) {
		return NULL;
	}
	o = mem_zalloc(&t->app->mem, opts_size(n + OPTS_STEP));
	if (!o) {
		return NULL;
	}
	o->n = n;
	o->room = n + OPTS_STEP;
	if (old) {
		memcpy(o->opt, old->opt, n * sizeof(o->opt[0]));
	}
	app_req_forget_opts(t);
	t->opts = o;
	return o;
}

static int remember(struct app_ent *t, const struct chan_req *q)
{
	struct app_opts *o = t->opts;
	unsigned i;

	if (q->len > sizeof(o->opt[0].val)) {
		return ENOPROTOOPT;
	}
	for (i = 0; o && i < o->n; i++) {
		if (o->opt[i].level == q->level && o->opt[i].name == q->name) {
			break;
		}
	}
	if (!o || i == o->n) {
		o = make_room(t);
		if (!o) {
			return ENOBUFS;
		}
		i = o->n++;
	}
	o->opt[i] = (struct chan_opt){ .level = q->level,
				       .name = q->name,
				       .len = q->len };
	memcpy(o->opt[i].val, q->val, q->len);
	return 0;
}

/* what no kernel knows: it stays with the core's socket */
static bool is_ours(const struct chan_req *q)
{
	return sock_opt_private(q->level, q->name);
}

static int set_kernel(int fd, const struct chan_req *q)
{
	return setsockopt(fd, q->level, q->name, q->val, q->len) == 0 ? 0
								      : errno;
}

/* the buffer between us and the program is the receive buffer that the
 * program sees: its size is what makes a sender stop */
static void note_rcvbuf(struct app_ent *t, const struct chan_req *q)
{
	int v;

	if (q->level != SOL_SOCKET || q->name != SO_RCVBUF ||
	    q->len < sizeof(v)) {
		return;
	}
	memcpy(&v, q->val, sizeof(v));
	t->rcvbuf = v > 0 ? (uint32_t)v : 1;
	if (t->state == APP_CONNECTED) {
		app_wire_buf(t, app_relayed(t) ? &t->relay->u : &t->u);
	}
}

static int set_core(struct app_ent *t, const struct chan_req *q)
{
	struct sock *sk = app_ent_sock(t);

	return sk ? sock_setopt(sk, app_now(t->app), q->level, q->name, q->val,
				q->len)
		  : ENOBUFS;
}

static int set_both(struct app_ent *t, const struct chan_req *q)
{
	int err = set_core(t, q);

	if (err == 0 && t->via == APP_VIA_ANY && is_ours(q)) {
		return remember(t, q);
	}
	if (err == 0 && t->via == APP_VIA_ANY) {
		err = t->kfd >= 0 ? set_kernel(t->kfd, q) : remember(t, q);
	}
	return err;
}

int app_req_setsockopt(struct app_ent *t, struct app_req *r)
{
	const struct chan_req *q = r->q;
	int err;

	if (t->state == APP_DEAD) {
		return set_core(t, q);
	}
	if (kernel_only(t) && is_ours(q)) {
		return EOPNOTSUPP;
	}
	err = kernel_only(t) ? set_kernel(app_ent_kernel_fd(t), q)
			     : set_both(t, q);
	if (err == 0) {
		note_rcvbuf(t, q);
	}
	return err;
}

void app_req_early(struct app_ent *t, uint32_t word)
{
	static const struct {
		int level, name;
	} early[CHAN_EARLY_N] = {
#define X(level, name) [CHAN_EARLY_##name] = { level, name },
		CHAN_EARLY(X)
#undef X
	};

	for (unsigned i = 0; i < CHAN_EARLY_N; i++) {
		struct chan_req q;
		struct app_req r = { .q = &q, .fd = { -1, -1 } };
		int on = chan_early_on(word, i);

		if (chan_early_has(word, i)) {
			chan_req_init(&q, &t->app->e->run, CHAN_OP_SETSOCKOPT,
				      NULL);
			q.level = early[i].level;
			q.name = early[i].name;
			q.len = sizeof(on);
			memcpy(q.val, &on, sizeof(on));
			app_req_setsockopt(t, &r);
		}
	}
}

static int get_kernel(int fd, struct app_req *r)
{
	const struct chan_req *q = r->q;
	socklen_t len = (socklen_t)min_u32(q->len, CHAN_VAL_MAX);

	if (getsockopt(fd, q->level, q->name, r->rep->val, &len) != 0) {
		return errno;
	}
	r->rep->len = (uint32_t)len;
	return 0;
}

/* What the core does not know cannot have been changed: the kernel's default
 * is the answer, for as long as the kernel may yet carry the socket. */
static int get_default(struct app_ent *t, struct app_req *r)
{
	int fd = socket(t->family == 6 ? AF_INET6 : AF_INET,
			SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	int err;

	if (fd < 0) {
		return ENOPROTOOPT;
	}
	err = get_kernel(fd, r);
	close(fd);
	return err;
}

static int get_core(struct app_ent *t, struct app_req *r)
{
	const struct chan_req *q = r->q;
	struct sock *sk = app_ent_sock(t);
	uint32_t len = min_u32(q->len, CHAN_VAL_MAX);
	int err;

	if (!sk) {
		return ENOBUFS;
	}
	err = sock_getopt(sk, app_now(t->app), q->level, q->name, r->rep->val,
			  &len);
	if (err == ENOPROTOOPT && t->state == APP_DEAD) {
		return get_default(t, r);
	}
	if (err == ENOPROTOOPT && t->state == APP_FRESH &&
	    t->via == APP_VIA_ANY) {
		return t->kfd >= 0 ? get_kernel(t->kfd, r) : get_default(t, r);
	}
	r->rep->len = err ? 0 : len;
	return err;
}

int app_req_getsockopt(struct app_ent *t, struct app_req *r)
{
	const struct chan_req *q = r->q;

	if (q->level == SOL_SOCKET && q->name == SO_ERROR) {
		int err = app_req_error(t);
		uint32_t len = min_u32(q->len, sizeof(err));

		memcpy(r->rep->val, &err, len);
		r->rep->len = len;
		return 0;
	}
	if (t->state == APP_DEAD) {
		return is_ours(q) ? ENOTCONN : get_core(t, r);
	}
	if (kernel_only(t) && is_ours(q)) {
		return EOPNOTSUPP;
	}
	if (kernel_only(t)) {
		return get_kernel(app_ent_kernel_fd(t), r);
	}
	return get_core(t, r);
}
