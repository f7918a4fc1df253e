/* tcp_recover_part.h - what the files of loss recovery share; nobody else's */
#ifndef TCP_TCP_RECOVER_PART_H
#define TCP_TCP_RECOVER_PART_H

#include "stack/base/check.h"
#include "stack/tcp/tcp_recover.h"

static inline bool tcp_recover_recovering(const struct tcp_recover *r)
{
	return r->state == TCP_RECOVER_RECOVERY ||
	       r->state == TCP_RECOVER_LOSS;
}

/* octets thought to be on the path */
static inline uint32_t tcp_recover_flight(const struct tcp_recover *r)
{
	return r->sent.in_flight - min_u32(r->newreno.left, r->sent.in_flight);
}

/* marks what is lost; octets newly marked */
uint32_t tcp_recover_detect(struct tcp_recover *r, struct instant now,
			    bool advanced, unsigned *ev);
/* The state after an ACK was applied and losses were marked.  outstanding:
 * octets not acknowledged before.  Returns TCP_RECOVER_EV_*. */
unsigned tcp_recover_advance(struct tcp_recover *r, struct instant now,
			     uint32_t outstanding);
/* The quota of RECOVERY.  moved: una advanced and nothing more was lost. */
void tcp_recover_prr(struct tcp_recover *r, uint32_t delivered, bool moved);
/* they count from now, or are off */
void tcp_recover_arm_rto(struct tcp_recover *r, struct instant now);
void tcp_recover_arm_probe(struct tcp_recover *r, struct instant now);

#endif
