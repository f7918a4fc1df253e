/* tcp_wait.h - TIME-WAIT: what is left of a connection for 60 s (2 MSL as
 * Linux has it)
 *
 * Repeats the last ACK, ignores resets (RFC 1337), gives way to a newer SYN
 * (RFC 6191).  Bounded; beyond that the oldest goes.
 */
#ifndef TCP_TCP_WAIT_H
#define TCP_TCP_WAIT_H

#include "stack/base/time.h"
#include "stack/base/wheel.h"
#include "stack/tcp/tcp_demux.h"
#include "stack/tcp/tcp_guard.h"
#include "stack/tcp/tcp_ts.h"

#define TCP_WAIT_TIME (60 * NANOS_S)
#define TCP_WAIT_MAX  16384

struct tcp;
struct tcb;
struct tcp_seg;

struct tcp_wait {
	struct tcp_entry entry;
	struct tcp *tcp;
	struct list link; /* oldest first */
	struct wheel_timer timer;
	struct tcp_ts ts;
	struct tcp_guard guard;
	uint32_t snd_nxt, rcv_nxt, rcv_wnd;
	uint16_t path, wnd;
	uint8_t ttl, tos;
	bool ts_ok;
};

enum tcp_wait_verdict {
	TCP_WAIT_DONE,
	TCP_WAIT_OVER, /* it is gone: treat the SYN as if it never was */
};

/* tcb has ended (it is off the map); queues the ACK that it
 * owes.
 * Without memory there is no TIME-WAIT. */
void tcp_wait_add(struct tcb *tcb, struct instant now);
enum tcp_wait_verdict tcp_wait_input(struct tcp *tcp, struct instant now,
				     struct tcp_entry *e,
				     const struct tcp_seg *seg);
void tcp_wait_free(struct tcp_wait *w);

#endif
