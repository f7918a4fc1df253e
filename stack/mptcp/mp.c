#include "stack/mptcp/mp.h"

#include "stack/base/check.h"
#include "stack/base/reasons.h"

static const struct reason reasons[] = { MP_REASONS(REASON) };

const char *mp_reason_name(enum mp_reason r)
{
	return (unsigned)r < MP_REASON_N ? reasons[r].name : "?";
}

const char *mp_reason_text(enum mp_reason r)
{
	return (unsigned)r < MP_REASON_N ? reasons[r].text : "?";
}

void mp_count(struct mp *mp, enum mp_reason r)
{
	mp->counter[r]++;
}

uint64_t mp_counter(const struct mp *mp, enum mp_reason r)
{
	return (unsigned)r < MP_REASON_N ? mp->counter[r] : 0;
}

static void set_defaults(struct mp_cfg *cfg)
{
	if (cfg->subflows_max < 1 || cfg->subflows_max > MP_SUBFLOWS_MAX) {
		cfg->subflows_max = MP_SUBFLOWS_MAX;
	}
	if (cfg->close_timeout <= 0) {
		cfg->close_timeout = 60 * NANOS_S;
	}
}

struct mp *mp_new(const struct env *env, const struct mp_cfg *cfg,
		  struct ip *ip, struct tcp *tcp, struct wheel *wheel,
		  struct instant now)
{
	struct mp *mp;
	struct siphash_key key;

	mp = mem_zalloc(env->mem, sizeof(*mp));
	if (!mp) {
		return NULL;
	}
	mp->last = now;
	mp->env = env;
	mp->cfg = *cfg;
	set_defaults(&mp->cfg);
	mp->ip = ip;
	mp->tcp = tcp;
	mp->wheel = wheel;
	mp->sched = sched_find(cfg->scheduler);
	mp->pm = &pm_default;
	list_init(&mp->conns);
	list_init(&mp->dirty);
	list_init(&mp->dead);
	list_init(&mp->half);
	same_init(&mp->confs, env->mem, sizeof(struct mp_conf));
	mp_idle_init(&mp->idle, wheel, env->mem);
	env->entropy.fill(env->entropy.ctx, &key, sizeof(key));
	if (!mp->sched || !mp_token_init(&mp->tokens, env->mem, &key)) {
		mem_free(env->mem, mp, sizeof(*mp));
		return NULL;
	}
	mp->hash = hash_new();
	if (!mp->hash) {
		mp_token_fini(&mp->tokens);
		mem_free(env->mem, mp, sizeof(*mp));
		return NULL;
	}
	return mp;
}

static void free_all(struct list *head)
{
	list_each_safe(n, head) {
		mp_conn_free(list_entry(n, struct mp_conn, all));
	}
}

void mp_free(struct mp *mp)
{
	if (!mp) {
		return;
	}
	free_all(&mp->conns);
	free_all(&mp->dead);
	mp_idle_fini(&mp->idle);
	mp_token_fini(&mp->tokens);
	hash_free(mp->hash);
	mem_free(mp->env->mem, mp, sizeof(*mp));
}

void mp_dirty(struct mp_conn *c)
{
	if (!c->dead && !list_linked(&c->dirty)) {
		list_push_back(&c->mp->dirty, &c->dirty);
	}
}

static void bury(struct mp *mp, struct instant now)
{
	struct list *n;

	while ((n = list_first(&mp->dead)) != NULL) {
		struct mp_conn *c = list_entry(n, struct mp_conn, all);
		const struct mp_owner *owner = c->owner;
		void *o = c->o;

		if (mp->obituary && c->established) {
			mp->obituary(mp->obituary_ctx, now, c);
		}
		mp_conn_free(c);
		if (owner && owner->gone) {
			owner->gone(o, now);
		}
	}
}

void mp_flush(struct mp *mp, struct instant now)
{
	struct list work;
	struct list *n;

	mp->last = now;
	/* what becomes dirty meanwhile waits for the next flush */
	list_init(&work);
	while ((n = list_pop_front(&mp->dirty)) != NULL) {
		list_push_back(&work, n);
	}
	while ((n = list_pop_front(&work)) != NULL) {
		struct mp_conn *c = list_entry(n, struct mp_conn, dirty);

		list_each_safe(g, &c->graves) {
			struct mp_sub *s = list_entry(g, struct mp_sub, node);

			list_del(&s->node);
			mp_sub_free(s);
		}
		mp_tx_run(c, now);
		mp_conn_writable(c, now); /* less of it is unsent */
		mp_close_step(c, now);
		mp_idle_turn(c, now);
	}
	bury(mp, now);
}

bool mp_wants_flush(const struct mp *mp)
{
	return !list_empty(&mp->dirty) || !list_empty(&mp->dead);
}

void mp_set_obituary(struct mp *mp,
		     void (*fn)(void *ctx, struct instant now,
				const struct mp_conn *c),
		     void *ctx)
{
	mp->obituary = fn;
	mp->obituary_ctx = ctx;
}

void mp_set_refused(struct mp *mp,
		    void (*fn)(void *ctx, const struct mp_conn *c), void *ctx)
{
	mp->refused = fn;
	mp->refused_ctx = ctx;
}

uint32_t mp_count_conns(const struct mp *mp)
{
	return mp->n_conns;
}

uint32_t mp_count_owing(const struct mp *mp)
{
	return mp->n_owing;
}

void mp_path_changed(struct mp *mp, struct instant now, unsigned path)
{
	const struct ip_path *p = ip_path(mp->ip, path);

	if (!p) {
		return;
	}
	list_each_safe(n, &mp->conns) {
		struct mp_conn *c = list_entry(n, struct mp_conn, all);

		list_each(m, &c->subs) {
			struct mp_sub *s = list_entry(m, struct mp_sub, node);

			if (s->path != path || s->backup == p->backup) {
				continue;
			}
			s->backup = p->backup;
			if (c->mode == MP_MODE_MPTCP &&
			    s->state == MP_SUB_OPEN) {
				s->sig.prio = true;
				tcp_ack_now(s->tcb);
			}
		}
		if (c->mode == MP_MODE_MPTCP) {
			mp->pm->path(c, now, path, p->up);
		}
		mp_dirty(c);
	}
}
