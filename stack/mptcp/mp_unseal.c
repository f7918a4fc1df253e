#include "stack/mptcp/mp_unseal.h"

#include "stack/mptcp/mp.h"

void mp_unseal_init(struct mp_conn *c)
{
	list_init(&c->open.single);
}

void mp_unseal_fini(struct mp_conn *c)
{
	slice_free_all(c->mp->env->mem, &c->open.single);
}
