/* tcp_fsm.h - the state of a connection and its only writer (RFC 9293 3.3.2)
 *
 * Everybody else reports what happened; the table in tcp_fsm.c says what that
 * means.  An event that the table does not know in a state leaves the state
 * as it is and returns false.
 */
#ifndef TCP_TCP_FSM_H
#define TCP_TCP_FSM_H

#include <stdbool.h>

#include "stack/tcp/tcp.h"

enum tcp_event {
	TCP_EV_ACTIVE,    /* active open: SYN to be sent */
	TCP_EV_PASSIVE,   /* SYN received by a listener */
	TCP_EV_SYN,       /* SYN without ACK received: simultaneous open */
	TCP_EV_OPEN,      /* both SYNs acknowledged */
	TCP_EV_CLOSE,     /* the upper's FIN is queued */
	TCP_EV_FIN_ACKED, /* our FIN is acknowledged */
	TCP_EV_FIN,       /* the peer's FIN arrived in order */
	TCP_EV_END,       /* reset, timeout, or nothing left to do */
	TCP_EV_N
};

struct tcp_fsm {
	enum tcp_state state;
};

bool tcp_fsm_event(struct tcp_fsm *f, enum tcp_event ev);
/* "ESTABLISHED" and the like */
const char *tcp_fsm_name(enum tcp_state s);

/* both directions' SYN is acknowledged */
static inline bool tcp_fsm_synced(const struct tcp_fsm *f)
{
	return f->state >= TCP_ESTABLISHED;
}

/* the peer may still send data */
static inline bool tcp_fsm_can_receive(const struct tcp_fsm *f)
{
	return f->state == TCP_ESTABLISHED || f->state == TCP_FIN_WAIT_1 ||
	       f->state == TCP_FIN_WAIT_2;
}

/* octets pushed before may still need sending or acknowledging */
static inline bool tcp_fsm_can_send(const struct tcp_fsm *f)
{
	return f->state >= TCP_ESTABLISHED && f->state != TCP_FIN_WAIT_2 &&
	       f->state != TCP_TIME_WAIT;
}

#endif
