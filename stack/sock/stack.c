#include "stack/sock/stack.h"

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

#define MEMO_DEFAULT 8192u

const char *stack_version(void)
{
	return "0.1";
}

static void obituary(void *ctx, struct instant now, const struct mp_conn *c)
{
	struct stack *s = ctx;
	struct mp_info info;

	(void)now;
	if (s->obituary) {
		mp_info(c, &info);
		s->obituary(s->obituary_ctx, &info);
	}
}

static bool set_defaults(struct stack *s)
{
	const char *cc = s->cfg.congestion ? s->cfg.congestion : "cubic";

	if (s->cfg.socks_max == 0) {
		s->cfg.socks_max = SOCK_MAX_DEFAULT;
	}
	same_init(&s->confs, s->env.mem, sizeof(s->conf));
	s->conf.tcp.cc = cc_find(cc);
	s->conf.tcp.mtup = s->cfg.mtu_probing;
	s->conf.tcp.ecn = s->cfg.ecn;
	s->conf.sndbuf = s->cfg.sndbuf ? s->cfg.sndbuf : 4u << 20;
	s->conf.rcvbuf = s->cfg.rcvbuf ? s->cfg.rcvbuf : 6u << 20;
	s->conf.rcvlowat = 1;
	return s->conf.tcp.cc != NULL;
}

/* encryption, and what is remembered of it */
static bool crypt_layer(struct stack *s)
{
	struct mp_cfg *mp = &s->cfg.mp;

	if (mp->crypt_policy == MP_CRYPT_OFF) {
		return true;
	}
	if (!mp->crypt_conf.n_kx) {
		crypt_conf_init(&mp->crypt_conf);
	}
	s->crypt = crypt_new(&s->env, &s->cfg.crypt);
	if (!s->crypt) {
		return false;
	}
	if (mp->memo_mode == MP_MEMO_OFF || mp->memo) {
		return true;
	}
	s->memo = crypt_memo_new(&s->env, s->cfg.memo_max ? s->cfg.memo_max :
							    MEMO_DEFAULT);
	mp->memo = s->memo;
	return s->memo != NULL;
}

static bool layers_new(struct stack *s, struct instant now)
{
	s->ip = ip_new(&s->env);
	if (!s->ip) {
		return false;
	}
	if (s->cfg.drop_fragments) {
		ip_drop_fragments(s->ip);
	}
	s->tcp = tcp_new(&s->env, s->ip, &s->wheel, now);
	if (!s->tcp) {
		return false;
	}
	if (!crypt_layer(s)) {
		return false;
	}
	s->cfg.mp.crypt = s->crypt;
	s->mp = mp_new(&s->env, &s->cfg.mp, s->ip, s->tcp, &s->wheel, now);
	if (!s->mp) {
		return false;
	}
	mp_set_obituary(s->mp, obituary, s);
	return true;
}

struct stack *stack_new(const struct env *env, const struct stack_cfg *cfg,
			struct instant now)
{
	struct stack *s = mem_zalloc(env->mem, sizeof(*s));

	if (!s) {
		return NULL;
	}
	s->env = *env;
	s->cfg = *cfg;
	s->next_id = 1;
	list_init(&s->socks);
	list_init(&s->events);
	ports_init(&s->bound, s->env.mem);
	wheel_init(&s->wheel, now);
	wheel_timer_init(&s->frag_timer, stack_frag_fire);
	s->key.k0 = entropy_u64(&env->entropy);
	s->key.k1 = entropy_u64(&env->entropy);
	/* orphans keep their entry: twice the handles, and then some */
	if (!set_defaults(s) ||
	    !hmap_init(&s->ids, env->mem, s->cfg.socks_max * 4) ||
	    !layers_new(s, now)) {
		stack_free(s);
		return NULL;
	}
	return s;
}

static void free_listeners(struct stack *s)
{
	list_each(n, &s->socks) {
		struct sock *sk = list_entry(n, struct sock, link);

		if (!sock_listener(sk)) {
			continue;
		}
		mp_unlisten(s->mp, sk->q->lst);
		sk->q->lst = NULL;
		/* its queues end before what waits there */
		while (list_pop_front(&sk->q->ready) ||
		       list_pop_front(&sk->q->deferred)) {
		}
	}
}

void stack_free(struct stack *s)
{
	struct list *n;

	if (!s) {
		return;
	}
	/* from the top down: the upper layers still point at the lower ones */
	s->obituary = NULL;
	if (s->mp) {
		free_listeners(s);
		mp_free(s->mp);
	}
	while ((n = list_first(&s->socks)) != NULL) {
		sock_free(list_entry(n, struct sock, link));
	}
	if (s->tcp) {
		tcp_free(s->tcp);
	}
	ip_free(s->ip);
	crypt_free(s->crypt);
	crypt_memo_free(s->memo);
	stack_echo_fini(s);
	if (s->ids.mem) {
		hmap_fini(&s->ids);
	}
	mem_free(s->env.mem, s, sizeof(*s));
}

int stack_path_add(struct stack *s, struct instant now, const struct ip_path *p)
{
	int path = ip_path_add(s->ip, p);

	if (path >= 0) {
		mp_path_changed(s->mp, now, (unsigned)path);
	}
	return path;
}

void stack_path_set_up(struct stack *s, struct instant now, unsigned path,
		       bool up)
{
	const struct ip_path *p = ip_path(s->ip, path);

	if (p && p->up != up) {
		ip_path_set_up(s->ip, path, up);
		mp_path_changed(s->mp, now, path);
	}
}

void stack_path_set_backup(struct stack *s, struct instant now, unsigned path,
			   bool backup)
{
	const struct ip_path *p = ip_path(s->ip, path);

	if (p && p->backup != backup) {
		ip_path_set_backup(s->ip, path, backup);
		mp_path_changed(s->mp, now, path);
	}
}

struct instant stack_deadline(const struct stack *s)
{
	return wheel_deadline(&s->wheel);
}

void stack_tick(struct stack *s, struct instant now)
{
	stack_echo_reap(s);
	wheel_advance(&s->wheel, now);
}

bool stack_idle(struct stack *s)
{
	return s->crypt && crypt_prepare(s->crypt);
}
