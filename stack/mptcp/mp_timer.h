/* mp_timer.h - every timer of the layer; others report, mp_timer.c sets
 *
 * of a connection:
 *   DATA   connection-level retransmission and DATA_FIN (RFC 8684 3.3.6):
 *          the longest RTO of the subflows, doubling
 *   CORK   a corked partial segment leaves after 200 ms
 *   ADDR   ADD_ADDR not echoed: 1 s, doubling, 3 tries
 *   PM     the path manager's next attempt
 *   ALONE  no subflow is left: cfg.close_timeout (RFC 8684 3.3.3)
 *   LINGER both DATA_FINs are done: time for the subflows' FINs; before
 *          that, the peer's FIN is awaited shortly (RFC 8041 3.6)
 *   ORPHAN the owner is gone: the peer has not finished, linger2; or has
 *          acknowledged nothing of what waits, 300 s
 *   MEM    memory was refused to the writer or to a mapping: 200 ms
 *   FIRST  a resumed session's first frame waits for the program's data: 5 ms
 *   CRYPT  keys not confirmed, or nobody came back after a bad frame: 60 s;
 *          not sealed: first octets are held that may be Init1's: 1 s
 * of a subflow:
 *   JOIN   our third ACK of a join is not answered: RTO, doubling, 6 tries
 *   UNMAP  data without a mapping is held for at most 2 s
 */
#ifndef MPTCP_MP_TIMER_H
#define MPTCP_MP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/wheel.h"

enum mp_timer {
	MP_T_DATA,
	MP_T_CORK,
	MP_T_ADDR,
	MP_T_PM,
	MP_T_ALONE,
	MP_T_LINGER,
	MP_T_ORPHAN,
	MP_T_MEM,
	MP_T_FIRST,
	MP_T_CRYPT,
	MP_T_CONN_N, /* from here on those of a subflow */
	MP_T_JOIN = MP_T_CONN_N,
	MP_T_UNMAP,
	MP_T_N
};

#define MP_T_SUB_N (MP_T_N - MP_T_CONN_N)

/* one wheel timer for all of an object's */
struct mp_timers {
	struct wheel_timer w;
	struct wheel *wheel;
	struct instant *due; /* n, of `first` and those that follow it */
	uint8_t first, n;
	void (*fire)(struct mp_timers *t, enum mp_timer which,
		     struct instant now);
};

/* due: the timers' own place, which lives as long as t */
void mp_timer_init(struct mp_timers *t, struct wheel *wheel,
		   struct instant *due, enum mp_timer first, unsigned n,
		   void (*fire)(struct mp_timers *, enum mp_timer,
				struct instant));
void mp_timer_set(struct mp_timers *t, enum mp_timer which,
		  struct instant when);
void mp_timer_stop(struct mp_timers *t, enum mp_timer which);
void mp_timer_stop_all(struct mp_timers *t);
bool mp_timer_on(const struct mp_timers *t, enum mp_timer which);

/* dispatch of the two kinds; mp_timer.c */
void mp_timer_conn(struct mp_timers *t, enum mp_timer which,
		   struct instant now);
void mp_timer_sub(struct mp_timers *t, enum mp_timer which,
		  struct instant now);

#endif
