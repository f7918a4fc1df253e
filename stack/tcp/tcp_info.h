/* tcp_info.h - private: what a connection waits for, for tcp_info() */
#ifndef TCP_TCP_INFO_H
#define TCP_TCP_INFO_H

#include "stack/tcp/tcp.h"

/* after every event: what does it wait for? */
void tcp_info_note(struct tcb *tcb, struct instant now);

#endif
