#include "stack/tcp/tcp_alarm.h"

void tcp_alarm_init(struct tcp_alarm *a)
{
	a->rto = INSTANT_NEVER;
	a->reo = INSTANT_NEVER;
	a->probe = INSTANT_NEVER;
}

struct instant tcp_alarm_next(const struct tcp_alarm *a,
			      enum tcp_alarm_kind *which)
{
	struct instant at = a->rto;
	enum tcp_alarm_kind w = TCP_ALARM_RTO;

	if (!instant_before(at, a->probe)) {
		at = a->probe;
		w = TCP_ALARM_PROBE;
	}
	if (!instant_before(at, a->reo)) {
		at = a->reo;
		w = TCP_ALARM_REO;
	}
	if (which) {
		*which = instant_never(at) ? TCP_ALARM_NONE : w;
	}
	return at;
}

void tcp_alarm_rto_only(struct tcp_alarm *a, struct instant now, nanos rto)
{
	tcp_alarm_init(a);
	a->rto = instant_add(now, rto);
}

void tcp_alarm_probe(struct tcp_alarm *a, struct instant now, nanos pto)
{
	a->probe = instant_min(instant_add(now, pto), a->rto);
}
