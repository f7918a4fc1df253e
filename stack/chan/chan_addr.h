/* chan_addr.h - between the kernel's socket addresses and endpoints
 *
 * Functions only over their arguments: the shim calls them in programs.
 */
#ifndef CHAN_CHAN_ADDR_H
#define CHAN_CHAN_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "stack/base/addr.h"
#include "stack/chan/chan_name.h"

/* AF_INET (len at least 16) or AF_INET6 (at least 24: Linux takes the old
 * struct without scope); false for anything else.  scope may be NULL.
 * IPv4-mapped addresses stay IPv6. */
bool chan_addr_get(const struct sockaddr *sa, socklen_t len,
		   struct endpoint *out, uint32_t *scope);
/* Writes e as a socket of that family (4 or 6) shows it: IPv4 on family 6
 * becomes IPv4-mapped, "none" the wildcard.  Returns the length: 16 or 28. */
socklen_t chan_addr_put(const struct endpoint *e, uint8_t family,
			uint32_t scope, struct sockaddr_storage *out);
/* the name as bind() and connect() take it; returns the length */
socklen_t chan_addr_un(const struct chan_run *run, const struct chan_name *n,
		       struct sockaddr_un *out);
/* what getsockname() or getpeername() filled in; false: not of this run */
bool chan_addr_un_get(const struct chan_run *run, const struct sockaddr *sa,
		      socklen_t len, struct chan_name *out);

#endif
