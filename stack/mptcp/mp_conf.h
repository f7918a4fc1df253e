/* mp_conf.h - what users chose, kept once for all that chose the same
 *
 * Most connections have the options of their listener, or none at all.  So each
 * points at what it was given, and whoever changes something gets another one:
 * a conf that is here never changes.  A new one is compared with those that
 * were asked for last, and only with them: finding one never takes long, and at
 * worst two connections have the same octets twice.
 */
#ifndef MPTCP_MP_CONF_H
#define MPTCP_MP_CONF_H

#include "stack/base/list.h"

struct mem;
struct mp_conf;

#define MP_CONF_LOOK 8u /* of those asked for last */

struct mp_confs {
	struct mem *mem;
	struct list all; /* asked for last, first */
};

void mp_conf_init(struct mp_confs *s, struct mem *mem);
/* NULL: no memory.  Padding counts as content: v is a copy, as a whole, of what
 * was once cleared. */
const struct mp_conf *mp_conf_get(struct mp_confs *s, const struct mp_conf *v);
/* another user of the same; v is from mp_conf_get() */
const struct mp_conf *mp_conf_share(const struct mp_conf *v);
/* v is from these, and one user less has it; NULL is allowed */
void mp_conf_put(struct mp_confs *s, const struct mp_conf *v);

#endif
