/* tcp_info.h - private: what tcp_info() tells beside the obvious */
#ifndef TCP_TCP_INFO_H
#define TCP_TCP_INFO_H

#include "stack/tcp/tcp.h"

/* fills in what the modules of a connection know */
void tcp_info_more(const struct tcb *tcb, struct tcp_info_core *out);
/* after every event: what does it wait for? */
void tcp_info_note(struct tcb *tcb, struct instant now);

#endif
