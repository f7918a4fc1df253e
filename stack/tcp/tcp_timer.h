/* tcp_timer.h - the only place that arms a connection's timers */
#ifndef TCP_TCP_TIMER_H
#define TCP_TCP_TIMER_H

#include "stack/base/time.h"

struct tcb;

void tcp_timer_init(struct tcb *tcb);
void tcp_timer_stop(struct tcb *tcb);
/* Something happened: sets every timer to what the connection's state asks
 * for.  Constant work; called once after each input, output or call. */
void tcp_timer_update(struct tcb *tcb, struct instant now);

#endif
