/* sock_opt_info.h - TCP_INFO and MPTCP_INFO in Linux's layout, from the state
 * that we really have; what we do not keep is 0
 */
#ifndef SOCK_SOCK_OPT_INFO_H
#define SOCK_SOCK_OPT_INFO_H

#include "stack/sock/sock_linux.h"
#include "stack/sock/stack.h"

/* A connection over several subflows is shown as a whole: octets and segments
 * are sums, times and sizes those of the subflow with the largest window. */
void sock_opt_info_tcp(struct sock *sk, struct instant now,
		       struct lx_tcp_info *out);

#endif
