/* sched_minrtt.c - the usable subflow with the lowest round-trip time that
 * has room; backup subflows and those that do not answer only when there is
 * nothing else (RFC 8684 3.3.8)
 */
#include "stack/mptcp/sched/sched.h"

#include <string.h>

#include "stack/mptcp/mp.h"

/* 0 is best: normal, backup, stale */
static unsigned class_of(const struct mp_sub *s)
{
	if (s->stale || s->suspect) {
		return 2;
	}
	return s->backup || s->peer_backup ? 1 : 0;
}

static struct mp_sub *pick(struct mp_conn *c, const struct mp_sub *not)
{
	struct mp_sub *best = NULL;
	unsigned least = 3;

	/* which class carries data does not depend on who has room */
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s != not && mp_sub_usable(s) && class_of(s) < least) {
			least = class_of(s);
		}
	}
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s == not || !mp_sub_usable(s) || class_of(s) != least ||
		    !mp_tx_room(s)) {
			continue;
		}
		if (!best || tcp_srtt(s->tcb) < tcp_srtt(best->tcb)) {
			best = s;
		}
	}
	return best;
}

const struct sched_ops sched_minrtt = {
	.name = "minrtt",
	.pick = pick,
};

static const struct sched_ops *const all[] = { &sched_minrtt };

const struct sched_ops *sched_find(const char *name)
{
	if (!name) {
		return all[0];
	}
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!strcmp(all[i]->name, name)) {
			return all[i];
		}
	}
	return NULL;
}
