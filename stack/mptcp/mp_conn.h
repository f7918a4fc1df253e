/* mp_conn.h - the states of a connection (RFC 8684 Appendix D); mp_conn.c is
 * the only writer.  Plain TCP runs through the same states.
 */
#ifndef MPTCP_MP_CONN_H
#define MPTCP_MP_CONN_H

#include <stdbool.h>

enum mp_state {
	MP_ST_PRE,        /* first handshake under way */
	MP_ST_ESTAB,
	MP_ST_FIN_WAIT_1, /* our DATA_FIN is due or sent, not acknowledged */
	MP_ST_FIN_WAIT_2,
	MP_ST_CLOSING,
	MP_ST_CLOSE_WAIT, /* the peer's DATA_FIN is in */
	MP_ST_LAST_ACK,
	MP_ST_TIME_WAIT,  /* both are done: subflows exchange FINs */
	MP_ST_CLOSED,
	MP_ST_N
};

enum mp_event {
	MP_EV_OPEN,      /* handshake complete */
	MP_EV_CLOSE,     /* nothing more will be written */
	MP_EV_FIN_ACKED, /* our DATA_FIN is acknowledged */
	MP_EV_FIN,       /* the peer's DATA_FIN, in order */
	MP_EV_END,       /* reset, failed, or finished */
	MP_EV_N
};

struct mp_fsm {
	enum mp_state state;
};

/* an event that a state does not know changes nothing and returns false */
bool mp_fsm_event(struct mp_fsm *f, enum mp_event ev);
const char *mp_fsm_name(enum mp_state s);

#endif
