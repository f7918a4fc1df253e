/* tcp_alarm.h - when loss recovery looks again by itself
 *
 *   RTO    while anything is outstanding; restarts when una moves (RFC 6298 5)
 *   PROBE  tail loss probe (RFC 8985 7): before the RTO, never instead of it
 *   REO    RACK's reordering window (RFC 8985 6.2 step 5)
 *
 * The connection has one timer for them: the earliest.
 */
#ifndef TCP_TCP_ALARM_H
#define TCP_TCP_ALARM_H

#include "stack/base/time.h"

enum tcp_alarm_kind {
	TCP_ALARM_NONE,
	TCP_ALARM_REO,
	TCP_ALARM_PROBE,
	TCP_ALARM_RTO,
};

struct tcp_alarm {
	struct instant rto, reo, probe; /* INSTANT_NEVER: off */
};

void tcp_alarm_init(struct tcp_alarm *a);
/* the earliest; *which may be NULL */
struct instant tcp_alarm_next(const struct tcp_alarm *a,
			      enum tcp_alarm_kind *which);
/* a recovery by timeout, or anew: only the RTO is left, from now on */
void tcp_alarm_rto_only(struct tcp_alarm *a, struct instant now, nanos rto);
/* the probe, after pto, but not later than the RTO */
void tcp_alarm_probe(struct tcp_alarm *a, struct instant now, nanos pto);

#endif
