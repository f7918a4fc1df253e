#include "stack/tcp/tcp_ts.h"

#include <string.h>

#include "stack/base/seq.h"

#define ECHO_OLD (600 * 1000) /* ticks: five times the longest RTO */

void tcp_ts_init(struct tcp_ts *t, uint32_t offset)
{
	memset(t, 0, sizeof(*t));
	t->offset = offset;
}

static int64_t ticks(struct instant now)
{
	return now.ns / TCP_TS_TICK;
}

uint32_t tcp_ts_val(const struct tcp_ts *t, struct instant now)
{
	return t->offset + (uint32_t)ticks(now);
}

void tcp_ts_first(struct tcp_ts *t, struct instant now, uint32_t val)
{
	t->has_recent = true;
	t->recent = val;
	t->recent_at = now;
}

bool tcp_ts_paws(const struct tcp_ts *t, struct instant now, uint32_t val)
{
	return t->has_recent && seq_lt(val, t->recent) &&
	       instant_since(now, t->recent_at) < TCP_TS_INVALID;
}

void tcp_ts_update(struct tcp_ts *t, struct instant now, uint32_t val,
		   uint32_t seq, uint32_t last_ack)
{
	if (seq_gt(seq, last_ack)) {
		return;
	}
	if (!t->has_recent || seq_geq(val, t->recent) ||
	    instant_since(now, t->recent_at) >= TCP_TS_INVALID) {
		tcp_ts_first(t, now, val);
	}
}

/* ticks since ecr was our clock; negative: it cannot have been */
static int32_t echo_age(const struct tcp_ts *t, struct instant now,
			uint32_t ecr)
{
	int32_t age = seq_diff(tcp_ts_val(t, now), ecr);

	return ecr == 0 || age > ECHO_OLD ? -1 : age;
}

nanos tcp_ts_rtt(const struct tcp_ts *t, struct instant now, uint32_t ecr)
{
	int32_t age = echo_age(t, now, ecr);

	if (age < 0) {
		return -1;
	}
	return nanos_max(age, 1) * TCP_TS_TICK;
}

struct instant tcp_ts_echo_before(const struct tcp_ts *t, struct instant now,
				  uint32_t ecr)
{
	int32_t age = echo_age(t, now, ecr);

	if (age < 0) {
		return INSTANT_NEVER;
	}
	return (struct instant){ (ticks(now) - age + 1) * TCP_TS_TICK };
}
