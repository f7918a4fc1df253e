/* tcp_out.h - what leaves next on a connection, and how much could */
#ifndef TCP_TCP_OUT_H
#define TCP_TCP_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

struct tcb;
struct tcp_seg_desc;

/* Describes the next segment or burst; false: nothing wants to leave now. */
bool tcp_out_next(struct tcb *tcb, struct instant now, struct tcp_seg_desc *d);

#endif
