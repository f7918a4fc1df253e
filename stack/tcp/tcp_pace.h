/* tcp_pace.h - when bursts leave
 *
 * Octets leave as quanta: what the rate lets go in a millisecond, at least two
 * segments and at most 64 KiB, so that a burst stays worth its packet.  After a
 * quantum the next one waits until the rate has caught up.  A timer that fires
 * late is made up for, within four milliseconds.
 *
 * The rate is that of the congestion control, if it has one (bbr).  Else a
 * window beyond twice the initial one leaves somewhat faster than one in a round
 * trip, twice as fast in slow start: a queue shorter than the window would
 * drop the tail of what comes at once.  Not where a round trip is a few ticks
 * of the timer wheel, nor where a turn of the event loop sends more than a
 * packet can hold: pacing there costs timers and spreads nothing.  The
 * application's limit (SO_MAX_PACING_RATE) holds always.
 */
#ifndef TCP_TCP_PACE_H
#define TCP_TCP_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"
#include "stack/tcp/cc.h"

#define TCP_PACE_CREDIT    (4 * NANOS_MS) /* lateness made up for */
#define TCP_PACE_RTT_LEAST (2 * NANOS_MS) /* shorter: windows not spread */
#define TCP_PACE_FASTEST   (512000000u)   /* octets/s; above: not paced */

struct tcp_pace {
	uint64_t rate;       /* octets per second, 0: not paced */
	uint32_t quantum;    /* CC_INF without a rate */
	uint32_t left;       /* of the present quantum */
	struct instant next; /* when the next one may begin */
	bool held;           /* nothing may leave before `next` */
	bool late;           /* what was held is being made up for */
	bool offered;        /* the application was given room for no more */
};

void tcp_pace_init(struct tcp_pace *p);
/* The rate for now.  srtt, min_rtt 0: unknown; max: the application's limit,
 * octets per second, 0: none; mss: of a full segment. */
void tcp_pace_update(struct tcp_pace *p, const struct cc *cc, nanos srtt,
		     nanos min_rtt, uint64_t max, uint32_t mss);
/* Octets that may leave now; 0: nothing before tcp_pace_deadline(). */
uint32_t tcp_pace_quota(struct tcp_pace *p, struct instant now, uint32_t mss);
/* len octets left */
void tcp_pace_sent(struct tcp_pace *p, struct instant now, uint32_t len);
/* something else than time is being waited for: window or data */
void tcp_pace_release(struct tcp_pace *p);
/* takes notice that the time has come */
void tcp_pace_due(struct tcp_pace *p, struct instant now);
/* Nothing is left although more might leave: true if the application has not
 * been asked since it was given room for a quantum only. */
bool tcp_pace_ask(struct tcp_pace *p);
/* Octets to take from the application, besides those that wait here already:
 * no more than a quantum, so that the rest may still go another way.  A part
 * of a segment does not count, or it would leave alone. */
uint32_t tcp_pace_room(const struct tcp_pace *p, uint32_t waiting,
		       uint32_t mss);

/* INSTANT_NEVER: time holds nothing */
static inline struct instant tcp_pace_deadline(const struct tcp_pace *p)
{
	return p->held ? p->next : INSTANT_NEVER;
}

#endif
