/* tcp_frto.h - was a retransmission timeout needless? (RFC 5682 3.1)
 *
 * After a timeout only the first segment is sent again.  When its ACK does not
 * cover everything, new data follows instead of more retransmissions; what is
 * acknowledged next tells: data that was sent once, before the timeout, means
 * that nothing had been lost.  Needs SACK, and no timestamps (where those are,
 * tcp_undo knows one round trip earlier).
 */
#ifndef TCP_TCP_FRTO_H
#define TCP_TCP_FRTO_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/tcp/tcp_sent.h"

enum tcp_frto_state {
	TCP_FRTO_OFF,  /* conventional recovery, or none */
	TCP_FRTO_WAIT, /* step 2: for the ACK of the retransmission */
	TCP_FRTO_NEW,  /* step 2b: new data is to be sent */
	TCP_FRTO_SENT, /* step 3: some was; the next ACK decides */
};

struct tcp_frto {
	uint8_t state; /* enum tcp_frto_state */
};

/* The timer fired.  fresh: SACK is in use, the peer did not renege, and no
 * recovery was going on but one of timeouts alone. */
static inline void tcp_frto_timeout(struct tcp_frto *f, bool fresh)
{
	f->state = fresh ? TCP_FRTO_WAIT : TCP_FRTO_OFF;
}

static inline void tcp_frto_stop(struct tcp_frto *f)
{
	f->state = TCP_FRTO_OFF;
}

/* only the first segment was sent again so far */
static inline bool tcp_frto_waits(const struct tcp_frto *f)
{
	return f->state == TCP_FRTO_WAIT;
}

/* new data before what is lost */
static inline bool tcp_frto_holds(const struct tcp_frto *f)
{
	return f->state == TCP_FRTO_NEW || f->state == TCP_FRTO_SENT;
}

/* new data was sent */
void tcp_frto_sent(struct tcp_frto *f);
/* There is none, or the peer's window takes none: conventional recovery, unless
 * some was sent before. */
void tcp_frto_no_new(struct tcp_frto *f);
/* An ACK was applied with this result; una and nxt as after it.  *point is
 * where recovery ends, and moves to nxt in step 2.  dup: it advanced nothing,
 * carried no data and no window change.  True: the timeout was needless. */
bool tcp_frto_ack(struct tcp_frto *f, const struct tcp_sent_out *o,
		  uint32_t una, uint32_t nxt, uint32_t *point, bool dup);

#endif
