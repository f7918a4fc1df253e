/* chan_addr.h - between the kernel's socket addresses and endpoints
 *
 * Functions only over their arguments: the shim calls them in programs.  A
 * socket address is octets in Linux's layout, struct sockaddr_in, _in6 and _un,
 * and no more is known of it here; no header of the system is needed for that.
 */
#ifndef CHAN_CHAN_ADDR_H
#define CHAN_CHAN_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/chan/chan_name.h"

#define CHAN_ADDR_MAX    28                  /* struct sockaddr_in6 */
#define CHAN_ADDR_UN_LEN (2 + CHAN_NAME_LEN) /* what chan_addr_un() writes */

/* AF_INET (len at least 16) or AF_INET6 (at least 24: Linux takes the old
 * struct without scope); false for anything else, and for NULL.  scope may be
 * NULL.  IPv4-mapped addresses stay IPv6. */
bool chan_addr_get(const void *sa, size_t len, struct endpoint *out,
		   uint32_t *scope);
/* Writes e as a socket of that family (4 or 6) shows it: IPv4 on family 6
 * becomes IPv4-mapped, "none" the wildcard.  Returns the length: 16 or 28, at
 * most CHAN_ADDR_MAX. */
unsigned chan_addr_put(const struct endpoint *e, uint8_t family, uint32_t scope,
		       void *out);
/* the name as bind() and connect() take it, into CHAN_ADDR_UN_LEN octets, which
 * is the length that it returns */
unsigned chan_addr_un(const struct chan_run *run, const struct chan_name *n,
		      void *out);
/* what getsockname() or getpeername() filled in; false: not of this run */
bool chan_addr_un_get(const struct chan_run *run, const void *sa, size_t len,
		      struct chan_name *out);

#endif
