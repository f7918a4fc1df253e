#include "stack/mptcp/mp_conf.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/mptcp/mptcp.h"

struct shared {
	struct list node;
	uint32_t users;
	struct mp_conf conf;
};

static struct shared *of(const struct mp_conf *v)
{
	/* only what is around the conf is ever written */
	return (void *)((uintptr_t)v - offsetof(struct shared, conf));
}

void mp_conf_init(struct mp_confs *s, struct mem *mem)
{
	s->mem = mem;
	list_init(&s->all);
}

static struct shared *find(const struct mp_confs *s, const struct mp_conf *v)
{
	unsigned left = MP_CONF_LOOK;

	list_each(n, &s->all) {
		struct shared *h = list_entry(n, struct shared, node);

		if (left-- == 0) {
			return NULL;
		}
		if (memcmp(&h->conf, v, sizeof(*v)) == 0) {
			return h;
		}
	}
	return NULL;
}

const struct mp_conf *mp_conf_get(struct mp_confs *s, const struct mp_conf *v)
{
	struct shared *h = find(s, v);

	if (h) {
		list_del(&h->node);
	} else {
		h = mem_zalloc(s->mem, sizeof(*h));
		if (!h) {
			return NULL;
		}
		memcpy(&h->conf, v, sizeof(*v));
	}
	list_push_front(&s->all, &h->node);
	h->users++;
	return &h->conf;
}

const struct mp_conf *mp_conf_share(const struct mp_conf *v)
{
	of(v)->users++;
	return v;
}

void mp_conf_put(struct mp_confs *s, const struct mp_conf *v)
{
	struct shared *h = v ? of(v) : NULL;

	if (h && --h->users == 0) {
		list_del(&h->node);
		mem_free(s->mem, h, sizeof(*h));
	}
}
