/* mp_open_part.h - what both roles need for the first subflow of a connection:
 * mp_open.c has it, mp_listen.c uses it, too
 */
#ifndef MPTCP_MP_OPEN_PART_H
#define MPTCP_MP_OPEN_PART_H

#include "stack/mptcp/mp.h"

/* Only exactly this combination is understood: version 1, HMAC-SHA256 among
 * the proposals, no extension. */
bool mp_open_capable_ok(const struct mp_opts *o, uint8_t len);
/* A key whose token nobody here has; false: libcrypto refuses, or the table
 * is full. */
bool mp_open_draw_key(struct mp_conn *c);
/* the subflow, without a tcb yet; NULL: no memory */
struct mp_sub *mp_open_first_sub(struct mp_conn *c, const struct tuple *t,
				 unsigned path, struct instant now);
/* Multipath TCP is not offered, or not answered, for this reason */
void mp_open_as_plain(struct mp_conn *c, enum mp_reason why);
/* wanted, and it may be */
bool mp_open_fastopen(const struct mp_conn *c, bool wanted);

/* never seen by anybody: no obituary, no hooks */
static inline void mp_open_forget(struct mp_conn *c)
{
	mp_conn_free(c);
}

#endif
