/* mp_burst.h - how many octets leave as one burst, that is as one mapping */
#ifndef MPTCP_MP_BURST_H
#define MPTCP_MP_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/ranges.h"
#include "stack/base/time.h"

struct mp_sub;

/* payload of a full segment */
uint32_t mp_burst_seg(const struct mp_sub *s);
/* Octets of the avail ones that leave as one burst; 0: wait.  last: nothing
 * follows them in the ring. */
uint32_t mp_burst_len(struct mp_sub *s, struct instant now, uint64_t avail,
		      bool last);
/* how much of the range s is to repeat: of a sealed stream whole frames, one of
 * them even when there is less room (Init is never repeated: before it is
 * acknowledged there is no other subflow) */
uint32_t mp_burst_again(struct mp_sub *s, struct instant now,
			const struct range *r);
/* Sealed: the next octets for s, from snd.nxt on: what was sealed and could not
 * be mapped, or a burst sealed now.  0: nothing, or it has to wait; or the
 * connection has ended. */
uint32_t mp_burst_sealed(struct mp_sub *s, struct instant now);

#endif
