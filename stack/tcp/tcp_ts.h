/* tcp_ts.h - timestamps and PAWS (RFC 7323)
 *
 * Our clock ticks every millisecond from a random offset per connection, so it
 * tells a peer nothing about the host.
 */
#ifndef TCP_TCP_TS_H
#define TCP_TCP_TS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

#define TCP_TS_TICK    NANOS_MS
#define TCP_TS_INVALID (24 * 86400 * NANOS_S) /* RFC 7323 5.5 */

struct tcp_ts {
	bool on; /* both SYNs had it; set by the caller */
	bool has_recent;
	uint32_t offset;
	uint32_t recent; /* TS.Recent: what we echo */
	struct instant recent_at;
};

/* offset: a random number, the same for the connection's life */
void tcp_ts_init(struct tcp_ts *t, uint32_t offset);
/* TSval for a segment sent now */
uint32_t tcp_ts_val(const struct tcp_ts *t, struct instant now);
/* TS.Recent from the peer's SYN */
void tcp_ts_first(struct tcp_ts *t, struct instant now, uint32_t val);
/* RFC 7323 5.3 R1: is this TSval too old?  Not asked for RST.  An idle time of
 * more than 24 days makes TS.Recent invalid, and then nothing is too old. */
bool tcp_ts_paws(const struct tcp_ts *t, struct instant now, uint32_t val);
/* RFC 7323 4.3 (2): after PAWS; seq: SEG.SEQ, last_ack: Last.ACK.sent */
void tcp_ts_update(struct tcp_ts *t, struct instant now, uint32_t val,
		   uint32_t seq, uint32_t last_ack);
/* Round trip by the echo, in whole ticks, at least one; -1: the echo is 0 or
 * cannot be ours (ahead of the clock, or older than 10 minutes) */
nanos tcp_ts_rtt(const struct tcp_ts *t, struct instant now, uint32_t ecr);
/* The first instant at which our clock was past ecr: a copy sent then or later
 * is not what the echo answers.  INSTANT_NEVER as tcp_ts_rtt(). */
struct instant tcp_ts_echo_before(const struct tcp_ts *t, struct instant now,
				  uint32_t ecr);

#endif
